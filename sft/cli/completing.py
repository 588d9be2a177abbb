"""What a shell offers after a TAB beside options: people, servers, invitations, and paths of the server.

Rules. Whoever presses TAB asked for nothing: no question is put, nothing is written, nothing said. One login and one page of an
answer, within ``SECONDS``; where no server answers, the key is locked or nobody has joined, nothing is offered. A name of a
peer is offered only if a terminal shows it as it is, and in bash, which inserts it as it stands, quoted: it is no command.
Behind a double quotation mark that would not quote it: there only names are offered that are no command between two of them.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sft.cli.completion_scripts import PROGRAMS, variable_of
from sft.errors import SftError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sft.cli.invocation import Invocation
    from sft.client.session import Session

T = TypeVar("T")

SECONDS: Final = 1.5  # who waits longer has typed it
_LIVE_IN_QUOTES: Final = frozenset('$`\\!"')


def files_here(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell offer files of this computer."""
    return [_item(incomplete, "file")]


def folders_here(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell offer folders of this computer."""
    return [_item(incomplete, "dir")]


def servers(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the servers that this computer knows."""
    invocation = _invocation(context)
    with contextlib.suppress(SftError):
        return offered(incomplete, (profile.name for profile in invocation.profiles.all()))
    return []


def people(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer people of the server, as many as one answer has; whoever was removed is nobody's aim any more."""

    async def ask(session: Session) -> Iterable[str]:
        from sft.client.api.people import list_users_page
        from sft.model.records import UserState

        users, _ = await list_users_page(session)
        return [user.name for user in users if user.state is not UserState.REMOVED]

    return _asked(context, incomplete, ask)


def invitations(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the invitations that are open."""

    async def ask(session: Session) -> Iterable[str]:
        from sft.client.api.people import list_invitations
        from sft.model.records import InvitationState

        return [str(each.id) for each in await list_invitations(session) if each.state is InvitationState.OPEN]

    return _asked(context, incomplete, ask)


def paths(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what lies in the folder of the server that is being typed."""
    return _paths(context, parameter, incomplete, files=True)


def folders(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer folders of the server, in the one that is being typed."""
    return _paths(context, parameter, incomplete, files=False)


def deleted(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what can be restored."""

    async def ask(session: Session) -> Iterable[str]:
        from sft.client.api.trash import list_trash

        return [each.path for each in await list_trash(session)]

    return _asked(context, incomplete, ask)


def _paths(
    context: click.Context, _parameter: click.Parameter, incomplete: str, *, files: bool
) -> list[CompletionItem]:
    above, slash, _ = incomplete.rpartition("/")

    async def ask(session: Session) -> Iterable[str]:
        from sft.client.api.files import list_page
        from sft.model.names import parse_path, split_path

        listing, _ = await list_page(session, parse_path(above, root=True))
        found = [f"{split_path(folder.path)[1]}/" for folder in listing.folders]
        found += [split_path(file.path)[1] for file in listing.files] if files else []
        return [f"{above}{slash}{name}" for name in found]

    return _asked(context, incomplete, ask)


def _item(text: str, kind: str = "plain") -> CompletionItem:
    from click.shell_completion import CompletionItem  # only a shell that asks needs it

    return CompletionItem(text, type=kind)


def _invocation(context: click.Context) -> Invocation:
    from sft.cli.invocation import Invocation

    return context.ensure_object(Invocation)


def _asked(
    context: click.Context, incomplete: str, ask: Callable[[Session], Awaitable[Iterable[str]]]
) -> list[CompletionItem]:
    """Log in, ask once, and offer what fits; nothing where that does not work at once."""
    invocation = _invocation(context)

    async def asking(reactor: Any) -> Iterable[str]:
        from sft.client.identity import passphrase_from

        async def ask_once() -> Iterable[str]:
            session = await invocation.environment.connect(
                reactor,
                invocation.state,
                invocation.profile(),
                ask=passphrase_from(invocation.environ, None),
                looking=True,  # nothing of it is kept
            )
            async with session:
                return await ask(session)

        return await _within(reactor, SECONDS, ask_once) or ()

    with contextlib.suppress(SftError):
        return offered(incomplete, invocation.run(asking))
    return []


class _OverError(Exception):
    """One of two has ended: the other one is cancelled."""


async def _within(reactor: Any, seconds: float, act: Callable[[], Awaitable[T]]) -> T | None:
    """Do something; None where it takes longer."""
    from sft.client.concurrency import gather_limited, pause

    results: list[T] = []

    async def do_it() -> None:
        results.append(await act())

    async def give_up() -> None:
        await pause(reactor, seconds)

    async def first(one: Callable[[], Awaitable[None]]) -> None:
        await one()
        raise _OverError

    with contextlib.suppress(_OverError):
        await gather_limited(2, (give_up, do_it), first)
    return results[0] if results else None


def offered(incomplete: str, found: Iterable[str]) -> list[CompletionItem]:
    """Return what of some names goes on from what was typed, as the shell that asks takes it."""
    from sft.model.names import safe

    fits = [text for text in found if text.startswith(incomplete) and safe(text) == text]
    if not any(os.environ.get(variable_of(each), "").startswith("bash") for each in PROGRAMS):  # where click reads it
        return [_item(text) for text in fits]  # zsh and fish quote it themselves
    # What bash takes stands there as if it had been typed: behind the quotation mark that the person began with.
    if _is_in_double_quotes(os.environ.get("COMP_WORDS", "")):
        return [_item(text) for text in fits if not _LIVE_IN_QUOTES.intersection(text)]
    return [_item(shlex.quote(text)) for text in fits]


def _is_in_double_quotes(typed: str) -> bool:
    """Return whether a line of a shell ends between such quotation marks."""
    opened, skipped = "", False
    for character in typed:
        if skipped:
            skipped = False
        elif character == "\\" and opened != "'":
            skipped = True
        elif character == opened:
            opened = ""
        elif not opened and character in "'\"":
            opened = character
    return opened == '"'
