"""What stands in a file: the one place that says what its bytes are, and what of them is shown."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.model.text import count_text, size_text
from tui.preview.archives import ArchiveList, archive_of, opened
from tui.preview.images import image_of
from tui.preview.lines import lines_of, shown_lines, text_of
from tui.text import harmless

_HEX_BYTES: Final = 256
_HEX_LINE: Final = 16
_SIZE_CELLS: Final = 10


class Preview(Struct, frozen=True):
    """What is shown of a file.

    Args:
        said: what it is, and how much of it is shown.
        lines: harmless.
        wraps: a line that is too long goes on in the next one; else its end is not shown.
    """

    said: str
    lines: tuple[str, ...]
    wraps: bool = True


def preview_of(content: bytes) -> Preview:
    """Say what bytes are, and show their beginning."""
    if not content:
        return Preview("empty", ())
    image = image_of(content)
    if image is not None:
        size = f"{count_text(image.width)} × {count_text(image.height)} pixels" if image.width else "of unknown size"
        return Preview(f"{image.kind} image, {size}", ())
    archive = archive_of(content)
    if archive is not None:
        return _listed(archive)
    packed = opened(content)
    if packed is not None:
        return _opened(*packed)
    text = text_of(content)
    return _bytes(content) if text is None else _text(text)


def _text(text: str) -> Preview:
    lines = lines_of(text)
    shown = tuple(shown_lines(lines))
    count = f"{count_text(len(lines))} line{'s' * (len(lines) != 1)}"
    many = f"first {len(shown)} of {count}" if len(lines) > len(shown) else count
    return Preview(f"text, {many}", shown)


def _listed(archive: ArchiveList) -> Preview:
    lines = [f"{size_text(each.size_bytes):>{_SIZE_CELLS}}  {harmless(each.name)}" for each in archive.entries]
    count = f"{count_text(archive.found)} entr{'y' if archive.found == 1 else 'ies'}"
    first = f"first {len(lines)} of {count}" if len(lines) < archive.found else count
    more = ", and more that was not opened" if archive.is_cut else ""
    return Preview(f"{archive.kind} archive, {first}{more}; nothing was unpacked", tuple(lines), wraps=False)


def _opened(kind: str, content: bytes, is_cut: bool) -> Preview:  # noqa: FBT001
    archive = archive_of(content)
    if archive is not None:
        listed = _listed(archive)
        return Preview(f"{kind}, in it a {listed.said}", listed.lines, listed.wraps)
    text = text_of(content)
    inner = _text(text) if text is not None and content else _bytes(content)
    cut = f", its first {size_text(len(content))}" if is_cut else ""
    return Preview(f"{kind}{cut}, in it {inner.said}", inner.lines, inner.wraps)


def _bytes(content: bytes) -> Preview:
    """Show the first bytes by their numbers."""
    lines = []
    for at in range(0, min(len(content), _HEX_BYTES), _HEX_LINE):
        part = content[at : at + _HEX_LINE]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{at:08x}  {part.hex(' '):<{3 * _HEX_LINE}} {letters}")
    first = f"first {_HEX_BYTES} of " if len(content) > _HEX_BYTES else ""
    return Preview(
        f"bytes that are no text, image or archive: {first}{size_text(len(content))}", tuple(lines), wraps=False
    )
