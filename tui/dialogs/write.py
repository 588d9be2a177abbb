"""Asks where a small text goes, and writes it there: a new file for its owner alone, never over another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input
from textual.widgets.input import Selection

from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.durable import open_folder, sync_folder, write_new
from sft.errors import LocalFileError, SftError, UsageError
from tui.dialogs.dialog import Dialog, static


class WriteFile(Dialog[Path]):
    """Gives the file that was written, or None.

    Args:
        lines: harmless texts above the field.
        folder: where names that are no whole path lead.
        name: what stands in the field at first.
        text: what is written; of a kind that makes it on the way, nothing.
    """

    def __init__(self, title: str, *, lines: Sequence[str], folder: Path, name: str, text: str = "") -> None:
        super().__init__(title, act="Write")
        self._lines = lines
        self._folder = folder
        self._leaf = name
        self._text = text
        start, home = str(folder / name), f"{Path.home()}/"
        if start.startswith(home):
            start = f"~/{start.removeprefix(home)}"
        self._field = Input(start, id="write-path", compact=True, select_on_focus=False)

    def content(self) -> ComposeResult:
        for line in self._lines:
            yield static(line)
        yield static("File", "dialog-label")
        yield self._field

    def first_focus(self) -> Widget:
        """The field, the name in it marked without its folder and ending."""
        first = len(self._field.value) - len(self._leaf)
        self._field.selection = Selection(first, first + len(Path(self._leaf).stem))
        return self._field

    @on(Input.Submitted, "#write-path")
    def act(self) -> None:
        self.work(self._write)

    async def _write(self) -> None:
        typed = self._field.value.strip()
        try:
            if not typed:
                raise UsageError(problem="A file needs a name", remedy="Type one")
            path = self._folder / _expanded(typed)
            await self.put(path)
        except SftError as error:
            self.complain(error)
        else:
            self.dismiss(path)

    async def put(self, path: Path) -> None:
        """Write the file; LocalFileError and LocalDiskFullError as ``write_private``."""
        await asyncio.to_thread(write_private, path, self._text)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner reads (blocks).

    Raises:
        LocalFileError: the name is taken, or the folder cannot be used.
        LocalDiskFullError: no room.
    """
    with translating_os_errors(path.parent):
        folder_fd = open_folder(path.parent)
    try:
        write_new(folder_fd, path.name, text.encode())
        sync_folder(folder_fd)
    except FileExistsError as error:
        raise LocalFileError(
            str(error), path=str(path), problem="is here already", remedy="Choose another name"
        ) from error
    except OSError as error:
        raise describe_os_error(error, path) from error
    finally:
        os.close(folder_fd)


def _expanded(typed: str) -> Path:
    try:
        return Path(typed).expanduser()
    except RuntimeError:  # a home of nobody: a name that begins with ~
        return Path(typed)
