"""The shapes that ``sft/cli/JSON.md`` declares, and whether a document has one of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "sft" / "cli" / "JSON.md"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DIGEST = re.compile(r"blake2b512:[0-9a-f]{128}")
_PLAIN = {
    "text": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "time": lambda value: isinstance(value, str) and bool(_TIME.fullmatch(value)),
    "digest": lambda value: isinstance(value, str) and bool(_DIGEST.fullmatch(value)),
    "null": lambda value: value is None,
}


@cache
def commands() -> dict[str, str]:
    """Return the type of each command's document."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {command: kind.strip() for command, kind in rows}


@cache
def shapes() -> dict[str, dict[str, str]]:
    """Return the fields of each shape, and the type of each field."""
    found: dict[str, dict[str, str]] = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        name, _, text = section.partition("\n")
        rows = re.findall(r"^\| (\w+) \| ([^|]+) \|.*\|$", text, re.MULTILINE)
        fields = {field: kind.strip() for field, kind in rows if field not in {"field", "command"}}
        if fields:
            above = re.search(r"^Everything of (\w+),", text, re.MULTILINE)
            found[name] = {**(found[above[1]] if above else {}), **fields}
    return found


def faults(value: Any, kind: str, where: str = "document", used: set[str] | None = None) -> list[str]:
    """Return what is not as a type says; the shapes that were met are added to ``used``."""
    used = set() if used is None else used
    for choice in kind.split(" or "):
        if not _differs(value, choice, where, used):
            return []
    single = [choice for choice in kind.split(" or ") if choice != "null"]
    return _differs(value, single[0], where, used)


def _differs(value: Any, kind: str, where: str, used: set[str]) -> list[str]:
    if kind.startswith("list of "):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        inner = kind.removeprefix("list of ")
        return [fault for index, each in enumerate(value) for fault in faults(each, inner, f"{where}[{index}]", used)]
    if kind.startswith('"'):
        return [] if value == kind.strip('"') else [f"{where} is {value!r}, not {kind}"]
    if kind in _PLAIN:
        return [] if _PLAIN[kind](value) else [f"{where} is {value!r}, no {kind}"]
    fields = shapes()[kind]
    if not isinstance(value, dict):
        return [f"{where} is no {kind}"]
    used.add(kind)
    found = [f"{where} has {name}, which {kind} has not" for name in value.keys() - fields.keys()]
    found += [f"{where} lacks {name} of {kind}" for name in fields.keys() - value.keys()]
    for name in fields.keys() & value.keys():
        found += faults(value[name], fields[name], f"{where}.{name}", used)
    return found
