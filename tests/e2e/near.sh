#!/bin/bash
# near.sh: of the rules that are evidence of what nearly every run does, and of some others, the nearest run that must not fire them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
none() { # NAME RULES...: neither alert nor evidence in the last stream
	local name=$1 rule all='ended()'
	shift
	for rule; do all="$all and not alerts('$rule') and not evidence('$rule')"; done
	see "$name: not $*" "$all"
}
py() { run -- /usr/bin/python3 -I -S -c "$@"; }

py 'import os; os.environ.get("IVG_TOPIC")'
see "a variable is read" 'evidence("R1.1")'
none "and not all of them" R1.4
py 'import os; os.environ.get("PATH")'
none "a well known one" R1.1
export MY_API_TOPIC=weather
run -- env true
none "a child gets a variable whose name only looks like a secret's" R1.11
run -- sh -c 'sleep 5 & cat /proc/$!/status >/dev/null; kill $!'
none "what a debugger also reads, not memory" R1.10
run -- true --token --password-file=/etc/hostname --api-key= my-token
none "options without a secret" R3.4
run -- "$work/nothing-of-this-name"
none "nothing is executed" R3.1
mkdir -m 755 "$work/own"
run -- sh -c 'umask 022; : >"$1"/p; chmod 755 "$1"/p' sh "$work/own"
none "executable, and no set-id bit" R3.9
py 'import subprocess as s; s.run(["true"], stdin=s.DEVNULL, stdout=s.DEVNULL, stderr=s.DEVNULL)'
none "a child without pipes" R4.1
ln -s real.log "$work/own/link.log"
run -- sh -c 'echo x >>"$1"/link.log' sh "$work/own"
none "a link to a log in a directory of one's own" R5.4
run -- sh -c 'echo x >"$1"/mine.log; : >"$1"/mine.log; chmod 644 "$1"/mine.log; rm "$1"/mine.log' sh "$work/own"
none "a log of the run's own: cut, loosened, removed" R5.5 R5.6
none "and no engine" R8.1

engine_up
foreign=$(docker create invigil/base:1 sleep 60)
run -- docker ps -a
none "asked only" R8.2 R9.1 R7.1
run -- sh -c 'docker rm "$(docker create invigil/base:1 true)"'
none "a removal that is not refused, of what has no name" R9.5 R7.1
cat >"$work/blind.py" <<'PY'
import os
import socket
import subprocess
import sys
if sys.argv[1] == "blind":
    # A dialogue of HTTP/2: what it makes is not seen.
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["DOCKER_HOST"][len("unix://"):])
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    s.close()
subprocess.run(["docker", "rm", "-f", sys.argv[2]])
PY
run -- /usr/bin/python3 "$work/blind.py" blind "$foreign"
see "by force, and who made it cannot be known" 'alerts("R9.4") and not alerts("R9.2")'
foreign=$(docker create invigil/base:1 sleep 60)
run -- /usr/bin/python3 "$work/blind.py" sees "$foreign"
see "near miss: it is somebody else's" 'alerts("R9.2") and not alerts("R9.4")'
finish
