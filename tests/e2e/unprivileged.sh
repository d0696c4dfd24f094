#!/bin/bash
# unprivileged.sh: `invigil run` without root asks the daemon; nobody else's runs are seen; no caller can hold the daemon up.
# alone: it counts the runs of the whole machine
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
daemons_lock

cp "$invigil" "$work/invigil"
mkdir -m 1777 "$work/dir"
sock=$work/sock
export PATH=/usr/local/bin:/usr/bin:/bin
as() { setpriv --reuid="$1" --regid="$2" --clear-groups "${@:3}"; }
user_run() { # [OPTIONS] -- COMMAND, as nobody: the stream is in $ev, the summary in $work/err
	(cd "$work/dir" && as 65534 65534 timeout -k 5 60 "$work/invigil" run --socket "$sock" -o "$ev" "$@" 2>"$work/err")
}
ev=$work/dir/ev

check "without root and daemon it is 125" status_is 125 user_run -- touch "$work/dir/started"
check "and what is missing is said" grep -q "run needs root .* or a daemon, and none answers on $sock" "$work/err"

# Users and groups of its own: this machine's are not touched.
printf 'invigil:x:64999:\n' | cat /etc/group - >"$work/group"
printf 'callers: [nobody]\n' >"$work/config"
mkdir "$work/runs"
daemon_up() {
	rm -f "$work/daemon"
	unshare -m sh -c 'mount --bind "$0" /etc/group && exec "$@"' "$work/group" \
		"$invigil" daemon -o "$work/runs/{run}.jsonl" --socket "$sock" -c "$work/config" 2>"$work/daemon" &
	daemon=$!
	until_true 30 grep -q 'watching for runs' "$work/daemon"
}
daemon_up
check "a daemon is up" test -S "$sock"

shell='import os, sys; os.getenv("GITHUB_TOKEN"); os.system("true one; true two >/dev/null"); sys.exit(int(sys.argv[1]))'
check "COMMAND's status is passed on" status_is 7 user_run -- /usr/bin/python3 -c "$shell" 7
see "the stream is the run's, to its end" 'ended() and gapless() and get(ev[-1], "process.exit_code") == 7 and get(ev[0], "invigil.run.user") == "nobody" and get(ev[0], "invigil.run.kind") == "run"'
see "with what it executed and read" 'execs("python3.11") and execs("dash") and reads("GITHUB_TOKEN")'
see "and that nothing was held for it" 'gap("the daemon holds no program") and get(ev[0], "invigil.run.exec_gate") == "off"'
check "the summary has all nine categories, the status and the file" bash -c "[ \$(grep -cE '^R[1-9] ' '$work/err') = 9 ] && grep -q 'exit 7' '$work/err' && grep -q 'Written: $ev' '$work/err'"
check "the output is the caller's own" bash -c "[ \$(stat -c %a:%u '$ev') = 640:65534 ]"
check "the daemon's own stream of the run is the same" cmp "$ev" "$work"/runs/*.jsonl
check "the gate trips: 120" status_is 120 user_run -q --fail-on medium -- /usr/bin/python3 -c "$shell" 0
check "near miss: a higher level" status_is 0 user_run -q --fail-on critical -- /usr/bin/python3 -c "$shell" 0
check "a failed COMMAND keeps its status" status_is 3 user_run -q --fail-on medium -- /usr/bin/python3 -c "$shell" 3
check "-q is silent" test ! -s "$work/err"
check "127 for what is not there" status_is 127 user_run -q -- no-such-program-xyz
see "with a stream that ends" 'ended() and gapless() and not execs()'
check "128+N for a signal" status_is 143 user_run -q -- sh -c 'kill $$'
check "an output that cannot be made is 125" bash -c "! (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups '$work/invigil' run --socket '$sock' -o /root/ev -- touch '$work/dir/started')"
for o in '-u root' '--own name=x' "-c $work/config"; do
	# shellcheck disable=SC2086
	check "${o%% *} needs root" status_is 125 user_run $o -- touch "$work/dir/started"
done
check "a recording that cannot be made is 125" status_is 125 user_run --record /root/r -- touch "$work/dir/started"
check "nor a report" status_is 125 user_run --markdown /root/m -- touch "$work/dir/started"
check "nothing was started in all of these" test ! -e "$work/dir/started"
user_run --alerts-only -- /usr/bin/python3 -c "$shell" 0
see "--alerts-only has alerts, start, end, and numbers of its own" 'alerts() and not execs() and ended() and [get(e, "invigil.output.sequence") for e in ev] == list(range(1, len(ev) + 1))'
see "the daemon's own stream has all" 'execs() and gapless()' "$(ls -t "$work"/runs/*.jsonl | head -1)"
# ---- recording and report ----
# Somebody else's run, beside it.
GITHUB_ACTIONS=true GITHUB_RUN_ID=5 GITHUB_JOB=x sh -c 'until [ -e "$1" ]; do /bin/echo of-somebody-else >/dev/null; sleep 0.1; done' sh "$work/other-over" &
other=$!
until_true 30 grep -rq of-somebody-else "$work/runs"
API_TOKEN=planted-Kp58-secret-value check "a run with both" status_is 0 user_run --record "$work/dir/rec" --markdown "$work/dir/md" -- \
	/usr/bin/python3 -c "$shell; os.system('echo ' + os.environ['API_TOKEN'])" 0
touch "$work/other-over"
wait $other
check "they are the caller's own, the recording nobody else's" test "$(stat -c %a:%u "$work/dir/rec" "$work/dir/md" | xargs)" = "600:65534 640:65534"
check "the summary names them" bash -c "grep -q '$work/dir/rec' '$work/err' && grep -q '$work/dir/md' '$work/err'"
check "the recording is replayed without privileges" bash -c "cd '$work/dir' && setpriv --reuid=65534 --regid=65534 --clear-groups '$work/invigil' replay -q -o '$work/dir/again' --markdown '$work/dir/md-again' '$work/dir/rec'"
check "to the same stream" cmp "$ev" "$work/dir/again"
check "and the same report" cmp "$work/dir/md" "$work/dir/md-again"
check "which has the run's findings" bash -c "grep -q 'R4.3' '$work/dir/md'"
check "nothing of anybody else is in them" bash -c "! grep -qa of-somebody-else '$work/dir/rec' '$work/dir/md' '$ev' && grep -rq of-somebody-else '$work/runs'"
check "nor a secret" bash -c "! grep -qa 'planted-Kp58' '$work/dir/rec' '$work/dir/md' '$ev'"
check "a recording that does not fit is 125" status_is 125 user_run -q --record /dev/full -- touch "$work/dir/ran"
check "COMMAND having run" test -e "$work/dir/ran"

# ---- outputs ----
check "-o - is standard output" bash -c "setpriv --reuid=65534 --regid=65534 --clear-groups '$work/invigil' run --socket '$sock' -q -o - -- echo to-stderr 2>'$work/e' >'$work/dash' && grep -qx to-stderr '$work/e'"
see "with nothing else in it" 'ended() and gapless()' "$work/dash"

# ---- who may ----
refused() { # UID GID [GROUPS]
	status_is 125 setpriv --reuid="$1" --regid="$2" ${3:---clear-groups} "$work/invigil" run --socket "$sock" -- touch "$work/dir/started" && grep -q "neither of the group invigil" "$work/err2"
}
check "another user may not" refused 1 1
check "one of the group may" status_is 0 setpriv --reuid=1 --regid=1 --groups=64999 "$work/invigil" run -q --socket "$sock" -- true
check "by its own group as well" status_is 0 setpriv --reuid=1 --regid=64999 --clear-groups "$work/invigil" run -q --socket "$sock" -- true
check "COMMAND of who may not is not started" test ! -e "$work/dir/started"

# ---- whose runs ----
mkfifo "$work/dir/hold"
chmod 666 "$work/dir/hold"
user_run -q -- sh -c 'read -r line <hold' &
holding=$!
status() { "$@" "$work/invigil" status --socket "$sock" | grep -c '^run '; }
check "root is told of it" until_true 30 test "$(until_true 30 sh -c "'$invigil' status --socket '$sock' | grep -q '^run '"; status env)" = 1
check "its user as well" test "$(status as 65534 65534)" = 1
check "another user is not" test "$(status as 1 1)" = 0
echo go >"$work/dir/hold"
wait $holding

# ---- inside a CI job ----
cat >"$work/dir/step" <<SH
/bin/echo before-it >/dev/null
"$work/invigil" run -q --socket "$sock" -o "$ev" -- sh -c '/bin/echo of-inside >/dev/null; exit 0'
/bin/echo after-it >/dev/null
SH
before=$(grep -c ' ended' "$work/daemon")
(cd "$work/dir" && as 65534 65534 env GITHUB_ACTIONS=true GITHUB_RUN_ID=7 GITHUB_JOB=b sh step)
check "a run inside of a job and the job itself end" until_true 30 bash -c "[ \$(grep -c ' ended' '$work/daemon') = $((before + 2)) ]"
job=$(grep -l before-it "$work"/runs/*.jsonl)
see "the run has what was asked for, and knows its job" 'any("of-inside" in a for a in args("echo")) and get(ev[0], "invigil.run.ci") == "github_actions"'
see "the job has what stands around it, says where the rest is, and has nobody left behind" 'sorted(a[1] for a in args("echo")) == ["after-it", "before-it"] and gap("it goes on in a run of its own") and get(ev[-1], "invigil.run.left_behind.processes") == []' "$job"

# ---- callers of all kinds ----
cat >"$work/hostile.py" <<'PY'
import os, select, socket, struct, sys, time
path, what = sys.argv[1:]
STATUS, RUN, END, TEXT, ERROR, MEMBER = 1, 2, 3, 4, 5, 6
def call():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setblocking(False)
    while True:
        try:
            s.connect(path)
            s.settimeout(20)
            return s
        except BlockingIOError: # as many wait as may
            time.sleep(0.01)
def message(kind, text=b"", value=0):
    return struct.pack("<Ii", kind, value) + text
def answer(s):
    got = s.recv(1 << 20)
    return (struct.unpack("<I", got[:4])[0], got[8:].decode()) if got else (0, "")
def refused(data, reason, fds=()):
    s = call()
    socket.send_fds(s, [data], fds) if fds else s.send(data)
    got = answer(s)
    assert got == (ERROR, reason) or (got[0] == ERROR and reason in got[1]), (got, reason)
    assert answer(s)[0] == 0
pair = lambda *words: b"".join(w.encode() + b"\0" for w in words)
me = os.pidfd_open(os.getpid())
def child():
    pid = os.fork()
    if not pid:
        time.sleep(30)
        os._exit(0)
    return pid
if what == "malformed":
    refused(b"\1", "too short")
    refused(message(0), "not understood")
    refused(message(99), "not understood")
    refused(message(END), "not understood")
    refused(message(RUN, b"x" * 200000), "too long")
    refused(message(RUN), "no directory")
    refused(message(RUN, pair("cwd", "/")), "no process came with it")
    refused(message(RUN, pair("cwd", "/", "run.id", "x")), "an unknown key")
    refused(message(RUN, pair("cwd", "/")[:-1]), "it is cut")
    refused(message(RUN, pair("cwd", "/")), "too many descriptors", [me] * 3)
    for fd in os.open("/dev/null", os.O_RDONLY), me, os.pidfd_open(1), os.pidfd_open(os.getppid()):
        refused(message(RUN, pair("cwd", "/")), "process", [fd])
    gone = os.fork()
    if not gone:
        os._exit(0)
    fd = os.pidfd_open(gone)
    os.waitid(os.P_PIDFD, fd, os.WEXITED)
    refused(message(RUN, pair("cwd", "/")), "process", [fd])
    up, say = os.pipe()
    threads = os.fork()
    if not threads:
        import threading
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        os.write(say, b"u")
        time.sleep(30)
        os._exit(0)
    os.read(up, 1)
    refused(message(RUN, pair("cwd", "/")), "not the caller's own", [os.pidfd_open(threads)])
    os.kill(threads, 9)
    # A second request on the same connection.
    s = call()
    pid = child()
    socket.send_fds(s, [message(RUN, pair("cwd", "/"))], [os.pidfd_open(pid)])
    while answer(s)[0] != MEMBER:
        pass
    s.send(message(RUN, pair("cwd", "/")))
    while True:
        kind, text = answer(s)
        if kind == ERROR:
            assert text == "not understood", text
            break
        assert kind
    os.kill(pid, 9)
elif what == "slow":
    # Says nothing, for as long as it may.
    assert answer(call()) == (ERROR, "nothing was asked")
elif what == "deaf":
    # Its run tells far more than it takes; why it was sent away stands behind what it was sent before.
    s = call()
    pid = os.fork()
    if not pid:
        os.read(0, 1)
        os.execvp("sh", ["sh", "-c", "i=0; while [ $i -lt 3000 ]; do /bin/true " + "x" * 4000 + " $i; i=$((i+1)); done"])
    socket.send_fds(s, [message(RUN, pair("cwd", "/"))], [os.pidfd_open(pid)])
    while answer(s)[0] != MEMBER:
        pass
    os.write(int(os.environ["GO"]), b"g")
    os.waitpid(pid, 0)
    away = select.poll()
    away.register(s, 0)  # not what can be read, the end alone
    assert away.poll(40000), "it is still waited for"
    last = None
    while True:
        kind, text = answer(s)
        if not kind:
            break
        last = kind, text
    assert last == (ERROR, "it does not read what it asked for"), last
elif what == "crowd":
    crowd = [call() for i in range(15)]
    time.sleep(0.5)
    more = [call() for i in range(5)]
    refusals = [answer(s) for s in more]
    assert (ERROR, "too many callers") in refusals, refusals
elif what == "leaves":
    s = call()
    pid = child()
    socket.send_fds(s, [message(RUN, pair("cwd", "/"))], [os.pidfd_open(pid)])
    while answer(s)[0] != MEMBER:
        pass
    s.close()
    time.sleep(0.2)
    os.kill(pid, 9)
elif what == "noise":
    import random
    random.seed(5)
    for i in range(400):
        s = call()
        try:
            s.send(message(random.randrange(12), os.urandom(random.randrange(3000))))
        except BrokenPipeError: # too many callers
            pass
        s.close()
PY
hostile() { as 65534 65534 timeout 60 python3 -B "$work/hostile.py" "$sock" "$1"; }
alive() { "$invigil" status --socket "$sock" >/dev/null; }
deaf() {
	mkfifo "$work/go"
	as 65534 65534 env GO=9 timeout 60 python3 -B "$work/hostile.py" "$sock" deaf 9<>"$work/go" <"$work/go"
}
check "what is malformed is refused with a reason" hostile malformed
check "who says nothing is sent away" hostile slow
check "who does not read is sent away, and its run goes on" deaf
check "a user's callers are counted" hostile crowd
ended_before=$(grep -c ' ended' "$work/daemon")
check "who leaves, leaves a run" hostile leaves
check "that ends with its process" until_true 30 bash -c "[ \$(grep -c ' ended' '$work/daemon') -gt $ended_before ]"
check "noise is noise" hostile noise
check "all the time the daemon answers" alive
check "and no run is open" until_true 30 bash -c "'$invigil' status --socket '$sock' | grep -q ' 0 runs active'"
check "every stream of the daemon's ends" bash -c "for f in '$work'/runs/*.jsonl; do tail -1 \$f | grep -q '\"action\":\"run-end\"' || exit 1; done"

# ---- the daemon dies ----
rm -f "$ev"
user_run -- sh -c 'read -r line <hold; exit 5' &
pid=$!
check "what it executes is in its stream while it runs" until_true 15 grep -q '"action":"exec"' "$ev"
kill -9 $daemon
wait $daemon 2>/dev/null
timeout 30 sh -c 'echo go >"$1"' sh "$work/dir/hold"
wait $pid
check "the daemon's death leaves COMMAND's status" test $? = 5
check "and is said" bash -c "grep -q 'the daemon is gone' '$work/err' && grep -q 'record is not whole' '$work/err'"
check "what came before is whole lines" q "$ev" 'execs() and gapless()'
check "its socket does not hinder the next one" daemon_up
check "which answers" status_is 0 user_run -q -- true
ends() { kill -TERM "$daemon" && wait "$daemon"; }
check "SIGTERM ends it with 0" ends
finish
