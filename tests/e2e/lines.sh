#!/bin/bash
# lines.sh: the script's own line of every process and read, compared with what the interpreter itself says.
# LINES=all: every CPython of this machine, else two of them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

pythons=(/usr/bin/python3)
for v in 3.13.0 3.12.1 3.11.7 3.10.13 3.9.18 3.8.18; do
	[ ! -x "/root/.pyenv/versions/$v/bin/python" ] || pythons+=("/root/.pyenv/versions/$v/bin/python")
	[ "${LINES:-}" = all ] || [ ${#pythons[@]} = 1 ] || break
done
cp "$root"/tests/python/{oracle,sites,reads}.py "$work"
cd "$work" || exit 1

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
under() { # PYTHON ARGUMENTS: no more interpreters in PATH than needed
	local python=$1
	shift
	PATH=$(dirname "$python"):/usr/bin:/bin ORACLE_OUT=$work/truth run -q --record "$work/rec" -- \
		"$python" -W ignore "$@"
}
compare() { python3 "$root/tests/python/compare.py" "$@"; }

for python in "${pythons[@]}"; do
	v=$(version "$python")
	rm -f truth
	check "$v: a script with a hundred call sites runs" under "$python" sites.py
	check "$v: caller, whole stack and API of every process" compare "$ev" truth
	[ -s "$work/why" ] && tail -1 "$work/why"
	check "$v: replay gives the same" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
	rm -f truth
	check "$v: a script that reads its environment runs" under "$python" reads.py expected
	check "$v: the line of every read" python3 "$root/tests/python/compare_reads.py" "$ev" expected
	check "$v: no value in stream or recording" bash -c "! grep -qa 'planted-by' '$ev' '$work/rec'"
done

# What is asked of an engine, and what the engine does then, goes back to the line that asked.
engine_up
at() { grep -n "$1" "$root/tests/python/engine_calls.py" | head -1 | cut -d: -f1; }
by() { # ACTION LINE FUNCTION [TEST]
	echo 'any(get(e, "invigil.source.line") == '"$(at "$2")"' and get(e, "invigil.source.function") == "'"$3"'" and get(e, "invigil.source.test.function") == '"${4:-None}"' for e in action("'"$1"'"))'
}
check "a script that drives an engine runs" run -- /usr/bin/python3 "$root/tests/python/engine_calls.py" invigil/base:1
see "SDK: create" "$(by container-create 'client.containers.create' create '"test_sdk"')"
see "SDK: start" "$(by container-start 'box.start()' test_sdk '"test_sdk"')"
see "SDK: wait" "$(by container-wait 'box.wait()' test_sdk '"test_sdk"')"
see "SDK: remove, in another thread" "$(by container-remove 'box.remove' remove)"
see "command: create, at its caller's line" "$(by container-create 'subprocess.check_call' test_command '"test_command"')"
see "command: by check_call" 'all(get(e, "invigil.source.api") == "check_call" for e in action("container-create") if get(e, "process.name") == "docker")'
see "socket: both requests of one connection" "$(by system-info 'v1.41/info' test_socket '"test_socket"') and $(by image-list 'images/json' test_socket '"test_socket"')"
see "socket: the connect" "$(by docker-socket-connect 'self.sock.connect' Connection.connect '"test_socket"')"
see "in the container: the line that made it" 'all(any("inside-" + n in str(get(e, "process.args")) and get(e, "invigil.source.function") == f for e in execs()) for n, f in (("lines-sdk", "create"), ("cli", "test_command")))'
see "alerts carry it" 'all(get(e, "invigil.source.line") for e in alerts() if get(e, "rule.id")[:2] != "R0")'
see "near miss: the script's own exec has no line" 'not get([e for e in execs() if "engine_calls.py" in str(get(e, "process.args"))][0], "invigil.source")'
finish
