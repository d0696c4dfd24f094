#!/bin/bash
# user.sh: what an ordinary shell hands over or does: closed descriptors, /dev/null, its own folder, a full disk.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
export invigil work

# Whose number a file of invigil's might get.
closed() { timeout 60 "$invigil" run -o "$ev" "$@" <&- >&- 2>&-; }
# shellcheck disable=SC2016
open_ones='a=; for i in 0 1 2; do [ ! -e /proc/$$/fd/$i ] || a=$a$i; done; echo "<$a>" >'"$work/open"
check "a run whose standard descriptors are closed" closed -- sh -c "$open_ones"
see "its stream holds the stream alone, and is whole" 'ended() and gapless()'
check "COMMAND finds them closed" grep -qx '<>' "$work/open"
open() { run "$@" </dev/null; }
check "near miss: open ones" open -- sh -c "$open_ones"
check "which COMMAND finds open" grep -qx '<012>' "$work/open"

export MY_API_TOKEN=planted-Us3r-secret-0815
check "a secret on standard output" run -- sh -c 'echo $MY_API_TOKEN'
see "R5.3: it is read by others" 'alerts("R5.3")'
null() { run -- sh -c 'echo $MY_API_TOKEN >/dev/null; echo $MY_API_TOKEN' >/dev/null; }
check "near miss: the null device is standard output" null
see "which nobody reads" 'ended() and not alerts("R5.3")'
unset MY_API_TOKEN

# Each in a mount namespace: what stays mounted goes with it.
mounted() { # SIZE SCRIPT: in a folder $work/m of that size
	mkdir -p "$work/m"
	unshare -m bash -c "mount -t tmpfs -o size=$1 tmpfs '$work/m' && cd '$work/m' && { $2; }"
}
check "a folder can be unmounted as soon as invigil has ended" mounted 1m \
	'"$invigil" run -q -- true && cd / && umount "$work/m"'
check "near miss: not while COMMAND is there" mounted 1m \
	'"$invigil" run -q -- sh -c "cd / && ! umount $work/m" 2>"$work/busy" && grep -q busy "$work/busy"'

# shellcheck disable=SC2016
many='for i in $(seq 300); do /bin/true; done'
check "a stream and a recording on a full disk: 125" mounted 64k \
	"'$invigil' run -o ev --record rec -- sh -c '$many' 2>'$work/err'; [ \$? = 125 ]"
check "the message names the stream" grep -qx 'invigil: output ev: not written whole: No space left on device' "$work/err"
check "and the recording" grep -qx 'invigil: recording rec: not written whole: No space left on device' "$work/err"
check "no file is said to be written" bash -c "! grep -q '^Written' '$work/err'"
check "near miss: there is room" mounted 8m "'$invigil' run -o ev --record rec -- sh -c '$many' 2>'$work/err'"
check "both are said to be written" bash -c "sed -n '/^Written/,\$p' '$work/err' | tr -s ' \n' ' ' | grep -qx 'Written: ev rec '"

check "a recording" run --record "$work/rec" -- true
check "replayed into files" status_is 0 "$invigil" replay -o "$work/again" --markdown "$work/md" "$work/rec"
check "these are said to be written, the recording is not" \
	bash -c "sed -n '/^Written/,\$p' '$work/err2' | grep -oE '[a-z]+$' | tr '\n' ' ' | grep -qx 'again md '"
check "replayed to a full device: 125" status_is 125 bash -c "'$invigil' replay -q '$work/rec' >/dev/full"
check "and the message names it" grep -qx 'invigil: output -: No space left on device' "$work/err2"
finish
