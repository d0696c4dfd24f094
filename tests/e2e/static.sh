#!/bin/bash
# static.sh: the static binary: small, without anything it needs at run time, and the same bytes from every folder.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

built() { # FOLDER JOBS TIME-ZONE
	mkdir "$work/$1"
	tar -C "$root" --exclude=./build --exclude=./.git -c . | tar -C "$work/$1" -x
	(cd "$work/$1" && TZ=$3 make --no-print-directory STATIC=1 "$2" build/invigil)
}
file_is_static() { ! readelf -ld "$1" | grep -E 'INTERP|NEEDED'; }
small() { [ "$(stat -c %s "$1")" -lt 4000000 ]; }
nowhere_named() { ! grep -aq "$work" "$1"; }

check "it builds" built one -j2 UTC
check "it builds in another folder, one file at a time, on another day's clock" built another-folder -j1 Asia/Tokyo
check "both are the same bytes" cmp "$work/one/build/invigil" "$work/another-folder/build/invigil"
check "the folder is not in them" nowhere_named "$work/one/build/invigil"
check "it has no interpreter and needs no library" file_is_static "$work/one/build/invigil"
check "it is smaller than 4 MB" small "$work/one/build/invigil"
check "it runs without anything else there" bash -c "mkdir '$work/root' && cp '$work/one/build/invigil' '$work/root/' && chroot '$work/root' /invigil version"
finish
