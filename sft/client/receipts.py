"""What a server acknowledged, signed by it: checked against what was sent, then kept.

receipts/<server id>/<file id>.<version>
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sft.client.state import StateFolder
from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import verify_receipt
from sft.errors import SignatureInvalidError
from sft.model.records import Stored

_ID_DIGITS: Final = 32


def check_receipt(server: ServerPublic, stored: Stored, sent: FileComment, digest: bytes) -> None:
    """Check that a receipt is the server's, and for what was sent; SignatureInvalidError if it is not."""
    receipt = verify_receipt(server, stored.receipt)
    content = (receipt.server_id, receipt.size, receipt.digest, receipt.user, receipt.name)
    if content != (sent.server_id, sent.size, digest, sent.user, sent.name):
        raise SignatureInvalidError("the receipt is for something else than what was sent")
    if (receipt.file_id, receipt.version) != (sent.file_id, sent.version):
        raise SignatureInvalidError("the receipt is for another file or version")
    if (receipt.version, receipt.name) != (stored.version, stored.path):
        raise SignatureInvalidError("the receipt is not for what the server says it stored")


def keep_receipt(state: StateFolder, sent: FileComment, stored: Stored) -> Path:
    """Keep a checked receipt (blocks)."""
    name = _name(sent.server_id, sent.file_id, stored.version)
    return state.write(name, stored.receipt.encode(), sync=False)


def has_receipt(state: StateFolder, server_id: bytes, file_id: bytes, version: int) -> bool:
    return state.path(_name(server_id, file_id, version)).exists()


def count_receipts(state: StateFolder, server_id: bytes) -> int:
    return sum(1 for _ in state.path(_folder(server_id)).glob("*"))


def _folder(server_id: bytes) -> str:
    return f"receipts/{server_id.hex()[:_ID_DIGITS]}"


def _name(server_id: bytes, file_id: bytes, version: int) -> str:
    return f"{_folder(server_id)}/{file_id.hex()}.{version}"
