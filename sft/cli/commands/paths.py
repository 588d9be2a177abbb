"""`sft mkdir`, `mv`, `restore`: folders made, files at another path, deleted files back. Signatures stay as they are."""

from __future__ import annotations

from collections.abc import Iterable

import click

from sft.cli.batch import Batch
from sft.cli.completing import deleted, paths
from sft.cli.completing import folders as folders_there
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, restored_document
from sft.cli.options import common
from sft.client.api.files import list_trash, make_folder, move, restore
from sft.client.api.tree import has_pattern, matches
from sft.client.session import Session
from sft.errors import NotFoundError, SftError, UsageError
from sft.model.names import join_path, parse_path, safe, split_path
from sft.model.records import File, TrashedFolder
from sft.model.text import counted, shown_name


@click.command("mkdir")
@click.argument("folders", nargs=-1, required=True, shell_complete=folders_there)
@common
def mkdir_command(invocation: Invocation, folders: tuple[str, ...]) -> int:
    """Make folders on the server, and those above them that are missing."""

    async def make(session: Session, name: str) -> tuple[str, Document]:
        path = parse_path(name, root=True)
        made = bool(path) and await make_folder(session, path)
        shown = shown_name(f"{path}/")
        said = f"made {shown}" if made else f"{shown} is there already"
        return said, {"path": path, "made": made}

    return Batch(invocation, folders, "Not made", {"made": None}).run(make)


@click.command("mv")
@click.argument("old", shell_complete=paths)
@click.argument("new", shell_complete=folders_there)
@common
def mv_command(invocation: Invocation, old: str, new: str) -> int:
    """Rename or move a file or folder.

    A NEW that ends in a slash is a folder to move into. The signed name never changes; a move is shown beside it.
    """
    source = parse_path(old)
    into = new.endswith("/")
    target = parse_path(new, root=into)
    if into:
        target = join_path(target, split_path(source)[1])
    if target.startswith(f"{source}/"):
        raise UsageError(
            problem=f"{safe(source)} cannot be moved into itself", remedy=f"Choose a place outside {safe(source)}"
        )
    moved = invocation.talk(lambda session: move(session, source, target))
    slash = "" if moved else "/"
    console = invocation.console
    console.show(
        {"old": source, "new": moved.path if moved else target, "kind": "file" if moved else "folder"},
        f"moved {shown_name(source + slash)} {console.glyph('→')} {shown_name(target + slash)}",
    )
    return 0


@click.command("restore")
@click.argument("names", nargs=-1, required=True, shell_complete=deleted)
@common
def restore_command(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Bring back deleted files and folders, or one thing out of a folder (sft ls --trash lists what there is)."""
    several = Batch(invocation, names, "Not restored", dict.fromkeys(("files", "folders", "file")))

    async def restore_all(session: Session) -> None:
        trash = _Trash(session)
        for name in names:
            if has_pattern(name):
                await several.over(session, await trash.like(name), bring_back)
                continue
            try:
                line, document = await bring_back(session, name)
            except NotFoundError as error:
                below = await trash.below(parse_path(name))
                if not below:
                    several.failed(name, error)
                await several.over(session, below, bring_back)
            except SftError as error:
                several.failed(name, error)
            else:
                several.done(line, document)

    async def bring_back(session: Session, name: str) -> tuple[str, Document]:
        restored = await restore(session, parse_path(name))
        if isinstance(restored, File):
            shown, said = shown_name(restored.path), f"version {restored.version.number}, signature unchanged"
        else:
            shown = shown_name(f"{restored.path}/")
            said = f"{counted(restored.files, 'file')} in it, unchanged"
        return f"{shown} is back: {said}", restored_document(restored)

    invocation.talk(restore_all)
    return several.finish()


class _Trash:
    """What can be restored, asked for once and only where a name is nothing's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._deleted: list[TrashedFolder | File] | None = None

    async def below(self, folder: str) -> list[str]:
        """List what was deleted from a folder, whatever lies there now."""
        return _paths(each for each in await self._all() if each.path.startswith(f"{folder}/"))

    async def like(self, pattern: str) -> list[str]:
        """List what fits a pattern, everything in a deleted folder as that folder; NotFoundError for nothing."""
        paths = _paths(each for each in await self._all() if _fits(pattern, each))
        if not paths:
            raise NotFoundError(what="deleted file", name=pattern)
        return paths

    async def _all(self) -> list[TrashedFolder | File]:
        if self._deleted is None:
            self._deleted = await list_trash(self._session)
        return self._deleted


def _paths(deleted: Iterable[TrashedFolder | File]) -> list[str]:
    return sorted({each.path for each in deleted})


def _fits(pattern: str, deleted: TrashedFolder | File) -> bool:
    whole = isinstance(deleted, TrashedFolder) and pattern.strip("/") == f"{deleted.path}/**"
    return whole or matches(pattern, deleted.path)
