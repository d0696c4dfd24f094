#!/bin/bash
# ours.sh STREAM NAME...: the pids of the processes so called, of the run that writes STREAM: their arguments, which are the front's, name it.
# One for each name: the youngest, because the monitor of the run before this one may still be detaching, that is no fork of such
# a one, because a fork that hashes or that opens what may stall has its parent's name until it takes its own.
stream=$1
shift
is() { # PID NAME
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && grep -qsxzF -- "$stream" "/proc/$1/cmdline"
}
for name in "$@"; do
	for p in $(pgrep -x "$name"); do
		is "$p" "$name" && read -ra stat 2>/dev/null <"/proc/$p/stat" && ! is "${stat[3]}" "$name" && echo "${stat[21]} $p"
	done | sort -n | sed -n '$s/.* //p'
done
