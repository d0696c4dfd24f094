#!/bin/bash
# lines_odd.sh: what has no line says so once for each process: other interpreters, unknown and wrong layouts, swapped-out pages; and where a line is shown.
# ODD_PYTHONS: more interpreters that are not known (3.14, without the GIL), if there are.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
python=/usr/bin/python3.11
cat >two.py <<'PY'
import os, subprocess
def test_it():
    os.system("/bin/true one")
    subprocess.call(["/bin/true", "two"])
    os.environ.get("HOME")
test_it()
PY
silent() { # NAME REASON [PYTHON]: no event of the last run has a line, and that is said, once for each process
	see "$1: no line" 'len(execs("true")) == 2 and not any(get(e, "invigil.source") for e in ev)'
	see "$1: why is said once" \
		'[get(e, "invigil.gap.reason") for e in action("coverage-gap") if get(e, "invigil.gap.hook") == "source lines" and get(e, "event.kind") != "alert"] == ["'"$2"'"]'
}

# A copy of this CPython that claims to be another version: its memory does not prove to be laid out so.
for version in 0308 030a 030c 030d; do
	/usr/bin/python3 "$root/tests/python/forge.py" $python "python$version" $version && chmod 755 python$version
	check "laid out otherwise than $version: it runs" run -q -- "./python$version" two.py
	silent "laid out otherwise than $version" "the interpreter knows no such thread"
done
/usr/bin/python3 "$root/tests/python/forge.py" $python python030e 030e && chmod 755 python030e
check "3.14: it runs" run -q -- ./python030e two.py
silent "3.14" "CPython 3.14 is not known"
cp $python python030b
check "near miss: a plain copy runs" run -q -- ./python030b two.py
see "near miss: a plain copy has its lines" '{get(e, "invigil.source.line") for e in execs("true")} == {3, 4}'
for odd in ${ODD_PYTHONS:-}; do
	check "$odd runs" run -q -- "$odd" two.py
	see "$odd: no line, and why is said once" \
		'not any(get(e, "invigil.source") for e in ev) and len([e for e in action("coverage-gap") if get(e, "invigil.gap.hook") == "source lines" and get(e, "event.kind") != "alert"]) == 1'
done

check "PyPy runs" run -q -- pypy3 two.py
silent PyPy "PyPy is not known"

# Compiled by Cython: no frame, for the interpreter neither.
cp "$root/tests/python/compiled.pyx" .
# shellcheck disable=SC2046
check "Cython compiles" bash -c "cython3 -3 compiled.pyx && gcc -w -O1 -shared -fPIC $(python3.11-config --includes) -o compiled.so compiled.c"
printf 'import compiled\ndef test_compiled():\n    compiled.make("by-cython")\ntest_compiled()\n' >calls.py
check "a script that calls what Cython compiled runs" run --record "$work/rec" -- $python calls.py
check "Cython: the summary says that lines inside its functions are missing, and no others" \
	bash -c "grep -q '^  source lines: functions that Cython compiled have no frame (lines inside ' '$work/err' && ! grep -q 'which line of the script' '$work/err'"
see "Cython: the line of the nearest function of Python" \
	'[(get(e, "invigil.source.line"), get(e, "invigil.source.function"), get(e, "invigil.source.api"), len(get(e, "invigil.source.stack"))) for e in execs("true")] == [(3, "test_compiled", "call", 5)]'

why_no_line='[get(e, "invigil.gap.reason") for e in action("coverage-gap") if get(e, "invigil.gap.hook") == "source lines" and get(e, "event.kind") != "alert"]'
see "Cython: that its functions are missing is said once" "$why_no_line == ['functions that Cython compiled have no frame']"
check "Cython: replay gives the same" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
printf 'import time, compiled\ncompiled.make("a")\ncompiled.make("b")\n' >twice.py
printf 'import subprocess\nfor i in range(2): subprocess.call(["%s", "twice.py"])\n' $python >three.py
check "three Pythons, two of them with Cython's code" run -q -- $python three.py
see "Cython: said once for each process" "len($why_no_line) == 2 and len(execs('true')) == 4"
printf '#include <Python.h>\nstatic struct PyModuleDef m = { PyModuleDef_HEAD_INIT, "plain" };\nPyMODINIT_FUNC PyInit_plain(void) { return PyModule_Create(&m); }\n' >plain.c
# shellcheck disable=SC2046
check "near miss: a module in C compiles" gcc -w -shared -fPIC $(python3.11-config --includes) -o plain.so plain.c
printf 'import plain, _ssl, subprocess\nsubprocess.call(["/bin/true"])\n' >c.py
check "near miss: it is loaded" run -q -- $python c.py
see "near miss: a module in C is nothing to say, nor is one of CPython's own" "$why_no_line == [] and len(execs('true')) == 1"

# The code object of the function that makes a process is in the swap area: its frame cannot be read.
test_begin "swapped-out pages"
dd if=/dev/zero of=swap bs=1M count=32 status=none && chmod 600 swap && mkswap -q swap
trap 'swapoff "$work/swap" 2>/dev/null; cleanup' EXIT
if swapon swap 2>why; then
	check "a script whose function is swapped out runs" run -q -- $python "$root/tests/python/paged_out.py"
	swapoff swap
	see "swapped out: no line of the script, none that says it is exact" \
		'[get(e, "invigil.source.exact") for e in execs("true") if "out" in get(e, "process.args")] == [False]'
	see "swapped out: why is said once" \
		'[get(e, "invigil.gap.reason") for e in action("coverage-gap") if get(e, "invigil.gap.hook") == "source lines" and get(e, "event.kind") != "alert"] == ["a frame could not be read"]'
	see "near miss: back in memory it has its line" \
		'[(get(e, "invigil.source.exact"), get(e, "invigil.source.file").rsplit("/")[-1]) for e in execs("true") if "back" in get(e, "process.args")] == [(True, "paged_out.py")]'
else
	skip "no swap area can be used here: $(cat why)"
fi

# Where a reader looks: relative to the working tree.
mkdir -p tree/tests
cat >tree/tests/test_it.py <<'PY'
import os, subprocess
def test_start():
    subprocess.check_call("echo ZWNobyBoaQ== | base64 -d | sh", shell=True)
os.environ.get("IVG_TEST_TOKEN")
test_start()
PY
cd tree || exit 1
export IVG_TEST_TOKEN=planted-Qx31-secret-value-77
check "a script in the working tree runs" run --markdown "$work/report.md" -- $python tests/test_it.py
check "the summary points at file and line, relative to it" grep -q 'tests/test_it.py:3: ' "$work/err"
check "the Markdown report, too" grep -q '^ *`tests/test_it.py:3` in `test_start`' "$work/report.md"
carried() { # BY: over the stream in $ev
	see "$1: what the script's shell made carries its line" \
		'{get(e, "invigil.source.line") for e in ev if get(e, "process.name") in ("base64", "dash", "sh") and get(e, "event.action") == "exec" and get(e, "invigil.source")} == {3}'
	see "$1: a read carries it" '{get(e, "invigil.source.line") for e in action("env-read") if get(e, "invigil.env.name") == "IVG_TEST_TOKEN"} - {None} == {4}'
	see "$1: findings carry it" '{get(e, "invigil.source.line") for e in said("R2.3")} - {None} == {3}'
}
carried run

# The daemon's probes come when the job has begun: its first processes may be without.
daemons_lock
printf 'import subprocess\n\nsubprocess.run(["true"])\n' >warm.py
printf 'runs:\n  - { program: %s, argument: job.sh }\n' /usr/bin/dash >"$work/daemon.yaml"
cat >job.sh <<SH
i=0
until grep -qs '"line":3' "$work"/runs/*.jsonl || [ \$i = 100 ]; do $python warm.py; i=\$((i + 1)); done
$python tests/test_it.py
SH
mkdir "$work/runs"
"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" -c "$work/daemon.yaml" 2>"$work/daemon" 9>&- &
daemon=$!
check "a daemon starts" until_true 30 grep -q 'watching for runs' "$work/daemon"
/usr/bin/dash job.sh >/dev/null
kill -TERM $daemon
wait $daemon
ev=$(grep -l 'tests/test_it.py' "$work"/runs/*.jsonl)
carried daemon
finish
