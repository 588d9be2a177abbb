"""The toolkit's own themes with our roles: each color as near to the theme's as it can be read.

Rules. Pure: a theme is given, a theme is returned, and the same one each time. Text has 4.5 to 1 on every ground that it
stands on; with 256 colors the body has it too, and what is colored has 3; with 16 no text has the number of its ground. What
needs more than the theme has is moved towards white or black, no farther. Themes of a terminal's own colors do not qualify:
nobody knows those.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.theme import Theme

from tui.themes.contrast import LARGE, TEXT, is_read_on, mixed, nearest, of_16, stays_itself, towards
from tui.themes.roles import scrollbar

_SURFACE, _PANEL, _FIELD, _FIELD_FOCUS = 0.03, 0.06, 0.10, 0.16  # of the text's color, or of the accent's
_QUIET: Final = 0.35  # of the ground's
_LINE: Final = 0.18


def qualifies(theme: Theme) -> bool:
    """Return whether the colors of a theme are known."""
    return not any(color.startswith("ansi_") for color in _own(theme).values())


def derived(theme: Theme) -> Theme:
    """Return a theme of our roles; ValueError for one that does not qualify."""
    if not qualifies(theme):
        raise ValueError(theme.name)
    own, dark = _own(theme), theme.dark
    background = own["background"]
    # Not the theme's own: some are so far from its background that no color of it is read on both.
    surface, panel, field = (mixed(background, own["foreground"], part) for part in (_SURFACE, _PANEL, _FIELD))
    field_focus = mixed(background, own["primary"], _FIELD_FOCUS)
    grounds = (background, surface, panel, field)
    bodies = (*grounds, field_focus)
    foreground = nearest(own["foreground"], partial(_is_body, grounds=bodies, few=TEXT), dark=dark)
    faint = mixed(foreground, background, _QUIET)
    quiet = nearest(faint, partial(_is_body, grounds=bodies, few=LARGE), dark=dark)
    read = partial(is_read_on, grounds=grounds, few=LARGE)
    accent, good, doubt, bad, second, chosen = (
        nearest(own[name], read, dark=dark)
        for name in ("primary", "success", "warning", "error", "secondary", "accent")
    )
    line = _line(background, foreground)
    read_on_both = partial(is_read_on, grounds=(accent, bad), few=LARGE)
    on_accent = next(color for color in (background, foreground, "#000000", "#ffffff") if read_on_both(color))
    return Theme(
        name=theme.name,
        dark=dark,
        primary=accent,
        secondary=second,
        accent=accent,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        success=good,
        warning=doubt,
        error=bad,
        variables={
            "line": line,
            "field": field,
            "field-focus": field_focus,
            "quiet": quiet,
            "good": good,
            "doubt": doubt,
            "bad": bad,
            "second": second,
            "chosen": chosen,
            "on-accent": on_accent,
            "border": mixed(background, foreground, 2 * _LINE),
            **scrollbar(line, accent, background),
        },
    )


def _own(theme: Theme) -> dict[str, str]:
    """Return the colors that the theme has, or that the toolkit gives it where it has none."""
    made = theme.to_color_system().generate()
    names = ("primary", "secondary", "accent", "foreground", "background", "success", "warning", "error")
    return {name: made[name].split()[0].lower()[:7] if made[name].startswith("#") else made[name] for name in names}


def _is_body(color: str, grounds: tuple[str, ...], few: float) -> bool:
    return stays_itself(color) and is_read_on(color, grounds, few)


def _line(background: str, foreground: str) -> str:
    """Return the ground of what stands out a little, on which text is read; with 16 colors another one, if there is any."""
    steps = towards(mixed(background, foreground, _LINE / 2), foreground)
    found = [color for color in steps if is_read_on(foreground, (color,))]
    taken = {of_16(background), of_16(foreground)}
    return next((color for color in found if of_16(color) not in taken), found[0] if found else background)
