#!/bin/bash
# restart.sh: what runs when the daemon starts is taken in; a daemon that dies harms no run, and the next one goes on in its stream.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock
KILLS=${KILLS:-10} # 30: kills.sh

mkdir "$work/runs"
touch "$work/daemon"
daemon_up() {
	ups=$(grep -c 'watching for runs' "$work/daemon")
	"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>>"$work/daemon" 9>&- &
	daemon=$!
}
is_up() { [ "$(grep -c 'watching for runs' "$work/daemon")" -gt "$ups" ]; }
next_up() { # NAME
	daemon_up
	test_begin "$1"
	if until_true 30 is_up; then ok; else fail "$work/daemon"; fi
}
stream_of() { grep -l "\"$1\"" "$work"/runs/*.jsonl; }
# The run of that program has its end; other tests' jobs may begin and end meanwhile.
run_ended() { # SECONDS PROGRAM
	until_true "$1" bash -c "grep -l '\"$2\"' '$work'/runs/*.jsonl | xargs -d '\n' grep -q '\"run-end\"'" || { tail -n 20 "$work/daemon"; return 1; }
}

# ---- before the daemon ----
mkfifo "$work/hold"
cat >"$work/threads.py" <<'PY'
import subprocess, sys, threading
hold = open(sys.argv[1]).read()
t = threading.Thread(target=lambda: subprocess.run(["/bin/echo", "from-a-thread"], stdout=subprocess.DEVNULL))
t.start(), t.join()
PY
GITLAB_CI=true CI_JOB_ID="91-$$" CI_PIPELINE_ID=9 CI_JOB_TOKEN=planted-Kp57-secret-value sh -c "
	env -i sh -c '/bin/sleep 600 & echo \$! >$work/sleeper; wait' &
	env -i /usr/bin/python3 $work/threads.py $work/hold
	/bin/echo after-it >/dev/null; exit 6" >/dev/null &
job=$!
check "a job waits" until_true 30 bash -c "[ -s '$work/sleeper' ] && pgrep -f -x '/bin/sleep 600' | grep -qxf '$work/sleeper' && pgrep -f -x '/usr/bin/python3 $work/threads.py $work/hold'"
next_up "it is up"
check "what runs already is taken in" until_true 30 bash -c "'$invigil' status --socket '$work/sock' | grep -q '^run .* gitlab:'"
check "to its last process" until_true 30 bash -c "[ \$(cat '$work'/runs/*.jsonl | grep -c '\"running\"') -ge 4 ]"
kill "$(cat "$work/sleeper")"
echo go >"$work/hold"
wait $job
check "and ends by itself" run_ended 30 after-it
ev=$(stream_of after-it)
see "it says so, and that it is not whole" 'ended() and gapless() and gap("the run began before the daemon") and get(ev[-1], "invigil.run.complete") is False'
see "each process is marked, with its arguments and its parent" 'sorted(a[0] for e in action("exec") if "running" in get(e, "invigil.exec.flags", []) for a in [get(e, "process.args")]) == ["/bin/sleep", "/usr/bin/python3", "sh", "sh"]'
see "also those that carry no job any more" '[e for e in execs("python3.11") if get(e, "process.parent.name") == "dash" and get(e, "process.working_directory") == "'"$root"'"]'
see "what they do from here on is seen, threads included, and not marked" '[e for e in execs("echo") if get(e, "invigil.exec.flags", []) == [] and get(e, "process.args") == ["/bin/echo", "from-a-thread"]] and ["/bin/echo", "after-it"] in args("echo")'
see "no start is said to be missed" 'not action("process-missed")'
see "its end is the job's" 'get(ev[-1], "process.exit_code") == 6 and get(ev[0], "cicd.pipeline.run.id") == "9"'
check "no secret is in it" bash -c "! grep -q planted-Kp5 '$ev'"

# ---- kill -9, again and again ----
mkfifo "$work/end"
cat >"$work/loop" <<'SH'
n=0
while [ ! -e "$1.stop" ]; do
	n=$((n + 1))
	/bin/echo "$2-$n"
	(env -i sh -c "/bin/echo $2-child-$n; :")
	sleep 0.05
done
echo "$n" >"$1.count"
exit 8
SH
GITHUB_ACTIONS=true GITHUB_RUN_ID="92-$$" GITHUB_JOB=b sh "$work/loop" "$work/github" killed-gh >"$work/github.out" &
github=$!
BUILD_TAG="jenkins-a-93-$$" JOB_NAME=a BUILD_ID="93-$$" sh "$work/loop" "$work/jenkins" killed-jk >"$work/jenkins.out" &
jenkins=$!
until_true 30 stream_of killed-gh-1
for i in $(seq "$KILLS"); do
	sleep "0.$((RANDOM % 90 + 10))"
	[ $((i % 3)) = 0 ] || until_true 30 is_up
	kill -9 $daemon
	wait $daemon 2>/dev/null
	daemon_up
done
check "a daemon that was killed $KILLS times is up" until_true 30 is_up
until_true 30 bash -c "'$invigil' status --socket '$work/sock' | grep -c '^run ' | grep -qx 2"
# A run is listed before all of its processes are taken in.
for j in github:killed-gh jenkins:killed-jk; do
	n=$(sed -n "s/^${j#*:}-\([0-9]*\)$/\1/p" "$work/${j%:*}.out" | tail -1)
	check "what ${j%:*} does from here on is seen" until_true 30 grep -qs "\"${j#*:}-$((n + 2))\"" "$work"/runs/*.jsonl
done
touch "$work/github.stop" "$work/jenkins.stop"
wait $github
check "the jobs went on, with their own status" test $? = 8
wait $jenkins
for j in github jenkins; do
	check "all that $j wrote is there" bash -c "[ \$(wc -l <'$work/$j.out') = \$((2 * \$(cat '$work/$j.count'))) ]"
done
check "the runs end" until_true 30 bash -c "'$invigil' status --socket '$work/sock' | grep -q ' 0 runs active'"
for j in github jenkins; do
	check "$j is one run in one stream" bash -c "[ \$(grep -l 'killed-${j:0:1}' '$work'/runs/*.jsonl | wc -l) = 1 ]"
	ev=$(grep -l "killed-${j:0:1}" "$work"/runs/*.jsonl | head -1)
	see "of whole lines, without a hole, to its end" 'ended() and gapless() and len(action("run-start")) == 1 and get(ev[-1], "process.exit_code") == 8'
	see "which says what was missed" 'get(ev[-1], "invigil.run.resumed") and get(ev[-1], "invigil.run.complete") is False and gap("it ended, and was started again")'
	see "and has what came after" 'max(int(a[1].split("-")[-1]) for a in args("echo") if a[1:]) == '"$(cat "$work/$j.count")"
done
check "nothing is left of what was kept for the next daemon" test "$(ls "$work/state")" = key

# ---- a run that ends while no daemon is there ----
GITHUB_ACTIONS=true GITHUB_RUN_ID="94-$$" GITHUB_JOB=b sh -c "/bin/echo of-the-last; read -r line <'$work/end'" >/dev/null &
job=$!
until_true 30 stream_of of-the-last
kill -9 $daemon
wait $daemon 2>/dev/null
echo go >"$work/end"
wait $job
printf '{"half a li' >>"$(stream_of of-the-last)"
next_up "the next one is up"
check "a run that ended meanwhile is ended by it" run_ended 30 of-the-last
see "which says that it does not know how" 'ended() and gapless() and gap("it ended, and was started again") and get(ev[-1], "event.outcome") == "unknown"' "$(stream_of of-the-last)"

# ---- a restart ----
mkfifo "$work/again"
GITHUB_ACTIONS=true GITHUB_RUN_ID="95-$$" GITHUB_JOB=b sh -c "/bin/echo before-it; read -r line <'$work/again'; /bin/echo behind-it; exit 5" >/dev/null &
job=$!
check "a run is active" until_true 30 stream_of before-it
ev=$(stream_of before-it)
id=$(basename "$ev" .jsonl)
cp -p "$work/state/$id" "$work/kept"
kill -USR1 $daemon
check "told to make room for the next one it ends well" wait $daemon
check "its run has not ended" bash -c "! grep -q '\"run-end\"' '$ev' && [ -s '$work/state/$id' ]"
next_up "the next one is up, too"
goes_on() { "$invigil" status --socket "$work/sock" | grep -q "^run $id"; }
check "and takes the run up" until_true 30 goes_on
echo go >"$work/again"
wait $job
check "which ends" run_ended 30 behind-it
see "in the same stream, and it says what was missed" 'ended() and gapless() and len(action("run-start")) == 1 and get(ev[-1], "process.exit_code") == 5 and gap("it ended, and was started again") and ["/bin/echo", "before-it"] in args("echo") and ["/bin/echo", "behind-it"] in args("echo")'

# ---- killed behind a run's last line ----
kill -9 $daemon
wait $daemon 2>/dev/null
cp -p "$work/kept" "$work/state/$id"
next_up "the next one is up once more"
check "it knows the run's end" until_true 30 test ! -e "$work/state/$id"
see "and writes no second one" 'ended() and gapless() and len(action("run-end")) == 1'

kill $daemon
wait $daemon
finish
