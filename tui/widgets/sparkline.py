"""A series of numbers as a line of bars, one column each: pure.

Rules. The newest stands at the right. Where there are more numbers than columns, a column shows the highest of its numbers, so
that no peak is lost; where there are fewer, the line begins further right. Zero alone is flat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_FINE: Final = "▁▂▃▄▅▆▇█"
_PLAIN: Final = "_.:-=+*#"


def buckets(numbers: Sequence[int], columns: int) -> list[int]:
    """Return the highest number of each column; no more than there are numbers."""
    if columns <= 0:
        return []
    each = max(math.ceil(len(numbers) / columns), 1)
    newest_first = list(reversed(numbers))
    return [max(newest_first[at : at + each]) for at in range(0, len(numbers), each)][::-1]


def sparkline(numbers: Sequence[int], columns: int, *, plain: bool = False) -> str:
    """Draw numbers from 0 on in so many columns; the highest of them has the highest bar."""
    signs = _PLAIN if plain else _FINE
    highs = buckets(numbers, columns)
    most = max(highs, default=0)
    levels = len(signs) - 1
    bars = (signs[math.ceil(high * levels / most) if high else 0] for high in highs)
    return "".join(bars).rjust(max(columns, 0))
