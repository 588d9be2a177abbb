"""Which versions were read here to their end, and whether they held.

Rules. What is remembered is of a version with these very bytes and this very signature. It says more of one that holds as far
as the server states it, also where an earlier reading of this computer's held, and nothing of any other: what is judged now is
never overruled.
"""

from __future__ import annotations

import contextlib
from typing import Final

from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.trust import SignatureState
from sft.client.trust_chain import ReadHere
from sft.errors import SftError, SignatureBadError
from sft.model.records import File

_Key = tuple[bytes, int, bytes, bytes, bytes]

_HOLD: Final = frozenset({SignatureState.SIGNED, SignatureState.VERIFIED})


class Checked:
    """Verdicts of this run on versions of the server in use."""

    def __init__(self) -> None:
        self._read: dict[_Key, ReadHere] = {}

    def note(self, file: File, state: SignatureState, at: float) -> None:
        """Remember what a version was found to be, and when, in Unix seconds."""
        self._read[_key(file)] = ReadHere(state, at)

    async def note_read(
        self, session: Session, path: str, version: int, file: File | None, error: SftError | None, at: float
    ) -> None:
        """Remember what became of a reading: a file that held, or the error that stopped it."""
        if isinstance(error, SignatureBadError):
            with contextlib.suppress(SftError):
                self.note(await show_file(session, path, version), SignatureState.BAD, at)
        elif file is not None:
            self.note(file, SignatureState.VERIFIED, at)

    def read(self, file: File) -> ReadHere | None:
        """Return what was found when this very version was read; None where it was not."""
        return self._read.get(_key(file))

    def state(self, file: File, judged: SignatureState) -> SignatureState:
        """Return what is known of a version whose signature was judged just now."""
        read = self.read(file)
        return judged if read is None or judged not in _HOLD else read.state

    def clear(self) -> None:
        self._read.clear()


def _key(file: File) -> _Key:
    version = file.version
    return file.id, version.number, version.digest, version.public_key, version.signature
