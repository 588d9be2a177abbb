"""What is drawn can be read: contrast in both themes, sixteen colors, and a sign for whatever a color says."""

from __future__ import annotations

import dataclasses

import pytest
from rich.color import Color, ColorSystem
from rich.segment import Segment
from textual.theme import BUILTIN_THEMES, Theme

from tests.tui.scenes import staged
from tui.glyphs import FINE, PLAIN, Glyphs
from tui.themes import known_name, theme_named, theme_names
from tui.themes.contrast import LARGE, contrast, is_read_on, mixed, nearest, of_16, of_256, stays_itself
from tui.themes.derived import derived, qualifies
from tui.themes.roles import DARK, LIGHT

TEXT = 4.5  # WCAG 2.2, 1.4.3
THEMES = (DARK, LIGHT)
ALL = [theme_named(name) for name in theme_names()]
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


def test_contrast_is_what_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


# -- the themes ---------------------------------------------------------------------------------------------


def pairs_of() -> list[tuple[str, str]]:
    """Each kind of text with each ground that it stands on."""
    pairs = [(word, ground) for word in WORDS for ground in GROUNDS]
    pairs += [("on-accent", "accent"), ("on-accent", "bad"), ("chosen", "background")]
    return [*pairs, ("foreground", "line"), ("foreground", "field-focus"), ("quiet", "field-focus")]


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_every_kind_of_text_is_readable_on_every_ground(theme):
    named, pairs = colors(theme), pairs_of()
    too_faint = {pair: round(contrast(named[pair[0]], named[pair[1]]), 2) for pair in pairs}
    assert {pair: found for pair, found in too_faint.items() if found < TEXT} == {}


@pytest.mark.parametrize("theme", ALL, ids=lambda theme: theme.name)
def test_few_colors_leave_every_kind_of_text_readable(theme):
    named = colors(theme)
    few = {name: of_256(color) for name, color in named.items()}
    found = {pair: round(contrast(few[pair[0]], few[pair[1]]), 2) for pair in pairs_of()}
    pale = {pair: value for pair, value in found.items() if value < (TEXT if pair[0] == "foreground" else LARGE)}
    assert pale == {}
    same = {pair for pair in pairs_of() if of_16(named[pair[0]]) == of_16(named[pair[1]])}
    assert same - ({("foreground", "line")} if theme not in THEMES else set()) == set()
    # A dark grey with a little blue in it would be navy.
    assert stays_itself(named["foreground"])
    assert stays_itself(named["quiet"])


def test_all_themes_name_the_same_roles():
    assert {frozenset(theme.variables) for theme in ALL} == {frozenset(DARK.variables)}


def test_the_toolkits_themes_are_offered_but_for_those_of_unknown_colors():
    names = set(theme_names())
    assert {"nord", "gruvbox", "catppuccin-mocha", "catppuccin-latte", "dracula", "solarized-light"} < names
    assert {name for name in BUILTIN_THEMES if name not in names} == {"ansi-dark", "ansi-light"}
    with pytest.raises(ValueError, match="ansi-dark"):
        derived(BUILTIN_THEMES["ansi-dark"])
    assert not qualifies(Theme("half", primary="#102030", error="ansi_red"))
    assert [known_name(name) for name in ("light", "sft-dark", "nord", "ansi-dark", "")] == [
        "sft-light", "sft-dark", "nord", None, None,
    ]  # fmt: skip


def test_a_theme_keeps_its_colors_where_they_can_be_read():
    nord = theme_named("nord")
    assert (nord.background, nord.accent, nord.success, nord.warning) == ("#2e3440", "#88c0d0", "#a3be8c", "#eacb8b")
    assert nord.error != "#be616a"  # 2.9 to 1 on its own ground
    assert contrast(nord.error or "", "#2e3440") >= TEXT


def test_what_is_the_nearest_color_is_on_the_way_to_white_or_black():
    grounds = ("#101010", "#303030")
    assert nearest("#ffffff", lambda color: is_read_on(color, grounds), dark=True) == "#ffffff"
    found = nearest("#803030", lambda color: is_read_on(color, grounds), dark=True)
    assert is_read_on(found, grounds)
    before = mixed("#803030", "#ffffff", 1 / 25)
    assert not is_read_on(before, grounds)
    assert nearest("#803030", lambda _: False, dark=False) == "#000000"


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


@pytest.mark.parametrize("scene", SCENES)
async def test_every_word_that_is_drawn_is_readable_in_both_themes(scene, tmp_path):
    async with staged(scene, (120, 36), here=tmp_path) as pilot:
        app = pilot.app
        for theme in THEMES:
            app.use_theme(theme.name)
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
