#!/bin/bash
# record.sh DIR: makes the recordings anew, as DIR/NAME.rec.xz; they carry no name of this host.
set -eu
cd "$(dirname "$0")/../.."
to=$(cd "$1" && pwd)
invigil=$PWD/build/invigil
work=$(mktemp -d)
engine=$work/engine
# shellcheck source=tests/lib/engine.sh
. tests/lib/engine.sh
trap 'engine_stop "$engine"; rm -rf "$work"' EXIT
cp -r tests/workloads/reviewed tests/replay/hostile.py "$work"
printf 'root:x:0:0::/root:/bin/sh\ntester:x:1000:1000::/home/tester:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >"$work/passwd"
echo 00000000000000000000000000000000 >"$work/machine-id"
mkdir "$engine" "$work/hostile" && chmod 755 "$work"
engine_start "$engine"
tests/lib/base-image.sh "$engine/docker.sock" invigil/base:1
record() { # NAME COMMAND...
	local name=$1
	shift
	# A bare environment and no terminal or pipe, so that nothing of the caller's is in it; the secrets are planted.
	unshare --uts --mount sh -c 'hostname recorder && cd "$0" && mount --bind passwd /etc/passwd &&
		mount --bind machine-id /etc/machine-id && exec "$@"' "$work" env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 \
		PYTHONDONTWRITEBYTECODE=1 DOCKER_BUILDKIT=0 DOCKER_HOST="unix://$engine/docker.sock" DOCKER_CONFIG="$work/config" \
		TESTSERVER_BIND_LOCAL=1 TESTSERVER_API_TOKEN=planted-Rc71-secret-value RECORDED_API_TOKEN=planted-Rc72-secret-value \
		"$invigil" run -q -o "$work/$name.jsonl" --record "$work/$name.rec" -- "$@" </dev/null >/dev/null 2>"$work/$name.err"
	if grep -qa 'planted-Rc7' "$work/$name.rec"; then
		echo "record: a planted secret is in the recording of $name" >&2
		exit 1
	fi
	xz -9 <"$work/$name.rec" >"$to/$name.rec.xz"
	echo "record: $name, $(stat -c %s "$to/$name.rec.xz") bytes"
}
record reviewed /usr/bin/python3 -m pytest -q -p no:cacheprovider "$work/reviewed"
record hostile /usr/bin/python3 "$work/hostile.py" "$work/hostile"
