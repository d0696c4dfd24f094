#!/bin/bash
# caps.sh: what tests/e2e/privilege.sh cannot show on this machine's kernel: without CAP_SYS_ADMIN Debian's 6.1 lets no probe be
# attached late. The same program boots twice, the second time it does not ask whether perf_event_open wants it.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=build/vm
passed=0 failed=0
say() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then
		echo "ok   6.1: $what"
		passed=$((passed + 1))
	else
		echo "FAIL 6.1: $what"
		grep -v '^{' "$dir/out-caps" | tail -n 20
		failed=$((failed + 1))
	fi
}
read -r _ kernel < <(tests/vm/kernels.sh 6.1)
[ "$kernel" != - ] || { echo "FAIL 6.1: no suite serves it" && echo "0 passed, 1 failed, 0 skipped" && exit 1; }
tests/vm/build.sh || exit 1
# Without the one line that asks.
sed 's/^\treturn !feature_works(FEAT_UPROBE_MULTI).*/\treturn level < 0 \&\& p == PRIVILEGE_DAEMON;/' user/privilege.c >"$dir/without.c"
flags=$(cat build/static/flags)
objects=$(printf '%s\n' user/*.c user/detect/*.c | sed 's,^user/\(.*\)\.c$,build/static/\1.o,' | grep -vx build/static/privilege.o | tr '\n' ' ')
# shellcheck disable=SC2086,SC2046
! cmp -s user/privilege.c "$dir/without.c" && $flags -c -o "$dir/without.o" "$dir/without.c" &&
	$flags -o "$dir/without" $objects "$dir/without.o" $(grep -oE -- ' -l[a-z]+' <<<"$flags") || exit 1
VM_SECONDS=${VM_SECONDS:-600} tests/vm/vmrun.sh "$kernel" build/static/invigil "$dir/without" "$dir/vm-engine" -- '
for which in ./invigil ./without; do
	./vm-engine serve >/tmp/ready &
	server=$!
	until grep -q ready /tmp/ready || ! kill -0 $server; do sleep 0.1; done
	VM_SMOKE_READ=1 $which run -q -o /tmp/ev -- ./vm-engine ask
	echo "STATUS $which $?"
	sed "s,^,$which ," /tmp/ev
	kill $server; wait $server; rm -f /tmp/ready /tmp/ev
done' >"$dir/out-caps" 2>&1
of() { grep "^$1 {" "$dir/out-caps"; }
reads() { of "$1" | grep -q '"env":{"name":"VM_SMOKE_READ"'; }
say "as it is reads are seen" reads ./invigil
say "without CAP_SYS_ADMIN no more" bash -c "! grep '^./without {' $dir/out-caps | grep -q '\"env\":{\"name\":\"VM_SMOKE_READ\"'"
say "near miss: what was attached before is" bash -c "grep '^./without {' $dir/out-caps | grep -q '\"action\":\"exec\"'"
say "and what is missing is said" bash -c "grep '^./without {' $dir/out-caps | grep '\"coverage-gap\"' | grep -q 'environment reads'"
say "both pass the status on" test "$(grep -c '^STATUS ./.* 0$' "$dir/out-caps")" = 2
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
