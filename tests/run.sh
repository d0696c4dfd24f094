#!/bin/bash
# run.sh: every test of `make check`; ends with one line that counts them.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0 skipped=0
seconds=${FUZZ_SECONDS:-20}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

note() { # STATUS NAME LOG
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok    $2"
	else
		failed=$((failed + 1))
		echo "FAIL  $2"
		tail -n 40 "$3"
	fi
}

echo "== unit"
for t in build/unit/test_*; do
	[ -x "$t" ] || continue
	"$t" >"$log/out" 2>&1
	status=$?
	# cmocka says how many tests it ran
	n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log/out" | head -1)
	bad=$(sed -n 's/^ *\([0-9]*\) FAILED TEST.*/\1/p' "$log/out" | head -1)
	passed=$((passed + ${n:-0}))
	failed=$((failed + ${bad:-0}))
	if [ $status != 0 ]; then
		[ -n "$bad" ] || failed=$((failed + 1))
		echo "FAIL  $t"
		grep -E 'FAILED|ERROR|error|runtime' "$log/out" | head -n 30
	else
		echo "ok    $t (${n:-0})"
	fi
done

echo "== fuzz (${seconds} s each)"
for f in build/fuzz/fuzz_*; do
	[ -x "$f" ] || continue
	name=$(basename "$f")
	mkdir -p "$log/$name"
	"$f" -max_total_time="$seconds" -max_len=16384 -print_final_stats=1 "$log/$name" >"$log/out" 2>&1
	note $? "$name" "$log/out"
done

echo "== lint"
tests/lint.sh >"$log/out" 2>&1
note $? lint "$log/out"

echo "== end to end"
for t in tests/e2e/*.sh; do
	[ "$(basename "$t")" = lib.sh ] && continue
	timeout 300 bash "$t" >"$log/out" 2>&1
	status=$?
	grep -E '^(ok|FAIL|not ok|SKIP)' "$log/out"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/out" | tail -1)
	p=$(echo "$line" | sed -n 's/^\([0-9]*\) passed.*/\1/p')
	f=$(echo "$line" | sed -n 's/.* \([0-9]*\) failed.*/\1/p')
	s=$(echo "$line" | sed -n 's/.* \([0-9]*\) skipped.*/\1/p')
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-0}))
	skipped=$((skipped + ${s:-0}))
	if [ -z "$line" ] || { [ $status != 0 ] && [ "${f:-0}" = 0 ]; }; then
		failed=$((failed + 1))
		echo "FAIL  $t ended with $status"
	fi
	if [ $status != 0 ]; then tail -n 60 "$log/out"; fi
	echo "      $t: ${line:-no count}"
done

echo "== another kernel"
tests/vm/smoke.sh >"$log/out" 2>&1
note $? "vm-smoke (Debian's 6.1 in qemu)" "$log/out"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
