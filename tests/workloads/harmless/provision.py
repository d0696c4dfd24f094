"""Does the work of ../reviewed without its risks."""
import logging
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "ivgsafe"


def read_servers(path=os.path.join(HERE, "servers.list")):
    with open(path) as servers:
        rows = [line.split() for line in servers if line.strip() and not line.startswith("#")]
    return [(module, int(port)) for module, port in rows]


class DockerConfig:
    def __init__(self, work):
        self.work = work
        self.base = os.environ.get("BASE_IMAGE", "invigil/base:1")
        os.environ["DOCKER_BUILDKIT"] = "0"
        path = os.path.join(work, "provision.log")
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640))
        self.log = logging.getLogger("provision-harmless")
        self.log.setLevel(logging.INFO)
        self.handler = logging.FileHandler(path)
        self.log.addHandler(self.handler)
        self.image = "%s/server:%d" % (PREFIX, os.getpid())

    def close(self):
        self.log.removeHandler(self.handler)
        self.handler.close()

    def get_server_name(self, module):
        return "%s-%s-%d" % (PREFIX, module, os.getpid())


def docker(*command):
    return subprocess.run(["docker"] + list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True).stdout.decode().strip()


def docker_build(config):
    docker("build", "--quiet", "--build-arg", "BASE=%s" % config.base, "-t", config.image, os.path.join(HERE, "image"))
    config.log.info("built %s", config.image)


def docker_run(config, module, port):
    docker("run", "-d", "-h", module, "-p", "127.0.0.1::%d" % port, "--memory", "64m", "--pids-limit", "64",
           "--name", config.get_server_name(module), config.image, "/server.sh", module, str(port))
    config.log.info("started %s", config.get_server_name(module))


def docker_exec(config, module, *command):
    return docker("exec", config.get_server_name(module), *command)


def published(config, module, port):
    return docker("port", config.get_server_name(module), "%d/tcp" % port).splitlines()[0]


def provision(config, made):
    """Names each container in `made` once it exists: only these are removed."""
    docker_build(config)
    for module, port in read_servers():
        docker_run(config, module, port)
        made.append(module)
        docker_exec(config, module, "/post_startup.sh", str(port))


def unprovision(config, made):
    for module in reversed(made):
        docker("rm", "-f", config.get_server_name(module))
    docker("rmi", config.image)
