"""What operator commands print: tables for people, one JSON document for scripts; everything of a peer escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from sft.model.names import safe


def print_json(document: object) -> None:
    """Print one JSON document."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns on a terminal, TAB-separated fields without a head elsewhere."""
    texts = [[safe(str(cell)) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in texts:
            print("\t".join(row))
        return
    widths = [max(len(cell) for cell in column) for column in zip(head, *texts, strict=True)]
    for row in [list(head), *texts]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
