"""lines.py FRAMES THREADS BLOCKS held|released: CPU ns, to fd 3, of making a process that ends at once, FRAMES deep beside THREADS idle threads.

A line for each of BLOCKS blocks of 50 such processes; takes turns with others.
released: by a C function that gave up the GIL, so that its holder does not tell which thread this is.
"""
import ctypes
import os
import sys
import threading

import turns

frames, threads, blocks = map(int, sys.argv[1:4])
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


def deep(left):
    return turns.measure(globals()[sys.argv[4]], blocks, 50) if not left else deep(left - 1)


stop = threading.Event()
for _ in range(threads):
    threading.Thread(target=stop.wait, daemon=True).start()
# The module, measure, held or released, and deep.
turns.tell(deep(frames - 4))
stop.set()
