#!/bin/bash
# build.sh: `make` as an ordinary user, what an absent library takes away, a static build, `make install`.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

tree=$work/tree
mkdir "$tree"
cp -r Makefile bpf docs include user vmlinux "$tree"
chown -R 65534:65534 "$tree"
# Nobody has a home, and may write nowhere else.
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=/usr/bin:/bin HOME=/nonexistent "$@"; }
builds() { as_user make -s -j2 -C "$tree" "$@"; }
first() { "$tree/build/invigil" run -q -o "$ev" "$@"; }
printf 'fail_on: high\n' >"$work/c.yaml"

check "without libyaml and pkg-config it builds" builds PKG_CONFIG=/nonexistent/pkg-config
check "and has a working run" status_is 3 first -- sh -c 'exit 3'
see "with its exec" 'any(get(e, "process.args") == ["sh", "-c", "exit 3"] for e in execs()) and ended()'
check "-c is 125" status_is 125 first -c "$work/c.yaml" -- true
check "and says what is missing" grep -q libyaml "$work/err2"
check "nothing in the tree is another user's" bash -c "[ -z \"\$(find '$tree' ! -uid 65534)\" ]"
check "a static build is one variable" builds STATIC=1
check "it needs no library" bash -c "! readelf -d '$tree/build/invigil' | grep -q NEEDED"
check "libyaml is in it, and it runs" status_is 3 first -c "$work/c.yaml" -- sh -c 'exit 3'
see "with its exec too" 'any(get(e, "process.args") == ["sh", "-c", "exit 3"] for e in execs()) and ended()'
check "make install" make -s -C "$tree" STATIC=1 install DESTDIR="$work/root" prefix=/opt/x
check "puts program and manual there, and nothing else" \
	bash -c "cd '$work/root/opt/x' && diff <(find . -type f | sort) <(printf './%s\n' sbin/invigil share/man/man5/invigil.yaml.5 \
		share/man/man7/invigil-{events,risks}.7 share/man/man8/invigil.8)"
finish
