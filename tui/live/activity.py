"""The log of the server in use, read page by page, with the names of those whom it names by id.

Rules. Names are learned before a page is given out, and belong to one account. What this computer was told of the log, and
when, is read off the session.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from sft.client.api import leaves, log
from sft.client.api.log import EVERYTHING, LogLines, LogNames, LogQuery
from sft.client.api.people import show_user_by_id
from sft.client.concurrency import pause
from sft.client.heads import Heads
from sft.client.log_export import export_lines
from sft.client.log_verify import VerifiedLog, verify_server
from sft.client.logged import LogLine
from sft.client.logged_statement import SignedBy, signed_by
from sft.client.session import Session
from sft.errors import NotFoundError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.leaves import LogLeaf
from sft.limits import LOG_ENTRIES
from sft.model.access import OPERATOR
from tui.gateway import LogProof
from tui.live.session_access import SessionAccess

_PATHS_KNOWN: Final = 4096  # of files that lines name by id alone


class LiveActivity:
    """The log."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access
        self._account = ""
        self._learned: tuple[Session, LogNames] | None = None
        self._names: dict[int, str] = {}
        self._paths: dict[bytes, str] = {}
        self._told: tuple[Session | None, float] = (None, 0.0)

    @property
    def proof(self) -> LogProof | None:
        session = self._access.session
        if session is None or session.log.head is None:
            return None
        told_by, at = self._told
        told_at = at if told_by is session else self._access.connection.since
        return LogProof(session.log.head.checkpoint.size, told_at, session.profile.joined_at, session.log.agreeing)

    async def before(self, query: LogQuery = EVERYTHING, end: int | None = None, limit: int = LOG_ENTRIES) -> LogLines:
        return await self._access.ask(lambda session: self._before(session, query, end, limit))

    async def after(self, query: LogQuery = EVERYTHING, start: int = 0, limit: int = LOG_ENTRIES) -> LogLines:
        return await self._access.ask(lambda session: self._after(session, query, start, limit))

    def name(self, user_id: int | None) -> str:
        return OPERATOR if user_id is None else self._names.get(user_id, f"user {user_id}")

    def path(self, line: LogLine) -> str:
        return line.path or ("" if line.file_id is None else self._paths.get(line.file_id, ""))

    async def prove(self, number: int) -> tuple[LogLeaf, Checkpoint]:
        return await self._access.ask(lambda session: leaves.prove_leaf(session, number))

    async def signed_by(self, line: LogLine) -> SignedBy | None:
        user_id = line.actor_id
        if user_id is None or not line.is_signed:
            return None
        return await self._access.ask(lambda session: self._signed_by(session, line, user_id))

    async def check(self, report: Callable[[int, int], None]) -> VerifiedLog:
        async def checked(session: Session) -> VerifiedLog:
            kept = await session.pool.run(Heads(session.state, session.server_id).read)
            give_way = partial(pause, self._access.reactor, 0)
            return await verify_server(session, [head.checkpoint for head in kept], report, give_way=give_way)

        return await self._access.ask(checked)

    async def export(
        self, query: LogQuery, path: Path, *, fits: Callable[[LogLine], bool] | None, report: Callable[[int], None]
    ) -> int:
        async def exported(session: Session) -> int:
            async def named(start: int) -> LogLines:
                return await self._after(session, query, start, LOG_ENTRIES)

            return await export_lines(session.pool, named, self, path, fits=fits, report=report)

        return await self._access.ask(exported)

    async def _before(self, session: Session, query: LogQuery, end: int | None, limit: int) -> LogLines:
        return await self._named(session, await log.page_before(session, query, end, limit))

    async def _after(self, session: Session, query: LogQuery, start: int, limit: int) -> LogLines:
        return await self._named(session, await log.page_after(session, query, start, limit))

    async def _named(self, session: Session, page: LogLines) -> LogLines:
        self._told = (session, self._access.clock())
        if self._account != session.profile.name:
            self._account, self._names, self._paths = session.profile.name, {}, {}
        if self._learned is None or self._learned[0] is not session:
            self._learned = (session, LogNames(session))
        names = self._learned[1]
        await names.learn(page.lines)
        for line in page.lines:
            if line.file_id is not None and not line.path:
                self._paths[line.file_id] = names.path(line)
            self._names |= {each: names.name(each) for each in (line.actor_id, line.subject_id) if each is not None}
        if len(self._paths) > _PATHS_KNOWN:  # whoever scrolls through a million downloads
            self._learned = None
            self._paths = dict(islice(self._paths.items(), _PATHS_KNOWN // 2, None))
        return page

    @staticmethod
    async def _signed_by(session: Session, line: LogLine, user_id: int) -> SignedBy | None:
        try:
            user = await show_user_by_id(session, user_id)
        except NotFoundError:
            return SignedBy("", "", whole=False, at=None)
        return await session.pool.run(signed_by, line, user, session.server_id)
