"""lines.py FRAMES THREADS N held|released: CPU ns, to fd 3, of making a process that ends at once, FRAMES deep beside THREADS idle threads.

released: by a C function that gave up the GIL, so that its holder does not tell which thread this is.
"""
import ctypes
import os
import sys
import threading
import time

frames, threads, n = map(int, sys.argv[1:4])
libc = ctypes.CDLL(None)
pid = ctypes.c_int()
argv = (ctypes.c_char_p * 2)(b"/nowhere", None)


def held():
    try:
        os.posix_spawn("/nowhere", ["/nowhere"], {})
    except FileNotFoundError:
        pass


def released():
    libc.posix_spawn(ctypes.byref(pid), argv[0], None, None, argv, None)


def measure(make):
    for _ in range(100):
        make()
    begin = time.process_time_ns()
    for _ in range(n):
        make()
    return (time.process_time_ns() - begin) / max(n, 1)


def deep(left):
    return measure(globals()[sys.argv[4]]) if not left else deep(left - 1)


stop = threading.Event()
for _ in range(threads):
    threading.Thread(target=stop.wait, daemon=True).start()
# The module, measure, held or released, and deep.
result = deep(frames - 4)
os.write(3, b"%f\n" % result)
stop.set()
