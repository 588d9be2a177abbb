"""A file and a server's receipt for it, judged without the server: what was acknowledged can be shown to others later.

Rules. Blocks. A receipt is a server's word, signed: whose the content is, its author's signature says. It counts under
the key that this computer has pinned for the server, and under those that it had pinned and that this one follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sft.client.local_verify import digest_of, read_text
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.client.trust_words import acknowledged
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import Receipt, parse_receipts, verify_receipts
from sft.crypto.signed_note import text_of
from sft.errors import CryptoError, NotShownError, SignatureInvalidError
from sft.model.text import count_text, utc_time


@dataclass(frozen=True, slots=True)
class ReceiptVerdict:
    """A receipt that holds, and is of the file.

    Args:
        server: that gave it, by its own name.
        receipt: its line for this content; the newest one, where it was stored several times.
        holds, not_asked: sentences.
    """

    server: str
    receipt: Receipt
    holds: list[str]
    not_asked: list[str]


def verify_receipt(
    state: StateFolder, file: Path, receipt: Path, *, progress: Callable[[int, int], None] | None = None
) -> ReceiptVerdict:
    """Judge a file by the receipt for it.

    Args:
        progress: told bytes done and bytes in all, on this thread.

    Raises:
        NotShownError: the receipt does not hold, is no known server's, or not of this content.
        SourceChangedError, LocalFileError: file or receipt cannot be read.
    """
    note = read_text(receipt)
    digest, size = digest_of(file, progress)
    try:
        server_id = parse_receipts(text_of(note))[0].server_id
        known = [one for one in Profiles(state).all() if one.server_id == server_id]
        if not known:
            raise SignatureInvalidError("this computer has not joined the server that it names")
        lines, earlier = _signed_by(known, note)
        matching = [each for each in lines if (each.digest, each.size) == (digest, size)]
        if not matching:
            raise SignatureInvalidError("it is for another content")
    except CryptoError as error:
        raise NotShownError(error.detail, path=str(file), evidence=str(receipt), problem=error.detail) from error
    newest = max(matching, key=lambda each: each.leaf)
    server = known[0].server_name
    return ReceiptVerdict(
        server,
        newest,
        [
            "The content is what the server acknowledged, byte for byte.",
            acknowledged(server, newest.name, newest.version, utc_time(newest.stored_at)),
            f"It says so in its log at {count_text(newest.leaf)}.",
        ],
        [
            "Who signed the content: the author's signature says so.",
            "Whether it is there still, or that entry of the log: no server was asked.",
            *(["Whether it was signed before another key followed: a leaked one signs later too."] if earlier else []),
        ],
    )


def _signed_by(known: Sequence[Profile], note: str) -> tuple[tuple[Receipt, ...], bool]:
    """Read a note that a pinned key signed, or one before it, which is said; else SignatureInvalidError."""
    pinned = {one.server_key for one in known}
    for key in (*pinned, *(key for one in known for key in one.earlier_keys)):
        try:
            return verify_receipts(ServerPublic(key), note), key not in pinned
        except SignatureInvalidError:
            continue
    raise SignatureInvalidError("it is not signed by the server that it names")
