"""A QR code as it is drawn: every module is where the library has it, dark on light, with a margin."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.widgets.qr_code import MARGIN, STYLE, code_text, lines_of, matrix_of

LINK = "sft://files.acme.org:7361/i#" + "aB3-_" * 44  # as long as one that names server, person and head
# A finder pattern: ISO/IEC 18004, 6.3.3.
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


def read(lines: list[str]) -> list[str]:
    """Read modules off a drawing, as a camera sees it: the upper and the lower half of each cell."""
    halves = {" ": "00", "▀": "10", "▄": "01", "█": "11"}
    rows = []
    for line in lines:
        rows += ["".join(halves[cell][half] for cell in line) for half in (0, 1)]
    return rows


@pytest.mark.parametrize("text", ["a", LINK, LINK * 2, "sft://[::1]:7361/i#é"])
def test_every_module_that_is_drawn_is_the_librarys_and_a_light_margin_is_around(text):
    matrix = matrix_of(text)
    side, rows = len(matrix), read(lines_of(matrix))
    drawn = [row[MARGIN : MARGIN + side] for row in rows[MARGIN : MARGIN + side]]
    assert drawn == ["".join(map(str, row)) for row in matrix]
    around = [*rows[:MARGIN], *rows[MARGIN + side :]]
    around += [row[:MARGIN] + row[MARGIN + side :] for row in rows]
    assert {module for row in around for module in row} == {"0"}
    for top, left in ((0, 0), (0, side - 7), (side - 7, 0)):
        assert [row[left : left + 7] for row in drawn[top : top + 7]] == FINDER


def test_it_is_dark_on_light_and_each_line_is_as_wide_as_all():
    lines = lines_of(matrix_of(LINK))
    assert len({cell_len(line) for line in lines}) == 1
    assert (STYLE.color.get_truecolor().hex, STYLE.bgcolor.get_truecolor().hex) == ("#000000", "#ffffff")
    assert code_text(lines).style == STYLE


def test_an_invitation_fits_into_thirty_three_lines():
    lines = lines_of(matrix_of(LINK))
    assert (len(lines[0]), len(lines)) == (61, 31)
