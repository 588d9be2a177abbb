"""The one place where the libraries' exceptions become ours.

PyNaCl raises RuntimeError for a low-order key, TypeError for a short box, ValueError for a wrong
length and its own CryptoError for a bad tag; to a peer these are all the same answer. Only reading
what came from elsewhere is translated: a fault while producing is a bug and keeps its own name.
"""

from __future__ import annotations

from types import TracebackType

from nacl.exceptions import CryptoError as NaclError

from sft.errors import CryptoError

_FOREIGN = (NaclError, RuntimeError, TypeError, ValueError)


class FaultsAs:
    """Raise every foreign exception of a ``with`` block as one of ours; stateless, so reusable."""

    __slots__ = ("_kind",)

    def __init__(self, kind: type[CryptoError]) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(fault, _FOREIGN):
            raise self._kind(f"{type(fault).__name__}: {fault}") from fault
