#!/bin/bash
# tiers.sh: each way to read the engine's bytes that this kernel has gives the same calls and findings; what one cannot read it says.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
sock=$engine/docker.sock
log=$engine/dockerd.log
client="/usr/bin/python3 -B $root/tests/e2e/raw_client.py"
check "the client builds" gcc -O2 -Wall -Wextra -Werror -pthread -o "$work/evade" tests/e2e/evade.c
cat >"$work/session" <<SH
set -e
docker create --name tier --privileged -v /etc:/h -e DB_PASSWORD=geheim-und-lang-77 $base true >/dev/null
docker run --rm --network host $base true
docker rm tier >/dev/null
docker rm never-was 2>/dev/null || true
$client '$sock' framing $base
SH
ways=$("$work/evade")
cat >"$work/all" <<SH
for w in $(echo $ways); do
	"$work/evade" "$sock" \$w
	[ \$? != 77 ] || echo "\$w" >>"$work/refused"
done
true
SH
cat >"$work/findings.py" <<'PY'
"""What a stream found: rules with their evidence, in one order."""
import json, sys
rows = set()
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    if e["event"]["kind"] == "alert":
        rows.add((e["rule"]["id"], e["invigil"]["evidence"]))
    for f in e["invigil"].get("findings", []):
        rows.add((f["rule"], f.get("evidence", "")))
print("\n".join("%s %s" % r for r in sorted(rows) if r[0][:2] in ("R6", "R7", "R8", "R9")))
PY
first=
# All that the program has words for.
tiers=$("$invigil" run --engine-bytes none-such -- true 2>&1 | sed -n 's/.*(one of \(.*\))$/\1/p')
check "the program has at least three of them" sh -c "set -- $tiers; [ \$# -ge 3 ]"
bytes() { "$invigil" check "$@" 2>/dev/null | grep '^engine bytes'; }
best() { # the first that works, as it is listed
	for tier in $tiers; do
		bytes --engine-bytes $tier | grep -v 'not covered' && return
	done
}
check "the one that check tells is the first that works here" bash -c "diff <(printf '%s\n' \"\$1\") <(printf '%s\n' \"\$2\")" - "$(bytes)" "$(best)"
for tier in $tiers; do
	if "$invigil" check --engine-bytes $tier | grep -q '^engine bytes *not covered'; then
		check "$tier: asked for where it does not work, nothing is started" status_is 125 run --engine-bytes $tier -- touch "$work/started"
		check "$tier: nothing was" test ! -e "$work/started"
		continue
	fi
	from=$(log_size)
	check "$tier: a session" run -q --engine-bytes $tier -- sh "$work/session"
	check "$tier: its calls are what the engine logged" /usr/bin/python3 -B tests/e2e/engine_log.py "$log" "$from" "$(log_size)" --least 80 "$ev"
	/usr/bin/python3 "$work/findings.py" "$ev" | sed 's/[0-9a-f]\{12,64\}/ID/g' >"$work/$tier.findings"
	see "$tier: privileged, /etc and a password in the environment" 'alerts("R6.1") and alerts("R6.3") and alerts("R6.9")'
	if [ -z "$first" ]; then
		first=$tier
	else
		check "$tier: the findings are those of $first" diff "$work/$first.findings" "$work/$tier.findings"
	fi
	: >"$work/refused"
	run -q --engine-bytes $tier -- sh "$work/all"
	# What no system call with a buffer has moved is not seen there, as \`invigil check\` says.
	unseen=
	[ $tier != syscall ] || unseen="sendmmsg int80 uring sqpoll"
	see "$tier: of each way the request is decoded, or it is said that its bytes were not readable" \
		"not (set('$(echo $ways)'.split()) - set('$unseen'.split()) - set('$(tr '\n' ' ' <"$work/refused")'.split()) -
		{get(e, 'url.query', '=').split('=')[1] for e in action('engine-ping')} -
		{get(e, 'process.args')[2] for e in action('stream-cut') if get(e, 'process.name') == 'evade'})"
done
test_begin "this kernel has at least two of them to compare"
if [ -n "$(find "$work" -name '*.findings' | sed -n 2p)" ]; then ok; else skip "only ${first:-none}"; fi

# ---- what is attached for a run is so from its start to its end ----
links() { # of the run's monitor: their ids
	awk '/^link_id/ { print $2 }' "/proc/$("$root/tests/lib/ours.sh" "$ev" invigil-monitor)"/fdinfo/* 2>/dev/null | sort -u
}
attached() { # FILE: how many of the ids in it are there
	local id n=0
	while read -r id; do
		! "${BPFTOOL:-/usr/sbin/bpftool}" link show id "$id" >/dev/null 2>&1 || n=$((n + 1))
	done <"$1"
	echo $n
}
gone() { [ "$(attached "$work/links")" = 0 ]; }
rm -f "$ev"
timeout 120 "$invigil" run -q -o "$ev" -- sh -c ': >"$1.up"; until [ -e "$1.go" ]; do sleep 0.1; done' sh "$work/at" 2>"$work/err" &
held=$!
until_true 30 test -e "$work/at.up"
links >"$work/links"
check "while a run goes on its hooks are attached" test "$(attached "$work/links")" -gt 10
touch "$work/at.go"
check "the run ends" wait $held
# (It detaches when its stream is written already.)
check "and none of them is left" until_true 20 gone
finish
