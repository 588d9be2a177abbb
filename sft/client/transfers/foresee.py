"""What a put or a get would do: asked, compared and read, and nothing changed on either side.

Rules. What is there is asked for by folder, page by page, and by name only where a few names of a folder are meant. Content is
read here only where size and author say that it may be the same. What the server shows is its word.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from sft.client.api.files import list_folder, show_file
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.client.session import Session
from sft.client.transfers.file_digest import read_digest
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem
from sft.crypto.digests import digest_text
from sft.errors import ChangedSinceError, ExistsError, FolderInTheWayError, LocalExistsError, NotFoundError, SftError
from sft.model.names import fold, split_path
from sft.model.records import File

FRESH: Final = "new"
REPLACED: Final = "replaced"
SAME: Final = "unchanged"
_ASKED_BY_NAME: Final = 16  # of one folder; more are found in its listing
_AT_ONCE: Final = 8

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Foreseen(Generic[Item]):
    """What would become of one item: FRESH, REPLACED, SAME, or ``error`` says why nothing would."""

    item: Item
    what: str
    error: SftError | None = None


async def foresee_put(
    session: Session, items: Sequence[PutItem], *, replace: bool = False, if_version: int | None = None
) -> list[Foreseen[PutItem]]:
    """Say what ``put_all`` would do."""
    there = await files_there(session, [item.path for item in items])
    return [
        await _put(session, item, there.get(fold(item.path)), replace=replace, if_version=if_version) for item in items
    ]


async def _put(
    session: Session, item: PutItem, there: File | None, *, replace: bool, if_version: int | None
) -> Foreseen[PutItem]:
    try:
        if there is None:
            if if_version is not None:
                raise NotFoundError(what="file", name=item.path)
            return Foreseen(item, FRESH)
        version = there.version
        if item.source is not None and (version.author_id, version.size) == (session.user_id, item.size):
            digest = await finish_even_if_cancelled(session.pool.run(_digest, item.source, follow=item.follow))
            if digest == version.digest:
                return Foreseen(item, SAME)
        if if_version not in {None, version.number}:
            raise ChangedSinceError(author=version.author, version=version.number, seen=if_version or 0, path=item.path)
        if not replace and if_version is None:
            raise ExistsError(
                path=there.path, version=version.number, author=version.author, stored_at=version.stored_at,
                author_id=version.author_id, size=version.size, digest=digest_text(version.digest),
            )  # fmt: skip
    except SftError as error:
        return Foreseen(item, "", error)
    return Foreseen(item, REPLACED)


async def files_there(session: Session, paths: Sequence[str]) -> dict[str, File]:
    """Return which of these paths are files there already, by folded path."""
    of_folder: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        of_folder[split_path(path)[0]].append(path)

    async def look(folder: str) -> list[File]:
        names = of_folder[folder]
        try:
            if len(names) > _ASKED_BY_NAME:
                return (await list_folder(session, folder)).files
            shown = await gather_limited(_AT_ONCE, names, lambda name: _shown(session, name))
            return [file for file in shown if file is not None]
        except (NotFoundError, FolderInTheWayError):
            return []

    found = await gather_limited(_AT_ONCE, list(of_folder), look)
    return {fold(file.path): file for files in found for file in files}


async def _shown(session: Session, path: str) -> File | None:
    try:
        return await show_file(session, path)
    except (NotFoundError, FolderInTheWayError):
        return None


def foresee_get(items: Sequence[GetItem], to: Path, existing: ConflictPolicy) -> list[Foreseen[GetItem]]:
    """Say what ``get_all`` would do (blocks)."""
    return [_got(item, to.joinpath(*item.parts), existing) for item in items]


def _got(item: GetItem, local: Path, existing: ConflictPolicy) -> Foreseen[GetItem]:
    try:
        found = os.lstat(local)
    except (FileNotFoundError, NotADirectoryError):
        return Foreseen(item, FRESH)
    except OSError as error:
        return Foreseen(item, "", describe_os_error(error, local))
    try:
        if existing is ConflictPolicy.REFUSE:
            if found.st_size != item.size or _digest(local) != item.digest:
                raise LocalExistsError(path=str(local))
            return Foreseen(item, SAME)
    except SftError as error:
        return Foreseen(item, "", error)
    return Foreseen(item, REPLACED if existing is ConflictPolicy.FORCE else FRESH)


def _digest(path: str | Path, *, follow: bool = False) -> bytes:
    """Read a regular file (blocks); LocalFileError if it cannot be read.

    Args:
        follow: a link means what it leads to.
    """
    with translating_os_errors(path):
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
        try:
            return read_digest(file)
        finally:
            os.close(file)
