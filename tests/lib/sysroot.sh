#!/bin/bash
# sysroot.sh FOLDER PACKAGES...: Debian 12's arm64 PACKAGES, unpacked into FOLDER.
# Nothing is installed: `dpkg --add-architecture arm64` would want the machine's own libraries in the very same versions.
set -u
arch=arm64
folder=$(mkdir -p "$1" && cd "$1" && pwd -P) || exit 1
shift
apart=$(cd "$(dirname "$0")/../.." && pwd)/build/apt-$arch
# shellcheck source=tests/lib/apt_apart.sh
. "$(dirname "$0")/apt_apart.sh"
want=$*
[ "$(cat "$folder/unpacked" 2>/dev/null)" != "$want" ] || exit 0
apt_apart_update bookworm bookworm-security || exit 1
apt_apart_unpack "$folder" "$@" || exit 1
echo "$want" >"$folder/unpacked"
