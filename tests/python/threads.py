"""threads.py COUNT: threads that each read a variable for the first time, beside so many programs that a shell executes."""
import os
import subprocess
import sys
import threading

LOOP = "i=0; while [ $i -lt %d ]; do /bin/busybox echo nth-$i; i=$((i + 1)); done >/dev/null" % int(sys.argv[1])
loop = subprocess.Popen(["/bin/sh", "-c", LOOP])
while loop.poll() is None:
    threads = [threading.Thread(target=os.environ.get, args=("HOME",)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
