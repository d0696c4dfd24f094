#!/bin/bash
# workload.sh: the reviewed test suite has something in each category, counted exactly; the harmless one raises nothing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
planted=planted-Rt77-secret-value-$$

export TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=$planted
counter=
if perf stat -e sched:sched_process_exec -x, -o "$work/perf" true 2>/dev/null && grep -q '^[0-9]' "$work/perf"; then
	counter="perf stat -e sched:sched_process_exec -x, -o $work/perf"
fi
rm -f "$work/perf"
from=$(log_size)
# shellcheck disable=SC2046,SC2086
check "the reviewed workload passes under invigil" run --record "$work/rec" -- $counter $(suite reviewed)
to=$(log_size)
for i in 1 2 3 4 5 6 7 8 9; do
	see "R$i has a finding or evidence" "'R$i' in categories()"
done
see "TESTSERVER_BIND_LOCAL is read there, by Python" 'any(r["found"] is True and r["mechanism"] == "python" for r in reads("TESTSERVER_BIND_LOCAL"))'
for r in R1.2 R1.3 R2.4 R5.1 R5.2 R6.7 R6.9 R6.10 R7.5 R8.2; do
	see "$r is an alert" "len(alerts('$r')) > 0"
done
for r in R1.1 R3.1 R4.1 R6.12 R7.1 R8.1 R9.1; do
	see "$r is evidence" "len(evidence('$r')) > 0"
done
see "commands are lists without a shell and objects its own: R3, R4 and R9 are evidence only" \
	'not [a for a in alerts() if get(a, "rule.id")[:2] in ("R3", "R4", "R9")]'
see "nothing foreign is touched" 'not alerts("R9.2") and not alerts("R9.3") and not alerts("R8.3")'
see "every API request, as the engine logged it" 'same(calls(), engine_log("'"$engine/dockerd.log"'", '"$from"', '"$to"'))'
if [ -n "$counter" ]; then
	# perf forks and counts what its child's tree executes; perf itself and what runs in containers is apart.
	want=$(awk -F, '/sched_process_exec/ { print $1 }' "$work/perf")
	see "exec events equal perf's count, $want" \
		'(lambda n: n == '"${want:-0}"' or print("stream:", n))(len([e for e in execs() if "container" not in e and get(e, "process.name") != "perf" and "runtime" not in get(e, "invigil.exec.roles", [])]))'
	see "and there are execs in containers too" 'any("container" in e for e in execs())'
else
	test_begin "exec events equal perf's count"
	skip "perf cannot count sched:sched_process_exec here"
fi
check "the planted secret is not in the stream" bash -c "! grep -qa '$planted' '$ev'"
check "nor in the recording" bash -c "! grep -qa '$planted' '$work/rec'"
check "nor in base64" bash -c "b=\$(printf %s '$planted' | base64); ! grep -qa \"\${b:0:20}\" '$ev' '$work/rec'"
see "but where it stood is said" '"<redacted:" in json.dumps(ev)'
see "the run is complete, without a hole" 'ended() and gapless() and get(ev[-1], "invigil.run.complete") is True and get(ev[-1], "event.outcome") == "success"'
check "the summary has nine categories" bash -c "[ \$(grep -cE '\bR[1-9]\b' '$work/err') -ge 9 ]"
check "it replays byte for byte" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
check "containers and images are gone" bash -c "[ -z \"\$(docker ps -aq)\" ] && ! docker images | grep -q ^ivgtest"

unset TESTSERVER_BIND_LOCAL TESTSERVER_API_TOKEN
# shellcheck disable=SC2046
check "without TESTSERVER_BIND_LOCAL it passes too" run -- $(suite reviewed)
see "the read is there, and was not found" 'any(r["found"] is False for r in reads("TESTSERVER_BIND_LOCAL"))'
see "near miss: without a token there is no R1.3 and no secret in Env" 'not alerts("R1.3") and not any("API_TOKEN" in json.dumps(e) for e in alerts("R6.9"))'

from=$(log_size)
# shellcheck disable=SC2046
check "the harmless workload passes under invigil" run --fail-on medium -- $(suite harmless)
to=$(log_size)
see "no alert of medium or above" 'not [e for e in alerts() if get(e, "event.severity", 0) >= 47] or print({get(e, "rule.id"): get(e, "invigil.evidence") for e in alerts()})'
see "no log finding, no link, no mutable tag" 'not alerts("R5.1") and not alerts("R5.2") and not alerts("R6.10") and not alerts("R6.11")'
see "R6.12, near miss: all its containers are limited" 'not any(f.get("rule") == "R6.12" and "limit" in json.dumps(f) for e in ev for f in get(e, "invigil.findings", []))'
see "every API request, as the engine logged it" 'same(calls(), engine_log("'"$engine/dockerd.log"'", '"$from"', '"$to"'))'
see "it is complete" 'ended() and get(ev[-1], "invigil.run.complete") is True'
finish
