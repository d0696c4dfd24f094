#!/bin/bash
# markdown.sh: the report for a job's summary: what it says, that nothing in it comes to life, and that it is whole or absent.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
md=$work/report.md
has() { grep -qF -- "$1" "$md" || { cat "$md"; return 1; }; }
lacks() { ! grep -qE -- "$1" "$md" || { cat "$md"; return 1; }; }
without() { [ ! -e "$1" ] && [ -z "$(find "$(dirname "$1")" -name '*.invigil')" ]; }

mkdir -p "$work/tree/tests"
cat >"$work/tree/tests/test_a.py" <<'PY'
import os
import subprocess


def read():
    return os.environ.get("MY_API_TOKEN")


def test_quiet():
    os.environ.get("HOME")


def test_low():
    os.environ.get("DOCKER_HOST")


def test_secret():
    read()
    subprocess.run(["sh", "-c", "true '`id <img src=x> @team | [a](http://b) ' | cat"], check=True)
PY
cd "$work/tree" || exit 1
export MY_API_TOKEN=plain-value-4711
check "a run with a report" status_is 0 run --record "$work/rec" --markdown "$md" -- \
	/usr/bin/python3 -m pytest -q -p no:cacheprovider tests
check "the line, relative to the working tree, and its function" has '`tests/test_a.py:6` in `read`'
check "the test case" has 'test `tests/test_a.py::test_secret`'
rows() { sed -n '/^| seen first in /,/^$/s/^| \(`.*\)$/\1/p' "$md"; }
check "findings by test case, the worst first; near miss: the one without" \
	diff <(rows) - <<<"\`tests/test_a.py::test_secret\` | | | 2 | |
\`tests/test_a.py::test_low\` | | | | 1 |"
check "the line of a child, and the call" has '`tests/test_a.py:19` in `test_secret`, by run'
check "all nine categories" [ "$(grep -cE '^\| R[1-9] ' "$md")" = 9 ]
check "no value of a secret" lacks plain-value-4711
check "untrusted text is code and does not end it" lacks '^[^`]*(`[^`]*`[^`]*)*(<img|@team|http:)'
check "it is the invoking group's, 0640" [ "$(stat -c %a "$md")" = 640 ]
check "replay writes the same" status_is 0 "$invigil" replay -q -o /dev/null --markdown "$work/again.md" "$work/rec"
check "byte for byte" cmp "$md" "$work/again.md"

cat >"$work/tree/test_many.py" <<'PY'
import os
import pytest


@pytest.mark.parametrize("n", range(103), ids=lambda n: str(n or "a|b"))
def test_n(n):
    os.environ.get("IVG_%d_TOKEN" % n)
PY
mapfile -t many < <(for i in $(seq 0 102); do echo "IVG_${i}_TOKEN=planted-many-$i"; done)
many_tests() (
	export "${many[@]}"
	run --markdown "$md" -- /usr/bin/python3 -m pytest -q -p no:cacheprovider test_many.py
)
check "a run with more test cases than have a row" status_is 0 many_tests
check "says how many findings are in others" has '3 more findings are in other test cases'
check "a pipe in a name does not end its cell" [ "$(rows | head -n 1)" = '`test_many.py::test_n[a\|b]` | | | 1 | |' ]
check "near miss: those before them have a row" [ "$(rows | grep -c 'test_n\[')" = 100 ]
check "COMMAND that fails has one, too" status_is 3 run --markdown "$md" -- sh -c 'exit 3'
check "and it says so" has 'exit 3, '
check "near miss: no test case, no table of them" lacks '^### By test case'
ln -s /etc/passwd "$work/link.md"
check "a link in the way: 125" status_is 125 run --markdown "$work/link.md" -- touch "$work/ran"
check "and COMMAND was not started" without "$work/ran"
check "no folder: 125" status_is 125 run --markdown "$work/none/r.md" -- true
mkdir "$work/part"
check "what COMMAND removes is said: 125" status_is 125 run --markdown "$work/part/r.md" -- sh -c "rm -f $work/part/.*.invigil"
check "and there is no half of a report" without "$work/part/r.md"
echo before >"$work/part/r.md"
check "output that cannot be opened: 125" status_is 125 run --record "$work/none/x" --markdown "$work/part/r.md" -- true
check "and an older report is left alone" grep -qx before "$work/part/r.md"
finish
