"""engine_calls.py IMAGE: a test that drives an engine by the SDK, by the docker command and by a bare socket."""
import http.client
import os
import socket
import subprocess
import sys
import threading

import docker

path = os.environ["DOCKER_HOST"][len("unix://"):]


def create(client, name):
    return client.containers.create(
        sys.argv[1], ["/bin/sh", "-c", "/bin/true inside-" + name], name=name)


def remove(box):
    box.remove(force=True)


def test_sdk():
    client = docker.from_env()
    box = create(client, "lines-sdk")
    box.start()
    box.wait()
    thread = threading.Thread(target=remove, args=(box,))
    thread.start()
    thread.join()


def test_command():
    subprocess.check_call(["docker", "run", "--rm", "--name", "lines-cli", sys.argv[1], "/bin/sh", "-c", "/bin/true inside-cli"])


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)


def test_socket():
    connection = Connection("localhost")
    connection.request("GET", "/v1.41/info")
    connection.getresponse().read()
    connection.request("GET", "/v1.41/images/json")
    connection.getresponse().read()


test_sdk()
test_command()
test_socket()
