#!/bin/bash
# deps.sh build|test|long|arm64|bench: installs by apt what is missing, and says what; says nothing when nothing is.
set -u
build="clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev gcc make libc6-dev pkg-config"
# What `make` uses when it is there; its absence is no reason to fail.
optional="libyaml-dev liblzma-dev"
tests="libcmocka-dev libclang-rt-14-dev libfuse3-dev docker.io iptables python3 python3-pytest python3-pytest-xdist bats python3-docker python3-gevent busybox-static linux-perf
	docker-compose podman openssh-server openssh-client socat xxd git strace gdb mandoc shellcheck cppcheck clang-format qemu-system-x86 kmod cpio curl iproute2 procps util-linux sudo xz-utils
	bash-completion python3-yaml logrotate systemd prometheus libcap2-bin dpkg-dev fuse3 musl-tools ruby php-cli pypy3 cython3 libpython3-dev"
# Builds for arm64 and boots what was built (arm64: these; the libraries are unpacked into build/sysroot-arm64 and not installed).
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm busybox-static cpio python3"
libraries="libbpf-dev libbpf1 libelf-dev libelf1 zlib1g-dev zlib1g libyaml-dev libyaml-0-2 liblzma-dev liblzma5 busybox-static"
# A CPython and a program of Go, for tests/vm/runtimes.sh.
runtimes="libc6 libgcc-s1 zlib1g libexpat1 python3.11-minimal libpython3.11-minimal libpython3.11-stdlib docker.io"
# Of the scripts that say "# long:".
long="debootstrap debhelper lintian fakeroot systemd-container dbus golang-go"
# The peers of the benchmark: one that cannot be had is skipped there.
bench="libbpf-tools bpftrace strace"
absent() {
	local p
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || printf ' %s' "$p"
	done
}
case ${1:-} in
build) want=$build ;;
test) want=$tests optional= ;;
long) want="$tests $long" optional= ;;
cross) want=$cross optional= ;;
arm64)
	"$0" cross || exit
	cd "$(dirname "$0")/../.." || exit
	# shellcheck disable=SC2086
	tests/lib/sysroot.sh build/sysroot-arm64 $libraries && tests/lib/sysroot.sh build/vm/root/arm64 $runtimes
	exit
	;;
bench) want=$tests optional=$bench ;;
*)
	echo "usage: deps.sh build|test|long|arm64|bench" >&2
	exit 2
	;;
esac
if ! command -v dpkg-query apt-get >/dev/null; then
	echo "invigil: no apt here; these are expected to be there: $want" >&2
	exit 0
fi
# shellcheck disable=SC2086
missing=$(absent $want)
# shellcheck disable=SC2086
wanted=$(absent $optional)
[ -n "$missing$wanted" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	[ -n "$missing" ] || exit 0
	echo "invigil: missing packages:$missing (run this as root, or: apt-get install$missing)" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
fetched=
install() { # a list of packages is refreshed once, and only when apt does not know enough
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $1 >"$log" 2>&1 && return 0
	[ -z "$fetched" ] || return 1
	fetched=yes
	echo "invigil: apt-get update"
	apt-get update -qq >"$log" 2>&1
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $1 >"$log" 2>&1
}
if [ -n "$missing" ]; then
	echo "invigil: installing$missing"
	install "$missing" || {
		tail -n 20 "$log" >&2
		echo "invigil: apt-get install$missing failed" >&2
		exit 1
	}
fi
if [ -n "$wanted" ]; then
	echo "invigil: installing$wanted (optional)"
	for one in $wanted; do install "$one" || echo "invigil: without $one"; done
fi
exit 0
