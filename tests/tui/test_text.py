from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from sft.errors import RoleForbidsError
from sft.model.text import age_text
from tui.text import cut, cut_name, cut_path, error_text, name_text, shown, size_cell

NOW = 1_777_822_271.0
DAY = 24 * 3600


@given(st.text(), st.integers(0, 40))
def test_nothing_that_is_cut_is_wider_than_its_room(text, cells):
    harmless = shown(text)
    for cutter in (cut, cut_name, cut_path):
        assert cell_len(cutter(harmless, cells)) <= max(cells, 0), cutter


@given(st.text())
def test_what_is_shown_moves_and_hides_nothing(text):
    harmless = shown(text)
    assert not any(ord(c) < 32 or c in "\u202e\u200b\u2066\x7f\x9b" for c in harmless)


@given(st.text(alphabet="ab\u0300\u0301", max_size=60))
def test_marks_never_pile_up(text):
    run = 0
    for character in shown(text):
        run = run + 1 if character in "\u0300\u0301" else 0
        assert run <= 4


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("budget.xlsx", 20, "budget.xlsx"),
        ("minutes of the annual meeting.pdf", 20, "minutes of…eting.pdf"),
        ("scan-000777.tif", 14, "scan-00…77.tif"),
        ("x" * 40, 10, "xxxxx…xxxx"),
        ("a\\u{202e}b.txt", 12, "a…b.txt"),
    ],
)
def test_a_cut_name_keeps_its_ending_and_no_half_of_an_escape(name, cells, expected):
    assert cut_name(name, cells) == expected


def test_what_is_odd_stands_reversed():
    text = name_text("gpj.\u202eexe")
    assert text.plain == "gpj.\\u{202e}exe"
    assert [(span.start, span.end, span.style) for span in text.spans] == [(4, 12, "reverse")]


def test_markup_is_only_text():
    assert name_text("[@click=app.quit]x[/]").plain == "[@click=app.quit]x[/]"


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (5, "now"), (-60, "now"), (90, "1 min"), (3 * 3600, "3 h"), (2 * DAY, "2 d"),
        (33 * DAY, "31 Mar"), (428 * DAY, "Mar 2025"),
    ],
)  # fmt: skip
def test_ages(ago, said):
    assert age_text(NOW - ago, NOW) == said


@pytest.mark.parametrize("size", [0, 1, 999, 1023, 1024, 10_239, 1_047_552, 2**20 * 1023, 2**46, 2**60])
def test_a_size_fits_seven_columns(size):
    assert len(size_cell(size)) <= 7


def test_a_step_names_who_can_help_and_does_without_where_the_server_names_nobody():
    values = {"role": "guest", "act": "store files", "name": "gus", "needed": "maintainer"}
    error = RoleForbidsError(**values, admins="ada, eva")
    assert error_text(error, NOW)[1] == "An admin can change your role: ada, eva"
