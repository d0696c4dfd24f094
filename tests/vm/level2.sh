#!/bin/bash
# level2.sh [SERIES...]: the Docker workload with a real dockerd on Debian's stock kernels in qemu: nine categories, and the findings
# of the same run on this machine. The machine has this one's root, read-only by 9p under a tmpfs: its dockerd, python3 and tests.
# Its clock is its own: where this machine is busy, or emulates slowly, nothing in there is late. VM_CLOCK= VM_CPUS=8: by the wall's.
# UPDATE=--update: what held is written into level2.tsv, from which README.md says it.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=build/vm
trap '[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build' EXIT
[ $# != 0 ] || set -- 6.1 6.12 newest
passed=0 failed=0 skipped=0
say() { # ok|FAIL|SKIP WHAT
	echo "$1 $2"
	case $1 in ok*) passed=$((passed + 1)) ;; SKIP) skipped=$((skipped + 1)) ;; *) failed=$((failed + 1)) ;; esac
}
tests/vm/build.sh || exit 1
findings() { # FILE: of a machine
	grep '^finding ' "$1"
}
note() { # SERIES KERNEL FINDINGS
	local table=tests/vm/level2.tsv
	[ "${UPDATE:-}" = --update ] || return 0
	{ head -1 "$table" && { sed 1d "$table" | grep -v "^$1	"; printf '%s\t%s\t%s\n' "$@"; } | sort -V; } >"$dir/level2.tsv"
	cp "$dir/level2.tsv" "$table"
}
export LIMIT=900
INVIGIL=$PWD/build/static/invigil tests/vm/workload.sh >"$dir/level2-host" 2>&1
if findings "$dir/level2-host" >"$dir/findings-host"; then say ok "host: $(wc -l <"$dir/findings-host") findings"; else
	cat "$dir/level2-host"
	say FAIL "host: no findings to compare with"
fi
for series; do
	began=$SECONDS
	read -r series kernel < <(MODULES="virtio_pci virtio_blk crc32c_generic ext4 9pnet_virtio 9p overlay bridge veth" tests/vm/kernels.sh "$series")
	out=$dir/level2-$series
	if [ "$kernel" = - ]; then
		case $series in
		6.1 | 6.12) say FAIL "$series: no suite serves this kernel" ;;
		*) say SKIP "$series: no suite serves this kernel any more" ;;
		esac
		continue
	fi
	# dockerd would want a profile that nobody has loaded.
	VM_HOST_ROOT=1 VM_MODULES=${kernel%/*}/modules VM_MEMORY=2048 VM_SECONDS=${VM_SECONDS:-7200} VM_CLOCK=${VM_CLOCK-own} VM_APPEND=apparmor=0 tests/vm/vmrun.sh "$kernel" -- \
		"echo \"kernel \$(uname -r)\"; LIMIT=$LIMIT INVIGIL=$PWD/build/static/invigil tests/vm/workload.sh" >"$out" 2>&1
	status=$?
	while read -r result what; do say "$result" "$series: $what"; done < <(grep '^\(ok\|FAIL\|SKIP\) ' "$out")
	[ $status = 0 ] || say FAIL "$series: ended with $status: $(grep -v '^ok\|^finding' "$out" | tail -c 2000)"
	findings "$out" >"$dir/findings-$series"
	if diff "$dir/findings-host" "$dir/findings-$series"; then
		say ok "$series: the findings are the host's"
		[ $status != 0 ] || note "$series" "$(sed -n 's/^kernel //p' "$out")" "$(wc -l <"$dir/findings-$series")"
	else
		say FAIL "$series: the findings are the host's"
	fi
	echo "     $series: $((SECONDS - began)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
