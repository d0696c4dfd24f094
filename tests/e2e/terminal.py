"""terminal.py WHAT INVIGIL...: one thing that a terminal does, on a pseudo terminal, to a program that is run bare and
under INVIGIL...; prints what differs."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

LIMIT = int(os.environ.get("LIMIT", 30))

# What COMMAND does: says each signal that it gets, ends with 7 at SIGUSR1 or "quit" on its input.
PROBE = r"""
import os, signal, sys, termios, struct, fcntl
def say(*words): # print() cannot be called again by a signal in the middle of it
    os.write(1, (" ".join(map(str, words)) + "\n").encode())
def heard(number, frame):
    rows = ""
    if number == signal.SIGWINCH:
        rows = " %d" % struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))[0]
    say("heard", signal.Signals(number).name + rows)
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH, signal.SIGCONT):
    signal.signal(number, heard)
say("foreground", os.tcgetpgrp(0) == os.getpgrp(), "leader", os.getsid(0) == os.getpgrp())
say("ready")
for line in sys.stdin:
    say("line", line.strip())
    if line.strip() == "quit":
        sys.exit(7)
"""


class Terminal:
    """A command on a terminal of its own, and all that it has printed."""

    def __init__(self, argv):
        self.said = b""
        self.seen = 0
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="prompt> ", TERM="dumb", HISTFILE="")
            os.execvp(argv[0], argv)

    def read(self, seconds):
        if self.fd is None or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            some = os.read(self.fd, 4096)
        except OSError:
            some = b""
        self.said += some
        return bool(some)

    def until(self, text, what=""):
        """Reads until text stands behind what was already waited for."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            at = self.said.find(text.encode(), self.seen)
            if at >= 0:
                self.seen = at + len(text)
                return
            self.read(0.1)
        raise SystemExit("no %r %s in: %s" % (text, what, self.said.decode(errors="replace")))

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """128+N or the status."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05):
                    pass
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        raise SystemExit("did not end: " + self.said.decode(errors="replace"))

    def lines(self):
        """What COMMAND said; the terminal's echo may stand before it on its line."""
        return re.findall("heard SIG(?:INT|QUIT|TERM|HUP|WINCH|CONT)(?: [0-9]+)?|line (?:hello|again|quit)|"
                          "foreground [TF][a-z]+ leader [TF][a-z]+", self.said.decode(errors="replace"))


def probe(prefix):
    terminal = Terminal(prefix + ["/usr/bin/python3", "-c", PROBE])
    terminal.until("ready")
    return terminal


def keys(prefix):
    """Ctrl-C and Ctrl-\\ reach COMMAND once each; its input goes through."""
    t = probe(prefix)
    t.type("\x03")
    t.until("heard SIGINT")
    t.type("\x1c")
    t.until("heard SIGQUIT")
    t.type("hello\nquit\n")
    t.until("line quit")
    return t.end(), t.lines()


def ctrl_c(prefix):
    """A program that does not catch it ends by it."""
    t = Terminal(prefix + ["/bin/sh", "-c", "echo ready; exec sleep 60"])
    t.until("ready")
    until_runs(t, "sleep")
    t.type("\x03")
    return t.end(), []


def until_runs(t, name):
    """A process of this terminal has executed name."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid) as stat:
                    comm, rest = stat.read().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if comm == name and int(rest.split()[3]) == t.pid:
                return
        t.read(0.05)
    raise SystemExit("no " + name)


def size(prefix):
    t = probe(prefix)
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    t.until("heard SIGWINCH 33")
    t.type("quit\n")
    return t.end(), t.lines()


def hangup(prefix):
    """The terminal goes away: COMMAND is told once (the kernel adds SIGCONT), and decides itself when to end."""
    mark = os.path.join(os.environ["WORK"], "hangup")
    if os.path.exists(mark):
        os.unlink(mark)
    program = ("import os, signal, sys, time\n"
               "heard = []\n"
               "signal.signal(signal.SIGHUP, lambda *a: heard.append('HUP'))\n"
               "print('ready', flush=True)\n"
               "until = time.monotonic() + 20\n"
               "while not heard and time.monotonic() < until: time.sleep(0.02)\n"
               "time.sleep(0.2)\n"
               "open(sys.argv[1], 'w').write(' '.join(heard))\n")
    t = Terminal(prefix + ["/usr/bin/python3", "-c", program, mark])
    # The whole line: what is still being written would fail.
    t.until("ready\r\n")
    os.close(t.fd)
    t.fd = None
    status = t.end()
    with open(mark) as said:
        return status, [said.read()]


def shell_jobs(prefix):
    """Job control of an interactive shell that runs the probe through PREFIX: Ctrl-Z, jobs, fg, bg, Ctrl-C."""
    with open(os.path.join(os.environ["WORK"], "probe.py"), "w") as program:
        program.write(PROBE)
    command = " ".join(prefix + ["/usr/bin/python3", program.name])
    t = Terminal(["bash", "--norc", "--noprofile", "-i"])
    t.until("prompt> ")
    t.type(command + "\n")
    t.until("ready")
    t.type("\x1a")
    t.until("Stopped", "after Ctrl-Z")
    t.until("prompt> ")
    t.type("fg\n")
    t.until("heard SIGCONT", "after fg")
    t.type("again\n")
    t.until("line again")
    t.type("\x1a")
    t.until("Stopped", "after the second Ctrl-Z")
    t.type("kill -INT %1; fg\n")
    t.until("heard SIGINT", "of kill")
    t.type("quit\n")
    t.until("line quit")
    t.until("prompt> ")
    t.type("echo status $?\n")
    t.until("status 7")
    t.type("exit\n")
    # Python may hear two SIGCONT as one.
    return t.end(), [t.lines().count("heard SIGINT"), sorted(set(t.lines()))]


def shell_inside(prefix):
    """An interactive shell as COMMAND: its own job control works as in a bare one."""
    t = Terminal(prefix + ["bash", "--norc", "--noprofile", "-i"])
    t.until("prompt> ")
    t.type("sleep 60\n")
    until_runs(t, "sleep")
    t.type("\x1a")
    t.until("Stopped")
    t.until("prompt> ")
    t.type("bg; kill %1; wait; echo waited $?\n")
    t.until("waited 0")
    t.until("prompt> ")
    t.type("sleep 61\n")
    until_runs(t, "sleep")
    t.type("\x03")
    t.until("prompt> ")
    t.type("echo status $?\n")
    t.until("status 130")
    t.type("exit 5\n")
    return t.end(), []


WHAT = {f.__name__: f for f in (keys, ctrl_c, size, hangup, shell_jobs, shell_inside)}

if __name__ == "__main__":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    bare, under = WHAT[sys.argv[1]]([]), WHAT[sys.argv[1]](sys.argv[2:])
    print("bare ", *bare, sep="\n  ")
    print("under", *under, sep="\n  ")
    sys.exit(bare != under)
