#!/bin/bash
# replay.sh: a recording, replayed without privileges, gives the same stream; a bad one is refused.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

export IVG_TEST_TOKEN=planted-Kd52-secret-value-13
check "a run is recorded" run --record "$work/rec" -- /usr/bin/python3 -c '
import base64, os, subprocess
token = os.environ.get("IVG_TEST_TOKEN")
subprocess.check_output(["/bin/echo", token, "two\nlines"])
subprocess.call("/bin/true | /bin/cat; exit 3", shell=True)
encoded = base64.b64encode(token.encode()).decode()
subprocess.call(["/bin/true", "pre-" + encoded])
open("'"$work"'/r.log", "a").write("x")'
check "the recording is 0600" bash -c "[ \$(stat -c %a '$work/rec') = 600 ]"
check "no secret in the recording" bash -c "! grep -qa 'planted-Kd52' '$work/rec'"
check "nor in the stream" bash -c "! grep -qa 'planted-Kd52' '$ev'"
check "nor in base64" bash -c "b=\$(printf planted-Kd52-secret | base64); ! grep -qa \"\${b:0:20}\" '$ev' '$work/rec'"
see "R3.4: an argument holds it" 'len(alerts("R3.4")) > 0'
see "but where it stood" '"<redacted:" in json.dumps(args("echo"))'
unset IVG_TEST_TOKEN
cp "$invigil" "$work/invigil"
cp "$work/rec" "$work/rec.user"
chmod 644 "$work/rec.user"
mkdir -m 777 "$work/user"
as_user() { timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
check "an unprivileged user replays it" as_user "$work/invigil" replay -q -o "$work/user/ev" "$work/rec.user"
check "byte for byte" cmp "$ev" "$work/user/ev"
check "a second time the same" bash -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
check "the gate works there too" status_is 120 "$invigil" replay -q --fail-on low -o "$work/x" "$work/rec"
check "near miss: never" status_is 0 "$invigil" replay -q --fail-on never -o "$work/x" "$work/rec"
size=$(stat -c %s "$work/rec")
for cut in 0 1 7 $((size / 3)) $((size - 1)); do
	head -c "$cut" "$work/rec" >"$work/cut"
	check "cut after $cut bytes: 125" status_is 125 timeout 20 "$invigil" replay -q -o "$work/x" "$work/cut"
done
# Behind the magic: the version, then the ABI (user/recording.c).
for at in 16 20; do
	cp "$work/rec" "$work/other"
	printf '\143' | dd of="$work/other" bs=1 seek=$at conv=notrunc 2>/dev/null
	check "another version at byte $at: 125" status_is 125 timeout 20 "$invigil" replay -q -o "$work/x" "$work/other"
	check "and is named" grep -qE 'version|ABI' "$work/err2"
done
# A record of a type that nobody knows: it is left out and said, and the rest is told.
python3 - "$work/rec" "$work/odd" <<'PY'
import struct, sys
rec = bytearray(open(sys.argv[1], "rb").read())
at = 24
while (n := struct.unpack_from("<I", rec, at)[0]) and rec[at + 20] != 6:  # type: EV_ENV
    at += 4 + n
assert n
rec[at + 20] = 250
open(sys.argv[2], "wb").write(rec)
PY
check "a record of an unknown type: 125" status_is 125 "$invigil" replay -o "$work/odd.ev" "$work/odd"
check "the summary says so" grep -q '1 record rejected' "$work/err2"
see "R0.3 says so" '["malformed records were rejected"] == [get(e, "invigil.gap.reason") for e in said("R0.3")] and not get(action("run-end")[0], "invigil.run.complete")' "$work/odd.ev"
see "the rest is told" 'len(alerts("R3.4")) > 0 and get(action("run-end")[0], "invigil.run.counts.rejected") == 1' "$work/odd.ev"
see "near miss: of the whole one nothing is rejected" 'get(action("run-end")[0], "invigil.run.counts.rejected") == 0 and not said("R0.3")'
check "a directory is no recording: 125" status_is 125 "$invigil" replay -q -o "$work/x" "$work"
head -c 4096 /dev/urandom >"$work/random"
check "random bytes: 125" status_is 125 timeout 20 "$invigil" replay -q -o "$work/x" "$work/random"
check "no such recording: 125" status_is 125 "$invigil" replay -q -o "$work/x" "$work/none"
check "no operand: 125" status_is 125 "$invigil" replay
finish
