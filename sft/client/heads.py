"""The heads of a server's log that this computer has seen and not yet left behind, shared by all its processes.

    heads/<server id>/<size>.<root>     the signed note of that head, as it came
    heads/<server id>/cosigned          the newest that was shown with the cosignatures of witnesses
    heads/<server id>/before            of epochs before: epoch and size, a line each, of heads that the log was proved to go on
                                        when a person agreed to a restart

Rules. A head is written, synced, before those that it was proved to continue are removed: so what was seen is still there after
a kill or a lost power, and no file is ever changed. One file is the rule. Two are there where two sessions ran side by side,
each with proofs from where it began: nobody has proved that one goes on the other, and the next login asks for that. Hence no
lock: a session that lags behind adds nothing that was left behind, and removes nothing that it has no proof for. Everything
here blocks.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from sft.client.state import StateFolder, name_of_server
from sft.crypto.signed_note import text_of
from sft.errors import LedgerFormatError, LocalFileError
from sft.ledger.checkpoints import Checkpoint

_COSIGNED: Final = "cosigned"
_BEFORE: Final = "before"
_MOST_BEFORE: Final = 1000  # lines: a restart adds one or two
_NAME: Final = r"[0-9]{1,19}\.[0-9a-f]{64}"


Place = tuple[int, int]
"""Epoch and size of a head."""


class Head(Struct, frozen=True):
    """A head of a log, and the signed note of it."""

    checkpoint: Checkpoint
    note: str


class Heads:
    """What is kept of one server's log."""

    def __init__(self, state: StateFolder, server_id: bytes) -> None:
        self._state = state
        self._folder = f"heads/{name_of_server(server_id)}"

    @property
    def path(self) -> str:
        return str(self._state.path(self._folder))

    def read(self) -> list[Head]:
        """Return the heads that are kept, the newest last; none before the first login.

        Raises:
            LocalFileError: they cannot be read, or are damaged.
        """
        heads = None
        while heads is None:
            heads = self._read()
        return sorted(heads, key=lambda head: head.checkpoint.size)

    def keep(self, head: Head, continued: Iterable[Head] = ()) -> None:
        """Keep a head, durably, and leave behind those that it was proved to continue."""
        name = self._name(head)
        if self._state.read(name) is None:
            self._state.write(name, head.note.encode())
        for old in continued:
            if old.checkpoint != head.checkpoint:
                self._state.remove(self._name(old))

    def cosigned(self) -> Head | None:
        """Return the newest checkpoint that was shown with cosignatures; None where there is none, or it is damaged."""
        data = self._state.read(f"{self._folder}/{_COSIGNED}")
        with contextlib.suppress(LedgerFormatError, UnicodeDecodeError):
            note = "" if data is None else data.decode("utf-8")
            return Head(Checkpoint.parse(text_of(note)), note)
        return None

    def keep_cosigned(self, head: Head) -> None:
        """Keep such a checkpoint, not durably: it is shown again with each login."""
        self._state.write(f"{self._folder}/{_COSIGNED}", head.note.encode("utf-8"), sync=False)

    def before(self) -> list[Place]:
        """Return what of epochs before the log was proved to go on; LocalFileError if that cannot be read."""
        lines = (self._state.read(f"{self._folder}/{_BEFORE}") or b"").decode("ascii", "replace").splitlines()
        places = [match for line in lines if (match := re.fullmatch(r"([0-9]{1,19})\.([0-9]{1,19})", line))]
        if len(places) != len(lines):
            raise self._damaged(f"{self._folder}/{_BEFORE}")
        return [(int(match[1]), int(match[2])) for match in places]

    def put_aside(self, to: str, continued: Iterable[Head] = ()) -> None:
        """Move all that is kept into a folder of the state: whatever log is shown next is the first one.

        Args:
            continued: of the heads that are kept, those that this log was proved to go on: that stays known of it.
        """
        continued = list(continued)
        places = {(each.checkpoint.origin.epoch, each.checkpoint.size) for each in continued}
        places |= set(self.before()) if continued else set()
        for name in self._state.names(self._folder):
            self._state.move(f"{self._folder}/{name}", f"{to}/{name}")
        if places:
            lines = "".join(f"{epoch}.{size}\n" for epoch, size in sorted(places)[-_MOST_BEFORE:])
            self._state.write(f"{self._folder}/{_BEFORE}", lines.encode("ascii"))

    def _read(self) -> list[Head] | None:
        """Read once; None where another session has left behind one of them meanwhile: its newer one was not listed yet."""
        heads: list[Head] = []
        for name in self._state.names(self._folder):
            if re.fullmatch(_NAME, name) is None:
                continue  # what a kill left of a write
            data = self._state.read(f"{self._folder}/{name}")
            if data is None:
                return None
            heads.append(self._parsed(name, data))
        return heads

    def _name(self, head: Head) -> str:
        return f"{self._folder}/{head.checkpoint.size}.{head.checkpoint.root.hex()}"

    def _parsed(self, name: str, data: bytes) -> Head:
        with contextlib.suppress(LedgerFormatError, UnicodeDecodeError):
            note = data.decode("utf-8")
            head = Head(Checkpoint.parse(text_of(note)), note)
            if self._name(head) == f"{self._folder}/{name}":
                return head
        raise self._damaged(f"{self._folder}/{name}")

    def _damaged(self, name: str) -> LocalFileError:
        return LocalFileError(
            path=str(self._state.path(name)),
            problem="is damaged: it holds what this computer has seen of the server's log",
            remedy="Put it back from a copy. Moved aside, it is forgotten what was seen, and nobody would notice a lie",
        )
