"""What is drawn can be read: contrast in both themes, sixteen colors, and a sign for whatever a color says."""

from __future__ import annotations

import dataclasses

import pytest
from rich.color import Color, ColorSystem
from rich.segment import Segment
from textual.theme import Theme

from tests.tui.scenes import staged
from tui.glyphs import FINE, PLAIN, Glyphs
from tui.themes import DARK, LIGHT, THEMES

TEXT, MARK = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
WORDS = ("foreground", "quiet", "accent", "good", "doubt", "bad", "second")
GROUNDS = ("background", "surface", "panel", "field")
SCENES = (
    "files-selected",
    "files-transfers",
    "queue",
    "palette",
    "people-admin",
    "join-filled",
    "stop",
    "unlock-wrong",
)


def colors(theme: Theme) -> dict[str, str]:
    own = {name: getattr(theme, name) for name in ("foreground", "background", "surface", "panel")}
    return {**own, "accent": theme.accent, **theme.variables}


def luminance(color: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_what_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# -- the themes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_kind_of_text_is_readable_on_every_ground(theme):
    named = colors(theme)
    pairs = [(word, ground) for word in WORDS for ground in GROUNDS]
    pairs += [("on-accent", "accent"), ("on-accent", "bad"), ("chosen", "background")]
    pairs += [("foreground", "line"), ("foreground", "field-focus"), ("quiet", "field-focus")]
    too_faint = {pair: round(contrast(named[pair[0]], named[pair[1]]), 2) for pair in pairs}
    assert {pair: found for pair, found in too_faint.items() if found < TEXT} == {}


def test_both_themes_name_the_same_roles():
    assert DARK.variables.keys() == LIGHT.variables.keys()


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_sixteen_colors_keep_text_and_focus_apart_from_their_ground(theme):
    few = {name: Color.parse(color).downgrade(ColorSystem.STANDARD).number for name, color in colors(theme).items()}
    grounds = {few[ground] for ground in GROUNDS}
    assert not grounds & {few[word] for word in (*WORDS, "chosen")}
    assert few["accent"] not in grounds
    assert few["on-accent"] not in {few["accent"], few["bad"]}
    assert few["line"] not in {few["background"], few["foreground"]}


@pytest.mark.parametrize("glyphs", [FINE, PLAIN], ids=["fine", "plain"])
def test_no_two_meanings_share_a_sign(glyphs: Glyphs):
    states = (glyphs.verified, glyphs.signed, glyphs.doubt, glyphs.unknown, glyphs.bad)
    jobs = (glyphs.up, glyphs.down, glyphs.paused, glyphs.doubt, glyphs.bad, glyphs.verified)
    people = (glyphs.online, glyphs.away, glyphs.disabled, glyphs.doubt)
    for together in (states, jobs, people):
        assert len(set(together)) == len(together)
    if glyphs.plain:
        signs = "".join(str(value) for value in dataclasses.astuple(glyphs)[1:])
        assert signs.isascii()


# -- what is drawn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", [SCENES[0], *(pytest.param(scene, marks=pytest.mark.long) for scene in SCENES[1:])])
async def test_every_word_that_is_drawn_is_readable_in_both_themes(scene, tmp_path):
    async with staged(scene, (120, 36), here=tmp_path) as pilot:
        app = pilot.app
        for theme in THEMES:
            app.theme = theme.name
            await pilot.pause()
            faint = set()
            for segment in _in_front(app.screen):
                faint |= _too_faint(segment)
            assert faint == set(), theme.name


def _in_front(screen) -> list[Segment]:
    """Give what is drawn of the dialog, or of the screen if none is open: what lies behind one is faint on purpose."""
    boxes = [screen.query(f"#{name}") for name in ("dialog", "palette", "help", "frame")]
    region = next(found.first().region for found in boxes if found)
    strips = screen._compositor.render_strips()[region.y : region.bottom]
    return [segment for strip in strips for segment in strip.crop(region.x, region.right)]


def _too_faint(segment: Segment) -> set[tuple[str, str, str, float]]:
    text, style = segment.text.strip(), segment.style
    if not any(character.isalnum() for character in text) or style is None:
        return set()
    ground, color = style.bgcolor, style.color
    if ground is None or color is None:
        return set()
    one, other = color.get_truecolor().hex, ground.get_truecolor().hex
    found = contrast(one, other)
    return {(text, one, other, round(found, 2))} if found < TEXT else set()
