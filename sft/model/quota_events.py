"""What acts say of quotas: who comes near one, and whose was changed."""

from __future__ import annotations

from typing import ClassVar

from sft.model.events import DomainEvent, StatedEvent


class QuotaNear(DomainEvent, frozen=True, kw_only=True):
    """Somebody owns so much of their quota now that they are told, or all people together do (no user)."""

    leaf: ClassVar[bool] = False

    user_id: int | None
    name: str
    percent: int
    files: int
    size_bytes: int
    quota_files: int | None  # None is no limit
    quota_bytes: int | None


class QuotaChanged(StatedEvent, frozen=True, kw_only=True):
    """Somebody may own so much from now on: numbers, ``none``, or ``default``, which is what everybody has."""

    user_id: int
    name: str
    quota_bytes: str
    quota_files: str
