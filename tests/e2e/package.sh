#!/bin/bash
# package.sh: the Debian package: built, lintian finds nothing, installed, upgraded, removed and purged in a root of its own.
# long: builds the package and a Debian root from the mirror
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir "$work/deb"
check "it is built" packaging/deb.sh "$work/deb"
deb=$(echo "$work"/deb/invigil_*.deb)
check "lintian finds nothing" bash -c "out=\$(lintian --allow-root --fail-on error,warning '$deb' 2>&1) && [ -z \"\$out\" ] || { echo \"\$out\"; false; }"
fortified() { dpkg-deb --fsys-tarfile "$deb" | tar xO ./usr/sbin/invigil >"$work/program" && nm -D "$work/program" | grep -qE ' U __[a-z]+_chk(@|$)'; }
check "its program is fortified, as Debian builds" fortified
# A later version, of the same files.
later() {
	dpkg-deb -R "$deb" "$work/later" && sed -i 's/^Version: .*/Version: 99/' "$work/later/DEBIAN/control" && dpkg-deb -b "$work/later" "$work/deb/later.deb"
}
check "a later one is made" later

in_root() { chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
at() { stat -c '%U:%G %a' "$work/root$1" 2>&1; }
is_at() { # PATH WANTED
	# Names are the root's own.
	[ "$(in_root stat -c '%U:%G %a' "$1")" = "$2" ] || { in_root stat -c '%U:%G %a' "$1"; return 1; }
}
case_of() { # NAME PACKAGE...: with these in the root
	local which=$1
	rm -rf "$work/root"
	check "$which: a root" debootstrap --variant=minbase --include="$(IFS=,; echo "${*:2}")" bookworm "$work/root"
	cp "$deb" "$work/deb/later.deb" "$work/root/tmp/"
	check "$which: installs" in_root apt-get install -y -qq --no-install-recommends "/tmp/${deb##*/}"
	check "$which: its user owns no files and cannot log in" bash -c "grep -qE '^invigil:[^:]*:[0-9]+:[0-9]+:[^:]*:[^:]*:/usr/sbin/nologin$' '$work/root/etc/passwd' && grep -q '^invigil:' '$work/root/etc/group'"
	check "$which: the streams' folder is root's and the group's" is_at /var/log/invigil "root:invigil 750"
	check "$which: the configuration is root's" is_at /etc/invigil/invigil.yaml "root:root 644"
	check "$which: and accepted" in_root invigil daemon --check-config
	check "$which: the manual is there" in_root test -s /usr/share/man/man8/invigil.8.gz
	echo '# kept' >>"$work/root/etc/invigil/invigil.yaml"
	echo '{}' >"$work/root/var/log/invigil/a.jsonl"
	check "$which: upgrades" in_root dpkg --force-confold -i /tmp/later.deb
	check "$which: to the later version" test "$(in_root dpkg-query -W -f '${Version} ${db:Status-Status}' invigil)" = "99 installed"
	check "$which: what was configured stays" grep -q '# kept' "$work/root/etc/invigil/invigil.yaml"
	check "$which: is removed" in_root apt-get remove -y -qq invigil
	check "$which: the program is gone" test ! -e "$work/root/usr/sbin/invigil"
	check "$which: configuration and streams stay" test -e "$work/root/etc/invigil/invigil.yaml" -a -e "$work/root/var/log/invigil/a.jsonl"
	check "$which: is purged" in_root apt-get purge -y -qq invigil
	check "$which: neither stays" test ! -e "$work/root/etc/invigil" -a ! -e "$work/root/var/log/invigil"
	check "$which: nothing of it stays" bash -c "[ -z \"\$(find '$work/root' -xdev -name '*invigil*' -not -path '*/tmp/*' -not -path '*/var/lib/dpkg/*' -not -path '*/var/cache/*' -not -path '*/var/lib/systemd/*' | tee /dev/stderr)\" ]"
}
case_of "without systemd" systemd-standalone-sysusers
case_of "with systemd" systemd
finish
