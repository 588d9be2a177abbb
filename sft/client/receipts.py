"""What a server acknowledged, signed by it: checked against what was sent, then kept."""

from __future__ import annotations

from pathlib import Path

from sft.client.state import StateFolder
from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import verify_receipt
from sft.errors import SignatureInvalidError
from sft.model.records import Stored


def check_receipt(server: ServerPublic, stored: Stored, sent: FileComment, digest: bytes) -> None:
    """Make sure that a receipt is the server's, and for what was sent.

    Raises:
        SignatureInvalidError: it is not.
    """
    receipt = verify_receipt(server, stored.receipt)
    content = (receipt.server_id, receipt.size, receipt.digest, receipt.user, receipt.name)
    if content != (sent.server_id, sent.size, digest, sent.user, sent.name):
        raise SignatureInvalidError("the receipt is for something else than what was sent")
    # What was there already has the file id and version of the put that stored it.
    place = (receipt.file_id, receipt.version)
    if not stored.unchanged and place != (sent.file_id, sent.version):
        raise SignatureInvalidError("the receipt is for another file or version")
    if (receipt.version, receipt.name) != (stored.version, stored.path):
        raise SignatureInvalidError("the receipt is not for what the server says it stored")


def keep_receipt(state: StateFolder, sent: FileComment, stored: Stored) -> Path:
    """Keep a checked receipt (blocks)."""
    folder = sent.server_id.hex()[:32]
    name = f"receipts/{folder}/{sent.file_id.hex()}.{stored.version}"
    return state.note(name, stored.receipt.encode())
