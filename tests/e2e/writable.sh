#!/bin/bash
# writable.sh: a daemon that was started by hand can write to its own folders alone, and holds nobody's mounts.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

mkdir "$work/out" "$work/beside" "$work/mnt" "$work/was" "$work/run"
cat >"$work/c.yaml" <<YAML
outputs:
  - { type: file, path: "$work/out/{run}.jsonl" }
  - { type: file, path: "$work/out/all.jsonl", rotate: { size: 64K, keep: 9 } }
YAML
# A machine whose mounts propagate, as systemd makes it; this one may be another.
cat >"$work/machine" <<'SH'
mount -t tmpfs was "$1/was"
"$2" daemon -c "$1/c.yaml" --socket "$1/run/sock" --metrics "unix:$1/run/metrics" 2>"$1/daemon" &
echo $! >"$1/pid"
while read -r command; do eval "$command"; echo "$?" >"$1/done"; done <"$1/in"
wait
SH
mkfifo "$work/in" "$work/done"
unshare -m --propagation shared bash "$work/machine" "$work" "$invigil" 9>&- &
machine=$!
exec 7>"$work/in"
there() { # COMMAND: on that machine
	local status
	echo "$*" >&7
	read -r status <"$work/done"
	return "$status"
}
check "a daemon is up" until_true 30 grep -q 'watching for runs' "$work/daemon"
daemon=$(cat "$work/pid")
inside() { nsenter -t "$daemon" -m "$@"; }
check "it does not say that it can write everywhere" bash -c "! grep 'can write' '$work/daemon'"
for d in /etc /root /usr/bin /var/tmp /dev/shm "$work" "$work/beside" "$work/was"; do
	test_begin "it cannot write to $d"
	if inside touch "$d/invigil-probe" 2>"$work/why"; then
		fail "it can"
		rm -f "$d/invigil-probe"
	elif grep -q 'Read-only file system' "$work/why"; then ok; else fail "$work/why"; fi
done
for d in out run; do check "near miss: to its own $d" inside sh -c "touch '$work/$d/probe' && rm '$work/$d/probe'"; done
check "near miss: others can write beside it" there "touch $work/beside/x"

job() { GITHUB_ACTIONS=true GITHUB_RUN_ID="$$-$1" GITHUB_JOB=x sh -c "/bin/echo $1 >/dev/null; $2"; }
ended() { f=$(grep -l "\"$1\"" "$work"/out/????????-*.jsonl) && grep -q '"run-end"' "$f"; }
job of-the-job 'for i in $(seq 100); do /bin/true "$i"; done'
check "a job has its stream" until_true 30 ended of-the-job
check "the shared file is rotated" until_true 30 test -e "$work/out/all.jsonl.1"
there "mount -t tmpfs later $work/mnt && cp /bin/echo $work/mnt/later"
check "what is mounted later is seen" inside test -x "$work/mnt/later"
check "and what is unmounted is gone" there "umount $work/mnt && umount $work/was"
check "near miss: it was there" inside sh -c "! test -e '$work/mnt/later' && ! grep -qE ' $work/(mnt|was) ' /proc/self/mountinfo"
mv "$work/out/all.jsonl" "$work/out/moved"
kill -HUP "$daemon"
check "its outputs are opened anew" until_true 30 test -e "$work/out/all.jsonl"
sed -i "s,$work/out/all,$work/beside/all," "$work/c.yaml"
kill -HUP "$daemon"
check "a folder that was not its own when it started is refused" until_true 30 grep -q "output $work/beside/all.jsonl: .*Read-only" "$work/daemon"
check "and the configuration stays" until_true 30 grep -q 'stays as it was' "$work/daemon"
kill -TERM "$daemon"
exec 7>&-
check "it ends" wait $machine
check "its sockets are gone" test ! -e "$work/run/sock" -a ! -e "$work/run/metrics"

# ---- where mounts do not propagate ----
unshare -m --propagation private "$invigil" daemon -o "$work/out/{run}.jsonl" --socket "$work/run/sock" 2>"$work/daemon" 9>&- &
daemon=$!
check "near miss: where they do not it is not done" until_true 30 grep -q 'watching for runs' "$work/daemon"
check "which is said" grep -q 'it can write wherever root can: what is mounted later would not be seen' "$work/daemon"
kill $daemon
wait $daemon
finish
