"""Have sigstore-python check the inclusions of ledger.json, as it checks those of Rekor's log.

    pip install sigstore==4.5.1     in an environment of its own: it is no dependency of the project
    python tests/vectors/check_ledger_sigstore.py

A second opinion beside Go's, for when ledger.json or the proofs change. It uses a private module, hence the version.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace

from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

FILE = Path(__file__).with_name("ledger.json")


def holds(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Ask sigstore about one inclusion, given as an entry of Rekor's."""
    claimed = SimpleNamespace(log_index=index, tree_size=size, hashes=proof, root_hash=root)
    try:
        verify_merkle_inclusion(
            SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=claimed, canonicalized_body=leaf))
        )
    except VerificationError:
        return False
    return True


def main() -> int:
    """Check each, and that the same proof of another leaf is refused."""
    checked = wrong = 0
    for log in json.loads(FILE.read_text("utf-8")):
        size, root = log["Size"], b64decode(log["Root"])
        for each in log["Inclusions"]:
            index, proof = each["Index"], [b64decode(part) for part in each["Proof"]]
            checked += 1
            wrong += not holds(b"leaf %d" % index, index, size, proof, root)
            wrong += holds(b"another leaf", index, size, proof, root)
    print(f"{checked} inclusions checked, {wrong} not as they should be")
    return min(wrong, 1)


if __name__ == "__main__":
    raise SystemExit(main())
