#!/bin/bash
# base-image.sh SOCKET NAME: imports a busybox root, made from Debian's busybox-static, as image NAME.
set -eu
[ $# = 2 ] || {
	echo "usage: base-image.sh SOCKET NAME" >&2
	exit 2
}
case $1 in
*://*) host=$1 ;;
*) host=unix://$1 ;;
esac
busybox=/bin/busybox
[ -x $busybox ] || busybox=/usr/bin/busybox
[ -x $busybox ] || {
	echo "base-image: /bin/busybox is missing (apt-get install busybox-static)" >&2
	exit 1
}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc" "$root/dev" "$root/proc" "$root/sys" "$root/usr/bin" "$root/sbin" "$root/root" \
	"$root/run" "$root/var" "$root/srv"
mkdir -m 1777 "$root/tmp"
cp $busybox "$root/bin/busybox"
for applet in $($busybox --list); do
	[ "$applet" = busybox ] || ln -sf busybox "$root/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/srv:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nwww:x:33:\nnogroup:x:65534:\n' >"$root/etc/group"
tar --numeric-owner --owner=0 --group=0 -C "$root" -c . |
	docker -H "$host" import --change 'CMD ["/bin/sh"]' - "$2" >/dev/null
