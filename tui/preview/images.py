"""The size of an image, out of its header alone: PNG, JPEG, GIF, WebP.

Rules. Nothing is decoded. Each step goes forward, so that no header keeps anybody busy; one that is cut off has no size.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers of JPEG that have no length
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})  # among those of frames: tables, and one that is reserved
_VP8_START: Final = b"\x9d\x01\x2a"
_VP8L_SIGN: Final = 0x2F
_14_BITS: Final = 0x3FFF


class Image(NamedTuple):
    """What an image is; 0 by 0 where its header does not say."""

    kind: str
    width: int
    height: int


def image_of(content: bytes) -> Image | None:
    """Read the header of an image; None for what is none."""
    if content.startswith(_PNG):
        size = _numbers(content, 16, 4, "big") if content[12:16] == b"IHDR" else (0, 0)
        return Image("PNG", *size)
    if content[:6] in {b"GIF87a", b"GIF89a"}:
        return Image("GIF", *_numbers(content, 6, 2, "little"))
    if content.startswith(_JPEG):
        return Image("JPEG", *_jpeg_size(content))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return Image("WebP", *_webp_size(content))
    return None


def _numbers(content: bytes, at: int, size: int, order: str) -> tuple[int, int]:
    """Read width and height, one after the other; 0 by 0 where they are cut off."""
    field = content[at : at + 2 * size]
    if len(field) < 2 * size:
        return 0, 0
    first, second = field[:size], field[size:]
    return (
        (int.from_bytes(first, "big"), int.from_bytes(second, "big"))
        if order == "big"
        else (int.from_bytes(first, "little"), int.from_bytes(second, "little"))
    )


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:  # noqa: PLR2004 - every marker begins so
            return 0, 0
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            at += 1
        elif marker in _ALONE:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:  # noqa: PLR2004 - SOF0 to SOF15
            height, width = _numbers(content, at + 5, 2, "big")
            return width, height
        else:
            at += 2 + max(int.from_bytes(content[at + 2 : at + 4], "big"), 2)
    return 0, 0


def _webp_size(content: bytes) -> tuple[int, int]:
    chunk, body = content[12:16], content[20:30]
    if len(body) < 10:  # noqa: PLR2004 - as long as the longest of the three
        return 0, 0
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L" and body[0] == _VP8L_SIGN:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & _14_BITS), 1 + (bits >> 14 & _14_BITS)
    if chunk == b"VP8 " and body[3:6] == _VP8_START:
        return int.from_bytes(body[6:8], "little") & _14_BITS, int.from_bytes(body[8:10], "little") & _14_BITS
    return 0, 0
