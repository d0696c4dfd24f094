#!/bin/bash
# bodies.sh: bodies that are meant to hide a setting: what the Engine made of each is what is reported.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
PYTHONPATH=tests/e2e /usr/bin/python3 -B tests/e2e/bodies.py "$invigil" "$engine/docker.sock" invigil/base:1 "$work" >"$work/table" 2>&1
grep -v ' passed, ' "$work/table"
passed=$(grep -c '^ok ' "$work/table") failed=$(grep -c '^FAIL ' "$work/table")
[ "$passed" -gt 30 ] || {
	test_begin "the table was run"
	fail "$work/table"
}
finish
