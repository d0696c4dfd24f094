"""Servers for the whole session, in a work folder that others cannot enter."""
import os
import shutil
import tempfile

import pytest

import provision


@pytest.fixture(scope="session")
def config():
    work = tempfile.mkdtemp(prefix="ivgsafe-")
    os.chmod(work, 0o750)
    config, made = provision.DockerConfig(work), []
    try:
        provision.provision(config, made)
        yield config
    finally:
        try:
            provision.unprovision(config, made)
        finally:
            config.close()
            shutil.rmtree(work)
