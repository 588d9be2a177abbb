"""How well a color is read on its grounds, with all colors of a terminal or with few; and the nearest one that is.

Rules. Colors are ``#rrggbb``. A terminal of 256 colors takes the nearest of its own, and one of 16 likewise: what is to be read
is to be read there too. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from rich.color import Color, ColorSystem

TEXT: Final = 4.5  # WCAG 2.2, 1.4.3
LARGE: Final = 3.0  # 1.4.3 for bold, 1.4.11 for signs
_STEPS: Final = 25
_MOST_OFF: Final = 48.0  # of 441: farther off a dark grey has become navy


@lru_cache(maxsize=4096)
def channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def of_channels(red: float, green: float, blue: float) -> str:
    return f"#{round(red):02x}{round(green):02x}{round(blue):02x}"


def mixed(one: str, other: str, part: float) -> str:
    """Return a color with a part, 0 to 1, of another one in it."""
    pairs = zip(channels(one), channels(other), strict=True)
    return of_channels(*(a + (b - a) * part for a, b in pairs))


@lru_cache(maxsize=4096)
def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    scaled = (channel / 255 for channel in channels(color))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in scaled)  # noqa: PLR2004 - sRGB
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return their contrast, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=4096)
def of_256(color: str) -> str:
    """Return what a terminal of 256 colors shows."""
    return str(Color.parse(color).downgrade(ColorSystem.EIGHT_BIT).get_truecolor().hex)


@lru_cache(maxsize=4096)
def of_16(color: str) -> int:
    """Return the number of what a terminal of 16 colors shows."""
    return Color.parse(color).downgrade(ColorSystem.STANDARD).number or 0


def is_read_on(color: str, grounds: Sequence[str], few: float = TEXT) -> bool:
    """Return whether a text of this color is read on all of these grounds, whatever colors a terminal has.

    Args:
        few: what it is to have where there are 256.
    """
    return all(
        contrast(color, ground) >= TEXT
        and contrast(of_256(color), of_256(ground)) >= few
        and of_16(color) != of_16(ground)
        for ground in grounds
    )


def stays_itself(color: str) -> bool:
    """Return whether 256 colors have something near to it."""
    pairs = zip(channels(color), channels(of_256(color)), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) <= _MOST_OFF**2


def towards(color: str, end: str) -> Iterator[str]:
    """Return the colors on the way to another one, itself first."""
    return (mixed(color, end, step / _STEPS) for step in range(_STEPS + 1))


def nearest(color: str, fits: Callable[[str], bool], *, dark: bool) -> str:
    """Return the first color that fits on the way to white on dark grounds, to black on light ones; else that one."""
    end = "#ffffff" if dark else "#000000"
    return next((found for found in towards(color, end) if fits(found)), end)
