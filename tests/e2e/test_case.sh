#!/bin/bash
# test_case.sh: each event names the test case that it happened in: pytest, four xdist workers, bats.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up

cat >"$work/test_forty.py" <<'PY'
import os, subprocess, docker, pytest

@pytest.mark.parametrize("n", range(40))
def test_n(n):
    os.environ.get("IVG_IN_EACH")
    os.environ.get("IVG_IN_EACH")
    subprocess.run(["/bin/sh", "-c", "/bin/true shell-%d" % n], check=True)
    subprocess.run(["/usr/bin/env", "-i", "/bin/true", "cleared-%d" % n], check=True)
    docker.from_env().containers.list(filters={"label": "ivg-%d" % n})
PY
cat >"$work/q40.py" <<'PY'
import json, os, re, sys
from urllib.parse import unquote
wrong, seen, workers = [], {k: set() for k in ("shell", "cleared", "ivg", "read")}, set()
for line in open(sys.argv[1]):
    e = json.loads(line)
    test = e["invigil"].get("test", {})
    case = re.search(r"test_n\[(\d+)\]$", test.get("name", ""))
    case = case and case.group(1)
    text = " ".join(e.get("process", {}).get("args", [])) if e["event"]["action"] == "exec" else ""
    text += " " + unquote(e.get("url", {}).get("query", ""))
    for kind, number in re.findall(r"(shell|cleared|ivg)-(\d+)\b", text):
        if number != case or test.get("framework") != "pytest" or test.get("phase") != "call":
            wrong.append((kind, number, test))
        seen[kind].add(number)
        workers.add(e["process"]["parent"]["pid"] if kind == "cleared" else None)
    if e["invigil"].get("env", {}).get("name") == "IVG_IN_EACH":
        if case is None or case in seen["read"]:
            wrong.append(("read", case, test))
        seen["read"].add(case)
want = {str(n) for n in range(40)}
wrong += [(kind, "missing", want - got) for kind, got in seen.items() if got != want]
print(wrong[:5], workers)
sys.exit(bool(wrong) or len(workers - {None}) != 4)
PY
test_begin "forty tests in four workers pass"
if LIMIT=120 run -- /usr/bin/python3 -m pytest -q -p no:cacheprovider -n 4 "$work/test_forty.py" >"$work/out"; then ok; else fail "$work/out"; fi
check "each exec, read and engine call names its test case" python3 "$work/q40.py" "$ev"
see "an alert names it too" 'alerts("R8.7") and all("test_n[" in get(e, "invigil.test.name", "") for e in alerts() if get(e, "rule.id")[:2] == "R8")'
see "near miss: what pytest does before and after has none" \
	'all(not get(e, "invigil.test") for e in ev if get(e, "process.name") == "python3.11" and get(e, "event.action") in ("exec", "exit"))'
check "the summary names the test case of the worst finding" grep -qE '^R[0-9] .*; R[0-9.]+ test_n\[[0-9]+\]: ' "$work/err"
check "and stays within 80 columns" bash -c "! grep -qE '^.{81}' '$work/err'"

cat >"$work/test_phases.py" <<'PY'
import subprocess, docker, pytest

docker.from_env().containers.run("invigil/base:1", ["true", "outside"], network_mode="none", remove=True)

@pytest.fixture
def server():
    subprocess.run(["/bin/true", "in-setup"], check=True)
    yield docker.from_env().containers.run("invigil/base:1", ["sleep", "60"], network_mode="none", detach=True)
    subprocess.run(["/bin/true", "in-teardown"], check=True)

def test_uses(server):
    server.exec_run(["true", "in-call"])
    open("IVG.log", "w").write("line")
    server.remove(force=True)

def test_other():
    subprocess.run(["/bin/true", "in-other"], check=True)
PY
test_begin "a test with a fixture and a container passes"
if (cd "$work" && run -- /usr/bin/python3 -m pytest -q -p no:cacheprovider "$work/test_phases.py") >"$work/out"; then ok; else fail "$work/out"; fi
see "each phase is told, and what is executed in a container belongs to it" \
	'len(execs()) == 7 and {(get(e, "process.args")[1], get(e, "invigil.test.name", "").split("::")[-1], get(e, "invigil.test.phase")) for e in execs() if get(e, "process.args")[0].endswith(("true", "sleep"))} == {("in-setup", "test_uses", "setup"), ("60", "test_uses", "setup"), ("in-call", "test_uses", "call"), ("in-teardown", "test_uses", "teardown"), ("in-other", "test_other", "call"), ("outside", "", None)}'
see "near miss: a container that no test has made" '[get(e, "invigil.test") for e in execs("busybox") if get(e, "process.args") == ["true", "outside"]] == [None]'
see "what is written and asked, too" \
	'[{(get(e, "invigil.test.name", "").split("::")[-1], get(e, "invigil.test.phase")) for e in action(a)} for a in ("log-open", "container-create", "exec-create")] == [{("test_uses", "call")}, {("", None), ("test_uses", "setup")}, {("test_uses", "call")}]'

cat >"$work/two.bats" <<'BATS'
@test "first" { /bin/true one; }
@test "second" { /bin/true two; }
BATS
run -- bats "$work/two.bats" >"$work/out"
see "bats" 'same([(get(e, "process.args")[1], get(e, "invigil.test.name"), get(e, "invigil.test.framework")) for e in execs("true")],
	[("one", "test_first", "bats"), ("two", "test_second", "bats")])'
# As cargo-nextest does: a process a test, its name in the environment.
run -- env NEXTEST_TEST_NAME=tests::it_works sh -c '/bin/true inside'
see "nextest" '[(get(e, "invigil.test.name"), get(e, "invigil.test.framework")) for e in execs("true")] == [("tests::it_works", "nextest")]'
# As molecule and tmt do, and a bats inside of them.
run -- env MOLECULE_SCENARIO_NAME=default sh -c "/bin/true outside; bats '$work/two.bats'" >"$work/out"
see "molecule, and bats inside of it" 'same([(get(e, "process.args")[1], get(e, "invigil.test.name"), get(e, "invigil.test.framework")) for e in execs("true")],
	[("outside", "default", "molecule"), ("one", "test_first", "bats"), ("two", "test_second", "bats")])'
run -- env NEXTEST_RUN_ID=1 /bin/true
see "near miss: nextest without a test" 'not any(get(e, "invigil.test") for e in ev)'
finish
