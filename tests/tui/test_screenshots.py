"""The pictures of the README: there, self-contained, and the same on each run."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.tui.screenshots import FOLDER, SHOTS, draw
from tests.tui.vector import self_contained

README = Path(__file__).parents[2] / "README.md"
MOST_BYTES = 80 * 1024


def test_the_readme_shows_every_picture_and_no_other():
    shown = set(re.findall(r"tui/screenshots/([\w-]+)\.svg", README.read_text(encoding="utf-8")))
    assert shown == {shot.name for shot in SHOTS}
    assert {path.stem for path in FOLDER.glob("*.svg")} == shown


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_a_picture_needs_nothing_else(shot):
    text = (FOLDER / f"{shot.name}.svg").read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert "@font-face" not in text
    assert "<script" not in text
    assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(([^)]*)\)", text)) <= {"#clip-terminal"}
    assert "/tmp" not in text
    ET.fromstring(text)  # noqa: S314 - our own


async def test_the_same_screen_gives_the_same_bytes():
    (shot,) = (shot for shot in SHOTS if shot.name == "files-light")  # with bars, paces and an age
    first = await draw(shot)
    assert await draw(shot) == first
    assert "212\xa0MiB/s" in first
    assert "terminal-" not in first


def test_edges_and_bars_become_lines_and_words_stay_words():
    cell = 'textLength="9" clip-path="url(#terminal-1-line-0)"'
    svg = (
        "<svg><style>.terminal-1-matrix { font-family: Fira Code, monospace; }\n"
        ".terminal-1-r1 { fill: #aabbcc }</style>"
        f'<g><g><text class="terminal-1-r1" x="0" y="20" {cell}>╭─&#160;a&amp;b&#160;&#160;━━╸│</text>'
        f'<text class="terminal-1-r1" x="134.2" y="44.4" {cell}>│</text></g>\n    </g></svg>'
    )
    drawn = self_contained(svg)
    assert re.findall(r"<text[^>]*>([^<]*)</text>", drawn) == ["a&amp;b"]
    assert '<text class="r1" x="36.6" y="20" textLength="36.6">' in drawn
    assert 'd="M12.2 13.7H' in drawn
    bar, upright = re.findall(r'<rect class="r1"[^>]*/>', drawn)[1:]
    assert 'width="30.5" height="3.6"' in bar
    assert 'height="48.8"' in upright  # two lines, one stroke
    ET.fromstring(drawn)  # noqa: S314 - our own
