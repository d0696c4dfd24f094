# shellcheck shell=sh
# inside.sh: level 1, inside of the machine: one small thing for each hook. Prints the streams, and what invigil says.
until_line() { # PATTERN FILE PID [COUNT]: so often, or the process that writes it is gone
	until n=$(grep -c "$1" "$2" 2>/dev/null); [ "${n:-0}" -ge "${4:-1}" ]; do
		kill -0 "$3" 2>/dev/null || return
		sleep 0.1
	done
}

VM_STREAM=/tmp/engine.jsonl ./vm-engine serve >/tmp/ready &
server=$!
until_line ready /tmp/ready $server
# On a busy machine the gate may let an exec go before probes are attached, and says so: once more, then.
for turn in 1 2 3; do
	rm -f /tmp/engine.jsonl
	VM_SMOKE_READ=1 ./invigil run -q --failed-execs -o /tmp/engine.jsonl -- ./vm-engine ask
	status=$?
	grep -q 'let go without an answer' /tmp/engine.jsonl || break
	echo "turn $turn: an exec was let go"
done
echo "STATUS ask $status"
./invigil run -q -o /tmp/pages.jsonl -- ./vm-engine pages
echo "STATUS pages $?"

for f in empty gone moved loose; do (umask 077; echo x >/tmp/$f.log); done
mkdir /tmp/open && chmod 1777 /tmp/open && ln -s /tmp/loose.log /tmp/open/it.log
cat >/tmp/files.sh <<END
cd /tmp; umask 077
: >empty.log; rm gone.log; mv moved.log away; chmod 644 loose.log; echo x >>/tmp/open/it.log
cp /bin/busybox set-id; chmod 4755 set-id
cat /proc/$server/environ >/dev/null; cat /proc/self/environ >/dev/null; : </proc/$server/mem
/t/vm-engine look $server
echo "it is \$T_API_TOKEN" >>leak.log
exit 7
END
T_API_TOKEN=planted-Wq31-secret-value ./invigil run -q -u root -o /tmp/files.jsonl -- sh /tmp/files.sh
echo "STATUS files $?"

cat >/tmp/attack.sh <<'END'
for p in /proc/[1-9]*; do
	read -r name <$p/comm && [ "$name" = invigil-monitor ] && grep -q attack.jsonl $p/cmdline && kill -USR1 ${p#/proc/}
done
exit 6
END
./invigil run -q -o /tmp/attack.jsonl -- sh /tmp/attack.sh
echo "STATUS attack $?"

./invigil daemon -o '/tmp/job-{run}.jsonl' --socket /tmp/socket 2>/tmp/daemon &
daemon=$!
until_line 'watching for runs' /tmp/daemon $daemon
GITHUB_ACTIONS=true GITHUB_RUN_ID=71 GITHUB_JOB=level1 sh -c '/bin/busybox echo of-the-job'
until_line ' ended: ' /tmp/daemon $daemon
# Everything is attached anew.
GITHUB_ACTIONS=true GITHUB_RUN_ID=72 GITHUB_JOB=level1 sh -c '/bin/busybox echo of-the-next'
until_line ' ended: ' /tmp/daemon $daemon 2
kill "$daemon" && wait "$daemon"
cat /tmp/daemon

kill $server
cat /tmp/*.jsonl
answer=$(./invigil check --format json)
echo "STATUS check $?"
echo "CHECK $answer"
