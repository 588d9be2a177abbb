"""Marks of this computer's files: what is known of each beside the server's of that name, and that it costs next to nothing."""

from __future__ import annotations

import os

import pytest

from sft.client.local_versions import LocalVersion
from sft.client.transfers.queue.job import Taken
from tests.tui.ui_driver import driven
from tui.panes import comparison
from tui.panes.comparison import LastTaken, LocalStanding, NewestThere, Opposite, compare

THERE = NewestThere(bytes(16), 3, 100, bytes(32))
AT = 1_000  # when it was stored or got
UNKNOWN = LocalVersion(100, AT - 1, 7)


def here(**values) -> LocalVersion:
    return LocalVersion(**{**{name: getattr(UNKNOWN, name) for name in UNKNOWN.__struct_fields__}, **values})


def base(version: int, changed_ns: int = 0) -> LastTaken:
    return LastTaken(Taken("/a", "a", version, changed_ns), AT)


@pytest.mark.parametrize(
    ("found", "before", "mark"),
    [
        (here(), None, None),  # nobody knows anything
        (here(is_newest=True), None, LocalStanding.SAME),
        (here(is_newest=True), base(2), LocalStanding.SAME),
        (here(is_newest=False), None, None),  # another one, and nobody knows which is newer
        (here(is_newest=False, older=2), None, LocalStanding.NEWER),
        (here(is_newest=False, older=2), base(3), LocalStanding.NEWER),
        (here(), base(3), None),  # stored just now; its bytes were not kept in mind
        (here(size=99), base(3), LocalStanding.CHANGED),
        (here(is_newest=False), base(3), LocalStanding.CHANGED),
        (here(modified_at=AT + 1), base(3), LocalStanding.CHANGED),
        (here(), base(2), LocalStanding.NEWER),
        (here(modified_at=AT + 1), base(2), LocalStanding.BOTH),
        (here(), base(4), None),  # the listing is the older one
        (here(changed_ns=7), base(3, 7), LocalStanding.SAME),  # as it was when it was got
        (here(changed_ns=7), base(2, 7), LocalStanding.NEWER),
        (here(changed_ns=8), base(3, 7), None),
        (here(changed_ns=7, is_newest=False), base(3, 7), LocalStanding.CHANGED),
    ],
)
def test_a_mark_says_what_is_known_and_no_more(found, before, mark):
    assert compare(THERE, found, before) is mark


class File:
    """As much of one as a listing's notes take."""

    def __init__(self, number: int) -> None:
        self.id, self.path = number.to_bytes(16), f"folder/{number}"
        self.version = self
        self.number, self.size, self.digest = 1, 5, bytes([7]) * 64


def test_of_a_listing_the_last_files_are_kept_in_mind(monkeypatch):
    monkeypatch.setattr(comparison, "_KEPT_FILES", 3)
    opposite = Opposite()
    opposite.begin("folder")
    opposite.add([File(number) for number in range(5)])
    assert [opposite.find(str(number)) is not None for number in range(5)] == [False, False, True, True, True]
    assert opposite.find("4") == NewestThere((4).to_bytes(16), 1, 5, bytes([7]) * 32)
    opposite.begin("other")
    assert (opposite.folder, opposite.find("4")) == ("other", None)


def mark_of_line(run, name: str) -> str:
    """Give what stands before a name in the list of this computer."""
    (line,) = [line for line in run.lines() if line[1:].lstrip(" ✓↑↓!●").startswith(f"{name} ")][:1]
    return line[2]


@pytest.mark.every_run
async def test_a_file_that_was_got_is_marked_and_says_so_until_it_is_changed(tmp_path):
    async with driven(tmp_path, size=(120, 36)) as run:
        asked = []
        look = run.gateway._live.local.local_versions

        async def counted(wanted):
            asked.append(len(wanted))
            return await look(wanted)

        run.gateway._live.local.local_versions = counted
        run.put_cursor_on("welcome.txt")
        await run.press("c")
        await run.moved()
        assert mark_of_line(run, "welcome.txt") == "✓"
        assert mark_of_line(run, "notes.md") == " "
        await run.press("tab")
        run.put_cursor_on("welcome.txt")
        await run.quiet()
        assert run.standing() == "welcome.txt: 23 B, the same bytes as the server's newest version"
        # Only what has its name there is looked at, once for each time that more may be known.
        assert set(asked) == {1}
        assert len(asked) <= 3
        local = run.app.local_folder / "welcome.txt"
        local.write_bytes(b"changed by me")
        os.utime(local, (run.service.now + 60,) * 2)
        run.files.local.read_anew()
        await run.quiet()
        assert mark_of_line(run, "welcome.txt") == "↑"
        assert run.standing() == "welcome.txt: 13 B, changed here since it was stored or got"


async def test_a_long_list_is_looked_at_line_by_line_in_sight(tmp_path):
    async with driven(tmp_path, size=(120, 36), bare=True) as run:
        folder = run.app.local_folder
        for number in range(1000):
            (folder / f"f{number:04}").touch()
        opposite = run.files.remote_side.opposite
        files = [File(number) for number in range(1000)]
        for file in files:
            file.path = f"f{file.path.rpartition('/')[2]:0>4}"
        opposite.add(files)
        asked = []

        async def counted(wanted):
            asked.extend(one.local for one in wanted)
            return [LocalVersion(0, 0, 0, is_newest=True)] * len(wanted)

        run.gateway._live.local.local_versions = counted
        run.files.local.read_anew()
        await run.quiet()
        assert 0 < len(asked) <= run.files.local.lines.size.height
        first = len(asked)
        await run.press("tab", "pagedown", "pagedown")
        assert first < len(asked) <= 2 * run.files.local.lines.size.height
        assert mark_of_line(run, "f0030") == "✓"
