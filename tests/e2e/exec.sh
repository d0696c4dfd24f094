#!/bin/bash
# exec.sh: every program of the run is in the stream with its arguments, whoever starts it however; nothing else is.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

check "a run with odd arguments succeeds" run -- /bin/echo 'two words' $'new\nline' $'\xff\xfe' '' $'\e[31m' '"q"\'
see "arguments are exact, bytes that are not UTF-8 are replaced" \
	'["/bin/echo", "two words", "new\nline", "\ufffd\ufffd", "", "\x1b[31m", "\"q\"\\"] in args("echo")'
see "and kept in base64 beside it" '"//4" in json.dumps(get(execs("echo")[0], "invigil.raw"))'
see "the sequence has no hole" 'gapless() and ended()'
see "the run is complete" 'get(ev[-1], "invigil.run.complete") is True'

big=$(head -c 131000 /dev/zero | tr '\0' a)
check "an argument of nearly 128 KiB is accepted" run -- /bin/true "${big:0:120000}" END
see "and is whole" '["/bin/true", "a" * 120000, "END"] in args("true")'
check "200 KiB of arguments are accepted" run -- /bin/true "${big:0:100000}" "${big:0:104000}" END
see "head, tail and the wanted length are kept" \
	'args("true")[0][0] == "/bin/true" and args("true")[0][-1] == "END" and len(str(args("true"))) < 204000 and get(execs("true")[0], "invigil.exec.args_wanted") > 204000'
see "and the cut is said (R0.3)" 'len(said("R0.3")) > 0'

printf '#!/bin/sh\nexit 0\n' >"$work/script.sh"
chmod 755 "$work/script.sh"
run -- "$work/script.sh" one
see "a script is seen by its own name, run by its interpreter" \
	'any(a[-2:] == ["'"$work"'/script.sh", "one"] for a in [get(e, "process.args") for e in execs()]) and any("/script.sh" in json.dumps(get(e, "invigil.exec")) for e in execs())'

cat >"$work/odd.c" <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>
static char *argv_thread[] = { "true", "from-a-thread", 0 };
static void *go(void *p) { execv("/bin/true", argv_thread); return p; }
int main(int argc, char **argv)
{
	pthread_t t;
	if (argc > 1 && !strcmp(argv[1], "thread")) {
		pthread_create(&t, 0, go, 0);
		pthread_join(t, 0);
		return 9;
	}
	int in = open("/bin/true", O_RDONLY);
	if (argc > 1 && !strcmp(argv[1], "memfd")) {
		int m = memfd_create("hidden", MFD_CLOEXEC);
		while (sendfile(m, in, 0, 1 << 20) > 0)
			;
		fexecve(m, (char *[]){ "true", "from-memory", 0 }, environ);
		return 9;
	}
	fexecve(in, (char *[]){ "true", "by-descriptor", 0 }, environ);
	return 9;
}
C
if gcc -o "$work/odd" "$work/odd.c" -lpthread 2>"$work/why"; then
	run -- sh -c "'$work/odd' thread && '$work/odd' memfd && '$work/odd' fd"
	see "an exec from a thread is seen" 'any(get(e, "process.args") == ["true", "from-a-thread"] for e in execs())'
	see "an exec of a memfd is seen, and flagged" \
		'any(get(e, "process.args") == ["true", "from-memory"] and "memfd" in json.dumps(e) for e in execs())'
	see "an exec by descriptor is seen" 'any(get(e, "process.args") == ["true", "by-descriptor"] for e in execs())'
else
	test_begin "execs from a thread, of a memfd, by descriptor"
	fail "$work/why"
fi

cd "$work" || exit 1
run -- sh -c '/bin/true in-here; sh -c "exit 6"; exit 0' </dev/null
cd "$root" || exit 1
see "working directory" 'get(execs("true")[0], "process.working_directory") == "'"$work"'"'
see "parent" '(lambda t: get(t, "process.parent.pid") in [get(e, "process.pid") for e in execs() if get(e, "process.pid") != get(t, "process.pid")])(execs("true")[0])'
see "user" 'get(execs("true")[0], "process.user.id") == "0" and get(execs("true")[0], "process.user.name") == "root"'
see "exit code" 'any(get(e, "process.exit_code") == 6 for e in action("exit"))'
see "stdin from /dev/null is said" 'get(execs("true")[0], "invigil.exec.stdin.kind") == "null"'
run -- sh -c '/bin/true piped-out | /bin/cat; /bin/true to-file >'"$work/file"
see "a pipe and a file are told apart" \
	'any("piped-out" in get(e, "process.args") and get(e, "invigil.exec.stdout.kind") == "pipe" for e in execs()) and any("to-file" in get(e, "process.args") and get(e, "invigil.exec.stdout.kind") == "file" for e in execs())'
run -- /usr/bin/python3 -c 'import subprocess; subprocess.check_output(["/bin/echo", "held"]); subprocess.call(["/bin/echo", "loose"], stdout=subprocess.DEVNULL)'
see "who holds the other end of a pipe is said" \
	'any("held" in get(e, "process.args") and get(e, "invigil.exec.stdout.peer_pid") == get(e, "process.parent.pid") for e in execs("echo"))'
see "R4.1 is evidence there" 'any("held" in get(e, "process.args", []) for e in evidence("R4.1"))'
see "near miss: /dev/null is no pipe" 'not any("loose" in get(e, "process.args", []) and get(e, "invigil.exec.stdout.kind") != "null" for e in execs("echo"))'
see "R3.1 is evidence on every exec" 'len(evidence("R3.1")) == len(execs())'
run -- sh -c '/no/such/program; exec 3</dev/null; /etc/passwd; true'
see "a failed exec has outcome failure when it is told" \
	'all(get(e, "error.code") for e in action("exec") if get(e, "event.outcome") == "failure")'

cat >"$work/daemon.sh" <<SH
(setsid sh -c 'until [ -e "$work/go" ]; do sleep 0.05; done; /bin/true from-the-daemon; touch "$work/done"' >/dev/null 2>&1 &)
touch "$work/go"
until [ -e "$work/done" ]; do sleep 0.05; done
SH
run -- sh "$work/daemon.sh"
see "a daemonised grandchild stays a member" '["/bin/true", "from-the-daemon"] in args("true")'

# An orphan that outlives COMMAND is listed.
run -- sh -c "sleep 30 >/dev/null 2>&1 & p=\$!; echo \$p >'$work/left'; until grep -q sleep /proc/\$p/comm; do :; done"
see "what is left behind is listed" '"sleep" in json.dumps(get(ev[-1], "invigil.run.left_behind"))'
kill "$(cat "$work/left")" 2>/dev/null

rm -f "$work/up" "$work/go"
run -- sh -c "touch '$work/up'; until [ -e '$work/go' ]; do sleep 0.05; done; /bin/true marker-inside" &
pid=$!
until_true 20 test -e "$work/up"
/bin/true marker-outside
setsid sh -c '/bin/true marker-outside'
touch "$work/go"
wait $pid
see "nothing outside the run is in the stream" '"marker-inside" in json.dumps(ev) and "marker-outside" not in json.dumps(ev)'

rm -f "$work"/up? "$work/go"
for i in 1 2; do
	timeout 120 "$invigil" run -q -o "$work/ev$i" -- \
		sh -c "touch '$work/up$i'; until [ -e '$work/go' ]; do sleep 0.05; done; for n in 1 2 3; do /bin/true this-is-run-$i; done" &
	pids[i]=$!
done
until_true 20 test -e "$work/up1" -a -e "$work/up2"
touch "$work/go"
wait "${pids[1]}" "${pids[2]}"
for i in 1 2; do
	see "of two runs at once, number $i has its own and only its own" \
		'len(args("true")) == 3 and "this-is-run-'$((3 - i))'" not in json.dumps(ev)' "$work/ev$i"
done

cp /bin/true "$work/program"
chmod 777 "$work/script.sh" "$work/program"
run -- "$work/program"
see "R3.2: a program that others can change" 'len(alerts("R3.2")) > 0'
chmod 755 "$work/program"
run -- "$work/program"
see "R3.2, near miss: the same program, 0755" 'not alerts("R3.2")'
chmod 755 "$work/script.sh"
run -- "$work/script.sh"
see "R3.2, near miss: the same script, 0755" 'not alerts("R3.2")'
run -- /usr/bin/python3 -c 'import subprocess; subprocess.call("/bin/true one two", shell=True)'
see "R4.2: the test process gives a shell a string" 'len(alerts("R4.2")) > 0 and not alerts("R4.3")'
run -- /usr/bin/python3 -c 'import subprocess; subprocess.call("/bin/true one | /bin/cat", shell=True)'
see "R4.3: with shell control" 'len(alerts("R4.3")) > 0'
run -- /usr/bin/python3 -c 'import subprocess; subprocess.call(["/bin/true", "one | /bin/cat"])'
see "R4.2 and R4.3, near miss: a list without a shell" 'not alerts("R4.2") and not alerts("R4.3")'

cat >"$work/logs.py" <<'PY'
import os, sys
os.umask(0)
where, mode = sys.argv[1], int(sys.argv[2], 8)
os.makedirs(where, exist_ok=True, mode=0o755)
fd = os.open(where + "/t.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
os.write(fd, b"a line\n")
PY
run -- /usr/bin/python3 "$work/logs.py" "$work/l666" 666
see "R5.1: a log that others can write" 'len(alerts("R5.1")) > 0'
run -- /usr/bin/python3 "$work/logs.py" "$work/l644" 644
see "R5.2: a log that others can read; R5.1 it is not" 'len(alerts("R5.2")) > 0 and not alerts("R5.1")'
run -- /usr/bin/python3 "$work/logs.py" "$work/l640" 640
see "R5, near miss: 0640" 'not alerts("R5.1") and not alerts("R5.2") and len(action("log-open")) > 0'
finish
