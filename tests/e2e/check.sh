#!/bin/bash
# check.sh: check, risks, version and help say what they should.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

json() { # FILE EXPRESSION over d
	python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(0 if eval(sys.argv[2]) else 1)' "$@"
}
status_is 0 "$invigil" check >/dev/null || status_is 1 "$invigil" check >/dev/null
check "check says it can trace here" bash -c "'$invigil' check >'$work/check'; [ \$? -le 1 ]"
check "in words" test -s "$work/check"
check "and in JSON" bash -c "'$invigil' check --format json >'$work/json'; [ \$? -le 1 ]"
check "every required hook is covered" json "$work/json" 'd["hooks"] and all(h["covered"] for h in d["hooks"] if h["required"])'
check "what is not covered says its effect" json "$work/json" 'all(h["effect"] for h in d["hooks"] if not h["covered"])'
check "the verifier walks no more than the table says" bash -c "python3 tests/lib/verified.py <'$work/json'"
# CPU time, because this machine may be busy; the best of a few, because caches may be cold.
quick() {
	for _ in 1 2 3; do
		"$invigil" check --format json >"$work/json"
		json "$work/json" 'd["load_cpu_us"] < 500000' && return
	done
	grep -o '"load_cpu_us":[0-9]*' "$work/json"
	return 1
}
check "all programs load in half a second" quick
check "an unknown format is 125" status_is 125 "$invigil" check --format xml
check "risks" bash -c "'$invigil' risks >'$work/risks'"
for i in 1 2 3 4 5 6 7 8 9; do
	check "category R$i has rules" grep -q "R$i\.1\b" "$work/risks"
done
for n in environment-read encoded-payload command-execution piped-shell log-exposure container-config name-disclosure \
	docker-control docker-removal; do
	check "$n" grep -q "$n" "$work/risks"
done
check "risks in JSON" bash -c "'$invigil' risks --format json | python3 -m json.tool >'$work/json'"
check "with R6.1 critical" grep -q 'R6\.1"' "$work/json"
check "risks in markdown" bash -c "'$invigil' risks --format markdown | grep -q '^|'"
check "version" bash -c "'$invigil' version | grep -qE '[0-9]+\.[0-9]+'"
check "help" bash -c "'$invigil' help | grep -q replay"
for c in run replay risks check; do
	check "help $c equals $c --help" bash -c "cmp <('$invigil' help $c 2>&1) <('$invigil' $c --help 2>&1) && '$invigil' help $c 2>&1 | grep -q ."
done
finish
