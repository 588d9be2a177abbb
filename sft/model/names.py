r"""The one place where text becomes a name: of a file, a folder, a person, a device or a server.

Rules of a component (the part of a path between two slashes):

- Unicode NFC, 1 to 255 bytes of UTF-8 (so never more than 255 UTF-16 units, the other bound of file systems);
- none of ``/ \\ : * ? " < > |``, no control, format, private or unassigned character, no surrogate, no line separator;
  the joiners U+200C and U+200D only where a script or an emoji needs them (``sft.model.unicode_joiners``);
- no leading or trailing space, no trailing dot, neither ``.`` nor ``..``, no name that Windows keeps for a device.

A path is components joined by ``/``, at most 1,024 bytes. Two components are the same name when ``fold`` makes them
equal. Every refusal names the character and offers a name that is allowed. A server checks that what arrived is its own
parse (``parse_path(x) == x``), so that what is signed is what is stored. ``safe`` is for showing, never for storing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from sft.errors import NameNotAllowedError, UserNameNotAllowedError
from sft.limits import NAME_BYTES, PATH_BYTES, USER_NAME_BYTES
from sft.model.unicode_joiners import JOINERS, joiner_fits

# Scripts that share shapes: within one name of a person at most one of them.
LOOKALIKE_SCRIPTS: Final = frozenset({"Armenian", "Cherokee", "Coptic", "Cyrillic", "Greek", "Latin"})
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_PLAIN: Final = frozenset(map(chr, range(0x20, 0x7F))) - _FORBIDDEN  # refused for their place alone
_BLANKS: Final = " \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_WINDOWS_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"}
)
_BIDI_WORDS: Final = {
    "\u202e": "shows text backwards",
    "\u202d": "shows text forwards",
    "\u202a": "changes the direction of text",
    "\u202b": "changes the direction of text",
    "\u202c": "changes the direction of text",
    "\u2066": "changes the direction of text",
    "\u2067": "changes the direction of text",
    "\u2068": "changes the direction of text",
    "\u2069": "changes the direction of text",
    "\u200e": "changes the direction of text",
    "\u200f": "changes the direction of text",
    "\u061c": "changes the direction of text",
}
_CATEGORY_WORDS: Final = {
    "Cc": "is a control character",
    "Cf": "is invisible",
    "Cs": "is half a character",
    "Co": "has no meaning that all computers share",
    "Cn": "is no character yet",
    "Zl": "breaks the line",
    "Zp": "breaks the line",
}
# Letters, marks and symbols that show nothing: allowed in names, marked wherever a name is shown.
_BLANK_BUT_PRINTED: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Unicode's Default_Ignorable_Code_Point, as far as names may hold them: they make no difference.
_IGNORED_IN_FOLD: Final = (
    _BLANK_BUT_PRINTED - {"\u2800"}
    | JOINERS
    | frozenset(map(chr, [*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)
_WITHIN_DEVICE: Final = re.compile("(?<=[^ '\u2019])[ '\u2019](?=[^ '\u2019])")
_FIRST_BYTE: Final = 0xDC80  # how Python reads a byte of a file's name that is no text (PEP 383)
_LAST_BYTE: Final = 0xDCFF
_SHOWN_OF_REFUSED: Final = 80  # characters of a hopeless name that an error carries
_REMEMBERED: Final = 4096  # names that were good, 1 MiB of the longest: a folder's is asked about with each file in it


@lru_cache(_REMEMBERED)
def parse_component(text: str) -> str:
    """Return a text as a file's or folder's name, in NFC; NameNotAllowedError names what forbids it."""
    name = unicodedata.normalize("NFC", text)
    problem = _problem_of(name)
    if problem:
        raise _refusal(text, problem)
    return name


def parse_path(text: str, *, root: bool = False) -> str:
    """Return a text as a path on the server: ``a/b/c``; one leading and one trailing ``/`` are dropped.

    Args:
        text: what a person typed, or a peer sent.
        root: whether the root folder, which is the empty text, will do.

    Raises:
        NameNotAllowedError: for the first component that is not allowed, or the whole path's length.
    """
    path = text.removeprefix("/").removesuffix("/")
    if root and not path:
        return ""
    path = "/".join(parse_component(component) for component in path.split("/"))
    size_bytes = len(path.encode())
    if size_bytes > PATH_BYTES:
        problem = f"{size_bytes:,} bytes with its folders; the most is {PATH_BYTES:,}"
        raise _refusal(path, problem, safer=split_path(path)[1])
    return path


def split_path(path: str) -> tuple[str, str]:
    """Split a parsed path into its folder (``""`` for the root) and its name."""
    folder, _, name = path.rpartition("/")
    return folder, name


def join_path(folder: str, name: str) -> str:
    """Join a parsed folder (``""`` for the root) and a name."""
    return f"{folder}/{name}" if folder else name


def fold(text: str) -> str:
    """Map one component, or one person's name, to the key under which it is unique (Unicode's NFKC_Casefold)."""
    if text.isascii():
        return text.lower()  # the same, in a fiftieth of the time
    visible = "".join(c for c in unicodedata.normalize("NFD", text) if c not in _IGNORED_IN_FOLD)
    folded = unicodedata.normalize("NFKC", visible.casefold()).casefold()
    folded = unicodedata.normalize("NFKC", folded)
    return "".join(c for c in folded if c not in _IGNORED_IN_FOLD)


def parse_user_name(text: str) -> str:
    """Return a text as a person's name: letters, digits and ``._-``, a letter or digit first, 1 to 64 bytes.

    Raises:
        UserNameNotAllowedError: with what is wrong, and a name that would do.
    """
    name = unicodedata.normalize("NFC", text)
    problem = ""
    for index, character in enumerate(name):
        if not _is_letter_or_digit(character) and (index == 0 or not (character in "._-" or _is_mark(character))):
            problem = "a blank" if character == " " else _named(character)
            problem += " at its beginning" if index == 0 else ""
            break
    size_bytes = len(name.encode(errors="replace"))
    if not name:
        problem = "no characters"
    elif not problem and len(_lookalike_scripts(name)) > 1:
        problem = f"letters of {' and '.join(sorted(_lookalike_scripts(name)))}, which look alike"
    elif not problem and size_bytes > USER_NAME_BYTES:
        problem = f"{size_bytes} bytes; the most is {USER_NAME_BYTES}"
    if problem:
        raise UserNameNotAllowedError(name=_shortened(text), problem=problem, safer=_safe_user_name(name))
    return name


def is_user_name(text: str) -> bool:
    """Return whether a text is a person's name as it stands; what a server calls somebody may be none."""
    try:
        return parse_user_name(text) == text
    except UserNameNotAllowedError:
        return False


def _lookalike_scripts(name: str) -> set[str]:
    """Return the scripts of a name whose letters can pass for one another: a Cyrillic а in ada is another person."""
    scripts = {unicodedata.name(character, "").partition(" ")[0].title() for character in name}
    return scripts & LOOKALIKE_SCRIPTS


def parse_device_name(text: str) -> str:
    """Return a text as a device's name, by the rules of people's names, with blanks and apostrophes within: ``Max's laptop``.

    Raises:
        UserNameNotAllowedError: with what is wrong, and a name that would do.
    """
    plain = _WITHIN_DEVICE.sub(lambda found: "-" * len(found[0].encode()), text)
    try:
        parse_user_name(plain)
    except UserNameNotAllowedError as error:
        problem, safer = error.values["problem"], error.values["safer"]
        raise UserNameNotAllowedError(name=_shortened(text), problem=problem, safer=safer) from None
    return unicodedata.normalize("NFC", text)


def parse_server_name(text: str) -> str:
    """Return a text as a server's name: as people's names, and fit to be a folder's name on every computer.

    Raises:
        UserNameNotAllowedError: with what is wrong, and a name that would do.
    """
    name = parse_user_name(text)
    problem = _problem_of(name)
    if problem:
        safer = safe_name(name)
        raise UserNameNotAllowedError(name=name, problem=problem, safer=safer)
    return name


def safe(text: str) -> str:
    r"""Return a text fit to be shown in one line: what is invisible or moves other text becomes ``\u{202e}``.

    The result holds no control, bidirectional or zero-width character but a joiner where it belongs. It does not escape
    the markup of any user interface.
    """
    if text.isascii() and text.isprintable():
        return text  # the same, in a fiftieth of the time
    return "".join(c if _is_shown_as_it_is(text, index) else f"\\u{{{ord(c):x}}}" for index, c in enumerate(text))


def local_name(component: str) -> str:
    """Check once more, on a reader's computer, that a name of the server's is one component and nothing else.

    Raises:
        NameNotAllowedError: it is not exactly what ``parse_component`` returns.
    """
    if parse_component(component) != component:
        raise _refusal(component, "characters in an order that computers store differently")
    return component


def safe_name(component: str) -> str:
    """Return the closest name that is allowed: ``a:b.txt`` becomes ``a_b.txt``."""
    name = unicodedata.normalize("NFC", component)
    name = "".join("_" if _problem_of_character(name, i) else c for i, c in enumerate(name))
    # Joiners can become misplaced by what stood beside them.
    name = "".join("_" if _problem_of_character(name, i) else c for i, c in enumerate(name))
    name = unicodedata.normalize("NFC", _trimmed(name)) or "_"
    stem, dot, extension = name.partition(".")
    if _is_windows_device(name):
        name = f"{stem.rstrip()}_{dot}{extension}"
    if not _fits(name):
        name = _cut(name)
    return name


def _problem_of(name: str) -> str:
    if not name:
        return "no characters"
    if name in {".", ".."}:
        return "a meaning of its own: this folder, or the one above"
    if not _PLAIN.issuperset(name):  # most names are of these alone, and every commit asks
        for index in range(len(name)):
            problem = _problem_of_character(name, index)
            if problem:
                return problem
    if name[0] in _BLANKS:
        return "a blank at its beginning"
    if name[-1] in _BLANKS:
        return "a blank at its end, which Windows drops"
    if name[-1] == ".":
        return "a dot at its end, which Windows drops"
    if _is_windows_device(name):
        return "a name that Windows keeps for a device"
    if not _fits(name):
        return f"{len(name.encode()):,} bytes; the most is {NAME_BYTES}"
    return ""


def _problem_of_character(name: str, index: int) -> str:
    character = name[index]
    if character == "/":
        return '"/", which separates folders'
    if character in _FORBIDDEN:
        return f"{_named(character)}, which Windows cannot store"
    if character in JOINERS:
        fits = joiner_fits(name, index)
        return "" if fits else f"{_named(character)}, which is invisible there"
    if _FIRST_BYTE <= ord(character) <= _LAST_BYTE:
        return "a byte that is not UTF-8"
    words = _BIDI_WORDS.get(character) or _CATEGORY_WORDS.get(unicodedata.category(character))
    return f"{_named(character)}, which {words}" if words else ""


def _named(character: str) -> str:
    invisible = _BLANK_BUT_PRINTED | _IGNORED_IN_FOLD
    if unicodedata.category(character) in _CATEGORY_WORDS or character in invisible:
        return f"U+{ord(character):04X}"
    # Between marks of its own kind, a quotation mark would read as an empty pair.
    return "'\"'" if character == '"' else f'"{character}"'


def _is_shown_as_it_is(text: str, index: int) -> bool:
    character = text[index]
    if character in JOINERS:
        return joiner_fits(text, index)
    hidden = unicodedata.category(character) in _CATEGORY_WORDS or character in _BLANK_BUT_PRINTED
    return not hidden


def _is_windows_device(name: str) -> bool:
    return name.partition(".")[0].rstrip().upper() in _WINDOWS_DEVICES


def _fits(name: str) -> bool:
    return len(name.encode()) <= NAME_BYTES


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] == "L" and character not in _BLANK_BUT_PRINTED) or category == "Nd"


def _is_mark(character: str) -> bool:
    visible = character not in _IGNORED_IN_FOLD
    return visible and unicodedata.category(character) in {"Mn", "Mc"}


def _trimmed(name: str) -> str:
    name = name.lstrip(_BLANKS)
    kept = name.rstrip(_BLANKS + ".")
    return kept + "_" if kept and kept != name else kept


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    tail = dot + extension if stem and len(extension.encode()) <= USER_NAME_BYTES else ""
    kept = (stem if tail else name).encode()[: NAME_BYTES - len(tail.encode()) - 1]
    return safe_name(kept.decode(errors="ignore").rstrip(" .") + tail)


def _safe_user_name(name: str) -> str:
    kept = "".join(c if _is_letter_or_digit(c) or c in "._-" or _is_mark(c) else "_" for c in name)
    while kept and not _is_letter_or_digit(kept[0]):
        kept = kept[1:]
    return kept.encode()[:USER_NAME_BYTES].decode(errors="ignore") or "me"


def _shortened(text: str) -> str:
    shown = safe(text)
    return shown if len(shown) <= NAME_BYTES else shown[:_SHOWN_OF_REFUSED] + "…"


def _refusal(text: str, problem: str, *, safer: str | None = None) -> NameNotAllowedError:
    # A name can hold halves of characters that no message can carry: what is shown of it, can.
    safer = safe_name(text) if safer is None else safer
    return NameNotAllowedError(name=_shortened(text), problem=problem, safer=safer)
