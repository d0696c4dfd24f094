"""eager_engine.py SOCKET: answers pings like an engine, and is never asleep: it takes bytes the moment that they are queued."""
import signal
import socket
import sys

signal.alarm(120)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    client.setblocking(False)
    got = b""
    while b"\r\n\r\n" not in got:
        try:
            part = client.recv(65536)
        except BlockingIOError:
            continue
        if not part:
            break
        got += part
    client.setblocking(True)
    if got:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    client.close()
