"""A whole log again, leaf by leaf, as far as its bytes and records tell: what no single proof shows.

    log       the root of all leaves so far, where a checkpoint says what it is
    state     each leaf's slots put into both state trees, and the roots that the leaf names after it
    slots     dense: each new one is the next of its tree
    records   each part that is there against the hash in its leaf; what they say: ``sft.ledger.replayed_facts``

Rules. Leaves come in order, each once, and none is kept: memory is that of the state trees, and of the ids and keys that the
facts name. A fault is a finding, with the leaf's number; the replay goes on where it can. After a state root that does not
hold no later one is looked at, for all would fail; the log's own root still is. Whoever calls decides by the findings: there
are none of a log that holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from sft.errors import LedgerFormatError
from sft.ledger.facts import Facts
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LeafKind, LogLeaf, StateTreeKind
from sft.ledger.records import LeafRecord
from sft.ledger.replayed_facts import ReplayedFacts, SlotsBegun
from sft.ledger.state import Draft, StateTree
from sft.ledger.tiles import TILE_WIDTH
from sft.ledger.tree import LogTree

FINDINGS_KEPT: Final = 100
_FIRST_EPOCH: Final = 1


class Finding(Struct, frozen=True):
    """Something that does not hold; ``leaf`` is the index of the leaf, None where it is about the whole log."""

    leaf: int | None
    problem: str


class ReplayedLog(Struct, frozen=True, kw_only=True):
    """What a replay came to.

    Attributes:
        size, root: of the log.
        users, files: slots of each state tree.
        records: leaves whose facts were there.
        erased: leaves whose personal part was not, though they name one: it was erased, or is not given out.
        statements: of people, that were checked.
        steps_back: leaves that say an earlier time than one before them: the server's clock was set, which is no fault.
        findings: the first ``FINDINGS_KEPT``.
        more_findings: beyond these.
    """

    size: int
    root: bytes
    users: int
    files: int
    records: int
    erased: int
    statements: int
    steps_back: int
    findings: tuple[Finding, ...]
    more_findings: int


class Replay:
    """A replay under way.

    Args:
        heads: the roots that the log is to have at some sizes, 32 bytes each: those of checkpoints.
        epoch: of its origin; None where that is not held to its restarts.
    """

    def __init__(self, heads: Mapping[int, bytes] | None = None, *, epoch: int | None = None) -> None:
        self._origin_epoch = epoch
        self._heads = dict(heads or {})
        self._tree = LogTree()
        self._hashes: list[bytes] = []
        self._states = _States()
        self._said = ReplayedFacts()
        self._findings: list[Finding] = []
        self._more = 0
        self._time = 0
        self._epoch = _FIRST_EPOCH
        self._records = self._erased = self._steps_back = 0

    @property
    def size(self) -> int:
        """How many leaves were replayed."""
        return self._tree.size + len(self._hashes)

    def add(self, entry: bytes, record: LeafRecord | None = None) -> None:
        """Replay the next leaf.

        Args:
            entry: its bytes, as they are hashed.
            record: None where it is not given out.
        """
        number = self.size
        self._hashes.append(leaf_hash(entry))
        for problem in self._faults(number, entry, record):
            self.note(number, problem)
        if len(self._hashes) == TILE_WIDTH or self.size in self._heads:
            self._settle()

    def note(self, leaf: int | None, problem: str) -> None:
        """Add a finding of whoever reads the leaves."""
        if len(self._findings) < FINDINGS_KEPT:
            self._findings.append(Finding(leaf, problem))
        else:
            self._more += 1

    def end(self) -> ReplayedLog:
        """End it: compare what is left, and return what it came to."""
        self._settle()
        for size in sorted(self._heads):
            if size > self._tree.size:
                self.note(None, f"it ends at {self._tree.size} leaves, and a checkpoint says {size}")
        for problem in self._said.used_again():
            self.note(None, problem)
        if self._origin_epoch is not None and self._records == self._tree.size and self._epoch != self._origin_epoch:
            self.note(None, f"its name is of epoch {self._origin_epoch}, and its leaves are of epoch {self._epoch}")
        return ReplayedLog(
            size=self._tree.size,
            root=self._tree.root(),
            users=self._states.size(StateTreeKind.USERS),
            files=self._states.size(StateTreeKind.FILES),
            records=self._records,
            erased=self._erased,
            statements=self._said.statements,
            steps_back=self._steps_back,
            findings=tuple(self._findings),
            more_findings=self._more,
        )

    def _faults(self, number: int, entry: bytes, record: LeafRecord | None) -> Iterator[str]:
        try:
            leaf = LogLeaf.decode(entry)
        except LedgerFormatError as fault:
            self._states.give_up()
            yield f"it is no leaf ({fault.detail}); states after it were not looked at"
            return
        if leaf.time < self._time:
            self._steps_back += 1
        self._time = max(self._time, leaf.time)
        begun, problem = self._states.follow(leaf)
        if problem:
            yield problem
        if record is None:
            return
        self._records += 1
        self._erased += leaf.personal is not None and record.personal is None
        try:
            record.check(leaf)
        except LedgerFormatError as fault:
            yield f"its record is not the leaf's: {fault.detail}"
            return
        if leaf.kind is LeafKind.LOG_RESTARTED:
            yield from self._restarted(number, record)
        yield from self._said.faults(number, leaf.kind, record, begun)

    def _restarted(self, number: int, record: LeafRecord) -> Iterator[str]:
        """Hold a restart to its place, to what was kept, and to the epochs before: one that was made up excuses a fork."""
        try:
            said = Facts.decode(record.facts.body)
        except LedgerFormatError:
            return  # told with all other facts
        self._tree, _ = self._tree.append(self._hashes[:-1])
        del self._hashes[:-1]
        if said.size != number or (said.root or "") != self._tree.root().hex():
            yield "it says that the log was cut elsewhere than where it stands"
        if said.epoch is None or said.epoch <= self._epoch:
            yield f"it begins epoch {said.epoch} after epoch {self._epoch}"
        self._epoch = max(self._epoch, said.epoch or 0)

    def _settle(self) -> None:
        self._tree, _ = self._tree.append(self._hashes)
        self._hashes.clear()
        self._states.settle()
        if (expected := self._heads.pop(self._tree.size, None)) is not None and expected != self._tree.root():
            self.note(None, f"its root at {self._tree.size} leaves is not the one that a checkpoint says")


class _States:
    """Both state trees, as the leaves so far made them."""

    def __init__(self) -> None:
        self._trees = {kind: StateTree() for kind in StateTreeKind}
        self._drafts: dict[StateTreeKind, Draft] = {}
        self._roots = {kind: tree.root() for kind, tree in self._trees.items()}
        self._given_up = False

    def size(self, kind: StateTreeKind) -> int:
        return self._slots(kind).size

    def give_up(self) -> None:
        self._given_up = True

    def settle(self) -> None:
        """Make the changes of many leaves the truth at once: every root was compared when they were drafted."""
        for kind, draft in self._drafts.items():
            self._trees[kind].apply(draft)
        self._drafts.clear()

    def follow(self, leaf: LogLeaf) -> tuple[SlotsBegun | None, str]:
        """Change the slots that a leaf names, and compare the roots.

        Returns:
            Which slots it began, and what does not hold; None when nothing can be said of slots any more.
        """
        if self._given_up:
            return None, ""
        before = {kind: self._slots(kind).size for kind in StateTreeKind}
        try:
            for slot in leaf.slots:
                if slot.tree in self._trees:
                    self._set(StateTreeKind(slot.tree), slot.number, slot.record_hash)
            problem = self._compared(leaf)
        except (LedgerFormatError, ValueError) as fault:
            problem = f"its slots do not follow those before it ({fault})"
        if problem:
            self._given_up = True
            return None, f"{problem}; states after it were not looked at"
        users, files = (range(before[kind], self._slots(kind).size) for kind in StateTreeKind)
        return SlotsBegun(users, files), ""

    def _set(self, kind: StateTreeKind, number: int, record_hash: bytes) -> None:
        draft = self._drafts.get(kind)
        if draft is None:
            draft = self._drafts[kind] = self._trees[kind].draft()
        draft.set(number, record_hash)
        self._roots.pop(kind, None)

    def _compared(self, leaf: LogLeaf) -> str:
        for kind in StateTreeKind:
            slots, named = self._slots(kind), leaf.state_root(kind)
            if kind not in self._roots:
                self._roots[kind] = slots.root()
            if (named.size, named.root) != (slots.size, self._roots[kind]):
                return f"the state of {kind.name.lower()} after it is another than it says"
        return ""

    def _slots(self, kind: StateTreeKind) -> StateTree | Draft:
        return self._drafts.get(kind) or self._trees[kind]
