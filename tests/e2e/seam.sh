#!/bin/bash
# seam.sh: a secret that two writes, two reads or two chunks cut in two is readable in no part of the recording; what is like it stays.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cat >"$work/engine.py" <<'PY'
"""Answers every request on a socket named as an engine's: an inspect with the environment of a container."""
import socket
import sys

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(4)
body = b'{"Id":"' + b"0123456789abcdef" * 4 + b'","Config":{"Env":["A=' + sys.argv[2].encode() + b'","B=' + sys.argv[3].encode() + b'"]}}'
while True:
    client, _ = server.accept()
    rest = b""
    while data := client.recv(65536):
        rest += data
        if rest.endswith(b"\r\n0\r\n\r\n") or rest.endswith(b"END"):
            rest = b""
            client.sendall(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
PY
cat >"$work/client.py" <<'PY'
"""client.py SOCKET LIKE: sends API_TOKEN, and LIKE, in two pieces in each way."""
import os
import socket
import sys

token, like = os.environ["API_TOKEN"].encode(), sys.argv[2].encode()
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])


def answer():
    """Nine bytes a read: a border goes through everything."""
    rest = b""
    while not rest.endswith(b"]}}"):
        rest += sock.recv(9)


def create(name, framed, *parts):
    head = b"POST /v1.41/containers/create?name=%s HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n" % name
    if framed:
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            sock.sendall(b"%x\r\n" % len(part) + part + b"\r\n")
        sock.sendall(b"0\r\n\r\n")
    else:
        sock.sendall(head + b"Content-Length: %d\r\n\r\n" % (sum(map(len, parts)) + 3))
        for part in parts:
            sock.sendall(part)
        sock.sendall(b"END")
    answer()


for text, name in ((token, b"token"), (like, b"like")):
    for at in 3, 9, 14:
        for framed in False, True:
            create(name, framed, b'{"Image":"i","Cmd":["echo ' + text[:at], text[at:] + b'"]}')
    create(name, False, *[bytes([b]) for b in b'{"Image":"i","Cmd":["' + text + b'"]}'])
create(b"behind", False, b'{"Image":"i","Env":["DB_PASSWORD=', b'swordfish-77"],"Labels":{"x":"swordfish-78"}}')
PY
export API_TOKEN=Zq7-Kd52-Wm93-Xp41-Rt68 # no four of its letters stand elsewhere
like=Yq7-kD52-wM93-xP41-rT68
python3 "$work/engine.py" "$work/docker.sock" "$API_TOKEN" "$like" 2>"$work/engine.err" &
server=$!
until_true 30 test -S "$work/docker.sock"
check "a run with secrets cut in two is recorded" run -q --record "$work/rec" -- python3 "$work/client.py" "$work/docker.sock" "$like"
kill $server
see "its requests were decoded" 'len(action("container-create")) == 15'
see "R6.9: the secret was put together" '[e for e in alerts("R6.9") if "command" in get(e, "invigil.evidence")]'
check "no four letters in a row of it are in the recording, the stream or a replay" python3 - "$API_TOKEN" "$work/rec" "$ev" <<'PY'
import sys
for name in sys.argv[2:]:
    data = open(name, "rb").read()
    for i in range(len(sys.argv[1]) - 3):
        part = sys.argv[1][i:i + 4].encode()
        assert part not in data, (name, part)
PY
check "near miss: what is like it is, in both halves of each cut" python3 - "$like" "$work/rec" <<'PY'
import sys
data = open(sys.argv[2], "rb").read()
for at in 3, 9, 14:
    assert sys.argv[1][:at].encode() + b"\r\n" in data and sys.argv[1][at:].encode() + b'"]}' in data, at
PY
check "nor a value whose name came before the border" bash -c "! grep -qa swordfish-77 '$work/rec' '$ev'"
check "near miss: a value without such a name" grep -qa swordfish-78 "$work/rec"
check "replay gives the same stream" sh -c "'$invigil' replay -q -o - '$work/rec' | cmp - '$ev'"
finish
