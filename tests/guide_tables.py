"""The tables of the operator's reference, out of the code; ``python -m tests.guide_tables`` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sft import errors, limits
from sft.errors import SftError

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference.md"
_SOURCE = (ROOT / "sft/limits.py").read_text("utf-8")


def _below(kind: type[SftError]) -> Iterator[type[SftError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def codes() -> list[str]:
    """Return the rows of all errors: code, exit status, sentence; by code."""
    every = {each.code: each for each in _below(SftError) if "code" in vars(each) and hasattr(errors, each.__name__)}
    return [
        f"| `{code}` | {each.exit_status} | {each.sentence.replace('|', chr(92) + '|')} |"
        for code, each in sorted(every.items())
    ]


def bounds() -> list[str]:
    """Return the rows of all limits: name, value; as they stand in the module."""
    names = re.findall(r"^([A-Z][A-Z0-9_]*): Final = ", _SOURCE, re.MULTILINE)
    return [
        f"| `{name}` | {_said(name, getattr(limits, name))} |"
        for name in names
        if name not in {"KIB", "MIB", "GIB", "DAY_SECONDS"}
    ]


def _said(name: str, value: object) -> str:
    if isinstance(value, int) and "BYTES" in name:
        for unit, size in (("GiB", limits.GIB), ("MiB", limits.MIB), ("KiB", limits.KIB)):
            if value >= size and value % size == 0:
                return f"{value // size:,} {unit}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def renew() -> None:
    """Put the tables into the page, in place of those that stand there."""
    text = REFERENCE.read_text("utf-8")
    for heading, rows in (("Codes of errors", codes()), ("Limits", bounds())):
        before, found, rest = text.partition(f"## {heading}\n")
        about, line, _ = rest.partition("|---|")
        ends = line + rest.partition("|---|")[2].split("\n", 1)[0]
        after = rest.partition("\n## ")
        text = f"{before}{found}{about}{ends}\n" + "\n".join(rows) + "\n" + (f"\n## {after[2]}" if after[1] else "")
    REFERENCE.write_text(text, "utf-8")


if __name__ == "__main__":
    renew()
