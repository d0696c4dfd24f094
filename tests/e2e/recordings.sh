#!/bin/bash
# recordings.sh: committed recordings, replayed without privileges, show what tests/replay/*.expect says.
# alone: a recording of the reviewed workload, when one must be made, publishes its fixed ports.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cp "$invigil" "$work/invigil"
mkdir -m 777 "$work/user"
from=$root/tests/replay
replays() { # RECORDING OUTPUT
	xz -dc <"$1" >"$work/rec" && chmod 644 "$work/rec" &&
		timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups "$work/invigil" replay -q -o "$2" "$work/rec"
}
# Of another ABI: new ones are made for this test; `make recordings` makes those to commit.
for r in "$from"/*.rec.xz; do
	if ! replays "$r" "$work/user/ev" 2>"$work/why" && grep -qi 'abi\|version' "$work/why"; then
		echo "${r##*/}: $(cat "$work/why"): make recordings"
		mkdir "$work/new"
		from=$work/new
		check "recordings of this ABI can be made" tests/replay/record.sh "$work/new"
		break
	fi
done
for expect in tests/replay/*.expect; do
	of=$(basename "$expect" .expect)
	ev=$work/user/$of
	check "$of is replayed by an unprivileged user" replays "$from/$of.rec.xz" "$ev"
	check "every field and action of $of is in invigil-events(7)" python3 tests/lib/event_fields.py "$ev"
	see "$of: the record is whole" 'ended() and gapless()'
	see "$of: its findings are those expected" \
		"same({get(e, 'rule.id') + ' alert' for e in alerts()} | {f['rule'] + ' evidence' for e in ev for f in get(e, 'invigil.findings', [])}, set(open('$expect').read().split('\n')[:-1]))"
	check "$of: no planted secret" bash -c "! xz -dc '$from/$of.rec.xz' | cat - '$ev' | grep -qa planted-Rc7"
done
finish
