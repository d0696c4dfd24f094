#!/bin/bash
# degraded.sh [CASE...]: machines that lack something, one boot for each row below; without any: all that are short.
# "long": the rest, among them those that are level 1 as a whole (tests/vm/smoke.sh), with the same hooks and findings.
set -u
cd "$(dirname "$0")/../.." || exit 1
# case		series	processors	kernel's parameters	file in its root	what runs (few and long: few.sh)
cases="lockdown	6.12	2	lockdown=confidentiality	-	few
types	6.12	2	-	-	few
no-types	6.12	2	initcall_blacklist=btf_vmlinux_init	-	few
cgroup1	6.1	2	-	cgroup-v1	few
groups	6.12	2	-	-	few
tiers-6.1	6.1	2	-	-	long
tiers-6.12	6.12	2	-	-	long
preempted	6.1	1	preempt=full	-	long
no-bpf-lsm	6.12	2	lsm=landlock,lockdown,yama,apparmor	-	level1
no-tracefs	6.1	2	-	no-tracefs	level1
one-cpu	6.12	1	-	-	level1
eight-cpus	6.12	8	-	-	level1"
dir=build/vm
passed=0 failed=0

boot() { # CASE SERIES CPUS PARAMETERS FILE WHAT
	local kernel root status
	root=$(mktemp -d)
	[ "$5" = - ] || touch "$root/$5"
	export VM_ROOT=$root VM_CPUS=$3 VM_APPEND=${4#-} VM_SECONDS=600
	if [ "$6" = level1 ]; then
		VM_CASE=$1 tests/vm/smoke.sh "$2"
	else
		read -r _ kernel < <(tests/vm/kernels.sh "$2")
		[ "$kernel" != - ] || { echo "FAIL $1: no suite serves $2"; return 1; }
		tests/vm/vmrun.sh "$kernel" build/static/invigil "$dir/vm-engine" "$dir/evade" tests/vm/few.sh -- "sh ./few.sh $1"
	fi
	status=$?
	rm -rf "$root"
	return $status
}

case ${*:-few} in
few) chosen=$(grep 'few$' <<<"$cases") ;;
long) chosen=$(grep -v 'few$' <<<"$cases") ;;
*) chosen=$(for name; do grep "^$name	" <<<"$cases" || echo "$name	none"; done) ;;
esac
tests/vm/build.sh || exit 1
while IFS=$'\t' read -r name series cpus parameters file what; do
	began=$SECONDS
	out=$(boot "$name" "$series" "$cpus" "$parameters" "$file" "$what" 2>&1 </dev/null)
	status=$?
	echo "$out"
	echo "     $name: $((SECONDS - began)) s"
	good=$(grep -c '^ok ' <<<"$out") bad=$(grep -c '^FAIL ' <<<"$out")
	bad=$((bad + $(grep -c '^SKIP ' <<<"$out"))) # nothing may be skipped in there
	if [ $status != 0 ] && [ "$bad" = 0 ] || [ $((good + bad)) = 0 ]; then
		echo "FAIL $name: ended with $status"
		bad=1
	fi
	passed=$((passed + good)) failed=$((failed + bad))
done <<<"$chosen"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
