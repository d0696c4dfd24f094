"""turns.py: measures blocks of calls, each when the turn comes: bench.sh's in_turns, as load.c's job of that name."""
import os
import time


def cpu():
    """CPU nanoseconds of this process, and of the run's own that here.sh names."""
    took = time.process_time_ns()
    for pid in filter(None, os.environ.get("BENCH_PIDS", "").split(",")):
        with open("/proc/%s/schedstat" % pid, encoding="ascii") as stat:
            took += int(stat.read().split()[0])
    return took


def measure(call, blocks, calls, clock=time.process_time_ns):
    """CPU nanoseconds of one call, of each block and of what follows it until the next one is over; the first two are not
    counted. Alone without the FIFOs."""
    fifos = [os.open(os.environ[name], os.O_RDWR) for name in ("BENCH_MINE", "BENCH_NEXT") if name in os.environ]
    took = []
    before = clock()
    for _ in range(blocks + 2):
        if fifos:
            os.read(fifos[0], 1)
        for _ in range(calls):
            call()
        now = clock()
        took.append((now - before) / calls)
        before = now
        if fifos:
            os.write(fifos[1], b".")
    return took[2:]


def tell(took):
    os.write(3, b"".join(b"%f\n" % block for block in took))
