"""oracle.py: what the interpreter itself says of every process that is made: one JSON line each, by audit hook."""
import json
import os
import sys
import sysconfig
import threading

_out = os.open(os.environ["ORACLE_OUT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
_last = threading.local()
_lock = threading.Lock()
_count = 0
LIBRARY = [os.path.realpath(sysconfig.get_paths()[key]) for key in ("stdlib", "platstdlib", "purelib", "platlib")]


def mark(api):
    """A word for the arguments of a program: tells the call, and the API that is expected to be seen."""
    global _count
    with _lock:
        _count += 1
        return "mark-%d-%d-%s" % (os.getpid(), _count, api)


def _is_library(name):
    if name.startswith("<"):
        return name.startswith("<frozen ")
    real = os.path.realpath(name)
    return "dist-packages" in real or any(real.startswith(path + "/") for path in LIBRARY)


def _stack(frame):
    stack = []
    while frame is not None:
        code = frame.f_code
        stack.append([code.co_filename, frame.f_lineno, getattr(code, "co_qualname", code.co_name),
                      _is_library(code.co_filename)])
        frame = frame.f_back
    return stack


def _words(args):
    if isinstance(args, (str, bytes)):
        return os.fsdecode(args)
    return " ".join(os.fsdecode(word) for word in args)


def _hook(event, args):
    if event in ("os.fork", "os.forkpty"):
        _last.stack = _stack(sys._getframe(1))
        return
    if event == "subprocess.Popen":
        words = _words(args[1])
    elif event == "os.system":
        words = _words(args[0])
    elif event in ("os.posix_spawn", "os.exec"):
        words = _words(args[1])
    else:
        return
    made = getattr(_last, "stack", None) if event == "os.exec" else _stack(sys._getframe(1))
    # No lock that another thread could hold while this one forks.
    line = (json.dumps({"event": event, "words": words, "stack": made}) + "\n").encode()
    try:
        os.write(_out, line)
    except OSError:  # gevent's subprocess closes descriptors in Python, then executes
        with open(os.environ["ORACLE_OUT"], "ab", buffering=0) as out:
            out.write(line)


sys.addaudithook(_hook)
