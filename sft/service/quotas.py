"""Does it fit the quotas? The one judgment that an upload's beginning, its announcement and its commit share.

    begin             what is owned, with this            a look: refuses what cannot fit, before a byte is sent
    open_uploads      and what is reserved                reserves the announced size, of the one who will own it
    commit            what is owned, with this            decides; beyond what was reserved for it, also what is for others
    change_owner      and what is reserved                decides, of who is to get it; a folder's files have their room then

Rules. Who owns the file pays for it, whoever stores it; of what is being handed over, the heir. What counts are the kept
figures (``sft.store.figures``), with what the acts before have done in the same transaction: so what is stored is exactly what
fits, however many upload at once. What is reserved is found in the rows of open uploads, and of folders that are
being handed over, and goes with them; an upload that grows is judged beside those that began before it, and not after: of many
pipes at once the first ones end, and do not starve one another. The quota of all together is judged by what is owned alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sft.errors import QuotaBytesError, QuotaFilesError, ReceiverQuotaError, TooLargeError
from sft.model.access import Caller
from sft.model.quota_events import QuotaNear
from sft.model.quotas import Quota, Usage
from sft.model.text import counted, size_text
from sft.service.record_builder import RecordBuilder
from sft.store.figures import FigureChanges, user_figures
from sft.store.folder_hand_overs import hand_overs_to
from sft.store.row_types import FileRow, UploadRow, UserFiguresRow
from sft.store.totals import total_owned
from sft.store.uploads import uploads_reserving
from sft.store.users import admin_names

ALL_PEOPLE: Final = "all people together"
_FIRST: Final = 1


def added_by(version: int, size_bytes: int) -> Usage:
    """Return what a version of a file adds to what its owner has."""
    return Usage(int(version == _FIRST), size_bytes)


def reserved_by(row: UploadRow) -> Usage:
    """Return what is reserved for an open upload."""
    return Usage() if row.owner_id is None else added_by(row.version, row.size)


class Quotas:
    """The quotas, in one transaction.

    Args:
        records: names people in refusals.
        figures: what an act has noted, which counts; None for a query.
    """

    def __init__(self, records: RecordBuilder, figures: FigureChanges | None = None) -> None:
        self._records = records
        self._reading = records.reading
        self._policy = records.reading.policy
        self._figures = figures
        self._rows: dict[int, UserFiguresRow] = {}  # of a query
        self._open: dict[int, dict[bytes, UploadRow]] = {}  # uploads, by their owner
        self._coming: dict[int, Usage] = {}  # what is being handed over
        self._total: Usage | None = None

    def owner_of(self, file: FileRow | None, caller: Caller) -> int:
        """Return who owns what a caller stores: the owner of the file that is there, or the caller."""
        if file is None or file.owner_id == caller.user_id:
            return caller.user_id or 0
        return self._records.owner_of(file) or 0

    def require_size(self, path: str, size_bytes: int) -> None:
        """Refuse a file that is larger than any may be.

        Raises:
            TooLargeError: it is.
        """
        if size_bytes > self._policy.file_bytes:
            raise TooLargeError(what=path, limit=size_text(self._policy.file_bytes))

    def require_version(
        self, path: str, owner_id: int, version: int, size_bytes: int, *, own: Usage, beside: Usage | None = None
    ) -> None:
        """Require that a version of a file fits; raises what ``require_size`` and ``require`` do."""
        self.require_size(path, size_bytes)
        self.require(path, owner_id, added_by(version, size_bytes), own=own, beside=beside)

    def require(self, path: str, owner_id: int, more: Usage, *, own: Usage, beside: Usage | None = None) -> None:
        """Require that something fits.

        Args:
            more: what its owner will have more.
            own: what is reserved for it: so much of it needs no room beside what is reserved for others.
            beside: what is reserved for others, where that is not all but ``own``.

        Raises:
            QuotaBytesError, QuotaFilesError: it does not fit.
        """
        row = self._owned(owner_id)
        quota = self._policy.quota_of(row.quota_bytes, row.quota_files)
        if quota.limits:
            others = self.reserved_of(owner_id) - own if beside is None else beside
            taken = Usage(
                row.files + (others.files if more.files > own.files else 0),
                row.size_bytes + (others.size_bytes if more.size_bytes > own.size_bytes else 0),
            )
            self._require(path, self._records.name_of(owner_id), quota, taken, more)
        if self._policy.total_quota.limits:
            self._require(path, ALL_PEOPLE, self._policy.total_quota, self._owned_by_all(), more)

    def is_limited(self, owner_id: int) -> bool:
        """Return whether there is anything to judge somebody by; what all own together no hand-over changes."""
        row = self._owned(owner_id)
        return self._policy.quota_of(row.quota_bytes, row.quota_files).limits

    def require_receivable(self, path: str, owner_id: int, more: Usage) -> None:
        """Require that what is handed over to somebody fits beside all that is reserved of theirs.

        Raises:
            ReceiverQuotaError: it does not.
        """
        row = self._owned(owner_id)
        quota = self._policy.quota_of(row.quota_bytes, row.quota_files)
        if not quota.limits:
            return
        taken = Usage(row.files, row.size_bytes) + self.reserved_of(owner_id)
        missing = []
        if quota.size_bytes is not None and quota.refuses_bytes(taken, more):
            missing.append(size_text(taken.size_bytes + more.size_bytes - quota.size_bytes))
        if quota.files is not None and quota.refuses_files(taken, more):
            missing.append(counted(taken.files + more.files - quota.files, "file"))
        if missing:
            name = self._records.name_of(owner_id)
            raise ReceiverQuotaError(
                path=path, owner=name, missing=" and ".join(missing), admins=admin_names(self._reading)
            )

    def shortage(self, owner_id: int, more: Usage, *, beside: Usage | None = None) -> Usage:
        """Return by how much something does not fit beside what is reserved for others: all, unless that is said."""
        row = self._owned(owner_id)
        quota = self._policy.quota_of(row.quota_bytes, row.quota_files)
        if not quota.limits:
            return Usage()
        others = self.reserved_of(owner_id) if beside is None else beside
        wanted = Usage(row.files, row.size_bytes) + others + more
        return Usage(
            0 if quota.files is None or not more.files else max(0, wanted.files - quota.files),
            0 if quota.size_bytes is None or not more.size_bytes else max(0, wanted.size_bytes - quota.size_bytes),
        )

    def reserved_of(self, owner_id: int) -> Usage:
        """Return what is reserved of somebody's quota: for uploads, and for folders that they are getting."""
        return sum(map(reserved_by, self._uploads_of(owner_id).values()), self._coming_to(owner_id))

    def reserved_beside(self, row: UploadRow) -> Usage | None:
        """Return what is reserved of its owner's quota for others than an upload that grows; None for another, or nobody's.

        Others that grow count as far as they began before it.
        """
        if not row.grows or row.owner_id is None:
            return None
        own = row.begun_at, row.object_id
        before = (
            reserved_by(each)
            for each in self._uploads_of(row.owner_id).values()
            if each.object_id != row.object_id and (not each.grows or (each.begun_at, each.object_id) < own)
        )
        return sum(before, self._coming_to(row.owner_id))

    def reserve(self, row: UploadRow) -> None:
        """Count what an upload reserves from now on."""
        if row.owner_id is not None:
            self._uploads_of(row.owner_id)[row.object_id] = row

    def release(self, row: UploadRow) -> None:
        """Count what an upload reserved no more."""
        if row.owner_id is not None:
            self._uploads_of(row.owner_id).pop(row.object_id, None)

    def _uploads_of(self, owner_id: int) -> dict[bytes, UploadRow]:
        if owner_id not in self._open:
            self._open[owner_id] = {row.object_id: row for row in uploads_reserving(self._reading, owner_id)}
        return self._open[owner_id]

    def _coming_to(self, owner_id: int) -> Usage:
        if owner_id not in self._coming:
            rows = hand_overs_to(self._reading, owner_id)
            self._coming[owner_id] = sum((Usage(row.files, row.size_bytes) for row in rows), Usage())
        return self._coming[owner_id]

    def near(self, caller: Caller, owner_id: int, more: Usage) -> Iterator[QuotaNear]:
        """Say who comes near a quota by what is about to be noted: the owner, and all together."""
        yield from self.near_own(caller, owner_id, more)
        if self._policy.total_quota.limits:
            yield from _near(caller, None, ALL_PEOPLE, self._policy.total_quota, self._owned_by_all(), more)

    def near_own(self, caller: Caller, owner_id: int, more: Usage) -> Iterator[QuotaNear]:
        """Say likewise of what is handed over, which is nothing more for all together."""
        row = self._owned(owner_id)
        quota = self._policy.quota_of(row.quota_bytes, row.quota_files)
        name = self._records.name_of(owner_id) if quota.limits else ""
        yield from _near(caller, owner_id, name, quota, Usage(row.files, row.size_bytes), more)

    def _require(self, path: str, owner: str, quota: Quota, taken: Usage, more: Usage) -> None:
        if quota.size_bytes is not None and quota.refuses_bytes(taken, more):
            raise QuotaBytesError(
                path=path,
                owner=owner,
                used_bytes=taken.size_bytes,
                quota_bytes=quota.size_bytes,
                admins=admin_names(self._reading),
            )
        if quota.files is not None and quota.refuses_files(taken, more):
            raise QuotaFilesError(
                path=path, owner=owner, used=taken.files, quota=quota.files, admins=admin_names(self._reading)
            )

    def _owned(self, owner_id: int) -> UserFiguresRow:
        if self._figures is not None:
            return self._figures.owned_by(owner_id)
        if owner_id not in self._rows:
            self._rows |= user_figures(self._reading, [owner_id])
        return self._rows[owner_id]

    def _owned_by_all(self) -> Usage:
        if self._total is None:
            self._total = total_owned(self._reading)
        return self._total if self._figures is None else self._total + self._figures.more_owned


def _near(
    caller: Caller, user_id: int | None, name: str, quota: Quota, before: Usage, more: Usage
) -> Iterator[QuotaNear]:
    after = before + more
    if percent := quota.reached(before, after):
        yield QuotaNear(
            by=caller,
            user_id=user_id,
            name=name,
            percent=percent,
            files=after.files,
            size_bytes=after.size_bytes,
            quota_files=quota.files,
            quota_bytes=quota.size_bytes,
        )
