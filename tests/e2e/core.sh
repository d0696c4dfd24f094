#!/bin/bash
# core.sh: the pipeline on the real kernel without an engine: statuses, arguments, environment reads, replay, bad input.
set -u
cd "$(dirname "$0")/../.." || exit 1
invigil=$PWD/build/invigil
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/why" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $name"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -c 2000 "$work/why"
	fi
}
events() { # FILE EXPRESSION: python over the list ev
	python3 -c '
import json, sys
ev = [json.loads(l) for l in open(sys.argv[1])]
def action(a): return [e for e in ev if e["event"]["action"] == a]
def execs(name): return [e for e in action("exec") if e["process"]["name"] == name]
sys.exit(0 if eval(sys.argv[2]) else str([e["event"]["action"] for e in ev][:60]))' "$1" "$2"
}
status_of() { # WANTED COMMAND...
	local want=$1 got
	shift
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	[ "$got" = "$want" ] || { echo "status $got, wanted $want"; cat "$work/err"; return 1; }
}
run() { "$invigil" run -q -o "$work/ev" "$@"; }

check "COMMAND's status is passed on" status_of 7 run -- sh -c 'exit 7'
check "the run-end event carries it" events "$work/ev" 'ev[-1]["event"]["action"] == "run-end" and ev[-1]["process"]["exit_code"] == 7'
check "a signal is 128+N" status_of 143 run -- sh -c 'kill -TERM $$'
check "a command that does not exist is 127" status_of 127 run -- /no/such/command
check "a file that cannot be executed is 126" status_of 126 run -- /etc/passwd
check "an unknown option is 125 and named" bash -c "! $invigil run --frobnicate -- true 2>'$work/e'; grep -q frobnicate '$work/e'"
check "an unknown level is 125" status_of 125 run --fail-on terrible -- true
check "an output that cannot be written is 125 and COMMAND is not started" \
	status_of 125 "$invigil" run -q -o /no/such/dir/ev -- touch "$work/started"
check "nothing was started then" test ! -e "$work/started"
ln -s "$work/victim" "$work/link"
check "a link in the way of the output is refused" status_of 125 "$invigil" run -q -o "$work/link" -- true
check "and not followed" test ! -e "$work/victim"
check "output that fills up is 125, COMMAND having run" status_of 125 "$invigil" run -q -o /dev/full -- touch "$work/ran"
check "it had run" test -e "$work/ran"

run -- /bin/echo 'two words' $'new\nline' $'\xff\xfe' '' >/dev/null
check "arguments are exact, bytes that are not UTF-8 kept in base64" events "$work/ev" \
	'execs("echo")[0]["process"]["args"] == ["/bin/echo", "two words", "new\nline", "\ufffd\ufffd", ""] and any("//4" in r["base64"] for r in execs("echo")[0]["invigil"]["raw"])'
check "sequence numbers have no hole" events "$work/ev" '[e["event"]["sequence"] for e in ev] == list(range(1, len(ev) + 1))'
big=$(head -c 100000 /dev/zero | tr '\0' a)
run -- /bin/true "$big" END >/dev/null
check "100 kB arguments are whole" events "$work/ev" 'execs("true")[0]["process"]["args"][1:] == ["a" * 100000, "END"]'
run -- /bin/true "$big" "$big" END >/dev/null
check "200 kB arguments keep head and tail" events "$work/ev" 'execs("true")[0]["process"]["args"][-1] == "END"'
printf '#!/bin/sh\nexit 0\n' >"$work/script" && chmod 755 "$work/script"
run -- "$work/script"
check "a script's exec names script and interpreter" events "$work/ev" \
	'any(e["invigil"]["exec"]["file"].endswith("/script") for e in action("exec"))'
run -- sh -c '(setsid sh -c "/bin/echo daemon >/dev/null; exit 0" &) ; sleep 0.3'
check "a daemonised grandchild stays a member" events "$work/ev" 'any("daemon" in e["process"].get("args", []) for e in action("exec"))'
run -- sh -c "/bin/echo marker-inside >/dev/null" &
pid=$!
/bin/echo marker-outside >/dev/null
wait $pid
check "what is outside the run is not in the stream" events "$work/ev" '"marker-outside" not in str(ev) and "marker-inside" in str(ev)'
"$invigil" run -q -o "$work/ev1" -- sh -c '/bin/echo first-run; sleep 0.2' >/dev/null &
one=$!
"$invigil" run -q -o "$work/ev2" -- sh -c '/bin/echo second-run; sleep 0.2' >/dev/null
wait $one
check "two runs at once stay apart" bash -c "grep -q first-run $work/ev1 && ! grep -q second-run $work/ev1 && grep -q second-run $work/ev2 && ! grep -q first-run $work/ev2"

TESTSERVER_BIND_LOCAL=1 run -- /usr/bin/python3 -c '
import os
os.environ.get("TESTSERVER_BIND_LOCAL"); "NOT_THERE_X" in os.environ
os.environ["WRITTEN_X"] = "valuethatmustnotshow"'
check "os.environ reads are seen by name, with found" events "$work/ev" \
	'{e["invigil"]["env"]["name"]: e["invigil"]["env"]["found"] for e in action("env-read") if e["invigil"]["env"]["mechanism"] == "python"}.items() >= {"TESTSERVER_BIND_LOCAL": True, "NOT_THERE_X": False}.items()'
check "a write is no read and its value is nowhere" bash -c "! grep -oE '\"env\":.\"name\":\"(WRITTEN_X|valuethat)' $work/ev"
check "reading what exposes a test is an alert (R1.2)" events "$work/ev" 'any(e.get("rule", {}).get("id") == "R1.2" for e in ev)'
cat >"$work/c.c" <<'C'
#include <stdlib.h>
int main(void) { return !getenv("C_PROGRAM_READS"); }
C
gcc -o "$work/c" "$work/c.c"
C_PROGRAM_READS=1 run -- "$work/c"
check "getenv of a brand-new C program is seen" events "$work/ev" 'any(e["invigil"]["env"]["name"] == "C_PROGRAM_READS" for e in action("env-read"))'

export MY_API_TOKEN=planted-Zq81-secret-value-77
"$invigil" run -q -o "$work/ev" --record "$work/rec" -- sh -c 'echo $MY_API_TOKEN >/dev/null; /bin/echo "$MY_API_TOKEN" >/dev/null; /bin/echo pre-$(printf %s "$MY_API_TOKEN" | base64) >/dev/null' >/dev/null
check "a planted secret is in neither stream nor recording" bash -c \
	"! grep -qa 'planted-Zq81' $work/ev $work/rec && ! grep -qa \"\$(printf planted-Zq81-sec | base64 | cut -c1-18)\" $work/ev $work/rec"
check "where it stood is said" grep -q 'redacted' "$work/ev"
check "it is an alert that an argument holds it (R3.4)" events "$work/ev" 'any(e.get("rule", {}).get("id") == "R3.4" for e in ev)'
unset MY_API_TOKEN
chmod 755 "$work"
cp "$work/rec" "$work/rec-user" && chmod 644 "$work/rec-user"
cp "$invigil" "$work/invigil"
check "an unprivileged replay gives the same stream, byte for byte" bash -c \
	"setpriv --reuid=65534 --regid=65534 --clear-groups $work/invigil replay -q -o - $work/rec-user | cmp - $work/ev"
head -c 3000 "$work/rec" >"$work/short"
check "a truncated recording is 125" status_of 125 "$invigil" replay -q -o "$work/x" "$work/short"
head -c 3000 /dev/urandom >"$work/random"
check "random bytes are no recording" status_of 125 "$invigil" replay -q -o "$work/x" "$work/random"

check "an alert trips the gate: 120" status_of 120 run --fail-on medium -- /usr/bin/python3 -c 'import os; os.system("echo a; echo b >/dev/null")'
check "below the level it does not" status_of 0 run --fail-on critical -- /usr/bin/python3 -c 'import os; os.system("echo a; echo b >/dev/null")'
check "a failed COMMAND keeps its own status" status_of 3 run --fail-on low -- /usr/bin/python3 -c 'import os; os.system("echo a; echo b"); os._exit(3)'

"$invigil" run -q -o "$work/ev" -- sh -c 'trap "exit 9" TERM; touch '"$work"'/up; while :; do sleep 0.05; done' &
pid=$!
until [ -e "$work/up" ]; do :; done
kill -TERM $pid
wait $pid
check "SIGTERM reaches COMMAND, whose status is passed on" test $? = 9
check "and the stream still ends" events "$work/ev" 'ev[-1]["event"]["action"] == "run-end"'
rm -f "$work/up"
"$invigil" run -q -o "$work/ev" -- sh -c 'touch '"$work"'/up; while [ ! -e '"$work"'/go ]; do sleep 0.05; done; exit 5' 2>/dev/null &
pid=$!
until [ -e "$work/up" ]; do :; done
monitor=$(pgrep -x invigil-monitor | while read -r m; do tr '\0' ' ' <"/proc/$m/cmdline" | grep -q "$work" && echo "$m"; done | head -1)
kill -9 "$monitor"
touch "$work/go"
wait $pid
check "kill -9 of the monitor leaves COMMAND's status" test $? = 5

check "check covers every required hook" bash -c "$invigil check >$work/c.txt; [ \$? -le 1 ] && ! grep -q 'not covered' $work/c.txt"
check "risks lists nine categories" bash -c "[ \$($invigil risks --format json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))') = 10 ]"
check "version" bash -c "$invigil version | grep -q 0.1.0"
check "no privileges: 125" status_of 125 setpriv --reuid=65534 --regid=65534 --clear-groups "$work/invigil" run -- true

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
