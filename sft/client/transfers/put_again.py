"""Which files of a put are on the server already, just as this computer put them there: found by listing their folders.

Rules. A listing is the server's word, and finds them alone. What is there counts where this computer holds the receipt of that
very version, has judged it as its own person's, and has read the same bytes here; any other file goes the way of a new one,
which asks about it. A folder is listed only where many of its files are meant, and no further than about as many entries.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from typing import Final

from sft.client.api.files import list_page
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.receipts import has_receipt, receipt_path
from sft.client.session import Session
from sft.client.transfers.file_digest import read_digest
from sft.client.transfers.plan import PutItem
from sft.client.transfers.upload import UploadResult
from sft.client.trust import was_judged
from sft.errors import ConnectionLostError, RequestError
from sft.model.names import split_path
from sft.model.records import File, Stored

_FEWEST: Final = 16  # of one folder: fewer are told by the answer to their put
_ENTRIES_MORE: Final = 1000  # of others in the folder, beyond four for each that is meant
_FOLDERS_AT_ONCE: Final = 4

_Found = dict[int, UploadResult]


async def found_there_already(session: Session, items: Sequence[PutItem]) -> _Found:
    """Return what is there already, by its place among the items; what is not sure is left out."""
    folders: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for number, item in enumerate(items):
        if item.source is not None and item.size is not None and item.replaces is None:
            folders[split_path(item.path)[0]][item.path] = number
    many = [(folder, meant) for folder, meant in folders.items() if len(meant) >= _FEWEST]

    async def look(one: tuple[str, dict[str, int]]) -> _Found:
        folder, meant = one
        return await _found_in(session, folder, {path: (number, items[number]) for path, number in meant.items()})

    found: _Found = {}
    for some in await gather_limited(_FOLDERS_AT_ONCE, many, look):
        found |= some
    return found


async def _found_in(session: Session, folder: str, meant: dict[str, tuple[int, PutItem]]) -> _Found:
    left = 4 * len(meant) + _ENTRIES_MORE
    reading: list[Awaitable[_Found]] = []
    cursor = ""
    try:
        while left > 0:
            page, cursor = await list_page(session, folder, cursor)
            left -= len(page.folders) + len(page.files)
            # One page is read here while the next one is asked for.
            pairs = [(*meant[file.path], file) for file in page.files if file.path in meant]
            reading.append(session.pool.run(_same, session, pairs))
            if not cursor:
                break
    except (RequestError, ConnectionLostError):
        pass  # no such folder, or not ours to see; a connection that broke is told by each file's put
    found: _Found = {}
    for each in reading:
        some = await finish_even_if_cancelled(each)
        found |= some
    return found


def _same(session: Session, pairs: Sequence[tuple[int, PutItem, File]]) -> _Found:
    """Read what may be the same (blocks)."""
    found: _Found = {}
    for number, item, file in pairs:
        version = file.version
        if (version.author_id, version.size) != (session.user_id, item.size) or not was_judged(session, file):
            continue
        if not has_receipt(session.state, session.server_id, file.id, version.number):
            continue
        if _digest(item) == version.digest:
            stored = Stored(item.path, version.number, version.size, version.digest, "", unchanged=True)
            path = receipt_path(session.state, session.server_id, file.id, version.number)
            found[number] = UploadResult(stored, path)
    return found


def _digest(item: PutItem) -> bytes | None:
    """Read a source; None where it is not what was planned, or cannot be read: its put says so."""
    if item.source is None:
        return None
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if item.follow else os.O_NOFOLLOW)
    try:
        opened = os.open(item.source, flags)
        try:
            found = os.fstat(opened)
            if item.identity not in {None, (found.st_dev, found.st_ino)} or found.st_size != item.size:
                return None
            return read_digest(opened)
        finally:
            os.close(opened)
    except OSError:
        return None
