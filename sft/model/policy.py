"""What the operator's configuration decides for acts and queries: plain numbers, each with its unit in its name.

Rules. One value, replaced as a whole where the operator changes something: a transaction carries the one that ruled when
it began (``ReadTransaction.policy``). The defaults stand in ``sft.limits``.
"""

from __future__ import annotations

from msgspec import Struct

from sft.limits import DAY_SECONDS, FILE_BYTES, TRASH_DAYS, VERSIONS_KEPT
from sft.model.quotas import Quota, limit_of


class Retention(Struct, frozen=True):
    """What of the policy destroys something by itself where it is made less: as it rules, a day later then.

    ``sft.service.maintenance.retention`` decides it.
    """

    trash_days: int
    versions_kept: int


class ServerPolicy(Struct, frozen=True):
    """What rules acts and queries beside the rows.

    Attributes:
        trash_days: how long what was deleted can be brought back.
        versions_kept: of how many of a file's newest versions the contents are kept, one at least.
        quota_bytes: that one person may own, unless something else was set for them; None is no limit.
        quota_files: likewise.
        total_quota_bytes: that all people together may own; None is no limit.
        total_quota_files: likewise.
        file_bytes: of one file at most.
    """

    trash_days: int = TRASH_DAYS
    versions_kept: int = VERSIONS_KEPT
    quota_bytes: int | None = None
    quota_files: int | None = None
    total_quota_bytes: int | None = None
    total_quota_files: int | None = None
    file_bytes: int = FILE_BYTES

    @property
    def trash_seconds(self) -> int:
        return self.trash_days * DAY_SECONDS

    def quota_of(self, own_bytes: int | None, own_files: int | None) -> Quota:
        """Return the quota of a person for whom these were set (``sft.model.quotas``)."""
        return Quota(limit_of(own_files, self.quota_files), limit_of(own_bytes, self.quota_bytes))

    @property
    def total_quota(self) -> Quota:
        return Quota(self.total_quota_files, self.total_quota_bytes)
