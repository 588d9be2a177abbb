"""What stands in a file of the server: shown once all of it was verified, and never before.

Rules. The bytes stay in memory. What does not hold shows why, and nothing of the content.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from sft.client.transfers.look import LOOK_BYTES, LookedInto
from sft.client.transfers.queue.run import state_after
from sft.client.trust import SignatureState
from sft.errors import SftError
from sft.model.names import split_path
from sft.model.text import shown_name, size_text
from tui.dialogs.dialog import SCROLLING, Dialog, DialogButton
from tui.preview.content import Preview, preview_of
from tui.text import cut, error_text
from tui.themes.styles import styles_of
from tui.tour import Did


def too_large(name: str, size_bytes: int) -> str:
    """Say of a file that it is not looked into."""
    return f"{shown_name(name)}: {size_text(size_bytes)}, and only up to {size_text(LOOK_BYTES)} is looked into."


class LookInto(Dialog[str]):
    """Shows the beginning of a file; gives ``get`` or ``why`` where that is wanted of it.

    Args:
        version: 0 for the newest.

    Attributes:
        found_to_be: what the file was found to be; None where it was not read, or that says nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    page = True

    def __init__(self, path: str, version: int = 0) -> None:
        name = shown_name(split_path(path)[1])
        super().__init__(f"{name}, version {version}" if version else name, safe="Close")
        self._path = path
        self._version = version
        self.found_to_be: SignatureState | None = None
        self._buttons += [DialogButton("Get it", "get", key="c"), DialogButton("Why", "why", key="w")]

    def content(self) -> ComposeResult:
        yield Static("Reading all of it, to verify it first…", id="preview-text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self.work(self._look)

    def answer(self, name: str) -> None:
        self.dismiss(name if name in {"get", "why"} else None)

    async def _look(self) -> None:
        styles, glyphs = styles_of(self.app.theme), self.sft.glyphs
        try:
            found = await self.sft.gateway.files.look(self._path, self._version)
        except SftError as error:
            self.found_to_be = state_after(error)
            if self.found_to_be is not None:
                self.sft.did(Did.MET_FORGERY)
            message, step = error_text(error, self.sft.now())
            sign = glyphs.state(SignatureState.BAD)
            self._show(Text.assemble((f"{sign} {message}\n", styles["bad"]), (step, styles["muted"])))
            return
        if found is None:
            self._show(Text(f"More than {size_text(LOOK_BYTES)} is not looked into: c gets it.", styles["muted"]))
            return
        self.found_to_be = found.verdict.state
        self.sft.did(Did.LOOKED)
        preview = await asyncio.to_thread(preview_of, found.content)
        self._show(self._text(found, preview))

    def _text(self, found: LookedInto, preview: Preview) -> Text:
        styles = styles_of(self.app.theme)
        version = found.file.version
        sign = self.sft.glyphs.state(SignatureState.VERIFIED)
        head = f"{sign} verified: by {shown_name(version.author)}, version {version.number}"
        lines = [Text.assemble((head, styles["good"]), (f", {preview.said}", styles["muted"])), Text()]
        width = max(self.query_one("#dialog-content").size.width - 1, 1)
        rows = (
            preview.lines if preview.wraps else [cut(line, width, self.sft.glyphs.ellipsis) for line in preview.lines]
        )
        return Text("\n").join([*lines, *(Text(row, styles["plain"]) for row in rows)])

    def _show(self, text: Text) -> None:
        self.query_one("#preview-text", Static).update(text)
        self.call_after_refresh(self._hint_at_more)
