"""Questions to a person, where one sits.

Rules. A passphrase is asked for on the terminal itself, whatever the standard streams are, and nowhere else. Everything else is
asked on standard input and error, if both are terminals. Whoever ends the input, ends the command.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from typing import Final, TextIO

from sft.cli.console import Console
from sft.cli.run import Interrupted, interruptible
from sft.errors import KeyLockedError, LinkIncompleteError, UsageError

AskSecret = Callable[[str], str]
"""Shows a prompt, reads a line without echo; raises KeyLockedError where there is no terminal."""

PASTE_SECONDS: Final = 0.3  # what a terminal wraps arrives at once, line after line
_MOST_LINE: Final = 4096


def ask_on_terminal(prompt: str) -> str:
    """Ask for a secret on the terminal of this process; KeyLockedError if there is none."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise KeyLockedError from None
    from getpass import getpass

    try:
        with interruptible():
            return getpass(prompt)
    except EOFError:
        raise Interrupted(signal.SIGINT) from None


class Prompts:
    """Questions of one command."""

    def __init__(self, console: Console, stdin: TextIO, secret: AskSecret) -> None:
        self._console = console
        self._stdin = stdin
        self.secret = secret

    @property
    def possible(self) -> bool:
        """Whether a person reads and answers."""
        return self.from_terminal and self._console.err_is_terminal

    @property
    def from_terminal(self) -> bool:
        try:
            return self._stdin.isatty()
        except ValueError:
            return False

    def line(self, prompt: str, default: str = "") -> str:
        """Ask for a line; an empty one means the default, which the prompt shows."""
        shown = f"{prompt} [{default}]: " if default else f"{prompt}: "
        return self._answer(shown).strip() or default

    def require_agreement(self, question: str, *, otherwise: str) -> None:
        """Ask a question whose safe answer is no; without a yes, raise Interrupted with what is said ``otherwise``."""
        if not self.agrees(question):
            raise Interrupted(signal.SIGINT, otherwise)

    def agrees(self, question: str) -> bool:
        """Ask a question whose safe answer is no."""
        return self._answer(f"{question} [y/N] ").strip().lower() in {"y", "yes"}

    def require_typed(self, question: str, *, expected: str, otherwise: str) -> None:
        """Ask for a name to be typed, as agreement to what cannot be undone; Interrupted if it is not."""
        if self._answer(f"{question} Type {expected}: ").strip() != expected:
            raise Interrupted(signal.SIGINT, otherwise)

    def new_passphrase(self, prompt: str) -> str | None:
        """Ask twice for a new passphrase; None if the person wants none, KeyLockedError without a terminal."""
        while True:
            first = self.secret(f"{prompt} (Enter for none): ")
            if not first:
                return None
            if self.secret("Again: ") == first:
                return first
            self._console.warn("These two differ.")

    def pasted(self, prompt: str, *, whole: Callable[[str], bool]) -> str:
        """Take a pasted text: one line, or as many as a terminal made of it; all of standard input off a terminal."""
        if not self.from_terminal:
            return _all_of(self._stdin)
        text = self._answer(prompt)
        while not whole(text) and select.select([self._stdin], [], [], PASTE_SECONDS)[0]:
            more = self._stdin.readline(_MOST_LINE)
            if not more:
                break
            text += more
        return text

    def link(self, link_file: str | None, prompt: str) -> str:
        """Take a link, pasted, from a file or standard input, never as an argument; UsageError if there is none."""
        if link_file is not None:
            return self.secret_file(link_file, "The link")
        text = self.pasted(prompt, whole=_is_whole)
        if not text.strip():
            raise UsageError(problem="No link was given", remedy="Paste it, or name its file: --link-file FILE")
        return text

    def secret_file(self, path: str, what: str) -> str:
        """Read a small secret from a file, ``-`` for standard input; UsageError if it cannot be read."""
        if path == "-":
            return _all_of(self._stdin)
        try:
            with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as open() takes what the shell gives
                return file.read(_MOST_LINE)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise UsageError(
                problem=f"{what} cannot be read from {path} ({reason})", remedy="Name a file that holds it"
            ) from error

    def _answer(self, prompt: str) -> str:
        self._console.prompt(prompt)
        with interruptible():
            answer = self._stdin.readline(_MOST_LINE)
        if not answer:
            raise Interrupted(signal.SIGINT)
        return answer


def _is_whole(text: str) -> bool:
    from sft.model.links import parse_link

    try:
        parse_link(text)
    except LinkIncompleteError:
        return False
    except UsageError:
        return True
    return True


def _all_of(stdin: TextIO) -> str:
    """Read standard input; one that whoever started us has closed holds nothing."""
    try:
        return stdin.read(_MOST_LINE)
    except (OSError, UnicodeDecodeError):
        return ""
