#!/bin/bash
# service.sh: the package's unit under a systemd of its own: start, watchdog, a job, reload, kill -9, upgrade, stop; with the sandbox that the unit asks for.
# long: builds the package, makes a Debian root from the mirror (SERVICE_ROOT: one that is there) and boots it in namespaces
# Its process numbers are not the machine's: what the daemon looks up in /proc is not judged here.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

tree=${SERVICE_ROOT:-$work/root}
[ -n "${SERVICE_ROOT:-}" ] || check "a root" debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libbpf1,libelf1,libyaml-0-2,liblzma5,zlib1g,procps bookworm "$tree"
mkdir "$work/deb"
check "the package is built" packaging/deb.sh "$work/deb"
deb=$(echo "$work"/deb/invigil_*.deb)
later() { # another version, of the same files
	dpkg-deb -R "$deb" "$work/later" && sed -i 's/^Version: .*/Version: 99/' "$work/later/DEBIAN/control" && dpkg-deb -b "$work/later" "$tree/srv/later.deb"
}
check "a later one is made" later
cp "$deb" "$tree/srv/first.deb"
check "it is installed" chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 dpkg -i /srv/first.deb
mkdir -p "$tree/etc/systemd/system/invigil.service.d"
printf '[Service]\nWatchdogSec=6\n' >"$tree/etc/systemd/system/invigil.service.d/soon.conf"

daemons_lock
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 300 systemd-nspawn -D "$tree" -b --register=no --keep-unit --capability=all \
	--system-call-filter="bpf perf_event_open @mount seccomp" --bind-ro=/sys/kernel/tracing --console=read-only </dev/null >"$work/console" 2>&1 9<&- &
nspawn=$!
init_of() { pgrep -P "$(pgrep -P $nspawn -x systemd-nspawn)"; }
until_true 60 init_of
init=$(init_of)
in_there() { nsenter -t "$init" -m -u -i -n -p -C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
property() { in_there systemctl show -p "$1" --value invigil; }
active() { [ "$(property ActiveState)" = active ]; }
another() { # than $main; between two it is 0
	local now
	now=$(property MainPID)
	active && [ "$now" -gt 0 ] && [ "$now" != "$main" ]
}
journal() { in_there journalctl -u invigil -o cat --no-pager; }
journal_has() { journal | grep -q "$1"; }
pinged_since() { [ "$(property WatchdogTimestampMonotonic)" -gt "$1" ]; }

check "it starts, and says when it is ready" until_true 60 active
check "by watching for runs" until_true 10 journal_has 'watching for runs'
check "nothing is refused to it" bash -c "$(declare -f in_there journal); init=$init; ! journal | grep -E 'cannot|privileges|refused|denied'"
main=$(property MainPID)
in_there cat "/proc/$main/status" >"$work/status"
check "with no new privileges, under its own filter, of its group" bash -c "grep -q 'NoNewPrivs:.1' '$work/status' && grep -q 'Seccomp:.2' '$work/status' && [ \"\$(sed -n 's/^Groups:[[:space:]]*\([0-9]*\).*/\1/p' '$work/status')\" = \"\$(sed -n 's/^invigil:[^:]*:\([0-9]*\):.*/\1/p' '$tree/etc/group')\" ]"
check "and only what it keeps" grep -qE '^CapEff:.000000400(00|20)800e4$' "$work/status"
check "it says that it lives" until_true 20 pinged_since "$(property WatchdogTimestampMonotonic)"
job() { in_there sh -c "GITHUB_ACTIONS=true GITHUB_RUN_ID=$1 GITHUB_JOB=b sh -c '/bin/echo job-$1 >/dev/null; :'"; }
stream_has() { grep -qs "job-$1" "$tree"/var/log/invigil/*.jsonl; }
job 601
check "a job is seen" until_true 20 stream_has 601
check "in a file of root's and the group's" bash -c "[ \"\$(stat -c '%u %g %a' $tree/var/log/invigil/*.jsonl | sort -u)\" = \"0 \$(sed -n 's/^invigil:[^:]*:\([0-9]*\):.*/\1/p' '$tree/etc/group') 640\" ]"
check "it reads its configuration again" in_there systemctl reload invigil
check "and says so" until_true 10 journal_has 'configuration was read again'
in_there kill -9 "$main"
again() { active && [ "$(property MainPID)" != "$main" ] && [ "$(property NRestarts)" = 1 ]; }
check "kill -9: it is started again" until_true 20 again
job 602
check "and sees the next job" until_true 20 stream_has 602

# ---- an upgrade while a run is open ----
main=$(property MainPID)
mkfifo "$tree/srv/hold"
in_there sh -c 'GITHUB_ACTIONS=true GITHUB_RUN_ID=603 GITHUB_JOB=b sh -c "/bin/echo job-603 >/dev/null; read -r line </srv/hold; exit 3"' &
job=$!
check "a run is open" until_true 20 stream_has 603
stream=$(grep -ls job-603 "$tree"/var/log/invigil/*.jsonl)
before=$(wc -l <"$stream")
check "the package is upgraded" in_there env DEBIAN_FRONTEND=noninteractive dpkg -i /srv/later.deb
check "to the later version" test "$(in_there dpkg-query -W -f '${Version}' invigil)" = 99
check "its daemon is another one" until_true 30 another
check "which takes the run up" until_true 20 journal_has "run $(basename "$stream" .jsonl) goes on"
# In a namespace of process numbers of its own it ends the run when it first asks for its processes.
ended() { grep -q '"run-end"' "$stream"; }
check "in the stream that it began in" until_true 30 ended
check "the daemon before did not end it" bash -c "head -n $before '$stream' | grep -q job-603 && ! head -n $before '$stream' | grep -q run-end"
see "one run, without a hole, which says what was missed" 'ended() and gapless() and len(action("run-start")) == 1 and len(action("run-end")) == 1 and gap("it ended, and was started again")' "$stream"
echo >"$tree/srv/hold"
wait $job
check "the job went on, with its own status" test $? = 3

main=$(property MainPID)
in_there kill -STOP "$main"
stuck() { another && journal_has 'Watchdog timeout'; }
check "standing still: the watchdog ends it, and it is started again" until_true 60 stuck
main=$(property MainPID)
check "it can write where its files are" in_there nsenter -t "$main" -m sh -c 'echo >/var/log/invigil/probe && rm /var/log/invigil/probe'
for d in /etc /usr /root /srv; do
	check "near miss: not in $d" bash -c "$(declare -f in_there); init=$init; ! in_there nsenter -t $main -m sh -c 'echo >$d/probe' 2>'$work/e' && grep -q 'Read-only' '$work/e'"
done
check "it stops" in_there systemctl stop invigil
check "with a good result" test "$(property Result)" = success
check "its state stays for the next one" in_there test -s /run/invigil/state/key
check "its socket does not" in_there test ! -e /run/invigil/invigil.sock
exposure() { in_there systemd-analyze security invigil --no-pager | sed -n 's/.*exposure level for invigil.service: \([0-9.]*\).*/\1/p'; }
score=$(exposure)
check "its exposure is at most 3.6 of 10 ($score)" awk "BEGIN { exit !($score > 0 && $score <= 3.6) }"
in_there systemctl poweroff --force --force >/dev/null 2>&1
wait $nspawn
finish
