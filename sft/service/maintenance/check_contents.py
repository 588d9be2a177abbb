"""Reading contents, version after version, each held against its row and its author's signature.

    version → object: there, of its length, its keys → every byte, the digest → signature → damage is noted, or forgotten
            → sidecar

Rules. No transaction is open while an object is read, so what it saw may change under it: what looks wrong is looked at once
more before it is a fault. A version that does not hold is noted as damaged; one that holds again is forgotten. What the disk
only refuses to open may hold: that is a fault, no damage, and the walk goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from msgspec import Struct

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import CryptoError, ObjectCorruptError, ObjectMissingError, RowForgedError, StoreError, VaultError
from sft.service.author_signature import MOST_VERSIONS
from sft.service.maintenance.damage import Damage, Mended, forget_damages, known_damages, note_damage
from sft.service.maintenance.positions import Walk, try_to_note
from sft.service.maintenance.report import PAGE, JobContext, Report, sound_rows
from sft.service.maintenance.sidecars import hold_sidecar
from sft.service.maintenance.walking import BEFORE_ALL, walk
from sft.service.record_builder import RecordBuilder
from sft.service.storage import DamagedContent, sealed_key_of
from sft.store.files import VersionKey, file_by_row_id, versions_at, versions_of_file
from sft.store.objects import small_object, version_keys
from sft.store.row_types import VersionRow
from sft.store.rows import ReadTransaction
from sft.store.users import key_by_id
from sft.vault.objects import check_whole

_TABLE: Final = "versions"


class _Subject(Struct, frozen=True):
    """A version, and what is needed to judge its content; None where that does not hold itself."""

    path: str
    row: VersionRow
    file_id: bytes | None
    public_key: bytes | None
    sealed: bytes | None


class _EnoughError(Exception):
    """So much was read as was to be."""


class StoredContents:
    """One pass over contents.

    Args:
        damaged: told of a page of the table that cannot be read.
        reads_data: whether objects are read whole; else they are looked at.
        mends: whether sidecars that do not hold are written anew.
    """

    def __init__(
        self,
        context: JobContext,
        report: Report,
        damaged: Callable[[StoreError], None],
        *,
        reads_data: bool,
        mends: bool = True,
    ) -> None:
        self._context = context
        self._report = report
        self._damaged = damaged
        self._reads_data = reads_data
        self._mends = mends
        self._known = known_damages(context)
        self._digests: dict[VersionKey, bytes] = {}  # of the version before
        self._walk: Walk | None = None
        self._left_bytes: int | None = None

    def run(self, position: Walk | None = None, *, most_bytes: int | None = None) -> bool:
        """Read what is behind a position; return whether that is all there is.

        Args:
            position: noted as it goes; None begins with the first version, and notes nothing.
            most_bytes: about so much, and one version at least.
        """
        self._walk, self._left_bytes = position, most_bytes
        after = BEFORE_ALL
        if position is not None and position.row.versions:
            self._load_digest(position.place)
            after = position.place[0] * MOST_VERSIONS + position.place[1]
        try:
            walk(self._read, PAGE, self._take, self._damaged, after)
        except _EnoughError:
            return False
        finally:
            if position is not None:
                position.keep()
        return True

    def report_known(self, since: int) -> None:
        """Report what was found damaged since a moment, and not read again here."""
        for row in self._known.values():
            if row.found_at >= since:
                self._report.fault(f"{row.path} version {row.number}", row.problem)

    def _load_digest(self, key: VersionKey) -> None:
        with self._context.begin_read() as reading:
            rows, _ = sound_rows(partial(versions_at, reading), [key])
        self._digests = {_key_of(row): row.digest for row in rows}

    def _read(self, after: int, limit: int) -> tuple[list[_Subject], int | None]:
        subjects, keys = self._subjects(partial(version_keys, after=divmod(after, MOST_VERSIONS), limit=limit))
        return subjects, keys[-1][0] * MOST_VERSIONS + keys[-1][1] if keys else None

    def _subjects(
        self, choose: Callable[[ReadTransaction], Sequence[VersionKey]]
    ) -> tuple[list[_Subject], Sequence[VersionKey]]:
        """Load versions that hold; those that do not were reported with the rows."""
        with self._context.begin_read() as reading:
            keys = choose(reading)
            rows, _ = sound_rows(partial(versions_at, reading), keys)
            rows.sort(key=_key_of)
            return [_subject(reading, row) for row in rows], keys

    def _take(self, subjects: list[_Subject]) -> None:
        for subject in subjects:
            if self._left_bytes is not None and self._left_bytes <= 0:
                raise _EnoughError
            try:
                self._version(subject)
            except StoreError as fault:
                self._damaged(fault)

    def _version(self, subject: _Subject) -> None:
        key = _key_of(subject.row)
        problem, is_damaged = self._judged(subject)
        if problem:
            # Perhaps it was destroyed, or sealed anew, between its row and its object.
            again, _ = self._subjects(lambda _: [key])
            if not again:
                return
            (subject,) = again
            problem, is_damaged = self._judged(subject)
        row, report = subject.row, self._report
        self._note(subject, problem, is_damaged=is_damaged)
        lacks = not problem and not self._has_sidecar(subject)
        report.versions += 1
        report.bytes_checked += row.size if self._reads_data and row.destroyed_at is None else 0
        self._context.progress(report.versions, report.bytes_checked)
        self._digests = {key: row.digest}
        if self._walk is not None:
            self._walk.passed(key, row.size if row.destroyed_at is None else 0, fault=bool(problem) or lacks)
        if self._left_bytes is not None:
            self._left_bytes -= 1 if row.destroyed_at is not None else max(1, row.size)

    def _has_sidecar(self, subject: _Subject) -> bool:
        row = subject.row
        needs_none = bool(row.inline) or row.destroyed_at is not None
        return needs_none or hold_sidecar(self._context, self._report, subject.path, row, mends=self._mends)

    def _note(self, subject: _Subject, problem: str, *, is_damaged: bool) -> None:
        row, context = subject.row, self._context
        if problem:
            self._report.fault(f"{subject.path} version {row.number}", problem)
        if is_damaged:
            found = DamagedContent(row.object_id, subject.file_id or b"", row.number, subject.path, problem)
            try_to_note(context, note_damage, Damage(found, context.caller))
        elif not problem and self._reads_data and row.object_id in self._known:
            try_to_note(context, forget_damages, Mended((row.object_id,), context.caller))
        self._known.pop(row.object_id, None)

    def _judged(self, subject: _Subject) -> tuple[str, bool]:
        """Return what is wrong with a version, "" for nothing, and whether that is damage."""
        try:
            problem = self._problem(subject)
        except VaultError as fault:  # as of a file that a copy made another user's: all others can be read yet
            return str(fault.values["problem"]), False
        return problem, bool(problem)

    def _problem(self, subject: _Subject) -> str:
        row, vault, key = subject.row, self._context.storage.vault, sealed_key_of(subject.row)
        try:
            if row.destroyed_at is not None:
                pass  # its signature stands yet, over the digest
            elif not row.inline:
                if self._reads_data:
                    vault.check(row.object_id, row.size, row.digest, key, each=self._reading())
                else:
                    vault.look_at(row.object_id, row.size, key)
            elif subject.sealed is None:
                return "its content is gone"
            else:
                check_whole(vault.keyring, row.object_id, row.size, row.digest, key, subject.sealed)
        except (ObjectCorruptError, ObjectMissingError) as fault:
            return str(fault.values["problem"])
        return self._signature_problem(subject)

    def _reading(self) -> Callable[[int], None]:
        pace, tell = self._context.pace, self._report.reading(self._context.progress)

        def each(count: int) -> None:
            tell(count)
            pace(count)

        return each

    def _signature_problem(self, subject: _Subject) -> str:
        row = subject.row
        if subject.public_key is None:
            return "the key that signed it is gone, or another's"
        try:
            signature = FileSignature.parse(row.signature)
            said = verify_file(PublicKey.decode(subject.public_key), row.digest, signature)
        except CryptoError as fault:
            return f"its signature does not hold ({fault})"
        prev = self._digests.get((row.file, row.number - 1), said.prev)
        fields = (
            ("server", said.server_id, self._context.storage.server_id),
            ("file", said.file_id, said.file_id if subject.file_id is None else subject.file_id),
            ("version", said.version, row.number),
            ("size", said.size, row.size),
            ("name", said.name, row.signed_name),
            ("user", said.user, row.author_id),
            ("mtime", said.mtime, row.dated_at),
            ("prev", said.prev, prev),
        )
        wrong = [name for name, signed, stored in fields if signed != stored]
        return f"its signature names another {wrong[0]}" if wrong else ""


def file_name(reading: ReadTransaction, row_id: int) -> str:
    """Name a file by its row, or else by what its last author signed."""
    with suppress(RowForgedError):
        file = file_by_row_id(reading, row_id)
        if file is not None:
            return RecordBuilder(reading).path_of(file)
    with suppress(RowForgedError):
        versions = versions_of_file(reading, row_id)
        if versions:
            return versions[-1].signed_name
    return f"file {row_id}"


def _key_of(row: VersionRow) -> VersionKey:
    return row.file, row.number


def _subject(reading: ReadTransaction, row: VersionRow) -> _Subject:
    file_id, public_key = None, None
    with suppress(RowForgedError):
        file = file_by_row_id(reading, row.file)
        file_id = None if file is None else file.file_id
    with suppress(RowForgedError):
        key = key_by_id(reading, row.key_id)
        if key is not None and key.user_id == row.author_id:
            public_key = key.public_key
    return _Subject(
        path=file_name(reading, row.file),
        row=row,
        file_id=file_id,
        public_key=public_key,
        sealed=small_object(reading, row.object_id) if row.inline else None,
    )
