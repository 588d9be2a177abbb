"""`sft mv`: give a file or folder another path; its signature stays what it was."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common, pass_invocation
from sft.client.api.files import move
from sft.client.session import Session
from sft.model.names import join_path, parse_path, split_path
from sft.model.records import File
from sft.model.text import shown_name


@click.command("mv")
@click.argument("old")
@click.argument("new")
@common
@pass_invocation
def command(invocation: Invocation, old: str, new: str) -> int:
    """Rename or move a file or folder.

    A NEW that ends in a slash is a folder to move into. The signed name never changes; a move is shown beside it.
    """
    source = parse_path(old)
    into = new.endswith("/")
    target = parse_path(new, root=into)
    if into:
        target = join_path(target, split_path(source)[1])

    async def ask(session: Session) -> File | None:
        return await move(session, source, target)

    moved = invocation.talk(ask)
    slash = "" if moved else "/"
    if invocation.console.json:
        kind = "file" if moved else "folder"
        invocation.console.document(
            {"old": source, "new": moved.path if moved else target, "kind": kind}
        )
    arrow = invocation.console.glyph("→")
    invocation.console.result(
        f"moved {shown_name(source + slash)} {arrow} {shown_name(target + slash)}"
    )
    return 0
