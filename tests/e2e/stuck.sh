#!/bin/bash
# stuck.sh: a helper of the daemon that dies or hangs in a file that a run serves is replaced, which is said; nobody else waits.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

read -ra fuse3 < <(pkg-config --cflags --libs fuse3)
test_begin "the test programs are built"
if gcc -O1 -Wall -Wextra -Werror -o "$work/fuse" tests/e2e/gate_fuse.c "${fuse3[@]}" 2>"$work/why" &&
	gcc -O1 -Wall -Wextra -Werror -x c -o "$work/waits" - 2>>"$work/why" <<-'C'; then
		#include <stdlib.h>
		#include <unistd.h>

		int main(int argc, char **argv)
		{
			char c;

			getenv(argc > 1 ? argv[1] : "IVG_NONE");
			return read(0, &c, 1) < 0;
		}
	C
	ok
else
	fail "$work/why"
	finish
fi
mkdir "$work/runs" "$work/mnt"
daemon_up() {
	"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>>"$work/daemon" 9>&- &
	daemon=$!
	until_true 20 bash -c "[ \$(grep -c 'watching for runs' '$work/daemon') = $1 ]"
}
helper() { pgrep -P $daemon -x invigil-attach; } # all of them
replaced() { # PIDS: another one lives
	local now
	now=$(helper) && [ -n "$(comm -13 <(sort <<<"$1") <(sort <<<"$now"))" ]
}
stream_of() { grep -l "\"$1\"" "$work"/runs/*.jsonl; }
status() { timeout 5 "$invigil" status --socket "$work/sock"; }

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
check "a run is watched" until_true 15 stream_of first
ev=$(stream_of first)
check "what it reads is seen" until_true 15 seen "$ev" 4 BEFORE
before=$(helper)
kill -9 "$before"
check "another one takes the place of a helper that was killed" until_true 15 replaced "$before"
check "what a program reads that ran before is seen again" until_true 15 seen "$ev" 4 AFTER
see "what may be missing is said" 'gap("the process that attaches probes ended") and any("until another one" in get(e, "invigil.gap.effect", "") for e in action("coverage-gap"))'
see "near miss: nothing is stuck" 'not gap("is stuck") and not gap("does not get on")'

# ---- it hangs ----
cat >"$work/served.sh" <<'SH'
"$1/fuse" "$1/mnt" "$1/waits" &
echo $! >"$1/server"
for i in $(seq 100); do [ -e "$1/mnt/prog" ] && break; sleep 0.05; done
exec "$1/mnt/$2" "IVG_FOR_$2" <"$1/hold"
SH
serve() { # FILE: a job that executes it; ends with its file system
	rm -f "$work/hold" "$work/server"
	mkfifo "$work/hold"
	GITLAB_CI=true CI_JOB_ID="$1" CI_PIPELINE_ID=9 bash "$work/served.sh" "$work" "$1" 4>&- &
	served=$!
	exec 5>"$work/hold"
	until_true 10 bash -c "[ \"\$(readlink /proc/$served/exe)\" = '$work/mnt/$1' ]"
}
serve_end() {
	exec 5>&-
	umount -l "$work/mnt"
	kill -9 "$(cat "$work/server")"
	wait $served
}
before=$(helper)
serve hang
check "the daemon answers while one hangs" status
check "after half a minute another one is there" until_true 50 replaced "$before"
check "what the other run reads is seen" until_true 15 seen "$ev" 4 BESIDE
see "that one hung is said to it" 'gap("does not get on with a file") and gap("is stuck in a file")'
see "and to the run that did it" 'gap("does not get on with a file")' "$(stream_of IVG_FOR_hang)"
check "it cannot be ended yet" bash -c "kill -0 $before"
serve_end
check "it ends with the file system" until_true 10 bash -c "! kill -0 $before"
exec 4>&-
wait $first
check "both runs end" until_true 20 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') -ge 2 ] && '$invigil' status --socket '$work/sock' | grep -q ' 0 runs active'"
check "no helper is left" until_true 10 bash -c "! pgrep -P $daemon"

# ---- the scanner hangs ----
kill -TERM $daemon
check "it ends when it is told to" wait $daemon
reader second
second=$!
exec 4>"$work/second"
serve look
daemon_up 2
# That program, and the server, whose parent it is.
check "what was there before is taken in, but for what does not answer" until_true 20 grep -q '2 processes from before could not be looked at' "$work/daemon"
check "a run from before goes on" until_true 10 stream_of second
check "and is looked into" until_true 15 seen "$(stream_of second)" 4 TAKEN
kill -TERM $daemon
check "it ends when it is told to, stuck or not" wait $daemon
serve_end
exec 4>&-
wait $second
finish
