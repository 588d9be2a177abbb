"""`sft rm`: move files to the trash, from where they can be restored; or destroy what lies there, or an old version, for good.

Rules. A named file is never asked about. A folder (``-r``) or a pattern is, on a terminal, with what it holds; elsewhere
``--yes`` has to be given. So is what nothing brings back: on a terminal its name is typed, and what was counted is destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from sft.cli.batch import Batch
from sft.cli.completing import paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, deleted_document
from sft.cli.options import common
from sft.cli.trashed import Held, Meaning, Trash
from sft.client.api.files import Listing, delete, destroy_version, show_file
from sft.client.api.trash import destroy_trashed
from sft.client.api.tree import find, has_pattern, walk
from sft.client.session import Session
from sft.errors import FolderInTheWayError, NotFoundError, SftError, UsageError
from sft.model.names import parse_path
from sft.model.records import Deleted, File, TrashedFolder, TrashSeen
from sft.model.text import counted, day_text, shell_line, shell_name, shown_name, size_text

_EMPTY: Final = dict.fromkeys(("files", "folders", "restorable_until"), None)


@click.command("rm")
@click.argument("names", nargs=-1, required=True, shell_complete=paths)
@click.option(
    "-r", "--recursive", is_flag=True, help="Folders too, with all in them; in the trash, what was deleted below."
)
@click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Destroy the content of version N of one file, for good."
)
@click.option("--trash", is_flag=True, help="Destroy what lies in the trash now, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def command(
    invocation: Invocation, names: tuple[str, ...], version: int | None, *, recursive: bool, trash: bool, yes: bool
) -> int:
    """Delete files, folders (-r) or what fits a pattern; sft restore brings them back."""
    if version is not None and (trash or recursive or len(names) > 1 or has_pattern(names[0])):
        raise UsageError(problem="--version is for one file, by itself", remedy="Name that file")
    if version is not None:
        return _destroy_version(invocation, names[0], version, yes=yes)
    if trash:
        return _destroy_trashed(invocation, names, recursive=recursive, yes=yes)
    if any(not name.strip("/") for name in names):
        raise UsageError(problem="The whole server cannot be deleted at once", remedy="Name folders: sft ls lists them")
    wide = recursive or any(has_pattern(name) for name in names)
    if wide and not yes and not invocation.prompts.possible:
        raise UsageError(
            problem="Deleting a folder or a pattern needs a yes, and there is no terminal to ask on", remedy="Add --yes"
        )
    several = Batch(invocation, names, "Not deleted", _EMPTY)

    async def delete_all(session: Session) -> None:
        targets: list[str] = []
        for name in names:
            targets.extend(await _targets(invocation, session, name, recursive=recursive, yes=yes))
        await several.over(session, targets, delete_one)

    async def delete_one(session: Session, name: str) -> tuple[str, Document]:
        deleted = await delete(session, parse_path(name), recursive=recursive)
        return _said(invocation, deleted), deleted_document(deleted)

    invocation.talk(delete_all)
    return several.finish()


def _destroy_version(invocation: Invocation, name: str, number: int, *, yes: bool) -> int:
    path = parse_path(name)
    _require_possible(invocation, yes=yes)

    async def destroy_one(session: Session, _name: str) -> tuple[str, Document]:
        file = await show_file(session, path)
        question = f"Destroy version {number} of {shown_name(path)} for good? Nobody can get it any more."
        _require_typed(invocation, question, path, yes=yes)
        await destroy_version(session, path, file.id, number)
        said = f"{shown_name(path)}: the content of version {number} is destroyed; what is known of it stays"
        return said, {**_EMPTY, "path": path, "files": 0, "folders": 0}

    return Batch(invocation, [name], "Not destroyed", _EMPTY).run(destroy_one)


def _destroy_trashed(invocation: Invocation, names: Sequence[str], *, recursive: bool, yes: bool) -> int:
    _require_possible(invocation, yes=yes)
    several = Batch(invocation, names, "Not destroyed", _EMPTY)

    async def destroy_one(session: Session, path: str, seen: TrashSeen) -> tuple[str, Document]:
        gone = await destroy_trashed(session, path, seen)
        slash, inside = ("/", f" with {counted(gone.files, 'file')} in it") if gone.folders else ("", "")
        said = f"{shown_name(gone.path + slash)} is destroyed{inside}"
        return said, {**_EMPTY, "path": gone.path, "files": gone.files, "folders": gone.folders}

    async def destroy_all(session: Session) -> None:
        trash = Trash(session)
        held: Held = {}
        for name in names:
            try:
                meaning = await trash.meaning(name, recursive=recursive)
                if meaning.below and yes and not recursive:
                    raise _nothing_of_its_own(name, meaning)
            except SftError as error:
                several.failed(name, error)
            else:
                held = {**held, **meaning.held}
        if held:
            held = await trash.apart(held)
            asked = names[0] if len(names) == 1 else "destroy"
            _require_typed(invocation, _destroy_question(names, held), asked, yes=yes)
        await trash.act_on(several, held, destroy_one)

    invocation.talk(destroy_all)
    return several.finish()


def _destroy_question(names: Sequence[str], held: Held) -> str:
    what = shown_name(names[0]) if len(names) == 1 else f"what was deleted under {counted(len(names), 'name')}"
    files = sum(each.files if isinstance(each, TrashedFolder) else 1 for each in held.values())
    inside = "" if files == len(held) else f" with {counted(files, 'file')}"
    count = f"{counted(len(held), 'thing')} in the trash{inside}"
    return f"Destroy {what} for good? That is {count}. Nothing brings it back then."


def _nothing_of_its_own(name: str, meaning: Meaning) -> UsageError:
    lies = "1 thing was" if len(meaning.held) == 1 else f"{counted(len(meaning.held), 'thing')} were"
    return UsageError(
        problem=f"Nothing was deleted as {shown_name(name)} itself; below it {lies}",
        remedy=f"Destroy that: {shell_line(['sft', 'rm', '--trash', '-r', name])}",
    )


def _require_typed(invocation: Invocation, question: str, expected: str, *, yes: bool) -> None:
    if not yes:
        invocation.prompts.require_typed(question, expected=expected, otherwise="Nothing was destroyed.")


def _require_possible(invocation: Invocation, *, yes: bool) -> None:
    if not yes and not invocation.prompts.possible:
        raise UsageError(
            problem="Destroying for good needs a yes, and there is no terminal to ask on", remedy="Add --yes"
        )


async def _targets(invocation: Invocation, session: Session, name: str, *, recursive: bool, yes: bool) -> Sequence[str]:
    """Settle what a name means; asks if it means more than itself."""
    if has_pattern(name):
        found = await find(session, name)
        paths = [file.path for file in found.files]
        if recursive:
            paths = _outermost([folder.path for folder in found.folders], paths)
        if not paths:
            raise NotFoundError(what="file like", name=name)
        if not yes:
            _require_agreement(invocation, name, found.files, len(found.folders) if recursive else 0)
        return paths
    if recursive and not yes:
        try:
            inside: Listing = await walk(session, parse_path(name))
        except (NotFoundError, FolderInTheWayError):
            return [name]  # a file, or nothing: the server says which
        _require_agreement(invocation, name, inside.files, len(inside.folders) + 1)
    return [name]


def _outermost(folders: Sequence[str], files: Sequence[str]) -> list[str]:
    """Drop what lies in a folder that goes as a whole."""
    kept: list[str] = []
    for path in sorted(folders):
        if not kept or not path.startswith(f"{kept[-1]}/"):
            kept.append(path)
    inside = tuple(f"{folder}/" for folder in kept)
    return [*kept, *(path for path in files if not path.startswith(inside))]


def _require_agreement(invocation: Invocation, name: str, files: Sequence[File], folders: int) -> None:
    size = size_text(sum(file.version.size for file in files))
    also = f", {counted(folders, 'folder')}" if folders else ""
    invocation.prompts.require_agreement(
        f"Delete {shown_name(name)} for everyone? {counted(len(files), 'file')}{also}, {size}. "
        "They go to the trash and can be restored.",
        otherwise="Nothing was deleted.",
    )


def _said(invocation: Invocation, deleted: Deleted) -> str:
    until = day_text(deleted.trash_ends_at, invocation.now)
    what = f"{counted(deleted.files, 'file')} {'is' if deleted.files == 1 else 'are'} " if deleted.folders else ""
    return f"{shown_name(deleted.path)}: {what}in the trash until {until}. Back: sft restore {shell_name(deleted.path)}"
