#!/bin/bash
# failed.sh: programs that could not be executed: as the gate sees their files, and as the kernel answers, are what the caller was told.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cat >"$work/fails.py" <<'PY'
"""fails.py DIR LOG: tries to execute what cannot be, and logs the file, its argument and the error of each."""
import errno
import json
import os
import stat
import sys

folder, log = sys.argv[1], []


def attempt(path, *args):
    try:
        os.execv(path, [os.path.basename(path), *args])
    except OSError as error:
        log.append([path, list(args), errno.errorcode[error.errno]])


def made(name, text, mode):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


os.chdir(folder)
attempt("/no/such/program", "absent")
attempt("relative", "to the folder")
attempt(made("plain", "#!/bin/sh\n", 0o644), "not executable")
attempt(made("hello", "hello", 0o755), "no program")
attempt(made("empty", "", 0o755), "empty")
attempt(made("script", "#!/no/such/interpreter\n", 0o755), "its interpreter is absent")
attempt(os.path.join(folder, "plain", "below"), "under a file")
attempt(folder, "a directory")
os.symlink("loop", os.path.join(folder, "loop"))
attempt(os.path.join(folder, "loop"), "round and round")
attempt("/" + "x" * 300, "its name is too long")
attempt(made("many", "hello", 0o755), *map(str, range(40)))
attempt("/etc/passwd", "--password=planted-Wx31-secret-value-96")
# Alone for its owner, its group, others.
if not os.getuid():
    for mode in (0o700, 0o070, 0o007):
        path = made("for-%o" % mode, "hello", mode)
        for uid, gid in ((65534, 65534), (65534, 0), (0, 0)):
            if not os.fork():
                os.chown(path, 0, 0)
                os.setgroups([])
                os.setresgid(gid, gid, gid)
                os.setresuid(uid, uid, uid)
                log.clear()
                attempt(path, "uid %d gid %d" % (uid, gid))
                with open(sys.argv[2] + "-child", "a", encoding="utf-8") as out:
                    out.write(json.dumps(log[0]) + "\n")
                os._exit(0)
            os.wait()
with open(sys.argv[2] + "-child", encoding="utf-8") as more:
    log += map(json.loads, more)
with open(sys.argv[2], "w", encoding="utf-8") as out:
    json.dump(log, out)
PY
fails() { # LOG [OPTIONS]: the folder is a new one each time
	local log=$1
	shift
	rm -rf "$work/d"
	mkdir -m 777 "$work/d"
	: >"$log-child"
	chmod 666 "$log-child"
	run "$@" -- /usr/bin/python3 "$work/fails.py" "$work/d" "$log"
}
failures='[e for e in action("exec") if get(e, "event.outcome") == "failure"]'
# Of many arguments the first are seen.
same_as_told="(lambda want, got: len(got) > 15 and same(collections.Counter(json.dumps([f, a[:20], e]) for f, a, e in want), collections.Counter(json.dumps([get(e, 'invigil.exec.file'), [a.replace('<redacted:named:password>', 'planted-Wx31-secret-value-96') for a in get(e, 'process.args')][1:21], get(e, 'error.code')]) for e in got)))"
for options in "" "--failed-execs" "--failed-execs --gate=off"; do
	# shellcheck disable=SC2086
	check "a program fails to execute many, ${options:-by the gate}" gated fails "$work/log" $options
	see "each is told with what the program was told" "$same_as_told(json.load(open('$work/log')), $failures)"
	see "as a path where it was one" "all(get(e, 'process.executable') == (get(e, 'invigil.exec.file') if get(e, 'invigil.exec.file')[0] == '/' else None) for e in $failures)"
	see "of its process, whose program did not change" "len({get(e, 'process.pid') for e in $failures}) == 10 and len(execs()) == 1"
	see "that the gate concluded it is said, where it did" "all(('gate' in get(e, 'error.message', '')) == ('$options' == '') for e in $failures)"
	see "no alert" 'ended() and not [a for a in alerts() if get(a, "rule.id") != "R0.2"]'
	check "no secret of its arguments" bash -c "! grep -q planted-Wx31-secret-value-96 '$ev'"
done
fails "$work/log" --gate=off
see "near miss: without the gate nothing is told unless asked for" "ended() and not $failures"

# ---- searches through PATH ----
mkdir "$work/a" "$work/b"
export PATH=$work/a:$work/b:$PATH
for options in "" "--failed-execs --gate=off"; do
	# shellcheck disable=SC2086
	gated run $options -- /usr/bin/env true
	see "a search that finds it is no failure, ${options:-by the gate}" "not $failures and get(execs('true')[0], 'invigil.exec.tried') >= 2"
	# shellcheck disable=SC2086
	gated run $options -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do env no-such-program; done; true' 2>/dev/null
	see "one that does not is one each" \
		"[(get(e, 'process.name'), get(e, 'error.code')) for e in $failures] == [('no-such-program', 'ENOENT')] * 10 and all(get(e, 'invigil.exec.tried') >= 5 for e in $failures)"
	see "and no alert" 'ended() and not [a for a in alerts() if get(a, "rule.id") != "R0.2"]'
done
: >"$work/a/refused"
gated run -- env refused 2>/dev/null
see "what was found and refused is what is told" "[(get(e, 'process.executable'), get(e, 'error.code')) for e in $failures] == [('$work/a/refused', 'EACCES')]"
see "near miss: a program that was executed has not failed" 'all("error" not in e for e in execs())'
finish
