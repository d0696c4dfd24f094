#!/bin/bash
# run.sh [long]: every test of `make check`, two jobs side by side; ends with one line that counts them.
# A script that fails is tried once more when all others are over, with nothing beside it: dozens of them wait for a kernel, an
# Engine and emulated machines. What its first try said is shown whole ("| "), and that it needed two is said before the last
# line. Unit tests, fuzzers and lint, which wait for nothing, have one try.
# "long": those of `make check-long` instead, the scripts that say "# long:" and why.
set -u
cd "$(dirname "$0")/.." || exit 1
# Under sudo the tree is somebody else's, and what root executes from it is a finding (R3.2): a copy of root's own is tested.
if [ "$(id -u)" = 0 ] && [ "$(stat -c %u .)" != 0 ]; then
	copy=$(mktemp -d)
	trap 'rm -rf "$copy"' EXIT
	chmod 755 "$copy"
	cp -r --preserve=mode,timestamps,links . "$copy/tree"
	env -u SUDO_UID -u SUDO_GID -u SUDO_USER -u SUDO_COMMAND "$copy/tree/tests/run.sh" "$@"
	exit
fi
passed=0 failed=0 skipped=0
seconds=${FUZZ_SECONDS:-20}
log=$(mktemp -d)
export RULES_SEEN=$log/rules # written by tests/e2e/q.py
: >"$RULES_SEEN"
declare -A job=() began=() words=() first=()
unsteady=()
# Each job is a process group of its own, so that all of it can be ended.
set -m

leave() {
	for pid in "${!job[@]}"; do kill -TERM -- "-$pid" 2>/dev/null; done
	wait
	rm -rf "$log"
}
trap leave EXIT
trap 'exit 130' INT TERM HUP

count() { # PASSED FAILED: the line that every job ends with
	echo "$1 passed, $2 failed, 0 skipped"
	[ "$2" = 0 ]
}
single() { # NAME COMMAND...: a job that is one test
	local name=$1
	shift
	if "$@"; then
		echo "ok   $name"
		count 1 0
	else
		echo "FAIL $name ended with $?"
		count 0 1
	fi
}
unit() {
	local t status n bad good=0 wrong=0
	for t in build/unit/test_*; do
		[ -x "$t" ] || continue
		"$t" >"$log/test" 2>&1
		status=$?
		# cmocka says how many tests it ran
		n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log/test" | head -1)
		bad=$(sed -n 's/^ *\([0-9]*\) FAILED TEST.*/\1/p' "$log/test" | head -1)
		[ $status = 0 ] || bad=${bad:-1}
		good=$((good + ${n:-0}))
		wrong=$((wrong + ${bad:-0}))
		if [ -n "$bad" ]; then
			echo "FAIL $t"
			grep -vE '^\[ (RUN|      OK) ' "$log/test"
		else
			echo "ok   $t (${n:-0})"
		fi
	done
	count $good $wrong
}
fuzz() { # NAME
	python3 tests/fuzz/seeds.py "$1" "$log/corpus/$1"
	single "$1 ($seconds s)" "build/fuzz/$1" -max_total_time="$seconds" -max_len=16384 -print_final_stats=1 \
		-artifact_prefix="$log/corpus/" "$log/corpus/$1"
}

# All kernels by VM_KERNELS="5.10 6.1 6.12 6.18 newest"; the binary is built once, then a machine at a time.
vm() { # shellcheck disable=SC2086
	tests/vm/vmtest.sh host ${VM_KERNELS:-6.1 6.12 newest}
}

# A job that ended: what it said, whole when it failed, and its count; no count is a failure.
collect() {
	local pid status line name p f s
	wait -n -p pid
	status=$?
	name=${job[$pid]}
	unset "job[$pid]"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log/$name.out" | tail -1)
	IFS=' ,' read -r p _ f _ s _ <<<"${line:-0 passed, 0 failed, 0 skipped}"
	echo "== $name: ${line:-no count}, $((SECONDS - began[$pid])) s"
	if [ $status = 0 ] && [ -n "$line" ]; then
		grep -E '^(ok|FAIL|SKIP) ' "$log/$name.out"
		[ -z "${first[$name]:-}" ] || unsteady+=("$name")
	elif [ -n "${words[$name]:-}" ]; then
		first[$name]=${words[$name]}
		unset "words[$name]"
		sed 's/^/| /' "$log/$name.out"
		echo "| it ended with $status, and is tried again at the end"
		return
	else
		cat "$log/$name.out"
		if [ -z "$line" ] || [ "$f" = 0 ]; then
			f=$((f + 1))
			echo "FAIL $name ended with $status"
		fi
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
tried() { # NAME COMMAND...: a job that is tried again when it fails
	words[$1]=$(printf '%q ' "$@")
	start "$@"
}
start() { # NAME COMMAND...
	local name=$1
	shift
	while [ ${#job[@]} -ge 2 ]; do collect; done
	"$@" >"$log/$name.out" 2>&1 </dev/null &
	job[$!]=$name
	began[$!]=$SECONDS
}
all_collect() {
	while [ ${#job[@]} -gt 0 ]; do collect; done
}

# "# alone:" in a script says why nothing else may run beside it.
is_long() { grep -q '^# long:' "$1"; }
is_alone() { grep -q '^# alone:' "$1"; }
script() { tried "${1##*/}" timeout "$limit" bash "$1"; }

scripts=
if [ "${1:-}" = long ]; then
	limit=7200
	tried vm-level2 tests/vm/level2.sh
	tried vm tests/vm/vmtest.sh 5.10 6.18
	tried vm-arm64 env ARCH=arm64 tests/vm/vmtest.sh 6.1 6.12
	tried degraded tests/vm/degraded.sh long
	tried vm-caps tests/vm/caps.sh
	for t in tests/e2e/*.sh; do ! is_long "$t" || scripts="$scripts $t"; done
else
	limit=600
	start unit unit
	tried vm vm
	for f in build/fuzz/fuzz_*; do
		[ ! -x "$f" ] || start "${f##*/}" fuzz "${f##*/}"
	done
	start lint single lint tests/lint.sh
	tried degraded tests/vm/degraded.sh
	tried vm-lines single "source lines on Debian's 6.1 in qemu" tests/vm/lines.sh
	for t in tests/e2e/*.sh; do
		[ "$t" = tests/e2e/lib.sh ] || is_long "$t" || scripts="$scripts $t"
	done
fi
for t in $scripts; do is_alone "$t" || script "$t"; done
all_collect
for t in $scripts; do
	is_alone "$t" || continue
	script "$t"
	all_collect
done

for t in "${!first[@]}"; do
	echo "== $t once more, alone"
	eval "start ${first[$t]}"
	all_collect
done

# Every rule that is detected: one real run has fired it, and in one it was looked for and had not fired.
rules_matrix() {
	local rule kind missing good=0 wrong=0
	for kind in fired quiet; do
		missing=
		for rule in $(build/invigil risks | sed -n '/not detected/d; s/^  \(R[0-9]*\.[0-9]*\) .*/\1/p'); do
			grep -qx "$kind $rule" "$RULES_SEEN" || missing="$missing $rule"
		done
		if [ -z "$missing" ]; then
			good=$((good + 1))
			echo "ok   rules $kind in real runs"
		else
			wrong=$((wrong + 1))
			echo "FAIL rules never $kind in a real run:$missing"
		fi
	done
	count $good $wrong
}
if [ "${1:-}" != long ]; then
	start rules rules_matrix
	all_collect
fi

[ ${#unsteady[@]} = 0 ] || echo "failed at first, passed at the second try: ${unsteady[*]}"
echo "all of it took $SECONDS s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
