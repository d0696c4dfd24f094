#!/bin/bash
# stuck.sh: a helper of the daemon that dies or hangs in a file that a run serves is replaced, which is said; nobody else waits.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

read -ra fuse3 < <(pkg-config --cflags --libs fuse3)
test_begin "the test programs are built"
if gcc -O1 -Wall -Wextra -Werror -o "$work/fuse" tests/e2e/gate_fuse.c "${fuse3[@]}" 2>"$work/why" &&
	gcc -O1 -Wall -Wextra -Werror -x c -o "$work/waits" - 2>>"$work/why" <<-'C' &&
		#include <stdlib.h>
		#include <unistd.h>

		int main(int argc, char **argv)
		{
			char c;

			getenv(argc > 1 ? argv[1] : "IVG_NONE");
			return read(0, &c, 1) < 0;
		}
	C
	# The same with a getenv of its own.
	printf '#include <stdlib.h>\nint main(int argc, char **argv) { getenv(argv[argc - 1]); }\n' | gcc -static -O1 -x c -o "$work/static" - 2>>"$work/why"; then
	ok
else
	fail "$work/why"
	finish
fi
mkdir "$work/runs" "$work/mnt" "$work/mnt2"
# Aborted, it leaves no file system without its server, nor a daemon that holds the lock.
stuck_off() {
	umount -l "$work/mnt" "$work/mnt2" 2>/dev/null
	for p in $(jobs -p) $(pgrep -f -x "$work/fuse $work/.*"); do kill -9 "$p" 2>/dev/null; done
	cleanup
}
trap stuck_off EXIT
daemon_up() {
	"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>>"$work/daemon" 4>&- 5>&- 9>&- &
	daemon=$!
	until_true 30 bash -c "[ \$(grep -c 'watching for runs' '$work/daemon') = $1 ]"
}
helper() { pgrep -P $daemon -x invigil-attach; } # all of them
replaced() { # PIDS: another one lives
	local now
	now=$(helper) && [ -n "$(comm -13 <(sort <<<"$1") <(sort <<<"$now"))" ]
}
stream_of() { grep -l "\"$1\"" "$work"/runs/*.jsonl; }
status() { timeout 20 "$invigil" status --socket "$work/sock"; }

# Reads the variables that it is told to, for as long as the pipe is open.
cat >"$work/reader.py" <<'PY'
import os, sys
with open(sys.argv[1]) as names:
    for name in iter(names.readline, ""):
        os.environ.get(name.strip())
PY
reader() { # NAME: a job of its own
	mkfifo "$work/$1"
	GITHUB_ACTIONS=true GITHUB_RUN_ID="$1" GITHUB_JOB=x /usr/bin/python3 "$work/reader.py" "$work/$1" &
}
seen() { # STREAM FD NAME: asked for until it is seen, each time by another name
	n=$((n + 1))
	echo "$3_$n" >&"$2"
	sleep 0.2
	q "$1" "any((get(e, 'invigil.env.name') or '').startswith('$3_') for e in action('env-read'))"
}
n=0

# ---- it dies ----
daemon_up 1
reader first
first=$!
exec 4>"$work/first"
check "a run is watched" until_true 30 stream_of first
ev=$(stream_of first)
check "what it reads is seen" until_true 30 seen "$ev" 4 BEFORE
before=$(helper)
kill -9 "$before"
check "another one takes the place of a helper that was killed" until_true 30 replaced "$before"
check "what a program reads that ran before is seen again" until_true 30 seen "$ev" 4 AFTER
see "what may be missing is said" 'gap("the process that attaches probes ended") and any("until another one" in get(e, "invigil.gap.effect", "") for e in action("coverage-gap"))'
see "near miss: nothing is stuck" 'not gap("is stuck") and not gap("does not get on")'

# ---- it hangs ----
cat >"$work/served.sh" <<'SH'
"$1/fuse" "$1/mnt" "$1/waits" &
echo $! >"$1/server"
for i in $(seq 1200); do [ -e "$1/mnt/prog" ] && break; sleep 0.05; done
exec "$1/mnt/$2" "IVG_FOR_$2" <"$1/hold"
SH
serve() { # FILE: a job that executes it; ends with its file system
	rm -f "$work/hold" "$work/server"
	mkfifo "$work/hold"
	GITLAB_CI=true CI_JOB_ID="$1" CI_PIPELINE_ID=9 bash "$work/served.sh" "$work" "$1" 4>&- &
	served=$!
	exec 5>"$work/hold"
	until_true 30 bash -c "[ \"\$(readlink /proc/$served/exe)\" = '$work/mnt/$1' ]"
}
serve_end() {
	exec 5>&-
	umount -l "$work/mnt"
	kill -9 "$(cat "$work/server")"
	wait $served
}
# Of a run as root beside it, whose gate asks its helper: after the file that hangs it executes programs that nobody has seen.
cat >"$work/of-run.sh" <<'SH'
"$1/fuse" "$1/mnt2" "$1/waits" &
echo $! >"$1/server2"
for i in $(seq 1200); do [ -e "$1/mnt2/prog" ] && break; sleep 0.05; done
"$1/mnt2/hang" IVG_OF_RUN </dev/null
for i in $(seq 1000); do
	[ ! -e "$1/stop" ] || exit 7
	cp "$1/static" "$1/fresh$i"
	"$1/fresh$i" "IVG_FRESH_$i"
	rm "$1/fresh$i"
	sleep 0.2
done
SH
"$invigil" run -q -o "$work/run.jsonl" -- bash "$work/of-run.sh" "$work" 4>&- &
of_run=$!
before=$(helper)
serve hang
check "the daemon answers while one hangs" status
check "after half a minute another one is there" until_true 90 replaced "$before"
check "what the other run reads is seen" until_true 30 seen "$ev" 4 BESIDE
see "that one hung is said to it" 'gap("does not get on with a file") and gap("is stuck in a file")'
see "and to the run that did it" 'gap("does not get on with a file")' "$(stream_of IVG_FOR_hang)"
check "in a run as root another one is there, too, and what it executes anew is seen" until_true 90 grep -q '"name":"IVG_FRESH_' "$work/run.jsonl"
see "and it is said" 'gap("does not get on with a file") and gap("is stuck in a file")' "$work/run.jsonl"
see "near miss: what it executed before that is not seen" 'not reads("IVG_FRESH_1")' "$work/run.jsonl"
touch "$work/stop"
umount -l "$work/mnt2"
kill -9 "$(cat "$work/server2")"
wait $of_run
check "the run's own status is passed on" test $? = 7
see "its stream ends" 'ended() and gapless() and gap("were let go without an answer")' "$work/run.jsonl"
check "it cannot be ended yet" bash -c "kill -0 $before"
serve_end
check "it ends with the file system" until_true 30 bash -c "! kill -0 $before"
exec 4>&-
wait $first
check "both runs end" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') -ge 2 ] && '$invigil' status --socket '$work/sock' | grep -q ' 0 runs active'"
check "no helper is left" until_true 30 bash -c "! pgrep -P $daemon"

# ---- the scanner hangs ----
kill -TERM $daemon
check "it ends when it is told to" wait $daemon
reader second
second=$!
exec 4>"$work/second"
serve look
daemon_up 2
# That program, and the server, whose parent it is.
check "what was there before is taken in, but for what does not answer" until_true 30 grep -q '2 processes from before could not be looked at' "$work/daemon"
check "a run from before goes on" until_true 30 stream_of second
check "and is looked into" until_true 30 seen "$(stream_of second)" 4 TAKEN
kill -TERM $daemon
check "it ends when it is told to, stuck or not" wait $daemon
serve_end
exec 4>&-
wait $second

# ---- the daemon is killed while one hangs ----
daemon_up 3
reader third
third=$!
exec 4>"$work/third"
until_true 30 stream_of third
serve hang
in_the_file() { grep -q fuse "/proc/$(helper)/stack"; }
check "one hangs" until_true 30 in_the_file
before=$(helper)
kill -9 $daemon
wait $daemon 2>/dev/null
daemon_up 4
check "the next daemon is up" test "$(grep -c 'watching for runs' "$work/daemon")" = 4
check "though that one is still there" kill -0 "$before"
check "the run goes on" until_true 30 bash -c "'$invigil' status --socket '$work/sock' | grep -q '^run '"
check "in its stream" until_true 30 seen "$(stream_of third)" 4 BEYOND
serve_end
exec 4>&-
wait $third
kill -TERM $daemon
wait $daemon
finish
