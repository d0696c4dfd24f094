"""What the provisioned servers are asked."""
import os
import urllib.request

import pytest

import provision

SERVERS = provision.read_servers()


def test_every_server_runs(config):
    running = provision.running_servers()
    assert {config.get_server_name(module) for module, _ in SERVERS} <= set(running)


@pytest.mark.parametrize("module,port", SERVERS)
def test_server_answers(config, module, port):
    assert provision.docker_exec(config, module, "/post_startup.py", str(port)).strip() == module.encode()


@pytest.mark.parametrize("module,port", SERVERS)
def test_server_is_published(config, module, port):
    if not config.bind_local:
        pytest.skip("on a port of the engine's choice")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open("http://127.0.0.1:%d/" % port, timeout=60).read().strip() == module.encode()


def test_key_is_private(config):
    assert provision.docker_exec(config, "web", "stat", "-c", "%a", "/etc/server.key").strip() == b"600"


def test_log_is_written(config):
    assert os.path.getsize(os.path.join(config.work, "provision.log"))
