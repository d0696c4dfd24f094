#!/bin/bash
# smoke.sh: Debian 12's stock 6.1 kernel in qemu: one static client; exec, connect and one POST decoded, R6.1 found.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=build/vm
# Under sudo nothing of root's stays in the tree.
trap '[ -z "${SUDO_UID:-}" ] || chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" build' EXIT
mkdir -p "$dir"
package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-6\.1[^ ]*\)/\1/p' | head -1)
[ -n "$package" ] || { echo "vm-smoke: no 6.1 kernel package in apt's lists"; exit 1; }
if ! ls "$dir/$package"/boot/vmlinuz-* >/dev/null 2>&1; then
	echo "vm-smoke: fetching $package (nothing is installed)"
	(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb "$package" &&
		rm -f "$package"_*.deb) || exit 1
fi
make --no-print-directory STATIC=1 B=build/static build/static/invigil >/dev/null || exit 1
gcc -static -O2 -Wall -Wextra -Werror -o "$dir/vm-engine" tests/vm/engine.c || exit 1
tests/vm/vmrun.sh "$dir/$package"/boot/vmlinuz-* build/static/invigil "$dir/vm-engine" -- '
uname -r
./vm-engine serve >/tmp/ready &
server=$!
until grep -q ready /tmp/ready; do sleep 0.1; done
VM_SMOKE_READ=1 ./invigil run -o /tmp/events.jsonl -- ./vm-engine ask
status=$?
for f in empty gone moved loose; do (umask 077; echo x >/tmp/$f.log); done
ln -s /tmp/loose.log /dev/shm.log && chmod 1777 /dev
cat >/tmp/files.sh <<END
cd /tmp; umask 077
: >empty.log; rm gone.log; mv moved.log away; chmod 644 loose.log; echo x >>/dev/shm.log
cp /bin/busybox set-id; chmod 4755 set-id
cat /proc/$server/environ >/dev/null; cat /proc/self/environ >/dev/null; : </proc/$server/mem
END
./invigil run -u root -o /tmp/files.jsonl -- sh /tmp/files.sh
kill $server
cat /tmp/events.jsonl /tmp/files.jsonl
echo "CHECK $(./invigil check --format json)"
echo VM_STATUS=$status' >"$dir/out" 2>&1
cat "$dir/out" | cut -c1-300
failed=0
expect() {
	if grep -q "$2" "$dir/out"; then echo "ok   $1"; else echo "FAIL $1"; failed=1; fi
}
expect "the client's own status is passed on" '^VM_STATUS=0'
expect "its exec is seen" '"action":"exec"'
expect "its connect is seen and verified" '"action":"docker-socket-connect"'
expect "its POST is decoded" '"action":"container-create"'
expect "the answer is decoded" '"status_code":201'
expect "privileged is found" 'R6.1'
for f in 'empty.log, which the run did not create, is truncated' 'gone.log, which the run did not create, is removed' \
	'moved.log, which the run did not create, is renamed' 'loose.log, which the run did not create, is loosened' 'through the link /dev/shm.log' \
	'set-id is given set-user-id' 'environment of vm-engine' 'memory of vm-engine'; do
	expect "files and processes: $f" "$f"
done
# VERIFIED=--update writes the table instead (make verified).
# shellcheck disable=SC2086
if sed -n 's/^CHECK //p' "$dir/out" | python3 tests/lib/verified.py ${VERIFIED:-}; then
	echo "ok   its verifier walks no more than the table says"
else
	echo "FAIL its verifier walks no more than the table says"
	failed=1
fi
exit $failed
