"""Base64 with one encoding per content: Python's own takes stray padding and stray bits."""

from __future__ import annotations

import base64


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read what ``encode_base64`` writes and nothing else; ValueError for any other text."""
    data = base64.b64decode(text.encode("ascii"))
    if encode_base64(data) != text:
        raise ValueError("characters, padding or bits that are not the content's")
    return data
