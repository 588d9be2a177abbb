"""Base64 with one encoding per content: Python's own takes stray padding and stray bits."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64


def encode_base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read what ``encode_base64`` writes and nothing else; ValueError for any other text."""
    data = a2b_base64(text.encode("ascii"))
    if encode_base64(data) != text:
        raise ValueError("characters, padding or bits that are not the content's")
    return data
