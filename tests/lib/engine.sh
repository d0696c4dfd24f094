#!/bin/bash
# engine.sh start|stop DIR: a private Docker Engine on unix://DIR/docker.sock that leaves nothing behind.
# Own containerd, data and exec root, bridge and subnet; no packet filter rules (those would touch a neighbour's:
# dockerd flushes the shared chains), so ports are published by docker-proxy alone.
set -u

engine_say() { echo "engine: $*" >&2; }

engine_alive() { # PIDFILE: the process it names is there and is ours
	local pid
	pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && grep -qaF "$2" "/proc/$pid/cmdline" 2>/dev/null
}

# The first bridge name that nobody has is ours: `ip link add` is the lock.
engine_bridge() { # DIR
	local i
	for i in $(seq 0 49); do
		ip -4 -o addr show | grep -qF " 172.29.$((100 + i))." && continue
		ip link add "ivgp$i" type bridge 2>/dev/null || continue
		echo "ivgp$i" >"$1/bridge"
		ip addr add "172.29.$((100 + i)).1/24" dev "ivgp$i" && ip link set "ivgp$i" up && return 0
		return 1
	done
	return 1
}

engine_wait_gone() { # PID: at most 20 s
	local i
	for i in $(seq 200); do
		[ -d "/proc/$1" ] || return 0
		# a zombie of ours is gone too
		grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}

engine_end() { # PIDFILE MARK
	local pid
	engine_alive "$1" "$2" || return 0
	pid=$(cat "$1")
	kill -TERM "$pid" 2>/dev/null
	engine_wait_gone "$pid" || {
		kill -KILL "$pid" 2>/dev/null
		engine_wait_gone "$pid"
	}
}

engine_start() { # DIR
	engine_begin "$1" && return
	[ $? != 2 ] || engine_stop "$1"
	return 1
}

# 2: it did not come up. Others may begin beside it; what one leaves behind is not removed meanwhile (engine_leftovers).
engine_begin() { # DIR
	local dir=$1 i before port
	flock -s 7
	if [ "$(id -u)" != 0 ]; then engine_say "needs root"; return 1; fi
	mkdir -p "$dir" && dir=$(cd "$dir" && pwd -P) || return 1
	if engine_alive "$dir/dockerd.pid" "$dir"; then engine_say "already runs in $dir"; return 1; fi
	# What was not there before is removed at the end.
	before=
	for i in /run/containerd /run/docker /etc/docker /var/lib/docker-engine; do
		[ -e "$i" ] || before="$before $i"
	done
	for i in /sys/fs/cgroup/*/docker /sys/fs/cgroup/docker; do
		[ -d "${i%/docker}" ] && [ ! -e "$i" ] && before="$before $i"
	done
	cat /proc/sys/net/ipv4/ip_forward >"$dir/ip_forward"
	echo "$before" >"$dir/created"
	engine_bridge "$dir" || { engine_say "no bridge could be made"; return 1; }
	# With ENGINE_TCP it listens on a port of its own, too, which DIR/port tells.
	port=
	if [ -n "${ENGINE_TCP:-}" ]; then
		port=$(($(sed 's/[^0-9]//g' "$dir/bridge") + 23750))
		echo $port >"$dir/port"
	fi
	mkdir -p "$dir/containerd/root" "$dir/containerd/state" "$dir/data" "$dir/exec"
	# Not the machine's /etc/docker/daemon.json.
	echo '{}' >"$dir/daemon.json"
	cat >"$dir/containerd/config.toml" <<-TOML
		version = 2
		root = "$dir/containerd/root"
		state = "$dir/containerd/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$dir/containerd/sock"
		[ttrpc]
		address = "$dir/containerd/sock.ttrpc"
		[debug]
		address = "$dir/containerd/debug"
	TOML
	# env -i: the engine must not inherit a secret or a proxy of the caller; no descriptor of the caller either.
	(
		cd "$dir" || exit 1
		exec </dev/null >>"$dir/dockerd.log" 2>&1
		for i in /proc/self/fd/*; do
			i=${i##*/}
			[ "$i" -gt 2 ] && eval "exec $i>&-"
		done
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			setsid containerd --config "$dir/containerd/config.toml" --log-level warn &
		echo $! >"$dir/containerd.pid"
		for i in $(seq 300); do [ -S "$dir/containerd/sock" ] && break; sleep 0.05; done
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			setsid /usr/sbin/dockerd --debug --config-file "$dir/daemon.json" --containerd "$dir/containerd/sock" \
			--data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/dockerd.pid" \
			-H "unix://$dir/docker.sock" ${port:+-H "tcp://127.0.0.1:$port"} --bridge "$(cat "$dir/bridge")" --iptables=false --ip6tables=false \
			--ip-forward=false --ip-masq=false &
		echo $! >"$dir/dockerd.pid.started"
	)
	for i in $(seq 900); do
		if docker -H "unix://$dir/docker.sock" version >/dev/null 2>&1; then return 0; fi
		[ -d "/proc/$(cat "$dir/dockerd.pid.started")" ] || break
		sleep 0.1
	done
	engine_say "dockerd did not come up; the end of its log:"
	tail -n 15 "$dir/dockerd.log" >&2
	return 2
} 7>/tmp/invigil-engines

# Another engine may have come meanwhile: only what is empty, or our own key, goes.
engine_leftovers() { # DIR
	local i
	flock -w 60 7 || return
	pgrep -x dockerd >/dev/null && return
	# shellcheck disable=SC2013
	for i in $(cat "$1/created" 2>/dev/null); do
		[ "$i" = /etc/docker ] && rm -f /etc/docker/key.json
		find "$i" -depth -type d -empty -delete 2>/dev/null
		case $i in
		/sys/fs/cgroup/*) find "$i" -depth -type d -exec rmdir {} \; 2>/dev/null ;;
		esac
	done
} 7>/tmp/invigil-engines

engine_stop() { # DIR
	local dir=$1 i pid
	[ -d "$dir" ] || return 0
	dir=$(cd "$dir" && pwd -P) || return 1
	if engine_alive "$dir/dockerd.pid" "$dir"; then
		# shellcheck disable=SC2046
		set -- $(docker -H "unix://$dir/docker.sock" ps -aq --no-trunc 2>/dev/null)
		[ $# = 0 ] || docker -H "unix://$dir/docker.sock" rm -fv "$@" >/dev/null 2>&1
		# A network's bridge outlives its engine, and the next one has an address range less.
		# shellcheck disable=SC2046
		set -- $(docker -H "unix://$dir/docker.sock" network ls -q --filter type=custom 2>/dev/null)
		[ $# = 0 ] || docker -H "unix://$dir/docker.sock" network rm "$@" >/dev/null 2>&1
	fi
	engine_end "$dir/dockerd.pid.started" "$dir"
	# Shims carry our containerd's address in their arguments.
	# shellcheck disable=SC2013
	for pid in $(grep -laF "$dir/containerd/sock" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3); do
		case $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) in
		*containerd-shim*)
			kill -KILL "$pid" 2>/dev/null
			engine_wait_gone "$pid"
			;;
		esac
	done
	engine_end "$dir/containerd.pid" "$dir"
	awk -v d="$dir/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r i; do
		umount -l "$i" 2>/dev/null
	done
	[ -s "$dir/bridge" ] && ip link del "$(cat "$dir/bridge")" 2>/dev/null
	if [ -r "$dir/ip_forward" ] && [ "$(cat "$dir/ip_forward")" = 0 ] && [ -s "$dir/bridge" ] &&
		[ "$(cat /proc/sys/net/ipv4/ip_forward)" != 0 ]; then
		echo 0 >/proc/sys/net/ipv4/ip_forward
	fi
	engine_leftovers "$dir"
	rm -rf "$dir/data" "$dir/exec" "$dir/containerd" "$dir/docker.sock" "$dir/daemon.json"
	rm -f "$dir/bridge" "$dir/created" "$dir/ip_forward" "$dir"/*.pid "$dir/dockerd.pid.started"
	return 0
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	case ${1:-}:${2:-} in
	start:?*) engine_start "$2" ;;
	stop:?*) engine_stop "$2" ;;
	*)
		echo "usage: engine.sh start|stop DIR" >&2
		exit 2
		;;
	esac
fi
