#!/bin/bash
# demo.sh: the reviewed test suite under `invigil run`, on the engine that runs here or on a private one.
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
base=invigil/base:1
scratch='' engine='' imported=

if [ "$(id -u)" != 0 ]; then
	echo "demo: needs root: sudo make demo" >&2
	exit 1
fi
[ -x build/invigil ] || {
	echo "demo: build/invigil is not built: make" >&2
	exit 1
}

leave() {
	[ -z "$imported" ] || docker rmi "$base" >/dev/null 2>&1
	[ -z "$engine" ] || engine_stop "$engine"
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

export DOCKER_BUILDKIT=0 PYTHONDONTWRITEBYTECODE=1 BASE_IMAGE=$base
if docker version >/dev/null 2>&1; then
	echo "demo: on the container engine that already runs (${DOCKER_HOST:-unix:///var/run/docker.sock})"
	export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}
else
	echo "demo: starting a private container engine, removed afterwards"
	# shellcheck source=tests/lib/engine.sh
	. tests/lib/engine.sh
	scratch=$(mktemp -d) && engine=$scratch/engine && mkdir "$engine" || exit 1
	engine_start "$engine" || exit 1
	export DOCKER_HOST=unix://$engine/docker.sock
fi
if ! docker image inspect "$base" >/dev/null 2>&1; then
	tests/lib/base-image.sh "$DOCKER_HOST" "$base" || exit 1
	imported=yes
fi

# Made up: it is planted for invigil to find, and to keep out of its stream.
TESTSERVER_API_TOKEN=demo-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
export TESTSERVER_API_TOKEN
out=$(mktemp -d /tmp/invigil-demo.XXXXXX) && chmod 755 "$out" || exit 1
[ -z "${SUDO_UID:-}" ] || chown "$SUDO_UID:$SUDO_GID" "$out"
echo "demo: invigil run -- python3 -m pytest tests/workloads/reviewed"
# As root, who may use the engine's socket: under sudo the default would be the invoking user.
build/invigil run ${SUDO_USER:+-u root} -o "$out/events.jsonl" -- \
	/usr/bin/python3 -m pytest -q -rs -p no:cacheprovider "$root/tests/workloads/reviewed"
status=$?
if [ -s "$out/events.jsonl" ] && grep -qF "$TESTSERVER_API_TOKEN" "$out/events.jsonl"; then
	echo "demo: the planted token is in the stream: this is a bug" >&2
	status=1
fi
echo "demo: the event stream is $out/events.jsonl"
exit $status
