"""What is remembered of Files for each account, on this computer alone: folders, orders, details, zoom, hidden names.

One small file an account, ``files-HASH.json`` in the folder of the state, the hash being of the account's name::

    {"format": 1, "here": "/data/reports", "there": "finance/2026", "sort_here": ["size", true],
     "sort_there": ["name", false], "details": null, "zoomed": false, "hidden": false}

``here`` and ``there`` are folders of this computer and of the server; an order is ``name``, ``size`` or ``date``, and whether
it is turned round; ``details`` is null where the window decides.

Rules. It holds no secret and decides nothing: what is damaged, of another format or gone is as if it were not there, and never
an error. A folder that is not there any more is not gone to.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sft.errors import SftError
from sft.model.names import parse_path
from tui.panes.paging import Sorting, SortOrder

_FORMAT: Final = 1
_HASH_LETTERS: Final = 16
_PATH_LETTERS: Final = 4096

Order = tuple[SortOrder, bool]


class Remembered(Struct, frozen=True, omit_defaults=True):
    """How Files stood; what it begins with where nothing is remembered."""

    format: int = _FORMAT
    here: Annotated[str, Meta(max_length=_PATH_LETTERS)] = ""
    there: Annotated[str, Meta(max_length=_PATH_LETTERS)] = ""
    sort_here: Order = (SortOrder.NAME, False)
    sort_there: Order = (SortOrder.NAME, False)
    details: bool | None = None
    zoomed: bool = False
    hidden: bool = False


def file_of(account: str) -> str:
    """Return the name of an account's file."""
    return f"files-{hashlib.blake2b(account.encode(errors='surrogatepass')).hexdigest()[:_HASH_LETTERS]}.json"


def encoded(remembered: Remembered) -> bytes:
    """Write it down; a folder whose name is no text is left out."""
    try:
        remembered.here.encode()
    except UnicodeEncodeError:
        remembered = msgspec.structs.replace(remembered, here="")
    return msgspec.json.encode(remembered)


def decoded(data: bytes | None) -> Remembered:
    """Read it; what is not understood is as if it were not there."""
    try:
        found = msgspec.json.decode(data or b"", type=Remembered)
        there = parse_path(found.there, root=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, SftError):
        return Remembered()
    return found if found.format == _FORMAT and there == found.there else Remembered()


def order_of(sorting: Sorting) -> Order:
    return sorting.order, sorting.turned


def sorting_of(order: Order) -> Sorting:
    return Sorting(*order)
