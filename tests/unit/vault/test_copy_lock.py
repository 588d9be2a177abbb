"""One copies, or any number destroy and change keys: never both, from whatever process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sft.vault.copy_lock import CopyLock


def test_who_copies_keeps_changes_away_and_the_reverse(tmp_path: Path):
    one, other = CopyLock(tmp_path), CopyLock(tmp_path)
    with one.copying() as first:
        assert first
        with other.changing() as refused, other.copying() as refused_too:
            assert not refused
            assert not refused_too
    with one.changing() as first, other.changing() as second:
        assert first
        assert second
        with CopyLock(tmp_path).copying() as refused:
            assert not refused
    with other.copying() as free:
        assert free


def test_the_lock_of_a_process_that_dies_is_free(tmp_path: Path):
    code = (
        "import os, pathlib, sys; from sft.vault.copy_lock import CopyLock\n"
        "with CopyLock(pathlib.Path(sys.argv[1])).copying() as taken: print(taken, flush=True); sys.stdin.read(1)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    with CopyLock(tmp_path).changing() as refused:
        assert not refused
    process.kill()
    process.communicate()
    with CopyLock(tmp_path).changing() as free:
        assert free
