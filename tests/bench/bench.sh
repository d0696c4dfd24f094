#!/bin/bash
# bench.sh: what invigil costs beside what its peers cost, as ratios from one run. BENCH_ROUNDS=3 is about four minutes.
# shellcheck disable=SC2016 # $1 in a quoted expression is awk's
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
rounds=${BENCH_ROUNDS:-3} spawns=2000 strace_spawns=400 inspects=500
load=$root/build/bench/load m=$work/m
mkdir -p "$m"
"$root/tests/lib/deps.sh" bench

# Each value is a line of $m/KEY: line N of one key and line N of another were measured one right after the other.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }
number() { awk -v v="${1:-0}" 'BEGIN { f = v * v >= 1e6 ? "%.0f" : "%.3g"; printf f, v }'; }
spread() { printf '%s..%s %s' "$(number "$(sort -g "$m/$1" | head -n 1)")" "$(number "$(sort -g "$m/$1" | tail -n 1)")" "$2"; }
m_of() { [ ! -s "$m/$1" ] || median <"$m/$1"; }
calc() { # KEY EXPRESSION KEY...: a column of EXPRESSION for each key
	local to=$m/$1 what=$2
	shift 2
	(cd "$m" && paste "$@") | awk "{ print $what }" >"$to"
}
cpu() { # KEY COMMAND...: CPU and wall microseconds of COMMAND's whole tree, the tracer's own included
	"$load" cost "${@:2}" 3>"$work/cost" >/dev/null 2>"$work/err" || echo "bench: $1: $(tail -n 1 "$work/err")" >&2
	awk '{ print $1 }' "$work/cost" >>"$m/$1"
	awk '{ print $2 }' "$work/cost" >>"$m/$1.wall"
}
each() { # KEY COMMAND...: what COMMAND itself measured for each call
	"${@:2}" 3>>"$m/$1" >/dev/null 2>"$work/err" || echo "bench: $1: $(tail -n 1 "$work/err")" >&2
}
title() { printf '\n%-50s %10s  %-22s %s\n' "$@"; }
row() { # TEXT KEY UNIT [BASE]: the median, the spread, and the median of the paired ratios to BASE
	local ratio=
	[ -s "$m/$2" ] || return 0
	[ $# -lt 4 ] || ratio=$(printf 'x %.2f' "$(paste "$m/$2" "$m/$4" | awk '$2 { print $1 / $2 }' | median)")
	printf '%-50s %10s  %-22s %s\n' "  $1" "$(number "$(m_of "$2")")" "$(spread "$2" "$3")" "$ratio"
}
marks_met=0 marks_missed=0
mark() { # TEXT VALUE LIMIT UNIT
	if awk -v v="$2" -v l="$3" 'BEGIN { exit !(v != "" && v + 0 <= l + 0) }'; then
		marks_met=$((marks_met + 1))
		printf '  mark met:     %s: %s of %s %s\n' "$1" "$(number "$2")" "$3" "$4"
	else
		marks_missed=$((marks_missed + 1))
		printf '  mark NOT met: %s: %s of %s %s\n' "$1" "$([ -z "$2" ] && echo "not measured" || number "$2")" "$3" "$4"
	fi
}
# All pairs together, for what differs from suite to suite by more than invigil adds: per cent, and its standard error.
added_mean() { # KEY BASE
	paste "$m/$1" "$m/$2" | awk 'NF == 2 { d = $1 - $2; n++; base += $2; sum += d; squares += d * d }
		END { if (n > 1) printf "%.2f %.2f\n", 100 * sum / base, 100 * sqrt((squares - sum * sum / n) / (n - 1) * n) / base }'
}
added() { paste "$m/$1" "$m/$2" | awk 'NF == 2 { print 100 * ($1 / $2 - 1) }' | median; } # per cent, of pairs

declare -A under said=([ungated]="invigil --gate off" [engine]="invigil --gate off --env-reads off")
under[bare]=
under[invigil]="$invigil run -q -o $ev --"
under[ungated]="$invigil run -q --gate off -o $ev --"
under[engine]="$invigil run -q --gate off --env-reads off -o $ev --"
for peer in execsnoop bpftrace strace; do
	if ! command -v "$peer" >/dev/null; then
		test_begin "$peer"
		skip "it could not be installed (Debian: libbpf-tools, bpftrace, strace)"
		continue
	fi
	case $peer in
	execsnoop) under[$peer]="$load beside execsnoop --" ;;
	bpftrace)
		cat >"$work/exec.bt" <<-'BT'
			tracepoint:syscalls:sys_enter_execve { printf("%d ", pid); join(args->argv); }
		BT
		under[$peer]="$load beside bpftrace $work/exec.bt --"
		;;
	strace) under[$peer]="strace -f -o $work/strace -e trace=execve,connect" ;;
	esac
	# shellcheck disable=SC2086
	if ! "$load" cost ${under[$peer]} true >"$work/why" 2>&1 3>/dev/null; then
		test_begin "$peer"
		skip "it does not run here: $(tail -n 1 "$work/why")"
		unset "under[$peer]"
	fi
done

execs() { # without and with the spawns: the difference is what they cost, the start is apart
	local i who n
	for i in $(seq "$rounds"); do
		for who in bare execsnoop ungated invigil bpftrace strace; do
			[ -n "${under[$who]+is}" ] || continue
			n=$spawns
			[ "$who" != strace ] || n=$strace_spawns
			# shellcheck disable=SC2086
			cpu "none.$who" ${under[$who]} "$load" spawn 0 /bin/true
			# shellcheck disable=SC2086
			cpu "spawn.$who" ${under[$who]} "$load" spawn $n /bin/true
			calc "exec.$who" "(\$1 - \$2) / $n" "spawn.$who" "none.$who"
			calc "added.$who" '$1 - $2' "exec.$who" exec.bare
		done
	done
	title "posix_spawn(/bin/true), $spawns times (strace $strace_spawns)" "CPU us" spread "to execsnoop"
	row "one, bare" exec.bare us
	for who in execsnoop ungated invigil bpftrace strace; do row "added by ${said[$who]:-$who}" "added.$who" us added.execsnoop; done
	for who in execsnoop ungated invigil bpftrace strace; do row "start and end of ${said[$who]:-$who}" "none.$who" us none.execsnoop; done
	[ ! -s "$m/added.execsnoop" ] || mark "added CPU for an exec without the gate, to execsnoop's" \
		"$(awk -v a="$(m_of added.ungated)" -v b="$(m_of added.execsnoop)" 'BEGIN { print a / b }')" 2 times
}

# Whole suites in turns on one CPU: their processes and invigil's, and with them dockerd and containerd with the children that ended,
# which work for nobody else here. Start and end are in no turn.
workload() {
	local i who mean error suite="/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/workloads/reviewed"
	export TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=bench-token
	BENCH_BESIDE=$(cat "$engine/dockerd.pid.started"),$(cat "$engine/containerd.pid")
	export BENCH_BESIDE
	under[plain]=env under[whole]="$invigil run -q -o $work/whole.ev --"
	under[nogate]="$invigil run -q --gate off -o $work/nogate.ev --"
	for i in $(seq "$rounds"); do
		# shellcheck disable=SC2086
		in_turns suites "plain nogate whole" "$load" turns 12 1 command $suite
		for who in bare strace; do
			[ -n "${under[$who]+is}" ] || continue
			# shellcheck disable=SC2086
			cpu "suite.$who" ${under[$who]} $suite
		done
	done
	unset TESTSERVER_BIND_LOCAL TESTSERVER_API_TOKEN BENCH_BESIDE
	for who in plain nogate whole; do
		calc "suites.$who.us" '$1 / 1000' "suites.$who"
		calc "suites.$who.all" '($1 + $2) / 1000' "suites.$who"
	done
	title "the Docker workload (pytest)" "CPU us" spread "to bare"
	row "bare" suites.plain.us us
	row "invigil --gate off" suites.nogate.us us suites.plain.us
	row "invigil" suites.whole.us us suites.plain.us
	row "bare, with what the engine does for it" suites.plain.all us
	row "invigil --gate off" suites.nogate.all us suites.plain.all
	row "invigil" suites.whole.all us suites.plain.all
	row "strace of the suite, its start too" suite.strace us suite.bare
	read -r mean error <<<"$(added_mean suites.whole.all suites.plain.all)"
	printf '  all %s pairs together: %s %%, standard error %s; of it by clients and invigil %s %%\n' "$(wc -l <"$m/suites.plain.all")" \
		"$mean" "$error" "$(calc suites.ours '$1 - $2 + $3' suites.whole.us suites.plain.us suites.plain.all && added_mean suites.ours suites.plain.all | cut -d ' ' -f 1)"
	mark "traced Docker workload, the engine's work included, CPU without start and end" "$mean" 3 %
}

# Whoever makes a request by Python's requests walks the whole environment four times for it (getproxies_environment).
inspect() {
	local i who n reads sides="copy calls whole" script="import sys, docker; c = docker.from_env()
[c.api.inspect_image('invigil/base:1') for i in range(int(sys.argv[1]))]"
	copies
	empty_begin && sides="copy empty calls whole"
	under[calls]="$invigil run -q --gate off --env-reads off -o $work/calls.ev -- ${under[copy]}"
	under[whole]="$invigil run -q -o $work/whole.ev -- ${under[ours]}"
	for i in $(seq "$rounds"); do
		in_turns inspect "$sides" python3 "$root/tests/bench/inspect_loop.py" 40 $((inspects / 40))
		for who in bare strace; do
			[ -n "${under[$who]+is}" ] || continue
			for n in 0 $inspects; do
				# shellcheck disable=SC2086
				cpu "inspect.$n.$who" ${under[$who]} /usr/bin/python3 -c "$script" "$n"
			done
			calc "inspect.$who" "(\$1 - \$2) / $inspects" "inspect.$inspects.$who" "inspect.0.$who"
		done
	done
	empty_end
	reads=$(sed -n 's/.*"reads":\([0-9]*\).*/\1/p' "$work/whole.ev" | sort -n | tail -n 1)
	for who in $sides; do calc "inspect.$who.us" '$1 / 1000' "inspect.$who"; done
	title "docker-py, one of inspect calls, in turns" "CPU us" spread "to bare"
	row "bare" inspect.copy.us us
	row "${said[engine]}" inspect.calls.us us inspect.copy.us
	row "probes that do nothing where variables are read" inspect.empty.us us inspect.copy.us
	row "invigil (${reads:-?} reads of variables in $((42 * (inspects / 40))) calls)" inspect.whole.us us inspect.copy.us
	row "strace, whole runs" inspect.strace us inspect.bare
	mark "docker-py loop, its Engine API traced" "$(added inspect.calls inspect.copy)" 5 %
	mark "docker-py loop, its environment reads too" "$(added inspect.whole inspect.copy)" 5 %
}

monitor_of() { # the process that writes to FILE
	local fd
	for fd in /proc/[0-9]*/fd/*; do
		[ "$fd" -ef "$1" ] && [ "$(readlink "$fd")" = "$1" ] && echo "${fd%/fd/*}" && return
	done
}
status_of() { awk -v k="$2:" '$1 == k { print $2 }' "$1/status"; } # kB

memory() {
	local pid i
	rm -f "$work/ready" "$ev"
	"$invigil" run -q -o "$ev" -- sh -c "'$load' spawn $spawns /bin/true; echo >'$work/ready'; exec sleep 60" &
	until_true 30 test -e "$work/ready"
	until_true 5 grep -q sleep "$ev" # drained
	pid=$(monitor_of "$ev")
	for i in VmHWM VmRSS RssAnon RssFile RssShmem; do status_of "$pid" "$i" >"$m/$i"; done
	kill -TERM $! && wait $!
	stat -c %s "$invigil" >"$m/size"
	for i in $(seq $((rounds + 2))); do
		each begin "$load" now
		each exec "$invigil" run -q -o "$ev" -- "$load" now
	done
	calc start '($1 - $2) / 1000' exec begin
	title "the monitor" "" spread
	for i in VmRSS RssAnon RssFile RssShmem VmHWM; do row "$i after $spawns execs" "$i" kB; done
	row "binary" size B
	if make -s -C "$root" STATIC=1 B="$work/static" >"$work/why" 2>&1; then
		strip -o "$work/stripped" "$work/static/invigil"
		stat -c %s "$work/static/invigil" >"$m/static"
		stat -c %s "$work/stripped" >"$m/stripped"
		row "binary, static" static B
		row "binary, static and stripped" stripped B
	fi
	row "start to COMMAND's exec" start ms
	mark "RssAnon with the default ring" "$(m_of RssAnon)" 6144 kB
	mark "RSS with the default ring" "$(m_of VmRSS)" 15360 kB
	mark "start to COMMAND's exec" "$(m_of start)" 300 ms
}

elsewhere() { # [COMMAND]: another process is traced from here on, after COMMAND, until elsewhere_end
	rm -f "$work/ready"
	"$invigil" run -q -o "$work/elsewhere" -- sh -c '"$@"; echo >"$0"; exec sleep 600' "$work/ready" "$@" &
	other=$!
	until_true 30 test -e "$work/ready"
}
elsewhere_end() {
	kill -TERM "$other"
	wait "$other"
	until_true 30 elsewhere_gone
}
elsewhere_gone() { ! grep -qsxzF "$work/elsewhere" /proc/[0-9]*/cmdline; } # detaching takes longer than the run
# What is attached while another process is traced: all hooks, all but the engine's, its own alone, and as many that do nothing.
untracked() {
	local i what tier limit=20
	mkdir -p "$work/suite"
	printf 'import pytest\n@pytest.mark.parametrize("n", range(30))\ndef test_it(n):\n\tassert n >= 0\n' >"$work/suite/test_it.py"
	tier=$("$invigil" check | sed -n 's/^engine bytes *\([^(]*[^ (]\) .*/\1/p')
	[[ $tier != *copy* ]] || limit=35
	for i in $(seq "$rounds"); do
		hooked untracked.getppid "none all rest engine empty_all" 20 100000 getppid
		hooked untracked.socket "none all rest engine empty_engine empty_all" 20 50000 socket
	done
	copies
	for i in $(seq $((rounds * 4))); do
		for what in off on; do
			# shellcheck disable=SC2086
			[ $what = off ] || elsewhere ${under[ours]} python3 -c pass
			in_turns suite.$what "copy other" python3 "$root/tests/bench/suite.py" 20 "$work/suite/test_it.py"
			[ $what = off ] || elsewhere_end
		done
	done
	title "untracked, while a run is traced elsewhere" "CPU ns" spread "to bare"
	for what in getppid socket; do
		row "$what, bare" "untracked.$what.none" ns
		row "$what" "untracked.$what.all" ns "untracked.$what.none"
		row "$what, all hooks but the engine's" "untracked.$what.rest" ns "untracked.$what.none"
		row "$what, the engine's hooks alone" "untracked.$what.engine" ns "untracked.$what.none"
		row "$what, the engine's, programs that do nothing" "untracked.$what.empty_engine" ns "untracked.$what.none"
		row "$what, as many programs that do nothing" "untracked.$what.empty_all" ns "untracked.$what.none"
	done
	row "pytest, 30 tests, bare" suite.off.copy ns
	row "pytest, 30 tests, without the uprobes" suite.on.copy ns suite.off.copy
	row "pytest, 30 tests" suite.on.other ns suite.off.copy
	row "the same, the uprobes alone, in turns" suite.on.other ns suite.on.copy
	mark "untracked getppid, the engine's hooks beside the others" "$(added untracked.getppid.all untracked.getppid.rest)" 3 %
	mark "untracked socket write and read, by $tier" "$(added untracked.socket.all untracked.socket.none)" $limit %
	mark "untracked pytest suite" "$(added suite.on.other suite.off.copy)" 2 %
}

copies() { # of libc and python3, that no other run on this machine uses
	local side python libc
	python=$(readlink -f /usr/bin/python3)
	libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 (libc6,\(x86-64\|AArch64\).*=> //p' | head -n 1)
	for side in copy empty ours; do
		mkdir -p "$work/$side"
		cp "$python" "$work/$side/python3"
		cp "$libc" "$work/$side/"
		under[$side]="env PATH=$work/$side:$PATH LD_LIBRARY_PATH=$work/$side"
	done
	under[other]=${under[ours]}
}

# Probes that do nothing, in the copies of the side "empty".
empty_begin() {
	rm -f "$work/empty.end"
	mkfifo "$work/empty.end"
	"$root/build/bench/empty" "$work/empty/libc.so.6" getenv "$work/empty/python3" PyUnicode_AsEncodedString \
		<"$work/empty.end" >"$work/empty.out" 2>"$work/err" &
	empty=$!
	exec 7>"$work/empty.end"
	until_true 20 grep -q attached "$work/empty.out" && return
	test_begin "an empty probe"
	skip "$(tail -n 1 "$work/err")"
	return 1
}
empty_end() {
	exec 7>&-
	wait "$empty"
}

# getenv and os.environ.get of four processes in turns. Each has copies of libc and python3 that no other run on this machine
# uses: without a probe, with one that does nothing, and two with ours, of which one process is in a run and one is not.
reads() {
	local i what side trap
	copies
	empty_begin && trap="copy empty other traced" || trap="copy other traced"
	for i in $(seq "$rounds"); do
		for what in off c all; do
			under[traced]="$invigil run -q --env-reads $what -o $work/reads.ev -- ${under[ours]}"
			in_turns "getenv.$what" "$trap" "$load" turns 200 5000 getenv
			[ $what = off ] || reads_whole "$what"
			in_turns "environ.$what" "$trap" python3 "$root/tests/bench/environ.py" 200 500
		done
	done
	empty_end
	for what in getenv environ; do
		title "$what, in turns, by --env-reads" "CPU ns" spread "to the empty probe"
		for i in off c all; do
			for side in $trap; do calc "added.$what.$i.$side" '$1 - $2' "$what.$i.$side" "$what.$i.copy"; done
			row "$i: bare" "$what.$i.copy" ns
			[ "$trap" = "copy other traced" ] || row "$i: added by an empty probe" "added.$what.$i.empty" ns
			row "$i: added to another process" "added.$what.$i.other" ns "added.$what.$i.empty"
			row "$i: added to a traced one" "added.$what.$i.traced" ns "added.$what.$i.empty"
		done
	done
	mark "one traced getenv, added" "$(m_of added.getenv.all.traced)" 1000 ns
}
reads_whole() { # a million reads: one event of the name, all are counted, none was lost
	check "1 million reads of one name with --env-reads $1" q "$work/reads.ev" '[len(reads("HOME")), max(get(e, "invigil.env.reads") or 0 for e in ev) >= 1010000, ended()] == [1, True, True]'
	[ $failed = 0 ] || exit 1
}

# Of each way to read the engine's bytes that this kernel has: what everybody else's sockets pay.
sockets() {
	local i tier tiers=
	for tier in fexit copy tracepoint; do
		"$invigil" check --engine-bytes $tier 2>/dev/null | grep -q '^engine bytes *not covered' || tiers="$tiers $tier"
	done
	for i in $(seq "$rounds"); do
		for tier in $tiers; do hooked "sockets.$tier" "none all" 20 50000 socket "$tier"; done
	done
	title "untracked write and read, by how the engine's bytes are read" "CPU ns" spread "to bare"
	for tier in $tiers; do
		row "bare" "sockets.$tier.none" ns
		row "$tier" "sockets.$tier.all" ns "sockets.$tier.none"
	done
	for tier in $tiers; do
		i=20
		[ "$tier" != copy ] || i=35
		mark "untracked socket write and read, $tier" "$(added "sockets.$tier.all" "sockets.$tier.none")" $i %
	done
}

gates() {
	local i what
	test_begin "--gate"
	if ! "$invigil" run -q --gate off -o "$ev" -- true 2>"$work/err"; then
		skip "$(tail -n 1 "$work/err")"
		return
	fi
	for what in off exec mmap; do
		under[gate-$what]="$invigil run -q --gate $what -o $work/gate-$what.ev --"
	done
	for i in $(seq "$rounds"); do
		in_turns gate "gate-off gate-exec gate-mmap" "$load" turns 100 20 true
	done
	for what in exec mmap; do calc "gated.$what" '($1 - $2) / 1000' "gate.gate-$what" gate.gate-off; done
	calc gated.off '$1 / 1000' gate.gate-off
	title "posix_spawn(/bin/true), in turns, invigil's processes too" "CPU us" spread ""
	row "--gate off" gated.off us
	for what in exec mmap; do row "added by --gate $what" "gated.$what" us; done
	mark "a gated exec, added" "$(m_of gated.exec)" 200 us
}

# What a process pays for its stack: one whose lines are read and one whose are not. Each also pays for being nobody's in the
# other's run, which the difference cancels.
lines() {
	local i what reads k n=200
	local -A asks=([held]="6 0 $n held" [released]="6 0 $n released" [threads]="6 499 $n released")
	for reads in off all; do under[$reads]="$invigil run -q --gate off --env-reads $reads -o $work/$reads.ev --"; done
	for i in $(seq "$rounds"); do
		for what in held released threads; do
			# shellcheck disable=SC2086
			in_turns "lines.$what" "all off" /usr/bin/python3 tests/bench/lines.py ${asks[$what]}
			calc "lines.$what" '($1 - $2) / 1000' "lines.$what.all" "lines.$what.off"
		done
		for reads in off all; do
			for k in 0 $n; do
				# shellcheck disable=SC2086
				cpu "lines.tree.$reads.$k" ${under[$reads]} /usr/bin/python3 tests/bench/lines.py 6 0 "$k" held
			done
		done
		calc lines.tree "((\$1 - \$2) - (\$3 - \$4)) / $n / 50" lines.tree.all.$n lines.tree.all.0 lines.tree.off.$n lines.tree.off.0
	done
	title "a child process of Python, its line added" "CPU us" spread ""
	row "6 frames" lines.held us
	row "6 frames, the GIL given up" lines.released us
	row "6 frames, the GIL given up, 500 threads" lines.threads us
	row "6 frames, with the monitor's part and two events" lines.tree us
	mark "a child process with 6 frames, added" "$(m_of lines.held)" 5 us
	mark "the same in one of 500 threads, added" "$(m_of lines.threads)" 80 us
}
# Two whole runs differ by more than what is measured: processes that take turns on one CPU, a block of calls each, meet the
# same machine. COMMAND is load's turns or has turns.py in it; under ${under[SIDE]}. A line of KEY.SIDE for each block, those
# of one round side by side. What counts is COMMAND with its children, and of a run the monitor, guardian and attacher.
cat >"$work/here.sh" <<'SH'
export BENCH_MINE=$2 BENCH_NEXT=$3
BENCH_PIDS=$("$4" "$1" invigil-monitor invigil-attach invigil-guard | paste -sd,)
export BENCH_PIDS
echo >"$1"
shift 4
exec taskset -c 0 "$@"
SH
in_turns() { # KEY SIDES COMMAND...
	local key=$1 sides side i pids=() fifos=() fd
	read -ra sides <<<"$2"
	shift 2
	for side in "${sides[@]}"; do
		rm -f "$work/here.$side" "$work/turn.$side"
		mkfifo "$work/turn.$side"
		exec {fd}<>"$work/turn.$side" # nothing written is lost while nobody reads
		fifos+=("$fd")
	done
	for i in "${!sides[@]}"; do
		side=${sides[i]}
		# shellcheck disable=SC2086
		each "$key.$side" timeout 900 ${under[$side]} sh "$work/here.sh" "$work/here.$side" "$work/turn.$side" \
			"$work/turn.${sides[(i + 1) % ${#sides[@]}]}" "$root/tests/lib/ours.sh" "$@" &
		pids+=($!)
	done
	for side in "${sides[@]}"; do until_true 60 test -e "$work/here.$side" || echo "bench: $key.$side did not start" >&2; done
	echo -n . >"$work/turn.${sides[0]}"
	wait "${pids[@]}"
	for fd in "${fifos[@]}"; do exec {fd}>&-; done
}

# One process that does JOB in blocks, each with another side's hooks attached (hooks.c), none of them for a run: what everybody
# pays. A line of KEY.SIDE for each block; load keeps the first two to itself.
hooked() { # KEY SIDES BLOCKS CALLS JOB [BYTES]
	local key=$1 sides pid n mine next
	read -ra sides <<<"$2"
	n=${#sides[@]}
	rm -f "$work/turn.load" "$work/turn.hooks"
	mkfifo "$work/turn.load" "$work/turn.hooks"
	exec {mine}<>"$work/turn.load" {next}<>"$work/turn.hooks"
	"$root/build/bench/hooks" "$root/build/invigil.bpf.o" "${6-}" "$work/turn.hooks" "$work/turn.load" "${sides[@]}" &
	pid=$!
	echo -n . >&"$next"
	rm -f "$m/hooked"
	BENCH_MINE=$work/turn.load BENCH_NEXT=$work/turn.hooks each hooked timeout 900 taskset -c 0 "$load" turns $((($3 + 1) * n - 2)) "$4" "$5"
	kill "$pid"
	wait "$pid"
	exec {mine}>&- {next}>&-
	for i in "${!sides[@]}"; do
		awk -v n="$n" -v i="$i" 'NR > n - 2 && (NR + 1) % n == i' "$m/hooked" >>"$m/$key.${sides[i]}"
	done
}

mount | grep -q ' type tracefs' || mount -t tracefs tracefs /sys/kernel/tracing
echo "bench: $(date -u +%F), $(uname -sr), $(nproc) CPUs, load $(cut -d' ' -f1-3 /proc/loadavg), $rounds rounds"
pgrep -x invigil-monitor >/dev/null && echo "bench: another invigil traces here: its uprobes are in the \"bare\" figures"
[ $# -gt 0 ] || set -- execs memory untracked reads sockets gates lines workload inspect
for part in "$@"; do
	case $part in workload | inspect) [ -n "$engine" ] || engine_up ;; esac
	$part
done
printf '\nmarks: %s met, %s not met, %s peers or parts skipped\n' $marks_met $marks_missed "$skipped"
