"""raw_client.py SOCKET COMMAND [ARG...]: talks to an engine without any library, in the ways that framing can differ."""
import json
import os
import socket
import sys
import threading

VERSION = "/v1.41"


class Engine:
    """One connection; `address` is a path, or HOST:PORT."""

    def __init__(self, address):
        if ":" in address and not address.startswith("/"):
            host, port = address.rsplit(":", 1)
            self.sock = socket.create_connection((host, int(port)))
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect("\0" + address[1:] if address.startswith("@") else address)
        self.rest = b""

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.rest += data

    def answer(self):
        """One response: status and body."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = {n.lower(): v.strip() for n, v in (line.split(":", 1) for line in lines[1:])}
        if status == 100:
            return self.answer()
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while True:
                while b"\r\n" not in self.rest:
                    self.more()
                size, _, self.rest = self.rest.partition(b"\r\n")
                n = int(size, 16)
                while len(self.rest) < n + 2:
                    self.more()
                body += self.rest[:n]
                self.rest = self.rest[n + 2:]
                if not n:
                    break
        else:
            n = int(headers.get("content-length", 0))
            while len(self.rest) < n:
                self.more()
            body, self.rest = self.rest[:n], self.rest[n:]
        return status, body


def request(method, path, body=None, chunk=None):
    head = "%s %s%s HTTP/1.1\r\nHost: docker\r\nUser-Agent: raw\r\n" % (method, VERSION, path)
    if body is None:
        return (head + "\r\n").encode()
    head += "Content-Type: application/json\r\n"
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not chunk:
        return (head + "Content-Length: %d\r\n\r\n" % len(body)).encode() + body
    out = (head + "Transfer-Encoding: chunked\r\n\r\n").encode()
    for i in range(0, len(body), chunk):
        piece = body[i:i + chunk]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\n\r\n"


def framing(address, image):
    """Pipelined, two in one write, one in many writes, a chunk a byte; every answer is checked."""
    e = Engine(address)
    e.send(request("GET", "/version") + request("GET", "/info?two=1"))
    assert e.answer()[0] == e.answer()[0] == 200
    e.send(*[bytes([b]) for b in request("GET", "/containers/json?all=1&dribble=%C3%BC+a")])
    assert e.answer()[0] == 200
    create = {"Image": image, "Cmd": ["true"], "Labels": {"a": "\u00fc\u20ac"}, "HostConfig": {"CapAdd": ["SYS_PTRACE"]}}
    e.send(request("POST", "/containers/create?name=raw-chunks", create, 1))
    assert e.answer()[0] == 201
    both = request("POST", "/containers/create?name=raw-two", create) + request("DELETE", "/containers/raw-chunks?force=1")
    e.send(both)
    assert e.answer()[0] == 201
    assert e.answer()[0] == 204
    half = request("POST", "/containers/create?name=raw-late", create)
    e.send(half[:40], half[40:-7], half[-7:] + request("GET", "/_ping"))
    assert e.answer()[0] == 201
    assert e.answer()[0] == 200
    e.sock.sendmsg([b"DELETE /v1.41/contai", b"ners/raw-two?force=1", b" HTTP/1.1\r\nHost: d\r\n", b"\r\n"])
    assert e.answer()[0] == 204
    os.writev(e.sock.fileno(), [request("DELETE", "/containers/raw-late?force=1"), request("GET", "/_ping?writev=1")])
    assert e.answer()[0] == 204
    assert e.answer()[0] == 200
    for i in range(16):
        e.send(b"".join(request("GET", "/_ping?burst=%d.%d" % (i, k)) for k in range(4)))
        for k in range(4):
            assert e.answer()[0] == 200


def many(address, count, tag):
    e = Engine(address)
    for i in range(int(count)):
        if i % 100 == 50:
            e = Engine(address)
        if i % 5 == 4:
            e.send(request("POST", "/exec/none-%s-%d/start" % (tag, i), {"Detach": True, "Tag": "%s.%d" % (tag, i)}))
            assert e.answer()[0] == 404
        else:
            e.send(request("GET", "/containers/json?tag=%s.%d" % (tag, i)))
            assert e.answer()[0] == 200


def environment(address, image):
    """600 variables in one send; the last one has a telling name."""
    names = ["V%03d=%s" % (i, "x" * 40) for i in range(599)] + ["DB_PASSWORD=" + "geheim" * 4]
    e = Engine(address)
    e.send(request("POST", "/containers/create?name=raw-env", {"Image": image, "Env": names}))
    assert e.answer()[0] == 201
    e.send(request("DELETE", "/containers/raw-env"))
    assert e.answer()[0] == 204


def grpc(address):
    """As buildx: HTTP/2 (RFC 9113) with gRPC on a hijacked connection; lists BuildKit's workers."""
    def frame(kind, flags, stream, payload):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def header(name, value):
        """A literal that is not indexed (RFC 7541, 6.2.2)."""
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    e = Engine(address)
    e.send(b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    while b"\r\n\r\n" not in e.rest:
        e.more()
    head, _, e.rest = e.rest.partition(b"\r\n\r\n")
    assert b" 101 " in head.split(b"\r\n")[0]
    e.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, b"".join(
        header(*pair) for pair in ((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/moby.buildkit.v1.Control/ListWorkers"),
                                   (b":authority", b"docker"), (b"content-type", b"application/grpc"), (b"te", b"trailers")))) +
           frame(0, 1, 1, b"\0" * 5))
    while b"linux" not in e.rest:  # of the worker's platform
        e.more()


def relay(address, listen):
    """From the unix socket `listen` to `address`; ends when its parent closes standard input."""
    server = socket.socket(socket.AF_UNIX)
    server.bind("\0" + listen[1:] if listen.startswith("@") else listen)
    server.listen(16)

    def pump(a, b):
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        try:
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        while True:
            a, _ = server.accept()
            b = Engine(address).sock
            for pair in ((a, b), (b, a)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    globals()[sys.argv[2]](sys.argv[1], *sys.argv[3:])
