#!/bin/bash
# runtimes.sh [SERIES...]: Debian's arm64 CPython and a program of Go on arm64's stock kernels in qemu (6.1 and 6.12): the line of
# every process of sites.py, every read of reads.py with its line, and what docker says that it has read. tests/e2e has the same
# for this machine's own; lines.sh boots with its CPythons.
set -u
cd "$(dirname "$0")/../.." || exit 1
export ARCH=arm64
[ $# != 0 ] || set -- 6.1 6.12
dir=build/vm-$ARCH
binary=build/$ARCH-static
python=/usr/bin/python3.11
passed=0 failed=0 top=
say() { # ok|FAIL WHAT
	echo "$1 $2"
	case $1 in ok*) passed=$((passed + 1)) ;; *) failed=$((failed + 1)) ;; esac
}
trap 'rm -rf "$top"; [ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build' EXIT
tests/vm/build.sh || exit 1

# The packages have more than fits: dockerd, texts, what only an installer wants.
top=$(mktemp -d)
tar -C build/vm/root/$ARCH -c --exclude=gconv --exclude=./lib/systemd --exclude=./lib/udev \
	./usr/bin/python3.11 ./usr/bin/docker ./usr/lib/python3.11 ./usr/lib/aarch64-linux-gnu ./lib | tar -C "$top" -x || exit 1
echo 'root:x:0:0:root:/:/bin/sh' >"$top/passwd"

# One CPU, as lines.sh has it and says why.
in_vm() { # VMLINUZ
	VM_ROOT=$top VM_MEMORY=1024 VM_CPUS=1 VM_SECONDS=${VM_SECONDS:-3600} tests/vm/vmrun.sh "$1" "$binary/invigil" \
		tests/python/{oracle,sites,compare,reads,compare_reads}.py tests/e2e/q.py -- "
mkdir -p /dev/pts /dev/shm /w
mount -t devpts devpts /dev/pts
chmod 1777 /dev/shm
export PATH=/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1
cp *.py /w
ORACLE_OUT=truth ./invigil run -q -o events --record rec -- $python -W ignore /w/sites.py
echo \"SITES \$?\"
echo \"LINES \$($python compare.py events truth 2>&1)\"
./invigil replay -q -o - rec | cmp - events && echo 'REPLAY 0'
./invigil run -q -o events -- $python /w/reads.py expected
echo \"READING \$?\"
echo \"READS \$($python compare_reads.py events expected 2>&1)\"
export DOCKER_HOST=unix:///tmp/planted-1.sock DOCKER_CONFIG=/tmp/planted-2 IVG_UNREAD=1
mkdir /tmp/planted-2 && echo broken >/tmp/planted-2/config.json
./invigil run -q -o events -- docker version 2>&1 | grep -o 'planted-[12]' | sort -u
$python q.py events '{(r[\"name\"], r[\"found\"]) for r in reads() if r[\"mechanism\"] == \"go\"} >=
	{(\"DOCKER_HOST\", True), (\"DOCKER_CONFIG\", True), (\"DOCKER_TLS_VERIFY\", False)} and not reads(\"IVG_UNREAD\")' && echo 'GO 0'
sed -n 's/.*\"action\":\"env-read\".*\"env\":{\"name\":\"\([^\"]*\)\".*/GO-READ \1/p' events | sort -u"
}
for series; do
	began=$SECONDS
	read -r series kernel < <(tests/vm/kernels.sh "$series")
	[ "$kernel" != - ] || { say FAIL "$series: no suite serves this kernel" && continue; }
	out=$dir/runtimes-$series
	in_vm "$kernel" >"$out" 2>&1
	while IFS='|' read -r line what; do
		if grep -q "^$line" "$out"; then say "ok  " "$series $ARCH: $what"; else
			say FAIL "$series $ARCH: $what"
			cut -c1-300 "$out" | tail -n 30
		fi
	done <<-CHECKS
		SITES 0$|the script of all call sites ends as it should
		LINES 330 processes, 114 call sites, 0 wrong|the line of each process that CPython makes
		REPLAY 0$|its replay is the same
		READING 0$|a script that reads its environment runs
		READS [1-9][0-9]* reads, 0 wrong|CPython's reads, each with its line, and nothing else
		planted-1$|docker, a program of Go, says whom it asks
		planted-2$|and which configuration it has read
		GO 0$|its reads of both, and of what is not set, are seen
	CHECKS
	echo "     $series $ARCH: $((SECONDS - began)) s"
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
