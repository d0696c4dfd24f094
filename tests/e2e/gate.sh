#!/bin/bash
# gate.sh: the exec gate: first reads are seen, nobody in the run notices, and whatever dies, the run works on.
# GATE_FIRST, GATE_KILLS: how many new programs of each kind, how many kills (200 and 50: gate_whole.sh).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
first=${GATE_FIRST:-20} kills=${GATE_KILLS:-8}

read -ra fuse3 < <(pkg-config --cflags --libs fuse3)
test_begin "the test programs are built"
if gcc -O1 -Wall -Wextra -Werror -Wl,-rpath,'$ORIGIN' -o "$work/cases" tests/e2e/gate_cases.c 2>"$work/why" &&
	gcc -O1 -shared -fPIC -x c -o "$work/libget.so" - 2>>"$work/why" <<<'char *getenv(const char *n) { return (char *)n; }' &&
	gcc -O1 -Wall -Wextra -Werror -o "$work/fuse" tests/e2e/gate_fuse.c "${fuse3[@]}" 2>>"$work/why"; then
	ok
else
	fail "$work/why"
	finish
fi

# ---- in force, and said ----
check "a run is gated unless told otherwise" status_is 0 run -- grep -q '^Seccomp:.*2' /proc/self/status
see "and says so" 'get(ev[0], "invigil.run.exec_gate") == "exec" and not any(get(e, "invigil.gap.hook") == "exec gate" and "let go" not in get(e, "invigil.gap.reason") for e in ev)'
cp /usr/bin/id "$work/id"
chmod 4755 "$work/id"
if setpriv --reuid=65534 --clear-groups "$work/id" -u | grep -qx 0; then
	# shellcheck disable=SC2016
	check "another user's set-user-id programs work under it" status_is 0 run -u nobody -- \
		sh -c 'grep -q "^NoNewPrivs:.*0" /proc/self/status && grep -q "^Seccomp:.*2" /proc/self/status && [ "$(id -u) $("$1" -u)" = "65534 0" ]' sh "$work/id"
else
	test_begin "set-user-id programs"
	skip "$work is mounted without them"
fi
check "--gate=off" status_is 0 run --gate=off -- grep -q '^Seccomp:.*0' /proc/self/status
see "says so" 'get(ev[0], "invigil.run.exec_gate") == "off" and any(get(e, "invigil.gap.hook") == "exec gate" for e in ev)'
check "--env-reads=off needs no gate" status_is 0 run --env-reads=off -- grep -q '^Seccomp:.*0' /proc/self/status
check "--gate=ptrace is no gate" status_is 125 run --gate=ptrace -- true
check "check says how it works here" bash -c "'$invigil' check | grep -q '^exec gate  *seccomp'"
check "where seccomp is refused" status_is 0 "$work/cases" refuse "$invigil" run -q -o "$ev" -- true
see "there is no gate, and it is said" '[get(ev[0], "invigil.run.exec_gate"), gap("not permitted")] == ["off", True]'
check "under a gate of another run" status_is 0 run -- "$invigil" run -q -o "$work/inner" -- true
see "there is none, and it is said" '[get(ev[0], "invigil.run.exec_gate"), gap("busy")] == ["off", True]' "$work/inner"
cat >"$work/look.sh" <<'SH'
for p in $(pgrep -x invigil-guard); do
	tr "\0" "\n" <"/proc/$p/cmdline" | grep -qxF "$0" || continue # of another run, whose last process has not ended
	echo "variables $(tr -d '\0' <"/proc/$p/environ" | wc -c)"
	[ "$(ps -o sid= -p "$p")" -eq "$p" ] && echo "own session"
	ls -l "/proc/$p/fd" | grep -c bpf
done
for p in $(grep -slzxF "$0" /proc/[0-9]*/cmdline); do # another run's front may have its own for a moment
	readlink "${p%/*}"/fd/* | grep -q seccomp && cat "${p%/*}/comm"
done | sort -u
SH
check "the guardian" status_is 0 run -- bash "$work/look.sh" "$ev"
check "has no variables, a session of its own, nothing of BPF, and the only listener" \
	diff "$work/out" - <<<$'variables 0\nown session\n0\ninvigil-guard'

# ---- first reads: programs whose files nobody has seen before ----
cat >"$work/new.sh" <<'SH'
kind=$1 from=$2 to=$3 dir=$4 here=$5
libc=$(ldconfig -p | sed -n 's/.*libc\.so\.6 (libc6,x86-64).*=> //p' | head -1)
for i in $(seq "$from" "$to"); do
	d=$dir/$kind$i
	mkdir -p "$d"
	case $kind in
	C) cp "$here/cases" "$d/p" && "$d/p" read "IVG_FIRST_$i" ;;
	libc) cp "$here/cases" "$d/p" && cp "$libc" "$d/" && "$d/p" read "IVG_FIRST_$i" ;;
	ldpath) mkdir -p "$d/lib" && cp "$libc" "$d/lib/" && cp "$here/cases" "$d/p" && LD_LIBRARY_PATH=/nowhere:$d/lib "$d/p" read "IVG_FIRST_$i" ;;
	edges) mkdir -p "$d/lib" && cp "$libc" "$d/lib/" && cp "$here/cases" "$d/p" && "$here/cases" edges "LD_LIBRARY_PATH=$d/lib" "$d/p" "IVG_FIRST_$i" ;;
	preload) cp "$here/libget.so" "$d/any.so" && LD_PRELOAD="$d/any.so" "$here/cases" read "IVG_FIRST_$i" ;;
	chroot) mkdir -p "$d/lib64" "$d/lib" && cp "$libc" "$d/lib/" && cp /lib64/ld-linux-x86-64.so.2 "$d/lib64/" && cp "$here/cases" "$d/p" &&
		/usr/sbin/chroot "$d" /p read "IVG_FIRST_$i" ;;
	proclink) cp "$here/cases" "$d/p" && ln -s "/proc/self/root$d/p" "$d/l" && "/proc/$PPID/root$d/l" read "IVG_FIRST_$i" ;;
	procroot) mkdir -p "$d/lib64" "$d/lib" "$d/proc" && cp "$libc" "$d/lib/" && cp /lib64/ld-linux-x86-64.so.2 "$d/lib64/" && cp "$here/cases" "$d/p" &&
		cp "$(command -v busybox)" "$d/busybox" && # shellcheck disable=SC2016
		unshare -m sh -c 'mount -t proc proc "$1/proc" && /usr/sbin/chroot "$1" /busybox sh -c "exec /proc/self/root/p read $2"' sh "$d" "IVG_FIRST_$i" ;;
	go) cp "$here/go" "$d/p" && echo "$i" >>"$d/p" && IVG="IVG_FIRST_$i" "$d/p" ;;
	python) cp "$(readlink -f /usr/bin/python3)" "$d/p" && "$d/p" -ISc "import os; os.environ.get('IVG_FIRST_$i')" ;;
	script) cp /bin/dash "$d/sh" && printf '#!%s\nexec %s read IVG_FIRST_%s\n' "$d/sh" "$here/cases" "$i" >"$d/p" &&
		chmod +x "$d/p" && "$d/p" ;;
	esac
done
SH
first_reads() { # KIND: seen, let go, and neither of both
	seen=0 let_go=0
	local from names
	for ((from = 1; from <= first; from += 20)); do
		run -- bash "$work/new.sh" "$1" $from $((from + 19 < first ? from + 19 : first)) "$work/new" "$work"
		names=$(grep -o '"name":"IVG_FIRST_[0-9]*"' "$ev" | sort -u | wc -l)
		seen=$((seen + names))
		let_go=$((let_go + $(grep -o '[0-9]* calls were let go' "$ev" | head -1 | grep -o '[0-9]*' || echo 0)))
		rm -rf "$work/new"
	done
}
kinds='C libc ldpath edges preload chroot proclink procroot python script'
if command -v go >/dev/null; then
	printf 'package main\nimport ("os"; "strings")\nfunc main() { for _, e := range os.Environ() { if strings.HasPrefix(e, "IVG=") { os.Getenv(e[4:]) } } }\n' >"$work/go.go"
	GOCACHE=$work/cache go build -ldflags '-s -w' -o "$work/go" "$work/go.go" && kinds="$kinds go"
else
	test_begin "first reads of new programs: go"
	skip "no go here (Debian: golang-go)"
fi
for kind in $kinds; do
	first_reads $kind
	echo "     $kind: $seen of $first first reads seen, $let_go calls let go after 200 ms"
	# On a machine so busy that a probe takes longer, the rest is said: never lost in silence.
	check "first reads of new programs: $kind" test $((seen + let_go)) -ge "$first" -a "$seen" -gt 0
done
for gate in exec off; do
	cp "$work/libget.so" "$work/get-$gate.so"
	rm -f "$ev"
	"$invigil" run -q --gate=$gate -o "$ev" -- "$work/cases" dlopen "$work/get-$gate.so" IVG_DLOPEN "$work/seen-$gate" &
	until_true 10 grep -qs '"name":"IVG_DLOPEN"' "$ev"
	: >"$work/seen-$gate"
	wait $!
	see "--gate=$gate: a library that comes by dlopen is seen a moment later, and that is said" \
		'ended() and len(reads("IVG_DLOPEN")) == 1 and [e for e in action("coverage-gap") if "after the program had started" in json.dumps(e)] and [c for c in get(ev[0], "invigil.run.coverage") if c["hook"] == "environment reads" and "dlopen" in (c.get("limit") or "")]'
done
cp "$work/libget.so" "$work/get2.so"
run --gate=mmap -- "$work/cases" dlopen "$work/get2.so" IVG_DLOPEN
see "with --gate=mmap it is" 'reads("IVG_DLOPEN") and get(ev[0], "invigil.run.exec_gate") == "mmap"'

# ---- whatever dies, the run works on ----
ours() { "$root/tests/lib/ours.sh" "$ev" "$@"; }
cat >"$work/long.sh" <<'SH'
: >"$1/up"
for i in $(seq 60); do /bin/true || exit 3; /usr/bin/env true | cat >/dev/null || exit 4; done
echo fine >"$1/done"
SH
kill_once() { # WHO...
	local pid got
	rm -f "$work/up" "$work/done" "$ev"
	"$invigil" run -q -o "$ev" -- bash "$work/long.sh" "$work" >"$work/out" 2>&1 &
	pid=$!
	until_true 60 test -e "$work/up" || return 1
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
	for w in "$@"; do
		case $w in front) kill -9 $pid ;; *) kill -9 "$(ours invigil-$w)" ;; esac 2>/dev/null
	done
	wait $pid 2>/dev/null
	got=$?
	until_true 30 test -s "$work/done" || {
		cat "$work/out"
		return 1
	}
	[ "${*/front/}" != "$*" ] || [ $got = 0 ] # without a front nobody passes the status on
}
for ((i = 0; i < kills; i++)); do
	case $((i % 4)) in
	0) who=monitor ;;
	1) who=front ;;
	2) who="monitor front" ;;
	3) who=attach ;;
	esac
	# shellcheck disable=SC2086
	check "kill -9 of $who: the run works on to its normal end" kill_once $who
done
gone() { [ -z "$(ours invigil-guard)" ]; }
check "the guardian ends with the last process of the run" until_true 30 gone

# ---- parents notice nothing ----
cat >"$work/parents.sh" <<'SH'
c=$1
"$c" parent 2>&1
"$c" filter sh -c '/bin/true && echo filtered'
script -qec 'echo in a terminal; exit 5' /dev/null; echo $?
su -s /bin/sh nobody -c 'id -un'; echo $?
timeout 0.2 sleep 9; echo $?
timeout 9 true; echo $?
setsid -w sh -c 'exit 6'; echo $?
gdb -nx -q -batch -ex run -ex 'print $_exitcode' "$c" 2>/dev/null | grep '^\$'
strace -f -o /tmp/none -e trace=execve sh -c '/bin/true; exit 3' 2>&1; echo $?
strace -f -e trace=execve -o "$2/strace" sh -c '/bin/true; /bin/false' ; grep -c execve "$2/strace"; rm -f "$2/strace"
bash -c 'set -m; sleep 9 & kill -STOP $!; until jobs | grep Stopped; do :; done; kill -KILL $!; until ! kill -0 $!; do :; done; echo gone' 2>/dev/null
TERM=dumb script -qec "bash --norc -i" /dev/null <<'IN' | tr -d '\r' | grep '^=' 
PS1=; echo a | cat | sed 's/^/=/'
sleep 7 &
kill %1; wait %1; echo =$?
sh -c 'kill -TSTP $$; echo =continued'
fg >/dev/null; echo =$?
exit
IN
make -s -j4 -f - <<'MK'
all: a b c d e f g h ; @echo made
a b c d e f g h: ; @/bin/true
MK
SH
bash "$work/parents.sh" "$work/cases" "$work" >"$work/bare" 2>&1 </dev/null
run --gate=exec -- bash "$work/parents.sh" "$work/cases" "$work" >"$work/gated" 2>&1 </dev/null
check "statuses, SIGCHLDs, script, su, timeout, setsid, gdb, strace, job control, filters: as without invigil" \
	diff "$work/bare" "$work/gated"
said() { # LINE...: all of them in the bare run
	local line
	for line; do tr -d '\r' <"$work/bare" | grep -xF -- "$line" || { echo "not '$line' in:" && cat "$work/bare" && return 1; }; done
}
check "(each of which has something to say)" said '25 SIGCHLD' filtered 'in a terminal' nobody 124 '$1 = 2' gone =a =143 =continued =0 made

# ---- what the manual tells ----
check "an inner listener" status_is 0 run -- "$work/cases" listener
check "gets EBUSY" grep -q busy "$work/out"
run --gate=off -- "$work/cases" listener >"$work/out"
check "and with --gate=off its own" grep -q Success "$work/out"
check "timers of 1 kHz without SA_RESTART" status_is 0 run -- "$work/cases" ticks 100
check "interrupt an exec seldom" bash -c "cat '$work/out'; [ \$(cut -d' ' -f1 '$work/out') -le 10 ]"
traced() { run "$1" -- strace -f --seccomp-bpf -e trace=execve -o "$work/strace" sh -c '/bin/true; exit 3'; }
check "strace --seccomp-bpf works" status_is 3 traced --gate=exec
few=$(grep -c execve "$work/strace")
check "and with --gate=off" status_is 3 traced --gate=off
check "it loses events with the gate, and none without" test "$few" -lt "$(grep -c execve "$work/strace")"

# ---- files and pages that the run serves itself ----
cat >"$work/served.sh" <<'SH'
"$1/fuse" "$1/mnt" "$1/cases" ${OWN:+own} &
for i in $(seq 600); do [ -e "$1/mnt/prog" ] && break; sleep 0.05; done
"$1/mnt/prog" read IVG_FUSE; a=$?
IVG_FUSE=1 "$1/mnt/prog" read IVG_FUSE; b=$?
[ "$2" = prog ] || { "$1/mnt/$2" read IVG_FUSE; c=$?; }
for i in 1 2 3 4 5; do /bin/true || exit 9; done
[ -z "${HOLD:-}" ] || read -r _ <"$HOLD"
umount -l "$1/mnt"
kill -9 $!
echo $a $b ${c:-}
SH
mkdir "$work/mnt"
served() { LIMIT=90 run -- bash "$work/served.sh" "$work" "$1"; }
check "a program on a file system that the run serves" status_is 0 served prog
check "runs" grep -qx '3 0' "$work/out"
see "and its read is seen" 'reads("IVG_FUSE")'
see "and nothing of it was out of reach" 'not gap("only one user may look")'
check "one that its mounter alone may look into" status_is 0 env OWN=1 bash -c "$(declare -f run served); work=$work ev=$ev invigil=$invigil; served prog"
see "is said not to be looked into" 'ended() and gap("only one user may look")'
check "one whose server executes programs to answer" status_is 0 served fork
check "is let go" grep -qx '3 0 3' "$work/out"
check "one whose server never answers us" status_is 0 served hang
check "is let go too" grep -qx '3 0 3' "$work/out"
see "which is said, and the run has its end" 'ended() and gap("let go")'
daemons_lock
"$invigil" daemon -o "$work/{run}.jsonl" --socket "$work/sock" 2>"$work/daemon" 9>&- &
daemon=$!
until_true 20 grep -q 'watching for runs' "$work/daemon"
mkfifo "$work/hold"
HOLD=$work/hold GITHUB_ACTIONS=true GITHUB_RUN_ID=90 GITHUB_JOB=x timeout 30 bash "$work/served.sh" "$work" hang >"$work/out" &
exec 8>"$work/hold" # it has been executed by now
check "nor does it keep a daemon from answering" timeout 5 "$invigil" status --socket "$work/sock"
echo >&8
exec 8>&-
check "and its run has its end" until_true 10 grep -q ' ended: ' "$work/daemon"
kill -TERM $daemon
check "and which ends when it is told to" wait $daemon
run -- "$work/cases" page
got=$?
if [ $got = 77 ]; then
	test_begin "a path on a page of userfaultfd"
	skip "no userfaultfd here"
else
	check "a path on a page of userfaultfd" test $got = 0
	see "is let go" 'ended() and gap("let go")'
fi
finish
