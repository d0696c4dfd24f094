#!/bin/bash
# env.sh: environment reads by name, from libc and from Python; never a value.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cat >"$work/c.c" <<'C'
#define _GNU_SOURCE
#include <stdlib.h>
int main(void)
{
	getenv("IVG_C_ABSENT");
	secure_getenv("IVG_C_SECURE");
	return !getenv("IVG_C_READ");
}
C
if gcc -o "$work/c" "$work/c.c" 2>"$work/why"; then
	check "a C program runs" gated env IVG_C_READ=1 IVG_C_UNREAD=1 timeout 60 "$invigil" run -q -o "$ev" -- "$work/c"
	see "getenv, with found" 'any(r["found"] is True and r["mechanism"] == "getenv" for r in reads("IVG_C_READ"))'
	see "getenv of what is not set" 'any(r["found"] is False for r in reads("IVG_C_ABSENT"))'
	see "secure_getenv" 'any(r["mechanism"] == "secure_getenv" for r in reads("IVG_C_SECURE"))'
	see "near miss: what is set and not read" 'not reads("IVG_C_UNREAD")'
	see "R1.1 is evidence" 'len(evidence("R1.1")) > 0'
else
	test_begin "a C program's getenv"
	fail "$work/why"
fi

cat >"$work/reads.py" <<'PY'
import os
os.environ.get("TESTSERVER_BIND_LOCAL")
os.environ["IVG_PY_ITEM"]
"IVG_PY_IN" in os.environ
os.getenv("IVG_PY_GETENV", "other")
os.environ["IVG_PY_WRITTEN"] = "value-that-must-not-show-4711"
del os.environ["IVG_PY_WRITTEN"]
PY
export TESTSERVER_BIND_LOCAL=1 IVG_PY_ITEM=value-of-the-item-4712 IVG_PY_UNREAD=1
check "a Python program runs" run -- /usr/bin/python3 "$work/reads.py"
see "os.environ.get" 'any(r["found"] is True and r["mechanism"] == "python" for r in reads("TESTSERVER_BIND_LOCAL"))'
see "os.environ[]" 'any(r["found"] is True for r in reads("IVG_PY_ITEM"))'
see "in os.environ" 'any(r["found"] is False for r in reads("IVG_PY_IN"))'
see "os.getenv" 'any(r["found"] is False for r in reads("IVG_PY_GETENV"))'
see "near miss: what is set and not read" 'not reads("IVG_PY_UNREAD")'
see "near miss: a write is no read" 'not reads("IVG_PY_WRITTEN")'
see "R1.2: what changes where a test listens" 'any("TESTSERVER_BIND_LOCAL" in json.dumps(e) for e in alerts("R1.2"))'
check "no value is in the stream" bash -c "! grep -q 'must-not-show-4711\|of-the-item-4712' '$ev'"
unset TESTSERVER_BIND_LOCAL IVG_PY_ITEM IVG_PY_UNREAD

# The code objects by which reads are counted go, and their memory is used again.
cat >"$work/reload.py" <<'PY'
import gc
import importlib
import os
os.environ.get("IVG_PY_BEFORE")
for i in range(200):
    importlib.reload(os)
    gc.collect()
    os.environ["IVG_PY_SET"] = f"value-that-must-not-show-47{i}"
    os.fsencode(f"value-that-must-not-show-48{i}")
    os.environ.get(f"IVG_PY_AGAIN_{i}")
PY
check "a Python program that loads os anew runs" run -- /usr/bin/python3 "$work/reload.py"
see "its reads" 'reads("IVG_PY_BEFORE") and all(len(reads(f"IVG_PY_AGAIN_{i}")) == 1 for i in range(200))'
see "near miss: its writes" 'not reads("IVG_PY_SET")'
check "no value of its writes is in the stream" bash -c "! grep -q 'must-not-show' '$ev'"

cat >"$work/sdk.py" <<'PY'
import os
import sys
import docker.utils
import docker.utils.config
import requests.utils
docker.utils.kwargs_from_env()
docker.utils.config.config_path_from_environment()
requests.utils.getproxies()
if sys.argv[1:]:
    os.environ.get("DOCKER_HOST")
    os.environ.get("DOCKER_CONFIG")
PY
export DOCKER_HOST=unix:///none.sock no_proxy=localhost
check "libraries read what says where to talk to" run -- /usr/bin/python3 "$work/sdk.py"
see "R1.2, near miss: only docker-py and requests asked for it" 'reads("DOCKER_HOST") and reads("DOCKER_CONFIG") and not alerts("R1.2")'
see "which is R1.1" 'any("DOCKER_HOST" in json.dumps(get(e, "invigil.findings")) for e in evidence("R1.1"))'
check "the script asks for it too" run -- /usr/bin/python3 "$work/sdk.py" itself
see "R1.2: behind the libraries' read, once" 'same([get(e, "invigil.subject") for e in alerts("R1.2")], ["DOCKER_HOST", "DOCKER_CONFIG"])'
unset DOCKER_HOST no_proxy

# An instrumented Python says itself what it read. What libc's getenv saw first is told once, as that; what is read
# by itself after the copy (sudo sets these) is told again.
unset LOGNAME MAIL USER SHELL
export LANG=C.UTF-8 # without any locale Python sets LC_CTYPE itself (PEP 538)
for rounds in 10 700; do
	export IVG_T_003=1
	check "a Python that logs its reads, $rounds more of them" run -- /usr/bin/python3 -S tests/e2e/env_truth.py "$work/truth$rounds" $rounds
	unset IVG_T_003
	mv "$ev" "$work/ev$rounds"
	truth="json.load(open('$work/truth$rounds'))"
	mine="[e for e in action('env-read') if get(e, 'process.pid') == ($truth)['pid']]"
	see "each name once, and no other; those of the copy by their number" \
		"(lambda t, r, names, others: len(names) == len(set(names)) and set(t['single']) <= set(names) <= set(t['reads']) | others and [get(e, 'invigil.env.count') for e in r if get(e, 'invigil.env.mechanism') == 'copy'] == [len(set(t['copied']) - set(names) - {'IVG_T_WRITTEN'})])($truth, $mine, *(lambda r: ([get(e, 'invigil.env.name') for e in r if get(e, 'invigil.env.name')], {get(e, 'invigil.env.name') for e in r if get(e, 'invigil.env.mechanism') != 'python'}))($mine))" "$work/ev$rounds"
	see "by Python only what Python logged" \
		"(lambda t, r: len(r) > 10 and {get(e, 'invigil.env.name') for e in r} <= set(t['reads']))($truth, [e for e in $mine if get(e, 'invigil.env.mechanism') == 'python'])" "$work/ev$rounds"
done
totals() { # ROUNDS: reads that the stream counted, and that Python logged
	q "$work/ev$1" "print(next(get(e, 'invigil.env.reads') for e in action('exit') if get(e, 'process.pid') == json.load(open('$work/truth$1'))['pid']), len(json.load(open('$work/truth$1'))['reads'])) is None"
}
read -r stream700 python700 <<<"$(totals 700)"
read -r stream10 python10 <<<"$(totals 10)"
# libc's own reads at the interpreter's start are the same in both.
check "the totals at exit grow by what Python logged, $((python700 - python10)) more" \
	test $((python700 - python10)) -gt 600 -a $((stream700 - stream10)) = $((python700 - python10))
check "no value of these is in the stream" bash -c "! grep -q 'must-not-show-4713' '$work'/ev700"

export IVG_TEST_TOKEN=planted-Wx31-secret-value-99
run -- /usr/bin/python3 -c 'import os; os.environ.get("IVG_TEST_TOKEN")'
see "R1.3: a sensitive name that is set" 'any("IVG_TEST_TOKEN" in json.dumps(e) for e in alerts("R1.3"))'
run -- /usr/bin/python3 -c 'pass'
see "R1.3, near miss: set and not read" 'not alerts("R1.3")'
see "R1.11 or the exec names it" 'any("IVG_TEST_TOKEN" in json.dumps(e) for e in action("exec"))'
unset IVG_TEST_TOKEN
run -- /usr/bin/python3 -c 'import os; os.environ.get("IVG_TEST_TOKEN")'
see "R1.3, near miss: read and not set" 'not alerts("R1.3") and reads("IVG_TEST_TOKEN")'
export TOKENIZERS_PARALLELISM=true
run -- /usr/bin/python3 -c 'import os; os.environ.get("TOKENIZERS_PARALLELISM")'
see "R1.3, near miss: TOKENIZERS is no TOKEN" 'not alerts("R1.3")'

rm -f "$work/up" "$work/go"
run -- sh -c "touch '$work/up'; until [ -e '$work/go' ]; do sleep 0.05; done" &
pid=$!
until_true 20 test -e "$work/up"
/usr/bin/python3 -c 'import os; os.environ.get("IVG_OUTSIDE")'
[ ! -x "$work/c" ] || IVG_C_READ=1 "$work/c"
touch "$work/go"
wait $pid
see "reads outside the run are absent" 'ended() and not reads("IVG_OUTSIDE") and not reads("IVG_C_READ")'

# The kernel's table is by process. What stands there of an earlier one of that number is not counted for the next.
cat >"$work/left.py" <<'PY'
"""left.py MONITOR: 1000 reads for the numbers that come next, as if processes before had left them; then processes."""
import ctypes, glob, os, re, struct, subprocess, sys
bpf = ctypes.CDLL("libbpf.so.1")
def text(path):
    try:
        return open(path).read()
    except OSError:
        return "" # closed meanwhile
for id in {int(i) for f in glob.glob("/proc/%s/fdinfo/*" % sys.argv[1]) for i in re.findall(r"(?m)^map_id:\s*(\d+)", text(f))}:
    shown = subprocess.run(["/usr/sbin/bpftool", "map", "show", "id", str(id)], capture_output=True, text=True).stdout
    if "name env_states " in shown:
        table, size = bpf.bpf_map_get_fd_by_id(id), int(re.search(r"value (\d+)B", shown)[1])
def reads(pid):
    value = ctypes.create_string_buffer(size)
    return None if bpf.bpf_map_lookup_elem(table, struct.pack("I", pid), value) else struct.unpack_from("Q", value)[0]
def spawn(i):
    pid = os.posix_spawn("/bin/true", ["true", str(i)], os.environ)
    os.waitpid(pid, 0)
    return pid
hits = []
while len(hits) < 3: # others take numbers, too
    last = spawn("before")
    planted = [n for n in range(last + 1, last + 400) if not os.path.exists("/proc/%d" % n)]
    for n in planted:
        bpf.bpf_map_update_elem(table, struct.pack("I", n), struct.pack("Q", 1000).ljust(size, b"\0"), 0)
    hits += [pid for pid in map(spawn, range(40)) if pid in planted]
print(hits, [reads(n) for n in hits], reads(planted[-1]))
PY
run -- bash -c "python3 '$work/left.py' \$(tests/lib/ours.sh '$ev' invigil-monitor) >'$work/left'"
check "what was planted for numbers that nobody had is there still, and nothing for those of processes that ended" \
	grep -qE '^\[[0-9, ]+\] \[(None(, )?)+\] 1000$' "$work/left"
see "a process counts its own reads, and none that one of its number has left" \
	"(lambda hits: [h for h in hits if not any(get(e, 'process.pid') == h and 0 < get(e, 'invigil.env.reads') < 1000 for e in action('exit'))])(json.loads(open('$work/left').read().split(']')[0] + ']')) == []"
finish
