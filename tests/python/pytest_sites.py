"""pytest_sites.py: processes made by tests, fixtures, parameters, marks and rewritten asserts under pytest."""
import oracle  # noqa: F401  first of all
import os
import subprocess
import unittest

import pytest
from oracle import mark

TRUE = "/bin/true"


@pytest.fixture
def server():
    subprocess.check_call([TRUE, mark("check_call")])
    yield 1
    subprocess.run([TRUE, mark("run")])


@pytest.fixture(scope="module", autouse=True)
def module():
    os.system("/bin/true " + mark("os.system"))
    yield
    os.system("/bin/true " + mark("os.system"))


def test_output(server):
    assert subprocess.check_output([TRUE, mark("check_output")]) == b""


@pytest.mark.parametrize("k", range(4))
def test_parameters(k, server):
    p = subprocess.Popen([TRUE, mark("Popen")])
    assert p.wait() == 0


class TestClass:
    def setup_method(self):
        subprocess.call([TRUE, mark("call")])

    def test_raises(self, tmp_path):
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.check_call(["/bin/false", mark("check_call")])

    def test_long_assert(self):
        assert [subprocess.run([TRUE, mark("run")]).returncode
                for _ in range(3)] == [0, 0,
                                       subprocess.call([TRUE, mark("call")])]


class Case(unittest.TestCase):
    def setUp(self):
        self.addCleanup(os.system, "/bin/true " + mark("os.system"))

    def testUnit(self):
        for k in range(2):
            with self.subTest(k=k):
                self.assertEqual(subprocess.call([TRUE, mark("call")]), 0)
