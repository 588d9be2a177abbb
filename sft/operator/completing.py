"""What a shell offers after a TAB for ``sftd``: people, paths, invitations, hooks, options, read from the home.

Rules. As ``sft.cli.completing``: nothing is asked, written or said, and where a home cannot be read nothing is offered. No
server is asked and no key opened, so what is offered was not verified; a command verifies what it is given.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sft.cli.completing import files_here, folders_here, offered
from sft.errors import SftError
from sft.model.names import parse_path
from sft.model.rights import ASKED_RIGHTS, About
from sft.operator.command_line import Call
from sft.operator.options import OPTIONS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from sft.operator.home import Home

__all__ = ["about", "files_here", "folders_here", "hooks", "invitations", "options", "paths", "people", "snapshots"]


def people(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer people of the server; whoever was removed is nobody's aim any more."""

    def read(home: Home) -> Iterable[str]:
        from sft.store.offered import people_offered

        return people_offered(home.database, incomplete)

    return _read(context, incomplete, read)


def paths(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what lies in the folder of the server that is being typed."""
    above, slash, begin = incomplete.rpartition("/")

    def read(home: Home) -> Iterable[str]:
        from sft.store.offered import entries_offered

        folder = parse_path(above, root=True)
        folders, files = entries_offered(home.database, folder.split("/") if folder else [], begin)
        return [f"{above}{slash}{name}" for name in (*(f"{each}/" for each in folders), *files)]

    return _read(context, incomplete, read)


def invitations(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the invitations that are open."""

    def read(home: Home) -> Iterable[str]:
        from sft.store.offered import invitations_offered

        return invitations_offered(home.database, time.time())

    return _read(context, incomplete, read)


def hooks(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the hooks of the configuration."""
    return _read(context, incomplete, lambda home: [each.name for each in home.configured().configuration.hooks])


def options(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the options of the configuration."""
    return offered(incomplete, [each.name for each in OPTIONS])


def about(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer what the act that stands before can be about."""
    act = str(context.params.get("act"))
    kind = ASKED_RIGHTS[act].about if act in ASKED_RIGHTS else About.NOTHING
    if kind is About.NOTHING:
        return []
    return (people if kind is About.PERSON else paths)(context, parameter, incomplete)


def snapshots(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the backups in the folder that was named."""
    from sft.operator.backups.folder import BackupFolder

    named = context.params.get("dir")
    return _read(context, incomplete, lambda _: BackupFolder(Path(str(named))).names() if named else ())


def _read(context: click.Context, incomplete: str, read: Callable[[Home], Iterable[str]]) -> list[CompletionItem]:
    with contextlib.suppress(SftError, OSError):
        return offered(incomplete, read(context.ensure_object(Call).home))
    return []
