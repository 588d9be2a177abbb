"""Where a download goes on this computer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from sft.client.transfers.destination import Destination
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.part_file import ConflictPolicy


class Target(Struct, frozen=True):
    """Where a download goes.

    Args:
        parts: below the destination, folders first.
        replaces: what alone may be replaced, if that was seen.
        keeps: what is not finished may be gone on with later; not where the destination goes away.
    """

    destination: Destination
    parts: Sequence[str]
    existing: ConflictPolicy
    with_signature: bool
    keeps: bool = True
    replaces: LocalFile | None = None

    @property
    def local(self) -> Path:
        """The name that it shall have, absolute."""
        return self.destination.path.absolute().joinpath(*self.parts)
