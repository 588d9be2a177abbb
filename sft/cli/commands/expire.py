"""`sft expire`: when files go to the trash by themselves, changed or taken back."""

from __future__ import annotations

import click

from sft.cli.batch import Batch
from sft.cli.completing import paths
from sft.cli.expiry import expiry_option
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, file_document
from sft.cli.options import common
from sft.client.api.files import set_expiry, show_file
from sft.client.session import Session
from sft.errors import UsageError
from sft.model.names import parse_path
from sft.model.text import local_time, shown_name


@click.command("expire")
@click.argument("names", nargs=-1, required=True, shell_complete=paths)
@click.option("--in", "span", callback=expiry_option, metavar="7d", help="After 12h, 7d, 2w from now.")
@click.option("--never", is_flag=True, help="Not by themselves any more.")
@common
def command(invocation: Invocation, names: tuple[str, ...], span: int | None, *, never: bool) -> int:
    """Have files go to the trash by themselves, from where they can be restored."""
    if (span is None) == (not never):
        raise UsageError(problem="sft expire needs a time, or --never", remedy="Such as sft expire NAME --in 7d")
    expires_at = None if span is None else int(invocation.now) + span

    async def expire(session: Session, name: str) -> tuple[str, Document]:
        seen = await show_file(session, parse_path(name))
        file = await set_expiry(session, seen.path, seen.id, expires_at)
        if file.expires_at is None:
            said = "does not expire"
        else:
            said = f"goes to the trash {local_time(file.expires_at, now=invocation.now)}"
        return f"{shown_name(file.path)} {said}", {"path": file.path, "file": file_document(file)}

    return Batch(invocation, names, "Not changed", {"file": None}).run(expire)
