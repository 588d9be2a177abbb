"""`sft info`: one file, in the words of the details pane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import click

from sft.cli.columns import aligned
from sft.cli.completing import paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, file_details_document, reader_document, version_document
from sft.cli.options import common
from sft.cli.people_output import words_of
from sft.cli.readers_output import reader_lines
from sft.client.api.files import list_page, list_readers, show_file, show_proved
from sft.client.concurrency import gather_limited
from sft.client.pins import Pin
from sft.client.session import Session
from sft.client.trust import Known, SignatureState, known_of, prove_file, read_sentence, unread_sentence
from sft.client.trust_words import known_since, stored_leaf
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.errors import FolderInTheWayError, NotFoundError, NotYoursError, RoleForbidsError, UsageError
from sft.ledger.slots import position_of
from sft.model.access import Caller, Permission, Resource, may
from sft.model.names import parse_path, safe, split_path
from sft.model.records import File, FileReader, FileVersion
from sft.model.text import count_text, counted, day_text, local_time, sentence, shell_name, shown_name, size_text

_AT_ONCE: Final = 8
_MOST_VERSIONS: Final = 20


@click.command("info")
@click.argument("name", shell_complete=paths)
@common
def command(invocation: Invocation, name: str) -> int:
    """Show one file: size, dates, author, owner, signature, key, and the versions before."""

    async def ask(session: Session) -> _Shown:
        path = parse_path(name)
        try:
            file, evidence = await show_proved(session, path)
        except NotFoundError:
            await _require_no_folder(session, path)
            raise
        (known,) = await known_of(session, [file], prove_file(session, evidence, file))
        older = await gather_limited(_AT_ONCE, _before(file), lambda number: _version(session, file, number))
        pin = session.pins.people.get(file.version.author_id)
        return _Shown(file, known, pin, [one for one in older if one], await _readers(session, file))

    shown = invocation.talk(ask)
    invocation.console.show(shown.document(invocation.now), *shown.lines(invocation))
    return 0 if shown.known.error is None else shown.known.error.exit_status


async def _require_no_folder(session: Session, path: str) -> None:
    """Say that it is a folder that was named, if it is one."""
    try:
        await list_page(session, path, "")
    except (NotFoundError, FolderInTheWayError):
        return
    raise UsageError(
        problem=f"{shown_name(f'{path}/')} is a folder, and sft info shows one file",
        remedy=f"What is in it: sft ls -l {shell_name(path)}",
    )


async def _readers(session: Session, file: File) -> list[FileReader] | None:
    """List who has it, where that is ours to see; the server decides."""
    if not may(Caller(session.user_id, 0, "", session.role), Permission.DOWNLOAD_READ, Resource(file.owner_id)):
        return None
    try:
        return await list_readers(session, file.path)
    except (NotFoundError, NotYoursError, RoleForbidsError):
        return None  # it is another's by now, or gone


def _before(file: File) -> range:
    """Return the numbers of the versions before, the newest first, as many as somebody reads."""
    newest = file.version.number
    return range(newest - 1, max(newest - 1 - _MOST_VERSIONS, 0), -1)


async def _version(session: Session, file: File, number: int) -> FileVersion | None:
    try:
        return (await show_file(session, file.path, number)).version
    except NotFoundError:
        return None  # another file has the name since


def _destroyed(version: FileVersion, now: float) -> str:
    if version.destroyed_at is None:
        return ""
    by = "" if version.destroyed_by is None else f" by {shown_name(version.destroyed_by)}"
    return f"destroyed {local_time(version.destroyed_at, now=now)}{by}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A file, what is known of its signature, the author as pinned here, and who has it, where that is ours to see."""

    file: File
    known: Known
    pin: Pin | None
    older: list[FileVersion]
    readers: list[FileReader] | None

    def document(self, now: float) -> Document:
        state, seen = self.known.state.value, self._first_seen_at()
        leaf = None if self.known.verdict is None else self.known.verdict.leaf
        details = file_details_document(self.file, self._verdict(now), state, seen, leaf)
        readers = None if self.readers is None else [reader_document(each) for each in self.readers]
        return {**details, "versions": [version_document(version) for version in self.older], "readers": readers}

    def lines(self, invocation: Invocation) -> list[str]:
        file, version, now = self.file, self.file.version, invocation.now
        folder, name = split_path(file.path)
        console = invocation.console
        dot = console.glyph("·")
        dated, stored = (local_time(t, now=now) for t in (version.dated_at, version.stored_at))
        said = [
            safe(name),
            f"/{safe(folder)}",
            f"{size_text(version.size)} {dot} v{version.number} {dot} dated {dated}",
            f"from {shown_name(version.author)} {dot} stored {stored}",
        ]
        if file.owner_id != version.author_id:
            said.append(f"belongs to {shown_name(file.owner)}")
        if file.expires_at is not None:
            said.append(f"goes to the trash {local_time(file.expires_at, now=now)} (sft expire NAME)")
        said += ["", "SIGNATURE", f"{console.signature_mark(self.known.state)} {self._verdict(now)}"]
        if version.signed_name != file.path:
            by = "" if self.known.verdict is None else self.known.verdict.moved_by
            moved = f"moved here by {shown_name(by)}" if by else "moved since"
            said.append(f"signed as {shown_name(version.signed_name)}, {moved}")
        key = PublicKey.decode_or_none(version.public_key)
        said += [words_of(key), *([] if key is None else [key.text()])]
        seen = self._first_seen_at()
        if seen is not None:
            said.append(known_since(day_text(seen, now)))
        said.append(digest_text(version.digest))
        verdict = self.known.verdict
        if verdict is not None and verdict.leaf is not None:
            said += ["", "LOG", f"{stored_leaf(verdict.leaf)} {console.mark('✓')}", *verdict.said_of_key()]
        lost = () if verdict is None or verdict.proved is None else verdict.proved.slot.versions_lost
        if self.older or lost:
            said += ["", "BEFORE (sft get NAME --version N, sft restore NAME --version N)"]
            said += [line.rstrip() for line in aligned([self._row(one, now) for one in self.older])]
            unshown = position_of(self.older[-1].number, lost) if self.older else 0
            said += [f"and {counted(unshown, 'version')} before (sft log --file NAME)"] if unshown else []
            were = (
                f"{counted(sum(each.count for each in lost), 'version')} before were lost when the index was made again"
            )
            said += [were] if lost else []
        if self.readers is not None:
            said += ["", "READ BY", *reader_lines(self.readers)]
        return said

    def _row(self, one: FileVersion, now: float) -> list[str]:
        return [
            f"v{one.number}",
            size_text(one.size),
            shown_name(one.author),
            f"stored {local_time(one.stored_at, now=now)}",
            f"log {count_text(one.leaf)}",
            _destroyed(one, now),
        ]

    def _verdict(self, now: float) -> str:
        if self.known.error is not None:
            return sentence(self.known.error, now=now)
        author = self.file.version.author
        return read_sentence(author) if self.known.state is SignatureState.VERIFIED else unread_sentence(author)

    def _first_seen_at(self) -> int | None:
        return None if self.pin is None else self.pin.keys.get(self.file.version.public_key)
