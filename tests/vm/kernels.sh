#!/bin/bash
# kernels.sh SERIES...: fetches Debian's stock kernel of each series ("6.1"; "newest") and prints "SERIES VMLINUZ" for each,
# "SERIES -" for one that no suite serves any more. The newest version of a series is taken, nothing is installed.
# ARCH=arm64: those of that architecture. MODULES="9p overlay": the generic kernel instead of the cloud one, and beside VMLINUZ
# a folder modules with those and what they need, numbered in the order to load them; what is built in is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1
arch=${ARCH:-amd64}
top=$PWD/build/vm/kernels-$arch
flavour=-cloud
if [ -n "${MODULES:-}" ]; then top=$top-generic flavour=; fi
apart=$top/apt
# shellcheck source=tests/lib/apt_apart.sh
. tests/lib/apt_apart.sh
# Which suites serve the series; what is not named is looked for in the last.
suites="5.10 bullseye-security
6.1 bookworm-security
6.12 trixie-security
* trixie-backports"

lists_fetch() {
	# shellcheck disable=SC2046
	apt_apart_update $(cut -d' ' -f2 <<<"$suites") || echo "kernels: some suites are not served" >&2
	apt_apart apt-cache pkgnames linux- >"$apart/names"
}
series_newest() {
	sed -nE "s/^linux-(image|binary)-([0-9]+\.[0-9]+)[^-]*-cloud-$arch$/\2/p" "$apart/names" | sort -uV | tail -1
}
# From 6.19 on the image is in a package of another name.
package_of() { # SERIES
	local kind found
	for kind in binary image; do
		found=$(grep -E "^linux-$kind-${1//./\\.}\.[0-9]+[^-]*(-[0-9][^-]*)?$flavour-$arch$" "$apart/names" | sort -V | tail -1)
		if [ -n "$found" ]; then echo "$found" && return; fi
	done
}
modules_pick() { # UNPACKED INTO
	local tree name file n=0
	tree=$(dirname "$(find "$1" -path '*/lib/modules/*/kernel' -type d | head -1)")
	rm -rf "$2" && mkdir -p "$2"
	depmod -b "${tree%/lib/modules/*}" "${tree##*/}" || return 1
	for name in $MODULES; do
		# A module's line names it, then what it needs, the deepest last.
		grep -E "/${name//_/[-_]}\.ko[^:]*:" "$tree/modules.dep" | tr -d : | tr ' ' '\n' | tac
	done | awk '!seen[$0]++' | while read -r file; do
		n=$((n + 1))
		name=$(printf '%s/%02d-%s' "$2" $n "$(basename "${file%.xz}")")
		case $file in *.xz) xz -dc "$tree/$file" >"$name" ;; *) cp "$tree/$file" "$name" ;; esac
	done
}
kernel_fetch() { # SERIES FOLDER
	local package work
	package=$(package_of "$1")
	[ -n "$package" ] || return 1
	work=$(mktemp -d)
	echo "kernels: fetching $package" >&2
	case $package in
	linux-binary-*) [ -z "${MODULES:-}" ] || set -- "$@" "${package/binary/modules}" ;;
	esac
	if apt_apart_unpack "$work" "$package" "${@:3}"; then
		mkdir -p "$2"
		cp "$work"/boot/vmlinuz-* "$2/new" 2>/dev/null || cp "$work"/usr/lib/modules/*/vmlinuz "$2/new"
		# Whole, or not there: another machine may boot from it.
		{ [ -z "${MODULES:-}" ] || modules_pick "$work" "$2/modules"; } && mv "$2/new" "$2/vmlinuz"
	fi
	rm -rf "$work"
	[ -s "$2/vmlinuz" ]
}

# Two scripts of run.sh may want kernels at one time, and lists and folders are the same.
mkdir -p "$top"
exec 8>"$top/lock"
flock 8
for series; do
	# A day is long enough for a kernel that is here already.
	if [ "$series" = newest ] || [ ! -s "$top/$series/vmlinuz" ] || [ -n "$(find "$top/$series/vmlinuz" -mmin +1440)" ]; then
		[ -n "${listed:-}" ] || lists_fetch
		listed=yes
		[ "$series" != newest ] || series=$(series_newest)
		[ -z "$series" ] || [ -n "$(find "$top/$series/vmlinuz" -mmin -1440 2>/dev/null)" ] || kernel_fetch "$series" "$top/$series" ||
			rm -f "$top/$series/vmlinuz"
	fi
	if [ -s "$top/$series/vmlinuz" ]; then echo "$series $top/$series/vmlinuz"; else echo "${series:-newest} -"; fi
done
