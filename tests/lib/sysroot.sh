#!/bin/bash
# sysroot.sh FOLDER [PACKAGES...]: Debian 12's arm64 libraries that invigil links with, busybox and PACKAGES, unpacked into FOLDER.
# Nothing is installed: `dpkg --add-architecture arm64` would want the machine's own libraries in the very same versions.
set -u
arch=arm64
folder=$(mkdir -p "$1" && cd "$1" && pwd -P) || exit 1
shift
libraries="libbpf-dev libbpf1 libelf-dev libelf1 zlib1g-dev zlib1g libyaml-dev libyaml-0-2 liblzma-dev liblzma5 busybox-static"
apart=$folder.apt
# shellcheck source=tests/lib/apt_apart.sh
. "$(dirname "$0")/apt_apart.sh"
want="$libraries $*"
[ "$(cat "$folder/unpacked" 2>/dev/null)" != "$want" ] || exit 0
apt_apart_update bookworm bookworm-security || exit 1
# shellcheck disable=SC2086
apt_apart_unpack "$folder" $want || exit 1
echo "$want" >"$folder/unpacked"
