#!/bin/bash
# smoke.sh [SERIES]: level 1 on Debian's stock kernel of that series (6.1) in qemu, or on this machine's own (host): every
# hook loads, attaches and fires as hooks.tsv says, and the findings are the host's. UPDATE=--update writes the tables.
# ARCH=arm64: on that architecture's, cross built.
set -u
cd "$(dirname "$0")/../.." || exit 1
series=${1:-6.1}
arch=${ARCH:-}
dir=build/vm${arch:+-$arch}
binary=build/${arch:+$arch-}static
# Under sudo nothing of root's stays in the tree.
trap '[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build' EXIT
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
name=$series${arch:+-$arch}${VM_CASE:+-$VM_CASE} # of a boot of tests/vm/degraded.sh
tests/vm/build.sh || exit 1
VM_SECONDS=${VM_SECONDS:-600} tests/vm/vmrun.sh "$kernel" "$binary/invigil" "$dir/vm-engine" tests/vm/inside.sh -- "sh ./inside.sh" >"$dir/out-$name" 2>&1
grep -v '^{\|^CHECK' "$dir/out-$name" | cut -c1-300
failed=0
python3 tests/vm/level1.py ${UPDATE:-} "$series" <"$dir/out-$name" | sed "s/^\(ok  \|FAIL\) /&$name: /"
[ "${PIPESTATUS[0]}" = 0 ] || failed=1
if sed -n 's/^CHECK //p' "$dir/out-$name" | python3 tests/lib/verified.py ${UPDATE:-}; then
	echo "ok   $name: its verifier walks no more than the table says"
else
	echo "FAIL $name: its verifier walks no more than the table says"
	failed=1
fi
# As make lint does it with this machine's own: vmlinux/ describes newer kernels, with flavours for older ones.
if [ "$arch/$series" = arm64/6.12 ]; then
	if python3 tests/lib/image_btf.py "$kernel" "$dir/btf" && python3 tests/lib/kernel_types.py "$dir/btf" arm64; then
		echo "ok   $series $arch: vmlinux/ is what this kernel has"
	else
		echo "FAIL $series $arch: vmlinux/ is what this kernel has"
		failed=1
	fi
fi
exit $failed
