"""What a server acknowledged, signed by it: checked against what was sent, then kept.

receipts/<server id>/<file id>.<version>    the whole note, whatever else it acknowledges
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from sft.client.state import StateFolder, name_of_server
from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import Receipt, parse_receipts, verify_receipts
from sft.crypto.signed_note import text_of
from sft.errors import CryptoError, LocalFileError, SignatureInvalidError
from sft.model.records import File, Stored


class ReceiptNote:
    """A receipt of a server's, for all that one answer acknowledges.

    Raises:
        SignatureInvalidError: it is none, or another's.
    """

    def __init__(self, server: ServerPublic, text: str) -> None:
        self.text = text
        self._lines = {(line.file_id, line.version): line for line in verify_receipts(server, text)}

    def check(self, stored: Stored, sent: FileComment, digest: bytes, log_size: int) -> Receipt:
        """Return what it acknowledges, which is what was sent; SignatureInvalidError if it is not.

        Args:
            log_size: of the newest head that was told when it came.
        """
        receipt = self._lines.get((sent.file_id, sent.version))
        if receipt is None:
            raise SignatureInvalidError("the receipt is for another file or version")
        content = (receipt.server_id, receipt.size, receipt.digest, receipt.user, receipt.name)
        if content != (sent.server_id, sent.size, digest, sent.user, sent.name):
            raise SignatureInvalidError("the receipt is for something else than what was sent")
        if (receipt.version, receipt.name) != (stored.version, stored.path):
            raise SignatureInvalidError("the receipt is not for what the server says it stored")
        if receipt.leaf >= log_size:
            raise SignatureInvalidError("the receipt is for what is not in the log that was shown")
        return receipt


def keep_receipts(state: StateFolder, note: ReceiptNote, acknowledged: Sequence[FileComment]) -> list[Path]:
    """Keep a checked note under the name of each version that it acknowledges, written once (blocks)."""
    names = [_name(sent.server_id, sent.file_id, sent.version) for sent in acknowledged]
    return state.write_under(names, note.text.encode())


def receipt_path(state: StateFolder, server_id: bytes, file_id: bytes, version: int) -> Path:
    return state.path(_name(server_id, file_id, version))


def has_receipt(state: StateFolder, server_id: bytes, file_id: bytes, version: int) -> bool:
    return os.path.exists(f"{state.data}/{_name(server_id, file_id, version)}")  # noqa: PTH110 - asked for each file of a folder


def held_receipt(state: StateFolder, server_id: bytes, keys: Sequence[ServerPublic], file: File) -> Receipt | None:
    """Return the receipt that is kept for a version, checked anew (blocks); None where none is kept here.

    Args:
        keys: the server's that is pinned, and those that it follows.

    Raises:
        SignatureInvalidError: it is not the server's, or for something else than what is shown.
    """
    said = file.version
    data = state.read(_name(server_id, file.id, said.number))
    if data is None:
        return None
    shown = (server_id, file.id, said.number, said.size, said.digest, said.author_id, said.signed_name, said.leaf)
    for line in _signed_lines(keys, data.decode("utf-8", "replace")):
        found = (line.server_id, line.file_id, line.version, line.size, line.digest, line.user, line.name, line.leaf)
        if found == shown:
            return line
    raise SignatureInvalidError("it is for something else than what is shown")


def _signed_lines(keys: Sequence[ServerPublic], note: str) -> tuple[Receipt, ...]:
    for key in keys:
        with contextlib.suppress(CryptoError):
            return verify_receipts(key, note)
    raise SignatureInvalidError("it is not signed by its server")


def receipt_paths(state: StateFolder, server_id: bytes) -> list[str]:
    """Name all that is kept of a server's receipts (blocks)."""
    folder = _folder(server_id)
    return [str(state.path(f"{folder}/{name}")) for name in state.names(folder)]


def kept_receipts(state: StateFolder, server_id: bytes) -> list[tuple[str, Receipt | None]]:
    """Return the lines that a server's receipts are kept for, each with its path (blocks); None for what cannot be read."""
    folder = _folder(server_id)
    return [(str(state.path(f"{folder}/{name}")), _kept_line(state, folder, name)) for name in state.names(folder)]


def _kept_line(state: StateFolder, folder: str, name: str) -> Receipt | None:
    data = state.read(f"{folder}/{name}")
    with contextlib.suppress(CryptoError, UnicodeDecodeError):
        for line in parse_receipts(text_of((data or b"").decode("utf-8"))):
            if name == f"{line.file_id.hex()}.{line.version}":
                return line
    return None


def kept_receipt(state: StateFolder, server_id: bytes, file_id: bytes, version: int) -> Receipt | None:
    """Return the line that is kept of a version, as it was checked when it came (blocks); None where none can be read."""
    with contextlib.suppress(LocalFileError):
        return _kept_line(state, _folder(server_id), f"{file_id.hex()}.{version}")
    return None


def count_receipts(state: StateFolder, server_id: bytes) -> int:
    return sum(1 for _ in state.path(_folder(server_id)).glob("*"))


def _folder(server_id: bytes) -> str:
    return f"receipts/{name_of_server(server_id)}"


def _name(server_id: bytes, file_id: bytes, version: int) -> str:
    return f"{_folder(server_id)}/{file_id.hex()}.{version}"
