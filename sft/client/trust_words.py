"""What is said of keys, signatures, moves, leaves and receipts: one wording, for commands and screens alike. Pure.

Rules. Names are a peer's, and harmless in what is returned. What can be typed is quoted as a shell needs it.
"""

from __future__ import annotations

from sft.crypto.keys import PublicKey
from sft.model.text import count_text, shell_path, shown_name

HOLDS_CONTENT = "The content is what was signed, byte for byte."


def pinned_key(author: str) -> str:
    return f"The key is the one that this computer pinned for {shown_name(author)}."


def signed_as(name: str, version: int, server: str) -> str:
    return f"It was signed as {shown_name(name)}, version {version}, for {shown_name(server)}."


def moved_by(signed_name: str, mover: str, path: str) -> str:
    """Say that a file lies elsewhere than it was signed to; ``mover`` is empty where nobody has looked who did that."""
    by = f"{shown_name(mover)} moved it" if mover else "it was moved"
    return f"Signed as {shown_name(signed_name)}; {by} to {shown_name(path)}."


def known_since(day: str) -> str:
    return f"key known since {day}"


def stored_leaf(leaf: int) -> str:
    """Say that the log tells of a version."""
    return f"{count_text(leaf)} stored, proved"


def acknowledged(server: str, name: str, version: int, when: str) -> str:
    """Say what a receipt is."""
    where = f"{shown_name(name)}, version {version}"
    return f"{shown_name(server)} signed that it stored it as {where}, on {when}."


def minisign_command(local: str, key: PublicKey) -> str:
    """Return the command that checks a file of this computer, whose signature lies beside it, without sft."""
    return f"minisign -V -H -m {shell_path(local)} -P {key.text()}"
