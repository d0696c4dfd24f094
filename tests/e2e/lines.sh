#!/bin/bash
# lines.sh: the script's own line of every process and read, compared with what the interpreter itself says.
# PYTHONS=all: every CPython of this machine, else two of them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

pythons=(/usr/bin/python3)
for v in 3.13.0 3.12.1 3.11.7 3.10.13 3.9.18 3.8.18; do
	[ ! -x "/root/.pyenv/versions/$v/bin/python" ] || pythons+=("/root/.pyenv/versions/$v/bin/python")
	[ "${PYTHONS:-}" = all ] || [ ${#pythons[@]} = 1 ] || break
done
cp "$root"/tests/python/{oracle,sites,reads,pytest_sites,gevent_sites}.py "$work"
cd "$work" || exit 1

version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
under() { # PYTHON ARGUMENTS: no more interpreters in PATH than needed
	local python=$1
	shift
	PATH=$(dirname "$python"):/usr/bin:/bin ORACLE_OUT=$work/truth run -q --record "$work/rec" -- \
		"$python" -W ignore "$@"
}
tables() { # PYTHON: what its standard library's tables mean, to it and to us
	"$1" "$root/tests/python/tables.py" tables "$([ "${PYTHONS:-}" = all ] && echo 1 || echo 16)" &&
		SOURCE_TABLES=tables "$root/build/unit/test_source_line"
}
layout() { # PYTHON: the offsets of its own headers, where it has them, are those of our table
	local include
	include=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
	[ -e "$include/internal/pycore_pystate.h" ] || return 0
	gcc -w -I"$include" -I"$include/internal" -o layout "$root/tests/python/layout.c" &&
		grep -qxF "$(./layout | tr -d ' ')" <(tr -d ' ' <"$root/user/python_layout.def")
}
compare() { python3 "$root/tests/python/compare.py" "$@"; }

for python in "${pythons[@]}"; do
	v=$(version "$python")
	check "$v: its offsets are those of the table" layout "$python"
	rm -f truth
	check "$v: a script with a hundred call sites runs" under "$python" sites.py
	check "$v: caller, whole stack and API of every process" compare "$ev" truth
	[ -s "$work/why" ] && tail -1 "$work/why"
	check "$v: replay gives the same" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
	rm -f truth
	check "$v: a script that reads its environment runs" under "$python" reads.py expected
	check "$v: the line of every read" python3 "$root/tests/python/compare_reads.py" "$ev" expected
	check "$v: the line of every instruction of its standard library" tables "$python"
	check "$v: no value in stream or recording" bash -c "! grep -qa 'planted-by' '$ev' '$work/rec'"
done

if /usr/bin/python3 -c 'import pytest' 2>/dev/null; then
	rm -f truth
	check "pytest runs" under /usr/bin/python3 -m pytest -q -p no:cacheprovider pytest_sites.py
	check "pytest: caller, whole stack and API of every process" compare "$ev" truth 20
	see "pytest: the test of each process of a test" \
		'{get(e, "invigil.source.test.function").split(".")[-1] for e in execs() if get(e, "invigil.source.test")} >= {"test_output", "test_parameters", "test_raises", "testUnit"}'
	see "pytest: it is the test case that the environment names, or a fixture's of it" \
		'(lambda both: len(both) >= 9 and not [b for b in both if b[0].split(".")[-1] != b[1]])([(get(e, "invigil.source.test.function"), get(e, "invigil.test.name").split("::")[-1].split("[")[0]) for e in execs() if get(e, "invigil.source.test") and get(e, "invigil.test.name")])'
	see "near miss: a fixture of a test case has no test frame" \
		'[e for e in execs() if get(e, "invigil.test.name") and get(e, "invigil.source.function") == "server" and not get(e, "invigil.source.test")]'
else
	test_begin "pytest"
	skip "python3-pytest is not installed"
fi

# A greenlet's stack is another one: it is that of the frame that runs.
if /usr/bin/python3 -c 'import gevent' 2>/dev/null; then
	rm -f truth
	check "gevent runs" under /usr/bin/python3 gevent_sites.py
	check "gevent: caller, whole stack and API of every process" compare "$ev" truth 90
else
	test_begin "gevent"
	skip "python3-gevent is not installed"
fi

# A Python that is not known has no line, and that is said, once for each process.
test_begin "a Python of another version is made"
if /usr/bin/python3 - "$work/old" 2>"$work/why" <<'PY'; then
import os, shutil, struct, sys
real = os.path.realpath(sys.executable)
data = open(real, "rb").read()
mine, old = struct.pack("<Q", sys.hexversion), struct.pack("<Q", 0x030500f0)
assert data.count(mine) == 1 # Py_Version, which the interpreter itself does not look at
open(sys.argv[1], "wb").write(data.replace(mine, old) + b"\0") # as long, it would be a known file
shutil.copymode(real, sys.argv[1])
PY
	ok
	check "it runs" run -- "$work/old" -c 'import os; os.system("/bin/true one"); os.system("/bin/true two")'
	see "it has no line" 'execs("true") and not any(get(e, "invigil.source") for e in ev)'
	see "that is said once" \
		'[get(e, "invigil.gap.reason") for e in action("coverage-gap") if get(e, "invigil.gap.hook") == "source lines" and get(e, "event.kind") != "alert"] == ["CPython 3.5 is not known"]'
else
	fail "$work/why"
fi

# Paths are traced bytes: a secret in one is masked, however wide the characters are.
export IVG_TEST_TOKEN=planted-Qx31-secret-value-77
for name in "$IVG_TEST_TOKEN" "目-$IVG_TEST_TOKEN"; do
	mkdir "$name"
	echo 'import os; os.system("/bin/true hidden")' >"$name/s.py"
	check "a script in a folder named like a secret runs" under /usr/bin/python3 "$name/s.py"
	see "its line is there, masked" 'any("<redacted:" in get(e, "invigil.source.file", "") and get(e, "invigil.source.line") == 1 for e in execs("true"))'
	check "the secret is in neither stream nor recording" bash -c "! grep -qaP 'planted-Qx31|p\x00l\x00a\x00n\x00t' '$ev' '$work/rec'"
	check "replay gives the same" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
done
unset IVG_TEST_TOKEN

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
