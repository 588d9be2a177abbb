"""`sft mkdir`, `mv`, `restore`: folders made, files at another path, deleted files back. Signatures stay as they are."""

from __future__ import annotations

import click

from sft.cli.batch import Batch
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, file_document
from sft.cli.options import common
from sft.client.api.files import list_trash, make_folder, move, restore
from sft.client.api.tree import has_pattern, matches
from sft.client.session import Session
from sft.errors import NotFoundError, SftError
from sft.model.names import join_path, parse_path, split_path
from sft.model.text import shown_name


@click.command("mkdir")
@click.argument("folders", nargs=-1, required=True)
@common
def mkdir_command(invocation: Invocation, folders: tuple[str, ...]) -> int:
    """Make folders on the server, and those above them that are missing."""

    async def make(session: Session, name: str) -> tuple[str, Document]:
        path = parse_path(name)
        made = await make_folder(session, path)
        shown = shown_name(f"{path}/")
        said = f"made {shown}" if made else f"{shown} is there already"
        return said, {"path": path, "made": made}

    return Batch(invocation, folders, "Not made", {"made": None}).run(make)


@click.command("mv")
@click.argument("old")
@click.argument("new")
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
    moved = invocation.talk(lambda session: move(session, source, target))
    slash = "" if moved else "/"
    console = invocation.console
    console.show(
        {"old": source, "new": moved.path if moved else target, "kind": "file" if moved else "folder"},
        f"moved {shown_name(source + slash)} {console.glyph('→')} {shown_name(target + slash)}",
    )
    return 0


@click.command("restore")
@click.argument("names", nargs=-1, required=True)
@common
def restore_command(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Bring back deleted files, whole folders or what fits a pattern (sft ls --trash lists them)."""
    several = Batch(invocation, names, "Not restored", {"file": None})

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
        file = await restore(session, parse_path(name))
        said = f"version {file.version.number}, signature unchanged"
        document = {"path": file.path, "file": file_document(file)}
        return f"{shown_name(file.path)} is back: {said}", document

    invocation.talk(restore_all)
    return several.finish()


class _Trash:
    """The paths of what can be restored, asked for once and only where a name is no file's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._paths: list[str] | None = None

    async def below(self, folder: str) -> list[str]:
        """List what was deleted from a folder, whatever lies there now."""
        return [path for path in await self._all() if path.startswith(f"{folder}/")]

    async def like(self, pattern: str) -> list[str]:
        """List what fits a pattern; NotFoundError for nothing."""
        paths = [path for path in await self._all() if matches(pattern, path)]
        if not paths:
            raise NotFoundError(what="deleted file", name=pattern)
        return paths

    async def _all(self) -> list[str]:
        if self._paths is None:
            self._paths = sorted({file.path for file in await list_trash(self._session)})
        return self._paths
