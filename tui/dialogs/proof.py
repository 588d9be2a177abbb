"""Writes a file, its signature and its proof for somebody without an account, and says how these are checked without one.

Rules. It says what goes where before anything is written; a refusal is shown here. All texts are harmless.
"""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sft.client.proof_files import WrittenProof
from sft.client.transfers.progress import Progress
from sft.client.trust_words import minisign_command
from sft.crypto.keys import PublicKey
from sft.errors import LocalExistsError, SftError
from sft.model.names import split_path
from sft.model.text import count_text, part_text, shell_path, shown_name
from tui.dialogs.dialog import Dialog, DialogButton, static
from tui.text import cut_name, harmless, shown

_NAME_CELLS = 50


class WriteProof(Dialog[WrittenProof]):
    """Gives what was written, or None.

    Args:
        path: of a file on the server.
        folder: of this computer, where it goes.
    """

    wide = True

    def __init__(self, path: str, folder: Path, folder_text: str) -> None:
        self._called = shown(shown_name(split_path(path)[1]))
        super().__init__(f"A proof of {cut_name(self._called, _NAME_CELLS)}", act="Write it")
        self._path = path
        self._folder = folder
        self._folder_text = folder_text
        self._written: WrittenProof | None = None
        self._copied = DialogButton("Copy how it is checked", "copy", key="y")
        self._copied.display = False
        self._buttons.insert(1, self._copied)

    def content(self) -> ComposeResult:
        yield Static(
            Content(
                f"{self._called}, its signature and the proof that the server's log tells of it go to {self._folder_text}: for "
                "somebody who has no account here."
            ),
            id="proof-text",
            markup=False,
        )
        yield static("Nothing that lies there is written over.", "dialog-muted dialog-space")

    def answer(self, name: str) -> None:
        if name == "copy" and self._written is not None:
            self.app.copy_to_clipboard(_command(self._written))
            self.show_progress("Sent to the terminal's clipboard: the command that checks it.")
        elif name == "act":
            self.work(self._write)
        else:
            self.dismiss(self._written)

    def action_dismiss_safely(self) -> None:
        self.dismiss(self._written)

    def _report(self, progress: Progress) -> None:
        size = f" {part_text(progress.done_bytes, progress.total_bytes)}" if progress.total_bytes else ""
        self.show_progress(f"Getting and verifying it{self.sft.glyphs.ellipsis}{size}")

    async def _write(self) -> None:
        self.show_progress(f"Getting and verifying it{self.sft.glyphs.ellipsis}")
        try:
            written = await self.sft.gateway.files.write_proof(self._path, self._folder, report=self._report)
        except LocalExistsError:
            self.complain(f"One of these names lies in {self._folder_text} already, with something else in it.")
            return
        except SftError as error:
            self.complain(error)
            return
        self._written = written
        self.complain("")
        self.query_one("#proof-text", Static).update(Content(_words(written)))
        self._buttons[-1].display = False
        self._copied.display = True
        self._copied.focus()
        self.call_after_refresh(self._fit)


def _command(written: WrittenProof) -> str:
    key = PublicKey.decode(written.file.version.public_key)
    local, proof = shell_path(str(written.local)), shell_path(str(written.proof))
    return f"sft verify {local} --key {key.text()} --proof {proof}"


def _words(written: WrittenProof) -> str:
    version, key = written.file.version, PublicKey.decode(written.file.version.public_key)
    author = shown(shown_name(version.author))
    names = ", ".join(harmless(each.name) for each in (written.local, written.signature, written.proof))
    lines = [
        f"{'Written' if written.is_new else 'Here already'}: {names}",
        f"Version {version.number}, in the log {harmless(written.logged.origin.text())} at {count_text(written.logged.index)}.",
        "",
        f"Without an account: {harmless(_command(written))}",
        f"Without sft: {harmless(minisign_command(str(written.local), key))}",
        "",
        f"That key is {author}'s: {key.words()}",
        f"Let {author} confirm these words by another way than the one by which the files go.",
    ]
    return "\n".join(lines)
