from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import ctypes, resource
import sft.cli.main as program
def main(*_):
    print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
    return 0
program.main = main
program.run()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has prctl")
def test_sft_leaves_no_core_and_lets_nobody_attach():
    done = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0"]
