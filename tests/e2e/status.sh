#!/bin/bash
# status.sh: the exit status is COMMAND's own or the documented one; signals pass; a dead monitor changes nothing.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

check "COMMAND's own status" status_is 7 run -- sh -c 'exit 7'
see "is in the stream" 'ended() and get(ev[-1], "process.exit_code") == 7 and get(ev[-1], "event.outcome") == "failure"'
check "success" status_is 0 run -- true
see "is in the stream too" 'ended() and get(ev[-1], "event.outcome") == "success"'
for s in TERM KILL SEGV; do
	check "SIG$s is 128+N" status_is $((128 + $(kill -l $s))) run -- sh -c "kill -$s \$\$"
done
check "a program that cannot be executed is 126" status_is 126 run -- /etc/passwd
check "a directory is 126" status_is 126 run -- /etc
check "a program that is not there is 127" status_is 127 run -- no-such-program-xyz
check "the same by path" status_is 127 run -- /no/such/program
check "an unknown option is 125" status_is 125 run --frobnicate -- true
check "and is named" grep -q frobnicate "$work/err"
check "an unknown level is 125" status_is 125 run --fail-on terrible -- true
check "and is named" grep -q terrible "$work/err"
check "an unknown format is 125" status_is 125 run -f xml -- true
check "no command is 125" status_is 125 run
check "an unknown subcommand is 125" status_is 125 "$invigil" frobnicate
check "a configuration that is not there is 125" status_is 125 run -c "$work/none.yaml" -- touch "$work/started"
printf 'rules: [\n' >"$work/bad.yaml"
check "a malformed configuration is 125" status_is 125 run -c "$work/bad.yaml" -- touch "$work/started"
printf 'rules:\n  R99.9: { severity: low }\n' >"$work/bad.yaml"
check "an unknown rule is 125" status_is 125 run -c "$work/bad.yaml" -- touch "$work/started"
check "and is named" grep -q 'R99\.9' "$work/err"
check "a directory as output is 125" status_is 125 "$invigil" run -o "$work" -- touch "$work/started"
check "an output in no directory is 125" status_is 125 "$invigil" run -o "$work/no/ev" -- touch "$work/started"
mkdir -m 1777 "$work/shared"
ln -s "$work/victim" "$work/shared/ev"
check "a link in the way is refused" status_is 125 "$invigil" run -o "$work/shared/ev" -- touch "$work/started"
check "and not followed" test ! -e "$work/victim"
check "nothing was started in all of these" test ! -e "$work/started"
check "an output that fills up is 125" status_is 125 "$invigil" run -q -o /dev/full -- touch "$work/ran"
check "COMMAND having run" test -e "$work/ran"
# A disk that fills up in the middle: whole lines stay, and the recording beside it.
mkdir "$work/small"
mount -t tmpfs -o size=96k none "$work/small"
check "a disk that fills up is 125" status_is 125 "$invigil" run -q -o "$work/small/ev" --record "$work/full.rec" -- \
	sh -c 'for i in $(seq 150); do /bin/true $i; done'
see "what was written before is whole lines" 'len(ev) > 20 and gapless()' "$work/small/ev"
check "the recording has all of it" bash -c "'$invigil' replay -q -o '$work/all' '$work/full.rec'"
see "to the end" 'len(execs("true")) == 150 and ended()' "$work/all"
umount "$work/small"
mount -t tmpfs none "$work/small"
check "a run on another file system" status_is 0 run -q -o "$work/small/ev" --record "$work/small/rec" \
	--markdown "$work/small/md" -- true
check "holds nothing of it when it has ended" umount "$work/small"
check "but a failed COMMAND keeps its status" status_is 4 "$invigil" run -q -o /dev/full -- sh -c 'exit 4'
cp "$invigil" "$work/invigil"
check "no privileges are 125" status_is 125 setpriv --reuid=65534 --regid=65534 --clear-groups "$work/invigil" run -- true

shell='import os, sys; os.system("true one; true two >/dev/null"); sys.exit(int(sys.argv[1]))'
check "the gate trips: 120" status_is 120 run --fail-on medium -- /usr/bin/python3 -c "$shell" 0
see "and says so" 'get(ev[-1], "invigil.run.gate") is not None'
check "near miss: a higher level" status_is 0 run --fail-on critical -- /usr/bin/python3 -c "$shell" 0
check "near miss: never" status_is 0 run --fail-on never -- /usr/bin/python3 -c "$shell" 0
check "a failed COMMAND keeps its status with the gate tripped" status_is 3 run --fail-on low -- /usr/bin/python3 -c "$shell" 3
check "-o - is standard output" bash -c "'$invigil' run -q -o - -- echo to-stderr 2>'$work/e' >'$ev' && grep -qx to-stderr '$work/e'"
see "with nothing else in it" 'ended() and gapless()'
check "-q is silent" bash -c "'$invigil' run -q -o '$ev' -- true 2>&1 | cmp - /dev/null"
run -- true
check "the summary has all nine categories" bash -c "[ \$(grep -cE '\bR[1-9]\b' '$work/err') -ge 9 ]"
check "in at most 40 lines of at most 80 columns" bash -c "[ \$(wc -l <'$work/err') -le 40 ] && ! grep -qE '^.{81}' '$work/err'"
check "the output is 0640" bash -c "[ \$(stat -c %a '$ev') = 640 ]"
check "-u runs COMMAND as that user" bash -c "'$invigil' run -q -u nobody -o '$work/shared/as-nobody' -- id -un | grep -qx nobody"
check "-u changes nothing on where root may write" bash -c "'$invigil' run -q -u nobody -o '$work/as-nobody' -- id -un | grep -qx nobody"
run --alerts-only -- /usr/bin/python3 -c "$shell" 0
see "--alerts-only has alerts and no exec" 'alerts() and not action("exec") and ended() and get(ev[0], "event.action") == "run-start"'

# Nothing that COMMAND has from its parent changes.
cat >"$work/inherited.sh" <<'SH'
umask; ulimit -a; nice; env | grep -v '^_=' | sort; ls -l /proc/self/fd | awk '/[0-9]:[0-9][0-9] [3-9] ->/ { print $9, $11 }'
grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; cat /proc/self/oom_score_adj
SH
umask 027
{
	bash "$work/inherited.sh" >"$work/bare" 2>&1 7</etc/hostname
	timeout 60 "$invigil" run -q -o "$ev" -- bash "$work/inherited.sh" >"$work/under" 2>&1 7</etc/hostname
}
umask 022
# The directory that ls itself opens carries ls's pid.
sed -i 's|/proc/[0-9]*/fd|/proc/PID/fd|' "$work/bare" "$work/under"
check "umask, limits, environment, descriptors and signals are as they came" diff "$work/bare" "$work/under"

for s in TERM INT HUP; do
	rm -f "$work/up"
	# Python, because a background job of this shell ignores SIGINT from the start.
	cat >"$work/caught.py" <<-PY
		import signal, sys, time
		signal.signal(signal.SIG$s, lambda *a: sys.exit(9))
		open("$work/up", "w").close()
		until = time.time() + 20
		while time.time() < until:
		    time.sleep(0.02)
	PY
	rm -f "$ev"
	"$invigil" run -o "$ev" -- /usr/bin/python3 "$work/caught.py" 2>"$work/err" &
	pid=$!
	until_true 30 test -e "$work/up"
	kill -$s $pid
	wait $pid
	got=$?
	check "SIG$s reaches COMMAND, whose status is passed on" test $got = 9
	see "and the stream still ends after SIG$s" 'ended() and get(ev[-1], "process.exit_code") == 9'
done

rm -f "$work/up" "$work/go"
"$invigil" run -q -o "$ev" -- sh -c "touch '$work/up'; until [ -e '$work/go' ]; do sleep 0.05; done; exit 5" 2>"$work/err" &
pid=$!
until_true 30 test -e "$work/up"
monitor=$("$root/tests/lib/ours.sh" "$ev" invigil-monitor)
if [ -n "$monitor" ]; then
	kill -9 "$monitor"
	until_true 30 bash -c "! kill -0 $monitor || grep -q '^State:.Z' /proc/$monitor/status"
	touch "$work/go"
	wait $pid
	check "kill -9 of the monitor leaves COMMAND's status" test $? = 5
else
	touch "$work/go"
	wait $pid
	test_begin "kill -9 of the monitor leaves COMMAND's status"
	fail "no process looks like the monitor"
fi
finish
