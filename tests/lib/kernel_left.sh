#!/bin/bash
# kernel_left.sh PID runs|processes: what the tables of the kernel's side hold that runs of the daemon PID, or their processes,
# have put there: "NAME ENTRIES" each; nothing when no run is active.
case $2 in
runs) wanted=' containers watched living build_steps ' ;;
processes) wanted=' env_states pythons ' ;;
esac
for id in $(sed -n 's/^map_id:[[:space:]]*//p' "/proc/$1"/fdinfo/* 2>/dev/null | sort -un); do
	name=$("${BPFTOOL:-/usr/sbin/bpftool}" -j map show id "$id" | sed -n 's/.*"name":"\([^"]*\)".*/\1/p')
	[ "${wanted/ $name /}" != "$wanted" ] || continue
	n=$("${BPFTOOL:-/usr/sbin/bpftool}" -j map dump id "$id" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')
	[ "$n" = 0 ] || echo "$name $n"
done
