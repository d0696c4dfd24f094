"""lines.py FRAMES THREADS BLOCKS held|released [MINE THEIRS]: CPU ns, to fd 3, of making a process that ends at once, FRAMES deep beside THREADS idle threads.

A line for each of BLOCKS blocks of 50 such processes. With MINE and THEIRS, FIFOs, two such scripts take turns, block
by block: what one waits for in MINE the other writes to it when its own block is done, so that both see the same machine.
released: by a C function that gave up the GIL, so that its holder does not tell which thread this is.
"""
import ctypes
import os
import sys
import threading
import time

frames, threads, blocks = map(int, sys.argv[1:4])
turns = [os.open(fifo, os.O_RDWR) for fifo in sys.argv[5:7]]
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
    took = []
    for _ in range(blocks + 2):
        if turns:
            os.read(turns[0], 1)
        begin = time.process_time_ns()
        for _ in range(50):
            make()
        took.append((time.process_time_ns() - begin) / 50)
        if turns:
            os.write(turns[1], b".")
    return took[2:]


def deep(left):
    return measure(globals()[sys.argv[4]]) if not left else deep(left - 1)


stop = threading.Event()
for _ in range(threads):
    threading.Thread(target=stop.wait, daemon=True).start()
# The module, measure, held or released, and deep.
result = deep(frames - 4)
os.write(3, b"".join(b"%f\n" % took for took in result))
stop.set()
