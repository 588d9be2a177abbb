"""A server's log as one session is shown it: from the heads that were known when it was dialed, to the newest it was told.

Rules. The head of the login proves that it goes on the newest that was known before; each later one, that it goes on the one
told before. What an answer proves is under the newest head that had come when the answer came, and under no older one: so its
last leaf is checked when it arrives, and its slots where there is time. The first thing that does not hold ends it for good: it
is kept as evidence, and nothing is taken or asked any more. Another process's newer head is no matter here. A log of another
epoch is never taken by itself; the heads of epochs before it, which others signed to have seen, are in its tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Struct

from sft.client.heads import Head, Place
from sft.crypto.comment import NO_HEAD
from sft.crypto.keys import ServerPublic
from sft.crypto.signed_note import text_of
from sft.errors import (
    CryptoError,
    LedgerError,
    LedgerFormatError,
    LocalProtocolError,
    LogForkedError,
    LogProofError,
    LogRestartedError,
    LogStaleError,
    LogWentBackError,
)
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint, parse_head_text
from sft.ledger.current import check_last_leaf, follow
from sft.ledger.leaves import LogLeaf
from sft.ledger.proofs import verify_consistency
from sft.ledger.restarts import proved_cut
from sft.limits import LOG_HEADS_KEPT
from sft.model.evidence import Evidence
from sft.model.links import LinkHead

_REMEMBERED: Final = 4096  # heads that others saw, 200 bytes each: an answer that names one proves it, again if need be
_TOLD: Final = 256  # heads of this session: an answer may be taken up some heads after it came
_HERE: Final = "this computer"

Exhibit = tuple[str, str]
"""What it is, and its text as it came."""

KeepContradiction = Callable[[LedgerError, list[Exhibit]], LedgerError]
"""Keeps what shows a contradiction, and returns the error that says so (blocks)."""


class Under(Struct, frozen=True):
    """What an answer is under: the newest head that was told, and its last leaf."""

    head: Head
    leaf: LogLeaf


class HeldEvidence(Evidence, frozen=True):
    """Evidence of which the last leaf was checked when it came."""

    under: Under | None = None


class LogFollower:
    """One session's view of a log.

    Args:
        server: how this computer calls the server.
        server_id: hash of its first key.
        kept: the heads that were known when it was dialed, the newest last.
        keep: keeps a contradiction.
        promised: of whoever joins, the head that the invitation names.
        before: epoch and size of heads of epochs before that this log was proved to go on: a restart that says that one of
            them was lost is none.
        looking: whether a person only looks at the log that is shown now, before they decide: whatever it is, it is taken.

    Attributes:
        continued: of whoever looks, those of the named heads that the log goes on, whatever it is called.
        named: those of them that the login names and the server's head has to continue: the newest, and the oldest ones.
        head: the newest that was told; None before the login.
        cosigned: the checkpoint of the login that has cosignatures, as far as it had one.
        begun_at: size of the login's; of whoever came back, of the first one's: what was listed then may be asked for still.
        newest_time: of the leaves that were proved to this session, by the server's clock.
        failed: what did not hold.
    """

    def __init__(
        self,
        server: str,
        server_id: bytes,
        kept: Sequence[Head],
        keep: KeepContradiction,
        promised: LinkHead | None = None,
        before: Sequence[Place] = (),
        *,
        looking: bool = False,
    ) -> None:
        self.server = server
        self._looking = looking
        self.continued: list[Head] = []
        self._promised = None if kept else promised
        self._kept = kept
        self._before = before
        self.named = [*kept[:-1][: LOG_HEADS_KEPT - 1], *kept[-1:]]
        self._server_id = server_id
        self._keep = keep
        self._key: ServerPublic | None = None
        self._under: tuple[bytes, Under] | None = None
        self._seen: dict[int, bytes] = {}
        self._told: dict[int, bytes] = {}
        self.head: Head | None = None
        self.cosigned: Head | None = None
        self.begun_at = 0
        self.newest_time = 0
        self.failed: LedgerError | None = None

    @property
    def log_sizes(self) -> tuple[int, ...]:
        """Of the named heads, as the login has them."""
        if self._promised is not None:
            return (self._promised.size,)
        return tuple(each.checkpoint.size for each in self.named)

    def is_of(self, server_id: bytes) -> bool:
        """Say whether this is the log of a server."""
        return self._server_id == server_id

    @property
    def agreeing(self) -> int:
        """How many heads that others signed to have seen this log was found to go on."""
        return len(self._seen)

    @property
    def told(self) -> Head:
        """The newest head; LogProofError if there is none."""
        self.require_sound()
        if self.head is None:
            self._fail(LogProofError(**self._named, what="that it has a log"))
        return self.head

    # -- heads: on the thread of the connection -------------------------------------------------------------

    def begin(self, key: ServerPublic, note: str, consistencies: Sequence[Sequence[bytes]]) -> None:
        """Take the head of the login, with a consistency from each of the named ones.

        Raises:
            LogWentBackError: it is behind what was known.
            LogForkedError: it is another log than what was known.
            LogProofError: it is not the server's own, or that it goes on what was known is not proved.
            LogRestartedError: it is of another epoch, and not of an earlier one.
        """
        self._key = key
        head = self._opened(note)
        if self._promised is not None:
            self._kept = self.named = [_as_head(self._promised, head)]
            self._promised = None
        proofs = [*consistencies, *[()] * len(self.named)]
        named = list(zip(self.named, proofs, strict=False))
        if self._looking:
            self.continued = [known for known, consistency in named if _goes_on(known, head, consistency)]
        for known in () if self._looking else self._kept:
            self._require_one_epoch(known, head)
            self._require_no_older(known, head)
        for known, consistency in () if self._looking else named:
            self._require_continued(known, head, consistency)
        self.begun_at = head.checkpoint.size
        self._take(head)

    def take_cosigned(self, note: str, consistency: Sequence[bytes]) -> None:
        """Take the checkpoint that witnesses cosigned, which the login's head has to go on; whose they are is no matter here.

        One that the server's key did not sign is passed over: another key may have followed that since.

        Raises:
            LogWentBackError, LogForkedError, LogProofError: the server signed it, and its head does not go on it.
        """
        head, key = self.told, self._key
        origin = head.checkpoint.origin
        try:
            checkpoint = open_checkpoint(note, origin, key or self._no_login())
        except CryptoError:
            return
        cosigned = Head(checkpoint, note)
        self._require_no_older(cosigned, head)
        self._require_continued(cosigned, head, consistency)
        self.cosigned = cosigned

    def follow(self, note: str, consistency: Sequence[bytes]) -> None:
        """Take a later head; raises what ``begin`` does where it does not go on the one before."""
        before, head = self.told, self._opened(note)
        self._require_no_older(before, head)
        self._require_continued(before, head, consistency)
        self._take(head)

    def of_session(self, note: str) -> Checkpoint:
        """Take the head that came with an answer: one that this session was told; LogProofError for another."""
        self.require_sound()
        checkpoint = self._opened(note).checkpoint
        if self._told.get(checkpoint.size) != checkpoint.root or checkpoint.origin != self.told.checkpoint.origin:
            self.refuse(f"that its log was told at {checkpoint.size}", None)
        return checkpoint

    def hold(self, evidence: Evidence) -> HeldEvidence:
        """Take the evidence of an answer that has just come; LogProofError if its leaf is not the head's last one."""
        head = self.told
        if self._under is None or self._under[0] != evidence.leaf or self._under[1].head is not head:
            try:
                leaf = check_last_leaf(head.checkpoint, evidence.leaf, evidence.inclusion)
            except CryptoError as error:
                self.refuse("what happened last", evidence, error.detail)
            self._under = evidence.leaf, Under(head, leaf)
            self.saw(leaf)
        return HeldEvidence(**msgspec.structs.asdict(evidence), under=self._under[1])

    # -- on any thread ------------------------------------------------------------------------------------------

    def under(self, evidence: Evidence | None, what: str) -> Under:
        """Return what evidence is under; LogProofError where there is none.

        Args:
            what: it should prove.
        """
        self.require_sound()
        if evidence is None:
            self.refuse(what, None)
        if not isinstance(evidence, HeldEvidence) or evidence.under is None:
            raise LocalProtocolError("evidence that was not held when it came")
        return evidence.under

    def require_one_log(self, evidence: Evidence, seen: str, witness: str) -> None:
        """Hold the head that somebody signed to have seen to this log.

        Args:
            seen: ``epoch.size:root``, as a trusted comment has it.
            witness: who signed that.

        Raises:
            LogForkedError: it is another log's.
            LogProofError: the answer does not prove that it is not.
        """
        head = self.under(evidence, f"the log that {witness} saw").head.checkpoint
        epoch, size, root = parse_head_text(seen)
        if seen == NO_HEAD or (epoch <= head.origin.epoch and self._seen.get(size) == root):
            return
        if epoch < head.origin.epoch and self._was_lost(evidence, head, epoch, size):
            return
        if epoch > head.origin.epoch:
            self.refuse(f"that what {witness} saw at {size} is in its log", evidence)
        proof = next((each.consistency for each in evidence.seen if each.size == size), None)
        if size > head.size or (proof is None and size < head.size):
            self.refuse(f"that what {witness} saw at {size} is in its log", evidence)
        try:
            verify_consistency(size, root, head.size, head.root, proof or ())
        except CryptoError as error:
            told = LogForkedError(error.detail, **self._named, witness=witness, seen=size)
            self._fail(told, ("seen", f"{witness}: {seen}"), ("shown", self.told.note), _as_text(evidence))
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[size] = root

    def _was_lost(self, evidence: Evidence, head: Checkpoint, epoch: int, size: int) -> bool:
        """Return whether a restart that is proved says that a head of an earlier epoch is of what was lost.

        Nobody goes on with such a log whose person has not agreed to it: it is another origin.
        """
        for each in evidence.restarts:
            try:
                cut = proved_cut(head, each.number, each.leaf, each.inclusion, each.facts)
            except (CryptoError, LedgerFormatError) as error:
                self.refuse("that its log was begun again", evidence, error.detail)
            if any(cut.lost(*place) for place in self._before):
                self.refuse(
                    f"that its log was begun again at {cut.kept}", evidence, "this computer saw it go on beyond that"
                )
            if cut.lost(epoch, size):
                return True
        return False

    def refuse(self, what: str, evidence: Evidence | None, detail: str = "") -> NoReturn:
        """Stop for something that was not proved; LogProofError."""
        shown = [] if self.head is None else [("shown", self.head.note)]
        answer = [] if evidence is None else [_as_text(evidence)]
        self._fail(LogProofError(detail, **self._named, what=what), *shown, *answer)

    def saw(self, leaf: LogLeaf) -> None:
        """Take note of a leaf that was proved."""
        self.newest_time = max(self.newest_time, leaf.time)

    def refuse_as_stale(self, stored_at: int) -> NoReturn:
        """Stop for something that was stored at a time, and is not in the log that is shown; LogStaleError."""
        shown = ("shown", self.told.note)
        self._fail(LogStaleError(**self._named, stored_at=stored_at, ended_at=self.newest_time), shown)

    def require_sound(self) -> None:
        """Go no further with a server that contradicted itself."""
        if self.failed is not None:
            raise self.failed

    # -- inside ---------------------------------------------------------------------------------------------

    @property
    def _named(self) -> dict[str, Any]:
        return {"server": self.server, "profile": self.server}

    def _take(self, head: Head) -> None:
        self.head = head
        self._told[head.checkpoint.size] = head.checkpoint.root
        if len(self._told) > _TOLD:
            del self._told[next(iter(self._told))]

    def _opened(self, note: str) -> Head:
        key = self._key or self._no_login()
        try:
            said = Checkpoint.parse(text_of(note)).origin
            checkpoint = open_checkpoint(note, Origin.of_server(said.host, self._server_id, said.epoch), key)
        except CryptoError as error:
            self._fail(LogProofError(error.detail, **self._named, what="its log with its key"), ("shown", note))
        return Head(checkpoint, note)

    def _no_login(self) -> NoReturn:
        raise LocalProtocolError("no login yet")

    def _require_one_epoch(self, known: Head, shown: Head) -> None:
        before, now = known.checkpoint, shown.checkpoint
        if now.origin.epoch < before.origin.epoch:  # a restart was taken back
            self._fail(LogWentBackError(**self._named, seen=before.size), *_both(known, shown))
        if now.origin != before.origin:
            self._fail(LogRestartedError(**self._named, seen=before.size), *_both(known, shown))

    def _require_no_older(self, known: Head, shown: Head) -> None:
        before, now = known.checkpoint, shown.checkpoint
        if now.size < before.size:
            self._fail(LogWentBackError(**self._named, seen=before.size), *_both(known, shown))
        if now.size == before.size and now.root != before.root:
            self._fail(LogForkedError(**self._named, witness=_HERE, seen=before.size), *_both(known, shown))

    def _require_continued(self, known: Head, shown: Head, consistency: Sequence[bytes]) -> None:
        try:
            follow(known.checkpoint, shown.checkpoint, consistency)
        except CryptoError as error:
            proof = "consistency", "\n".join(each.hex() for each in consistency)
            what = f"that its log goes on what this computer saw at {known.checkpoint.size}"
            self._fail(LogProofError(error.detail, **self._named, what=what), *_both(known, shown), proof)

    def _fail(self, error: LedgerError, *exhibits: Exhibit) -> NoReturn:
        if self.failed is None:
            self.failed = self._keep(error, list(exhibits))
        raise self.failed


def _as_head(promised: LinkHead, shown: Head) -> Head:
    """Return an invitation's head, which names no host: it is that of the log that is shown."""
    origin = shown.checkpoint.origin
    named = Origin(origin.host, origin.server, promised.epoch)
    return Head(Checkpoint(named, promised.size, promised.root), f"the invitation: {promised.text}")


def _goes_on(known: Head, shown: Head, consistency: Sequence[bytes]) -> bool:
    """Say whether a log has all of a head, be it of an epoch before: their tree is one."""
    before, now = known.checkpoint, shown.checkpoint
    try:
        verify_consistency(before.size, before.root, now.size, now.root, consistency)
    except CryptoError:
        return False
    return True


def _both(known: Head, shown: Head) -> list[Exhibit]:
    return [("known", known.note), ("shown", shown.note)]


def _as_text(evidence: Evidence) -> Exhibit:
    said = {name: msgspec.to_builtins(getattr(evidence, name)) for name in Evidence.__struct_fields__}
    return "answer", msgspec.json.format(msgspec.json.encode(said)).decode()
