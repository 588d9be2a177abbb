"""Which versions were read here to their end, and whether they held.

Rules. What is remembered is of a version with these very bytes and this very signature. It says more of one that holds as far
as the server states it, also where an earlier reading of this computer's held, and nothing of any other: what is judged now is
never overruled.
"""

from __future__ import annotations

from typing import Final

from sft.client.trust import SignatureState
from sft.model.records import File

_Key = tuple[bytes, int, bytes, bytes, bytes]

_HOLD: Final = frozenset({SignatureState.SIGNED, SignatureState.VERIFIED})


class Checked:
    """Verdicts of this run on versions of the server in use."""

    def __init__(self) -> None:
        self._states: dict[_Key, SignatureState] = {}

    def note(self, file: File, state: SignatureState) -> None:
        self._states[_key(file)] = state

    def state(self, file: File, judged: SignatureState) -> SignatureState:
        """Return what is known of a version whose signature was judged just now."""
        return self._states.get(_key(file), judged) if judged in _HOLD else judged

    def clear(self) -> None:
        self._states.clear()


def _key(file: File) -> _Key:
    version = file.version
    return file.id, version.number, version.digest, version.public_key, version.signature
