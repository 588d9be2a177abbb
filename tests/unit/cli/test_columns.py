from __future__ import annotations

import pytest

from sft.cli.columns import aligned, cells, cut


@pytest.mark.parametrize(
    "text, width", [("abc", 3), ("", 0), ("漢字", 4), ("Ａ", 2), ("e\u0301", 1), ("\x1b[32m✓\x1b[0m", 1), ("✓ ·", 3)]
)
def test_width_on_a_terminal(text, width):
    assert cells(text) == width


@pytest.mark.parametrize(
    "text, most, shown", [("short", 5, "short"), ("longer", 5, "long…"), ("漢字漢字", 5, "漢字…"), ("abc", 0, "")]
)
def test_cutting_says_that_it_cut(text, most, shown):
    assert cut(text, most) == shown


def test_columns_are_two_blanks_apart_and_lines_end_with_text():
    rows = [("a", "1", "x"), ("bbb", "22"), ("漢", "333", "z")]
    assert aligned(rows) == ["a    1    x", "bbb  22", "漢   333  z"]


def test_numbers_stand_at_the_right():
    assert aligned([("a", "1"), ("b", "22")], right=(1,)) == ["a   1", "b  22"]


def test_no_rows_no_lines():
    assert aligned([]) == []
