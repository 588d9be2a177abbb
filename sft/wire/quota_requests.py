"""What a client asks about quotas."""

from __future__ import annotations

from sft.model.records import PersonName, SetLimit, StatementBytes
from sft.wire.requests import Request


class ShowQuota(Request, frozen=True, tag=38):
    """What somebody may own, and what of it is taken; the caller, where no name is given."""

    name: PersonName = ""


class ChangeQuota(Request, frozen=True, tag=39):
    """Set what somebody may own: None is what everybody has, -1 no limit."""

    name: PersonName
    size_bytes: SetLimit | None
    files: SetLimit | None
    statement: StatementBytes = b""
