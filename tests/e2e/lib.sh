# lib.sh: the harness of the end-to-end tests; sourced. Ends with `N passed, N failed, N skipped`.
# shellcheck shell=bash
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
root=$PWD
invigil=${INVIGIL:-$root/build/invigil}
work=$(mktemp -d)
chmod 755 "$work"
ev=$work/ev
passed=0 failed=0 skipped=0 name='' engine=''
# Under `sudo make check` the tests are root's own; sudo.sh calls sudo for itself.
unset "${!INVIGIL_@}" "${!SUDO_@}" DOCKER_HOST DOCKER_CONTEXT TESTSERVER_BIND_LOCAL
export DOCKER_BUILDKIT=0 DOCKER_CONFIG=$work/docker-config PYTHONDONTWRITEBYTECODE=1

test_begin() { name=$1; }
ok() {
	passed=$((passed + 1))
	echo "ok   $name"
}
fail() { # [FILE]: says why from FILE or from the arguments
	failed=$((failed + 1))
	echo "FAIL $name"
	if [ -f "${1:-}" ]; then head -c 3000 "$1"; else echo "     $*"; fi
}
skip() {
	skipped=$((skipped + 1))
	echo "SKIP $name: $*"
}
check() { # NAME COMMAND...
	test_begin "$1"
	shift
	if "$@" >"$work/why" 2>&1; then ok; else fail "$work/why"; fi
}
q() { python3 "$root/tests/e2e/q.py" "$@"; }
see() { # NAME EXPRESSION [EVENTS]: over the last stream
	check "$1" q "${3:-$ev}" "$2"
}
run() { # [OPTIONS] -- COMMAND: the stream is in $ev, the summary in $work/err
	rm -f "$ev"
	timeout -k 5 "${LIMIT:-120}" "$invigil" run -o "$ev" "$@" 2>"$work/err"
}
gated() { # COMMAND...: a run; once more where the stream says that the gate let a call go, as it must on a machine that is too busy
	local status
	for _ in 1 2 3 4 5; do
		"$@"
		status=$?
		q "$ev" 'gap("let go")' >/dev/null || break
	done
	return $status
}
status_is() { # WANTED COMMAND...
	local want=$1 got
	shift
	"$@" >"$work/out" 2>"$work/err2"
	got=$?
	[ "$got" = "$want" ] || {
		echo "status $got, wanted $want: $*"
		tail -n 20 "$work/err2" "$work/err" 2>/dev/null
		return 1
	}
}
until_true() { # SECONDS COMMAND...: polls; a machine that is busy with others gets three times as long
	local end=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
engine_up() { # a private engine with the base image; ends the script when there can be none
	# shellcheck source=tests/lib/engine.sh
	. "$root/tests/lib/engine.sh"
	engine=$work/engine
	mkdir -p "$engine"
	if ! engine_start "$engine" || ! "$root/tests/lib/base-image.sh" "$engine/docker.sock" invigil/base:1; then
		test_begin "a private engine starts"
		fail "$engine/dockerd.log"
		finish
	fi
	export DOCKER_HOST=unix://$engine/docker.sock
}
suite() { # NAME: says the command of a workload, of a copy whose published ports are this engine's alone
	local nth
	nth=$(sed 's/[^0-9]//g' "$engine/bridge")
	if [ ! -d "$work/$1" ]; then
		cp -r "$root/tests/workloads/$1" "$work/$1"
		sed -i "s/\\b184\([0-9][0-9]\)\\b/$((185 + nth))\1/" "$work/$1/servers.list"
	fi
	echo /usr/bin/python3 -m pytest -q -p no:cacheprovider "$work/$1"
}
# A daemon watches the jobs of the whole machine: tests with one, and tests that look like a job, go one by one.
daemons_lock() {
	exec 9>/tmp/invigil-daemon-tests
	flock -w 250 9 || echo "another test's daemon does not end"
}
log_size() { stat -c %s "$engine/dockerd.log"; }
cleanup() {
	local p
	for p in $(jobs -p); do kill "$p" 2>/dev/null; done # what a test that failed has left
	[ -z "$engine" ] || engine_stop "$engine"
	rm -rf "$work"
}
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
	exit
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

if [ "$(id -u)" != 0 ]; then
	test_begin "${0##*/}"
	skip "needs root"
	finish
fi
if [ ! -x "$invigil" ]; then
	test_begin "${0##*/}"
	fail "$invigil is not built"
	finish
fi
