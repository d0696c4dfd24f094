# shellcheck shell=sh
# few.sh CASE: inside of a machine that lacks something: what still works, what is refused, and in which words. Prints ok and FAIL.
say() { # WHAT COMMAND...
	what=$1
	shift
	if "$@"; then echo "ok   $case: $what"; else
		echo "FAIL $case: $what"
		[ ! -s /tmp/said ] || head -5 /tmp/said
	fi
}
status_is() { # STATUS COMMAND...: what it says is in /tmp/said
	want=$1
	shift
	"$@" >/tmp/said 2>&1
	[ $? = "$want" ]
}
said() { grep -q "$1" /tmp/said; }
absent() { [ ! -e "$1" ]; }
told() { grep -q "$1" "$2"; }

engine_begin() {
	VM_STREAM=/tmp/asked ./vm-engine serve >/tmp/ready &
	server=$!
	until grep -q ready /tmp/ready || ! kill -0 $server; do sleep 0.1; done
}
engine_end() {
	kill $server
	wait $server
	rm -f /tmp/ready
}
# A run against the stand-in engine, whose container's group is as VM_CGROUP says.
asked() { # OPTIONS...
	rm -f /tmp/asked
	VM_SMOKE_READ=1 ./invigil run -q -o /tmp/asked "$@" -- ./vm-engine ask
}
group_seen() { # GROUP with : for the id
	mkdir -p "${1%/*}"
	export VM_CGROUP="$1"
	engine_begin
	say "the container of $1 is asked for" asked
	say "its call is decoded" told '"id":"R6\.1"' /tmp/asked
	say "what is executed in it is the run's, and the container's" told '"action":"exec".*"args":\["echo","in-the-container"\].*"container":{"id":"0123' /tmp/asked
	engine_end
}

# Rules that a stream names, and how often.
rules() { grep -oE '"(id|rule)":"R[6-9]\.[0-9]+"' "$1" | sort | uniq -c; }
each_way_told() { # FILE REFUSED
	for way in $ways; do
		case " $unseen " in *" $way "*) continue ;; esac
		grep -q "\"query\":\"way=$way\"" "$1" || grep '"stream-cut"' "$1" | grep -q "\"/run/docker.sock\",\"$way\"" ||
			grep -qx "$way" "$2" || { echo "nothing of $way" >/tmp/said && return 1; }
	done
}
# The same calls by each way that this kernel must have to read the engine's bytes.
tiers_compare() { # TIERS
	ways=$(./evade)
	cat >/tmp/ways.sh <<-END
		for way in $(echo $ways); do
			./evade /run/docker.sock \$way || echo \$way >>/tmp/refused
		done
		true
	END
	engine_begin
	for tier; do
		if ./invigil check --engine-bytes $tier 2>/dev/null | grep -q '^engine bytes *not covered'; then
			say "$tier works" false
			continue
		fi
		say "$tier: a run" asked --engine-bytes $tier
		rules /tmp/asked >/tmp/rules.$tier
		say "$tier: its findings are those of $1" cmp /tmp/rules.$tier /tmp/rules.$1
		# What no system call with a buffer has moved is not seen there, as `invigil check` says.
		unseen=
		[ $tier != syscall ] || unseen="sendmmsg int80 uring sqpoll"
		rm -f /tmp/ways /tmp/refused
		touch /tmp/refused
		./invigil run -q -o /tmp/ways --engine-bytes $tier -- sh /tmp/ways.sh
		say "$tier: each way to send is decoded, or said not to be" each_way_told /tmp/ways /tmp/refused
		echo "     $tier: not decoded, but said: $(for way in $ways; do grep -q "\"query\":\"way=$way\"" /tmp/ways || echo $way; done | tr '\n' ' '); refused here: $(tr '\n' ' ' </tmp/refused)"
	done
	engine_end
}

case=$1 unseen=
case $case in
lockdown)
	say "run is refused" status_is 125 ./invigil run -- touch /tmp/started
	say "it says why, and what to do" said 'cannot trace: .*lets no program read its memory.*lockdown=confidentiality'
	say "COMMAND was not started" absent /tmp/started
	say "check is refused, too" status_is 125 ./invigil check
	say "and says which feature it is" said 'feature reads of kernel memory *Invalid argument'
	say "the daemon is refused, too" status_is 125 ./invigil daemon -o '/tmp/{run}' --socket /tmp/socket
	;;
types)
	# A stock kernel has them: they are hidden, as in a container that has no sysfs of the host's.
	cp /sys/kernel/btf/vmlinux /tmp/types
	mount -t tmpfs hidden /sys/kernel/btf
	say "without types run is refused" status_is 125 ./invigil run -- touch /tmp/started
	say "it says what to do" said 'cannot trace: .*types.*CONFIG_DEBUG_INFO_BTF=y, or name a copy by --btf FILE'
	say "COMMAND was not started" absent /tmp/started
	say "what is no BTF is refused" status_is 125 ./invigil run --btf /t/few.sh -- touch /tmp/started
	say "by name" said 'btf /t/few.sh: it is no BTF'
	say "COMMAND was not started then" absent /tmp/started
	say "check takes a copy" status_is 0 ./invigil check --btf /tmp/types
	engine_begin
	say "a run with a copy" asked --btf /tmp/types
	say "decodes" told '"id":"R6\.1"' /tmp/asked
	say "and sees the container" told '"args":\["echo","in-the-container"\]' /tmp/asked
	engine_end
	say "nobody else sees the copy" absent /sys/kernel/btf/vmlinux
	;;
no-types)
	# What a kernel that was built without them shows.
	say "this kernel shows no types" absent /sys/kernel/btf
	say "run is refused" status_is 125 ./invigil run -- touch /tmp/started
	say "it says what to do" said 'cannot trace: .*types.*CONFIG_DEBUG_INFO_BTF=y'
	say "check is refused, too" status_is 125 ./invigil check
	printf '\237\353\001\000%20s' '' >/tmp/types # the head of one
	say "a copy does not help" status_is 125 ./invigil run --btf /tmp/types -- touch /tmp/started
	say "it says why" said 'btf /tmp/types: this kernel has no types at all (CONFIG_DEBUG_INFO_BTF)'
	say "COMMAND was not started" absent /tmp/started
	;;
cgroup1)
	say "no unified hierarchy is mounted" absent /sys/fs/cgroup/cgroup.procs
	group_seen /sys/fs/cgroup/pids/docker/:
	group_seen /sys/fs/cgroup/memory/system.slice/docker-:.scope
	;;
groups)
	group_seen /sys/fs/cgroup/docker/:
	group_seen /sys/fs/cgroup/system.slice/docker-:.scope
	group_seen /sys/fs/cgroup/machine.slice/libpod-:.scope
	group_seen /sys/fs/cgroup/user.slice/user-400.slice/user@400.service/app.slice/docker-:.scope
	;;
preempted)
	# Where a program that looks for a membership can be interrupted: whoever comes meanwhile is not found (bpf/member.bpf.h).
	cat >/tmp/many.sh <<-'END'
		for k in 1 2; do (while :; do echo $k; done >/dev/null) & writers="$writers $!"; done
		i=0
		while [ $i -lt 400 ]; do /bin/busybox echo nth-$i; i=$((i + 1)); done >/dev/null
		kill $writers
		wait
	END
	say "a run" ./invigil run -q -o /tmp/many -- sh /tmp/many.sh
	seen=$(grep -c '"action":"exec".*"nth-' /tmp/many)
	hidden=$(sed -n 's/.*"action":"run-end".*"lost":{[^}]*"membership":\([0-9]*\).*/\1/p' /tmp/many)
	echo "     $case: $seen of 400 executions are seen, ${hidden:-0} times a membership was not found"
	say "executions that are not seen are said" test "$seen" = 400 -o "${hidden:-0}" -gt 0
	[ -z "$hidden" ] || say "the run is not complete then" told '"action":"run-end".*"complete":false' /tmp/many
	# Where one that is in the middle of a trampoline's program can be, the kernel leaves it out for the others.
	left=$(sed -n 's/.*"action":"run-end".*"lost":{[^}]*"hook_call":\([0-9]*\).*"complete":false.*/\1/p' /tmp/many)
	echo "     $case: ${left:-0} calls of hooks were left out"
	say "calls of hooks that are left out are said" test "${left:-0}" -gt 0
	say "a run on a quiet machine" ./invigil run -q -o /tmp/quiet -- /bin/busybox true
	say "has lost none" told '"action":"run-end".*"lost":{},"complete":true' /tmp/quiet
	;;
tiers-6.1) tiers_compare fexit syscall ;;
tiers-6.12) tiers_compare fexit copy tracepoint syscall ;;
*)
	echo "FAIL $case: no such case"
	;;
esac
