#!/bin/bash
# daemon_status.sh: `invigil status` tells runs, rates, losses, hooks and outputs as they are, to people and programs.
# alone: the numbers are of the daemon alone, and records must be lost only when it is stopped.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

mkdir "$work/small" "$work/runs"
mount -t tmpfs -o size=256k none "$work/small"
cat >"$work/c.yaml" <<YAML
outputs:
  - { type: file, path: "$work/runs/{run}.jsonl" }
  - { type: file, path: "$work/small/all.jsonl" }
YAML
"$invigil" daemon -c "$work/c.yaml" --socket "$work/sock" 2>"$work/daemon" 9>&- &
daemon=$!
check "a daemon is up" until_true 20 grep -q 'watching for runs' "$work/daemon"
status() { "$invigil" status --socket "$work/sock" "$@"; }
cat >"$work/q.py" <<'PY'
import json, subprocess, sys
s = json.load(sys.stdin)
hook = {h["name"]: h for h in s["hooks"]}
def whole(lines):
    return lines["seen"] == lines["delivered"] + lines["dropped"] + lines["waiting"]
sys.exit(not eval(sys.argv[1]) and (print(json.dumps(s, indent=1)) or 1))
PY
says() { status --format json | python3 "$work/q.py" "$1"; } # EXPRESSION over s, hook
none() { says 's["active"] == 0'; }

# ---- idle ----
check "an unknown format is an error" status_is 125 status --format xml
check "no run is listed, nothing is lost" says 's["runs"] == [] and s["losses"]["records"] == {} and not any(v for k, v in s["losses"].items() if k != "records")'
check "what finds runs is attached, the rest is not" says 'hook["exec"]["attached"] and hook["fork"]["attached"] and hook["exit"]["attached"] and not any(h["attached"] for h in s["hooks"] if h["when"] != "always")'
check "the shared output is listed, and empty" says '[(o["path"], o["seen"]) for o in s["outputs"]] == [("'"$work/small/all.jsonl"'", 0)]'
check "people read the same" bash -c "'$invigil' status --socket '$work/sock' | grep -q '^hook exec: [1-9][0-9]* attached, .*, always' && '$invigil' status --socket '$work/sock' | grep -q '^hook .*: not attached, .*, while a run is active'"

# ---- two runs ----
cat >"$work/job" <<'SH'
#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true "$1-$i"; done
touch "$2.up"
read -r line <"$2.in"
SH
chmod 755 "$work/job"
for i in a b; do mkfifo -m 666 "$work/$i.in"; done
chmod 777 "$work"
GITLAB_CI=true CI_JOB_ID=1 CI_PIPELINE_ID=9 "$work/job" of-root "$work/a" &
setpriv --reuid=65534 --clear-groups env GITHUB_ACTIONS=true GITHUB_RUN_ID=2 GITHUB_JOB=x "$work/job" of-nobody "$work/b" &
until_true 10 test -e "$work/a.up" -a -e "$work/b.up"
check "both are listed, each with its own" until_true 10 says 'sorted((r["ci"], r["user"], r["programs"]) for r in s["runs"]) == [("github_actions", "nobody", 12), ("gitlab", "root", 12)] and all(r["lines"] > r["programs"] and r["age_ns"] > 0 for r in s["runs"])'
check "their hooks are attached, and probes in files" until_true 20 says 'all(h["attached"] or "failed" in h for h in s["hooks"])'
check "their files are listed" says 'len(s["outputs"]) == 3 and all(whole(o) for o in s["outputs"])'
cp "$invigil" "$work/as-nobody"
check "nobody sees their own run and its file alone" bash -c "setpriv --reuid=65534 --clear-groups '$work/as-nobody' status --format json --socket '$work/sock' | python3 '$work/q.py' '[r[\"user\"] for r in s[\"runs\"]] == [\"nobody\"] and [o[\"path\"].split(\"/\")[-2] for o in s[\"outputs\"]] == [\"runs\"] and s[\"active\"] == 2'"
check "what was executed within a minute is the rate" says 's["last"]["programs"] == 24 and 0 < s["last"]["ns"] < 71e9'
for i in a b; do echo >"$work/$i.in"; done
check "they end" until_true 20 none
wait_lines() { cat "$work"/runs/*.jsonl | wc -l; }
check "all their lines were delivered, and the files hold as many" says "whole(s['lines']) and s['lines']['waiting'] == s['lines']['dropped'] == 0 and s['lines']['delivered'] == $(($(wait_lines) + $(wc -l <"$work/small/all.jsonl")))"

# ---- what still has the hooks of the run before ----
cat >"$work/hold.py" <<'PY'
"""hold.py DAEMON tries|always: has what the daemon has attached, until that waits to try again (loader.c), or until its input ends."""
import ctypes, os, sys, time
pid, until = int(sys.argv[1]), sys.argv[2]
daemon, libc, held = os.pidfd_open(pid), ctypes.CDLL(None), []
for fd in os.listdir(f"/proc/{pid}/fd"):
    try:
        if os.readlink(f"/proc/{pid}/fd/{fd}") in ("anon_inode:[perf_event]", "anon_inode:bpf_link"):
            held.append(libc.syscall(438, daemon, int(fd), 0)) # pidfd_getfd
    except FileNotFoundError:
        pass # it was listed alone
print(len(held), "held", flush=True)
if until == "always":
    sys.stdin.read()
    sys.exit()
end = time.monotonic() + 60
while time.monotonic() < end:
    call = open(f"/proc/{pid}/syscall").read().split()
    if call[0] == "7" and call[2:4] == ["0x0", "0x1"]: # poll of nothing, for a millisecond
        sys.exit()
    time.sleep(0.0002)
sys.exit("it does not try again")
PY
mkfifo "$work/c.in" "$work/holder.in"
exec 7<>"$work/holder.in"
one() { says 's["active"] == 1 and all(h["attached"] or "failed" in h for h in s["hooks"])'; }
held_run() { # tries|always: a run behind one whose hooks are held; what failed is in $work/failed
	local job holder status
	GITLAB_CI=true CI_JOB_ID=5 CI_PIPELINE_ID=9 sh -c 'read -r line <"$1"' sh "$work/c.in" &
	job=$!
	until_true 20 one || return 1
	rm -f "$work/held"
	python3 "$work/hold.py" $daemon "$1" <&7 >"$work/held" &
	holder=$!
	until_true 20 grep -q held "$work/held"
	echo >"$work/c.in"
	wait $job
	until_true 20 none || return 1
	GITLAB_CI=true CI_JOB_ID=6 CI_PIPELINE_ID=9 sh -c 'read -r line <"$1"' sh "$work/c.in" &
	job=$!
	until_true 20 one || return 1
	status --format json | python3 -c 'import json, sys; print([h["failed"] for h in json.load(sys.stdin)["hooks"] if h.get("failed", "not asked for") != "not asked for"])' >"$work/failed"
	[ "$1" = tries ] || kill $holder
	wait $holder
	status=$?
	echo >"$work/c.in"
	wait $job
	until_true 20 none || return 1
	[ "$1" = always ] || return $status
}
tried_again() { # on a machine so busy that what is held is not given up within 0.3 s it is not tried for longer
	for _ in 1 2 3 4 5; do
		held_run tries || return 1
		! grep -qx '\[\]' "$work/failed" || return 0
	done
	cat "$work/failed"
	return 1
}
check "what cannot be attached while somebody still has it is tried again, and is attached" tried_again
check "near miss: what somebody keeps" held_run always
check "is said not to be attached" grep -q 'File exists\|busy' "$work/failed"
check "and is attached for the next run" tried_again

# ---- an output that is full ----
GITLAB_CI=true CI_JOB_ID=3 CI_PIPELINE_ID=9 sh -c 'for i in $(seq 300); do /bin/true filling; done'
check "a run that is more than its file takes ends" until_true 20 none
check "what was seen is what was delivered, dropped and waits, exactly" says "whole(s['lines']) and s['losses']['lines_dropped'] == s['lines']['dropped'] > 0 and [(o['delivered'], o.get('error')) for o in s['outputs'] if whole(o)] == [($(wc -l <"$work/small/all.jsonl"), 'No space left on device')] and s['lines']['delivered'] == $(($(wait_lines) + $(wc -l <"$work/small/all.jsonl")))"
check "its last line is whole" bash -c "tail -c1 '$work/small/all.jsonl' | grep -q '^$' && tail -n1 '$work/small/all.jsonl' | python3 -c 'import json, sys; json.load(sys.stdin)'"
check "the other file has all of it" test "$(grep -c '"filling"' "$work"/runs/*.jsonl | awk -F: '{ n += $2 } END { print n }')" -ge 300
check "people read it" bash -c "'$invigil' status --socket '$work/sock' | grep -q '^output $work/small/all.jsonl: No space left on device; [0-9]* lines seen' && '$invigil' status --socket '$work/sock' | grep -q '^lost: [0-9]* lines were not taken by an output'"

# ---- a daemon that does not get to read ----
fill=$(head -c 3000 /dev/zero | tr '\0' x)
kill -STOP $daemon
GITLAB_CI=true CI_JOB_ID=4 CI_PIPELINE_ID=9 FILL=$fill sh -c 'i=0; while [ $i -lt 1500 ]; do /bin/true losing; i=$((i + 1)); done' 2>/dev/null
kill -CONT $daemon
check "it catches up" until_true 20 none
check "records that were lost are counted by their type" says 's["losses"]["records"]["exec"] > 0'
lost=$(status --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["losses"]["records"]["exec"])')
told=$(cat "$work"/runs/*.jsonl | grep '"action":"exec"' | grep -c '"losing"')
test_begin "what is told and what is lost is all of it ($told + $lost)"
# It was seen to be more when a job of somebody else's began programs while the daemon stood: those are lost, too.
if [ $((told + lost)) = 1500 ]; then ok; else fail "$told told, $lost lost"; fi
check "people read it" bash -c "'$invigil' status --socket '$work/sock' | grep -qx 'lost exec $lost'"
early() { # its stream names the loss before the last of what it executed
	local stream
	stream=$(grep -l '"losing"' "$work"/runs/*.jsonl)
	[ "$(grep -n '"action":"events-lost"' "$stream" | head -1 | cut -d: -f1)" -lt "$(grep -n '"action":"exec"' "$stream" | tail -1 | cut -d: -f1)" ]
}
check "the run hears of it at once" early
kill $daemon
wait $daemon
umount "$work/small"
finish
