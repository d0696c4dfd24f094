#!/bin/bash
# image.sh: the container image as its recipe says: built, run by that very line, and watching the jobs of the machine from inside.
# long: builds the static program
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock
engine_up

recipe=packaging/container/Dockerfile
check "the static program is built" make --no-print-directory STATIC=1 B=build/static build/static/invigil
check "the image is built" docker build -q -t invigil -f $recipe build/static
# The machine's own folders are not touched: others stand in their place.
mkdir -p "$work/etc/invigil" "$work/run/invigil" "$work/var/log/invigil"
line=$(sed -n '/^#   docker run/,/ invigil$/s/^# *//p' $recipe | tr '\n' ' ' | sed "s,-v \(/[a-z/]*/invigil\):,-v $work\1:,g")
sock=$work/run/invigil/invigil.sock runs=$work/var/log/invigil
check "the recipe has its line" test "${line:0:10}" = "docker run"
# shellcheck disable=SC2086
check "it runs" $line
logs() { docker logs invigil 2>&1; }
logs_have() { logs | grep -q "$1"; }
check "it watches" until_true 60 logs_have 'watching for runs'
logs_have 'watching for runs' || { logs && finish; }
check "nothing is refused to it" bash -c "! docker logs invigil 2>&1 | grep -E 'cannot|privileges|refused|permitted'"
main=$(docker inspect -f '{{.State.Pid}}' invigil)
caps() { capsh --decode="$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$1/status")" | sed 's/^[^=]*=//'; }
check "it has given up what it needs no more" test "$(caps "$main")" = cap_dac_read_search,cap_kill,cap_setgid,cap_setuid,cap_sys_ptrace,cap_sys_admin
check "and is under its own filter" grep -q '^Seccomp:.2' "/proc/$main/status"

stream_of() { grep -ls "\"$1\"" "$runs"/*.jsonl; }
ended() { f=$(stream_of "$1") && grep -q '"run-end"' "$f"; }
# A job of this machine, outside of the container; it reads until that is seen, for nothing holds its program before.
cat >"$work/read.py" <<'PY'
import os, sys, time
while not os.path.exists(sys.argv[1]):
    os.getenv("IVG_IMAGE")
    time.sleep(0.1)
PY
GITHUB_ACTIONS=true GITHUB_RUN_ID="$$-host" GITHUB_JOB=image sh -c "/bin/echo from-the-host; docker ps -q; /usr/bin/python3 '$work/read.py' '$work/seen'; exit 6" >/dev/null &
job=$!
check "reads of the machine's Python are seen" until_true 60 bash -c "grep -q '\"IVG_IMAGE\"' '$runs'/*.jsonl"
touch "$work/seen"
wait $job
check "a job of the machine is seen, and ends" until_true 20 ended from-the-host
see "whole: programs, status" 'ended() and gapless() and get(ev[-1], "process.exit_code") == 6 and get(ev[0], "cicd.pipeline.run.id") and ["/bin/echo", "from-the-host"] in args("echo")' "$f"
see "what it asks of the engine" '[e for e in ev if get(e, "url.path", "").endswith("/containers/json")]' "$f"
see "source and parent of each" 'all(get(e, "process.working_directory") for e in execs()) and all(get(e, "process.parent.entity_id") for e in execs()[1:])' "$f"
"$invigil" status --socket "$sock" >"$work/status"
check "it answers on the socket that it shares" grep -q ' 0 runs active' "$work/status"
cp "$invigil" "$work/invigil"
mkdir -m 777 "$work/user"
printf 'callers: [nobody]\n' >"$work/etc/invigil/invigil.yaml"
kill -HUP "$main"
check "it reads its configuration again" until_true 10 logs_have 'configuration was read again'
by_user() { (cd "$work/user" && setpriv --reuid=65534 --regid=65534 --clear-groups "$work/invigil" run -q --socket "$sock" -o ev -- sh -c 'true for-a-user; exit 5'); }
check "a user's own run passes the status on" status_is 5 by_user
see "and has its stream" 'ended() and gapless() and get(ev[-1], "process.exit_code") == 5 and get(ev[0], "invigil.run.user") == "nobody"' "$work/user/ev"

# ---- killed, it is started again, and goes on ----
mkfifo "$work/hold"
GITHUB_ACTIONS=true GITHUB_RUN_ID="$$-long" GITHUB_JOB=image sh -c "/bin/echo before-the-kill; read -r line <'$work/hold'; /bin/echo after-the-kill; exit 4" >/dev/null &
job=$!
check "a run is active" until_true 20 stream_of before-the-kill
kill -9 "$main"
again() { [ "$(logs | grep -c 'watching for runs')" -ge 2 ]; }
test_begin "kill -9: the engine starts it again"
if until_true 60 again; then ok; else
	{ docker ps -a && logs && tail -n 5 "$engine/dockerd.log"; } >"$work/why" 2>&1
	fail "$work/why"
fi
goes_on() { "$invigil" status --socket "$sock" | grep -q '^run '; }
until_true 20 goes_on
echo >"$work/hold"
wait $job
check "the run ends" until_true 20 ended after-the-kill
see "in the stream that it began in, and what was missed is said" 'ended() and gapless() and len(action("run-start")) == 1 and gap("it ended, and was started again") and get(ev[-1], "process.exit_code") == 4 and ["/bin/echo", "before-the-kill"] in args("echo")' "$f"
docker stop -t 20 invigil >/dev/null
check "it stops well" test "$(docker inspect -f '{{.State.ExitCode}}' invigil)" = 0
check "and removes its socket" test ! -e "$sock"
finish
