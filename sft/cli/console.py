"""Where a command writes: results on standard output, notes on standard error, one JSON document instead when asked for.

Rules. ``--quiet`` leaves errors alone on the terminal. With ``--json`` standard output holds one document and nothing else,
in ASCII: what is not, is escaped, so that the text is exact and no terminal acts on it. Glyphs and color are for terminals,
and every glyph has an ASCII form (SFT_ASCII, or a terminal that cannot show it). A reader who went away (``sft ls | head``)
is not an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final, TextIO

from sft.cli.columns import aligned
from sft.errors import LocalFileError

_ASCII: Final = {
    "✓": "+",
    "·": ".",
    "!": "!",
    "?": "?",
    "✗": "x",
    "●": "*",
    "○": "o",
    "⊘": "-",
    "→": "->",
    "…": "...",
    "━": "=",
    "─": "-",
}
_COLORS: Final = {"✓": "32", "✗": "31;1", "!": "33", "?": "33", "·": "2"}
_COPIED_BYTES: Final = 262_144
_DRAWN_SECONDS: Final = 0.25
_SIGNATURES: Final = {"not looked at": " ", "signed": "·", "verified": "✓", "unknown": "?", "bad": "✗"}


class Console:
    """Two streams and what they can show.

    Args:
        out: standard output.
        err: standard error.
        environ: NO_COLOR, TERM, CI and SFT_ASCII are read.
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self.quiet = False
        self.json = False
        self.out_is_terminal = _is_terminal(out)
        self.err_is_terminal = _is_terminal(err)
        self._out = out
        self._err = err
        self.is_dumb = environ.get("TERM") == "dumb"
        self._color = not environ.get("NO_COLOR") and not self.is_dumb
        self._ascii = bool(environ.get("SFT_ASCII")) or not (_speaks_utf8(out) and _speaks_utf8(err))
        self._in_ci = bool(environ.get("CI"))
        self.open_line = ""

    @property
    def may_draw(self) -> bool:
        """Whether a bar that redraws itself has a reader."""
        return self.err_is_terminal and not (self.is_dumb or self._in_ci or self.quiet)

    @property
    def width(self) -> int:
        """Columns of the terminal that standard error is."""
        try:
            return os.get_terminal_size(self._err.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def glyph(self, glyph: str) -> str:
        """Return a glyph in the form that these streams can show."""
        return "".join(_ASCII.get(c, c) for c in glyph) if self._ascii else glyph

    def mark(self, glyph: str) -> str:
        """Return a glyph for a result on standard output, colored if that is a terminal that does colors."""
        code = _COLORS.get(glyph)
        shown = self.glyph(glyph)
        return f"\x1b[{code}m{shown}\x1b[0m" if code and self._color and self.out_is_terminal else shown

    def signature_mark(self, state: str) -> str:
        return self.mark(_SIGNATURES[state])

    def result(self, line: str = "") -> None:
        if not (self.quiet or self.json):
            self.write(line + "\n")

    def write_file(self, file: BinaryIO) -> None:
        """Write the bytes of a file to standard output, as they are; LocalFileError if it does not take them."""
        while chunk := file.read(_COPIED_BYTES):
            try:
                self._out.flush()
                self._out.buffer.write(chunk)
                self._out.buffer.flush()
            except (OSError, ValueError) as error:  # ValueError: it is closed
                _judge(error)
                return

    def show(self, document: object, *lines: str) -> None:
        """Write the result: the one document of ``--json``, else its lines."""
        if self.json:
            self.document(document)
        for line in lines:
            self.result(line)

    def table(
        self,
        rows: Sequence[Sequence[str]],
        *,
        head: Sequence[str] = (),
        right: Sequence[int] = (),
        fields: Sequence[Sequence[str]] | None = None,
    ) -> None:
        """Write rows: in columns under their head on a terminal; elsewhere without it, a TAB between two fields.

        Args:
            right: columns that stand at their right edge.
            fields: the rows as a program reads them, where they differ.
        """
        if self.out_is_terminal:
            lines = aligned([head, *rows] if head else rows, right=right)
        else:
            lines = ["\t".join(row) for row in (rows if fields is None else fields)]
        for line in lines:
            self.result(line)

    def note(self, line: str) -> None:
        """Write a line for a person that is not a result."""
        if not self.quiet:
            self.warn(line)

    def warn(self, line: str) -> None:
        """Write a line to standard error, also with ``--quiet``."""
        self.draw("")
        self._write_error(line + "\n")

    def prompt(self, text: str) -> None:
        """Write a question to standard error; the answer follows it on the same line."""
        self.draw("")
        self._write_error(text)

    def document(self, value: object) -> None:
        self.write(json.dumps(value, indent=None, ensure_ascii=True) + "\n")

    @contextlib.contextmanager
    def listing(self, *, whole: bool) -> Iterator[Callable[[object], None]]:
        """Write documents one by one, for programs: in one list, or one a line if it is no ``whole`` one."""
        count = 0

        def add(value: object) -> None:
            nonlocal count
            before = "" if not whole else ", " if count else "["
            self.write(before + json.dumps(value, indent=None, ensure_ascii=True) + ("" if whole else "\n"))
            count += 1

        yield add
        if self.json and whole:
            self.write("]\n" if count else "[]\n")

    def write(self, text: str) -> None:
        """Write to standard output as it stands; LocalFileError if it does not take it (a full disk)."""
        self.draw("")
        _write(self._out, text)

    def draw(self, line: str) -> None:
        """Show a line on the terminal's last line, in place of the one drawn before; "" clears it."""
        if line == self.open_line:
            return
        self._write_error(f"\r{line}\x1b[K")
        self.open_line = line

    def drawing(self, line: Callable[[int, int], str]) -> Callable[[int, int], None]:
        """Return what draws how far a work is, from any one thread, and not more often than anybody can read."""
        drawn_at = 0.0

        def draw(done: int, of: int) -> None:
            nonlocal drawn_at
            now = time.monotonic()
            if self.may_draw and now - drawn_at >= _DRAWN_SECONDS:
                drawn_at = now
                self.draw(line(done, of))

        return draw

    def flush(self) -> None:
        """Bring everything out; LocalFileError if it cannot be written."""
        _flush(self._out)
        self._write_error("")

    def _write_error(self, text: str) -> None:
        """Write to standard error; where that cannot be written, nobody can be told of it."""
        with contextlib.suppress(LocalFileError):
            _write(self._err, text)
            _flush(self._err)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    except OSError as error:
        _judge(error)


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError as error:
        _judge(error)
    except ValueError:
        return  # closed by whoever started us


def _judge(error: OSError | ValueError) -> None:
    if isinstance(error, BrokenPipeError):
        return
    raise LocalFileError(
        str(error),
        path="Standard output",
        problem="cannot be written",
        remedy="Make room where it goes, then the same command again",
    ) from error


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _speaks_utf8(stream: TextIO) -> bool:
    # A stream that is kept in memory has no encoding, and shows everything.
    return (stream.encoding or "utf-8").lower().replace("-", "").replace("_", "") == "utf8"
