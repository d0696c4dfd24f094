#!/bin/bash
# smoke.sh [SERIES]: level 1 on Debian's stock kernel of that series (6.1) in qemu, or on this machine's own (host): every
# hook loads, attaches and fires as hooks.tsv says, and the findings are the host's. UPDATE=--update writes the tables.
set -u
cd "$(dirname "$0")/../.." || exit 1
series=${1:-6.1}
dir=build/vm
# Under sudo nothing of root's stays in the tree.
trap '[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build' EXIT
mkdir -p "$dir"
kernel=host
if [ "$series" != host ]; then
	read -r series kernel < <(tests/vm/kernels.sh "$series")
	if [ "${kernel:--}" = - ]; then
		case $series in
		6.1 | 6.12) echo "FAIL $series: no suite serves this kernel" && exit 1 ;;
		esac
		echo "SKIP $series: no suite serves this kernel any more"
		exit 77
	fi
fi
make --no-print-directory STATIC=1 B=build/static build/static/invigil >/dev/null || exit 1
gcc -D_GNU_SOURCE -static -O2 -Wall -Wextra -Werror -o "$dir/vm-engine" tests/vm/engine.c || exit 1
VM_SECONDS=300 tests/vm/vmrun.sh "$kernel" build/static/invigil "$dir/vm-engine" tests/vm/inside.sh -- "sh ./inside.sh" >"$dir/out-$series" 2>&1
grep -v '^{\|^CHECK' "$dir/out-$series" | cut -c1-300
failed=0
python3 tests/vm/level1.py ${UPDATE:-} "$series" <"$dir/out-$series" | sed "s/^\(ok  \|FAIL\) /&$series: /"
[ "${PIPESTATUS[0]}" = 0 ] || failed=1
if sed -n 's/^CHECK //p' "$dir/out-$series" | python3 tests/lib/verified.py ${UPDATE:-}; then
	echo "ok   $series: its verifier walks no more than the table says"
else
	echo "FAIL $series: its verifier walks no more than the table says"
	failed=1
fi
exit $failed
