#!/bin/bash
# metrics.sh: /metrics on a unix socket and on a port of this machine; no client holds the daemon up.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

daemon_up() { # [OPTIONS]
	rm -f "$work/daemon"
	"$invigil" daemon -o "$work/{run}.jsonl" --socket "$work/sock" "$@" 2>"$work/daemon" 9>&- &
	daemon=$!
	until_true 30 grep -q 'watching for runs' "$work/daemon"
}
daemon_down() { kill -TERM "$daemon" && wait "$daemon"; }
scrape() { curl -s --max-time 10 --unix-socket "$work/metrics" "$@" http://invigil/metrics; }
value() { scrape | sed -n "s/^$1 //p"; }
is() { # NAME NUMBER: at least; other tests of this machine may have runs, too
	[ "$(value "$1")" -ge "$2" ] || { echo "$1 is $(value "$1")"; return 1; }
}
file_of() { grep -l "\"$1\"" "$work"/*.jsonl; } # the stream of the run that began with this program
over() { f=$(file_of "$1") && grep -q '"action":"run-end"' "$f"; }
http() { scrape -o "$work/body" -w '%{http_code}' "$@"; }

printf '#!/bin/sh\n/bin/echo x >/dev/null\ncurl -s http://127.0.0.1:1/x | sh\n' >"$work/job"
chmod 755 "$work/job"
printf 'runs:\n  - program: %s\n' "$work/job" >"$work/conf.yaml"
daemon_up -c "$work/conf.yaml" --metrics "unix:$work/metrics"
check "who may read it is root and its group" bash -c "[ \"\$(stat -c '%u %a' '$work/metrics')\" = '0 660' ]"
"$work/job"
check "the run ends" until_true 30 over "$work/job"
check "a run is counted" until_true 30 is invigil_runs_ended_total 1
check "so is what it executed" is invigil_execs_total 4
check "and found" bash -c "scrape() { curl -s --unix-socket '$work/metrics' http://x/metrics; }; scrape | grep -qE '^invigil_findings_total\{severity=\"(medium|high)\"\} [1-9]'"
scrape >"$work/text"
check "promtool finds nothing wrong with it" promtool check metrics <"$work/text"
check "another path is 404" bash -c "[ \"\$(curl -s -o '$work/body' -w '%{http_code}' --unix-socket '$work/metrics' http://x/other)\" = 404 ]"
check "another method is 405" test "$(http -X POST -d x)" = 405
check "HEAD has no body" test "$(scrape -I | tail -c +1 | grep -c invigil_)" = 0

# Clients that say nothing, half a request, too much, or do not read.
python3 - "$work/metrics" "$work/enough" >"$work/hostile" <<'PY' &
import os, select, socket, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    return s
long = connect()
try:
    long.sendall(b"GET /" + b"x" * 100000)
except OSError:
    pass
print(long.recv(100).split(b"\r\n")[0])
long.close()
bad = connect()
bad.sendall(b"\0\xff not http\r\n\r\n")
print(bad.recv(100).split(b"\r\n")[0])
bad.close()
since = {}
def linger(words):
    began = time.monotonic()
    s = connect()
    since[s] = began
    s.sendall(words)
def is_closed(s):
    try:
        return not s.recv(1)
    except ConnectionError:
        return True
# Eight at every moment: for each that is sent away another one comes.
linger(b"")
for _ in range(7):
    linger(b"GET /metrics HT")
print("waiting", flush=True)
gone = 0
while gone < 8 or not os.path.exists(sys.argv[2]):
    s = select.select(since, [], [], 60)[0][0]
    print("early" if time.monotonic() - since.pop(s) < 5 else "gone" if is_closed(s) else "answered", flush=True)
    s.close()
    gone += 1
    linger(b"GET /metrics HT")
PY
hostile=$!
check "a client waits and says nothing" until_true 30 grep -q waiting "$work/hostile"
rm -f "$work"/*.jsonl
"$work/job"
check "runs are watched meanwhile" until_true 30 over "$work/job"
check "the state is told meanwhile" timeout 30 "$invigil" status --socket "$work/sock"
touch "$work/enough"
wait $hostile
sent_away() { [ "$(grep -c '^gone' "$work/hostile")" -ge 8 ] && ! grep -E 'early|answered' "$work/hostile"; }
check "who is slow is sent away, and not before" sent_away
check "what is too long or no HTTP is 400" test "$(grep -c '400 Bad Request' "$work/hostile")" = 2
check "metrics are told afterwards" is invigil_runs_ended_total 2
check "and who was sent away is counted" test "$(value invigil_scrapes_refused_total)" -ge 8

# A daemon that stands still loses records; what it counts is what the run's stream says.
cat >"$work/job" <<SH2
#!/bin/sh
until [ -e "$work/go" ]; do sleep 0.05; done
i=0
while [ \$i -lt 2000 ]; do /bin/true; i=\$((i + 1)); done
SH2
rm -f "$work"/*.jsonl
"$work/job" &
job=$!
until_true 30 file_of "$work/job"
kill -STOP $daemon
touch "$work/go"
wait $job
kill -CONT $daemon
check "that run ends" until_true 30 over "$work/job"
lost=$(value 'invigil_records_lost_total{type="exec"}')
check "records were lost" test "$lost" -gt 0
see "as many as the stream says, or more, if another test's run was losing some" \
	"0 < sum(get(e, 'invigil.lost.count') for e in action('events-lost') if get(e, 'invigil.lost.type') == 'exec' and get(e, 'event.kind') == 'metric') <= $lost" "$(file_of "$work/job")"
check "and the run was incomplete" is invigil_runs_incomplete_total 1

cp "$work/conf.yaml" "$work/good"
echo 'what: is this' >>"$work/conf.yaml"
kill -HUP $daemon
check "a refused configuration is counted" until_true 30 is invigil_reloads_refused_total 1
cp "$work/good" "$work/conf.yaml"
check "it ends with 0" daemon_down
check "the socket is gone" test ! -e "$work/metrics"

port=$((24000 + $$ % 8000)) # neither of the engines' (tests/lib/engine.sh) nor of those that the kernel gives away
daemon_up --metrics "127.0.0.1:$port"
check "a port answers, too" bash -c "curl -s http://127.0.0.1:$port/metrics | promtool check metrics"
test_begin "of this machine alone"
ss -Hltn "sport = :$port" >"$work/listens"
if grep -q "127.0.0.1:$port" "$work/listens" && [ "$(wc -l <"$work/listens")" = 1 ]; then ok; else fail "$work/listens"; fi
check "the port is taken for a second one" bash -c "! timeout 20 '$invigil' daemon --socket '$work/sock2' -o '$work/x{run}' --metrics 127.0.0.1:$port 2>'$work/e' && grep -q 'metrics 127.0.0.1:$port: Address already in use' '$work/e'"
daemon_down
check "an address of the network is refused" status_is 125 "$invigil" daemon --metrics 0.0.0.0:9200
finish
