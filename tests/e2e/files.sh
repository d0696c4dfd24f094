#!/bin/bash
# files.sh: logs and who may touch them (R5), set-id bits (R3.9), reads of other processes (R1) and of credential stores (R7.6).
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

about() { # RULE TEXT: an alert of that rule whose evidence holds the text
	echo "any('$2' in get(e, 'invigil.evidence', '') for e in alerts('$1'))"
}
none() { echo "not $(about "$1" "$2")"; }
shm=$(mktemp -d /dev/shm/invigil.XXXXXX)
trap 'rm -rf "$shm"; cleanup' EXIT
chmod 755 "$shm"

# ---- rights of logs ----
mkdir -m 0755 "$work/l"
mkdir -m 1777 "$work/l/sticky"
mkdir "$work/l/open" && chmod 0777 "$work/l/open"
mkdir -m 0700 "$work/l/closed" && mkdir -m 0777 "$work/l/closed/in"
mkdir -m 0711 "$work/l/known" && mkdir -m 0777 "$work/l/known/in"
cat >"$work/rights.py" <<'PY'
import logging, os, sys
d = sys.argv[1]
def log(name, mask):
    os.umask(mask)
    handler = logging.FileHandler(os.path.join(d, name))
    handler.emit(logging.LogRecord("t", 20, "", 0, "x", None, None))
    handler.close()
log("umask0.log", 0)
log("umask077.log", 0o077)
log("umask027.log", 0o027)
log("sticky/s.log", 0o077)
log("open/o.log", 0o077)
log("closed/in/c.log", 0)
log("known/in/k.log", 0)
fd = os.open(d + "/fchmod.log", os.O_CREAT | os.O_WRONLY, 0o600)
os.fchmod(fd, 0o666)
fd = os.open(d + "/tight.log", os.O_CREAT | os.O_WRONLY, 0o600)
os.fchmod(fd, 0o640)
os.open(d + "/umask0.txt", os.O_CREAT | os.O_WRONLY, 0o666)
os.umask(0)
os.open(d + "/umask0.txt2", os.O_CREAT | os.O_WRONLY, 0o666)
PY
cat >"$work/rights.sh" <<'SH'
cd "$1" || exit 1
umask 0; echo x | tee tee.log >/dev/null; awk 'BEGIN { print "x" > "stdio.log" }'
umask 077; echo x | tee tee077.log >/dev/null
SH
run -u root -- sh -c "/usr/bin/python3 '$work/rights.py' '$work/l' && sh '$work/rights.sh' '$work/l'"
see "R5.1: Python logging under umask 0" "$(about R5.1 l/umask0.log)"
see "R5.1, near misses: umask 077, 027, and what is no log" \
	"$(none R5.1 umask077) and $(none R5.1 umask027) and $(none R5.1 .txt)"
see "R5.2, near miss: 0640 of the own group" "$(none R5.2 umask027) and $(none R5.2 umask077)"
see "R5.1: a directory that others can change" "$(about R5.1 open/o.log)"
see "R5.1, near miss: the same with the sticky bit" "$(none R5.1 sticky/s.log)"
see "R5.1: below a directory that others can enter, though not list" "$(about R5.1 known/in/k.log)"
see "R5, near miss: below one that they cannot enter" \
	"$(none R5.1 closed/) and $(none R5.2 closed/) and any('closed/in/c.log' in get(e, 'file.path', '') for e in action('log-open'))"
see "R5.1: fchmod after the open" "$(about R5.1 fchmod.log) and any(get(e, 'file.mode') == '0666' for e in action('chmod'))"
see "R5.1, near miss: fchmod to 0640" "$(none R5.1 tight.log)"
see "R5.1: tee and stdio" "$(about R5.1 tee.log) and $(about R5.1 stdio.log)"
see "R5.1, near miss: tee under umask 077" "$(none R5.1 tee077.log)"

# ---- links ----
mkdir "$work/l/real" "$work/l/mine"
for f in abs rel direct; do echo x >"$work/l/real/$f.log"; done
ln -s "$work/l/real/abs.log" "$work/l/sticky/abs.log"
ln -s ../real/rel.log "$work/l/sticky/rel.log"
ln -s ../real "$work/l/sticky/way"
ln -s ../real/direct.log "$work/l/mine/own.log"
ln -s ../real/abs.log "$work/l/sticky/text"
ln -s . "$work/l/sticky/here"
cat >"$work/links.sh" <<'SH'
echo x >>"$1/sticky/abs.log"
cd "$1/sticky" && echo x >>rel.log; echo x >>./way/direct.log; echo x >>"$1/mine/own.log"; echo x >>"$1//real/./direct.log"
echo x >>../real/direct.log; echo x >here/plain.txt
# Where a relative path began is known as long as the process is there.
for _ in $(seq 600); do [ "$(grep -c '"action":"log-open"' "$2")" -lt 6 ] || break; sleep 0.05; done
SH
run -u root -- sh "$work/links.sh" "$work/l" "$ev"
see "R5.4: a link to a log in a shared directory, absolute, relative, on the way" \
	"{f: any('/sticky/%s of uid 0' % f in get(e, 'invigil.evidence') for e in alerts('R5.4')) for f in ('abs.log', 'rel.log', 'way')} == {'abs.log': True, 'rel.log': True, 'way': True}"
see "R5.4, near misses: a link in a directory of one's own, no link, no log" "len(alerts('R5.4')) == 3"
# As young as its use: the kernel would have to write down when it was followed.
cat >"$work/young.py" <<'PY'
import os, sys
for folder in "sticky", "mine":
    for i in range(8):
        link = "%s/%s/young%d.log" % (sys.argv[1], folder, i)
        os.symlink("../real/direct.log", link)
        open(link, "a").close()
PY
run -u root -- python3 "$work/young.py" "$work/l"
see "R5.4: links that were made a moment ago" \
	"{i for i in range(8) for e in alerts('R5.4') if '/sticky/young%d.log of uid 0' % i in get(e, 'invigil.evidence')} == set(range(8))"
see "R5.4, near miss: the same in a directory of one's own" "len(alerts('R5.4')) == 8"

for f in hard alone; do echo x >"$work/l/real/$f.log"; done
ln "$work/l/real/hard.log" "$work/l/sticky/hard.log"
ln "$work/l/real/hard.log" "$work/l/mine/hard2.log"
echo x >"$work/l/sticky/alone.log"
run -u root -- sh -c 'cd "$1" && echo x >>sticky/hard.log; echo x >>mine/hard2.log; echo x >>sticky/alone.log' sh "$work/l"
see "R5.4: another name of a log that was there, in a shared directory" \
	"[get(e, 'invigil.evidence') for e in alerts('R5.4')] and all('/sticky/hard.log' in get(e, 'invigil.evidence') and '3 names' in get(e, 'invigil.evidence') for e in alerts('R5.4'))"
see "R5.4, near misses: in a directory of one's own, a log with one name" "len(alerts('R5.4')) == 1"

# ---- logs that are changed, on a disk and in memory ----
cat >"$work/deeds.sh" <<'SH'
cd "$1" || exit 1
umask 077
: >trunc.log
truncate -s 1 truncate.log
rm unlink.log
mv moved.log moved.away
sed -i s/x/y/ sed.log
chmod 644 loose.log
python3 -c 'import os; os.ftruncate(os.open("ftrunc.log", os.O_WRONLY), 1)'
python3 -c 'import os; d = os.open(".", os.O_RDONLY); os.unlink("at.log", dir_fd=d)'
busybox rm static.log
echo x >>append.log
chmod 600 tight.log
echo x >own.log; chmod 640 own.log; : >own.log; mv own.log own.log.1; mv own.log.1 own.log.2; echo x >own.log; rm own.log own.log.2
rm foreign.txt
: >>empty.log; : >empty.log; : >>full.log; : >full.log; truncate -s 99 grown.log
SH
for dir in "$work/d" "$shm/d"; do
	mkdir -m 0755 "$dir"
	for f in trunc truncate unlink moved sed loose ftrunc at static append tight; do (umask 077; echo xxxx >"$dir/$f.log"); done
	echo x >"$dir/foreign.txt"
	(umask 077; : >"$dir/empty.log"; echo xxxx | tee "$dir/full.log" >"$dir/grown.log")
	run -u root -- sh "$work/deeds.sh" "$dir"
	where=$(stat -f -c %T "$dir")
	see "R5.5 on $where: nine ways to truncate, remove, replace and loosen a log that was there" \
		"[w for w in 'trunc truncated,truncate truncated,ftrunc truncated,unlink removed,at removed,static removed,moved renamed,sed renamed,loose loosened'.split(',')
		if not any('/%s.log, which the run did not create, is %s' % tuple(w.split()) in get(e, 'invigil.evidence') for e in alerts('R5.5'))] == []"
	see "R5.5 on $where: how much there was, where the run had opened it before" "$(about R5.5 '/full.log, which the run did not create, is truncated (mode 0600, of 5 bytes)')"
	see "R5.5, near misses on $where: append, tighten, own logs rotated and removed, no log, one that was empty" \
		"len([e for e in alerts('R5.5') if 'grown.log' not in get(e, 'invigil.evidence')]) == 10"
	see "what is done to the own log on $where is evidence, and told once" \
		"{e['event']['action'] for e in ev if get(e, 'file.name', '').startswith('own.log')} >= {'log-open', 'chmod', 'log-rename', 'log-remove'} and
		len([e for e in action('chmod') if get(e, 'file.name') == 'tight.log']) == 1"
done
check "a recording of it replays to the same stream" bash -c "
	cd '$work' && '$invigil' run -q -u root --record rec -o one -- sh -c 'sh $work/links.sh $work/l $work/one; : >$work/d/tight.log; cat /proc/\$PPID/environ >/dev/null' &&
	grep -q log-link one &&
	'$invigil' replay -q -o two rec; cmp one two"

# ---- set-id bits and capabilities ----
mkdir "$work/s"
cat >"$work/setid.sh" <<'SH'
cd "$1" || exit 1
touch user group sticky plain tight; install -m 4755 /bin/true installed
chmod u+s user; chmod g+s group; chmod +t sticky; chmod 755 plain; chmod u-s user
cp -p installed copied
python3 -c 'import os; os.umask(0); os.open("born", os.O_CREAT | os.O_WRONLY, 0o4755); os.open("born0", os.O_CREAT | os.O_WRONLY, 0o755)'
busybox chmod 4755 tight
setcap cap_net_raw+ep plain
setfattr -n user.x -v 1 sticky 2>/dev/null || true
SH
cat >"$work/int80.c" <<'C'
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
static char path[256]; /* below 4 GiB: -no-pie */
int main(int argc, char **argv) /* NUMBER PATH ARG ARG [fd: that one is what is asked for] */
{
	long r, first = (long)strcpy(path, argv[2]);

	if (argc > 5)
		first = open(path, O_RDONLY);
	__asm__ volatile("int $0x80" : "=a"(r)
			 : "a"(atol(argv[1])), "b"(first), "c"(strtol(argv[3], 0, 0)), "d"(strtol(argv[4], 0, 0)) : "memory");
	return r != 0;
}
C
gcc -O1 -no-pie -o "$work/int80" "$work/int80.c"
cat >"$work/setxattrat.py" <<'PY'
import ctypes, os, struct
value = ctypes.create_string_buffer(os.getxattr("plain", "security.capability"))
def setxattrat(path, name): # 6.13; before: as ever
    args = struct.pack("QII", ctypes.addressof(value), len(value) - 1, 0)
    if ctypes.CDLL(None).syscall(463, -100, path, 0, name, args, ctypes.c_size_t(len(args))):
        os.setxattr(path, name, value.raw[:-1])
setxattrat(b"newer", b"security.capability")
setxattrat(b"near", b"trusted.capability")
PY
run -u root -- sh -c "sh '$work/setid.sh' '$work/s'; cd '$work/s'; touch compat newer near; '$work/int80' 15 compat 02755 0; python3 '$work/setxattrat.py'"
see "R3.9: by chmod, by install, by cp, by a static program, at birth, by int 0x80" \
	"all(any('/%s is given set-' % f in get(e, 'invigil.evidence') for e in alerts('R3.9')) for f in 'user group installed copied born tight compat'.split())"
see "R3.9: capabilities, by setxattrat, too" "all(any('/%s is given capabilities' % f in get(e, 'invigil.evidence') for e in alerts('R3.9')) for f in ('plain', 'newer'))"
see "R3.9, near misses: sticky bit, mode 0755, bits taken away, another attribute" "len(alerts('R3.9')) == 9"

# ---- owners by the numbers that 32-bit programs have: of 16 bits and of 32 ----
mkdir "$work/o"
for f in of16 of16l of16f of32; do : >"$work/o/$f.log"; done
: >"$work/o/of16.txt"
run -u root -- sh -c 'cd "$2" && "$1" 182 of16.log 65 66 && "$1" 16 of16l.log 65 66 && "$1" 95 of16f.log 65 66 fd && "$1" 212 of32.log 65 66 &&
	"$1" 182 of16.txt 65 66; ! "$1" 182 absent.log 65 66' sh "$work/int80" "$work/o"
check "they have a new owner" test "$(stat -c %u:%g "$work"/o/* | uniq)" = 65:66
see "chown, fchown and lchown of 16 bits, and of 32" "same([get(e, 'file.name') for e in action('chown')], ['of16.log', 'of16l.log', 'of16f.log', 'of32.log'])"

# ---- other processes ----
cp /bin/sleep "$work/Runner.Worker"
sleep 600 & outside=$!
"$work/Runner.Worker" 600 & agent=$!
until_true 10 grep -qx sleep /proc/$outside/comm
until_true 10 grep -qx Runner.Worker /proc/$agent/comm
cat >"$work/peek.py" <<'PY'
import ctypes, os, socket, struct, subprocess, sys
how, pid = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
def vm(pid):
    at = int([l for l in open("/proc/%d/maps" % pid) if "[stack]" in l][0].split("-")[0], 16)
    there, buf = iovec(at, 16), ctypes.create_string_buffer(16)
    return libc.process_vm_readv(pid, ctypes.byref(iovec(ctypes.addressof(buf), 16)), 1, ctypes.byref(there), 1, 0)
if how == "relative":
    os.chdir("/proc/%d" % pid); open("environ", "rb").read()
elif how == "dirfd":
    os.read(os.open("environ", os.O_RDONLY, dir_fd=os.open("/proc/%d" % pid, os.O_RDONLY)), 1)
elif how == "open": # libc's is openat
    os.read(libc.syscall(2, b"/proc/%d/environ" % pid, 0), 1)
elif how == "openat2":
    os.read(libc.syscall(437, -100, b"/proc/%d/environ" % pid, struct.pack("3Q", 0, 0, 0), 24), 1)
elif how == "directory": # that was opened outside of the run
    os.read(os.open("environ", os.O_RDONLY, dir_fd=7), 1)
elif how == "passed":
    here, there = socket.socketpair()
    if not os.fork():
        socket.send_fds(there, [b"x"], [os.open("/proc/%d/environ" % pid, os.O_RDONLY)])
        os._exit(0)
    os.read(socket.recv_fds(here, 1, 1)[1][0], 1)
elif how == "task":
    open("/proc/%d/task/%d/environ" % (pid, pid), "rb").read()
elif how == "mem":
    open("/proc/%d/mem" % pid, "rb")
elif how == "vm":
    assert vm(pid) == 16
elif how == "attach":
    assert libc.ptrace(16, pid, 0, 0) == 0 and os.waitpid(pid, 0) and libc.ptrace(17, pid, 0, 0) == 0
elif how == "parents-memory":
    open("/proc/%d/mem" % os.getppid(), "rb")
elif how == "parent":
    open("/proc/%d/environ" % os.getppid(), "rb").read()
elif how == "own":
    open("/proc/self/environ", "rb").read(); open("/proc/thread-self/environ", "rb").read()
    open("/proc/self/task/%d/environ" % os.getpid(), "rb").read(); open("/proc/self/mem", "rb")
elif how == "child":
    child = subprocess.Popen(["sleep", "600"])
    open("/proc/%d/environ" % child.pid, "rb").read(); open("/proc/%d/mem" % child.pid, "rb"); vm(child.pid)
    child.kill(); child.wait()
PY
looks() { # HOW PID...
	local how
	for how in "${@:2}"; do echo "/usr/bin/python3 '$work/peek.py' $how $1;"; done
}
ways() { # ACTION TARGET: how they were made
	echo "{get(e, 'process.args')[-2] for e in action('$1') if get(e, 'invigil.env.target_pid', get(e, 'invigil.memory.target_pid')) == $2}"
}
check "environments are looked at" run -u root -- sh -ec "$(looks $outside relative dirfd open openat2 directory passed task parent)" 7</proc/$outside
see "R1.5: relative, by a descriptor of the folder, also one from outside, by open and openat2, by who passes it on, by a thread, and the parent" \
	"$(ways env-read $outside) == {'relative', 'dirfd', 'open', 'openat2', 'directory', 'passed', 'task'} and
	$(about R1.5 'environment of sleep') and $(about R1.5 'another process of the run')"
check "other processes are looked into" run -u root -- sh -ec "$(looks $outside mem vm attach parents-memory) $(looks $agent relative)"
see "R1.9: /proc/PID/mem, process_vm_readv, ptrace" "$(ways memory-read $outside) == {'mem', 'vm', 'attach'} and $(about R1.9 'memory of sleep') and $(about R1.9 'memory of sh') and
	{get(e, 'invigil.memory.mechanism') for e in action('memory-read')} == {'procfs', 'process_vm_readv', 'ptrace'}"
see "R1.9: a CI agent's environment" "$(about R1.9 Runner.Worker) and not alerts('R1.5')"
run -u root -- sh -c "$(looks 0 own child)"
see "near misses: one's own by four names, a child's environment" "not alerts('R1.5') and not alerts('R1.9') and
	any(get(e, 'invigil.env.target') == 'self' for e in action('env-read'))"
see "R1.10: a child's memory" "[get(e, 'process.args')[-2] for e in alerts('R1.10')][:1] == ['child'] and
	all(get(e, 'process.args')[-2] == 'child' for e in alerts('R1.10') + action('memory-read') if get(e, 'invigil.memory.target') != 'self')"
run -u root -- sh -c 'ps auxe >/dev/null'
see "R1.6: ps is asked for environments" "alerts('R1.6') and not alerts('R1.5')"
run -u root -- sh -c 'ps aux >/dev/null; ps -ef >/dev/null'
see "R1.6, near misses: ps aux, ps -ef" "not alerts('R1.6') and not alerts('R1.5')"
kill $outside $agent

# ---- credential stores ----
home=$work/home
mkdir -p "$home"/.docker "$home"/.aws "$home"/.ssh "$home"/.kube "$home"/.vscode
echo '{}' | tee "$home/.docker/config.json" "$home/.vscode/config.json" >/dev/null
touch "$home"/.aws/credentials "$home"/.netrc "$home"/.git-credentials "$home"/.ssh/id_rsa "$home"/.ssh/id_rsa.pub "$home"/.kube/config
run -u root -- sh -c "cat >/dev/null $home/.docker/config.json $home/.aws/credentials $home/.netrc $home/.git-credentials $home/.ssh/id_rsa $home/.kube/config $home/.ssh/id_rsa.pub $home/.vscode/config.json"
see "R7.6: six stores" "all(any(f in get(e, 'invigil.evidence') for e in alerts('R7.6'))
	for f in '.docker/config.json .aws/credentials .netrc .git-credentials .ssh/id_rsa .kube/config'.split())"
see "R7.6, near misses: a public key, another program's config.json" "len(alerts('R7.6')) == 6"
see "R7.6 has its event" "len(action('file-read')) >= 6"
run -u root -- env -u DOCKER_CONFIG HOME="$home" sh -c 'docker --context default version >/dev/null 2>&1; curl -s --netrc http://127.0.0.1:9; :'
see "R7.6, near misses: docker and curl read their own" "not alerts('R7.6')"
run -u root -- env -u DOCKER_CONFIG HOME="$home" /usr/bin/python3 -c "import docker.auth; docker.auth.load_config()"
see "R7.6, near miss: docker-py" "not alerts('R7.6')"
run -u root -- env HOME="$home" /usr/bin/python3 -c "import os; open(os.path.expanduser('~/.docker/config.json')).read()"
see "R7.6: the same without docker-py" "$(about R7.6 .docker/config.json)"
mkdir "$work/cfg" "$work/other"
echo '{}' | tee "$work/cfg/config.json" >"$work/other/config.json"
run -u root -- env DOCKER_CONFIG="$work/cfg" sh -c "cat $work/cfg/config.json $work/other/config.json >/dev/null"
see "R7.6: the config.json where DOCKER_CONFIG says; near miss: one beside it" \
	"$(about R7.6 cfg/config.json) and len(alerts('R7.6')) == 1 and len(action('file-read')) == 1"
run -u root -- env DOCKER_CONFIG="$work/cfg" sh -c "env -u DOCKER_CONFIG cat $work/cfg/config.json >/dev/null"
see "R7.6: by who has it no more, but what made it had it" "$(about R7.6 cfg/config.json)"
echo 'no JSON' >"$work/cfg/config.json" # of which docker complains: it has read it
run -u root -- env DOCKER_CONFIG="$work/cfg" sh -c 'docker --context default version; :' >"$work/out" 2>&1
check "docker reads its own there" grep -hq "$work/cfg" "$work/out" "$work/err"
see "R7.6, near miss: that" "ended() and execs('docker') and not alerts('R7.6')"
run -u root -- cat "$work/cfg/config.json" >/dev/null
see "R7.6, near miss: without DOCKER_CONFIG it is a file like any other" "ended() and not alerts('R7.6') and not action('file-read')"

# ---- in a container ----
engine_up
cat >"$work/logs.sh" <<'SH'
umask 077
docker run -d --name says -e DEPLOY_TOKEN invigil/base:1 sh -c 'echo "token $DEPLOY_TOKEN"; echo only this >&2' >/dev/null
docker wait says >/dev/null
docker logs says >"$1/both.log" 2>&1
docker logs says 2>"$1/err.log" >/dev/null
docker rm says >/dev/null
SH
DEPLOY_TOKEN=planted-Qz71-container-log run -u root -- sh "$work/logs.sh" "$work"
see "R5.3: docker logs > file" "$(about R5.3 both.log)"
see "R5.3, near miss: the part of them without it" "$(none R5.3 err.log)"
run -- docker run --rm invigil/base:1 sh -c 'mkdir -p /var/log; touch /var/log/messages /var/log/mine.log; rm -rf /var/log/messages /var/log/mine.log; echo 0> /var/log/secure'
see "R5.5: a container's /var/log/messages is removed" "$(about R5.5 '/var/log/messages, a log of the system')"
see "R5.5, near miss: its own log" "$(none R5.5 mine.log)"
finish
