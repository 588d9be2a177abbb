from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sft


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_asks_sft_itself(cli, shell):
    ran = cli.run("completion", shell)
    assert ran.status == 0
    assert "_SFT_COMPLETE" in ran.out
    assert json.loads(cli.run("completion", shell, "--json").out)["shell"] == shell


def test_what_it_asks_is_answered(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", "from sft.cli.main import run; run()"],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(sft.__file__).parent.parent),
            "SFT_HOME": str(tmp_path),
            "_SFT_COMPLETE": "fish_complete",
            "COMP_WORDS": "sft who",
            "COMP_CWORD": "who",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "whoami" in ran.stdout
    assert ran.returncode == 0
