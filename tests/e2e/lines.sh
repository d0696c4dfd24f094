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
finish
