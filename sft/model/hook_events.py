"""What looking after hooks says happened: which there are, and how far one is."""

from __future__ import annotations

from typing import ClassVar

from sft.model.events import DomainEvent


class HooksChanged(DomainEvent, frozen=True, kw_only=True):
    """The operator named other hooks than before."""

    leaf: ClassVar[bool] = False

    begun: tuple[str, ...]
    ended: tuple[str, ...]


class HookAdvanced(DomainEvent, frozen=True, kw_only=True):
    """All leaves before one were delivered, or were none of a hook's."""

    routine: ClassVar[bool] = True
    leaf: ClassVar[bool] = False

    hook: str
    position: int
