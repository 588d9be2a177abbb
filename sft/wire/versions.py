"""The versions of the protocol that this program speaks, the best first, and what each of them is.

A version is one suite: the key shares that it needs and the messages that it knows; M1 offers all versions at once, M2
names the one of this connection, and from there on both ends read and write by its line of the table. Transcript, proof
and login have one layout so far: a version that changes them has its own line for that too. PROTOCOL.md §13.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.wire.hello import ML_KEM_768, X25519
from sft.wire.messages import CODEC, Codec


class ProtocolVersion(Struct, frozen=True):
    """One line of the table.

    Args:
        groups: of the key shares that its key exchange needs.
    """

    number: int
    groups: tuple[int, ...]
    codec: Codec


VERSIONS: Final = (ProtocolVersion(1, (X25519, ML_KEM_768), CODEC),)
