"""seeds.py FUZZER DIR: writes what a fuzzer would not find by itself: dialogues with an engine, a caller's requests, records.

An upgrade, a session of BuildKit or a build's context has to be right in many places before the code behind it runs.
"""
import glob
import gzip
import io
import json
import lzma
import os
import struct
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
SEND, RECV = 0, 1
DOCKERFILE = b"FROM base:1 AS a\nSHELL [\"/bin/sh\",\"-ec\"]\nRUN echo API_TOKEN=abcdefgh1 \\\n && true\nRUN <<EOF\necho\nEOF\nFROM a\n"


def said(direction, data, connection=0, process=0, step=255):
    """As fuzz_http.c reads it: two bytes, direction and the like, and a length, before each segment."""
    parts = [data[i:i + step] for i in range(0, len(data), step)]
    return b"".join(bytes([direction | connection << 1 | process << 4, len(p)]) + p for p in parts)


def request(method, path, body=None, headers=b"", chunk=0):
    head = b"%s %s HTTP/1.1\r\nHost: d\r\n%s" % (method, path, headers)
    if body is None:
        return head + b"\r\n"
    if not chunk:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    parts = [body[i:i + chunk] for i in range(0, len(body), chunk)]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def answer(status, body=b"", headers=b""):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), headers) + body


def frame(kind, flags, stream, payload):
    """HTTP/2: RFC 9113, 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(key, value):
    """Protobuf: bytes, or a number."""
    if isinstance(value, int):
        return number(key << 3) + number(value)
    return number(key << 3 | 2) + number(len(value)) + value


def message(payload):
    """gRPC: no compression, length."""
    return b"\0" + struct.pack(">I", len(payload)) + payload


def session():
    """BuildKit's: the client sends names, then the Dockerfile, on the stream that the engine opened."""
    packets = [field(2, field(1, b".dockerignore") + field(2, 0o100644)), field(2, field(1, b"Dockerfile") + field(2, 0o100644)),
               field(1, 2) + field(3, 1) + field(4, DOCKERFILE), field(1, 2) + field(3, 1)]
    return frame(4, 0, 0, b"") + frame(1, 4, 1, b"\x88") + b"".join(
        frame(0, 8, 1, b"\x02" + message(p) + b"xx") for p in packets) + frame(0, 1, 1, b"")


def context(packed):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("first", b"x" * 700), ("Dockerfile", DOCKERFILE)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0) if packed else out.getvalue()


IDS = ["%02x" % i * 32 for i in range(4)]
STEPS = b"".join(json.dumps({"stream": text}).encode() + b"\r\n" for text in (
    "Step 1/2 : FROM base:1\n", " ---> 0123456789ab\n", "Step 2/2 : RUN echo\n", " ---> Running in 123456789abc\n", "out\n",
    " ---> 23456789abcd\n", "Successfully built 23456789abcd\n")) + json.dumps({"aux": {"ID": "sha256:" + IDS[1]}}).encode() + b"\r\n"
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def http():
    kit = b"/build?version=2&remote=client-session&session=u1&t=x%3A1&dockerfile=Dockerfile&buildargs=%7B%22A%22%3A%22b%22%7D"
    opened = said(SEND, request(b"POST", b"/session", headers=b"Upgrade: h2c\r\nX-Docker-Expose-Session-Uuid: u1\r\n")) + said(RECV, UPGRADED)
    built = said(SEND, request(b"POST", kit, b""), 1)
    yield opened + built + said(SEND, session()) + said(RECV, answer(b"200 OK", STEPS), 1)
    yield opened + built + said(SEND, session(), step=7) + said(RECV, answer(b"200 OK", STEPS), 1, step=9)
    yield said(SEND, request(b"POST", b"/grpc", headers=b"Upgrade: h2c\r\nConnection: Upgrade\r\n")) + said(RECV, UPGRADED) + \
        said(SEND, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + session())
    yield said(SEND, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + session())
    for packed in False, True:
        for chunk in 0, 600:
            yield said(SEND, request(b"POST", b"/v1.41/build?t=x&q=1&networkmode=host", context(packed), chunk=chunk)) + \
                said(RECV, answer(b"200 OK", STEPS), step=50)
    create = json.dumps({"Image": "base:1", "Env": ["API_TOKEN=abcdefgh1"], "HostConfig": {
        "Privileged": True, "Binds": ["/etc:/mnt:ro"], "PortBindings": {"80/tcp": [{"HostIp": "::1"}, None]}, "Mounts": [
            {"Type": "bind", "Source": "/root", "Target": "/x"}], "MaskedPaths": []}}).encode()
    yield said(SEND, request(b"POST", b"/containers/create?name=web", create, chunk=1)) + \
        said(RECV, answer(b"201 Created", json.dumps({"Id": IDS[0], "Warnings": None}).encode())) + \
        said(SEND, request(b"POST", b"/containers/web/exec", b'{"Cmd":["sh","-c","x"],"User":"0"}', b"Expect: 100-continue\r\n")) + \
        said(RECV, b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"201 Created", json.dumps({"Id": IDS[2]}).encode())) + \
        said(SEND, request(b"POST", b"/exec/%s/start" % IDS[2].encode(), b'{"Tty":true}', b"Connection: Upgrade\r\nUpgrade: tcp\r\n")) + \
        said(RECV, b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nroot\r\n") + said(SEND, b"id\n")
    yield said(SEND, b"".join(request(b"GET", b"/containers/%s/json" % i.encode()) for i in IDS)) + \
        said(RECV, b"".join(answer(b"200 OK", b'{"Id":"%s","Name":"/web"}' % i.encode()) for i in IDS))
    yield said(SEND, request(b"POST", b"/containers/prune", b"")) + \
        said(RECV, answer(b"200 OK", b'{"ContainersDeleted":["%s"],"SpaceReclaimed":1}' % IDS[0].encode())) + \
        said(SEND, request(b"POST", b"/images/create?fromImage=reg.example.com%2Fx&tag=1", b"")) + said(RECV, answer(b"200 OK", b'{"status":"x"}\r\n')) + \
        said(SEND, request(b"DELETE", b"/images/x:1?force=1")) + said(RECV, answer(b"200 OK", b'[{"Untagged":"x:1"},{"Deleted":"sha256:00"}]'))
    yield said(SEND, request(b"HEAD", b"/containers/web/archive?path=/")) + said(RECV, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") + \
        said(SEND, request(b"GET", b"/events")) + said(RECV, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n0\r\n\r\n")


def pairs(*of):
    return b"".join(key + b"\0" + value + b"\0" for key, value in of)


def asked():
    whole = [(b"cwd", b"/work"), (b"fail_on", b"3"), (b"file", b"/work/ev.jsonl"), (b"require_complete", b"1"), (b"summary", b"1"),
             (b"verbose", b"1"), (b"colour", b"1"), (b"markdown", b"1"), (b"record", b"1"), (b"arg", b"pytest"), (b"arg", b"-q")]
    yield pairs(*whole)
    with open(os.path.join(HERE, "../../user/ci.c"), encoding="utf-8") as rows:
        text = rows.read()
    for name in sorted(set(part.split('"')[1] for part in text.split("{") if part.lstrip().startswith('"'))):
        yield pairs(*whole, (b"ci", name.encode()), (b"cicd.pipeline.name", b"build"), (b"cicd.pipeline.run.id", b"7"),
                    (b"vcs.ref.head.name", b"main"), (b"vcs.repository.url.full", b"https://x.org/a"))
    yield pairs((b"cwd", b"work"))
    yield pairs((b"cwd", b"/work"), (b"unknown", b"1"))
    yield b"cwd\0/work"


def records():
    """Those of the committed recordings: type, length of what follows the header, bytes."""
    for name in sorted(glob.glob(os.path.join(HERE, "../replay/*.rec.xz"))):
        with lzma.open(name) as of:
            data = of.read()
        at, out = 24, b""
        while at + 4 < len(data):
            (n,) = struct.unpack_from("<I", data, at)
            (kind,) = struct.unpack_from("<I", data, at + 20)
            body, at = data[at + 44:at + 4 + n], at + 4 + n
            if not n or len(body) > 8000:
                continue
            if len(out) + len(body) > 12000:
                yield out
                out = b""
            out += struct.pack("<BH", kind, len(body)) + body
        yield out


SEEDS = {"fuzz_http": http, "fuzz_request": asked, "fuzz_record": records}

if __name__ == "__main__":
    os.makedirs(sys.argv[2], exist_ok=True)
    for nth, seed in enumerate(SEEDS.get(sys.argv[1], lambda: ())()):
        with open(os.path.join(sys.argv[2], "seed-%03d" % nth), "wb") as f:
            f.write(seed)
