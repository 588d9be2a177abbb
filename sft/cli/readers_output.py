"""Who has a file, in words: what they signed to have, what was sent, and who has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.cli.columns import aligned
from sft.model.records import FileReader, UserState
from sft.model.text import count_text, shown_name

_MOST_READERS: Final = 20
_MOST_NAMES: Final = 5
_LEAVES_NO_TRACE: Final = "The operator's own reading of the disk leaves no trace here."


def reader_lines(readers: Sequence[FileReader]) -> list[str]:
    """Say who has which version, those who verified it first, and who has none: the first of them, and how many more."""
    having = sorted(
        (each for each in readers if each.version), key=lambda each: (each.received_leaf is None, -each.version)
    )
    rows = [_row(each) for each in having[:_MOST_READERS]]
    lines = aligned(rows)
    if len(having) > _MOST_READERS:
        lines.append(f"and {count_text(len(having) - _MOST_READERS)} more; --json names all")
    return [*lines, *without_line(readers), _LEAVES_NO_TRACE]


def without_line(readers: Sequence[FileReader]) -> list[str]:
    """Say who has no version: the first of them, and how many; nothing where everybody has one."""
    without = [each for each in readers if not each.version and each.state is UserState.ACTIVE]
    if not without:
        return []
    names = ", ".join(shown_name(each.name) for each in without[:_MOST_NAMES])
    more = ", …" if len(without) > _MOST_NAMES else ""
    return [f"not yet: {names}{more} ({count_text(len(without))})"]


def _row(reader: FileReader) -> list[str]:
    leaf, name = reader.received_leaf, shown_name(reader.name)
    if leaf is None:
        return [count_text(reader.begun_leaf or 0), name, f"v{reader.version}", "sent, no receipt"]
    return [count_text(leaf), name, f"v{reader.version}", f"verified by {name}"]
