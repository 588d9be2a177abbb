"""What is at the server where files are to be put, and whether it is what this computer put there.

Rules. ``same`` decides; here its facts are found. A listing finds files and proves nothing. That one is our own is settled here
where this computer holds the receipt of that very version and has judged it, and the log has it there now; else by its
signature, and by the server's acknowledging it once more. A folder is listed no further than about what is meant.
"""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field

from sft.client.api.files import list_page, show_with_receipt
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.freshness import logged_of
from sft.client.os_errors import translating_os_errors
from sft.client.proved import ProvedState
from sft.client.receipts import has_receipt, receipt_path
from sft.client.session import Session
from sft.client.transfers.acknowledged import Acknowledged, UploadResult, take_answer
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_file import seen_as
from sft.client.transfers.plan import PutItem
from sft.client.transfers.proving import are_proved
from sft.client.transfers.same import PutAsked, VersionThere
from sft.client.trust import judge_over, known_of, learn_of, prove_file, require_newest, was_judged
from sft.errors import (
    ConnectionLostError,
    FolderInTheWayError,
    NameClashError,
    NotFoundError,
    PinChangedError,
    RequestError,
    SftError,
    SignatureBadError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.model.names import fold, split_path
from sft.model.records import File, Stored

FEW: Final = 16  # of one folder: fewer are told by the answer to their put
_ENTRIES_MORE: Final = 1000  # of others in the folder, beyond four for each that is meant
_FOLDERS_AT_ONCE: Final = 4
_WHOEVER_SIGNED: Final = (SignerUnknownError, PinChangedError, SignerKeyEndedError, SignerKeyStolenError)


class There(Struct):
    """What listings have shown.

    Args:
        files: by path.
        taken: which path has a folded one, and what it is.
        whole: folders that were listed to their end, or are not there.
        missing: those that are not there.
        refused: why another folder could not be listed, or a path not be looked at.
    """

    files: dict[str, File] = field(default_factory=dict)
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    refused: dict[str, SftError] = field(default_factory=dict)

    def add(self, files: Sequence[File], folders: Sequence[str] = ()) -> None:
        for file in files:
            self.files[file.path] = file
            self.taken[fold(file.path)] = file.path, "file"
        for path in folders:
            self.taken[fold(path)] = path, "folder"

    def has_folder(self, path: str) -> bool:
        return self.taken.get(fold(path)) == (path, "folder")

    def at(self, path: str) -> File | None:
        """Return the file at a path, if one was seen.

        Raises:
            NameClashError, FolderInTheWayError: what has its name is no such file.
            RequestError, ConnectionLostError: its folder could not be listed.
        """
        refusal = self.refused.get(path) or self.refused.get(split_path(path)[0])
        if refusal is not None:
            raise refusal
        where, what = self.taken.get(fold(path), (path, "file"))
        if where != path:
            raise NameClashError(name=path, existing=split_path(where)[1])
        if what == "folder":
            raise FolderInTheWayError(path=path, what=what)
        return self.files.get(path)


async def look_there(session: Session, paths: Sequence[str], *, few: int = FEW) -> There:
    """List the folders in which at least so many files are meant."""
    of_folder: defaultdict[str, int] = defaultdict(int)
    for path in paths:
        of_folder[split_path(path)[0]] += 1
    there = There()

    async def look(one: tuple[str, int]) -> None:
        folder, meant = one
        left, cursor = 4 * meant + _ENTRIES_MORE, ""
        try:
            while left > 0:
                page, cursor = await list_page(session, folder, cursor)
                left -= len(page.folders) + len(page.files)
                there.add(page.files, [each.path for each in page.folders])
                if not cursor:
                    there.whole.add(folder)
                    break
        except NotFoundError:
            there.missing.add(folder)
            there.whole.add(folder)
        except (RequestError, ConnectionLostError) as error:
            there.refused[folder] = error

    await gather_limited(_FOLDERS_AT_ONCE, [each for each in of_folder.items() if each[1] >= few], look)
    return there


async def found_there(
    session: Session, items: Sequence[PutItem], there: There, digests: DigestCache
) -> dict[int, UploadResult]:
    """Return what is there already for all that this computer knows, by its place among the items.

    Raises:
        LedgerError: the server does not prove that it has what it lists.
    """
    found = await finish_even_if_cancelled(session.pool.run(_known_there, session, items, there, digests))
    proved = await are_proved(session, [there.files[items[number].path] for number in found])
    return {number: each for (number, each), holds in zip(found.items(), proved, strict=True) if holds}


def _known_there(
    session: Session, items: Sequence[PutItem], there: There, digests: DigestCache
) -> dict[int, UploadResult]:
    """Find what this computer has judged, holds the receipt of, and has here as it is listed (blocks)."""
    found: dict[int, UploadResult] = {}
    for number, item in enumerate(items):
        file = there.files.get(item.path)
        if file is None or item.size is None or not VersionThere.of(file).may_be(session.user_id, item.size):
            continue
        version = file.version
        acknowledged = (session.state, session.server_id, file.id, version.number)
        if not was_judged(session, file) or not has_receipt(*acknowledged):
            continue
        try:
            same = reads_as(item, version.digest, digests)
        except SftError:
            continue  # its put says so
        if same:
            stored = Stored(item.path, version.number, version.size, version.digest, "", unchanged=True)
            found[number] = UploadResult(stored, receipt_path(*acknowledged), *logged_of([file]))
    return found


def reads_as(item: PutItem, digest: bytes, digests: DigestCache) -> bool:
    """Say whether a source has a digest, reading it unless it is known to (blocks).

    Raises:
        LocalFileError: it cannot be read.
        SourceChangedError: it did not stay what it was.
    """
    if item.source is None:
        return False
    with translating_os_errors(item.source):
        found = item.source.stat(follow_symlinks=item.follow)
    seen = seen_as(str(item.source), "", found)
    if not stat.S_ISREG(found.st_mode) or item.identity not in {None, seen.identity} or seen.size != item.size:
        return False
    return bool(digests.is_known_as(seen, digest)) or digests.read(seen, follow=item.follow) == digest


async def proved_ours(
    session: Session, path: str, there: VersionThere, size: int, digest: bytes
) -> UploadResult | None:
    """Return what is there already, if these bytes are signed there by our own key and the server acknowledges them anew.

    Args:
        there: what the server says is there: only where to look.

    Raises:
        RequestError: it is not shown.
        OlderVersionError: this computer has seen a newer one.
        ReceiptBadError: the receipt is not the server's, or for something else.
    """
    if (there.author_id, there.size, there.digest) != (session.user_id, size, digest):
        return None
    file, receipt, evidence = await show_with_receipt(session, path, there.version)
    await learn_of(session, [file])
    try:
        verdict = judge_over(session, file, digest, size, prove_file(session, evidence, file))
    except (SignatureBadError, SignerUnknownError, PinChangedError):
        return None
    if verdict.comment.user != session.user_id:
        return None
    await finish_even_if_cancelled(session.pool.run(require_newest, session, file, None, verdict.proved))
    stored = Stored(verdict.signed_name, verdict.version, size, digest, receipt, unchanged=True)
    return await take_answer(session, Acknowledged(path, stored, verdict.comment, digest))


async def require_replaceable(session: Session, asked: PutAsked, there: File, state: ProvedState) -> None:
    """Judge the version that the next one will name: our signature would vouch for a lie about it.

    Args:
        state: what the answer proves that showed it.

    Raises:
        LedgerError: the log does not have it so.
        SftError: it is not its author's; unless the person named it, whoever signed it.
    """
    (known,) = await known_of(session, [there], state)
    is_named = asked.if_version is not None and isinstance(known.error, _WHOEVER_SIGNED)
    if known.error is not None and not is_named:
        raise known.error
