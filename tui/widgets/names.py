"""Names that stand below one another, cut so that each can be told from the others.

Rules. A name that fits is whole. A cut keeps the ending. Where neighbours share a long beginning the cut lies in it, and names
that would look the same are cut anew, where they differ. Cost is that of the lines in sight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

from tui.text import cut, cut_name, cut_path, ending_of, without_half_escapes

_SHARED: Final = 8  # characters that neighbours share: from here on the cut lies in them
_HEAD_CELLS: Final = 4  # of the beginning, where the cut lies in it
_PERCENTILE: Final = 0.9


def cut_names(names: Sequence[str], rooms: Sequence[int], ellipsis: str = "…", *, paths: bool = False) -> list[str]:
    """Cut harmless names to the room that each has; ``paths`` lose their beginning."""
    texts = list(names)
    for place, (name, room) in enumerate(zip(names, rooms, strict=True)):
        if cell_len(name) <= room:
            continue
        near = [names[other] for other in (place - 1, place + 1) if 0 <= other < len(names)]
        shared = 0 if paths else max((_shared(name, other) for other in near if other != name), default=0)
        if shared >= _SHARED:
            texts[place] = cut_after(name, room, shared, ellipsis)
        else:
            texts[place] = (cut_path if paths else cut_name)(name, room, ellipsis)
    alike = defaultdict(list)
    for place, text in enumerate(texts):
        alike[text].append(place)
    for places in alike.values():
        if len({names[place] for place in places}) > 1:
            for place in places:
                name = names[place]
                shared = max(_shared(name, names[other]) for other in places if names[other] != name)
                texts[place] = cut_after(name, rooms[place], shared, ellipsis)
    return texts


@lru_cache(maxsize=8192)
def cut_after(name: str, cells: int, shared: int, ellipsis: str = "…") -> str:
    """Cut a harmless name within its first ``shared`` characters, so that what follows them stays in sight."""
    if cell_len(name) <= cells:
        return name
    mark = cell_len(ellipsis)
    for begins in (_number_at(name, shared), shared):
        tail = name[begins:]
        room = cells - mark - cell_len(tail)
        if room >= _HEAD_CELLS:
            return without_half_escapes(set_cell_size(name, room), ellipsis, tail)
    ending = ending_of(name) if shared < len(name) - len(ending_of(name)) else ""
    room = cells - _HEAD_CELLS - 2 * mark - cell_len(ending)
    if room < 1:
        return cut(name, cells, ellipsis)
    head = set_cell_size(name, min(_HEAD_CELLS, shared)) if shared else ""
    first = head + ellipsis if head else ""
    middle = set_cell_size(tail, room if head else room + _HEAD_CELLS + mark).rstrip()
    return without_half_escapes(first + middle, ellipsis, ending)


def wanted_cells(names: Sequence[str], least: int, most: int) -> int:
    """Return how many cells nine of ten names need, within bounds."""
    if not names:
        return least
    cells = sorted(map(cell_len, names))
    return min(max(cells[int(len(cells) * _PERCENTILE - 1e-9)], least), most)


def _number_at(name: str, place: int) -> int:
    """Return where a number begins that a place lies in; else the place."""
    begins = place
    while name[place : place + 1].isdecimal() and begins and name[begins - 1].isdecimal():
        begins -= 1
    return begins


def _shared(one: str, other: str) -> int:
    """Return how many characters two names begin with alike."""
    for count, (mine, its) in enumerate(zip(one, other, strict=False)):
        if mine != its:
            return count
    return min(len(one), len(other))
