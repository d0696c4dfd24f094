#!/bin/bash
# idle.sh: while no run is active the daemon costs nothing: IDLE seconds of its CPU time and of what it left attached are measured.
# alone: what other tests execute would be its cost.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock
IDLE=${IDLE:-60}

mkdir "$work/runs"
stats=$(sysctl -n kernel.bpf_stats_enabled)
bpf_off() {
	sysctl -qw kernel.bpf_stats_enabled="$stats"
	cleanup
}
trap bpf_off EXIT
"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>"$work/daemon" 9>&- &
daemon=$!
check "a daemon is up" until_true 20 grep -q 'watching for runs' "$work/daemon"

links() { # ids of the programs behind the daemon's links; an iterator runs when it is read
	awk 'FNR == 1 { link = 0 } /^link_type/ { link = $2 != "iter" } /^prog_id/ && link { print $2 }' /proc/$daemon/fdinfo/* 2>/dev/null | sort -un
}
attached() { # their names
	for id in $(links); do "${BPFTOOL:-/usr/sbin/bpftool}" -j prog show id "$id"; done | grep -o '"name":"[a-z_]*"' | cut -d'"' -f4 | sort
}
only_what_finds() { # [FILE]
	attached >"$work/attached"
	grep -qx on_exec "$work/attached" && grep -qx on_fork "$work/attached" && grep -qx on_exit "$work/attached" &&
		! grep -vE '^on_(job_exec|exec|fork|exit|[a-z_]*connect)$' "$work/attached"
}
alone() { "$invigil" status --socket "$work/sock" | grep -q ' 0 runs active'; }
check "from its start on only fork, exec, exit and connect are attached" until_true 10 only_what_finds
GITHUB_ACTIONS=true GITHUB_RUN_ID=1 GITHUB_JOB=x sh -c ': >"$1.up"; until [ -e "$1.end" ]; do sleep 0.1; done' sh "$work/job" &
until_true 10 test -e "$work/job.up"
check "while a run is active there is more" until_true 10 bash -c "[ \$('$invigil' status --socket '$work/sock' | grep -c '^hook .* attached, .*, while a run is active' ) -gt 3 ]"
touch "$work/job.end"
wait $!
until_true 20 alone
check "and when it has ended no more than before" until_true 10 only_what_finds

# ---- a minute ----
sysctl -qw kernel.bpf_stats_enabled=1
cpu() { # ns that it and its threads were on a processor
	cat /proc/$daemon/task/*/schedstat | awk '{ n += $1 } END { printf "%d\n", n }'
}
bpf() { # ns that what it left attached has run
	for id in $(links); do "${BPFTOOL:-/usr/sbin/bpftool}" -j prog show id "$id"; done |
		grep -o '"run_time_ns":[0-9]*' | awk -F: '{ n += $2 } END { printf "%d\n", n }'
}
minute() { # what it costs; false: more than it may
	local bpf0 cpu0 forks0 ticks0
	bpf0=$(bpf)
	cpu0=$(cpu)
	forks0=$(awk '/^processes/ { print $2 }' /proc/stat)
	ticks0=$(awk '{ print $14 + $15 + $16 + $17 }' /proc/$daemon/stat)
	sleep "$IDLE"
	ticks=$(($(awk '{ print $14 + $15 + $16 + $17 }' /proc/$daemon/stat) - ticks0))
	cpu=$((($(cpu) - cpu0) / 1000))
	bpf=$((($(bpf) - bpf0) / 1000))
	forks=$(($(awk '/^processes/ { print $2 }' /proc/stat) - forks0))
	echo "$IDLE s idle: $cpu us of CPU ($ticks ticks), $bpf us in its programs for $forks threads and processes that others made"
	cheap
}
cheap() { [ "$cpu" -lt $((IDLE * 1000)) ] && [ "$ticks" -le $((IDLE / 5)) ] && [ "$bpf" -lt $((1000 + forks * 50)) ]; }
# What else the machine does only adds to it (caches, interrupts, a processor that others were given): the best of three.
minute || minute || minute
check "a minute takes less than 0.1 % of a processor" test "$cpu" -lt $((IDLE * 1000))
# They sample: as few as these are seldom more than twice what they stand for.
check "by the kernel's ticks, too" test "$ticks" -le $((IDLE / 5))
check "and its programs run for what others do alone" test "$bpf" -lt $((1000 + forks * 50))
check "it did not stand still for it: it answers" alone

# ---- what others pay ----
others() {
	local bpf0
	bpf0=$(bpf)
	for i in $(seq 500); do /bin/true "$i"; done
	each=$((($(bpf) - bpf0) / 500))
	echo "an unrelated program, from fork to exit: $each ns in the daemon's programs"
	[ $each -lt 50000 ]
}
others || others || others
check "whoever executes something pays less than 50 us" test $each -gt 0 -a $each -lt 50000
check "and begins no run" alone
kill $daemon
wait $daemon
finish
