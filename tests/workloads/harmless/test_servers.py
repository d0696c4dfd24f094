"""What the provisioned servers are asked."""
import os
import urllib.request

import pytest

import provision

SERVERS = provision.read_servers()


@pytest.mark.parametrize("module,port", SERVERS)
def test_server_answers(config, module, port):
    assert provision.docker_exec(config, module, "/post_startup.sh", str(port)) == module


@pytest.mark.parametrize("module,port", SERVERS)
def test_server_is_published_on_loopback(config, module, port):
    address = provision.published(config, module, port)
    assert address.startswith("127.0.0.1:")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert opener.open("http://%s/" % address, timeout=60).read().strip() == module.encode()


def test_log_is_for_its_owner_and_group(config):
    assert os.stat(os.path.join(config.work, "provision.log")).st_mode & 0o7777 == 0o640
