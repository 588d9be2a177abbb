"""Who downloads what: said before the first byte leaves, signed by the reader when it came, and shown to whom it concerns.

    begin_downloads → (what leaves) → confirm_received             list_readers

Rules. One leaf and one statement are of as many versions as one request is about. What somebody says to have received they
have begun to download here, and it has the digest that this server has of it; said twice it is done once. That a reader
signed is their word: that they verified it, this server cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from sft.crypto.statement import ReceivedVersion
from sft.errors import BadRequestError
from sft.limits import LIST_ENTRIES
from sft.model.access import Caller, Permission
from sft.model.events import DownloadBegun, DownloadReceived
from sft.model.records import FileReader, ReaderPage, UserState
from sft.service.act_statement import AskedAct, require_statement
from sft.service.files import require_seen_file
from sft.service.record_builder import RecordBuilder
from sft.service.rights import require_right
from sft.service.use_case import act, batch_act, query
from sft.store.downloads import FileVersionKey, downloads_of, newest_by_reader
from sft.store.row_types import DownloadRow, FileRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.users import users_after


class DownloadInput(Struct, frozen=True):
    """Versions that are about to leave, with their digests."""

    caller: Caller
    versions: Mapping[FileVersionKey, bytes]
    first_chunk: int = 0


class ReceivedInput(Struct, frozen=True):
    """What a reader says to have received, each once."""

    caller: Caller
    versions: tuple[FileVersionKey, ...]
    statement: bytes


class _Stating(Struct, frozen=True):
    """What is signed of it: the digests are this server's."""

    caller: Caller
    statement: bytes
    asked: AskedAct


@batch_act(Permission.FILE_READ, logs=(DownloadBegun,))
def begin_downloads(transaction: Transaction, items: Sequence[DownloadInput]) -> Sequence[None]:
    """Say that these leave; committed, they may."""
    for item in items:
        user_id = item.caller.user_id or 0
        known = downloads_of(transaction, user_id, item.versions)
        leaf = transaction.log(DownloadBegun(by=item.caller, versions=(*item.versions,), first_chunk=item.first_chunk))
        if leaf is None:
            continue
        # A file that was destroyed may have left its id, and the number, to another content.
        rows = [
            DownloadRow(key[0], user_id, key[1], digest, leaf)
            for key, digest in item.versions.items()
            if key not in known or known[key].digest != digest
        ]
        transaction.rows.insert([row for row in rows if (row.file_id, row.number) not in known])
        transaction.rows.update([row for row in rows if (row.file_id, row.number) in known])
    return [None for _ in items]


@act(Permission.FILE_READ, logs=(DownloadReceived,))
def confirm_received(transaction: Transaction, item: ReceivedInput) -> bool:
    """Keep a reader's signed word; return whether any of it is news.

    Raises:
        BadRequestError: a version that they have not begun to download here, or one that stands twice.
        SignatureRefusedError: they signed something else.
    """
    known = downloads_of(transaction, item.caller.user_id or 0, item.versions)
    if len(known) != len(item.versions):
        raise BadRequestError(problem="a version that was not downloaded, or one that is named twice")
    versions = tuple(ReceivedVersion(*key, known[key].digest) for key in item.versions)
    said = require_statement(
        transaction, _Stating(item.caller, item.statement, AskedAct("received", {"versions": versions}))
    )
    new = [row for row in known.values() if row.received_leaf is None]
    if not new:
        return False
    leaf = transaction.log(DownloadReceived(by=item.caller, versions=item.versions, **said))
    transaction.rows.update(
        [DownloadRow(row.file_id, row.user_id, row.number, row.digest, row.begun_leaf, leaf) for row in new]
    )
    return True


@query(Permission.DOWNLOAD_READ)
def list_readers(
    reading: ReadTransaction, caller: Caller, *, path: str, after: int = 0, limit: int = LIST_ENTRIES
) -> ReaderPage:
    """Show of a page of people which version of a file each of them downloaded last, and whether they signed to have it.

    Who is active or has downloaded it is shown, in order of joining.

    Raises:
        NotFoundError: no file is there.
        NotYoursError: it belongs to another, and the caller is no admin.
    """
    file = require_readers(RecordBuilder(reading), caller, path)
    users = users_after(reading, after, limit)
    if not users:
        return ReaderPage((), 0)
    newest = newest_by_reader(reading, file.file_id, after, users[-1].id)
    readers = []
    for user in users:
        row = newest.get(user.id)
        if row is not None:
            reader = FileReader(
                user.id, user.name, UserState(user.state), row.number, row.begun_leaf, row.received_leaf
            )
            readers.append(reader)
        elif user.state == UserState.ACTIVE and user.id != file.owner_id:
            readers.append(FileReader(user.id, user.name, UserState.ACTIVE))
    return ReaderPage(tuple(readers), users[-1].id if len(users) == limit else 0)


def require_readers(records: RecordBuilder, caller: Caller, path: str) -> FileRow:
    """Require the right to be told who downloaded the file at a path; raises what ``list_readers`` does."""
    file = require_seen_file(records.reading, caller, Permission.FILE_LIST, path)
    require_right(records, caller, Permission.DOWNLOAD_READ, file, verb="see who downloaded", path=path)
    return file
