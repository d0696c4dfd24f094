#!/bin/bash
# hostile.sh: what the run itself makes to harm others through invigil, or to take its evidence away.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# getenv() of the twin, which has the victim's build id and size, lies inside of an instruction of the victim.
cat >"$work/victim.c" <<'C'
#include <stdio.h>
__asm__(".text\n.globl constant\n.type constant,@function\n.globl xetenv\n.type xetenv,@function\n"
	"constant: .byte 0xb8\nxetenv: .byte 0x44, 0x33, 0x22, 0x11\nret\n");
int constant(void), xetenv(void);
int (*volatile keep)(void) = xetenv;
int main(void)
{
	printf("%x\n", constant());
	return 0;
}
C
if [ "$(uname -m)" = x86_64 ]; then
	check "the victim builds" gcc -O2 -rdynamic -Wl,--build-id=sha1 -o "$work/victim" "$work/victim.c"
	sed s/xetenv/getenv/g "$work/victim" >"$work/twin"
	chmod 755 "$work/twin"
	chown nobody "$work/twin"
	check "a forged build id puts no probe into another program" \
		sh -c "'$invigil' run -q -o '$ev' -- sh -c '\"$work/twin\"; \"$work/victim\"' | tail -1 | grep -x 11223344"
fi

mkfifo "$work/fifo"
printf '#!%s/fifo\n' "$work" >"$work/script"
chmod 755 "$work/script" "$work/fifo"
check "a pipe named as an interpreter is not opened" run -q -- sh -c \
	"(echo x >'$work/fifo'; touch '$work/opened') 2>/dev/null & '$work/script'; kill \$!; true"
check "its writer found no reader" test ! -e "$work/opened"

cat >"$work/flood.py" <<'PY'
import subprocess, sys
for r in range(int(sys.argv[1])):
    subprocess.run(["/bin/true"], env={"V%d_%d_TOKEN" % (r, i): "value-%d-%d-qwerty" % (r, i) for i in range(1200)})
PY
run -q -- /usr/bin/python3 "$work/flood.py" 5
see "more secrets than the table holds are said (R0.2)" \
	'gap("so many secrets") and get(ev[-1], "invigil.run.complete") is False'
run -q -- /usr/bin/python3 "$work/flood.py" 0
see "near miss: few are nothing to say" 'not gap("so many secrets") and get(ev[-1], "invigil.run.complete")'

victim=$work/gone
check "a stream that COMMAND removes fails the run" \
	status_is 125 "$invigil" run -q -o "$victim" -- rm "$victim"
check "and is said" grep -q "output $victim: it was removed" "$work/err2"
check "so does one that it replaces by its own" \
	status_is 125 "$invigil" run -q -o "$victim" -- sh -c "cp '$victim' '$victim.2'; mv '$victim.2' '$victim'"
check "one that it cuts" status_is 125 "$invigil" run -q -o "$victim" -- truncate -s 0 "$victim"
check "a recording that it removes" \
	status_is 125 "$invigil" run -q --record "$victim.rec" -- rm "$victim.rec"
check "COMMAND's own status is passed on all the same" \
	status_is 7 "$invigil" run -q -o "$victim" -- sh -c "rm '$victim'; exit 7"
check "files that it only reads are no matter" \
	status_is 0 "$invigil" run -q -o "$victim" --record "$victim.rec" -- cat "$victim" "$victim.rec"

# Databases refuse a NUL in JSON (PostgreSQL's jsonb), and readers in C take it for the end.
cat >"$work/nul.py" <<'PY'
import os, socket, sys, threading
os.chdir(sys.argv[1])
engine = socket.socket(socket.AF_UNIX)
engine.bind("docker.sock")
engine.listen()
def answer():
    c = engine.accept()[0]
    while b'"end"' not in c.recv(4096):
        pass
    made = b'{"Id":"%s"}' % (b"5a" * 32)
    c.sendall(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(made) + made)
server = threading.Thread(target=answer)
server.start()
body = rb'{"Image":"nul\u0000name","Cmd":["x\u0001y"],"end":1}'
c = socket.socket(socket.AF_UNIX)
c.connect("docker.sock")
c.sendall(b"POST /v1.41/containers/create?name=one HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
c.recv(4096)
server.join()
PY
run -q -- /usr/bin/python3 "$work/nul.py" "$work"
see "a NUL is U+FFFD, and the bytes are kept" \
	'[get(e, "container.image.name") for e in action("container-create")] == ["nul\ufffdname"] and {"field": "container.image.name", "base64": "bnVsAG5hbWU="} in get(action("container-create")[0], "invigil.raw")'
see "there is none in any string of the stream" 'not [e for e in ev if "\\u0000" in json.dumps(e).replace("\\\\", "")]'
see "near miss: what a body says by an escape is shown as it was sent" 'r"nul\u0000name" in get(action("container-create")[0], "invigil.docker.config")'
finish
