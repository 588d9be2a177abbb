"""The MAC of a row: the same for ever, and another for everything that differs."""

import json
import runpy
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto.row_mac import ROW_MAC_BYTES, SUM_MODULUS, RowMac, RowSum

FOLDER = Path(__file__).parents[2] / "vectors"
KEY = bytes(range(32))
SERVER_ID = bytes(range(32, 64))
VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.binary()


class Color(StrEnum):
    RED = "red"


def test_the_code_makes_the_committed_vectors() -> None:
    build = runpy.run_path(str(FOLDER / "generate_row_mac.py"))["build"]
    assert build() == json.loads((FOLDER / "row_mac.json").read_text("utf-8"))


def test_rows_that_differ_in_anything_have_other_macs() -> None:
    rows: list[tuple[Any, ...]] = [
        (1, "a", b"b"),
        (1, b"a", b"b"),
        (1, "a", "b"),
        ("1", "a", b"b"),
        (1, "ab", b""),
        (1, "", b"ab"),
        (1, None, b"b"),
        (1, "", b"b"),
        (1, 0, b"b"),
        (1, "a", None),
        (None, None, None),
        (0, None, None),
        ("", None, None),
        (b"", None, None),
        (None, 0, None),
        (1,),
        (1, 1),
        (11,),
        (-1,),
        (2**63 - 1,),
        (-(2**63),),
    ]
    mac = RowMac(KEY, SERVER_ID, "users")
    marks = [mac.make(row) for row in rows]
    assert len(set(marks)) == len(marks)
    assert {len(mark) for mark in marks} == {ROW_MAC_BYTES}


@given(st.lists(VALUES, min_size=1, max_size=4), st.lists(VALUES, min_size=1, max_size=4))
def test_equal_marks_mean_equal_rows(one: list[Any], other: list[Any]) -> None:
    width = max(len(one), len(other))
    padded = [[*row, *[None] * (width - len(row))] for row in (one, other)]
    mac = RowMac(KEY, SERVER_ID, "users")
    same = [(type(v), v) for v in padded[0]] == [(type(v), v) for v in padded[1]]
    assert (mac.make(one) == mac.make(other)) is same


def test_key_server_and_table_belong_to_the_mark() -> None:
    macs = [
        RowMac(KEY, SERVER_ID, "users"),
        RowMac(KEY, SERVER_ID, "user"),
        RowMac(KEY, SERVER_ID, "keys"),
        RowMac(bytes(32), SERVER_ID, "users"),
        RowMac(KEY, bytes(32), "users"),
    ]
    for one, other in combinations(macs, 2):
        assert not one.holds((1, "s"), other.make((1, "s")))


def test_a_column_that_comes_later_and_is_empty_changes_no_mark() -> None:
    mac = RowMac(KEY, SERVER_ID, "users")
    assert mac.holds((1, "a", None, None), mac.make((1, "a")))
    assert not mac.holds((1, None, "a"), mac.make((1, "a")))


def test_a_mark_holds_for_its_row_alone() -> None:
    mac = RowMac(KEY, SERVER_ID, "users")
    mark = mac.make((1, "a"))
    assert mac.holds((1, "a"), mark)
    assert not mac.holds((2, "a"), mark)
    for strange in (None, "", 0, b"", mark[:-1], mark + b"\0", mark.hex(), bytes([mark[0] ^ 1]) + mark[1:]):
        assert not mac.holds((1, "a"), strange)


@pytest.mark.parametrize("value", [1.0, True, [1], "\udcff", 2**64])
def test_what_no_row_holds_is_refused(value: object) -> None:
    mac = RowMac(KEY, SERVER_ID, "users")
    assert not mac.holds((value,), mac.make((1,)))  # type: ignore[arg-type]
    with pytest.raises((TypeError, UnicodeEncodeError, OverflowError)):
        mac.make((value,))  # type: ignore[arg-type]


def test_a_member_of_an_enumeration_is_its_text() -> None:
    mac = RowMac(KEY, SERVER_ID, "users")
    assert mac.make((Color.RED,)) == mac.make(("red",))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_row_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        RowMac(bytes(length), SERVER_ID, "users")


def test_a_sum_is_that_of_its_marks_in_whatever_order() -> None:
    marks = [bytes([n]) * ROW_MAC_BYTES for n in range(5)]
    row_sum = RowSum(KEY)
    assert row_sum.total(marks) == row_sum.total(reversed(marks))
    assert row_sum.total([]) == 0
    assert (row_sum.total(marks[:2]) + row_sum.total(marks[2:])) % SUM_MODULUS == row_sum.total(marks)
    assert len({row_sum.total(marks[:n]) for n in range(6)}) == 6


def test_what_a_mark_adds_is_known_to_the_holder_of_the_key_alone() -> None:
    mark = bytes(ROW_MAC_BYTES)
    assert RowSum(KEY).term(mark) not in (0, int.from_bytes(mark, "big"), RowSum(bytes(32)).term(mark))
