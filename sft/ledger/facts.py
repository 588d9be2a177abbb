"""What the parts of a record say, as far as it is checked: facts that stay, and the personal part (LEDGER.md §3).

Rules. A name that they lack is None or empty; names that are not looked at are passed over. Nothing here is believed before
the record was found to be its leaf's.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from sft.errors import LedgerFormatError


class By(Struct, frozen=True):
    """Who did it."""

    key: int | None = None
    user: int | None = None


class Facts(Struct, frozen=True):
    """The facts of a leaf of any kind; ``version`` is 1 where they say none: those of a new file do not."""

    by: By = By()
    user_id: int | None = None
    key_id: int | None = None
    public_key: str | None = None
    file_id: str | None = None
    folder_id: int | None = None
    owner_id: int | None = None
    files_to: int | None = None
    server_id: str | None = None
    ended_key_ids: tuple[int, ...] = ()
    cut_off: int | None = None
    statement: str = ""
    path: str | None = None
    size: int | None = None
    digest: str | None = None
    epoch: int | None = None
    root: str | None = None
    version: int = 1
    versions: int | tuple[tuple[str, int], ...] = ()
    old: str | None = None
    new: str | None = None
    files: int | tuple[str, ...] | None = None
    folders: int | None = None
    trashed_at: int | None = None
    expires_at: int | None = None

    @classmethod
    def decode(cls, body: bytes) -> Facts:
        """Read the body of a record's facts; LedgerFormatError where it cannot be read."""
        try:
            return _facts.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise LedgerFormatError(f"not facts: {fault}") from fault


class Personal(Struct, frozen=True):
    """The personal part of a leaf of any kind."""

    statement_text: str = ""

    @classmethod
    def decode(cls, body: bytes) -> Personal:
        """Read the body of a record's personal part; LedgerFormatError where it cannot be read."""
        try:
            return _personal.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise LedgerFormatError(f"not a personal part: {fault}") from fault


_facts: Final = msgspec.json.Decoder(Facts)
_personal: Final = msgspec.json.Decoder(Personal)
