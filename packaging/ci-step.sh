#!/bin/bash
# ci-step.sh [OPTIONS OF invigil run] -- COMMAND: one step of a CI job under invigil, for the recipes in this folder.
# With root (or sudo without a password) it traces by itself and writes a report for people; without, the machine's daemon does.
# Leaves $INVIGIL_STEP_DIR (invigil-report) with events.jsonl and, with root, summary.md, which GITHUB_STEP_SUMMARY gets, too.
# Its status is that of invigil run: COMMAND's own, 120 when the gate tripped, 125 when invigil itself failed.
set -u
dir=${INVIGIL_STEP_DIR:-invigil-report}
unset INVIGIL_STEP_DIR # every other INVIGIL_ variable is an option of invigil run
mkdir -p "$dir" || exit 125
invigil=$(command -v invigil || echo /usr/sbin/invigil)
rm -f "$dir/events.jsonl" "$dir/summary.md"
if [ "$(id -u)" = 0 ]; then
	"$invigil" run -o "$dir/events.jsonl" --markdown "$dir/summary.md" "$@"
elif sudo -n true 2>/dev/null; then
	sudo -n -E env PATH="$PATH" "$invigil" run -o "$dir/events.jsonl" --markdown "$dir/summary.md" "$@"
else
	"$invigil" run -o "$dir/events.jsonl" "$@"
fi
status=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -r "$dir/summary.md" ]; then
	cat "$dir/summary.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit $status
