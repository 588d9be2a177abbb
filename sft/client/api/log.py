"""Requests about the server's log: pages of leaves, each proved and its record checked; the newest, and what came since.

Rules. A page is under the newest head that the session was told, or under the one that the operator is told with it. What is
shown is what was asked for: in its range and order, of its kinds, about its user and file. What does not hold ends the session,
as with every proof. Pages begin at a number: what comes meanwhile shifts nothing. Whoever follows asks again after a pause:
the server answers out of memory where nothing is new, and has nobody to remember.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any, Final, TypeVar

from msgspec import Struct

from sft.client.api import Requester
from sft.client.api.leaves import head_of, refuse
from sft.client.api.people import show_user_by_id
from sft.client.concurrency import gather_limited
from sft.client.logged import LogLine
from sft.errors import CryptoError, NotFoundError
from sft.ledger.acts import ACTS
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LogLeaf
from sft.ledger.proofs import verify_several
from sft.ledger.records import SALT_BYTES, LeafRecord, RecordPart
from sft.limits import LOG_ENTRIES
from sft.model.evidence import LoggedLeaf, LoggedPage
from sft.wire.messages import LogPage, ReadLog, ReadRecord, RecordShown

FOLLOW_SECONDS: Final = (
    2.0  # between two looks: a person sees it at once, and a hundred of them cost a server 5 ms a second
)

NAMES_KNOWN: Final = 4096  # of people, and of files: with the longest paths 4 MiB

_ASKED_AT_ONCE: Final = 8
_NAMING: Final = tuple(int(kind) for act in ("store", "move", "delete", "restore") for kind in ACTS[act])


K = TypeVar("K", int, bytes)


class LogQuery(Struct, frozen=True, kw_only=True):
    """Which leaves are meant; all that is said must be so.

    Attributes:
        user_id: who did it or had it done to them.
        file_id: 16 bytes; whatever the file was called.
        kinds: numbers of LeafKind; any where there is none.
        since, until: Unix seconds by the server's clock; until leaves out that moment.
    """

    user_id: int | None = None
    file_id: bytes | None = None
    kinds: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None


class LogLines(Struct, frozen=True):
    """A page of lines.

    Attributes:
        lines: in the order that was asked for; there may be none, though more follow.
        head: under which they were proved.
        note: that head as it was signed.
        next: where to go on.
        more: there is another page now.
    """

    lines: list[LogLine]
    head: Checkpoint
    note: str
    next: int
    more: bool


EVERYTHING: Final = LogQuery()


async def page_before(
    session: Requester,
    query: LogQuery = EVERYTHING,
    before: int | None = None,
    limit: int = LOG_ENTRIES,
    *,
    start: int = 0,
) -> LogLines:
    """Show a page of the newest lines first, those before a leaf, or before the log's end; more are before ``next``.

    Args:
        start: no leaf before this one is looked at.
    """
    return await _page(session, ReadLog(1, start=start, end=before, newest_first=True, limit=limit, **_fields(query)))


async def page_after(
    session: Requester, query: LogQuery = EVERYTHING, start: int = 0, limit: int = LOG_ENTRIES
) -> LogLines:
    """Show a page of the oldest lines first, from a leaf on; more are, or will be, from ``next`` on."""
    return await _page(session, ReadLog(1, start=start, limit=limit, **_fields(query)))


async def newest(session: Requester, query: LogQuery, count: int) -> LogLines:
    """Show so many of the newest lines together, the oldest of them first; ``next`` is where what comes later begins."""
    lines: list[LogLine] = []
    first = page = await page_before(session, query, None, min(count, LOG_ENTRIES))
    lines += page.lines
    while page.more and len(lines) < count:
        page = await page_before(session, query, page.next, min(count - len(lines), LOG_ENTRIES))
        lines += page.lines
    return LogLines(lines[::-1], first.head, first.note, first.head.size, more=False)


async def start_of_newest(session: Requester, query: LogQuery, count: int) -> int:
    """Find the leaf with which so many of the newest lines begin: page by page, however many they are."""
    page = await page_before(session, query, None, min(count, LOG_ENTRIES))
    seen, start = len(page.lines), page.lines[-1].number if page.lines else page.head.size
    while page.more and seen < count:
        page = await page_before(session, query, page.next, min(count - seen, LOG_ENTRIES))
        seen, start = seen + len(page.lines), page.lines[-1].number if page.lines else start
    return start


async def all_lines(session: Requester, query: LogQuery = EVERYTHING, start: int = 0) -> AsyncIterator[LogLines]:
    """Show all there is from a leaf on, page by page; an empty page where that is nothing."""
    while True:
        page = await page_after(session, query, start)
        yield page
        start = page.next
        if not page.more:
            return


class LogNames:
    """The names of whom lines name by id alone, and of files that they name so: each asked for once while it is known.

    Of as many as there are in ``NAMES_KNOWN`` those that were needed last are known: a log names millions.
    """

    def __init__(self, session: Requester) -> None:
        self._session = session
        self._people: dict[int, str] = {}
        self._paths: dict[bytes, str] = {}

    async def learn(self, lines: Iterable[LogLine]) -> None:
        """Ask for the names of whoever acts in these lines, or has it done to them, and of what they downloaded."""
        lines = list(lines)
        people = {each for line in lines for each in (line.actor_id, line.subject_id) if each is not None}
        files = {line.file_id for line in lines if line.file_id is not None and not line.path}
        await gather_limited(_ASKED_AT_ONCE, sorted(people - self._people.keys()), self._learn_user)
        await gather_limited(_ASKED_AT_ONCE, sorted(files - self._paths.keys()), self._learn_path)
        _keep_last(self._people, people)
        _keep_last(self._paths, files)

    async def _learn_user(self, user_id: int) -> None:
        with suppress(NotFoundError):
            self._people[user_id] = (await show_user_by_id(self._session, user_id)).name

    async def _learn_path(self, file_id: bytes) -> None:
        named = await page_before(self._session, LogQuery(file_id=file_id, kinds=_NAMING), limit=1)
        self._paths[file_id] = named.lines[0].path if named.lines else ""

    def name(self, user_id: int | None) -> str:
        """Return a name that was learned, or the id; of nobody, the operator's."""
        return "operator" if user_id is None else self._people.get(user_id, f"user {user_id}")

    def path(self, line: LogLine) -> str:
        """Return the path that a line is about, or the one by which the log last called its file; empty for none."""
        return line.path or ("" if line.file_id is None else self._paths.get(line.file_id, ""))


def _keep_last(known: dict[K, str], needed: Iterable[K]) -> None:
    """Forget what was needed longest ago, where that is too much."""
    known |= {each: known.pop(each) for each in needed if each in known}
    for each in list(islice(known, max(0, len(known) - NAMES_KNOWN))):
        del known[each]


# -- what is shown is what was asked for ---------------------------------------------------------------------


def _fields(query: LogQuery) -> dict[str, Any]:
    return {name: getattr(query, name) for name in LogQuery.__struct_fields__}


async def _page(session: Requester, asked: ReadLog) -> LogLines:
    fields = {name: getattr(asked, name) for name in ReadLog.__struct_fields__ if name != "id"}
    page = (await session.request(ReadLog, LogPage, **fields)).page
    head = head_of(session, page.head)
    try:
        _require_proved(page, head)
        _require_asked(page, asked, head)
        lines = [_line(each, await _record(session, each)) for each in page.leaves]
        for line in lines:
            _require_about(line, asked)
    except CryptoError as fault:
        refuse(session, fault.detail)
    return LogLines(lines, head, page.head, page.next, page.more)


def _require_proved(page: LoggedPage, head: Checkpoint) -> None:
    hashes = {each.number: leaf_hash(each.leaf) for each in page.leaves}
    if hashes:
        verify_several(hashes, head.size, page.proof, head.root)
    elif page.proof:
        raise CryptoError("a proof of nothing")


def _require_asked(page: LoggedPage, asked: ReadLog, head: Checkpoint) -> None:
    numbers = [each.number for each in page.leaves]
    end = head.size if asked.end is None else min(asked.end, head.size)
    if numbers != sorted(set(numbers), reverse=asked.newest_first):
        raise CryptoError("leaves in another order")
    if any(not asked.start <= number < end for number in numbers) or len(numbers) > asked.limit:
        raise CryptoError("other leaves than those that were asked for")
    if asked.newest_first:
        goes_on = asked.start < page.next < (numbers[-1] + 1 if numbers else end)
    else:  # past the end nothing is left, and who reads on would do so for ever
        goes_on = (numbers[-1] if numbers else asked.start) < page.next < end
    if page.more and not goes_on:
        raise CryptoError("pages that lead nowhere")


def _require_about(line: LogLine, asked: ReadLog) -> None:
    if asked.kinds and line.kind not in asked.kinds:
        raise CryptoError("a leaf of another kind")
    if asked.user_id is not None and asked.user_id not in (line.actor_id, line.subject_id):
        raise CryptoError("a leaf about another user")
    if asked.file_id is not None and (
        line.record is None or asked.file_id.hex().encode() not in line.record.facts.body
    ):
        raise CryptoError("a leaf about another file")


async def _record(session: Requester, shown: LoggedLeaf) -> LeafRecord | None:
    facts, personal = shown.facts, shown.personal
    if shown.apart:
        facts = (await session.request(ReadRecord, RecordShown, number=shown.number)).part
        personal = (await session.request(ReadRecord, RecordShown, number=shown.number, personal=True)).part
    if facts is None:
        return None
    return LeafRecord(_part(facts), None if personal is None else _part(personal))


def _part(data: bytes) -> RecordPart:
    return RecordPart(data[:SALT_BYTES], data[SALT_BYTES:])


def _line(shown: LoggedLeaf, record: LeafRecord | None) -> LogLine:
    leaf = LogLeaf.decode(shown.leaf)
    if record is not None:
        record.check(leaf)
    return LogLine.of(shown.number, leaf, record)
