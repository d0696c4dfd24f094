#!/bin/bash
# workload.sh: the reviewed workload under `invigil run`, on this machine or inside of a virtual one: says its findings, in one order.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
engine_up
from=$(log_size)
# shellcheck disable=SC2046
TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=planted-Rt77-secret-value check "the reviewed workload passes" run -- $(suite reviewed)
see "nine categories have a finding or evidence" 'categories() >= {"R%d" % i for i in range(1, 10)}'
see "every API request, as the engine logged it" 'same(calls(), engine_log("'"$engine/dockerd.log"'", '"$from"', '"$(log_size)"'))'
see "processes of containers are there" 'any("container" in e for e in execs())'
see "the run is complete, without a hole" 'ended() and gapless() and get(ev[-1], "invigil.run.complete") is True'
check "its findings can be said" python3 tests/vm/findings.py "$ev" "$work"
cat "$work/why"
finish
