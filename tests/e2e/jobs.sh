#!/bin/bash
# jobs.sh: jobs of three CI systems drive one engine at once under one daemon; each event is in its own run and in no other.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/jobs.sh
. "$root/tests/lib/jobs.sh"
daemons_lock
engine_up
mkdir "$work/context"
jobs_daemon

# Each its own image: what three builds make of the same is one, and one removes it under the others.
for t in hub lab jen; do
	mkdir "$work/context/$t"
	printf 'FROM invigil/base:1\nLABEL a=%s\nRUN echo %s >/x\n' $t $t >"$work/context/$t/Dockerfile"
done
cat >"$work/job" <<'SH'
#!/bin/sh
# t: the word that tells this job's objects and events
touch "$dir/$t.up"
until [ -e "$dir/go" ]; do sleep 0.1; done
for i in 1 2; do
	docker run -d --name "$t-c$i" --network none -e "OF=$t" invigil/base:1 sleep 600 >/dev/null || exit 3
	docker exec "$t-c$i" echo "$t-inside" >/dev/null
	docker build -q -t "$t-image:$i" --build-arg "OF=$t" "$dir/context/$t" >/dev/null 2>&1 || exit 4
	(setsid docker inspect "$t-c$i" >/dev/null)
	/usr/bin/python3 -c "import os, sys; os.getenv('READ_BY_' + sys.argv[1])" "$t"
	docker rm -f "$t-c$i" >/dev/null || exit 5
	docker rmi "$t-image:$i" >/dev/null || exit 6
done
SH
jobs_go
for pid in "${jobs[@]}"; do
	wait "$pid"
	check "a job ends well" test $? = 0
done
stream() { grep -l "\"$1-c1\"" "$work"/runs/*.jsonl; }
jobs_over
for t in hub lab jen; do
	other=$(printf '%s\n' hub lab jen | grep -v $t | paste -sd'|')
	f=$(stream $t)
	check "what $t names is in one stream" bash -c "[ \$(grep -lE '\"$t-(c|image|inside)' '$work'/runs/*.jsonl | wc -l) = 1 ]"
	see "it is whole, and ends" 'ended() and gapless() and get(ev[-1], "process.exit_code") == 0 and get(ev[-1], "invigil.run.complete") is True' "$f"
	see "it has nothing of the others" "not re.search(r'\\b($other)-(c[12]|image|inside)', json.dumps(ev))" "$f"
	see "its programs, reads, containers' programs and calls are there" \
		"len(action('container-create')) == 2 and len(action('image-build')) == 2 and reads('READ_BY_$t') and [e for e in execs() if get(e, 'process.args') == ['echo', '$t-inside'] and get(e, 'container.id')]" "$f"
	see "what it removes is its own" 'len(action("container-remove")) == 2 and all(get(e, "invigil.docker.owner") == "own" for e in action("container-remove") + action("image-remove")) and not [a for a in alerts() if get(a, "rule.id").startswith("R9")]' "$f"
	see "each program outside containers was made by one of the run" \
		"all(get(e, 'process.parent.entity_id') in {get(x, 'process.entity_id') for x in ev} for e in execs()[1:] if not get(e, 'container.id'))" "$f"
	see "each command of the job is there" "len(execs('docker')) == 12 and len(execs('setsid')) == 2 and len([e for e in execs() if get(e, 'process.name', '').startswith('python3')]) == 2" "$f"
	see "each object that carries its name is its own, in every call" \
		"len([e for e in ev if get(e, 'http.request.method') and get(e, 'container.name', '').startswith('$t-c')]) >= 10 and all(get(e, 'invigil.docker.owner') == 'own' for e in ev if get(e, 'http.request.method') and get(e, 'container.name', '').startswith('$t-c'))" "$f"
done
cat >"$work/apart.py" <<'PY'
# No process, container, image or request is in two streams.
import json, sys
seen = {}
for name in sys.argv[1:]:
    for e in map(json.loads, open(name)):
        for what in (e.get("process", {}).get("entity_id"), e.get("container", {}).get("id"), e["event"]["id"]):
            if what and seen.setdefault(what, name) != name:
                sys.exit(f"{what} is in {seen[what]} and {name}: {e}")
sys.exit(len(seen) < 100)
PY
check "no process, container or event is in two runs" python3 "$work/apart.py" "$work"/runs/*.jsonl
see "the jobs are named" 'get(ev[0], "invigil.run.ci") == "github_actions" and get(ev[0], "cicd.pipeline.run.id") == "1658821493" and get(ev[0], "vcs.repository.name") == "octocat/Hello-World"' "$(stream hub)"
see "each" 'get(ev[0], "invigil.run.ci") == "gitlab" and get(ev[0], "cicd.pipeline.task.run.id") == "50" and get(ev[0], "cicd.pipeline.run.id") == "1000"' "$(stream lab)"
see "by its own" 'get(ev[0], "invigil.run.ci") == "jenkins" and get(ev[0], "cicd.pipeline.run.id") == "17" and get(ev[0], "cicd.worker.name") == "agent-1"' "$(stream jen)"
check "the unrelated service is nowhere" bash -c "! grep -q of-service '$work'/runs/*.jsonl"

# ---- two jobs that build the same step at one moment ----
mkdir "$work/context/same"
printf 'FROM invigil/base:1\nRUN : same; trap "exit 0" USR1; sleep 1000 & wait\nRUN echo word-same\n' >"$work/context/same/Dockerfile"
same_job() { # NUMBER [CONTEXT]
	CI=true GITLAB_CI=true CI_SERVER=yes CI_JOB_ID="$1" CI_PIPELINE_ID=1000 CI_PROJECT_ID=34 CI_RUNNER_ID=10 \
		timeout 120 sh -c "until [ -e '$work/go-same' ]; do sleep 0.1; done; docker build -q --no-cache -t same-$1 '$work/context/${2:-same}'" >/dev/null 2>&1
}
same_go() { # RUNS: they are watched; then all of them build
	check "$1 active" until_true 30 bash -c "[ \$('$invigil' status --socket '$work/sock' | grep -c '^run ') = $1 ]"
	touch "$work/go-same"
}
same_step() { [ "$(docker ps -q | wc -l)" = 2 ] && [ "$(grep -l 'another run builds the same step' "$work"/runs/*.jsonl | wc -l)" = 2 ]; }
same_job 61 &
jobs=($!)
same_job 62 &
jobs+=($!)
same_go 2
# A shell that has not come to its trap yet is asked again.
steps_end() { docker ps -q | xargs -r docker kill -s USR1 && ! docker ps -q | grep -q .; }
check "both are at the step, and both say that it is the other's, too" until_true 30 same_step
until_true 30 steps_end
for pid in "${jobs[@]}"; do
	wait "$pid"
	check "a job that builds ends well" test $? = 0
done
told() { grep -hF '"action":"exec"' "$work"/runs/*.jsonl | grep -cF '"echo word-same"'; }
check "these runs end" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = 5 ]"
check "what the step executed is told by neither" test "$(told)" = 0
rm "$work/go-same"
same_job 63 &
job=$!
same_go 1
until_true 30 bash -c '[ -n "$(docker ps -q)" ]'
until_true 30 steps_end
wait "$job"
check "and that of one job alone ends" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = 6 ]"
check "near miss: it is told, once" test "$(told)" = 1
see "a run that wakes the daemon is told what was not seen of its first moments" 'gap("after the run had begun")' "$(grep -l '"same-63"' "$work"/runs/*.jsonl)"
see "near miss: one that begins while another is active is not" 'ended() and not gap("after the run had begun")' "$(grep -L 'after the run had begun' "$work"/runs/*.jsonl | head -1)"

# ---- two jobs whose steps differ in a secret alone ----
secret() { printf "ghp_Vq7%s$1" "$(printf '0%.0s' $(seq 32))"; }
for t in a b; do
	mkdir "$work/context/secret-$t"
	printf 'FROM invigil/base:1\nRUN case %s in *a) w=word-of-a;; *) w=word-of-b;; esac; trap "trap : USR1; /bin/echo $w; exit 0" USR1; sleep 1000 & wait\n' \
		"$(secret $t)" >"$work/context/secret-$t/Dockerfile"
done
rm "$work/go-same"
same_job 71 secret-a &
jobs=($!)
same_job 72 secret-b &
jobs+=($!)
same_go 2
both_wait() { [ "$(docker ps -q | wc -l)" = 2 ]; }
until_true 30 both_wait
until_true 30 steps_end
for pid in "${jobs[@]}"; do
	wait "$pid"
	check "a job whose step has a secret ends well" test $? = 0
done
check "these two end" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = 8 ]"
of_step() { # NAME OWN OTHER JOB
	local f
	f=$(grep -l "\"same-$4\"" "$work"/runs/*.jsonl)
	see "$1 has its step, by the secret in it, and not the other's" \
		"len([e for e in execs() if get(e, 'process.args', [])[1:] == ['word-of-$2'] and get(e, 'container.id')]) == 1 and not [e for e in execs() if get(e, 'process.args', [])[1:] == ['word-of-$3']]" "$f"
	see "and it is nobody else's" 'ended() and gapless() and not gap("another run builds")' "$f"
}
of_step one a b 71
of_step "the other" b a 72
check "neither secret is anywhere" bash -c "! grep -q ghp_Vq7 '$work'/runs/*.jsonl '$work/daemon'"
check "nothing of any run is left in the kernel's tables" until_true 30 bash -c "! tests/lib/kernel_left.sh $daemon runs | grep ."
tests/lib/kernel_left.sh "$daemon" runs | sed 's/^/left: /'
docker rmi -f same-61 same-62 same-63 same-71 same-72 >/dev/null 2>&1
# A program that asks at once may have asked before the hooks were there: then its connect is told, and how long they took.
CI=true GITLAB_CI=true CI_SERVER=yes CI_JOB_ID=73 CI_PIPELINE_ID=1000 CI_PROJECT_ID=34 CI_RUNNER_ID=10 \
	curl -s --unix-socket "$engine/docker.sock" 'http://localhost/_ping?at=once' >/dev/null
check "a run that wakes the daemon and asks at once ends" until_true 30 bash -c "[ \$(grep -c ' ended: ' '$work/daemon') = 9 ]"
see "what it asks is decoded, or its connect is told and that its calls may be missing" \
	'len(action("docker-socket-connect")) == 1 and gap("after the run had begun") and [get(e, "url.query") for e in action("engine-ping")] in ([], ["at=once"])' \
	"$(grep -l '"curl"' "$work"/runs/*.jsonl)"
kill $daemon
wait $daemon
finish
