"""Provisions test servers by driving the `docker` command, as the reviewed script of RISKS.md does."""
import base64
import logging
import os
import socket
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "ivgtest"

SERVER_SH = """#!/bin/sh
# Serves its module's name on PORT until it is removed.
mkdir -p /srv/www
echo "$1" >/srv/www/index.html
exec httpd -f -p "$2" -h /srv/www
"""

POST_STARTUP = """#!/bin/sh
# Waits until the server answers on PORT; the name is the reviewed script's.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  if wget -q -O - "http://127.0.0.1:$1/" 2>/dev/null; then exit 0; fi
  usleep 200000
done
echo "no answer on port $1" >&2
exit 1
"""


def str_encode_hex(text):
    return "".join("\\x%02x" % byte for byte in text.encode())


def file_into_image(content, dst, mode):
    return "RUN echo \"'%s'\" | xargs echo -e > %s;chmod %s %s\n" % (str_encode_hex(content), dst, mode, dst)


def private_key():
    """A new one each time, of no use to anyone."""
    body = base64.b64encode(os.urandom(192)).decode()
    lines = [body[i:i + 64] for i in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN PRIVATE KEY-----"] + lines + ["-----END PRIVATE KEY-----", ""])


def read_servers(path=os.path.join(HERE, "servers.list")):
    with open(path) as servers:
        rows = [line.split() for line in servers if line.strip() and not line.startswith("#")]
    return [(module, int(port)) for module, port in rows]


class DockerConfig:
    def __init__(self, work):
        self.work = work
        self.base = os.environ.get("BASE_IMAGE", "invigil/base:1")
        self.bind_local = os.environ.get("TESTSERVER_BIND_LOCAL")
        self.token = os.environ.get("TESTSERVER_API_TOKEN")
        # The classic builder runs every step in a container.
        os.environ["DOCKER_BUILDKIT"] = "0"
        self.log = logging.getLogger("provision")
        self.log.setLevel(logging.INFO)
        self.handler = logging.FileHandler(os.path.join(work, "provision.log"))
        self.log.addHandler(self.handler)
        # What the build says goes beside it, for everybody to append to.
        umask = os.umask(0)
        self.build_log = os.open(os.path.join(work, "build.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.umask(umask)

    def close(self):
        self.log.removeHandler(self.handler)
        self.handler.close()
        os.close(self.build_log)

    def get_image_name(self, module):
        return "%s/%s:%d" % (PREFIX, module, os.getpid())

    def get_server_name(self, module):
        return "%s-%s-%d" % (PREFIX, module, os.getpid())

    def get_host_name(self, module):
        return "%s.%s.internal" % (module, PREFIX)


def docker_build(config, module):
    dockerfile = "FROM %s\n" % config.base
    dockerfile += file_into_image(SERVER_SH, "/server.sh", "755")
    dockerfile += file_into_image(POST_STARTUP, "/post_startup.py", "755")
    dockerfile += file_into_image(private_key(), "/etc/server.key", "600")
    command = ["docker", "build", "-", "--quiet", "-t", config.get_image_name(module)]
    build = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = build.communicate(dockerfile.encode())
    os.write(config.build_log, out + err)
    if build.returncode:
        raise RuntimeError("docker build: %s" % err.decode(errors="replace"))
    config.log.info("built %s", config.get_image_name(module))
    return out.decode().strip()


def docker_rm(config, module):
    """Also when there is none: the client says so, and that is no failure."""
    command = ["docker", "rm", "-f", config.get_server_name(module)]
    rm = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rm.communicate()
    config.log.info("removed %s", config.get_server_name(module))


def docker_run(config, module, port, links=()):
    fqdn = socket.gethostname()
    publish = "%d:%d" % (port, port) if config.bind_local else "%d" % port
    command = ["docker", "run", "-d", "-h", config.get_host_name(module), "-p", publish]
    for link in links:
        command += ["--link", "%s:%s.%s" % (config.get_server_name(link), link, fqdn)]
    if config.token:
        command += ["-e", "TESTSERVER_API_TOKEN"]  # the client takes the value from its own environment
    command += ["--name", config.get_server_name(module), config.get_image_name(module)]
    command += ["/server.sh", module, str(port)]
    container = subprocess.check_output(command, stderr=subprocess.STDOUT).decode().strip()
    config.log.info("started %s as %s", config.get_server_name(module), container[:12])


def docker_exec(config, module, *command):
    return subprocess.check_output(["docker", "exec", config.get_server_name(module)] + list(command))


def running_servers():
    ps = subprocess.Popen(["docker", "ps", "--format", "{{.Names}}"], stdout=subprocess.PIPE)
    return [name for name in ps.communicate()[0].decode().split() if name.startswith(PREFIX + "-")]


def docker_rmi(config, module):
    subprocess.check_call(["docker", "rmi", "-f", config.get_image_name(module)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    config.log.info("removed image %s", config.get_image_name(module))


def provision(config):
    started = []
    for module, port in read_servers():
        docker_build(config, module)
        docker_rm(config, module)
        docker_run(config, module, port, links=started)
        docker_exec(config, module, "/post_startup.py", str(port))
        started.append(module)


def unprovision(config):
    for module, _ in reversed(read_servers()):
        docker_rm(config, module)
        docker_rmi(config, module)
