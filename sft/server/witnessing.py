"""Having the log's heads cosigned by the witnesses of the policy, beside everything else (C2SP tlog-witness, tlog-policy).

Rules. Nothing waits for it: it looks at the newest head now and then, asks on threads of its own, and no act knows of it. One
round at a time, of the newest head alone; a witness that fails is asked again later and later, up to an hour. A head that
stays the newest is cosigned anew every six hours, so that its cosignatures say that nothing newer was seen. What clients are
given is the newest checkpoint that satisfies the quorum of the server's own policy, or, where that is ``none``, that anybody
cosigned. The event log has a line when a witness begins to fail otherwise than before, and when it answers again, not for
each try.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct
from twisted.internet.defer import Deferred, DeferredList, DeferredLock
from twisted.internet.task import LoopingCall

from sft import limits
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import NoteSignature, SignedNote
from sft.errors import ProofInvalidError, SignatureInvalidError
from sft.ledger.add_checkpoint import (
    ANOTHER_SIZE,
    NOT_PROVED,
    NOT_SIGNED,
    UNKNOWN_LOG,
    AddCheckpoint,
    read_answer,
    read_size,
)
from sft.ledger.checkpoints import TreeHead
from sft.ledger.policy import Policy
from sft.server.event_log import EventLog
from sft.transport.http_post import HttpReply
from sft.transport.threads import Pool

ANSWERED: Final = 200
_REFUSALS: Final = {
    NOT_SIGNED: "does not know the key that signs this log",
    UNKNOWN_LOG: "does not know this log",
    NOT_PROVED: "does not accept the proof: has it seen another log of this name?",
}

Post = Callable[[str, bytes], HttpReply]
"""Posts a request to a witness; blocks, for a bounded time. OSError where there is no answer."""


class _Head(Protocol):
    @property
    def size(self) -> int: ...
    @property
    def note(self) -> str: ...


class WitnessedLog(Protocol):
    """What this needs of the ledger."""

    @property
    def head(self) -> _Head:
        """The newest head."""

    def consistency(self, old_size: int, size: int | None = None) -> Sequence[bytes]:
        """Prove that the log of one size goes on an older one; blocks."""


class WitnessState(Struct):
    """One witness that is asked, by its URL, as far as is known; for who looks at the server.

    Attributes:
        keys: its cosigners' keys, one or both kinds.
        size: what it cosigned last, as it says itself; 0 where it was not asked yet.
        problem: why it does not cosign; empty where it does.
    """

    url: str
    names: tuple[str, ...]
    keys: tuple[NoteKey, ...]
    size: int = 0
    cosigned_at: float | None = None
    problem: str = ""
    failures: int = 0
    next_at: float = 0.0


class _Asked(Struct, frozen=True):
    """What came of asking a witness for a head: its lines, or a problem; and the size it says that it has."""

    size: int
    lines: tuple[NoteSignature, ...] = ()
    problem: str = ""


class Witnessing:
    """The witnesses of one server, as they are asked.

    Args:
        post: asks one, on a thread of the pool.
        keep: makes what clients are given durable; blocks.
        kept: what ``keep`` was given last, before this start; None where nothing was.
    """

    def __init__(
        self,
        clock: Any,
        pool: Pool,
        ledger: WitnessedLog,
        policy: Policy,
        *,
        post: Post,
        keep: Callable[[bytes], None],
        kept: bytes | None,
        event_log: EventLog,
    ) -> None:
        self._clock = clock
        self._pool = pool
        self._ledger = ledger
        self._policy = policy
        self._post = post
        self._keep = keep
        self._event_log = event_log
        self.witnesses = _by_url(policy)
        self._lines: tuple[int, tuple[NoteSignature, ...]] = (0, ())  # of a head that has no quorum yet
        self._cosigned = self._own(kept)
        self._turn = DeferredLock()
        self._stopped = False
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock

    @property
    def cosigned(self) -> SignedNote | None:
        """The newest checkpoint that is witnessed, with its cosignatures; None where there is none."""
        return self._cosigned

    def start(self) -> None:
        """Begin to look, if there is anybody to ask."""
        if self.witnesses:
            self._ticking.start(limits.WITNESS_LOOK_SECONDS).addErrback(self._event_log.failed, "witness-fault")

    def stop(self) -> None:
        """Begin nothing more; what is under way ends with its time, or is cut by whoever gave ``post``."""
        self._stopped = True
        if self._ticking.running:
            self._ticking.stop()

    def _tick(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.look()).addErrback(self._event_log.failed, "witness-fault")

    async def look(self) -> None:
        """Ask every witness whose turn it is for the newest head, and take what they give; after the round under way."""
        await self._turn.acquire()
        try:
            await self._look()
        finally:
            self._turn.release()

    async def _look(self) -> None:
        head = self._ledger.head
        now = self._clock.seconds()
        due = [each for each in self.witnesses if now >= each.next_at and self._is_wanted(each, head.size, now)]
        if not due:
            return
        note = SignedNote.parse(head.note)
        asked = [self._pool.run(self._ask, each, note, head.size) for each in due]
        lines: list[NoteSignature] = []
        outcomes: Any = await DeferredList(asked, consumeErrors=True)
        if self._stopped:  # they were cut: that is no fault of a witness
            return
        for witness, (_, outcome) in zip(due, outcomes, strict=True):
            found = outcome if isinstance(outcome, _Asked) else self._broken(witness, outcome)
            self._note(witness, found)
            lines += found.lines
        if lines:
            await self._take(note, head.size, lines)

    def _is_wanted(self, witness: WitnessState, size: int, now: float) -> bool:
        if witness.size != size or witness.cosigned_at is None:
            return True
        return now - witness.cosigned_at >= limits.COSIGN_AGAIN_SECONDS

    # -- asking one; on a thread

    def _ask(self, witness: WitnessState, note: SignedNote, size: int) -> _Asked:
        old = min(witness.size, size)
        reply = self._submit(witness, note, old, size)
        if isinstance(reply, str):
            return _Asked(witness.size, problem=reply)
        if reply.status == ANOTHER_SIZE:
            # It cosigned another one than we know of: before our start, or for somebody who has our heads too.
            try:
                old = read_size(reply.body)
            except ProofInvalidError:
                return _Asked(witness.size, problem="answers another size without saying which")
            if old > size:
                return _Asked(witness.size, problem=f"has cosigned {old} leaves of this log, which has {size}")
            reply = self._submit(witness, note, old, size)
            if isinstance(reply, str):
                return _Asked(old, problem=reply)
        if reply.status != ANSWERED:
            return _Asked(old, problem=_REFUSALS.get(reply.status, f"answers with status {reply.status}"))
        try:
            return _Asked(size, read_answer(note.text, reply.body, witness.keys))
        except SignatureInvalidError as fault:
            return _Asked(old, problem=f"gives no cosignature that holds: {fault.detail}")

    def _submit(self, witness: WitnessState, note: SignedNote, old: int, size: int) -> HttpReply | str:
        proof = tuple(self._ledger.consistency(old, size)) if old else ()
        try:
            return self._post(witness.url, AddCheckpoint(old, proof, note).encode())
        except OSError as fault:
            return f"does not answer ({fault.strerror or fault})"

    # -- what came of it

    def _broken(self, witness: WitnessState, failure: Any) -> _Asked:
        self._event_log.fault("witness-fault", failure, witness=witness.url)
        return _Asked(witness.size, problem="a fault of this server")

    def _note(self, witness: WitnessState, found: _Asked) -> None:
        now = self._clock.seconds()
        witness.size = found.size
        if found.problem != witness.problem:
            if found.problem:
                self._event_log.warn("witness-failed", witness=witness.url, problem=found.problem)
            else:
                self._event_log.note("witness-answers", witness=witness.url, size=found.size)
            witness.problem = found.problem
        if found.problem:
            waits = limits.WITNESS_LOOK_SECONDS << min(witness.failures, 16)
            witness.failures += 1
            witness.next_at = now + min(waits, limits.WITNESS_PAUSE_SECONDS)
        else:
            witness.failures, witness.next_at, witness.cosigned_at = 0, now, now

    async def _take(self, head: SignedNote, size: int, lines: Sequence[NoteSignature]) -> None:
        """Put these lines beside those that the same head has; give it out where they are enough."""
        before_size, before = self._lines
        older = before if before_size == size else ()
        if self._cosigned is not None and TreeHead.parse(self._cosigned.text).size == size:
            older += self._cosigned.signatures[1:]
        newer = {(line.name, line.key_hash): line for line in (*older, *lines)}
        self._lines = (size, tuple(newer.values()))
        whole = SignedNote(head.text, (head.signatures[0], *newer.values()))
        if self._policy.is_satisfied(whole.verify(self._policy.witness_keys())):
            self._cosigned = whole
            await self._pool.run(self._keep, whole.encode().encode("utf-8"))

    def _own(self, kept: bytes | None) -> SignedNote | None:
        """Take what was kept, where it is of this log and of these witnesses."""
        try:
            note = SignedNote.parse(kept.decode("utf-8")) if kept else None
            if note is None:
                return None
            head = self._ledger.head
            found, ours = TreeHead.parse(note.text), TreeHead.parse(SignedNote.parse(head.note).text)
            cosigners = note.verify(self._policy.witness_keys())
        except (SignatureInvalidError, ValueError):
            return None  # of witnesses that the policy has no more, or nothing whole
        held = found.origin == ours.origin and found.size <= ours.size and cosigners
        return note if held and self._policy.is_satisfied(cosigners) else None


def _by_url(policy: Policy) -> tuple[WitnessState, ...]:
    """Put together the witnesses of one submission prefix: who has two keys is asked once."""
    urls = dict.fromkeys(each.url for each in policy.witnesses if each.url)
    return tuple(
        WitnessState(
            url,
            tuple(each.name for each in policy.witnesses if each.url == url),
            tuple(each.key for each in policy.witnesses if each.url == url),
        )
        for url in urls
    )
