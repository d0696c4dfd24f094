#!/bin/bash
# deps.sh build|test: installs by apt what is missing, and says what.
set -u
build="clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libyaml-dev gcc make libc6-dev pkg-config"
tests="libcmocka-dev libclang-rt-14-dev docker.io iptables python3 python3-pytest python3-docker busybox-static linux-perf
	mandoc shellcheck cppcheck qemu-system-x86 cpio curl iproute2"
case ${1:-} in
build) want=$build ;;
test) want=$tests ;;
*)
	echo "usage: deps.sh build|test" >&2
	exit 2
	;;
esac
missing=
for package in $want; do
	[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "invigil: missing packages:$missing (run as root, or apt-get install them)" >&2
	exit 1
fi
echo "invigil: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# policy-rc.d is left alone: docker.io may start its own engine where there is a service manager.
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 ||
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null; }
