#!/bin/bash
# corpus.sh: ordinary builds and test suites raise nothing high, and hardly anything from medium up.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/lib/source.sh
. "$root/tests/lib/source.sh"
corpus=$root/tests/corpus
streams=()

benign() { # WHAT COMMAND...: in a copy of its folder; the stream is kept
	local what=$1
	shift
	mkdir -p "$work/home"
	[ -d "$work/$what" ] || cp -r "$corpus/$what" "$work/$what"
	check "$what passes under invigil" in_folder "$work/$what" "$@"
	mv "$ev" "$work/ev.$what" && streams+=("$work/ev.$what")
	see "$what: no alert of high or critical, a whole run" \
		'ended() and get(ev[-1], "invigil.run.complete") and not [print(get(e, "rule.id"), get(e, "invigil.evidence")) for e in alerts() if get(e, "event.severity", 0) >= 73]' "$work/ev.$what"
	see "$what: what the monitor says of itself, it says once" \
		'(lambda c: all(n == 1 for n in c.values()) or print(c))(collections.Counter(json.dumps(get(e, "invigil.gap")) for e in action("coverage-gap") if get(e, "event.kind") != "alert"))' "$work/ev.$what"
}
in_folder() {
	(cd "$1" && shift && HOME=$work/home run -- "$@")
}

if source_get hello "$work/package" >"$work/why" 2>&1; then
	counter=
	if perf stat -e sched:sched_process_exec -x, -o "$work/perf" true 2>/dev/null && grep -q '^[0-9]' "$work/perf"; then
		counter="perf stat -e sched:sched_process_exec -x, -o $work/perf"
	fi
	rm -f "$work/perf"
	# shellcheck disable=SC2086
	benign package $counter sh "$corpus/build.sh"
	if [ -n "$counter" ]; then
		want=$(awk -F, '/sched_process_exec/ { print $1 }' "$work/perf")
		see "exec events of the parallel build equal perf's count, $want" \
			'(lambda n: n == '"${want:-0}"' or print("stream:", n))(len([e for e in execs() if get(e, "process.name") != "perf"]))' "$work/ev.package"
	else
		test_begin "exec events equal perf's count"
		skip "perf cannot count sched:sched_process_exec here"
	fi
else
	test_begin "a C package from Debian's sources"
	skip "apt-get source: $(tail -n 1 "$work/why")"
fi
benign bats bats .
benign pytest /usr/bin/python3 -m pytest -q -p no:cacheprovider
benign git sh use.sh
if command -v npm >/dev/null; then
	benign npm npm test
else
	test_begin "an npm test"
	skip "there is no npm"
fi

engine_up
mkdir "$work/docker"
# shellcheck disable=SC2046
benign docker $(suite harmless)

cat "${streams[@]}" >"$work/all"
see "from medium up at most one alert in a thousand execs, over all of them" \
	'(lambda a, n: len(a) * 1000 <= n or print(n, "execs", [(get(e, "rule.id"), get(e, "invigil.evidence")) for e in a]))([e for e in alerts() if get(e, "event.severity", 0) >= 47], len(execs()))' "$work/all"
finish
