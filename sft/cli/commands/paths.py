"""`sft mkdir`, `mv`: folders made, files at another path. Signatures stay as they are."""

from __future__ import annotations

import click

from sft.cli.batch import Batch
from sft.cli.completing import folders as folders_there
from sft.cli.completing import paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common
from sft.client.api.files import make_folder, move
from sft.client.session import Session
from sft.errors import UsageError
from sft.model.names import join_path, parse_path, safe, split_path
from sft.model.text import shown_name


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
