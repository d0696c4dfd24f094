#!/bin/bash
# vmtest.sh [SERIES...]: level 1 on each kernel, one after the other, and how long each took; without any: all that Debian serves.
# ARCH=arm64: on that architecture's, and its CPython and Go (runtimes.sh).
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0 skipped=0
[ $# != 0 ] || set -- 5.10 6.1 6.12 6.18 newest
for series; do
	began=$SECONDS
	out=$(tests/vm/smoke.sh "$series" 2>&1)
	status=$?
	if [ "${ARCH:-}" = arm64 ]; then
		out+=$'\n'$(tests/vm/runtimes.sh "$series" 2>&1) || status=1
	fi
	echo "$out"
	echo "     $series: $((SECONDS - began)) s"
	passed=$((passed + $(grep -c '^ok ' <<<"$out")))
	bad=$(grep -c '^FAIL ' <<<"$out")
	if [ $status = 77 ]; then
		skipped=$((skipped + 1))
	elif { [ $status != 0 ] && [ "$bad" = 0 ]; } || grep -q '^SKIP ' <<<"$out"; then
		echo "FAIL $series: ended with $status"
		bad=1
	fi
	failed=$((failed + bad))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
