"""The only way from a text of a peer, a disk or an error to the screen.

Rules. Every such text goes through ``sft.model.names.safe`` here and becomes a ``Content`` or ``Text`` without markup:
the toolkit would run ``[@click=…]`` in a plain string. What is odd in a name stands reversed, so that it cannot be
taken for part of it. Cut texts end in ``…``; a name keeps its ending.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from sft.crypto.keys import PublicKey
from sft.errors import KeyFormatError, SftError
from sft.limits import KIB
from sft.model.names import safe
from sft.model.text import SIZE_UNITS, sentence, size_text
from tui.next_steps import next_step

_ESCAPED: Final = re.compile(r"\\u\{[0-9a-f]+\}")
_HEAD_OF_ESCAPE: Final = re.compile(r"\\(u(\{[0-9a-f]*)?)?$")
_TAIL_OF_ESCAPE: Final = re.compile(r"^(u\{|\{)?[0-9a-f]*\}")
_ENDING_CELLS: Final = 8
_LEAST_CELLS: Final = 8
_SIZE_CELLS: Final = 7
ODD_STYLE: Final = "reverse"


def harmless(text: str) -> str:
    """Make a text of a peer fit for one line; combining marks cannot climb onto the lines above it."""
    return _without_towers(safe(text))


@lru_cache(maxsize=8192)
def shown(text: str) -> str:
    """Do the same for what is drawn again and again, such as names."""
    return harmless(text)


def name_text(name: str, style: str = "") -> Text:
    """Write a name, what is odd in it reversed."""
    text = Text(shown(name), style=style, no_wrap=True, end="")
    text.highlight_regex(_ESCAPED, ODD_STYLE)
    return text


@lru_cache(maxsize=8192)
def cut(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless text to so many columns, from its end."""
    if cell_len(text) <= cells:
        return text
    if cells <= cell_len(ellipsis):
        return ellipsis[:cells]
    return set_cell_size(text, cells - cell_len(ellipsis)).rstrip() + ellipsis


@lru_cache(maxsize=8192)
def cut_name(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless name in its middle: its ending, and what numbers stand before it, stay in sight."""
    if cell_len(text) <= cells:
        return text
    room, ending = cells - cell_len(ellipsis), ending_of(text)
    if room < _LEAST_CELLS // 2 + cell_len(ending):
        return cut(text, cells, ellipsis)
    tail_cells = max(room // 2, cell_len(ending))
    tail = text
    while cell_len(tail) > tail_cells:
        tail = tail[1:]
    return without_half_escapes(set_cell_size(text, room - cell_len(tail)).rstrip(), ellipsis, tail)


def ending_of(name: str) -> str:
    """Return the ending of a name, with its dot, if it has a short one."""
    dot = name.rfind(".")
    return name[dot:] if dot > 0 and cell_len(name[dot:]) <= _ENDING_CELLS else ""


def without_half_escapes(head: str, ellipsis: str, tail: str) -> str:
    """Join what is left of a name: what stands for an odd character is shown whole or not at all."""
    return _HEAD_OF_ESCAPE.sub("", head) + ellipsis + _TAIL_OF_ESCAPE.sub("", tail)


@lru_cache(maxsize=1024)
def cut_path(text: str, cells: int, ellipsis: str = "…") -> str:
    """Cut a harmless path from its beginning: where it leads stays in sight."""
    if cell_len(text) <= cells:
        return text
    room = cells - cell_len(ellipsis)
    if room <= 0:
        return ellipsis[: max(cells, 0)]
    while text and cell_len(text) > room:
        text = text[1:]
    # A whole component reads better than a part of one, if that costs little.
    slash = text.find("/")
    return ellipsis + (text[slash:] if 0 < slash < len(text) // 2 else text)


def error_text(error: SftError, now: float) -> tuple[str, str]:
    """Return an error's sentence and its next step, both harmless."""
    message = sentence(error, now=now)
    step = next_step(error, now=now)
    reference = f" ({safe(error.ref)})" if error.ref else ""
    return message, step + reference


def error_line(error: SftError, now: float) -> str:
    """Write an error and its next step as sentences on one line."""
    message, step = error_text(error, now)
    if step and not step.endswith((".", "?")):
        step += "."
    return f"{message} {step}".strip()


def _without_towers(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= 4:  # noqa: PLR2004 - more than any script stacks
            kept.append(character)
        elif marks == 5:  # noqa: PLR2004
            kept.append(f"\\u{{{ord(character):x}}}")
    return "".join(kept)


def size_cell(size_bytes: int) -> str:
    """Write a size in at most seven columns: 1,023 KiB is 1.0 MiB here."""
    message = size_text(size_bytes)
    if len(message) <= _SIZE_CELLS:
        return message
    amount, _, unit = message.replace(",", "").rpartition(" ")
    return f"{float(amount) / KIB:.1f} {SIZE_UNITS[min(SIZE_UNITS.index(unit) + 1, len(SIZE_UNITS) - 1)]}"


def folder_text(path: str, home: str) -> str:
    """Write a folder of this computer, the person's own as ``~``, harmless."""
    return shown(f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path)


def key_words(public_key: bytes) -> str:
    """Write a person's key in its eight words."""
    try:
        return PublicKey.decode(public_key).words()
    except KeyFormatError:
        return "no key that this sft can read"
