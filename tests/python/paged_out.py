"""paged_out.py: makes a process while the code object of the function that does is in the swap area, and one when it is back."""
import contextlib
import ctypes
import subprocess
import sys

PAGE, MADV_PAGEOUT = 4096, 21
libc = ctypes.CDLL(None)

# So long that the code object has pages of its own; between the calls no byte of it is needed.
source = "def maker(first, second):\n    first.close()\n    second()\n" + "    x = 1\n" * 60000
exec(compile(source, sys.argv[0], "exec"))
at = id(maker.__code__) & -PAGE


def is_out(address):
    """Bit 62 of /proc/PID/pagemap."""
    with open("/proc/self/pagemap", "rb") as pages:
        pages.seek(address // PAGE * 8)
        return int.from_bytes(pages.read(8), "little") >> 62 & 1


was_out = []
first = contextlib.ExitStack()  # last in, first out
first.callback(subprocess.call, ["/bin/true", "out"])
first.callback(lambda: was_out.append(is_out(at)))
first.callback(libc.madvise, ctypes.c_void_p(at), ctypes.c_size_t(PAGE), MADV_PAGEOUT)
maker(first, lambda: subprocess.call(["/bin/true", "back"]))
sys.exit(0 if was_out == [1] else 3)
