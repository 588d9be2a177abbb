"""Those who leave, many at once: their names out of a list, each locked out, and what became of each.

Rules. A line is a name; blank ones and what follows ``#`` is nothing. Whom a list names twice is met once. One that fails keeps
no other from being done, and who is locked out or removed already is no failure: the same list can be given again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

from msgspec import Struct

from sft.cli.batch import failure_line, status_of_many
from sft.cli.console import Console
from sft.cli.failures import error_json
from sft.cli.json_output import Document
from sft.cli.next_steps import NextSteps
from sft.client.api import Requester, people
from sft.client.os_errors import translating_os_errors
from sft.errors import LocalFileError, RequestError, SftError, UsageError
from sft.limits import MIB
from sft.model.records import UserState
from sft.model.text import count_text, shown_name

STANDARD_INPUT: Final = "-"


class Leaver(Struct, frozen=True):
    """What became of one of them.

    Attributes:
        state: what they are now; None where that was not done.
        changed: they were active until now.
    """

    name: str
    state: UserState | None = None
    changed: bool = False
    error: SftError | None = None


def require_one(name: str | None, listed: str | None) -> None:
    """Require a name or a list, and not both; UsageError otherwise."""
    if (name is None) == (listed is None):
        raise UsageError(problem="One name, or a list of them, says who", remedy="One of the two, and not both")


def read_names(named: str, stdin: TextIO) -> list[str]:
    """Read the names of a list (blocks); ``-`` is standard input.

    Raises:
        LocalFileError: it cannot be read.
        UsageError: nobody is in it, or it is no list.
    """
    if named == STANDARD_INPUT:
        text = stdin.read(MIB + 1)
    else:
        path = Path(named)
        with translating_os_errors(path), path.open("rb") as file:
            data = file.read(MIB + 1)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise LocalFileError(
                path=named, problem="does not hold text", remedy="One name a line, in UTF-8"
            ) from error
    if len(text) > MIB:
        raise UsageError(problem=f"{shown_name(named)} is no list of names: it is too long", remedy="One name a line")
    names = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = list(dict.fromkeys(name for name in names if name))
    if not found:
        raise UsageError(problem=f"{shown_name(named)} names nobody", remedy="One name a line")
    return found


async def disable_all(
    session: Requester, names: Sequence[str], tell: Callable[[Leaver], None] = lambda _: None
) -> list[Leaver]:
    """Lock out each of them in turn; whatever ends the session is said of all who are left."""
    done: list[Leaver] = []
    ended: SftError | None = None
    for name in names:
        leaver = await _disable(session, name) if ended is None else Leaver(name, error=ended)
        if leaver.error is not None and not isinstance(leaver.error, RequestError):
            ended = leaver.error
        done.append(leaver)
        tell(leaver)
    return done


async def _disable(session: Requester, name: str) -> Leaver:
    try:
        before = (await people.show_user(session, name)).state
        if before is not UserState.ACTIVE:
            return Leaver(name, before)
        return Leaver(name, (await people.disable(session, name)).state, changed=True)
    except SftError as error:
        return Leaver(name, error=error)


def show_leavers(console: Console, done: Sequence[Leaver], *, now: float, steps: NextSteps) -> int:
    """Show what became of each; return the exit status."""
    failed = [(each.name, each.error) for each in done if each.error is not None]
    status = status_of_many([error for _, error in failed], len(done) - len(failed))
    if console.json:
        items = [_document(each, now=now, steps=steps) for each in done]
        console.document({"items": items, "done": len(done) - len(failed), "failed": len(failed), "exit": status})
    for each in done:
        if each.error is None and not console.json:
            console.result(_said(each))
    if failed:
        console.warn(f"Not disabled, {count_text(len(failed))}:")
    for name, error in failed:
        console.warn(failure_line(name, error, now=now, steps=steps))
    return status


def _said(leaver: Leaver) -> str:
    if leaver.changed:
        return f"{shown_name(leaver.name)} is disabled: signed out now; files and account stay."
    return f"{shown_name(leaver.name)} was {leaver.state} before; nothing was changed."


def _document(leaver: Leaver, *, now: float, steps: NextSteps) -> Document:
    state = None if leaver.state is None else leaver.state.value
    error = None if leaver.error is None else error_json(leaver.error, now=now, steps=steps)
    return {"name": leaver.name, "state": state, "changed": leaver.changed, "error": error}
