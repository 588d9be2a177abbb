"""Our own two themes, dark and light, of the same roles; every role is told by a sign or a word as well.

Rules. Colors are named by what they mean and are opaque; text has a contrast of at least 4.5 to 1 on every ground that it
stands on, a mark of 3. What has the focus stays apart from its ground with sixteen colors too. Greys are such as a terminal of
256 colors has near by: what is a little blue there becomes navy.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme


def scrollbar(thumb: str, held: str, ground: str) -> dict[str, str]:
    """Color the toolkit's own scrollbars as our lists have them."""
    return {
        "scrollbar": thumb,
        "scrollbar-hover": held,
        "scrollbar-active": held,
        "scrollbar-background": ground,
        "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground,
        "scrollbar-corner-color": ground,
    }


DARK: Final = Theme(
    name="sft-dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#b197fc",
    accent="#6cb6ff",
    foreground="#d7dde6",
    background="#11151c",
    surface="#171c25",
    panel="#1e2530",
    success="#6fd08c",
    warning="#f0c05a",
    error="#ff7b72",
    variables={
        "line": "#2d3644",
        "field": "#2a2f38",
        "field-focus": "#1f3350",
        "quiet": "#8f9cb0",
        "good": "#6fd08c",
        "doubt": "#f0c05a",
        "bad": "#ff7b72",
        "second": "#b197fc",
        "chosen": "#ffd479",
        "on-accent": "#0b1017",
        "border": "#3b4657",
        **scrollbar("#2d3644", "#6cb6ff", "#11151c"),
    },
)
LIGHT: Final = Theme(
    name="sft-light",
    dark=False,
    primary="#0b5cad",
    secondary="#6b3fc0",
    accent="#0b5cad",
    foreground="#262626",
    background="#fbfbf9",
    surface="#f2f3f1",
    panel="#e8eae8",
    success="#166e30",
    warning="#8a5a00",
    error="#b42318",
    variables={
        "line": "#c6ccd4",
        "field": "#dfe3e7",
        "field-focus": "#d6e6f7",
        "quiet": "#566171",
        "good": "#166e30",
        "doubt": "#855600",
        "bad": "#b42318",
        "second": "#6b3fc0",
        "chosen": "#9a4a00",
        "on-accent": "#ffffff",
        "border": "#aab3bf",
        **scrollbar("#c6ccd4", "#0b5cad", "#fbfbf9"),
    },
)
