# jobs.sh: three CI systems' jobs under one daemon, hub, lab and jen, beside a service that is none; sourced after lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154 # its variables are those of who sources it

jobs_daemon() { # its streams: $work/runs
	mkdir "$work/runs"
	"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$work/sock" 2>"$work/daemon" &
	daemon=$!
	check "a daemon is up" until_true 30 grep -q 'watching for runs' "$work/daemon"
}
jobs_go() { # $work/job, for each with its word in $t, waits for $dir/go: their pids are in $jobs, the log's size in $from
	chmod 755 "$work/job"
	export dir=$work
	# As the vendors document them.
	t=hub CI=true GITHUB_ACTIONS=true GITHUB_RUN_ID=1658821493 GITHUB_RUN_NUMBER=3 GITHUB_RUN_ATTEMPT=1 GITHUB_JOB=build GITHUB_WORKFLOW=tests \
		GITHUB_REPOSITORY=octocat/Hello-World GITHUB_SHA=ffac537e6cbbf934b08745a378932722df287a53 GITHUB_REF_NAME=main GITHUB_EVENT_NAME=push \
		GITHUB_WORKSPACE="$work" RUNNER_NAME=runner-1 RUNNER_OS=Linux RUNNER_ARCH=X64 "$work/job" &
	jobs=($!)
	t=lab CI=true GITLAB_CI=true CI_JOB_ID=50 CI_JOB_NAME=spec:other CI_JOB_STAGE=test CI_PIPELINE_ID=1000 CI_PIPELINE_IID=10 CI_PROJECT_ID=34 \
		CI_PROJECT_PATH=gitlab-org/gitlab CI_COMMIT_SHA=1ecfd275763eff1d6b4844ea3168962458c9f27a CI_COMMIT_REF_NAME=main CI_RUNNER_ID=10 \
		CI_JOB_URL=https://gitlab.com/gitlab-examples/ci-debug-trace/-/jobs/379424655 CI_SERVER=yes "$work/job" &
	jobs+=($!)
	t=jen BUILD_ID=17 BUILD_NUMBER=17 BUILD_TAG=jenkins-hello-17 BUILD_URL=http://jenkins/job/hello/17/ JOB_NAME=hello NODE_NAME=agent-1 \
		EXECUTOR_NUMBER=0 JENKINS_URL=http://jenkins/ WORKSPACE="$work" "$work/job" &
	jobs+=($!)
	(
		until [ -e "$work/over" ]; do
			/bin/echo of-service >/dev/null
			sleep 0.1
		done
	) &
	service=$!
	for t in hub lab jen; do until_true 30 test -e "$work/$t.up"; done
	docker run --rm --name of-service-c --network none invigil/base:1 true
	check "three runs are active" until_true 30 bash -c "[ \$('$invigil' status --socket '$work/sock' | grep -c '^run ') = 3 ]"
	from=$(log_size)
	touch "$work/go"
}
jobs_over() { # they have ended: the log's size is in $to
	to=$(log_size)
	touch "$work/over"
	wait $service
	check "all runs end" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = 3 ]"
	check "there are three streams" bash -c "[ \$(ls '$work'/runs | wc -l) = 3 ]"
	check "together they are what the engine logged" /usr/bin/python3 -B tests/e2e/engine_log.py "$engine/dockerd.log" "$from" "$to" --parallel --least 50 "$work"/runs/*.jsonl
}
