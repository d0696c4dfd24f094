"""sites.py: calls that make a process, in as many shapes as test scripts have; run under oracle.py's eyes."""
import oracle  # noqa: F401  first of all
import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import multiprocessing
import os
import pty
import subprocess
import sys
import threading
from oracle import mark
from subprocess import PIPE, Popen, call, check_call, check_output, getoutput, getstatusoutput, run

TRUE = "/bin/true"
here = os.path.dirname(os.path.abspath(__file__))

# plain calls at the top of a module
check_call([TRUE, mark("check_call")])
check_output([TRUE, mark("check_output")])
run([TRUE, mark("run")], check=True)
call([TRUE, mark("call")])
Popen([TRUE, mark("Popen")]).wait()
getoutput("/bin/true " + mark("getoutput"))
getstatusoutput("/bin/true " + mark("getstatusoutput"))
os.popen("/bin/true " + mark("os.popen")).read()
os.system("/bin/true " + mark("os.system"))
os.spawnv(os.P_WAIT, TRUE, [TRUE, mark("os.spawnv")])
os.spawnlp(os.P_WAIT, "true", "true", mark("os.spawnlp"))
os.waitpid(os.posix_spawn(TRUE, [TRUE, mark("os.posix_spawn")], os.environ), 0)
os.waitpid(os.posix_spawnp("true", ["true", mark("os.posix_spawn")], os.environ), 0)
os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "/bin/true " + mark("os.posix_spawn")], os.environ), 0)
run("/bin/true " + mark("run"), shell=True)
call("exit 3; " + mark("call"), shell=True)
Popen([TRUE, mark("Popen")], close_fds=False).wait()
Popen([TRUE, mark("Popen")], start_new_session=True, stdin=PIPE, stdout=PIPE, stderr=PIPE).communicate()
Popen([TRUE, mark("Popen")], preexec_fn=lambda: None).wait()
subprocess.check_call(args=[TRUE, mark("check_call")], env={"A": "b"})


def forked(word):
    pid = os.fork()
    if not pid:
        os.execv(TRUE, [TRUE, word])
    os.waitpid(pid, 0)


forked(mark("os.fork"))


def on_a_terminal(word):
    pid, fd = pty.fork()
    if not pid:
        os.execv(TRUE, [TRUE, word])
    os.waitpid(pid, 0)
    os.close(fd)


on_a_terminal(mark("pty.fork"))

# statements over several lines
check_call(
    [
        TRUE,
        mark("check_call"),
    ],
    cwd="/",
)
total = (1 +
         len(check_output([TRUE, mark("check_output")])) +
         2)
table = {
    "one": call([TRUE, mark("call")]),
    "two": [
        run([TRUE, mark("run")]).returncode,
        os.system(
            "/bin/true "
            + mark("os.system")),
    ],
}
result = check_output([TRUE, mark("check_output")]) if table else \
    check_output([TRUE, "never"])
assert not call([TRUE, mark("call")]) or \
    not call([TRUE, "never"]), "message"
run([TRUE, mark("run")]), run([TRUE,
                               mark("run")]); call([TRUE, mark("call")])


# functions, methods, decorators
def helper(*words):
    # a comment, then an empty line

    return check_output([TRUE] + list(words))


def outer(word, depth=0):
    """A docstring
    of two lines."""
    if depth:
        return outer(word, depth - 1)
    return helper(
        "x",
        word)


outer(mark("check_output"))
outer(mark("check_output"), 5)
outer(mark("check_output"), 60)


def logged(name):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            run([TRUE, name, mark("run")])
            return function(*args, **kwargs)
        return wrapper
    return decorate


@logged("one")
@logged("two")
def decorated(a, *, b=1):
    Popen(
        [TRUE, mark("Popen")]
    ).wait()


decorated(1, b=2)


class Server:
    started = call([TRUE, mark("call")])

    def __init__(self):
        self.cmd("init")

    def cmd(self, verb): return check_call([TRUE, verb, mark("check_call")])

    @property
    def identity(self):
        return check_output([TRUE, mark("check_output")])

    @staticmethod
    def remove():
        os.system("/bin/true " + mark("os.system"))

    @classmethod
    def processes(cls):
        return Popen([TRUE, mark("Popen")], stdout=PIPE).communicate()

    def __enter__(self):
        run([TRUE, mark("run")])
        return self

    def __exit__(self, *exc):
        run([TRUE, mark("run")])

    def __getattr__(self, name):
        os.system("/bin/true " + mark("os.system"))
        return name

    def __lt__(self, other):
        return call([TRUE, mark("call")]) == 0

    def __iter__(self):
        for i in range(2):
            check_call([TRUE, mark("check_call")])
            yield i


server = Server()
server.identity
server.remove()
Server.processes()
server.anything
sorted([server, Server()])
list(server)
with server, \
        server:
    check_call([TRUE, mark("check_call")])


class OwnPopen(Popen):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


OwnPopen([TRUE, mark("Popen")]).wait()

# comprehensions, generators, lambdas
[check_call([TRUE, mark("check_call")]) for _ in range(2)]
{call([TRUE, mark("call")]) for _ in range(2)}
{k: check_output([TRUE, mark("check_output")])
 for k in "ab"}
list(run([TRUE, mark("run")]) for _ in range(2))
(lambda: run([TRUE, mark("run")]))()
list(map(lambda word: check_output([TRUE, word]), [mark("check_output"), mark("check_output")]))
functools.partial(check_call, [TRUE, mark("check_call")])()
functools.reduce(lambda a, b: os.system("/bin/true " + mark("os.system")), [1, 2])
sorted([2, 1], key=lambda v: call([TRUE, mark("call")]))


def generate():
    for i in range(2):
        check_call([TRUE, mark("check_call")])
        yield i
        os.system("/bin/true " + mark("os.system"))


def delegate():
    yield from generate()


for _ in generate():
    pass
for _ in delegate():
    pass
started = generate()
next(started)
started.close()


@contextlib.contextmanager
def environment():
    run([TRUE, mark("run")])
    try:
        yield
    finally:
        run([TRUE, mark("run")])


with environment(), environment():
    pass
with contextlib.ExitStack() as stack:
    stack.callback(check_call, [TRUE, mark("check_call")])
try:
    check_call(["/bin/false", mark("check_call")])
except subprocess.CalledProcessError:
    os.system("/bin/true " + mark("os.system"))
else:
    run([TRUE, "never"])
finally:
    run([TRUE, mark("run")])


class Deleted:
    def __del__(self):
        check_call([TRUE, mark("check_call")])


deleted = Deleted()
del deleted
deleted = Deleted()
deleted.itself = deleted
del deleted
gc.collect()


# many code objects at the same address
for k in range(60):
    exec(compile("\n" * (k % 17) + "check_call([TRUE, mark('check_call')])", "<generated>", "exec"))
for k in range(60):
    space = {"TRUE": TRUE, "mark": mark, "call": call}
    exec("def made():\n" + "    x = 1\n" * (k % 13) + "    call([TRUE, mark('call')])\n", space)
    space["made"]()
eval("call([TRUE, mark('call')])")
large = "def large(call, TRUE, mark):\n" + "".join(
    "    v%d = [%d, %d, len('x')] if %d else {}\n" % (i, i, i, i) for i in range(1500)) + \
    "    call([TRUE, mark('call')])\n    return 0\n"
exec(compile(large, "<large>", "exec"))
large(call, TRUE, mark) if callable(large) else globals()["large"]


# names that are not ASCII, and a path that has to be cut nowhere
def größe():
    check_call([TRUE, mark("check_call")])


größe()
for name, text in (("módulo", "latin"), ("模块", "wide"), ("x" * 120, "long")):
    folder = os.path.join(here, text + "-é目"[:2 if text == "latin" else 3])
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".py"), "w", encoding="utf-8") as f:
        f.write("import subprocess\n\n\ndef función(mark):\n    subprocess.run(['/bin/true', mark('run')])\n")
    sys.path.insert(0, folder)
    __import__(name).función(mark)
astral = {"mark": mark, "call": call, "TRUE": TRUE}
exec(compile("def 𝒻():\n  call([TRUE, mark('call')])\n𝒻()", "<𝒻𝓊>", "exec"), astral)

# threads: idle ones, busy ones that fight for the GIL, and those that make processes
done = threading.Event()


def spin():
    while not done.is_set():
        sum(range(100))


def work(k):
    for _ in range(3):
        check_call([TRUE, mark("check_call")])
        os.system("/bin/true " + mark("os.system"))
        helper(mark("check_output"))
        forked(mark("os.fork"))


others = [threading.Thread(target=done.wait) for _ in range(20)] + [threading.Thread(target=spin) for _ in range(2)]
workers = [threading.Thread(target=work, args=(k,)) for k in range(6)]
for thread in others + workers:
    thread.start()
for thread in workers:
    thread.join()
done.set()
for thread in others:
    thread.join()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda k: outer(mark("check_output")), range(8)))
    pool.submit(check_call, [TRUE, mark("check_call")]).result()
timer = threading.Timer(0, run, [[TRUE, mark("run")]])
timer.start()
timer.join()


# coroutines
async def child():
    p = await asyncio.create_subprocess_exec(TRUE, mark("asyncio"))
    await p.wait()
    p = await asyncio.create_subprocess_shell(
        "/bin/true " + mark("asyncio"))
    await p.wait()
    check_call([TRUE, mark("check_call")])


async def asynchronous():
    await child()
    await asyncio.gather(child(), child())
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, outer, mark("check_output"))
    loop.call_soon(functools.partial(call, [TRUE, mark("call")]))
    loop.call_soon(lambda: Popen([TRUE, mark("Popen")]).wait())
    await asyncio.sleep(0.01)
    async for _ in agenerate():
        pass
    [check_output([TRUE, mark("check_output")]) async for _ in agenerate()]


async def agenerate():
    for _ in range(2):
        call([TRUE, mark("call")])
        yield 1


asyncio.run(asynchronous())


# processes of Python itself
def in_child(word):
    check_call([TRUE, mark("check_call")])
    os.system("/bin/true " + mark("os.system"))
    os.execv(TRUE, [TRUE, word])


process = multiprocessing.get_context("fork").Process(target=in_child, args=(mark("multiprocessing"),))
process.start()
process.join()
pid = os.fork()
if not pid:
    helper(mark("check_output"))
    forked(mark("os.fork"))
    os._exit(0)
os.waitpid(pid, 0)
for _ in range(10):
    check_call([TRUE, mark("check_call")])
