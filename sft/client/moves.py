"""Who says that a file lies where it was not signed to be: the moves that led there, each with the statement of whoever asked.

    path now ← moves of the file and of its folders, back to the version's own leaf ← the name that the author signed

Rules. A leaf alone moves nothing here: whoever runs the server could write one. Each move on the way back has to carry the
statement of a person, under a key that is pinned as theirs and was theirs at that leaf, and say of this very file and the
version that it had then, or of a folder above it, from where to where: its text is written again from what the log says, and
but the signature is taken. What is not explained so is not where anybody has put it. The log is read from its end, a page at a
time, and no further than the way leads: others may have moved theirs a million times. What was in the trash meanwhile no folder
took along: it came back to the path that it had, which another folder may have since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from sft.client.api.log import LogQuery, page_before
from sft.client.concurrency import gather_limited
from sft.client.known_moves import unsigned
from sft.client.logged import LogLine
from sft.client.proved import ProvedState
from sft.client.session import Session
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import CryptoError, NotFoundError
from sft.ledger.leaves import LeafKind
from sft.ledger.slots import UserSlot
from sft.ledger.verdicts import SignatureVerdict, judge_signature
from sft.model.records import File
from sft.wire.messages import ShowUser, UserShown

_AT_ONCE: Final = 8
_RESTORED: Final = frozenset({LeafKind.FILE_RESTORED, LeafKind.FOLDER_RESTORED})
_DELETED: Final = frozenset({LeafKind.FILE_DELETED, LeafKind.FOLDER_DELETED})
_OWN: Final = tuple(
    map(int, (LeafKind.FILE_MOVED, LeafKind.FILE_REPLACED, LeafKind.FILE_DELETED, LeafKind.FILE_RESTORED))
)
_REPLACED: Final = (int(LeafKind.FILE_REPLACED),)
_FOLDERS: Final = LogQuery(
    kinds=tuple(map(int, (LeafKind.FOLDER_MOVED, LeafKind.FOLDER_DELETED, LeafKind.FOLDER_RESTORED)))
)
_FILES: Final = LogQuery(kinds=(int(LeafKind.FILE_MOVED), int(LeafKind.FILE_RESTORED)))


async def learn_moves(session: Session, files: Sequence[File]) -> None:
    """Look at who moved those of the files that lie elsewhere than they were signed to; the session keeps what it found.

    Raises:
        LedgerError: the log does not hold.
    """
    ways = [_Way(session, file) for file in files if session.moves.is_open(file)]
    if not ways:
        return
    moved = await _moved_among(session, ways)
    await gather_limited(_AT_ONCE, [way for way in ways if moved is None or way.file.id in moved], _Way.begin)
    movers = _Movers(session)
    async for line in _newest_first(session, _FOLDERS, min(way.start for way in ways)):
        going_on = [way for way in ways if not way.is_over]
        if not going_on:
            break
        for way in going_on:
            await way.go_back(line, movers)
    for way in ways:
        await way.go_back(None, movers)
        session.moves.note(way.file, way.mover if way.is_explained else unsigned(way.file))


async def _moved_among(session: Session, ways: Sequence[_Way]) -> set[bytes] | None:
    """Find which of many files were moved by themselves, where few pages say that of all files there are; else None.

    Most that lie elsewhere came along with a folder: a request for each of thousands would take as long as their contents.
    """
    found: set[bytes] = set()
    before: int | None = None
    for _ in range(len(ways) // _AT_ONCE):
        page = await page_before(session, _FILES, before, start=min(way.start for way in ways))
        found |= {line.file_id for line in page.lines if line.file_id is not None}
        if not page.more:
            return found
        before = page.next
    return None


async def _newest_first(session: Session, query: LogQuery, start: int) -> AsyncIterator[LogLine]:
    """Give the lines from a leaf on, the newest first; no page is asked for before it is needed."""
    before: int | None = None
    while True:
        page = await page_before(session, query, before, start=start)
        for line in page.lines:
            yield line
        if not page.more:
            return
        before = page.next


class _Way:
    """The way of one file back from where it lies, a move at a time.

    Attributes:
        start: the leaf after the one that stored the version.
        mover: whoever made the last move of all, by name; empty before one was met, and where nobody signed it.
    """

    def __init__(self, session: Session, file: File) -> None:
        self.file = file
        self.start = file.version.leaf + 1
        self.mover = ""
        self._session = session
        self._path = file.path
        self._version = file.version.number  # that the file had at the leaf that is looked at
        self._is_refused = False
        self._is_in_trash = False
        self._own: deque[LogLine] = deque()
        self._before: int | None = None
        self._has_more = False  # nothing of its own, unless ``begin`` asks for that

    @property
    def is_explained(self) -> bool:
        return self._path == self.file.version.signed_name and not self._is_refused

    @property
    def is_over(self) -> bool:
        return self._is_refused or self._path == self.file.version.signed_name

    async def begin(self) -> None:
        """Ask for what became of the file itself, as much as comes at once, and for the version that it has now."""
        self._has_more = True
        await self._next()
        newest = next((line for line in self._own if line.kind is LeafKind.FILE_REPLACED), None)
        if newest is None and self._has_more:
            query = LogQuery(file_id=self.file.id, kinds=_REPLACED)
            async for line in _newest_first(self._session, query, self.start):
                if line.file_id == self.file.id:
                    newest = line
                    break
        if newest is not None:
            self._version = newest.version or 0

    async def go_back(self, folder: LogLine | None, movers: _Movers) -> None:
        """Go back over what became of the file after the move of a folder, and over that; over all that is left for None."""
        while not self.is_over:
            own = await self._next()
            if own is None or (folder is not None and own.number < folder.number):
                break
            await self._go_over(self._own.popleft(), movers)
        if folder is not None and folder.number >= self.start and not self.is_over:
            await self._go_over(folder, movers)

    async def _next(self) -> LogLine | None:
        while not self._own and self._has_more:
            query = LogQuery(file_id=self.file.id, kinds=_OWN)
            page = await page_before(self._session, query, self._before, start=self.start)
            self._own.extend(line for line in page.lines if line.file_id == self.file.id)
            self._before, self._has_more = page.next, page.more
        return self._own[0] if self._own else None

    async def _go_over(self, line: LogLine, movers: _Movers) -> None:
        old, new = line.old_path, line.path
        if line.kind is LeafKind.FILE_REPLACED:
            self._version = (line.version or 0) - 1
            return
        if line.kind in _RESTORED | _DELETED:
            if line.file_id == self.file.id or self._path.startswith(f"{new}/"):
                self._is_in_trash = line.kind in _RESTORED
            return
        if line.kind is LeafKind.FILE_MOVED and new == self._path:
            self._path = old
            said = {"file": self.file.id, "version": self._version, "old": old, "new": new}
        elif line.kind is LeafKind.FOLDER_MOVED and self._path.startswith(f"{new}/") and not self._is_in_trash:
            self._path = old + self._path.removeprefix(new)
            said = {"file": b"", "version": 0, "old": old, "new": new}
        else:
            return
        mover = await movers.of(line, said)
        self.mover = self.mover or mover
        self._is_refused = not mover


class _Movers:
    """Who signed moves, by name; each person is asked for once, and each move of a folder looked at once, for many files."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._slots: dict[int, UserSlot | None] = {}
        self._of_folders: dict[int, str] = {}

    async def of(self, line: LogLine, said: Mapping[str, Any]) -> str:
        """Return whoever signed a move; empty where nobody did whose key is pinned here, and was theirs then.

        Args:
            said: what the statement has to say.
        """
        if line.number in self._of_folders:
            return self._of_folders[line.number]
        mover = await self._signer(line, said)
        if line.kind is LeafKind.FOLDER_MOVED:
            self._of_folders[line.number] = mover
        return mover

    async def _signer(self, line: LogLine, said: Mapping[str, Any]) -> str:
        slot = None if line.actor_id is None else await self._slot(line.actor_id)
        if slot is None:
            return ""
        key = await self._session.pool.run(_signed_with, self._session, line, said, slot)
        if key is None or judge_signature(slot, key, line.number).verdict is not SignatureVerdict.VALID:
            return ""
        return slot.name

    async def _slot(self, user_id: int) -> UserSlot | None:
        if user_id not in self._slots:
            self._slots[user_id] = await _known_slot(self._session, user_id)
        return self._slots[user_id]


async def _known_slot(session: Session, user_id: int) -> UserSlot | None:
    try:
        answer = await session.request(ShowUser, UserShown, user_id=user_id)
    except NotFoundError:
        return None
    slot = ProvedState(session.log, answer.evidence, "who its people are").require_user(answer.user)
    if any(not session.pins.knows(user_id, key.public_key) for key in answer.user.keys):
        await session.pool.run(session.pins.learn, [answer.user], now=int(session.clock()))
    return slot if slot.id == user_id else None


def _signed_with(session: Session, line: LogLine, said: Mapping[str, Any], slot: UserSlot) -> bytes | None:
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
        try:
            verify_statement(public, ActStatement(comment, said), signature)
        except (CryptoError, ValueError):
            continue
        return public_key
    return None
