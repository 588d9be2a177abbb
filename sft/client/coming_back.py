"""Coming back after a lost connection: what a new one may mend, and how long it is waited for. Pure.

Rules. Commands that transfer, ``sft watch`` and the full-screen interface go by it. The pauses grow and the last one repeats;
they begin anew once something has moved. What was cut off moves again by itself, unless something else arrived than was sent:
that is told. Nor does what was read of a pipe, which nobody can read again. A server that answers wrongly may be another in a
moment; one whose key or version is not ours, one that refuses, and a session that somebody ended are for a person to settle.
"""

from __future__ import annotations

from typing import Final

from sft.errors import (
    ConnectionLostError,
    PipeLostError,
    RemoteProtocolError,
    ServerBusyError,
    ServerKeyMismatchError,
    SftError,
    TamperedError,
    TransferEndedError,
    UnreachableError,
    VersionUnknownError,
)

PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # a server that is started again is back within the first four

_PASSING: Final = (ConnectionLostError, TransferEndedError, UnreachableError, ServerBusyError, RemoteProtocolError)


class Pauses:
    """How long to wait before each further try.

    Args:
        most: tries in a row without anything moved; None for as many as it takes.
        seconds: of each; the last one repeats.
    """

    def __init__(self, most: int | None = None, seconds: tuple[float, ...] = PAUSES_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._tried = 0

    def next(self) -> float | None:
        """Return how long to wait now; None where it is not tried again."""
        if self._tried == self._most:
            return None
        self._tried += 1
        return self._seconds[min(self._tried, len(self._seconds)) - 1]

    def begin_anew(self) -> None:
        self._tried = 0


def was_cut_off(error: BaseException | None) -> bool:
    """Say whether a request or transfer failed for its connection alone, and can be made again."""
    cut = isinstance(error, (ConnectionLostError, TransferEndedError))
    return cut and not isinstance(error, (TamperedError, PipeLostError))


def is_away(error: SftError) -> bool:
    """Say whether a server may be there again a little later."""
    return isinstance(error, _PASSING) and not isinstance(error, (VersionUnknownError, ServerKeyMismatchError))
