#!/bin/bash
# execs.sh: ten thousand programs of a shell suite are as many events as the kernel counts; git's own basic test raises nothing.
# long: ten thousand programs under the gate, and a build of git from its Debian source
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/source.sh
. "$root/tests/lib/source.sh"
LIMIT=1200

cat >"$work/suite.sh" <<'SH'
# Ten thousand programs in the ways that shell scripts have: alone, piped, substituted, in the background, by exec.
set -e
for i in $(/usr/bin/seq 1150); do
	/bin/true
	/bin/echo "$i" | /bin/cat | /usr/bin/tr 0-9 a-j >/dev/null
	x=$(/usr/bin/expr "$i" + 1)
	(exec /bin/echo "$x" >/dev/null)
	/bin/true & /bin/true
	wait
	! /bin/false
done
SH
if perf stat -e sched:sched_process_exec -x, -o "$work/perf" true 2>/dev/null && grep -q '^[0-9]' "$work/perf"; then
	check "a suite of ten thousand programs ends" run -- perf stat -e sched:sched_process_exec -x, -o "$work/perf" sh "$work/suite.sh"
	want=$(awk -F, '/sched_process_exec/ { print $1 }' "$work/perf")
	see "its exec events are as many as perf counts, $want" \
		'(lambda n: n == '"${want:-0}"' >= 10000 or print("stream:", n))(len([e for e in execs() if get(e, "process.name") != "perf"]))'
	see "nothing was lost, and none of them is an alert" 'get(ev[-1], "invigil.run.complete") and not alerts()'
else
	test_begin "exec events equal perf's count"
	skip "perf cannot count sched:sched_process_exec here"
fi

if ! source_get git "$work/git" >"$work/why" 2>&1; then
	test_begin "git's basic test"
	skip "apt-get source: $(tail -n 1 "$work/why")"
	finish
fi
check "git builds" make -C "$work/git" -j2 -s NO_CURL=1 NO_EXPAT=1 NO_TCLTK=1 NO_GETTEXT=1 NO_PERL=1 NO_PYTHON=1 NO_OPENSSL=1 CFLAGS=-O0
cd "$work/git/t" || exit 1
for t in t0000-basic t0001-init; do
	check "git's $t passes" run -- sh "./$t.sh" --root="$work/trash"
	see "$t: no alert of high or critical, a whole run" \
		'ended() and get(ev[-1], "invigil.run.complete") and not [print(get(e, "rule.id"), get(e, "invigil.evidence")) for e in alerts() if get(e, "event.severity", 0) >= 73]'
	see "$t: from medium up at most one alert in a thousand execs" \
		'(lambda a, n: len(a) * 1000 <= n or print(n, [(get(e, "rule.id"), get(e, "invigil.evidence")) for e in a]))([e for e in alerts() if get(e, "event.severity", 0) >= 47], len(execs()))'
done
finish
