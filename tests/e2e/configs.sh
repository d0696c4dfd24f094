#!/bin/bash
# configs.sh: each setting that a rule of R6 names, as real clients ask a real engine for it, and for each the nearest that is none.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
base=invigil/base:1
sock=$engine/docker.sock
docker=/usr/bin/docker
key=$(printf '%s PRIVATE KEY%s' -----BEGIN -----) # no file of this tree shall look like one
mkdir "$work/plain"

# A row: rule, what its evidence says, options of a create; a row without a rule is one that says nothing.
cat >"$work/hits" <<ROWS
R6.1	Privileged	--privileged $base true
R6.2	$sock is	-v $sock:/s:ro $base true
R6.2	/run/containerd/containerd.sock	-v /run/containerd/containerd.sock:/s:ro $base true
R6.2	/run/podman/podman.sock	-v /run/podman/podman.sock:/s:ro $base true
R6.2	/run/crio/crio.sock	-v /var/run/crio/crio.sock:/s:ro $base true
R6.2	/run/containerd is	-v /run/containerd:/s:ro $base true
R6.3	/ is mounted writable	-v /:/h $base true
R6.3	/etc is mounted writable	--mount type=bind,source=/etc,target=/h $base true
R6.3	/boot is	-v /boot:/h $base true
R6.3	/dev is	-v /dev:/h $base true
R6.3	/proc is	-v /proc:/h $base true
R6.3	/sys is	-v /sys:/h $base true
R6.3	/root is	-v /root:/h $base true
R6.3	/home is	-v /home:/h $base true
R6.3	/var/lib/docker is	-v /var/lib/docker:/h $base true
R6.3	/var/run is	-v /var/run:/h $base true
R6.3	/etc/shadow	-v /etc/shadow:/h $base true
R6.3	/etc/sudoers	-v /etc/sudoers.d:/h $base true
R6.3	/etc/ssh	-v /etc/ssh:/h $base true
R6.3	/etc/docker	-v /etc/docker:/h $base true
R6.3	/etc/kubernetes	-v /etc/kubernetes:/h $base true
R6.3	/srv/u/.ssh	-v /srv/u/.ssh:/h $base true
R6.3	/srv/u/.docker	-v /srv/u/.docker:/h $base true
R6.3	/srv/u/.aws	-v /srv/u/.aws:/h $base true
R6.3	/srv/u/.kube	-v /srv/u/.kube:/h $base true
R6.3	/etc/docker/local	--mount type=volume,volume-driver=local,target=/h,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/etc/docker/local $base true
R6.4	NetworkMode=host	--network host $base true
R6.4	PidMode=host	--pid host $base true
R6.4	IpcMode=host	--ipc host $base true
R6.4	UTSMode=host	--uts host $base true
R6.4	UsernsMode=host	--userns host $base true
R6.5	ALL	--cap-add ALL $base true
R6.5	SYS_ADMIN	--cap-add SYS_ADMIN $base true
R6.5	sys_ptrace	--cap-add sys_ptrace $base true
R6.5	SYS_MODULE	--cap-add CAP_SYS_MODULE $base true
R6.5	SYS_RAWIO	--cap-add SYS_RAWIO $base true
R6.5	DAC_READ_SEARCH	--cap-add DAC_READ_SEARCH $base true
R6.5	NET_ADMIN	--cap-add NET_ADMIN $base true
R6.5	BPF	--cap-add BPF $base true
R6.5	PERFMON	--cap-add PERFMON $base true
R6.6	seccomp=unconfined	--security-opt seccomp=unconfined $base true
R6.6	apparmor=unconfined	--security-opt apparmor=unconfined $base true
R6.6	label=disable	--security-opt label=disable $base true
R6.6	MaskedPaths is cleared	--security-opt systempaths=unconfined $base true
R6.7	port 80/tcp	-p 18456:80 $base true
R6.7	port 81/tcp	-p [::]:18457:81 $base true
R6.7	PublishAllPorts	-P $base true
R6.8	/dev/null	--device /dev/null:/dev/x $base true
R6.8	c 1:3 rwm	--device-cgroup-rule 'c 1:3 rwm' $base true
R6.8	DeviceRequests	--gpus all $base true
R6.8	/dev/loop0	--mount type=volume,volume-driver=local,target=/h,volume-opt=type=ext4,volume-opt=device=/dev/loop0 $base true
R6.9	DB_PASSWORD	-e DB_PASSWORD=geheim-und-lang-91 $base true
R6.9	API_TOKEN	--label API_TOKEN=geheim-und-lang-92 $base true
R6.9	the command	$base echo '$key'
R6.10	Links	--link linked:alias $base true
R6.11	invigil/float	invigil/float true
R6.11	invigil/float:latest	invigil/float:latest true
R6.14	/etc/kubernetes is mounted read-only	--mount type=bind,source=/etc,target=/g,readonly -v /etc/kubernetes:/h:ro $base true
R6.15	shared propagation	-v $work/plain:/h:rshared $base true
ROWS
cat >"$work/misses" <<ROWS
	socket by another name	-v $work/docker.socket:/s $base true
	beside a socket's directory	-v /run/containers:/s $base true
	beside the host's	-v /opt:/h -v /etc/hostname:/i -v /home/u/x:/j -v /var/cache:/k -v /etc/sshd:/l -v /srv/u/x.ssh:/m -v /srv/u/docker:/n $base true
	a volume of such a name	-v etc:/etc $base true
	a local volume elsewhere	--mount type=volume,volume-driver=local,target=/h,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/srv/local $base true
	no namespace of the host	--network none --ipc private $base true
	capabilities of no such power	--cap-add CHOWN --cap-add SYS_TIME --cap-add NET_RAW --cap-drop ALL $base true
	confined	--security-opt no-new-privileges --security-opt apparmor=docker-default $base true
	loopback	-p 127.0.0.1:18456:80 --expose 81 $base true
	no device	--gpus 0 --mount type=volume,volume-driver=local,target=/h,volume-opt=type=tmpfs,volume-opt=device=tmpfs $base true
	no secret	-e DB_NAME=geheim-und-lang-91 -e DB_PASSWORD= --label API_TOKENIZER=geheim-und-lang-92 $base echo PRIVATE KEY
	a name for an address	--add-host alias:127.0.0.1 $base true
	a tag	invigil/float:1 true
	not shared	-v $work/plain:/h:rslave $base true
ROWS
docker tag $base invigil/float:latest
docker tag $base invigil/float:1
docker create --name linked $base true >/dev/null 2>&1
creates() { # ROWS: all in one run
	local rule says options
	while IFS=$'\t' read -r rule says options; do
		echo "$docker create $options >/dev/null || echo 'refused: $says'"
	done < <(sed 's/^\t/-\t/' "$1") >"$work/script"
	run -q -- sh "$work/script" >"$work/out" 2>&1
	# Two capabilities are younger than Debian's engine; it was asked for them all the same.
	check "$(wc -l <"$1") creates, none of them refused" bash -c "! grep refused '$work/out' | grep -vxE 'refused: (BPF|PERFMON)'"
}
creates "$work/hits"
while IFS=$'\t' read -r rule says options; do
	see "$rule: $says" "[e for e in alerts('$rule') if '$says' in get(e, 'invigil.evidence')]"
done <"$work/hits"
sections() { # RULE SECTION...: of each alert of it
	local rule=$1
	shift
	see "$rule has a technique, a weakness and section $* of CIS's benchmark" \
		"len(alerts('$rule')) > 0 and all(get(e, 'threat.technique.id') and any(r.startswith('CWE-') for r in get(e, 'invigil.references')) and {'CIS-Docker-1.6:' + n for n in '$*'.split()} <= set(get(e, 'invigil.references')) for e in alerts('$rule'))"
}
sections R6.1 5.5
sections R6.2 5.32
sections R6.3 5.6
sections R6.4 5.10 5.16 5.17 5.21 5.31
sections R6.5 5.4
sections R6.6 5.22
sections R6.7 5.14
sections R6.8 5.18
sections R6.9 4.10
sections R6.14
sections R6.15 5.20
check "no secret of them is in the stream" bash -c "! grep -q geheim-und '$ev'"
creates "$work/misses"
for rule in R6.1 R6.2 R6.3 R6.4 R6.5 R6.6 R6.7 R6.8 R6.9 R6.10 R6.11 R6.13 R6.14 R6.15; do
	see "$rule, near misses" "not alerts('$rule')"
done
finish
