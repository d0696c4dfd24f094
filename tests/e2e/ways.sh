#!/bin/bash
# ways.sh: every way to execute a program is seen with its true arguments, and as many as the kernel counts.
# EXECS=10000 makes the suite that is counted longer.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
execs=${EXECS:-1000}

if ! gcc -O2 -Wall -Wextra -o "$work/ways" tests/lib/ways.c -lpthread 2>"$work/why"; then
	test_begin "ways.c compiles"
	fail "$work/why"
	finish
fi
run -- "$work/ways" "$work" >"$work/said" 2>/dev/null
seen() { # WAY EXPRESSION over a, the arguments as seen
	test_begin "exec by $1"
	if grep -q "^failed $1" "$work/said" && [ "$1" = int80 ]; then
		skip "this kernel has no 32-bit system calls"
	elif grep -q "^done $1" "$work/said" && q "$ev" "any($2 for a in [get(e, 'process.args') for e in execs()])" >"$work/why"; then
		ok
	else
		cat "$work/said" >>"$work/why"
		fail "$work/why"
	fi
}
for way in fork vfork spawn clone3 execveat relative memfd thread; do
	seen $way "a == ['true', 'way-$way']"
done
seen int80 "a == ['/bin/true', 'way-int80']"
seen chain "a == ['/bin/true', 'inner', '$work/one', 'outer', '$work/two', 'way-chain']"
seen loader "a == ['ld.so', '/bin/true', 'way-loader']"
seen lie "a == ['/usr/bin/innocent', 'way-lie']"
see "and the program that a lie is told of is said" \
	"all(get(e, 'process.executable').endswith('/true') for e in execs() if 'way-lie' in get(e, 'process.args'))"
seen empty "a == ['', '', 'way-empty', '']"
seen many "len(a) == 66 and a[63:] == ['a63', 'way-many', 'a65']"
seen huge "a[0] == 'true' and a[-1] == 'way-huge' and len(json.dumps(a)) > 120000"
see "and the cut of two megabytes is said" \
	"len(said('R0.3')) > 0 and any(get(e, 'invigil.exec.args_wanted', 0) > 1800000 for e in execs())"
seen cold "a == ['true', 'way-cold']"

run -- "$work/ways" "$work" 400 >"$work/truth" 2>/dev/null
check "of 400 arguments that flip each is what the program got" python3 - "$ev" "$work/truth" <<'PY'
import json
import sys

events = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
seen = [e["process"]["args"][1:] for e in events
        if e["event"]["action"] == "exec" and e["process"]["args"][1:2] == ["flip"]]
truth = [line.rstrip("\n").split(" ") for line in open(sys.argv[2], encoding="utf-8")]
assert len(truth) == 400, len(truth)
wrong = [(a, b) for a, b in zip(sorted(truth), sorted(seen)) if a != b]
assert len(seen) == 400 and not wrong, (len(seen), wrong[:3])
PY

cat >"$work/suite.sh" <<'SH'
i=0
while [ $i -lt "$1" ]; do
	/bin/true $i
	/bin/echo $i | /bin/cat >/dev/null
	(/bin/true x; sh -c '/bin/true y; :') &
	wait
	i=$((i + 6))
done
SH
counted() { # N: execs as perf counts them, and as the run has them
	run -q -- perf stat -x, -o "$work/perf" -e sched:sched_process_exec -- sh "$work/suite.sh" "$1" >/dev/null 2>&1
	echo "$(sed -n 's/^\([0-9]*\),.*sched_process_exec.*/\1/p' "$work/perf") $(grep -c '"action":"exec"' "$ev")"
}
if ! perf stat -e sched:sched_process_exec -- true >"$work/why" 2>&1; then
	test_begin "as many execs as the kernel counts"
	skip "perf cannot count here: $(tail -n 1 "$work/why")"
	finish
fi
# perf itself, and the suite's first exec if perf begins behind it, are the same in both.
read -r few_perf few_seen <<<"$(counted 6)"
read -r many_perf many_seen <<<"$(LIMIT=600 counted "$execs")"
check "of $many_perf execs as many are seen as the kernel counts" \
	test "$((many_seen - many_perf))" = "$((few_seen - few_perf))" -a "$many_perf" -ge "$execs"
see "and the run is complete" 'get(ev[-1], "invigil.run.complete") is True'
finish
