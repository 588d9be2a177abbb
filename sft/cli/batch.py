"""One act on each of several names: what was done, what was not, and the exit status of all.

Rules. A name that fails does not keep the others from being done. One name that fails alone is the command's own failure; of
several, those that failed are listed last, and the status is 1, or theirs if nothing was done and all failed alike. What does
not hold is status 7 among any number. What ended the session in the middle for good is said last, and its status counts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sft.cli.failures import error_json, error_lines
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.next_steps import NEXT_STEPS, NextSteps
from sft.client.session import Session
from sft.errors import LocalDiskFullError, ServerFullError, SftError
from sft.model.names import safe
from sft.model.text import code_of, count_text, sentence

_NAMED_ONE_BY_ONE: Final = 4  # so many with one reason have it once
_NAMES: Final = 20
SOME_STATUS: Final = 1
VERIFICATION_STATUS: Final = 7

ActOnOne = Callable[[Session, str], Awaitable[tuple[str, Document]]]
"""Acts on one name; return the line and the document of what was done."""


def status_of_many(errors: Sequence[SftError], done: int, ended: SftError | None = None) -> int:
    """Return the exit status of a command on several items, or on one.

    Args:
        ended: what ended it in the middle.
    """
    if not errors:
        return 0
    statuses = {error.exit_status for error in errors}
    if VERIFICATION_STATUS in statuses:
        return VERIFICATION_STATUS
    if ended is not None:
        return ended.exit_status
    return statuses.pop() if not done and len(statuses) == 1 else SOME_STATUS


def failure_line(name: str, error: SftError, *, now: float, steps: NextSteps = NEXT_STEPS) -> str:
    said = sentence(error, now=now).removesuffix(".")
    reference = f" (ref {safe(error.ref)})" if error.ref else ""
    return f"  {safe(name)}   {said} [{code_of(error)}]   {steps.of(error, now=now)}{reference}"


def show_failures(
    invocation: Invocation, failed: Sequence[tuple[str, SftError]], undone: str, *, alone: bool, head: bool = True
) -> None:
    """Show what failed: one item alone as the command's own error, several as a list.

    Args:
        head: whether the list needs a line of its own above it; with ``--quiet`` or ``--json`` it always does.
    """
    console, now, steps = invocation.console, invocation.now, invocation.steps
    if alone:
        for _, error in failed:
            for line in error_lines(error, now=now, steps=steps):
                console.warn(line)
        return
    if failed and (head or console.quiet or console.json):
        console.warn(f"{undone}, {count_text(len(failed))}:")
    for names, error in _by_reason(failed, now=now):
        if len(names) < _NAMED_ONE_BY_ONE:
            for name in names:
                console.warn(failure_line(name, error, now=now, steps=steps))
            continue
        console.warn(failure_line(f"{count_text(len(names))} of them", error, now=now, steps=steps))
        for name in names[:_NAMES]:
            console.warn(f"    {safe(name)}")
        if len(names) > _NAMES:
            console.warn(f"    and {count_text(len(names) - _NAMES)} more; --json names all")
    if invocation.ended is not None:
        for line in error_lines(invocation.ended, now=now, steps=steps):
            console.warn(line)


def _by_reason(failed: Sequence[tuple[str, SftError]], *, now: float) -> list[tuple[list[str], SftError]]:
    """Put together what failed for one reason that is nothing of its own, such as a full server; in the order of the first."""
    reasons: dict[tuple[str, ...], tuple[list[str], SftError]] = {}
    for name, error in failed:
        said = () if isinstance(error, ServerFullError | LocalDiskFullError) else (sentence(error, now=now), error.ref)
        reasons.setdefault((code_of(error), *said), ([], error))[0].append(name)
    return [*reasons.values()]


class Batch:
    """Acts on each of several names over one session.

    Args:
        names: as the person gave them.
        undone: heads the list of failures: "Not made".
        empty: the document of a name that failed, beside its path and error.
    """

    def __init__(self, invocation: Invocation, names: Sequence[str], undone: str, empty: Document) -> None:
        self._invocation = invocation
        self._names = names
        self._undone = undone
        self._empty = empty
        self._items: list[Document] = []
        self._failed: list[tuple[str, SftError]] = []

    def run(self, act: ActOnOne) -> int:
        """Log in and act on each name in turn; return the exit status."""

        async def all_of_them(session: Session) -> None:
            for name in self._names:
                await self._one(session, name, act)

        self._invocation.talk(all_of_them)
        return self.finish()

    async def over(self, session: Session, names: Sequence[str], act: ActOnOne) -> None:
        """Act on each name in turn over a session that is there."""
        for name in names:
            await self._one(session, name, act)

    def finish(self) -> int:
        """Show what was not done; return the exit status."""
        console = self._invocation.console
        errors = [error for _, error in self._failed]
        done = len(self._items) - len(errors)
        status = status_of_many(errors, done)
        if console.json:
            document = {"items": self._items, "done": done, "failed": len(errors), "exit": status}
            console.document(document)
        show_failures(self._invocation, self._failed, self._undone, alone=len(self._items) == 1)
        return status

    async def _one(self, session: Session, name: str, act: ActOnOne) -> None:
        try:
            line, document = await act(session, name)
        except SftError as error:
            self.failed(name, error)
        else:
            self.done(line, document)

    def done(self, line: str, document: Document) -> None:
        self._items.append({**document, "error": None})
        self._invocation.console.result(line)

    def failed(self, name: str, error: SftError) -> None:
        self._failed.append((name, error))
        why = error_json(error, now=self._invocation.now)
        self._items.append({"path": name, **self._empty, "error": why})
