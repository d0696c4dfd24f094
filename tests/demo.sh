#!/bin/bash
# demo.sh: runs the bundled Docker-driving test suite under invigil, on an engine that is there or on a private one.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
private=
made=
cleanup() {
	[ -z "$made" ] || docker rmi -f "$BASE_IMAGE" >/dev/null 2>&1
	[ -z "$private" ] || tests/lib/engine.sh stop "$dir/engine"
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

export BASE_IMAGE=invigil/base:1 DOCKER_BUILDKIT=0
if docker version >/dev/null 2>&1; then
	echo "demo: using the Docker Engine that runs here"
else
	echo "demo: starting a private Docker Engine in $dir (removed afterwards)"
	private=yes
	tests/lib/engine.sh start "$dir/engine" || exit 1
	export DOCKER_HOST=unix://$dir/engine/docker.sock
fi
if ! docker image inspect "$BASE_IMAGE" >/dev/null 2>&1; then
	tests/lib/base-image.sh "${DOCKER_HOST:-unix:///var/run/docker.sock}" "$BASE_IMAGE" || exit 1
	made=yes
fi
out=$(mktemp -d /tmp/invigil-demo.XXXXXX)
# An invented secret, so that there is one to look after.
export TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=demo-3f9c1c7a52d84e0b
build/invigil run -u root -o "$out/events.jsonl" -- /usr/bin/python3 -B -m pytest -q -p no:cacheprovider tests/workloads/reviewed
status=$?
echo "demo: the event stream is $out/events.jsonl"
exit $status
