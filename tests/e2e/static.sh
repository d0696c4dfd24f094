#!/bin/bash
# static.sh: the static binary: small, without anything it needs at run time, and the same bytes from every folder.
# ARCH=arm64 (static_arm64.sh): the same, cross built.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

binary=build/invigil machine=$(uname -m) cross=()
if [ "${ARCH:-}" = arm64 ]; then
	binary=build/arm64/invigil machine=aarch64 cross=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-)
fi
built() { # FOLDER JOBS TIME-ZONE
	mkdir -p "$work/$1/build"
	tar -C "$root" --exclude=./build --exclude=./.git -c . | tar -C "$work/$1" -x
	[ ${#cross[@]} = 0 ] || ln -s "$root/build/sysroot-arm64" "$work/$1/build/"
	(cd "$work/$1" && TZ=$3 make --no-print-directory STATIC=1 "${cross[@]}" "$2" $binary)
}
file_is_static() { ! readelf -ld "$1" | grep -E 'INTERP|NEEDED'; }
is_of() { readelf -h "$1" | grep -i "Machine: .*${machine/_/-}"; }
small() { [ "$(stat -c %s "$1")" -lt 4000000 ]; }
nowhere_named() { ! grep -aq "$work" "$1"; }

check "it builds" built one -j2 UTC
check "it builds in another folder, one file at a time, on another day's clock" built another-folder -j1 Asia/Tokyo
check "both are the same bytes" cmp "$work/one/$binary" "$work/another-folder/$binary"
check "the folder is not in them" nowhere_named "$work/one/$binary"
check "it is of $machine" is_of "$work/one/$binary"
check "it has no interpreter and needs no library" file_is_static "$work/one/$binary"
check "it is smaller than 4 MB" small "$work/one/$binary"
[ ${#cross[@]} = 0 ] || finish # tests/vm/smoke.sh runs it with nothing but itself and busybox
check "it runs without anything else there" bash -c "mkdir '$work/root' && cp '$work/one/$binary' '$work/root/' && chroot '$work/root' /invigil version"
finish
