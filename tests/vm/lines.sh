#!/bin/bash
# lines.sh: on Debian 12's stock 6.1 in qemu, the line of every process of sites.py; and no process is lost beside one with many threads.
# Each interpreter brings its standard library into the initramfs. PYTHONS=all: every CPython of this machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
read -r _ kernel < <(tests/vm/kernels.sh 6.1)
[ "$kernel" != - ] || { echo "lines: no suite serves 6.1"; exit 1; }
tests/vm/build.sh || exit 1
pythons=(/usr/bin/python3)
[ "${PYTHONS:-}" != all ] || for python in /root/.pyenv/versions/3.{13.0,12.1,11.7,10.13,9.18,8.18}/bin/python; do
	[ ! -x "$python" ] || pythons+=("$python")
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

libraries() { # FILES: what they are linked with, to the same place
	ldd "$@" 2>/dev/null | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) .*/\1/p' | sort -u |
		while read -r file; do
			mkdir -p "$top$(dirname "$file")"
			cp -L "$file" "$top$file"
		done
}
bring() { # PYTHON: it and what sites.py imports, at the same paths
	local folder
	folder=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["stdlib"])')
	mkdir -p "$top$folder" "$top$(dirname "$1")"
	cp -L "$1" "$top$1"
	tar -C "$folder" -c --exclude=./test --exclude=./idlelib --exclude=./tkinter --exclude=./ensurepip \
		--exclude=./lib2to3 --exclude='./config-*' --exclude=./site-packages --exclude=./distutils \
		--exclude=./pydoc_data --exclude='*.opt-?.pyc' --exclude='*test*.so' . | tar -C "$top$folder" -x
	libraries "$1" "$folder"/lib-dynload/_{asyncio,contextvars,json,multiprocessing,posixsubprocess,queue,socket}.*.so
	# Opened by name when a thread ends.
	cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$top/lib/x86_64-linux-gnu/"
}

# One CPU: emulated, another one may be kept from running for so long while it copies a page that a stack cannot be read.
in_vm() { # PYTHON: it has $top for itself, and sites.py a fresh folder
	VM_ROOT=$top VM_MEMORY=1024 VM_CPUS=1 VM_SECONDS=${VM_SECONDS:-600} tests/vm/vmrun.sh "$kernel" build/static/invigil \
		tests/python/{oracle,sites,compare,threads}.py -- "
uname -r
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
chmod 1777 /dev/shm
export PATH=/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1
mkdir /w; cp *.py /w
ORACLE_OUT=truth ./invigil run -q -o events --record rec -- $1 -W ignore /w/sites.py
echo \"sites.py ended with \$?\"
$1 compare.py events truth
./invigil replay -q -o - rec | cmp - events && echo 'replay is the same'
./invigil run -q -o events -- $1 threads.py 200
echo \"beside its threads \$(grep -c '\"action\":\"exec\".*\"nth-' events) of 200 programs are seen\"
grep -o '\"lost\":{[^}]*}' events"
}
failed=0
for python in "${pythons[@]}"; do
	top=$dir/root
	rm -rf "$top"
	bring "$python"
	echo 'root:x:0:0:root:/:/bin/sh' >"$top/passwd"
	in_vm "$python" >"$dir/out" 2>&1
	for said in '330 processes, 114 call sites, 0 wrong' 'sites.py ended with 0' 'replay is the same' 'beside its threads 200 of 200 programs are seen'; do
		if grep -q "^$said" "$dir/out"; then echo "ok   6.1: $python: $said"; else
			echo "FAIL 6.1: $python: $said"
			cut -c1-3000 "$dir/out" | tail -n 20
			failed=1
		fi
	done
done
exit $failed
