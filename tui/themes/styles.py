"""Styles of what widgets draw themselves: each theme has the same, by names of what they mean.

Rules. They lie over the ground of the widget. The accent belongs to the focus: cursor, frame and title of what has it, and what
a dialog does on enter; nothing else has that color. One table serves all: a style of the toolkit's rules would be found anew
for each widget that is mounted, a fifth of the time that it takes to show a screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from rich.style import Style

from tui.themes import theme_named

_WORDS: Final = {
    "plain": "{foreground}",
    "strong": "bold",
    "title": "bold {foreground}",
    "muted": "{quiet}",
    "heading": "bold {quiet}",
    "good": "{good}",
    "doubt": "{doubt}",
    "bad": "bold {bad}",
    "alarm": "bold reverse {bad}",
    "second": "{second}",
    "accent": "bold {accent}",
    "key": "bold {foreground}",
    "bar": "{second}",
    "track": "{border}",
    "selected": "bold {chosen}",
    "cursor": "bold {on-accent} on {accent}",
    "outline": "{quiet}",
    "tab": "bold {foreground} on {line}",
}


@cache
def styles_of(theme: str) -> Mapping[str, Style]:
    """Return the styles of a theme, by its name; KeyError if it is not offered."""
    found = theme_named(theme)
    colors = {"foreground": str(found.foreground), "accent": str(found.accent), **found.variables}
    return {name: Style.parse(words.format_map(colors)) for name, words in _WORDS.items()}
