"""`sft info`: one file, in the words of the details pane."""

from __future__ import annotations

from dataclasses import dataclass

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, file_details_document
from sft.cli.options import common
from sft.cli.people_output import words_of
from sft.client.api.files import show_file
from sft.client.pins import Pin
from sft.client.session import Session
from sft.client.trust import Known, SignatureState, known_of, unread_sentence
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.model.names import parse_path, safe, split_path
from sft.model.records import File
from sft.model.text import day_text, local_time, sentence, shown_name, size_text


@click.command("info")
@click.argument("name")
@common
def command(invocation: Invocation, name: str) -> int:
    """Show one file: size, version, dates, author, owner, signature and key."""

    async def ask(session: Session) -> _Shown:
        file = await show_file(session, parse_path(name))
        (known,) = await known_of(session, [file])
        return _Shown(file, known, session.pins.people.get(file.version.author_id))

    shown = invocation.talk(ask)
    invocation.console.show(shown.document(invocation.now), *shown.lines(invocation))
    return 0 if shown.known.error is None else shown.known.error.exit_status


@dataclass(frozen=True, slots=True)
class _Shown:
    """A file, what is known of its signature, and the author as pinned here."""

    file: File
    known: Known
    pin: Pin | None

    def document(self, now: float) -> Document:
        state, seen = self.known.state.value, self._first_seen_at()
        return file_details_document(self.file, self._verdict(now), state, seen)

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
        said += ["", "SIGNATURE", f"{console.signature_mark(self.known.state)} {self._verdict(now)}"]
        if version.signed_name != file.path:
            said.append(f"signed as {shown_name(version.signed_name)}, moved since")
        key = PublicKey.decode_or_none(version.public_key)
        said += [words_of(key), *([] if key is None else [key.text()])]
        seen = self._first_seen_at()
        if seen is not None:
            said.append(f"key first seen {day_text(seen, now)}")
        return [*said, digest_text(version.digest)]

    def _verdict(self, now: float) -> str:
        if self.known.error is not None:
            return sentence(self.known.error, now=now)
        if self.known.state is SignatureState.SIGNED:
            return unread_sentence(self.file.version.author)
        raise ValueError(self.known.state)

    def _first_seen_at(self) -> int | None:
        return None if self.pin is None else self.pin.keys.get(self.file.version.public_key)
