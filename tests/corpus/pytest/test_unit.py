"""test_unit.py: files, children, digests, logs and variables, as unit tests use them."""
import base64
import hashlib
import json
import logging
import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("n", range(20))
def test_round_trip(n, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"n": n}))
    assert json.loads((tmp_path / "a.json").read_text())["n"] == n


def test_child():
    assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\n"


def test_digest():
    line = "%s  /dev/null\n" % hashlib.sha256().hexdigest()
    assert subprocess.run(["sha256sum", "-c"], input=line, text=True, capture_output=True).returncode == 0


def test_variable(monkeypatch):
    monkeypatch.setenv("UNIT_MODE", "x")
    assert os.environ["UNIT_MODE"] == "x"


def test_log(tmp_path):
    handler = logging.FileHandler(tmp_path / "t.log")
    logging.getLogger("t").addHandler(handler)
    logging.getLogger("t").warning("x")
    handler.close()


def test_base64():
    assert base64.b64decode(base64.b64encode(b"x" * 100)) == b"x" * 100
