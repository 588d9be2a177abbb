"""What the operator's long work is made of: how it reads and acts, and what it reports.

Rules. Such work runs on a thread of its own while the server serves: it reads a page in one transaction and writes a page in
another, and keeps none open while it touches the vault. A row that does not hold is reported and passed over, never trusted
and never the end of the work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeVar

from msgspec import Struct

from sft.errors import ObjectCorruptError, ObjectMissingError, ObjectUnreadableError, RequestError, RowForgedError
from sft.model.access import Caller, operator_caller
from sft.model.records import Fault, NoteAbout, VaultNote, VaultReport
from sft.service.record_builder import PageRoom
from sft.service.storage import FileStorage
from sft.store.rows import ReadTransaction, Transaction

NOT_READ: Final = (ObjectCorruptError, ObjectMissingError, ObjectUnreadableError)
"""One content's own: whatever else the disk refuses, as a write, ends the work."""

In = TypeVar("In")
Out = TypeVar("Out")
Key = TypeVar("Key")
R = TypeVar("R")

BeginRead = Callable[[], AbstractContextManager[ReadTransaction]]
"""Begins a reading transaction that ends with the block."""

Job = Callable[[], VaultReport]
"""Work that was allowed; it blocks."""

PAGE: Final = 200  # rows a transaction
FORGED: Final = "was changed outside the server"
_FAULTS: Final = 200  # of a report, as VaultReport bounds them
_REMEMBERED: Final = 10_000  # kept, to say nothing twice; beyond, as under a wrong row key, they are counted alone
_NOTES: Final = 4
_TEXT: Final = 1024


class Acting(Protocol):
    """Runs one act in the writer and waits for its result."""

    def __call__(self, act: Callable[[Transaction, Sequence[In]], Sequence[Out | RequestError]], item: In) -> Out:
        """Run it; a refusal is raised."""


class JobContext(Struct, frozen=True):
    """What a job works with.

    Attributes:
        act: runs an act in the writer and waits for its result.
        caller: who asked for the job; for what a start does, the operator.
        progress: told after every batch how many versions and bytes are done; raises where the work must end.
        total: told how many bytes of content there are to be read, where that is known.
        pace: told of so many bytes that were read; waits where they came too soon.
    """

    storage: FileStorage
    begin_read: BeginRead
    act: Acting
    caller: Caller = operator_caller()
    progress: Callable[[int, int], None] = lambda _versions, _bytes: None
    total: Callable[[int], None] = lambda _bytes: None
    pace: Callable[[int], None] = lambda _bytes: None


class Report:
    """A report that is being written.

    Attributes:
        files: seen so far.
        versions: likewise.
        bytes_checked: of content.
        faults: how many.
        sidecars_written: that did not hold, or were missing.
        sidecars_lacking: likewise, and could not be written.
    """

    def __init__(self) -> None:
        self.files = 0
        self.versions = 0
        self.bytes_checked = 0
        self.faults = 0
        self.sidecars_written = 0
        self.sidecars_lacking = 0
        self._room = PageRoom(_FAULTS)
        self._faults: list[Fault] = []
        self._reported: set[tuple[str, str]] = set()
        self._notes: list[VaultNote] = []

    def fault(self, what: str, problem: str) -> None:
        """Report something that does not hold, once."""
        if (what, problem) in self._reported:
            return
        if len(self._reported) < _REMEMBERED:
            self._reported.add((what, problem))
        self.faults += 1
        fault = Fault(what[:_TEXT], problem[:_TEXT])
        if self._room.takes(fault):
            self._faults.append(fault)

    def forged(self, rows: Sequence[RowForgedError]) -> None:
        """Report rows whose MAC does not hold."""
        for row in rows:
            self.fault(f"row {row.row} of {row.table}", FORGED)

    def halving(self, act: Callable[[tuple[int, ...]], None], row_ids: Sequence[int]) -> None:
        """Do something to rows; halve what fails, so that one that does not hold is reported and keeps nothing but itself."""
        try:
            act(tuple(row_ids))
        except RowForgedError as forged:
            if len(row_ids) == 1:
                self.forged([forged])
                return
            half = len(row_ids) // 2
            self.halving(act, row_ids[:half])
            self.halving(act, row_ids[half:])

    def reading(self, progress: Callable[[int, int], None]) -> Callable[[int], None]:
        """Return what takes the length of each further piece of a content, and tells how far the work is."""
        done = self.bytes_checked

        def each(count: int) -> None:
            nonlocal done
            done += count
            progress(self.versions, done)

        return each

    def note(self, text: str, about: NoteAbout = NoteAbout.NOTHING) -> None:
        if len(self._notes) < _NOTES:
            self._notes.append(VaultNote(text[:_TEXT], about))

    def finish(self) -> VaultReport:
        return VaultReport(
            files=self.files,
            versions=self.versions,
            bytes_checked=self.bytes_checked,
            faults=tuple(self._faults),
            more_faults=self.faults - len(self._faults),
            notes=tuple(self._notes),
            sidecars_written=self.sidecars_written,
            sidecars_lacking=self.sidecars_lacking,
        )


def sound_rows(load: Callable[[Sequence[Key]], list[R]], keys: Sequence[Key]) -> tuple[list[R], list[RowForgedError]]:
    """Load the rows that hold, and tell which do not, by halving what fails."""
    if not keys:
        return [], []
    try:
        return load(keys), []
    except RowForgedError as forged:
        if len(keys) == 1:
            return [], [forged]
    half = len(keys) // 2
    first, first_faults = sound_rows(load, keys[:half])
    second, second_faults = sound_rows(load, keys[half:])
    return first + second, first_faults + second_faults
