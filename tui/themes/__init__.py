"""The themes that are offered: our own two, and those of the toolkit whose colors are known, with our roles.

Rules. Each has the same roles (``tui.themes.roles``). One is made when it is first asked for: a start needs one of them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from textual.theme import BUILTIN_THEMES, Theme

from tui.themes.derived import derived, qualifies
from tui.themes.roles import DARK, LIGHT

_OWN: Final = {theme.name: theme for theme in (DARK, LIGHT)}
_SHORT: Final = {"dark": DARK.name, "light": LIGHT.name}  # as people write them


@cache
def theme_names() -> tuple[str, ...]:
    """Return the names of all that are offered, our own first."""
    return (*_OWN, *(theme.name for theme in BUILTIN_THEMES.values() if qualifies(theme)))


def known_name(name: str) -> str | None:
    """Return the name of a theme as a person wrote it; None if none is called so."""
    full = _SHORT.get(name, name)
    return full if full in theme_names() else None


@cache
def theme_named(name: str) -> Theme:
    """Return a theme that is offered, with our roles; KeyError for any other."""
    return _OWN.get(name) or derived(BUILTIN_THEMES[name])
