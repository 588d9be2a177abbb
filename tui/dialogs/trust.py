"""Why a version of a file can be believed: the chain from the server's pinned key to the bytes that were read here.

Rules. It is asked for anew each time, and again when the bytes were read from here. What is drawn says ``tui.widgets.chain``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from sft.client.transfers.queue.job import Job
from sft.client.transfers.queue.run import RunResult
from sft.client.trust_chain import Chain, LinkName, Standing, chain_of
from sft.errors import SftError
from sft.model.names import split_path
from sft.model.text import shell_name, shown_name
from tui.dialogs.dialog import SCROLLING, Dialog, DialogButton
from tui.themes.styles import styles_of
from tui.tour import Did
from tui.widgets.chain import chain_lines, verdict_of


class Trust(Dialog[None]):
    """Shows it.

    Args:
        version: 0 for the newest.
        file_id: of the file that is meant, where another may lie at its path by now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    page = True

    def __init__(self, path: str, version: int = 0, *, file_id: bytes = b"") -> None:
        name = shown_name(split_path(path)[1])
        what = f"{name}, version {version}," if version else name
        super().__init__(f"Can {what} be believed?", safe="Close")
        self._path = path
        self._version = version
        self._file_id = file_id
        self._chain: Chain | None = None
        self._job: Job | None = None
        self._unheard: Callable[[], None] = lambda: None
        self._buttons += [DialogButton("Read it", "read", key="v"), DialogButton("Copy the proof", "copy", key="y")]
        for button in self._buttons[1:]:
            button.disabled = True

    def content(self) -> ComposeResult:
        yield Static("Asking the server…", id="trust-text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._unheard = self.sft.queue.when_landed(self._landed)
        self.sft.did(Did.ASKED_WHY)
        self.work(self._read)

    def on_unmount(self) -> None:
        self._unheard()

    def on_resize(self) -> None:
        super().on_resize()
        self._show()

    def answer(self, name: str) -> None:
        if name == "read":
            self._job = self.sft.queue.verify([self._path], split_path(self._path)[1], version=self._version)
            self.show_progress("Reading all of it; nothing is kept.")
        elif name == "copy" and self._chain is not None:
            self.app.copy_to_clipboard("\n".join(self._commands))
            self.show_progress("The commands were sent to the terminal's clipboard.")
        else:
            self.dismiss(None)

    @property
    def _commands(self) -> list[str]:
        """What shows the same without sft: get the file with its signature, then check it."""
        if self._chain is None or not self._chain.command:
            return []
        older = ["--version", str(self._version)] if self._version else []
        get = [f"sft get {shell_name(self._path)}", *older, "--with-signature"]
        return [" ".join(get), self._chain.command]

    def _landed(self, job: Job, _outcome: RunResult) -> None:
        """Look again when what was begun here has ended, well or not."""
        if self._job is not None and job.id == self._job.id:
            self.show_below("", "")
            self.work(self._read)

    async def _read(self) -> None:
        try:
            facts = await self.sft.gateway.files.chain(self._path, self._version)
        except SftError as error:
            self.complain(error)
            return
        if self._file_id not in {b"", facts.file.id}:
            self.complain("Another file lies at that path by now.")
            return
        self._chain = chain_of(facts, now=self.sft.now())
        content = next(link for link in self._chain.links if link.name is LinkName.CONTENT)
        for button in self._buttons:
            if button.name == "read":
                button.disabled = content.standing is not Standing.OPEN
            elif button.name == "copy":
                button.disabled = not self._commands
        self._show()

    def _show(self) -> None:
        if self._chain is None:
            return
        styles, room = styles_of(self.app.theme), self.query_one("#dialog-content").size
        tone = {Standing.HELD: "good", Standing.OPEN: "muted", Standing.BROKEN: "bad"}[self._chain.standing]
        head = Text(verdict_of(self._chain), styles[tone])
        drawn = chain_lines(self._chain, self._commands, room.width - 1, room.height - 1, self.sft.glyphs, styles)
        self.query_one("#trust-text", Static).update(Text("\n").join([head, *drawn]))
        self.call_after_refresh(self._hint_at_more)
