"""Checks of paths that a person types into a question."""

from __future__ import annotations

from pathlib import Path

from sft.errors import LocalFileError
from sft.model.names import parse_component, parse_path


def checked_name(text: str) -> str:
    """Return a new name in the same folder, or from the root where it begins with a slash."""
    return "/" + parse_path(text) if text.startswith("/") else parse_component(text)


def checked_local(text: str) -> str:
    """Return a folder of this computer, whole."""
    try:
        path = Path(text).expanduser().resolve()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a home of nobody, too long, closed to us, a loop
        is_folder = False
    if not is_folder:
        raise LocalFileError(path=text, problem="is no folder", remedy="Name one that is there")
    return str(path)
