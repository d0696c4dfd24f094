#!/bin/bash
# build.sh: what machines are booted with: the static invigil, and in build/vm vm-engine and evade. ARCH=arm64: of that architecture.
# Scripts that run side by side want the same files: one builds at a time, and a program is there whole or not at all.
set -eu
cd "$(dirname "$0")/../.."
arch=${ARCH:-}
dir=build/vm${arch:+-$arch}
binary=build/${arch:+$arch-}static
cross=
[ "$arch" != arm64 ] || cross=aarch64-linux-gnu-
mkdir -p "$dir"
exec 8>"$dir/lock"
flock 8
make --no-print-directory STATIC=1 CROSS_COMPILE=$cross B="$binary" "$binary/invigil" >/dev/null
program() { # NAME SOURCE FLAGS...
	[ ! "$dir/$1" -nt "$2" ] || return 0
	${cross}gcc -static -O2 -Wall -Wextra -Werror -o "$dir/$1.new" "$2" "${@:3}"
	mv "$dir/$1.new" "$dir/$1"
}
program vm-engine tests/vm/engine.c -D_GNU_SOURCE
[ -n "$arch" ] || program evade tests/e2e/evade.c -pthread
