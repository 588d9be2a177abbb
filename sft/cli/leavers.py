"""Those who leave, many at once: their names out of a list, each locked out or removed, and what became of each.

Rules. A line is a name; blank ones and what follows ``#`` is nothing. Whom a list names twice is met once. One that fails keeps
no other from being done, and who is locked out or removed already is no failure: the same list can be given again. Whoever
gives the list is not met by it, nor is the heir of a removal: the one would end the work half done, the other leave files to
somebody who leaves. Before anybody is removed all are looked up, and what will happen is said.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from msgspec import Struct

from sft.cli.batch import failure_line, status_of_many
from sft.cli.console import Console
from sft.cli.failures import error_json
from sft.cli.json_output import Document
from sft.cli.next_steps import NextSteps
from sft.cli.people_output import files_of
from sft.client.api import Requester, people
from sft.client.os_errors import translating_os_errors
from sft.errors import LocalFileError, NotFoundError, RequestError, SftError, UsageError
from sft.limits import MIB
from sft.model.names import fold, parse_user_name
from sft.model.records import User, UserState
from sft.model.text import count_text, counted, shell_name, shown_name, size_text

STANDARD_INPUT: Final = "-"
AGREED: Final = "remove"
"""What is typed as agreement to the removal of everybody whom a list names."""

_ASKED_SINGLY: Final = 100  # ten thousand answers took a minute, their listing a few seconds
_NAMED: Final = 20  # of those who will be removed, before anybody is asked
_BYTE_ORDER_MARK: Final = "\ufeff"
_NO_TEXT: Final = "does not hold text"


class Leaver(Struct, frozen=True):
    """What became of one of them.

    Attributes:
        state: what they are now; None where that was not done.
        changed: this command did it.
        before: whoever it removed, as they were.
        files_to: who has the files of whoever it removed; "" is the first admin.
    """

    name: str
    state: UserState | None = None
    changed: bool = False
    error: SftError | None = None
    before: User | None = None
    files_to: str = ""


Tell = Callable[[Leaver], None]
Look = Callable[[str], Awaitable[User]]
"""Finds whom a name means, or raises why they are not met."""

Agree = Callable[[Sequence[User | SftError], str], None]
"""Is given what was found of each, and the heir; raises unless a removal is agreed to."""


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
    try:
        text = _text_of(named, stdin)
    except UnicodeDecodeError as error:
        what = "Standard input" if named == STANDARD_INPUT else named
        raise LocalFileError(path=what, problem=_NO_TEXT, remedy="One name a line, in UTF-8") from error
    lines = text.removeprefix(_BYTE_ORDER_MARK).splitlines()
    found: dict[str, str] = {}
    for name in (line.partition("#")[0].strip() for line in lines):
        found.setdefault(fold(name), name)
    names = [name for name in found.values() if name]
    if not names:
        raise UsageError(problem=f"{shown_name(named)} names nobody", remedy="One name a line")
    return names


def _text_of(named: str, stdin: TextIO) -> str:
    if named == STANDARD_INPUT:
        read: str | bytes = stdin.read(MIB + 1)
    else:
        path = Path(named)
        with translating_os_errors(path), path.open("rb") as file:
            read = file.read(MIB + 1)
    if len(read) > MIB:
        raise UsageError(problem=f"{shown_name(named)} is no list of names: it is too long", remedy="One name a line")
    return read if isinstance(read, str) else read.decode()


# -- what is done with each -------------------------------------------------------------------------------


async def disable_all(session: Requester, names: Sequence[str], tell: Tell, *, by: str = "") -> list[Leaver]:
    """Lock out each of them in turn; whatever ends the session is said of all who are left.

    Args:
        tell: is told of each as soon as that is done.
        by: who gave the list; nobody is the operator.
    """
    look = await _looking(session, names, by, "disable")

    async def disable(name: str) -> Leaver:
        found = await look(name)
        if found.state is not UserState.ACTIVE:
            return Leaver(name, found.state)
        return Leaver(name, (await people.disable(session, found.name)).state, changed=True)

    return await _each(names, disable, tell)


async def remove_all(
    session: Requester, names: Sequence[str], heir: str, tell: Tell, *, agree: Agree, by: str = ""
) -> list[Leaver]:
    """Remove each of them for good, once that was agreed to; else as ``disable_all``.

    Args:
        heir: who gets the files; "" is whoever gave the list, and for the operator the first admin.

    Raises:
        UsageError: the heir is on the list.
        NotFoundError: nobody who is active is called as the heir is.
    """
    if heir and fold(heir) in map(fold, names):
        raise UsageError(
            problem=f"{shown_name(heir)} is to have the files, and is on the list as well",
            remedy="Take that line out, or name somebody else to have them",
        )
    heir = await _heir(session, heir) if heir else by
    found: dict[str, User | SftError] = {}
    look = await _looking(session, names, by, "remove")
    for name in names:
        try:
            found[name] = await look(name)
        except (RequestError, UsageError) as error:
            found[name] = error
    if any(_goes(each) for each in found.values()):
        agree([*found.values()], heir)

    async def remove(name: str) -> Leaver:
        seen = found[name]
        if isinstance(seen, SftError):
            raise seen
        # Again: meanwhile it may have become theirs what others of the list left.
        before = await people.show_user(session, seen.name) if _goes(seen) else seen
        if not _goes(before):
            return Leaver(name, before.state)
        gone = await people.remove(session, before.name, heir)
        return Leaver(name, gone.user.state, changed=True, before=before, files_to=gone.files_to)

    return await _each(names, remove, tell)


async def heirs_of(session: Requester, leavers: Sequence[Leaver]) -> list[User]:
    """Look how those are who have the files of whoever was removed, each once; of a session that ended, nobody.

    What was done with each was done, and is said whatever comes of this.
    """
    names = dict.fromkeys(leaver.files_to for leaver in leavers if leaver.changed and leaver.files_to)
    heirs: list[User] = []
    with suppress(SftError):
        for name in names:
            heirs.append(await people.show_user(session, name))  # noqa: PERF401 - those that were found stay
    return [heir for heir in heirs if heir.state is not UserState.REMOVED]  # as who stands on the list as well


async def _heir(session: Requester, name: str) -> str:
    """Find who is to have the files, before anybody is asked: what the server would say of each is said once."""
    user = await people.show_user(session, name)
    if user.state is not UserState.ACTIVE:
        raise NotFoundError(what="active user", name=name)
    return user.name


def _goes(found: User | SftError) -> bool:
    return isinstance(found, User) and found.state is not UserState.REMOVED


async def _looking(session: Requester, names: Sequence[str], by: str, word: str) -> Look:
    """Return what finds somebody by a name of the list: asked for by itself, or in a listing where many are."""
    listed: dict[str, User] | None = None
    if len(names) > _ASKED_SINGLY:
        listed = {fold(user.name): user for user in await people.list_users(session)}

    async def look(name: str) -> User:
        if by and fold(name) == fold(by):
            raise UsageError(
                problem=f"{shown_name(name)} is you, and a list is about others",
                remedy=f"By itself: sft {word} {shell_name(name)}",
            )
        name = parse_user_name(name)
        if listed is None:
            return await people.show_user(session, name)
        if (user := listed.get(fold(name))) is None:
            raise NotFoundError(what="user", name=name)
        return user

    return look


async def _each(names: Sequence[str], meet: Callable[[str], Awaitable[Leaver]], tell: Tell) -> list[Leaver]:
    done: list[Leaver] = []
    ended: SftError | None = None
    for name in names:
        try:
            leaver = await meet(name) if ended is None else Leaver(name, error=ended)
        except SftError as error:
            leaver = Leaver(name, error=error)
            ended = None if isinstance(error, RequestError | UsageError) else error
        done.append(leaver)
        tell(leaver)
    return done


# -- what is said -----------------------------------------------------------------------------------------


def preview(found: Sequence[User | SftError], heir: str) -> list[str]:
    """Say what a removal of many will do, to whom, and whom it will not meet."""
    going = [each for each in found if isinstance(each, User) and _goes(each)]
    files, size = sum(each.files for each in going), sum(each.bytes_stored for each in going)
    lines = [
        f"  {shown_name(each.name)}   {each.role}, {each.state}, {counted(each.files, 'file')}"
        for each in going[:_NAMED]
    ]
    if len(going) > _NAMED:
        lines.append(f"  and {count_text(len(going) - _NAMED)} more")
    gone = sum(isinstance(each, User) for each in found) - len(going)
    if gone:
        lines.append(f"Removed before: {count_text(gone)}.")
    if faults := sum(isinstance(each, SftError) for each in found):
        lines.append(f"Cannot be removed, as will be said of each: {count_text(faults)}.")
    to = shown_name(heir) if heir else "the first admin"
    theirs = f"{counted(files, 'file')}, {size_text(size)}, will belong to {to}" if files else "No files are theirs"
    people_named = "1 person goes" if len(going) == 1 else f"{count_text(len(going))} people go"
    return [*lines, f"{people_named} for good, signed out now. {theirs}."]


def tell_on(console: Console) -> Tell:
    """Return what says of each what was done with them, as soon as it is."""

    def tell(leaver: Leaver) -> None:
        if leaver.error is None:
            console.result(_said(leaver))

    return tell


def show_leavers(console: Console, done: Sequence[Leaver], undone: str, *, now: float, steps: NextSteps) -> int:
    """Show with whom nothing was done; return the exit status.

    Args:
        undone: heads their list: "Not removed".
    """
    failed = [(each.name, each.error) for each in done if each.error is not None]
    status = status_of_many([error for _, error in failed], len(done) - len(failed))
    if console.json:
        items = [_document(each, now=now, steps=steps) for each in done]
        console.document({"items": items, "done": len(done) - len(failed), "failed": len(failed), "exit": status})
    if failed:
        console.warn(f"{undone}, {count_text(len(failed))}:")
    for name, error in failed:
        console.warn(failure_line(name, error, now=now, steps=steps))
    return status


def _said(leaver: Leaver) -> str:
    name = shown_name(leaver.name)
    if leaver.before is not None:
        return f"{name} is removed. {files_of(leaver.before, leaver.files_to or '', 'belong')}"
    if leaver.changed:
        return f"{name} is disabled: signed out now; files and account stay."
    return f"{name} was {leaver.state} before; nothing was changed."


def _document(leaver: Leaver, *, now: float, steps: NextSteps) -> Document:
    return {
        "name": leaver.name,
        "state": None if leaver.state is None else leaver.state.value,
        "changed": leaver.changed,
        "files": 0 if leaver.before is None else leaver.before.files,
        "files_to": leaver.files_to or None,
        "error": None if leaver.error is None else error_json(leaver.error, now=now, steps=steps),
    }
