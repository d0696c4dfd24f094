"""sink.py [PORT]: a loopback http server that takes every post and serves a harmless script; prints its port."""
import http.server
import sys

SCRIPT = b"#!/bin/sh\necho served\n"


class Sink(http.server.BaseHTTPRequestHandler):
    def answer(self, body=b""):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(SCRIPT)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer()

    do_PUT = do_POST

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
