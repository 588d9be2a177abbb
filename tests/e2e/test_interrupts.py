"""Ctrl-C while a program is still being loaded: it ends by the signal, and says nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import clean_environment, script

_AT = """
import os, signal, sys

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
"""

ROOT = Path(__file__).parents[2]
SFT = [sys.executable, "-c", "from sft.cli.entry import run; run()"]


def interrupted(folder: Path, words: list[str], module: str, *, ignored: bool = False) -> tuple[int, str]:
    """Run a program that is interrupted as it begins to load a module; return its status and all that it said."""
    (folder / "sitecustomize.py").write_text(_AT)
    environment = clean_environment() | {"INTERRUPTED_AT": module, "SFT_HOME": str(folder / "of")}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=60,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignored else None,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["sft", "ls"], "sft.cli.failures"),
        (["sftd", "serve"], "sft.operator.commands"),
        (["sftd", "serve"], "twisted.scripts.twistd"),
        (["sftd", "serve"], "sft.operator.service"),
        (["twistd", "-n", "--pidfile=", "sft", "serve"], "sft.operator.service"),
    ],
)
def test_an_interrupt_while_a_program_is_loaded_ends_it_and_nothing_is_said(
    tmp_path: Path, words: list[str], module: str
):
    program = SFT if words[0] == "sft" else [script(words[0])]
    assert interrupted(tmp_path, [*program, *words[1:]], module) == (-signal.SIGINT, "")


def test_a_program_that_is_to_ignore_interrupts_goes_on(tmp_path: Path):
    status, said = interrupted(tmp_path, [*SFT, "servers"], "sft.cli.failures", ignored=True)
    assert status == 0, said


@pytest.mark.parametrize("command", ["status", "upgrade", "restore x"])
def test_an_interrupt_of_an_operators_command_is_told(tmp_path: Path, command: str):
    module = "sft.operator.backups.restore_command" if command == "restore x" else "sft.operator.control"
    assert interrupted(tmp_path, [script("sftd"), *command.split()], module) == (130, "\nStopped.\n")


def test_an_interrupt_of_a_command_that_runs_is_told(tmp_path: Path):
    assert interrupted(tmp_path, [*SFT, "servers"], "sft.cli.commands.servers") == (130, "\nStopped.\n")
