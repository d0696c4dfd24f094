"""reads.py TRUTH: reads of the environment in as many shapes as scripts have, and what they expect to be seen."""
import json
import os
import sys
import threading
from os import environ, getenv

expected = []


def here(name, back=0, function="<module>"):
    expected.append([name, sys._getframe(1).f_lineno - back, function])


def helper(name):
    return os.environ.get(name, "none")


class Config:
    @property
    def home(self):
        return environ.get("IVG_L_PROPERTY")

    def method(self):
        return [k for k in ("IVG_L_METHOD",) if k in environ]


class Name(str): # as Ansible marks its texts: the bytes lie elsewhere
    pass


os.environ.get("IVG_L_GET"); here("IVG_L_GET")
os.environ.get(Name("IVG_L_NAME")); here("IVG_L_NAME")
"IVG_L_IN" in os.environ; here("IVG_L_IN")
getenv("IVG_L_GETENV"); here("IVG_L_GETENV")
try:
    os.environ["IVG_L_ITEM"]
except KeyError:
    here("IVG_L_ITEM", 2)
helper("IVG_L_HELPER"); expected.append(["IVG_L_HELPER", helper.__code__.co_firstlineno + 1, "helper"])
Config().home; expected.append(["IVG_L_PROPERTY", Config.home.fget.__code__.co_firstlineno + 2, "Config.home"])
Config().method(); expected.append(["IVG_L_METHOD", Config.method.__code__.co_firstlineno + 1, "Config.method"])
environ.get(
    "IVG_L_LINES",
    "x"); here("IVG_L_LINES", 2 if sys.version_info >= (3, 8) else 0) # before 3.8 a call has its last line
(lambda: getenv("IVG_L_LAMBDA"))(); here("IVG_L_LAMBDA", 0, "<lambda>")
os.environ.setdefault("IVG_L_DEFAULT", "planted-by-default-8811"); here("IVG_L_DEFAULT")
os.environ.pop("IVG_L_POP", None); here("IVG_L_POP")
os.path.expandvars("$IVG_L_EXPAND"); here("IVG_L_EXPAND")


def in_thread():
    os.environ.get("IVG_L_THREAD"); here("IVG_L_THREAD", 0, "in_thread")


threads = [threading.Thread(target=lambda: sum(range(100000))) for _ in range(4)] + [threading.Thread(target=in_thread)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
# A write passes its value by the same way as a name; neither is a read.
os.environ[Name("IVG_L_WRITTEN")] = Name("planted-by-write-8812")
os.putenv("IVG_L_PUT", "planted-by-putenv-8813")
del os.environ["IVG_L_WRITTEN"]
os.environ.update({"IVG_L_UPDATED": "planted-by-update-8814"})
os.fsencode("planted-by-fsencode-8815")
"planted-by-encode-8816".encode("utf-8", "surrogateescape")
with open(sys.argv[1], "w") as f:
    json.dump(expected, f)
