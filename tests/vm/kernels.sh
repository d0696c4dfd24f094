#!/bin/bash
# kernels.sh SERIES...: fetches Debian's stock kernel of each series ("6.1"; "newest") and prints "SERIES VMLINUZ" for each,
# "SERIES -" for one that no suite serves any more. The newest version of a series is taken, nothing is installed.
# ARCH=arm64: those of that architecture.
set -u
cd "$(dirname "$0")/../.." || exit 1
arch=${ARCH:-amd64}
top=$PWD/build/vm/kernels-$arch
# Which suites serve the series; what is not named is looked for in the last.
suites="5.10 bullseye-security
6.1 bookworm-security
6.12 trixie-security
* trixie-backports"

# apt with lists of its own: the machine's are left as they are.
apt() { # COMMAND ARGUMENTS...
	local command=$1
	shift
	"$command" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$top/apt/sources" -o Dir::State::lists="$top/apt/lists" \
		-o Dir::State::status=/dev/null -o Dir::Cache="$top/apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Debug::NoLocking=1 -o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" -qq "$@"
}
lists_fetch() {
	local uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg suite
	mkdir -p "$top"/apt/{sources,lists/partial,cache/archives/partial}
	while read -r _ suite; do
		# The mirrors that this machine's own apt uses: of security suites another one.
		uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
			case $suite in *-security) grep 'debian[^ ]* [a-z]*-security$' ;; *) grep 'debian[^ ]* [a-z]*$' ;; esac |
			cut -d' ' -f1 | head -1)
		[ -n "$uri" ] || { echo "kernels: apt knows no mirror for $suite" >&2; continue; }
		echo "deb [signed-by=$keyring arch=$arch] $uri $suite main" >"$top/apt/sources/$suite.list"
	done <<<"$suites"
	apt apt-get update || echo "kernels: some suites are not served" >&2
	apt apt-cache pkgnames linux- >"$top/apt/names"
}
series_newest() {
	sed -nE "s/^linux-(image|binary)-([0-9]+\.[0-9]+)[^-]*-cloud-$arch$/\2/p" "$top/apt/names" | sort -uV | tail -1
}
# From 6.19 on the image is in a package of another name.
package_of() { # SERIES
	local kind found
	for kind in binary image; do
		found=$(grep -E "^linux-$kind-${1//./\\.}\.[0-9]+.*-cloud-$arch$" "$top/apt/names" | sort -V | tail -1)
		if [ -n "$found" ]; then echo "$found" && return; fi
	done
}
kernel_fetch() { # SERIES FOLDER
	local package work
	package=$(package_of "$1")
	[ -n "$package" ] || return 1
	work=$(mktemp -d)
	echo "kernels: fetching $package" >&2
	if (cd "$work" && apt apt-get download "$package" && dpkg-deb -x ./*.deb x) >&2; then
		mkdir -p "$2"
		cp "$work"/x/boot/vmlinuz-* "$2/vmlinuz" 2>/dev/null || cp "$work"/x/usr/lib/modules/*/vmlinuz "$2/vmlinuz"
	fi
	rm -rf "$work"
	[ -s "$2/vmlinuz" ]
}

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
