"""What a terminal pastes where files are dropped on it: paths in the quoting of a shell, or ``file://``, one a line or several.

Rules. Whole paths of what is there alone: whatever else is pasted is no offer, and why is said. A line is first taken as it
stands, for some terminals quote nothing. Nothing is read but whether it is there.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from tui.text import shown

_MOST_LETTERS: Final = 64 * 1024
_MOST_PATHS: Final = 1000
_NAMED_LETTERS: Final = 60
_NO_PATH: Final = (
    "What was pasted is no path of this computer. A file that is dropped on the window is offered to be stored."
)


@dataclass(frozen=True, slots=True)
class PastedPaths:
    """Paths of this computer, or in harmless words why there are none."""

    paths: tuple[str, ...] = ()
    problem: str = ""


def pasted_paths(text: str, is_there: Callable[[str], bool]) -> PastedPaths:
    """Read what was pasted.

    Args:
        is_there: whether a path names something of this computer; it may block.
    """
    lines = [line.strip() for line in text[:_MOST_LETTERS].splitlines() if line.strip()]
    found: dict[str, None] = {}
    for line in lines:
        for path in _paths_of(line, is_there):
            if not path.startswith("/") or "\0" in path:
                return PastedPaths(problem=_NO_PATH)
            if not is_there(path):
                short = path if len(path) <= _NAMED_LETTERS else f"…{path[-_NAMED_LETTERS:]}"
                return PastedPaths(problem=f"There is no {shown(short)} on this computer.")
            found[path.rstrip("/") or "/"] = None
    if not found:
        return PastedPaths(problem=_NO_PATH)
    if len(text) > _MOST_LETTERS or len(found) > _MOST_PATHS:
        return PastedPaths(problem="That is too much to be pasted: select it in the list of this computer.")
    return PastedPaths(tuple(found))


def _paths_of(line: str, is_there: Callable[[str], bool]) -> Iterator[str]:
    if line.startswith("/") and "\0" not in line and is_there(line):
        yield line
        return
    try:
        words = shlex.split(line)
    except ValueError:
        words = [line]
    for word in words:
        yield _of_url(word) if word.lower().startswith("file://") else word


def _of_url(word: str) -> str:
    """Return the path of a ``file://``; of one of another computer what is no path."""
    try:
        parts = urlsplit(word)
    except ValueError:
        return ""
    return unquote(parts.path) if parts.netloc in {"", "localhost"} else ""
