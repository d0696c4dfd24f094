"""registry.py SAVED.tar: a registry (OCI distribution, reading only) that has one image, of `docker save`, as thing:1; says PORT DIGEST."""
import gzip
import hashlib
import http.server
import json
import sys
import tarfile

KIND = "application/vnd.docker."


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def described(kind, data):
    return {"mediaType": KIND + kind, "size": len(data), "digest": digest(data)}


with tarfile.open(sys.argv[1]) as saved:
    image = json.load(saved.extractfile("manifest.json"))[0]
    config = saved.extractfile(image["Config"]).read()
    layers = [gzip.compress(saved.extractfile(name).read(), 1) for name in image["Layers"]]
manifest = json.dumps({
    "schemaVersion": 2, "mediaType": KIND + "distribution.manifest.v2+json",
    "config": described("container.image.v1+json", config),
    "layers": [described("image.rootfs.diff.tar.gzip", layer) for layer in layers]}).encode()
blobs = {digest(data): data for data in [config, *layers]}


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def find(self):
        name = self.path.rsplit("/", 1)[-1]
        if self.path == "/v2/":
            return b"{}", "application/json"
        if self.path.startswith("/v2/thing/manifests/") and name in ("1", digest(manifest)):
            return manifest, KIND + "distribution.manifest.v2+json"
        return blobs.get(name), "application/octet-stream"

    def do_GET(self):
        data, kind = self.find()
        self.send_response(200 if data else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data or b"")))
        self.send_header("Docker-Content-Digest", digest(data or b""))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data or b"")

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
print(server.server_port, digest(manifest), flush=True)
server.serve_forever()
