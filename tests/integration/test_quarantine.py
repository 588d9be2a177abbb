"""What a start put aside is counted, shown and dropped."""

from __future__ import annotations

import re

import pytest

from tests.integration.live_cli import LiveCli


@pytest.mark.every_run
def test_what_was_put_aside_is_counted_listed_and_dropped(cli: LiveCli):
    folder = cli.server.home.vault / "quarantine"
    (folder / ("6f" * 16)).write_bytes(b"orphan")
    assert any("quarantine holds 1 file, 6 bytes" in note for note in cli.operator_json("vault", "check")["notes"])
    said = cli.operator("vault", "check").out
    assert re.search(
        r"the quarantine holds 1 file, 6 bytes\. sftd (--home \S+ )?vault quarantine list, or drop\n", said
    )
    (listed,) = cli.operator_json("vault", "quarantine", "list")
    assert (listed["name"], listed["size"]) == ("6f" * 16, 6)
    assert cli.operator_json("vault", "quarantine", "drop") == {"dropped": 1, "bytes": 6}
    assert list(folder.iterdir()) == []
    assert cli.operator_json("vault", "check")["notes"] == []


def test_segments_that_were_put_aside_are_listed_and_dropped_with_their_folder(cli: LiveCli):
    folder = cli.server.home.vault / "quarantine"
    (folder / ("6f" * 16)).write_bytes(b"segment 0")
    (folder / f"{'6f' * 16}.segments").mkdir()
    (folder / f"{'6f' * 16}.segments" / "1").write_bytes(b"segment 1")
    assert any("quarantine holds 2 files, 18 bytes" in note for note in cli.operator_json("vault", "check")["notes"])
    names = [listed["name"] for listed in cli.operator_json("vault", "quarantine", "list")]
    assert names == ["6f" * 16, f"{'6f' * 16}.segments/1"]
    assert cli.operator_json("vault", "quarantine", "drop") == {"dropped": 2, "bytes": 18}
    assert list(folder.iterdir()) == []
