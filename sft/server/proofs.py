"""What a session proves: heads before the answers that rest on them, and the evidence of an answer.

    read (one transaction) → EvidenceBuilder → proof, and the way to its head (another thread) → LogHead, answer (one turn)

Rules. Evidence is under the head that was told last when its answer is sent: what another answer has overtaken is made again,
and what has changed since it was read is read again. So whoever gets evidence sends the answer in the same turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from twisted.internet.defer import Deferred

from sft.crypto.signed_note import SignedNote
from sft.errors import StoreError, TooLargeError
from sft.ledger.checkpoints import TreeHead
from sft.ledger.tiles import TILE_WIDTH
from sft.limits import COSIGNED_BYTES, EVIDENCE_SLOTS
from sft.model.evidence import Evidence, LoggedPage, LogProof, ProvedLeaf
from sft.server.context import ServerContext
from sft.server.log_heads import HeadStep, SessionHead
from sft.service.act_statement import require_seen_of
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.ledger import Ledger, ProvedSlots, SignedHead
from sft.service.log.reading import UnderHead
from sft.wire.messages import Message, Reply, fits

_FILE_SLOTS: Final = 4  # of a file beside its folders': its own, its owner's, its author's, and of who is to own it
READ_AGAIN: Final = 32  # a slot of it would have to change each time between its reading and its proof

R = TypeVar("R")
Answer = TypeVar("Answer", bound=Reply)


class ShownLog(Struct, frozen=True):
    """What a login is shown: the head, its consistency from the sizes that were claimed, and evidence of who logs in."""

    head: SignedHead
    consistency: tuple[LogProof, ...]
    evidence: Evidence
    cosigned: str = ""
    cosigned_consistency: LogProof = ()


def show_log(
    ledger: Ledger, builder: EvidenceBuilder, log_sizes: Sequence[int], cosigned: SignedNote | None = None
) -> ShownLog | None:
    """Make what a login is shown, on any thread; None where what it rests on has changed since it was read.

    From a size that the log does not have yet nothing is proved: the head says so.

    Args:
        cosigned: the newest checkpoint that is witnessed; left out where it is newer than the head, or too long.
    """
    proved = builder.prove(ledger)
    if proved is None:
        return None
    size = proved.head.size
    consistency = tuple(ledger.consistency(old, size) if old <= size else () for old in log_sizes)
    shown = ShownLog(proved.head, consistency, proved.evidence)
    if cosigned is None:
        return shown
    note, old = cosigned.encode(), TreeHead.parse(cosigned.text).size
    if old > size or len(note) > COSIGNED_BYTES:
        return shown
    return replace(shown, cosigned=note, cosigned_consistency=ledger.consistency(old, size))


def fitting(answer: Answer) -> Answer:
    """Return an answer with its evidence; TooLargeError if they do not fit one frame: too many folders, made far apart."""
    if not fits(answer):
        raise TooLargeError(what="The number of folders that an answer can prove", limit=EVIDENCE_SLOTS)
    return answer


def provable(paths: Sequence[str]) -> int:
    """Say how many files, the first ones, one answer can prove by the number of their folders; one at least.

    Nothing is read for it: of files in deep folders all would be looked up, and none answered.
    """
    folders = {""}
    for count, path in enumerate(paths):
        above = path.rpartition("/")[0]
        while above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
        if count and len(folders) + (count + 1) * _FILE_SLOTS > EVIDENCE_SLOTS:
            return count
    return len(paths)


class SessionProofs:
    """The proofs of one session.

    Args:
        session_id: whose turn it is to read.
        told: the welcome's head.
        send: sends a message now.
    """

    def __init__(
        self, context: ServerContext, session_id: int, told: SignedHead, send: Callable[[Message], None]
    ) -> None:
        self._ledger = context.ledger
        self._turns = context.reading_turns
        self._session_id = session_id
        self._head = SessionHead(context.ledger, told.size)
        self._send = send

    @property
    def leaf_bytes(self) -> int:
        """What the last leaf, with its inclusion, takes of an answer."""
        leaf = self._ledger.last_leaf
        return len(leaf.entry) + sum(map(len, leaf.inclusion))

    async def require_seen(self, statement: bytes) -> None:
        """Refuse a statement that names a head that is not this log's."""
        await self._apart(require_seen_of, self._ledger, statement)

    async def catch_up(self) -> None:
        """Tell the newest head where the last one told is so old that the way from there may be read from the disk."""
        while self._head.told_size + TILE_WIDTH < self._ledger.head.size:
            self._tell(await self._apart(self._head.step, self._ledger.head))

    def follow(self) -> None:
        """Tell the newest head at once, after ``catch_up``: of whoever acted, it has the act.

        The answer is to be sent before others hear of the act: it may end this very session. What is read for it, if
        anything, is the one tile that became full meanwhile.
        """
        self._tell(self._head.step(self._ledger.head))

    async def proved(self, read: Callable[[EvidenceBuilder], Awaitable[R]]) -> tuple[R, Evidence]:
        """Read, and prove what the answer rests on; both are to be sent at once.

        Raises:
            StoreError: it changes whenever it is read.
        """
        for _ in range(READ_AGAIN):
            builder = EvidenceBuilder()
            found = await read(builder)
            evidence = await self._evidence(builder)
            if evidence is not None:
                return found, evidence
        raise StoreError(problem="what an answer rests on changes whenever it is read")

    async def under_head(self, read: Callable[[], Awaitable[UnderHead]]) -> LoggedPage | ProvedLeaf:
        """Read what says under which head it is, and tell that; both are to be sent at once.

        Raises:
            StoreError: a newer head is told whenever it is read.
        """
        for _ in range(READ_AGAIN):
            found = await read()
            while self._head.told_size < found.head.size:
                self._tell(await self._apart(self._head.step, found.head))
            if found.head.size == self._head.told_size:
                return found.answer
        raise StoreError(problem="the log goes on whenever it is read")

    async def _evidence(self, builder: EvidenceBuilder) -> Evidence | None:
        while True:
            made = await self._apart(self._prove, builder)
            if made is None:
                return None
            proved, step = made
            self._tell(step)
            if proved.head.size == self._head.told_size:
                return proved.evidence

    def _prove(self, builder: EvidenceBuilder) -> tuple[ProvedSlots, HeadStep | None] | None:
        proved = builder.prove(self._ledger)
        return None if proved is None else (proved, self._head.step(proved.head))

    def _tell(self, step: HeadStep | None) -> None:
        message = self._head.take(step)
        if message is not None:
            self._send(message)

    def _apart(self, work: Callable[..., R], *args: object) -> Deferred[R]:
        """Do what may read old tiles, on another thread."""
        return self._turns.run(self._session_id, work, *args)
