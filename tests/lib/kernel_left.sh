#!/bin/bash
# kernel_left.sh PID: what the tables of the kernel's side hold that a run of the daemon PID has put there: "NAME ENTRIES" each;
# nothing when no run is active and none of its processes lives.
for id in $(sed -n 's/^map_id:[[:space:]]*//p' "/proc/$1"/fdinfo/* 2>/dev/null | sort -un); do
	name=$("${BPFTOOL:-/usr/sbin/bpftool}" -j map show id "$id" | sed -n 's/.*"name":"\([^"]*\)".*/\1/p')
	case $name in
	containers | watched | living | build_steps | env_states | pythons)
		n=$("${BPFTOOL:-/usr/sbin/bpftool}" -j map dump id "$id" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
		[ "$n" = 0 ] || echo "$name $n"
		;;
	esac
done
