"""A proof in a file (C2SP tlog-proof): that a leaf is in a log, for whoever has the log's origin and keys (LEDGER.md §6).

    c2sp.org/tlog-proof@v1
    extra <base64>                  may be missing
    index <number>
    <base64 of 32 bytes>            the hashes of the inclusion proof, from the leaf's sibling up
                                    an empty line
    <the signed checkpoint>

Rules. One encoding per file. The extra data is signed by nobody: only what it is hashed into can make it true.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from sft import limits
from sft.crypto.base64_text import decode_base64, encode_base64
from sft.crypto.comment import NUMBER, check_numbers
from sft.crypto.keys import ServerPublic
from sft.errors import LedgerFormatError
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint
from sft.ledger.hashing import HASH_BYTES
from sft.ledger.proofs import verify_inclusion

INCLUSION_MOST: Final = 63  # hashes: as many as a log of the largest size has levels

# Compiled when the first one is read: starting is most of what a short command costs.
_PROOF: Final = (
    r"c2sp\.org/tlog-proof@v1\n"
    r"(?:extra (?P<extra>[A-Za-z0-9+/]+=*)\n)?"
    rf"index (?P<index>{NUMBER})\n"
    rf"(?P<hashes>(?:[A-Za-z0-9+/]{{43}}=\n){{0,{INCLUSION_MOST}}})"
    r"\n(?P<checkpoint>[\s\S]+)"
)


class ProofFile(Struct, frozen=True):
    """What such a file says; nothing of it is true before ``check``.

    Args:
        index: of the leaf.
        hashes: of the inclusion proof, 32 bytes each.
        checkpoint: the note, with its cosignatures.
        extra: not empty; None where there is none.

    Raises:
        ValueError: a value that has no encoding.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __post_init__(self) -> None:
        check_numbers(index=self.index)
        if len(self.hashes) > INCLUSION_MOST or any(len(each) != HASH_BYTES for each in self.hashes):
            raise ValueError(f"at most {INCLUSION_MOST} hashes of {HASH_BYTES} bytes")
        if not self.checkpoint or self.extra == b"" or len(self.encode()) > limits.NOTE_BYTES:
            raise ValueError("no checkpoint, extra data of no bytes, or a proof that is too long")

    def encode(self) -> str:
        extra = "" if self.extra is None else f"extra {encode_base64(self.extra)}\n"
        hashes = "".join(f"{encode_base64(each)}\n" for each in self.hashes)
        return f"c2sp.org/tlog-proof@v1\n{extra}index {self.index}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> ProofFile:
        """Read what ``encode`` writes and nothing else; LedgerFormatError for any other text."""
        found = re.fullmatch(_PROOF, text) if len(text) <= limits.NOTE_BYTES else None
        if found is None:
            raise LedgerFormatError("not a proof of a log")
        try:
            hashes = tuple(decode_base64(line) for line in found["hashes"].split("\n")[:-1])
            extra = None if found["extra"] is None else decode_base64(found["extra"])
            return cls(int(found["index"]), hashes, found["checkpoint"], extra)
        except ValueError as fault:
            raise LedgerFormatError(f"not a proof of a log: {fault}") from fault

    def check(self, leaf_hash: bytes, origin: Origin, server: ServerPublic) -> Checkpoint:
        """Check that a leaf is in a server's log.

        Args:
            leaf_hash: of the leaf that is meant, 32 bytes.
            origin: of the log that is meant.
            server: whose signature counts.

        Returns:
            Under which checkpoint; its cosignatures were not looked at.

        Raises:
            SignatureInvalidError, LedgerFormatError: as ``open_checkpoint``.
            ProofInvalidError: the leaf is not there.
        """
        checkpoint = open_checkpoint(self.checkpoint, origin, server)
        verify_inclusion(leaf_hash, self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint
