#!/bin/bash
# vmrun.sh VMLINUZ|host FILES... -- COMMAND: boots a kernel under qemu (TCG) with busybox and FILES in /t, prints COMMAND's
# output (run in /t by sh), returns its status; 124 time limit, 125 no status. VM_ROOT: a folder laid over its root.
# VM_APPEND, VM_MEMORY (MiB), VM_CPUS, VM_SECONDS as they say. host: this machine's own kernel, in a root of the same files.
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
cat >"$work/root/setup" <<'SETUP'
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -e /no-tracefs ] || mount -t tracefs tracefs /sys/kernel/tracing
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmp /tmp
echo root:x:0:0:root:/:/bin/sh >/etc/passwd
cd /t
SETUP
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /etc /usr/bin
/bin/busybox --install -s /bin
. /setup
mount -t devtmpfs dev /dev
hostname smoke
ip link set lo up
sh ./command </dev/null >/dev/ttyS0 2>&1
echo "VMRUN_STATUS=$?" >/dev/ttyS1
sync
reboot -f
INIT
chmod +x "$work/root/init"
if [ "$kernel" = host ]; then
	mkdir -p "$work"/root/{proc,sys,dev,tmp,run,etc,usr/bin}
	"$work/root/bin/busybox" --install -s "$work/root/bin"
	find "$work/root/bin" -type l -exec ln -sf /bin/busybox {} \;
	# Its mounts end with it. Nobody called sudo in there.
	env -i PATH="$PATH" timeout "${VM_SECONDS:-120}" unshare --mount --uts sh -c '
		hostname smoke; mount -t tmpfs dev "$1/dev"
		for d in "null 1 3" "zero 1 5" "urandom 1 9"; do set -- "$1" $d; mknod -m 666 "$1/dev/$2" c "$3" "$4"; done
		exec chroot "$1" /bin/sh -c ". /setup; exec sh ./command"' - "$work/root" </dev/null 2>&1
	exit
fi
(cd "$work/root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
timeout "${VM_SECONDS:-120}" qemu-system-x86_64 -M pc -accel tcg,thread=multi -cpu max -smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-512}" -nodefaults \
	-no-user-config -display none -no-reboot -kernel "$kernel" -initrd "$work/initrd" -serial stdio \
	-serial "file:$work/console" -append "console=ttyS1 panic=-1 quiet random.trust_cpu=on ${VM_APPEND:-}" </dev/null | tr -d '\r'
status=${PIPESTATUS[0]}
[ "$status" = 124 ] && { echo "vmrun: time limit" >&2; exit 124; }
got=$(sed -n 's/\r//; s/^VMRUN_STATUS=//p' "$work/console" | tail -1)
[ -n "$got" ] || { tail -20 "$work/console" >&2; exit 125; }
exit "$got"
