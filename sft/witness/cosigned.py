"""The newest checkpoint of each log that the witness has cosigned: one small file a log, with the cosignatures that it gave.

    logs/<SHA-256 of the origin>    a signed note: the log's signature and the witness's own

Rules. A file is replaced whole and durably before the answer that it records leaves. What does not carry the witness's own
cosignatures is not its record, and no start goes on from it: a checkpoint that was lost or put back would let a log be
rewritten under the witness's name. Whoever keeps and reads holds the witness's lock.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from typing import Final

from sft import durable, limits
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import SignedNote
from sft.errors import SignatureInvalidError
from sft.ledger.checkpoints import TreeHead

_NAME: Final = r"[0-9a-f]{64}"
_UNFINISHED: Final = r"\.[0-9a-f]{16}\.part"  # of a ``durable.replace_file`` that was killed


def log_name(origin: str) -> str:
    """Name a log by the SHA-256 of its origin, as tlog-witness does: 64 digits."""
    return hashlib.sha256(origin.encode("utf-8")).hexdigest()


class CosignedCheckpoints:
    """The records of one witness.

    Args:
        folder: an open folder that holds nothing else.
        cosigners: the witness's own keys.

    Raises:
        OSError: the folder cannot be read.
        ValueError: a file of it is not what this witness wrote; names it.
    """

    def __init__(self, folder: int, cosigners: Collection[NoteKey]) -> None:
        self._folder = folder
        self._notes: dict[str, SignedNote] = {}
        for name in os.listdir(folder):
            if re.fullmatch(_UNFINISHED, name):
                os.unlink(name, dir_fd=folder)
            elif re.fullmatch(_NAME, name):
                self._notes[name] = self._read(name, cosigners)

    def latest(self, origin: str) -> TreeHead | None:
        """Return what was cosigned last of a log; None where nothing was."""
        note = self._notes.get(log_name(origin))
        return None if note is None else TreeHead.parse(note.text)

    def note(self, name: str) -> SignedNote | None:
        """Return the same with its signatures, by the hash of the origin."""
        return self._notes.get(name)

    def keep(self, origin: str, note: SignedNote) -> None:
        """Make a cosigned checkpoint the newest of its log, on the disk first; after an OSError nobody knows which is there."""
        name = log_name(origin)
        durable.replace_file(self._folder, name, note.encode().encode("utf-8"))
        self._notes[name] = note

    def _read(self, name: str, cosigners: Collection[NoteKey]) -> SignedNote:
        try:
            note = SignedNote.parse(durable.read_regular(self._folder, name, limits.NOTE_BYTES).decode("utf-8"))
            ours = log_name(TreeHead.parse(note.text).origin) == name and note.verify(cosigners).keys() == set(
                cosigners
            )
        except (SignatureInvalidError, ValueError) as fault:
            raise ValueError(name) from fault
        if not ours:
            raise ValueError(name)
        return note
