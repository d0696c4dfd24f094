"""env_truth.py LOG ROUNDS: run with -S, reads the environment in many ways and logs itself each access by name.

It begins before site does, so that nothing is read through os.environ that it does not know of.
"""
import os

reads = []
getitem = os._Environ.__getitem__


def logged(environ, key):
    reads.append(key)
    return getitem(environ, key)


os._Environ.__getitem__ = logged

import getpass  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import site  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402

site.main()
names = ["IVG_T_%03d" % i for i in range(200)]
for _ in range(int(sys.argv[2])):
    random.choice([os.environ.get, os.getenv, os.environ.__contains__])(random.choice(names))
os.environ["IVG_T_SET"] = "value-that-must-not-show-4713"
os.environ["IVG_T_SET"]
os.environ["IVG_T_WRITTEN"] = "1"
single = len(reads)
dict(os.environ)
copied = reads[single:]
tempfile.gettempdir()
getpass.getuser()
subprocess.call(["/bin/true"])
with open(sys.argv[1], "w", encoding="utf-8") as log:
    json.dump({"pid": os.getpid(), "reads": reads, "single": reads[:single], "copied": copied}, log)
