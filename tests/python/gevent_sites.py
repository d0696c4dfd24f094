"""gevent_sites.py: processes made by greenlets, gevent's own subprocess, pool and patched standard library."""
from gevent import monkey

monkey.patch_all()
import oracle  # noqa: E402,F401
import os  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402

import gevent  # noqa: E402
from gevent import pool  # noqa: E402
from gevent.threadpool import ThreadPool  # noqa: E402
from oracle import mark  # noqa: E402

TRUE = "/bin/true"


def leaf(k):
    gevent.sleep(0.001 * (k % 3))
    os.system("/bin/true " + mark("os.system"))
    gevent.sleep(0)
    subprocess.check_call([TRUE, mark("check_call")])
    gevent.sleep(0)
    return subprocess.check_output([TRUE, mark("check_output")])


def middle(k):
    return [leaf(k) for _ in range(2)]


def forked(word):
    pid = os.fork()
    if not pid:
        os.execv(TRUE, [TRUE, word])
    os.waitpid(pid, 0)


gevent.joinall([gevent.spawn(middle, k) for k in range(8)])
pool.Pool(4).map(leaf, range(8))
ThreadPool(3).map(lambda k: os.system("/bin/true " + mark("os.system")), range(6))
gevent.spawn(forked, mark("os.fork")).join()
subprocess.Popen([TRUE, mark("Popen")]).wait()
subprocess.run([TRUE, mark("run")], check=True)
threads = [threading.Thread(target=leaf, args=(k,)) for k in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
gevent.get_hub().loop.run_callback(lambda: os.system("/bin/true " + mark("os.system")))
gevent.sleep(0.01)
