#!/bin/bash
# long: builds the Debian package, and a Debian to install it in.
# package.sh: lintian has nothing to say; install, upgrade, remove and purge leave what they should.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
in=$work/root

within() { chroot "$in" env DEBIAN_FRONTEND=noninteractive "$@"; }
check "the package is built" packaging/deb.sh "$work"
deb=$(echo "$work"/invigil_*.deb)
check "lintian has nothing to say" bash -c "[ -z \"\$(lintian '$deb' 2>/dev/null)\" ] || { lintian '$deb'; false; }"
check "the unit is one" bash -c "cp packaging/invigil.service '$work/invigil-test.service' && sed -i 's|/usr/sbin/invigil|$invigil|' '$work/invigil-test.service' && systemd-analyze verify --man=no '$work/invigil-test.service'"
check "and is said to be sandboxed" bash -c "systemd-analyze security --offline=true --threshold=40 '$work/invigil-test.service' >'$work/security' || { tail -n 3 '$work/security'; false; }"
check "a Debian" mmdebstrap --quiet --variant=apt --include=systemd-standalone-sysusers,systemd-standalone-tmpfiles bookworm "$in"
cp "$deb" "$in/one.deb"
check "it is installed" within apt-get install -y -q /one.deb
check "and runs" within /usr/sbin/invigil version
check "there is a group" within getent group invigil
check "its folders are there" bash -c "[ \"\$(stat -c '%a' '$in/var/log/invigil')\" = 750 ] && [ \"\$(chroot '$in' stat -c '%U:%G' /var/log/invigil)\" = root:invigil ] && [ -d '$in/etc/invigil/conf.d' ]"
check "its configuration is accepted" within /usr/sbin/invigil daemon --check-config
check "every command is completed" bash -c ". /usr/share/bash-completion/bash_completion && PATH=\$PATH:$(dirname "$invigil") && . packaging/invigil.bash && COMP_WORDS=(invigil da) COMP_CWORD=1 COMP_LINE='invigil da' COMP_POINT=10 && _invigil && [ \"\${COMPREPLY[*]}\" = daemon ]"
echo 'fail_on: high # mine' >>"$in/etc/invigil/invigil.yaml"
echo kept >"$in/var/log/invigil/old.jsonl"
mkdir "$work/two"
dpkg-deb -R "$deb" "$work/two"
sed -i 's/^Version: .*/Version: 0.1.0+next/' "$work/two/DEBIAN/control"
dpkg-deb --root-owner-group -b "$work/two" "$in/two.deb" >/dev/null
check "it is upgraded" within apt-get install -y -q /two.deb
check "what was configured stays" grep -q mine "$in/etc/invigil/invigil.yaml"
check "and so do the streams" test -f "$in/var/log/invigil/old.jsonl"
check "it is removed" within apt-get remove -y -q invigil
check "its program is gone" test ! -e "$in/usr/sbin/invigil"
check "configuration and streams are not" test -f "$in/etc/invigil/invigil.yaml" -a -f "$in/var/log/invigil/old.jsonl"
check "it is purged" within apt-get purge -y -q invigil
check "nothing of it is left" bash -c "[ -z \"\$(find '$in/etc/invigil' '$in/var/log/invigil' '$in/usr/share/man' '$in/lib/systemd' -name '*invigil*' 2>/dev/null)\" ]"
finish
