"""Servers for the whole session, in a work folder of their own."""
import os
import shutil
import tempfile

import pytest

import provision


@pytest.fixture(scope="session")
def config():
    work = tempfile.mkdtemp(prefix="ivgtest-")
    os.chmod(work, 0o755)
    made = provision.DockerConfig(work)
    try:
        provision.provision(made)
        yield made
    finally:
        try:
            provision.unprovision(made)
        finally:
            made.close()
            shutil.rmtree(work)
