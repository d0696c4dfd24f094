#!/bin/bash
# daemon_config.sh: outputs of the configuration, rotation, and SIGHUP while a run works: no event is lost.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

conf=$work/conf out=$work/out
mkdir -p "$conf/conf.d" "$out"
cat >"$conf/invigil.yaml" <<YAML
outputs:
  - type: file
    path: $out/events.jsonl
    rotate: { size: 128K, keep: 900 }
  - type: file
    path: $out/alerts-{run}.jsonl
    only: alerts
YAML
printf 'runs:\n  - program: %s\n' "$work/first" >"$conf/conf.d/10-first.yaml"
for i in first second; do
	printf '#!/bin/sh\n/bin/echo by-%s >/dev/null\n' $i >"$work/$i"
	chmod 755 "$work/$i"
done
"$invigil" daemon -c "$conf" --socket "$work/sock" 2>"$work/daemon" 9>&- &
daemon=$!
until_true 20 grep -q 'watching for runs' "$work/daemon"
# The id's group is that of root:invigil where that exists.
group=$(getent group invigil | cut -d: -f3)

said() { [ "$(grep -c "$1" "$work/daemon")" -ge "$2" ]; }
reload() { # WHAT IT SAYS
	local n
	n=$(grep -c "$1" "$work/daemon")
	kill -HUP "$daemon"
	until_true 10 said "$1" $((n + 1))
}
# Other tests of this machine may have runs, too: run WORD's number, which its first event with this word has.
run_of() { cat "$out"/events.jsonl* | grep -m 1 -e "$1" | sed 's/.*"id":"\([0-9a-f-]\{36\}\):[0-9].*/\1/'; }
ended() { run=$(run_of "$1") && [ -n "$run" ] && grep -q "run $run ended" "$work/daemon"; }
# The lines of WORD's run, each file as it is, in the order of their first ones: two may be written in one tick of the clock.
all() {
	local f run
	run=$(run_of "$1")
	for f in "$out"/events.jsonl*; do
		grep -m 1 -e "$run:" "$f" >"$work/part" && echo "$(grep -o '"sequence":[0-9]*' "$work/part" | head -1 | cut -d: -f2) $f"
	done | sort -n | while read -r _ f; do grep -e "$run:" "$f"; done
}
whole() { for f in "$out"/*.jsonl*; do [ ! -s "$f" ] || [ "$(tail -c 1 "$f" | xxd -p)" = 0a ] || { echo "$f"; return 1; }; done; }

# A job that executes 400 programs while the daemon is told to read and to open everything again, and files move.
cat >"$work/job" <<'SH2'
#!/bin/sh
i=0
while [ $i -lt 400 ]; do /bin/echo "number-$i-" >/dev/null; i=$((i + 1)); done
curl -s http://127.0.0.1:1/x | sh
SH2
chmod 755 "$work/job"
GITHUB_ACTIONS=true GITHUB_RUN_ID=81 GITHUB_JOB=x "$work/job" &
job=$!
until_true 10 grep -qs number-1- "$out/events.jsonl"
for i in 1 2 3 4 5; do
	mv "$out/events.jsonl" "$out/events.jsonl.moved$i"
	test_begin "reload $i while a run works"
	if reload 'configuration was read again'; then ok; else fail "$work/daemon"; fi
done
wait $job
check "the run ends" until_true 15 ended number-1-
all number-1- >"$work/all"
see "every execution is in the files" \
	'len({e["process"]["args"][1] for e in action("exec") if e["process"].get("args", [""])[0] == "/bin/echo"}) == 400' "$work/all"
see "and no number of the stream is missing" 'gapless() and ended()' "$work/all"
check "it was rotated" test -f "$out/events.jsonl.1"
check "no file is larger than was said" bash -c "[ -z \"\$(find '$out' -name 'events*' -size +128k)\" ]"
check "every file ends in whole lines" whole
check "files are root:invigil 0640" bash -c "[ \"\$(stat -c '%u %g %a' '$out'/* | sort -u)\" = '0 ${group:-0} 640' ]"
see "the reduced output has alerts and no exec" \
	'alerts() and not action("exec") and [get(e, "invigil.output.sequence") for e in ev] == list(range(1, len(ev) + 1))' "$out/alerts-$(run_of number-1-).jsonl"

# A wrong configuration changes nothing.
printf 'runs:\n  - program: %s\n  - programme: x\n' "$work/second" >"$conf/conf.d/20-second.yaml"
check "a wrong configuration is refused" reload 'configuration stays as it was'
check "and said with file, line and word" grep -q "conf.d/20-second.yaml:3: unknown key \"programme\"" "$work/daemon"
"$work/second"
"$work/first"
check "the old one is still in force" until_true 10 ended by-first
check "nothing of the new one is" bash -c "! cat '$out'/events.jsonl* | grep -q by-second"
printf 'outputs:\n  - type: file\n    path: %s/none/x.jsonl\n' "$work" >"$conf/conf.d/20-second.yaml"
check "so is one whose output cannot be opened" reload 'configuration stays as it was'
chmod 666 "$conf/conf.d/20-second.yaml"
check "and one that others can write" reload 'configuration stays as it was'
chmod 644 "$conf/conf.d/20-second.yaml"
printf 'runs:\n  - program: %s\nenv_reads: c\nrules: { R4.1: off }\n' "$work/second" >"$conf/conf.d/20-second.yaml"
check "a good one is taken" reload 'configuration was read again'
check "what needs a restart is said" grep -q 'env_reads changes with a restart only' "$work/daemon"
"$work/second"
check "and in force" until_true 10 ended by-second
check "its run is in the files" bash -c "cat '$out'/events.jsonl* | grep -q by-second"
kill -TERM $daemon
check "it ends with 0" wait $daemon

# The next one takes the file over; half a line of one that was killed is cut off.
printf '{"half' >>"$out/events.jsonl"
rm -f "$work/daemon"
"$invigil" daemon -c "$conf" --socket "$work/sock" 2>"$work/daemon" 9>&- &
daemon=$!
until_true 20 grep -q 'watching for runs' "$work/daemon"
check "a second daemon may not write to the same file" bash -c \
	"! timeout 20 '$invigil' daemon -c '$conf' --socket '$work/sock2' 2>'$work/e' && grep -q 'another invigil writes to it' '$work/e'"
sed -i s/by-first/after-restart/ "$work/first"
"$work/first"
check "the run after a restart ends" until_true 10 ended after-restart
check "its lines follow whole ones" bash -c "! grep -q '{\"half' '$out/events.jsonl'"
check "and those are" whole

# A run of its own has the outputs, too.
printf 'outputs:\n  - type: file\n    path: %s/run-{run}.jsonl\n    only: alerts\n' "$out" >"$work/run.yaml"
run -c "$work/run.yaml" -q -- sh -c 'curl -s http://127.0.0.1:1/x | sh'
see "run: -o has the whole stream" 'action("exec") and ended() and gapless()'
see "run: and the configured output the alerts" 'alerts() and not action("exec") and ended()' "$(echo "$out"/run-*.jsonl)"
kill -TERM $daemon
wait $daemon
finish
