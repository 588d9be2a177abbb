"""The columns of Activity: as wide as what stands in them, so that paths have the rest, and no title cut at its beginning."""

from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven
from tui.screens.activity_rows import place_columns
from tui.widgets.rows import ListRow


def row(**cells: str) -> ListRow[None]:
    said = {"number": "231", "time": "29 Nov 23:33", "who": "gus", "what": "downloaded", "path": "/a", "grade": ""}
    return ListRow("1", None, said | cells)


def widths(width: int, *rows: ListRow[None]) -> dict[str, int]:
    return {column.key: cells for column, cells in place_columns(width, rows)}


@pytest.mark.parametrize("width", [76, 116])
def test_a_column_takes_what_its_texts_need_and_paths_the_rest(width):
    one = widths(width, row())
    assert (one["number"], one["who"], one["what"]) == (3, 3, 10)
    assert "grade" not in one
    assert widths(width, row(grade="sent"))["path"] == one["path"] - 4 - (2 if width > 100 else 1)
    long = widths(width, row(who="w" * 40, what="x" * 60, grade="y" * 60))
    assert long["path"] >= (24 if width > 100 else 18)


def test_a_path_beside_a_download_keeps_its_name():
    assert widths(76, row(what="downloaded", grade="✓ gus"))["path"] >= 36
    assert widths(116, row(time="Sun 29 Nov 23:33", grade="sent; no receipt"))["path"] >= 55


async def test_what_was_verified_says_so_and_the_titles_stand_whole(tmp_path):
    async with driven(tmp_path, "ada") as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        await run.press("v")
        await run.moved()
        await run.press("4")
        assert "what it was done to" in run.screen()
        assert "ada verified" in " ".join(run.screen().split())
        assert "verified what" not in run.screen()
