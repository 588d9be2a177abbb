"""Who says that a file lies where it was not signed to be: the moves that led there, each with the statement of whoever asked.

    path now ← moves of the file and of its folders, back to the version's own leaf ← the name that the author signed

Rules. A leaf alone moves nothing here: whoever runs the server could write one. Each move on the way back has to carry the
statement of a person, under a key that is pinned as theirs and was theirs at that leaf, and say of this very file, or of a
folder above it, from where to where: its text is written again from what the leaf says, and but the signature is taken.
What is not explained so is not where anybody has put it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from sft.client.api.log import LogQuery, page_before
from sft.client.concurrency import gather_limited
from sft.client.known_moves import unsigned
from sft.client.logged import LogLine
from sft.client.proved import ProvedState
from sft.client.session import Session
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError, MoveUnsignedError, NotFoundError
from sft.ledger.leaves import LeafKind
from sft.ledger.slots import UserSlot
from sft.ledger.verdicts import SignatureVerdict, judge_signature
from sft.model.records import File
from sft.wire.messages import ShowUser, UserShown

_AT_ONCE: Final = 8
_VERSIONS: Final = 64  # that a mover may have seen, where only its number is not written down any more


class _Step(Struct, frozen=True):
    """A move on the way back from where a file lies: its leaf, and the path before it."""

    line: LogLine
    before: str


async def learn_moves(session: Session, files: Sequence[File]) -> None:
    """Look at who moved those of the files that lie elsewhere than they were signed to; the session keeps what it found.

    Raises:
        LedgerError: the log does not hold.
    """
    unknown = [file for file in files if session.moves.is_open(file)]
    if not unknown:
        return
    folders = await _moves(session, None, min(file.version.leaf for file in unknown))

    async def explain(file: File) -> None:
        own = await _moves(session, file.id, file.version.leaf)
        since = [line for line in folders if line.number > file.version.leaf]
        moves = sorted((*own, *since), key=lambda line: -line.number)
        session.moves.note(file, await _explained(session, file, moves))

    await gather_limited(_AT_ONCE, unknown, explain)


async def _moves(session: Session, file_id: bytes | None, since: int) -> list[LogLine]:
    """Return the moves of a file, or those of all folders, after a leaf."""
    kind = LeafKind.FOLDER_MOVED if file_id is None else LeafKind.FILE_MOVED
    query = LogQuery(file_id=file_id, kinds=(int(kind),))
    lines: list[LogLine] = []
    before: int | None = None
    while True:
        page = await page_before(session, query, before)
        lines += [line for line in page.lines if line.number > since]
        before = page.next
        if not page.more or before <= since:
            return lines


async def _explained(session: Session, file: File, moves: Sequence[LogLine]) -> str | MoveUnsignedError:
    """Return who moved a file last, by name, if the way back to its signed name is signed step by step."""
    steps = list(_steps(file, moves))
    if not steps or steps[-1].before != file.version.signed_name:
        return unsigned(file)
    movers = [await _mover(session, file, step.line) for step in steps]
    return movers[0] if all(movers) else unsigned(file)


def _steps(file: File, moves: Sequence[LogLine]) -> Iterator[_Step]:
    """Go back, from the newest move, until the file is where it was signed to be."""
    path = file.path
    for line in moves:
        old, new = line.old_path, line.path
        if line.kind is LeafKind.FILE_MOVED and new == path and line.file_id == file.id:
            path = old
        elif line.kind is LeafKind.FOLDER_MOVED and path.startswith(f"{new}/"):
            path = old + path.removeprefix(new)
        else:
            continue
        yield _Step(line, path)
        if path == file.version.signed_name:
            return


async def _mover(session: Session, file: File, line: LogLine) -> str:
    """Return the name of whoever signed a move; empty where nobody did whose key is pinned here, and was theirs then."""
    slot = None if line.actor_id is None else await _known_slot(session, line.actor_id)
    if slot is None:
        return ""
    key = await session.pool.run(_signed_with, session, file, line, slot)
    if key is None or judge_signature(slot, key, line.number).verdict is not SignatureVerdict.VALID:
        return ""
    return slot.name


async def _known_slot(session: Session, user_id: int) -> UserSlot | None:
    try:
        answer = await session.request(ShowUser, UserShown, user_id=user_id)
    except NotFoundError:
        return None
    slot = ProvedState(session.log, answer.evidence, "who its people are").require_user(answer.user)
    if any(not session.pins.knows(user_id, key.public_key) for key in answer.user.keys):
        await session.pool.run(session.pins.learn, [answer.user], now=int(session.clock()))
    return slot if slot.id == user_id else None


def _signed_with(session: Session, file: File, line: LogLine, slot: UserSlot) -> bytes | None:
    """Return the pinned key of a user under which the statement of a move holds (blocks)."""
    pin, text = session.pins.people.get(slot.id), line.facts.get("statement")
    if pin is None or pin.name != slot.name or not isinstance(text, str):
        return None
    try:
        signature = FileSignature.parse(text.encode())
        comment = StatementComment.parse(signature.comment)
    except CryptoError:
        return None
    if (comment.act, comment.server_id, comment.user) != ("move", session.server_id, slot.id):
        return None
    for public_key in pin.keys:
        public = PublicKey.decode_or_none(public_key)
        if public is None:
            continue
        for fields in _said(file, line):
            try:
                verify_statement(public, ActStatement(comment, fields), signature)
            except (CryptoError, ValueError):
                continue
            return public_key
    return None


def _said(file: File, line: LogLine) -> Iterator[Mapping[str, Any]]:
    """Write what a statement of this move has to say; which version its signer saw, no leaf says beside it."""
    if line.kind is LeafKind.FOLDER_MOVED:
        yield {"file": b"", "version": 0, "old": line.old_path, "new": line.path}
        return
    newest = file.version.number
    for version in range(newest, max(0, newest - _VERSIONS), -1):
        yield {"file": file.id, "version": version, "old": line.old_path, "new": line.path}
