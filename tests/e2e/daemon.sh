#!/bin/bash
# daemon.sh: the daemon finds CI jobs by itself; each event is in the right run, in one, and nothing else is anywhere.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

daemon_up() { # [OPTIONS]
	rm -f "$work/daemon"
	rm -rf "$work/runs"
	mkdir -p "$work/runs"
	"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" "$@" 2>"$work/daemon" 9>&- &
	daemon=$!
	until_true 20 grep -q 'watching for runs' "$work/daemon"
}
daemon_down() {
	kill -TERM "$daemon" && wait "$daemon"
}
ended() { [ "$(grep -c ' ended: ' "$work/daemon")" -ge "$1" ]; }
stream_with() { grep -l "$1" "$work"/runs/*.jsonl; } # files that hold a word
only_in_one() { [ "$(stream_with "$1" | wc -l)" = 1 ] || { stream_with "$1"; return 1; }; }

check "a wrong key is refused with its line" bash -c \
	"printf 'runs:\n  - programme: /usr/bin/x\n' >'$work/bad.yaml'; ! '$invigil' daemon --check-config -c '$work/bad.yaml' 2>'$work/e' && grep -q ':2: unknown key \"programme\"' '$work/e'"
mkdir "$work/place"
cat >"$work/good.yaml" <<YAML
runs:
  - program: $work/selected
  - { user: games, argument: "by-user*" }
  - { directory: $work/place, argument: by-directory, parent: /usr/bin/dash }
YAML
check "a good configuration is accepted" status_is 0 "$invigil" daemon --check-config -c "$work/good.yaml"

printf '#!/bin/sh\n/bin/echo by-selector >/dev/null\n' >"$work/selected"
chmod 755 "$work/selected"
daemon_up -c "$work/good.yaml"
check "it is up" test -S "$work/sock"

cat >"$work/step" <<'SH'
#!/bin/sh
/bin/echo "$1" >/dev/null
(setsid sh -c "/bin/echo $1-daemonised >/dev/null" &)
mkfifo "$2.in" && perl -e 'open F, "<", shift; <F>' "$2.in"
[ -z "${3-}" ] || kill -URG "$3"
exit 3
SH
chmod 755 "$work/step"
GITHUB_ACTIONS=true GITHUB_RUN_ID=71$$ GITHUB_JOB=build GITHUB_TOKEN=planted-Kp55-secret-value "$work/step" of-github "$work/a" &
GITLAB_CI=true CI_JOB_ID=72 CI_PIPELINE_ID=9 CI_JOB_TOKEN=planted-Kp56-secret-value "$work/step" of-gitlab "$work/b" &
BUILD_TAG=jenkins-job-73 JOB_NAME=job BUILD_ID=73 "$work/step" of-jenkins "$work/c" $daemon &
GITHUB_ACTIONS=false "$work/step" of-nobody "$work/d" &
for i in a b c d; do until_true 10 test -p "$work/$i.in"; done
check "three jobs are three runs" until_true 10 bash -c "[ \$('$invigil' status --socket '$work/sock' | grep -c '^run ') = 3 ]"
# A second step of the first job, by the same agent, or behind another process of it; the same identity by another user.
GITHUB_ACTIONS=true GITHUB_RUN_ID=71$$ GITHUB_JOB=build sh -c '/bin/echo second-step >/dev/null' &
wait $!
sh -c "GITHUB_ACTIONS=true GITHUB_RUN_ID=71$$ GITHUB_JOB=build sh -c '/bin/echo third-step >/dev/null'; true"
setpriv --reuid=65534 --clear-groups env GITHUB_ACTIONS=true GITHUB_RUN_ID=71$$ GITHUB_JOB=build /bin/echo from-elsewhere >/dev/null
check "the copied identity ends by itself" until_true 10 ended 1
"$work/selected"
check "and so does the selected program" until_true 10 ended 2
setpriv --reuid=games --clear-groups /bin/echo by-user-1 >/dev/null
setpriv --reuid=games --clear-groups /bin/echo no-match-1 >/dev/null
setpriv --reuid=65534 --clear-groups /bin/echo by-user-no-match-2 >/dev/null
(cd "$work/place" && dash -c '/bin/echo by-directory no-matter; true' >/dev/null)
(cd "$work/place" && bash -c '/bin/echo by-directory no-match-3; true' >/dev/null)
dash -c '/bin/echo by-directory no-match-4; true' >/dev/null
check "and what users, arguments, directories and parents select" until_true 10 ended 4
for i in a b c d; do echo >"$work/$i.in"; done
check "all runs end with their last process" until_true 15 ended 7
check "nobody is active then" bash -c "'$invigil' status --socket '$work/sock' | grep -q ' 0 runs active'"
check "no run was refused" bash -c "'$invigil' status --socket '$work/sock' | grep -q ' 0 refused'"

for word in of-github of-gitlab of-jenkins second-step third-step from-elsewhere by-selector by-user-1 no-matter; do
	check "$word is in one run" only_in_one "\"$word\""
	check "$word, daemonised or not, in no other" bash -c "[ \$(grep -l -- '$word' '$work'/runs/*.jsonl | wc -l) = 1 ]"
done
check "what is no job is nowhere" bash -c "! grep -q of-nobody '$work'/runs/*.jsonl"
check "nor what a selector does not fit whole" bash -c "! grep -q no-match- '$work'/runs/*.jsonl"
check "the second step is in the first job's run" test "$(stream_with '"second-step"')" = "$(stream_with '"of-github"')"
check "and the third" test "$(stream_with '"third-step"')" = "$(stream_with '"of-github"')"
see "the copied identity is a finding of its own run" 'len(alerts("R0.6")) == 1 and "another user" in get(alerts("R0.6")[0], "invigil.evidence")' "$(stream_with '"from-elsewhere"')"
see "near miss: whose identity it is" 'not alerts("R0.6")' "$(stream_with '"of-github"')"
check "and of no other" test "$(grep -l '"R0.6"' "$work"/runs/*.jsonl)" = "$(stream_with '"from-elsewhere"')"
check "the copied identity is not" test "$(stream_with '"from-elsewhere"')" != "$(stream_with '"of-github"')"
for i in github:71$$ gitlab:9 jenkins:73; do
	f=$(stream_with "\"of-${i%:*}\"")
	see "the ${i%:*} run begins, ends without a hole, and carries the job" \
		"get(ev[0], 'event.action') == 'run-start' and get(ev[0], 'invigil.run.kind') == 'job' and get(ev[0], 'cicd.pipeline.run.id') == '${i#*:}' and ended() and gapless()" "$f"
	see "the ${i%:*} run's status is its first process's" 'get(ev[-1], "process.exit_code") == 3' "$f"
	see "the ${i%:*} run's Perl says that no probe sees what it reads" \
		'["no probe sees what Perl reads" in get(e, "invigil.env.unseen", "") for e in action("exit") if get(e, "process.name") == "perl"] == [True] and gap("what Perl reads")' "$f"
	see "the ${i%:*} run's grandchild is in it" 'any("daemonised" in json.dumps(e) for e in action("exec"))' "$f"
done
f=$(stream_with '"of-jenkins"')
see "a signal of a run to the daemon is an attack of that run" 'len(alerts("R0.5")) == 1' "$f"
check "and of no other" test "$(grep -l 'monitor-attacked' "$work"/runs/*.jsonl)" = "$f"
check "tokens are in no stream" bash -c "! grep -qa 'planted-Kp5' '$work'/runs/*.jsonl '$work/daemon'"
see "but that one was there is known" 'any("GITHUB_TOKEN" in get(e, "invigil.exec.env_sensitive", []) for e in action("exec"))' "$(stream_with '"of-github"')"

# ---- each system's own variables, as its documentation has them (user/ci.c names the page) ----
cat >"$work/documented" <<'ROWS'
forgejo 31 - FORGEJO_ACTIONS=true GITHUB_ACTIONS=true GITHUB_RUN_ID=31 GITHUB_RUN_ATTEMPT=1 GITHUB_JOB=greeting_job
gitea 32 - GITEA_ACTIONS=true GITHUB_ACTIONS=true GITHUB_RUN_ID=32 GITHUB_RUN_ATTEMPT=1 GITHUB_JOB=Explore
github_actions 1658821493 ffac537e6cbbf934b08745a378932722df287a53 CI=true GITHUB_ACTIONS=true GITHUB_RUN_ID=1658821493 GITHUB_RUN_ATTEMPT=3 GITHUB_JOB=greeting_job GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53
gitlab 1000 1ecfd275763eff1d6b4844ea3168962458c9f27a CI=true GITLAB_CI=true CI_JOB_ID=50 CI_PIPELINE_ID=1000 CI_COMMIT_SHA=1ecfd275763eff1d6b4844ea3168962458c9f27a
jenkins 153 - BUILD_ID=153 BUILD_NUMBER=153 BUILD_TAG=jenkins-documented-153 JOB_NAME=documented NODE_NAME=master
buildkite 9e08ef3c-d6e6-4a86-91dd-577ce5205b8e 83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d CI=true BUILDKITE=true BUILDKITE_JOB_ID=e44f9784-e20e-4b93-a21d-f41fd5869db9 BUILDKITE_BUILD_ID=9e08ef3c-d6e6-4a86-91dd-577ce5205b8e BUILDKITE_COMMIT=83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d
circleci 5a1b2c3d-workflow - CI=true CIRCLECI=true CIRCLE_BUILD_NUM=70 CIRCLE_JOB=build CIRCLE_WORKFLOW_ID=5a1b2c3d-workflow CIRCLE_WORKFLOW_JOB_ID=7f8e9d-job
azure_pipelines 412 - TF_BUILD=True BUILD_BUILDID=412 BUILD_BUILDNUMBER=20261129.1 SYSTEM_JOBID=12f1170f-54f2-53f3-20dd-22fc7dff55f9 AGENT_NAME=Hosted
woodpecker 8 eba09b46064473a1d345da7abf28b477468e8dbd CI=woodpecker CI_REPO=john-doe/my-repo CI_PIPELINE_NUMBER=8 CI_WORKFLOW_NAME=release CI_COMMIT_SHA=eba09b46064473a1d345da7abf28b477468e8dbd
drone 42 bcdd4bf0245c82c060407b3b24b9b87301d15ac1 CI=true DRONE=true DRONE_REPO=octocat/hello-world DRONE_BUILD_NUMBER=42 DRONE_STAGE_NUMBER=1 DRONE_COMMIT_SHA=bcdd4bf0245c82c060407b3b24b9b87301d15ac1
teamcity 17 - TEAMCITY_VERSION=2024.03 TEAMCITY_PROJECT_NAME=documented TEAMCITY_BUILDCONF_NAME=Build BUILD_NUMBER=17
ROWS
while read -r ci _ _ vars; do
	# shellcheck disable=SC2086
	env -i PATH="$PATH" $vars /bin/echo "documented-$ci" >/dev/null
done <"$work/documented"
check "there is a row for each system that the daemon knows" test "$(wc -l <"$work/documented")" = "$(grep -c '^	{ "[a-z_]*",$' user/ci.c)"
documented_end() { f=$(stream_with "\"documented-$1\"") && grep -q '"run-end"' "$f"; }
while read -r ci id commit _; do
	check "a job of $ci ends" until_true 30 documented_end "$ci"
	[ "$commit" != - ] || commit=None
	see "it is known by the variables that are documented" \
		"get(ev[0], 'invigil.run.ci') == '$ci' and get(ev[0], 'cicd.pipeline.run.id') == '$id' and str(get(ev[0], 'vcs.ref.head.revision')) == '$commit'" "$f"
done <"$work/documented"

# ---- what a program reads before its probes are attached, and what the next one of that file reads ----
check "a program that nobody has seen before is built" gcc -static -o "$work/fresh" tests/e2e/late.c
# shellcheck disable=SC2016
GITHUB_ACTIONS=true GITHUB_RUN_ID=79 GITHUB_JOB=x sh -c '"$1" "$2"; "$1" "$2"; true' sh "$work/fresh" "$work/read" &
late=$!
check "what it reads again and again is seen" until_true 20 grep -rq '"IVG_AGAIN"' "$work/runs"
touch "$work/read"
wait $late
fresh_ends() { f=$(stream_with '"IVG_AGAIN"') && grep -q '"run-end"' "$f"; }
check "its run ends" until_true 20 fresh_ends
see "its probes came late: what is told of it says so, and once the run" \
	"all(get(e, 'invigil.env.late') is True for e in action('env-read') if get(e, 'process.pid') == get(execs('fresh')[0], 'process.pid')) and reads('IVG_AGAIN') and len([e for e in action('coverage-gap') if get(e, 'event.kind') == 'metric' and 'had started' in get(e, 'invigil.gap.reason')]) == 1" "$f"
see "near miss: the next one's were there before its first read" \
	"[(get(e, 'invigil.env.name'), get(e, 'invigil.env.late')) for e in action('env-read') if get(e, 'process.pid') == get(execs('fresh')[1], 'process.pid')] == [('IVG_FIRST', False)]" "$f"

# ---- a library that a program opens by itself: for each run its probes are attached anew ----
check "a library and who opens it are built" bash -c "gcc -o '$work/opens' tests/e2e/gate_cases.c && gcc -shared -fPIC -fno-builtin -x c -o '$work/libopened.so' - <<<'char *getenv(const char *n) { return (char *)n; }'"
for i in 1 2; do
	# shellcheck disable=SC2016
	GITHUB_ACTIONS=true GITHUB_RUN_ID=8$i GITHUB_JOB=dl sh -c '"$@"; true' sh "$work/opens" dlopen "$work/libopened.so" "IVG_OPENED_$i" "$work/opened$i" &
	opens=$!
	check "what it reads through it is seen, in run $i" until_true 20 grep -rq "\"IVG_OPENED_$i\"" "$work/runs"
	touch "$work/opened$i"
	wait $opens
	opens_ends() { f=$(stream_with "\"IVG_OPENED_$i\"") && grep -q '"run-end"' "$f"; }
	check "run $i ends" until_true 20 opens_ends
done

GITHUB_ACTIONS=true GITHUB_RUN_ID=80 GITHUB_JOB=x "$work/step" at-the-end "$work/e" &
until_true 10 test -p "$work/e.in"
until_true 10 bash -c "grep -q at-the-end '$work'/runs/*.jsonl"
check "SIGTERM ends it with 0" daemon_down
see "and the run that was active is closed" 'ended() and gapless()' "$(stream_with '"at-the-end"')"
check "its socket is gone" test ! -e "$work/sock"
check "status without a daemon is 125" status_is 125 "$invigil" status --socket "$work/sock"
echo >"$work/e.in"
wait
finish
