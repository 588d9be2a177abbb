from __future__ import annotations

import errno
import io
import json

import pytest

from sft.cli.console import Console
from sft.errors import LocalFileError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Latin(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="latin-1")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("latin-1")  # type: ignore[attr-defined]


def console(*, terminal: bool = True, **environ: str) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    return Console(out, err, environ), out, err


def test_results_and_notes_go_to_their_own_streams():
    shown, out, err = console()
    shown.result("a result")
    shown.note("a note")
    assert (out.getvalue(), err.getvalue()) == ("a result\n", "a note\n")


def test_quiet_leaves_errors_alone():
    shown, out, err = console()
    shown.quiet = True
    shown.result("a result")
    shown.note("a note")
    shown.warn("an error")
    assert (out.getvalue(), err.getvalue()) == ("", "an error\n")


def test_a_document_is_alone_and_harmless_on_a_terminal():
    shown, out, _ = console()
    shown.json = True
    shown.result("a result")
    shown.document({"path": "caf\u00e9\u202e\x1b[31m\x9b"})
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()
    assert json.loads(out.getvalue()) == {"path": "caf\u00e9\u202e\x1b[31m\x9b"}


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_marks_have_color_only_where_it_is_wanted(environ):
    assert console()[0].mark("✓") == "\x1b[32m✓\x1b[0m"
    assert console(**environ)[0].mark("✓") == "✓"
    assert console(terminal=False)[0].mark("✓") == "✓"


def test_every_glyph_has_an_ascii_form():
    shown, _, _ = console(SFT_ASCII="1", NO_COLOR="1")
    assert [shown.mark(g) for g in "✓·!?✗●⊘"] == ["+", ".", "!", "?", "x", "*", "-"]
    assert shown.glyph("→") == "->"


def test_a_terminal_that_is_not_utf8_gets_ascii_and_escapes():
    out = Latin()
    shown = Console(out, io.StringIO(), {})
    assert shown.glyph("✓") == "+"
    shown.result("naïve ✓")
    assert out.text() == "naïve \\u2713\n"


@pytest.mark.parametrize("environ", [{"CI": "1"}, {"TERM": "dumb"}])
def test_a_bar_needs_a_terminal_that_can(environ):
    assert console()[0].may_draw
    assert not console(**environ)[0].may_draw
    assert not console(terminal=False)[0].may_draw
    quiet = console()[0]
    quiet.quiet = True
    assert not quiet.may_draw


def test_a_drawn_line_is_cleared_before_anything_else_is_written():
    shown, out, err = console()
    shown.draw("half way")
    shown.draw("half way")
    shown.result("done")
    assert err.getvalue() == "\rhalf way\x1b[K\r\x1b[K"
    assert out.getvalue() == "done\n"


def test_how_far_a_work_is_is_drawn_where_somebody_looks():
    for terminal, drawn in ((True, "\r1 of 9\x1b[K"), (False, "")):
        shown, _, err = console(terminal=terminal)
        shown.drawing(lambda done, of: f"{done} of {of}")(1, 9)
        assert err.getvalue() == drawn


class Broken(io.StringIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


def test_a_reader_who_went_away_is_no_fault():
    shown = Console(Broken(BrokenPipeError()), io.StringIO(), {})
    shown.result("a result")
    shown.flush()


def test_a_full_disk_is_told():
    shown = Console(Broken(OSError(28, "No space left")), io.StringIO(), {})
    with pytest.raises(LocalFileError):
        shown.result("a result")
    with pytest.raises(LocalFileError):
        shown.flush()


class Refusing(io.RawIOBase):
    def __init__(self, error: OSError) -> None:
        self._error = error

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise self._error


def test_a_file_goes_to_standard_output_as_it_is():
    content = bytes(range(256)) * 3000
    written = io.BytesIO()
    out = io.TextIOWrapper(written)
    Console(out, io.StringIO(), {}).write_file(io.BytesIO(content))
    assert written.getvalue() == content


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EBADF], ids=errno.errorcode.get)
def test_a_file_that_standard_output_does_not_take_is_told(number):
    out = io.TextIOWrapper(io.BufferedWriter(Refusing(OSError(number, "refused"))))
    with pytest.raises(LocalFileError) as caught:
        Console(out, io.StringIO(), {}).write_file(io.BytesIO(b"content"))
    assert caught.value.values["path"] == "Standard output"


def test_a_file_and_a_standard_output_that_is_closed():
    out = io.TextIOWrapper(io.BytesIO())
    shown = Console(out, io.StringIO(), {})
    out.close()
    with pytest.raises(LocalFileError):
        shown.write_file(io.BytesIO(b"content"))


def test_a_reader_of_a_file_who_went_away_is_no_fault():
    out = io.TextIOWrapper(io.BufferedWriter(Refusing(BrokenPipeError())))
    Console(out, io.StringIO(), {}).write_file(io.BytesIO(b"content"))


def test_an_unwritable_standard_error_keeps_nothing_else_from_being_done():
    out = io.StringIO()
    shown = Console(out, Broken(OSError(28, "No space left")), {})
    shown.warn("an error")
    shown.result("a result")
    shown.flush()
    assert out.getvalue() == "a result\n"
