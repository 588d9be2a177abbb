"""Whole trees and patterns on the server: every page of every folder, ``*``, ``?`` and ``**``.

Rules. A pattern never matches a ``/`` but by ``**``, which stands for any number of folders. Names cannot hold ``*`` or
``?``, so a pattern is told from a name by its characters. Folders are listed
a few at a time, and results are sorted by path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sft.client.api import Requester
from sft.client.api.files import Listing, Total, list_folder
from sft.client.concurrency import gather_limited
from sft.model.names import parse_path
from sft.model.records import Folder

_AT_ONCE: Final = 8


def has_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def matches(pattern: str, path: str) -> bool:
    components = pattern.strip("/").split("/")
    if components[-1] == "**":
        components.append("*")  # everything below, not the folder itself
    return bool(path) and fits_parts(components, path.split("/"), "**", _component_fits)


async def walk(
    session: Requester,
    path: str = "",
    *,
    depth: int | None = None,
    signatures: bool = False,
    total: Total | None = None,
) -> Listing:
    """List a folder and all below it, ``depth`` levels of it if given; ListingTooLongError if that is too much at once."""
    found, total = Listing(), total or Total(session)

    async def listed(one: str | Folder) -> Listing:
        if isinstance(one, Folder):
            return await list_folder(session, one.path, signatures=signatures, announced=one, total=total)
        return await list_folder(session, one, signatures=signatures, total=total)

    level: list[str | Folder] = [path]
    while level and depth != 0:
        listings = await gather_limited(_AT_ONCE, level, listed)
        level = []
        for listing in listings:
            found.folders.extend(listing.folders)
            found.files.extend(listing.files)
            level.extend(listing.folders)
        depth = None if depth is None else depth - 1
    found.folders.sort(key=lambda folder: folder.path)
    found.files.sort(key=lambda file: file.path)
    return found


async def find(session: Requester, pattern: str, *, signatures: bool = False) -> Listing:
    """List the folders and files whose path fits a pattern."""
    pattern = pattern.strip("/")
    start = fixed_part(pattern)
    levels = pattern.count("/") + 1 - (start.count("/") + 1 if start else 0)
    everything = await walk(session, start, depth=None if "**" in pattern else levels, signatures=signatures)
    return Listing(
        [folder for folder in everything.folders if matches(pattern, folder.path)],
        [file for file in everything.files if matches(pattern, file.path)],
    )


def fixed_part(pattern: str) -> str:
    """Return the folder above the first component that is a pattern, checked as a path."""
    fixed = _before_pattern(pattern.split("/"))
    return parse_path("/".join(fixed), root=True)


def _before_pattern(components: Iterable[str]) -> list[str]:
    fixed: list[str] = []
    for component in components:
        if has_pattern(component):
            break
        fixed.append(component)
    return fixed


def fits_parts(pattern: Sequence[str], parts: Sequence[str], star: str, same: Callable[[str, str], bool]) -> bool:
    """Match parts to a pattern in which ``star`` stands for any number of them, also none.

    A star takes as few as it can; where what follows does not fit, the last star alone takes one more. So no pattern and no
    name, whoever chose them, costs more than the product of their lengths (a regular expression would).
    """
    at = position = 0
    last_star, taken = -1, 0
    while position < len(parts):
        if at < len(pattern) and pattern[at] == star:
            last_star, taken = at, position
            at += 1
        elif at < len(pattern) and same(pattern[at], parts[position]):
            at += 1
            position += 1
        elif last_star >= 0:
            taken += 1
            at, position = last_star + 1, taken
        else:
            return False
    return all(rest == star for rest in pattern[at:])


def _component_fits(pattern: str, name: str) -> bool:
    return fits_parts(pattern, name, "*", lambda one, character: one in {"?", character})
