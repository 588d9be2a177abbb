"""`sft ls`: a folder, a pattern, or the trash.

Rules. On a terminal names, marks and local times; elsewhere one line an entry without heading or mark: the whole path, or with
``-l`` state, size, version, author, UTC, path, and the signed path if it is another one, one TAB apart; so are lines of the
trash. A JSON listing holds files; one of the trash folders too, each as one thing.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from sft.cli.addresses import server_folder
from sft.cli.columns import aligned
from sft.cli.completing import paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import file_document, trash_document
from sft.cli.options import common
from sft.client.api.files import Listing, list_folder, show_file
from sft.client.api.trash import list_trash
from sft.client.api.tree import find, has_pattern
from sft.client.session import Session
from sft.client.trust import SignatureState, known_of
from sft.errors import FolderInTheWayError, NotFoundError, SftError
from sft.model.names import parse_path, safe, split_path
from sft.model.records import File, Folder, TrashedFolder
from sft.model.text import counted, local_time, shown_name, size_text, utc_time


@click.command("ls")
@click.argument("pattern", shell_complete=paths, default="", required=False, metavar="[PATTERN]")
@click.option("-l", "long", is_flag=True, help="Also size, version, author, date and signature.")
@click.option("--trash", is_flag=True, help="What can be restored.")
@common
def command(invocation: Invocation, pattern: str, *, long: bool, trash: bool) -> int:
    """List a folder, or what fits a pattern: '*.pdf', 'finance/*', '**' for everything."""
    console = invocation.console
    judged = console.json or long

    async def ask(session: Session) -> tuple[Listing, list[SignatureState]]:
        listing = await _listing(session, pattern, signatures=judged)
        known = await known_of(session, listing.files, None) if judged else []
        return listing, [each.state for each in known]

    if trash:
        return _show_trash(invocation, invocation.talk(list_trash))
    listing, states = invocation.talk(ask)
    if console.json:
        pairs = zip(listing.files, states, strict=True)
        console.document([file_document(file, state.value) for file, state in pairs])
        return 0
    whole_paths = has_pattern(pattern) or not console.out_is_terminal
    if long:
        lines = long_lines(invocation, listing, states, whole_paths=whole_paths)
    else:
        lines = [_shown(folder.path, whole_paths) + "/" for folder in listing.folders]
        lines += [_shown(file.path, whole_paths) for file in listing.files]
    for line in lines:
        console.result(line)
    return 0


async def _listing(session: Session, pattern: str, *, signatures: bool) -> Listing:
    if has_pattern(pattern):
        return await find(session, pattern, signatures=signatures)
    path = parse_path(pattern, root=True) if ".." in pattern else server_folder(pattern)
    try:
        return await list_folder(session, path, signatures=signatures)
    except (NotFoundError, FolderInTheWayError) as no_folder:
        try:
            return Listing(files=[await show_file(session, path)])
        except SftError:
            raise no_folder from None


def _shown(path: str, whole: bool) -> str:  # noqa: FBT001 - read at a glance
    return safe(path if whole else split_path(path)[1])


def long_lines(
    invocation: Invocation, listing: Listing, states: Sequence[SignatureState], *, whole_paths: bool
) -> list[str]:
    """Return a listing as lines with all that is known: a table on a terminal, fields one TAB apart elsewhere."""
    console = invocation.console
    if not console.out_is_terminal:
        folders = [f"folder\t\t\t\t\t{safe(folder.path)}/" for folder in listing.folders]
        files = [_fields(f, state) for f, state in zip(listing.files, states, strict=True)]
        return folders + files
    rows: list[tuple[str, ...]] = [("  ", _shown(f.path, whole_paths) + "/  ", _inside(f)) for f in listing.folders]
    rows += [
        (
            console.signature_mark(state) + " ",
            _shown(file.path, whole_paths) + "  ",
            size_text(file.version.size),
            f"v{file.version.number}",
            safe(file.version.author),
            local_time(file.version.dated_at, now=invocation.now) + _signed_as(file) + _expires(file, invocation.now),
        )
        for file, state in zip(listing.files, states, strict=True)
    ]
    return aligned(rows)


def _signed_as(file: File) -> str:
    signed_name = file.version.signed_name
    return "" if signed_name == file.path else f"  signed as {shown_name(signed_name)}"


def _expires(file: File, now: float) -> str:
    return "" if file.expires_at is None else f"  goes to the trash {local_time(file.expires_at, now=now)}"


def _inside(folder: Folder) -> str:
    parts = []
    if folder.folders:
        parts.append(counted(folder.folders, "folder"))
    if folder.files or not parts:
        parts.append(counted(folder.files, "file"))
    return ", ".join(parts)


def _fields(file: File, state: SignatureState) -> str:
    version = file.version
    cells = (
        state.value,
        str(version.size),
        str(version.number),
        safe(version.author),
        utc_time(version.dated_at),
        safe(file.path),
        *([safe(version.signed_name)] if version.signed_name != file.path else []),
    )
    return "\t".join(cells)


def _show_trash(invocation: Invocation, deleted: Sequence[TrashedFolder | File]) -> int:
    console = invocation.console
    if console.json:
        console.document([trash_document(each) for each in deleted])
        return 0
    if console.out_is_terminal:
        lines = aligned([_trash_cells(each, invocation.now) for each in deleted])
    else:
        lines = [_trash_line(each) for each in deleted]
    for line in lines:
        console.result(line)
    return 0


def _trash_cells(deleted: TrashedFolder | File, now: float) -> tuple[str, ...]:
    expired = isinstance(deleted, File) and deleted.expires_at is not None
    when = (
        "expired" if expired else f"deleted by {safe(deleted.trashed_by or '')}",
        local_time(deleted.trashed_at or 0, now=now),
        f"until {local_time(deleted.trash_ends_at or 0, now=now)}",
    )
    if isinstance(deleted, File):
        version = deleted.version
        return safe(deleted.path) + "  ", size_text(version.size), f"v{version.number}", safe(deleted.owner), *when
    return safe(deleted.path) + "/  ", counted(deleted.files, "file"), "", "", *when


def _trash_line(deleted: TrashedFolder | File) -> str:
    if isinstance(deleted, File):
        return _fields(deleted, SignatureState.NOT_LOOKED_AT)
    return f"folder\t\t\t\t\t{safe(deleted.path)}/"
