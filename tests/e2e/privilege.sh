#!/bin/bash
# privilege.sh: what our processes may still do is what privilege.c and the manual say; without any of it a run is seen worse.
# alone: eight daemons watch one job
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

# ---- what /proc says ----
# The manual's list: "CAP: the processes that keep it"; who is asked for by the word that stands there.
kept() {
	[ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ] || [ "$1" != daemon ] || echo SYS_ADMIN
	sed -n "/^\.Sh PRIVILEGES/,/^\.Sh SOURCE/s/^\.It CAP_\([A-Z_]*\) No : \(.*\)/\1 \2/p" docs/invigil.8 | grep -w "$1" | cut -d' ' -f1
}
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
caps() { capsh --decode="$(status_of "$1" "$2")" | sed 's/^[^=]*=//' | tr ',' '\n' | sed 's/^cap_//' | tr a-z A-Z | sed '/^$/d' | sort; }
keeps() { # PID WHO
	diff <(kept "$2" | sort) <(caps "$1" CapEff) && diff <(kept "$2" | sort) <(caps "$1" CapPrm) &&
		[ -z "$(caps "$1" CapInh)$(caps "$1" CapAmb)$(caps "$1" CapBnd)" ] &&
		[ "$(status_of "$1" NoNewPrivs) $(status_of "$1" Seccomp)" = "1 2" ]
}
user_of() { awk '/^Uid:/ { u = $2 " " $3 " " $4 " " $5 } /^Gid:/ { g = $2 " " $3 " " $4 " " $5 } /^Groups:/ { $1 = ""; print u, g, $0 }' "/proc/$1/status" | xargs; }
child() { pgrep -P "$1" -x "$2"; } # PID NAME

# ---- system calls, made by gdb in a process that is stopped in poll ----
call() { # PID NAME NUMBER ARGUMENT...: what it returns; a text is put below the stack
	local pid=$1 nr=$3 n=0 r=(rdi rsi rdx r10 r8 r9)
	shift 3
	{
		# The last instruction was its system call; of one that is at work nothing is changed.
		echo 'if *(unsigned short *)($rip-2) != 0x050f || ($orig_rax != 7 && $orig_rax != 271)'
		printf 'echo at work\\n\nelse\nset $was=$rip\nset $orig_rax=-1\nset $rip=$rip-2\n'
		for a in "$@"; do
			case $a in
			\"*) printf 'set {char[%d]}($rsp-1024) = %s\nset $%s=$rsp-1024\n' $((${#a} - 1)) "$a" "${r[n]}" ;;
			how:*) printf 'set {long}($rsp-2048) = %s\nset {long}($rsp-2040) = 0\nset {long}($rsp-2032) = 0\nset $%s=$rsp-2048\n' "${a#*:}" "${r[n]}" ;;
			*) printf 'set $%s=%s\n' "${r[n]}" "$a" ;;
			esac
			n=$((n + 1))
		done
		printf 'set $rax=%s\nstepi\nprintf "returned %%d\\n", $rax\nset $rip=$was\nset $rax=-4\nend\n' "$nr"
	} >"$work/call.gdb"
	for ((n = 0; n < 50; n++)); do
		timeout 100 gdb -q -nx -batch -p "$pid" -x "$work/call.gdb" >"$work/said" 2>&1
		grep -qx 'at work' "$work/said" || break
	done
	sed -n 's/^returned //p' "$work/said"
}
refused() { # PID NAME NUMBER ARGUMENT...
	local got
	got=$(call "$@")
	[ "$got" = -38 ] || { echo "$2 returned $got"; cat "$work/said"; return 1; }
}
allowed() { # WANTED PID NAME NUMBER ARGUMENT...
	local want=$1 got
	shift
	got=$(call "$@")
	# shellcheck disable=SC2254
	case $got in $want) ;; *) echo "$2 returned $got"; cat "$work/said"; return 1 ;; esac
}

cat >"$work/static.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (int i = 0; i < 160; i++, usleep(50000))
		getenv(argv[argc - 1]);
}
C
check "a program is built" gcc -static -O1 -o "$work/static" "$work/static.c"
# Somebody else's folder, open to nobody.
mkdir "$work/home" "$work/lax"
cp "$work/static" "$work/home/static"
chmod 777 "$work/home/static"
chmod 777 "$work/lax"
cat >"$work/home/job" <<'SH'
cd "$(dirname "$0")" || exit
echo x >>../lax/link.log
./static IVG_STATIC &
wait
exec sleep 4
SH
printf 'read -r _ <"$(dirname "$0")/hold"\n' >"$work/home/before"
mkfifo "$work/home/hold"
ln -s "$work/home/real.log" "$work/lax/link.log"
touch -h -d yesterday "$work/lax/link.log" # made in the same moment, the kernel's cache of names does not lead over it
chown -R games:games "$work/home" "$work/lax/link.log"
chmod 700 "$work/home"
as_games() { setpriv --reuid=games --regid=games --clear-groups env -i PATH=/usr/bin:/bin "$@"; }

# The same program without one row of its table, for each row.
mapfile -t rows < <(sed -n 's/^\t{ CAP_\([A-Z_]*\),.*/\1/p' user/privilege.c)
flags=$(cat build/flags)
objects=$(printf '%s\n' user/*.c user/detect/*.c | sed 's,^user/\(.*\)\.c$,build/\1.o,' | grep -vx build/privilege.o | tr '\n' ' ')
mutant() { # ROW
	sed "/^\t{ CAP_$1,/d" user/privilege.c >"$work/without-$1.c"
	# shellcheck disable=SC2086,SC2046
	$flags -c -o "$work/without-$1.o" "$work/without-$1.c" && $flags -o "$work/without-$1" $objects "$work/without-$1.o" $(grep -oE -- ' -l[a-z]+' <<<"$flags")
}
for r in "${rows[@]}"; do check "without CAP_$r it is built" mutant "$r"; done
cp "$invigil" "$work/whole"

as_games GITLAB_CI=true CI_JOB_ID=95 CI_PIPELINE_ID=9 sh "$work/home/before" &
before=$!
declare -A daemon=()
for r in whole "${rows[@]/#/without-}"; do
	[ "$r" != without-CHOWN ] || continue # of a run
	mkdir "$work/runs-$r" "$work/sock-$r"
	"$work/$r" daemon -o "$work/runs-$r/{run}.jsonl" --socket "$work/sock-$r/s" 2>"$work/$r.err" &
	daemon[$r]=$!
done
# What unit and image give: the daemon's rows, and what starting needs.
given() { { sed -n 's/^\t{ CAP_\([A-Z_]*\), *D.*/\1/p' user/privilege.c && printf '%s\n' SYS_ADMIN SETPCAP; } | sort; }
check "the unit gives these and no other" diff <(given) <(sed -n 's/^CapabilityBoundingSet=//p' packaging/invigil.service | tr ' ' '\n' | sed 's/^CAP_//' | sort)
check "so does the image's line, where SYS_ADMIN stands for PERFMON" diff <(given | grep -vx PERFMON) \
	<(sed -n '/^#   docker run/,/ invigil$/p' packaging/container/Dockerfile | grep -oE -- '--cap-add=[A-Z_]+' | cut -d= -f2 | sort)
for r in unit unit-SYS_ADMIN unit-SETPCAP; do
	mkdir "$work/runs-$r" "$work/sock-$r"
	setpriv --bounding-set "-all$(given | grep -vx "${r#unit-}" | sed 's/^/,+/' | tr -d '\n' | tr A-Z a-z)" \
		"$work/whole" daemon -o "$work/runs-$r/{run}.jsonl" --socket "$work/sock-$r/s" 2>"$work/$r.err" &
	daemon[$r]=$!
done
check "all are up" until_true 60 bash -c "for r in whole unit unit-SETPCAP ${rows[*]/#/without-}; do [ \$r = without-CHOWN ] || grep -q 'watching for runs\|cannot\|privileges' $work/\$r.err || exit 1; done"
as_games GITHUB_ACTIONS=true GITHUB_RUN_ID=96 GITHUB_JOB=b IVG_STATIC=1 sh "$work/home/job" &
job=$!
d=${daemon[whole]}
until_true 30 child "$d" invigil-attach
a=$(child "$d" invigil-attach)
sleep_until_seen() { until_true 30 grep -q IVG_STATIC "$work"/runs-whole/*.jsonl; }
sleep_until_seen

check "the daemon keeps what the manual says" keeps "$d" daemon
check "so does its attacher" keeps "$a" attacher
check "which is a user of its own, of no group" test "$(user_of "$a")" = "65534 65534 65534 65534 65534 65534 65534 65534"
check "near miss: a process without any of it" bash -c "$(declare -f keeps kept caps status_of); ! keeps $$ daemon"
if [ "$(uname -m)" = x86_64 ]; then
	for p in "$d daemon" "$a attacher"; do
		read -r pid who <<<"$p"
		for c in "socket 41 2 1 0" "socket(netlink) 41 16 3 0" "execve 59 0 0 0" "ptrace 101 16 1 0 0" "mount 165 0 0 0 0 0" "unshare 272 0x20000" \
			"bpf(PROG_LOAD) 321 5 0 0" "process_vm_writev 311 1 0 0 0 0 0" "init_module 175 0 0 0" "setuid 105 1000" "chown 92 0 0 0" \
			"open_by_handle_at 304 0 0 0" "mmap(PROT_EXEC) 9 0 4096 5 0x22 -1 0" "mprotect(PROT_EXEC) 10 0 4096 5" "clone(NEWUSER) 56 0x10000000 0 0 0 0" \
			"connect 42 0 0 0" "bind 49 0 0 0" "swapon 167 0 0" "keyctl 250 0 0 0 0 0" "io_uring_setup 425 8 0"; do
			# shellcheck disable=SC2086
			check "$who: ${c%% *} is refused" refused "$pid" $c
		done
		check "$who: near miss: getpid" allowed "$pid" "$pid" getpid 39
		check "$who: near miss: bpf on a map" allowed '-[0-9]*' "$pid" 'bpf(MAP_UPDATE)' 321 2 0 0
	done
	check "daemon: near miss: a unix socket" allowed '[0-9]*' "$d" socket 41 1 2 0
	check "attacher: a file opened for writing is refused" refused "$a" openat 257 -100 "\"$work/lax/x\"" 0x41 0600
	check "attacher: near miss: one that is read" allowed '[0-9]*' "$a" openat 257 -100 '"/etc/passwd"' 0 0
	check "attacher: where the filter cannot look the file's mode does" allowed '-13' "$a" openat2 437 -100 '"/etc/passwd"' how:1 24
	check "the daemon still answers" "$invigil" status --socket "$work/sock-whole/s"
else
	test_begin "forbidden system calls"
	skip "gdb's register names here are x86-64's"
fi
wait $job
echo >"$work/home/hold"
wait $before
over() { [ "$(cat "$work/runs-whole"/*.jsonl | grep -c '"action":"run-end"')" -ge 2 ]; }
check "the job ends" until_true 30 over

# ---- each of them is needed ----
of_job() { grep -l "\"$2\"" "$work/runs-$1"/*.jsonl; }
# NAME EXPRESSION: over the stream of the job, or of the process from before
tests=(
	"reads of a program in a closed folder are seen" 96 'reads("IVG_STATIC")'
	"its hash is known" 96 '[e for e in action("program-hash") if get(e, "file.hash.sha256")]'
	"a link on the way to a log is seen" 96 'alerts("R5.4")'
	"the run lasts as long as its processes" 96 'ended() and get(ev[-1], "event.duration") > 11e9'
	"files that it opens for writing are seen" 96 'action("log-open")'
	"what ran before is taken in" 95 '[e for e in execs("dash") if "running" in get(e, "invigil.exec.flags", [])]'
)
broken() { # WHICH: the names of the tests that do not hold
	local f
	for ((i = 0; i < ${#tests[@]}; i += 3)); do
		f=$(grep -l "\"${tests[i + 1]}\"" "$work/runs-$1"/*.jsonl 2>/dev/null | head -1)
		[ -n "$f" ] && q "$f" "${tests[i + 2]}" >/dev/null 2>&1 || echo "${tests[i]}"
	done
}
broken whole >"$work/broken"
check "with all of them every test holds" test ! -s "$work/broken"
declare -A needed=(
	[PERFMON]="files that it opens for writing are seen" [SYS_PTRACE]="a link on the way to a log is seen"
	[DAC_READ_SEARCH]="what ran before is taken in"
	[SETUID]="reads of a program in a closed folder are seen" [SETGID]="its hash is known"
)
broken unit >"$work/broken"
check "with what the unit gives, too" test ! -s "$work/broken"
check "and it keeps no more" keeps "${daemon[unit]}" daemon
check "without CAP_SETPCAP no more: it keeps no more" bash -c "$(declare -f keeps kept caps status_of); ! keeps ${daemon[unit-SETPCAP]} daemon"
never_up() { ! kill -0 "${daemon[unit-SYS_ADMIN]}" 2>/dev/null && ! grep -q 'watching for runs' "$work/unit-SYS_ADMIN.err"; }
check "without CAP_SYS_ADMIN no more: all are up" never_up
unset 'daemon[unit-SYS_ADMIN]'
# CAP_SYS_ADMIN is for kernels before 6.6: tests/vm/caps.sh.
for r in "${!needed[@]}"; do
	broken "without-$r" >"$work/broken"
	check "without CAP_$r no more: ${needed[$r]}" grep -qxF "${needed[$r]}" "$work/broken"
done
# A child of another user that does not get on: of one job more.
mkfifo "$work/home/held"
as_games GITHUB_ACTIONS=true GITHUB_RUN_ID=97 GITHUB_JOB=c sh -c "read -r _ <'$work/home/held'" &
job=$!
for r in whole without-KILL; do
	check "$r: its attacher works for the next job" until_true 30 child "${daemon[$r]}" invigil-attach
	stopped=$(child "${daemon[$r]}" invigil-attach)
	kill -STOP "$stopped"
	declare "attach_${r#without-}=$stopped"
done
echo >"$work/home/held"
wait $job
next_over() { grep -l '"97"' "$work/runs-$1"/*.jsonl | xargs grep -q '"action":"run-end"'; }
for r in whole without-KILL; do check "$r: the next job ends" until_true 30 next_over "$r"; done
gone() { ! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"; }
stays() { ! gone "$1"; }
check "a child that does not get on is ended" until_true 30 gone "${attach_whole:-self}"
check "without CAP_KILL no more" stays "${attach_KILL:?}"
kill -KILL "${attach_KILL:?}"
# ---- of a run ----
"$work/whole" run -q -o "$work/ev" -- sh -c "until [ -e $work/go ]; do sleep 0.05; done" &
front=$!
of_run() { "$root/tests/lib/ours.sh" "$work/ev" "$1"; }
until_true 30 grep -q '"exec"' "$work/ev"
check "the monitor of a run keeps what the manual says" keeps "$(of_run invigil-monitor)" monitor
check "so does its attacher" keeps "$(of_run invigil-attach)" attacher
# By its file: what it was called with it has wiped.
guard=$(pgrep -x invigil-guard | while read -r p; do ! readlink /proc/"$p"/exe | grep -qx "$work/whole" || echo "$p"; done)
check "and its guardian nothing" keeps "$guard" guardian
touch "$work/go"
check "the run ends well" wait $front
of_sudo() { # WHICH
	rm -f "$work/lax/rec"
	SUDO_UID=5 SUDO_GID=60 SUDO_USER=games "$work/$1" run -q --record "$work/lax/rec" -- true 2>"$work/err"
	[ "$(stat -c %u "$work/lax/rec")" = 5 ]
}
check "a recording belongs to who called sudo" of_sudo whole
check "without CAP_CHOWN no more" bash -c "! { $(declare -f of_sudo); work=$work; of_sudo without-CHOWN; }"
check "the manual has each of them" diff <(printf '%s\n' "${rows[@]}") <(sed -n '/^\.Sh PRIVILEGES/,/^\.Sh SOURCE/s/^\.It CAP_\([A-Z_]*\) .*/\1/p' docs/invigil.8)
for r in "${!daemon[@]}"; do kill "${daemon[$r]}"; done
wait
finish
