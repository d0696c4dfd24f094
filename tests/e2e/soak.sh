#!/bin/bash
# soak.sh: runs come and go for SOAK seconds; memory and descriptors stay flat, and every program is told.
# alone: no record may be lost
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock
SOAK=${SOAK:-60} # 600: make soak

mkdir "$work/runs"
"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>"$work/daemon" &
daemon=$!
check "a daemon is up" until_true 20 grep -q 'watching for runs' "$work/daemon"
status() { "$invigil" status --socket "$work/sock"; }
idle() { until_true 30 bash -c "'$invigil' status --socket '$work/sock' | grep -q ' 0 runs active'"; }
measure() { # resident KiB and descriptors of the daemon, while no run is active
	idle
	echo "$(awk '/^VmRSS:/ { print $2 }' "/proc/$daemon/status") $(find "/proc/$daemon/fd" -mindepth 1 | wc -l)"
}
# Each job executes 21 programs in about half a second, and leaves by a daemonised child.
cat >"$work/job" <<'SH'
for i in 1 2 3 4 5 6 7 8 9; do
	/bin/true soak-program
	sleep 0.04
done
(setsid /bin/true soak-program &)
SH
worker() { # NAME UNTIL: jobs one after the other; their number
	local n=0
	while [ $SECONDS -lt "$2" ]; do
		n=$((n + 1))
		GITHUB_ACTIONS=true GITHUB_RUN_ID="$1$n" GITHUB_JOB=soak bash "$work/job"
	done
	echo $n >"$work/$1"
}
soak() { # SECONDS: adds to $jobs
	local end=$((SECONDS + $1))
	worker a $end &
	local one=$!
	worker b $end &
	wait $one $!
	jobs=$((jobs + $(cat "$work/a") + $(cat "$work/b")))
}
# What is warm after the first quarter: libc's own caches (tcache holds at most 64 sizes x 7 pieces, filled as sizes first
# come up), pages of libraries that were not needed before. No leak hides in the bound: 128 KiB are 1 KiB a run in the
# minute of `make check`, and less than 20 bytes a run in the hour.
SLACK=128
jobs=0
soak $((SOAK / 4))
read -r rss fds <<<"$(measure)"
warm=$jobs rss2=0
# What a run held is given back a moment after its end, what leaks never.
flat() {
	read -r now fds2 <<<"$(measure)"
	[ "$now" -le $((rss + SLACK)) ] && [ "$fds2" -le "$fds" ]
}
for _ in 1 2 3; do
	soak $((SOAK / 4))
	until_true 10 flat
	echo "after $jobs jobs: resident $now KiB, $fds2 descriptors ($rss and $fds after the first $warm)"
	[ "$now" -le "$rss2" ] || rss2=$now
done
check "resident memory does not grow" test "$rss2" -le $((rss + SLACK))
check "descriptors are flat" test "$fds2" -le "$fds"
check "each job was a run, and ended" bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = $jobs ] && '$invigil' status --socket '$work/sock' | grep -q ' 0 refused'"
check "nothing was lost" bash -c "! '$invigil' status --socket '$work/sock' | grep ^lost"
lines=$(cat "$work"/runs/*.jsonl | wc -l)
check "lines: seen = delivered + dropped + waiting, exactly" grep -qx "outputs: $lines lines seen, $lines delivered, 0 dropped, 0 waiting" <(status)
cat "$work"/runs/*.jsonl >"$ev"
see "every program of every job is told, once" "len([a for a in args('true') if a[1:] == ['soak-program']]) == $((jobs * 10)) and len(execs('sleep')) == $((jobs * 9)) and len(action('run-end')) == $jobs"
see "each run is whole" 'all(get(e, "invigil.run.complete") for e in action("run-end"))'
see "what was seen was delivered" 'all(get(e, "invigil.run.counts.records.exec") == get(e, "invigil.run.counts.execs") == 21 and get(e, "invigil.run.counts.rejected") == 0 for e in action("run-end"))'

# ---- what a daemon of weeks would fill ----
GITHUB_ACTIONS=true GITHUB_RUN_ID="last$$" GITHUB_JOB=soak bash -c 'echo >>"$1.log"; : >"$1.up"; until [ -e "$1.end" ]; do sleep 0.1; done' - "$work/hold" &
until_true 20 test -e "$work/hold.up"
check "while a run is active the kernel's tables have it" until_true 30 bash -c "tests/lib/kernel_left.sh $daemon runs | grep -q '^living ' && tests/lib/kernel_left.sh $daemon runs | grep -q '^watched '"
touch "$work/hold.end"
wait $!
check "and nothing of $jobs runs is left in them" until_true 30 bash -c "! tests/lib/kernel_left.sh $daemon runs | grep ."
# By process: once in some thousand runs, on a machine with ten times its load, one was not deleted. The next process of its
# number takes it along.
left() { tests/lib/kernel_left.sh "$daemon" processes | awk '{ n += $2 } END { print n + 0 }'; }
echo "of their processes $(left) are left in them"
check "of their processes as good as nothing" test "$(left)" -le $((8 + jobs / 1000))
kill $daemon
wait $daemon
finish
