#!/bin/bash
# vmrun.sh VMLINUZ|host FILES... -- COMMAND: boots a kernel under qemu (TCG) with busybox and FILES in /t, prints COMMAND's
# output (run in /t by sh), returns its status; 124 time limit, 125 no status. VM_ROOT: a folder laid over its root.
# VM_APPEND, VM_MEMORY (MiB), VM_CPUS, VM_SECONDS as they say. VM_CLOCK=own: its time is that of the instructions it executes
# (500 million a second), so that nothing in there is late because qemu had to wait. With one processor alone: qemu 7.2 brings up no second one so.
# host: this machine's own kernel, in a root of the same files.
# VM_MODULES: a folder of modules, loaded in order. VM_HOST_ROOT=1: COMMAND runs in this folder of this machine's own root, shared
# read-only by 9p under a tmpfs, with its name; TMPDIR is on a disk of its own.
# ARCH=arm64: a machine of that architecture, with the busybox that tests/lib/deps.sh arm64 has unpacked.
set -u
kernel=$1
shift
work=$(mktemp -d)
chmod 755 "$work" # as /tmp is: what lies in it is within reach of others
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/t"
case ${ARCH:-} in
arm64)
	busybox=$(dirname "$0")/../../build/sysroot-arm64/bin/busybox
	# pauth-impdef: signing pointers as Arm specifies it is half of the time emulated.
	machine=(qemu-system-aarch64 -machine virt -cpu "max,pauth-impdef=on")
	# The output on a card, for the board has one port.
	# shellcheck disable=SC2054
	serial=(-chardev stdio,id=out -device "pci-serial,chardev=out") console=ttyAMA0
	;;
*)
	busybox=$(command -v busybox)
	machine=(qemu-system-x86_64 -machine pc -cpu max)
	serial=(-serial stdio) console=ttyS1
	;;
esac
cp "$busybox" "$work/root/bin/busybox"
[ -z "${VM_ROOT:-}" ] || cp -r "$VM_ROOT/." "$work/root/"
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	cp "$1" "$work/root/t/"
	shift
done
shift
printf '%s\n' "$*" >"$work/root/t/command"
[ -z "${VM_MODULES:-}" ] || cp -r "$VM_MODULES" "$work/root/modules"
share=()
accel=(-accel "tcg,thread=multi")
# Idle, it waits as long as the wall clock does.
[ -z "${VM_CLOCK:-}" ] || accel=(-accel tcg -icount "shift=1") VM_CPUS=1
if [ -n "${VM_HOST_ROOT:-}" ]; then
	share=(-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap" -device "virtio-9p-pci,fsdev=root,mount_tag=root"
		-drive "file=$work/disk,if=virtio,format=raw,cache=unsafe")
	truncate -s 4G "$work/disk"
	mke2fs -q -t ext4 -F "$work/disk"
	{ mv "$work/root/t/command" "$work/root/t/here" && cat >"$work/root/t/command"; } <<-COMMAND
		mkdir /lower /over /new
		mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,ro,cache=loose root /lower
		mount -t tmpfs -o size=80% over /over
		mkdir /over/upper /over/work
		mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work over /new
		for d in proc sys dev; do mount --rbind /\$d /new/\$d; done
		mkdir -p /new/dev/pts /new/dev/shm
		mount -t devpts devpts /new/dev/pts
		mount -t tmpfs shm /new/dev/shm
		mount -t tmpfs run /new/run
		mkdir /new/run/tmp
		mount -t ext4 /dev/vda /new/run/tmp
		chmod 1777 /new/run/tmp
		cp here /new/run/here
		hostname '$(hostname)'
		# What is mounted nowhere else has its names from there.
		cd /new && mount --move . /
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/run/tmp LANG=C.UTF-8 \\
			/bin/busybox chroot . /bin/sh -c 'cd "$PWD" && exec sh /run/here'
	COMMAND
fi
cat >"$work/root/setup" <<'SETUP'
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
[ -e /no-tracefs ] || mount -t tracefs tracefs /sys/kernel/tracing
if [ -e /cgroup-v1 ]; then
	mount -t tmpfs cgroup /sys/fs/cgroup
	for controller in pids memory devices; do
		mkdir /sys/fs/cgroup/$controller && mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller
	done
else
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mount -t tmpfs tmp /tmp
echo root:x:0:0:root:/:/bin/sh >/etc/passwd
for m in /modules/*; do [ ! -e "$m" ] || insmod "$m"; done
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
echo "VMRUN_STATUS=$?" >/dev/console
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
timeout "${VM_SECONDS:-120}" "${machine[@]}" "${accel[@]}" -smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-512}" -nodefaults \
	-no-user-config -display none -no-reboot -kernel "$kernel" -initrd "$work/initrd" "${share[@]}" "${serial[@]}" \
	-serial "file:$work/console" -append "console=$console panic=-1 quiet random.trust_cpu=on ${VM_APPEND:-}" </dev/null | stdbuf -oL tr -d '\r'
status=${PIPESTATUS[0]}
[ "$status" = 124 ] && { echo "vmrun: time limit" >&2; exit 124; }
got=$(sed -n 's/\r//; s/^VMRUN_STATUS=//p' "$work/console" | tail -1)
[ -n "$got" ] || { tail -20 "$work/console" >&2; exit 125; }
exit "$got"
