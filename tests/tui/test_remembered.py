"""Files begins as it was left with an account; what is damaged is as if nothing were remembered."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.fakes.acme import acme
from tests.tui.ui_driver import driven
from tui.panes.paging import Sorting, SortOrder
from tui.remembered import Remembered, decoded, encoded, file_of, order_of, sorting_of

LEFT = Remembered(
    here="/data/reports", there="finance/2026", sort_here=(SortOrder.SIZE, True), details=True, zoomed=True
)


def test_it_comes_out_as_it_went_in_and_as_the_page_says():
    assert decoded(encoded(LEFT)) == LEFT
    assert json.loads(encoded(LEFT)) == {
        "here": "/data/reports", "there": "finance/2026", "sort_here": ["size", True], "details": True, "zoomed": True,
    }  # fmt: skip
    assert sorting_of(order_of(Sorting(SortOrder.DATE, turned=True))) == Sorting(SortOrder.DATE, turned=True)


@pytest.mark.parametrize(
    "data",
    [
        None, b"", b"{", b"[]", b"\xff", b'{"there": "../x"}', b'{"there": "/a"}', b'{"details": 3}', b'{"format": 2}',
        b'{"sort_here": ["colour", true]}', b'{"here": 7}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_understood_is_as_if_nothing_were_remembered(data):
    assert decoded(data) == Remembered()


def test_damage_is_never_an_error():
    rng = random.Random(11)
    for _ in range(2_000):
        data = bytearray(encoded(LEFT))
        data[rng.randrange(len(data))] = rng.randrange(256)
        decoded(bytes(data))


def test_a_folder_whose_name_is_no_text_is_left_out():
    assert decoded(encoded(Remembered(here="/a/\udcff", zoomed=True))) == Remembered(zoomed=True)
    assert file_of("acme") != file_of("acme2")
    assert "/" not in file_of("../\udcff")


@pytest.mark.every_run
async def test_the_next_start_begins_where_the_last_one_was_left(tmp_path, monkeypatch):
    service = acme()
    left = {}
    for number in "123":
        (tmp_path / number).mkdir()

    def again(gateway):
        for name, data in left.items():
            gateway.saved[name] = data

    async with driven(tmp_path / "1", service=service) as ui:
        await ui.go("finance/2026")
        await ui.press("o", "z")
        await ui.later(2)
        name = file_of(ui.gateway.connection.account)
        left[name] = ui.gateway.saved[name]
        assert decoded(left[name]).there == "finance/2026"
    async with driven(tmp_path / "2", service=acme(), prepare=again) as ui:
        assert ui.files.remote_side.path == "finance/2026"
        assert "size↓" in ui.text("#remote")
        assert ui.files.wishes.zoomed
        assert ui.files.local_side.path == tmp_path / "2" / "reports"
    left[name] = encoded(Remembered(there="finance/none", here=str(tmp_path)))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "3" / "reports")
    async with driven(tmp_path / "3", service=acme(), prepare=again) as ui:
        assert ui.files.remote_side.path == "finance"
        assert ui.said() == ""
        assert ui.files.local_side.path == tmp_path


@pytest.mark.every_run
async def test_an_app_that_ends_notes_nothing_late(tmp_path):
    async with driven(tmp_path, service=acme()) as ui:
        await ui.go("finance")
        kept = file_of(ui.gateway.connection.account)
        await ui.app._close_all()  # as at its end, whose other parts may take longer than the rest that is waited for
        await ui.later(2)
        with pytest.raises(FileNotFoundError):
            _ = ui.gateway.saved[kept]
