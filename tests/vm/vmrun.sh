#!/bin/bash
# vmrun.sh VMLINUZ FILES... -- COMMAND: boots a kernel under qemu (TCG) with busybox and FILES in /t, prints COMMAND's
# output (run in /t by sh), returns its status; 124 time limit, 125 no status. VM_ROOT: a folder laid over its root.
set -u
kernel=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/t"
cp "$(command -v busybox)" "$work/root/bin/busybox"
[ -z "${VM_ROOT:-}" ] || cp -r "$VM_ROOT/." "$work/root/"
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	cp "$1" "$work/root/t/"
	shift
done
shift
printf '%s\n' "$*" >"$work/root/t/command"
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /etc /usr/bin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
echo root:x:0:0:root:/:/bin/sh >/etc/passwd
hostname smoke
ip link set lo up
cd /t
sh ./command </dev/null >/dev/ttyS0 2>&1
echo "VMRUN_STATUS=$?" >/dev/ttyS1
sync
reboot -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
timeout "${VM_SECONDS:-120}" qemu-system-x86_64 -M pc -accel tcg,thread=multi -cpu max -smp 2 -m "${VM_MEMORY:-512}" -nodefaults \
	-no-user-config -display none -no-reboot -kernel "$kernel" -initrd "$work/initrd" -serial stdio \
	-serial "file:$work/console" -append "console=ttyS1 panic=-1 quiet random.trust_cpu=on" </dev/null | tr -d '\r'
status=${PIPESTATUS[0]}
[ "$status" = 124 ] && { echo "vmrun: time limit" >&2; exit 124; }
got=$(sed -n 's/\r//; s/^VMRUN_STATUS=//p' "$work/console" | tail -1)
[ -n "$got" ] || { tail -20 "$work/console" >&2; exit 125; }
exit "$got"
