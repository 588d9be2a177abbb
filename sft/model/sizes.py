"""Sizes as people type them: ``50G``, ``1.5 TiB``, ``500`` bytes.

Rules. K is 1,024 bytes, M 1,024 of these, and so on, with or without ``iB`` or ``B``, in any case. What is shown, rounded, says
``sft.model.text.size_text``; here nothing is rounded.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from sft.limits import KIB

_UNITS: Final = "KMGTPE"
_SIZE: Final = re.compile(rf"([0-9]{{1,20}})(\.[0-9]{{1,6}})? ?([{_UNITS}]?)(?:i?B)?", re.IGNORECASE)
WHAT: Final = "a size, such as 500M, 50G or 2T"


def parse_size(text: str) -> int:
    """Return bytes; ValueError for what is no size, or no whole number of bytes."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not {WHAT}")
    whole, fraction, unit = found.groups()
    size = Decimal(whole + (fraction or "")) * KIB ** (_UNITS.index(unit.upper()) + 1 if unit else 0)
    if size != int(size):
        raise ValueError("not a whole number of bytes")
    return int(size)


def typed_size(size_bytes: int) -> str:
    """Write a size as it can be typed, to the byte: ``50G``, ``1500``."""
    unit = ""
    for each in _UNITS:
        if not size_bytes or size_bytes % KIB:
            break
        size_bytes, unit = size_bytes // KIB, each
    return f"{size_bytes}{unit}"
