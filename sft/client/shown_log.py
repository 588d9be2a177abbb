"""The log that a server shows now, held to what this computer saw: what a person is told before they decide to go on with it.

Rules. Whoever looks has kept nothing of it. What a receipt of this computer acknowledges is there if the leaf that it names
stored that version, or if it is older than a head that the log was proved to go on. What cannot be read is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from sft.client.api.log import LogQuery, all_lines, newest
from sft.client.heads import Head
from sft.client.receipts import kept_receipts
from sft.ledger.leaves import LeafKind

if TYPE_CHECKING:
    from sft.client.session import Session

_STORED: Final = (int(LeafKind.FILE_COMMITTED), int(LeafKind.FILE_REPLACED))


class LookedAtLog(Struct, frozen=True):
    """A log that was looked at.

    Attributes:
        head: the newest one.
        has_all: it was proved to go on every head that is kept here.
        continued: those of them that it was proved to go on.
        kept: entries of the log before, where the server has begun it again; None where it says nothing of that.
        before: what that log was called.
        reason: why, by the server's word.
        lacking: paths of our receipts for what it does not have.
    """

    head: Head
    has_all: bool
    continued: list[Head]
    kept: int | None
    before: str
    reason: str
    lacking: list[str]


async def look_at_log(session: Session) -> LookedAtLog:
    """Look at the log that a session, opened for that, is shown.

    Raises:
        LedgerError: it does not hold by itself.
    """
    log = session.log
    known = max((each.checkpoint.size for each in log.continued), default=0)
    receipts = await session.pool.run(kept_receipts, session.state, session.server_id)
    doubted = [(path, line) for path, line in receipts if line is None or line.leaf >= known]
    stored: set[tuple[Any, ...]] = set()
    if doubted:
        async for page in all_lines(session, LogQuery(kinds=_STORED), known):
            stored |= {(line.number, line.file_id, line.version) for line in page.lines}
    lacking = [path for path, line in doubted if line is None or (line.leaf, line.file_id, line.version) not in stored]
    begun = (await newest(session, LogQuery(kinds=(int(LeafKind.LOG_RESTARTED),)), 1)).lines
    facts = begun[-1].facts if begun else {}
    kept = facts.get("size")
    return LookedAtLog(
        head=log.told,
        has_all=len(log.continued) == len(log.named) and bool(log.named),
        continued=log.continued,
        kept=kept if isinstance(kept, int) else None,
        before=str(facts.get("origin", "")),
        reason=str(facts.get("reason", "")),
        lacking=lacking,
    )
