"""Backups of a real server, by real commands that are killed: whole ones alone are ever there, and the next run goes on."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.backup import kill

SEED = 12


def test_backups_that_are_killed_leave_whole_ones_and_what_is_put_back_is_all_there(tmp_path: Path):
    kill(tmp_path, 1, SEED)
