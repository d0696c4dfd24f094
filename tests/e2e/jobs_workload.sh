#!/bin/bash
# jobs_workload.sh: as jobs.sh, with the reviewed workload itself: three CI systems run it on one engine at once under one daemon.
# long: three test suites, each with its own builds
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/jobs.sh
. "$root/tests/lib/jobs.sh"
daemons_lock
engine_up
jobs_daemon

# The reviewed workload, a copy for each job: its objects carry the job's word, its ports are its own, and so is each layer of
# its images: what three builds make of the same is one, and one removes it under the others.
nth=$(sed 's/[^0-9]//g' "$engine/bridge")
port=5
for t in hub lab jen; do
	cp -r tests/workloads/reviewed "$work/$t"
	sed -i "s/^PREFIX = .*/PREFIX = \"$t\"/; s/^# \(Serves\|Waits\)/# $t \1/" "$work/$t/provision.py"
	sed -i "s/\\b184[0-9]\([0-9]\)\\b/$((185 + nth))$port\1/" "$work/$t/servers.list"
	port=$((port + 1))
done
cat >"$work/job" <<'SH'
#!/bin/sh
# t: the word that tells this job's objects and events
touch "$dir/$t.up"
until [ -e "$dir/go" ]; do sleep 0.1; done
(setsid docker version >/dev/null)
/usr/bin/python3 -c "import os, sys; os.getenv('READ_BY_' + sys.argv[1])" "$t"
TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=planted-Jb61-secret-$t exec /usr/bin/python3 -m pytest -q -p no:cacheprovider "$dir/$t" >"$dir/$t.out" 2>&1
SH
jobs_go
for t in hub lab jen; do
	wait "${jobs[0]}"
	status=$?
	jobs=("${jobs[@]:1}")
	test_begin "the tests of $t pass"
	if [ $status = 0 ] && grep -q '^7 passed' "$work/$t.out"; then ok; else fail "$work/$t.out"; fi
done
stream() { grep -l "READ_BY_$1\"" "$work"/runs/*.jsonl; }
jobs_over
for t in hub lab jen; do
	other=$(printf '%s\n' hub lab jen | grep -v $t | paste -sd'|')
	f=$(stream $t)
	check "what $t names is in one stream" bash -c "[ \$(grep -lE '\"${t}[-/](web|store)' '$work'/runs/*.jsonl | wc -l) = 1 ]"
	see "it is whole, and ends" 'ended() and gapless() and get(ev[-1], "process.exit_code") == 0 and get(ev[-1], "invigil.run.complete") is True' "$f"
	see "it has nothing of the others" "not re.search(r'\\b($other)([-/](web|store)|\\.internal)', json.dumps(ev))" "$f"
	see "its programs, reads, containers' programs and calls are there" \
		"len([e for e in action('container-create') if get(e, 'event.outcome') == 'success']) == 2 and len(action('image-build')) == 2 and reads('READ_BY_$t') and reads('TESTSERVER_BIND_LOCAL') and len([e for e in execs() if get(e, 'process.args', []) and '/post_startup.py' in get(e, 'process.args') and get(e, 'container.id')]) >= 4" "$f"
	see "what it removes is its own" 'len([e for e in action("container-remove") + action("image-remove") if get(e, "event.outcome") == "success"]) == 4 and all(get(e, "invigil.docker.owner") == "own" for e in action("container-remove") + action("image-remove") if get(e, "event.outcome") == "success") and not [a for a in alerts() if get(a, "rule.id").startswith("R9")]' "$f"
	see "each program outside containers was made by one of the run" \
		"all(get(e, 'process.parent.entity_id') in {get(x, 'process.entity_id') for x in ev} for e in execs()[1:] if not get(e, 'container.id'))" "$f"
	see "each command of the job is there" "len(execs('docker')) == 17 and len(execs('setsid')) == 1 and len([e for e in execs() if get(e, 'process.name', '').startswith('python3')]) == 2" "$f"
	# The second server's scripts are in the builder's cache; its key is a new one.
	see "each step of its builds is told, with the container that it ran in, and none is another run's, too" \
		"len({get(e, 'container.id') for e in execs() if get(e, 'container.id') and [a for a in get(e, 'process.args', []) if a.startswith('echo \"\'') and ' | xargs echo -e > /' in a]}) == 4 and not gap('another run builds')" "$f"
	see "each object that carries its name is its own, in every call" \
		"len([e for e in ev if get(e, 'http.request.method') and get(e, 'container.name', '').startswith('$t-')]) >= 10 and all(get(e, 'invigil.docker.owner') == 'own' for e in ev if get(e, 'http.request.method') and get(e, 'container.name', '').startswith('$t-') and get(e, 'event.outcome') == 'success')" "$f"
	see "it has all nine categories" 'categories() >= {"R%d" % i for i in range(1, 10)}' "$f"
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
check "nothing of any run is left in the kernel's tables" until_true 30 bash -c "! tests/lib/kernel_left.sh $daemon runs | grep ."
tests/lib/kernel_left.sh "$daemon" runs | sed 's/^/left: /'
check "no secret is in any" bash -c "! grep -q planted-Jb61 '$work'/runs/*.jsonl '$work/daemon'"
check "the unrelated service is nowhere" bash -c "! grep -q of-service '$work'/runs/*.jsonl"
kill $daemon
wait $daemon
finish
