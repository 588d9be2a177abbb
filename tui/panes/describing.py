"""Which words describe an entry, wherever details stand."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final, Protocol

from rich.text import Text

from sft.client.api.log import LogQuery
from sft.errors import SftError
from tui.gateway import Gateway
from tui.log_words import who_of
from tui.panes.columns import Shelf
from tui.panes.details import DetailsPane
from tui.panes.details_strip import DetailsStrip
from tui.panes.entry import Entry, EntryKind

_HISTORY: Final = 5  # lines of the log that concern a file


class Descriptions(Protocol):
    """Where details stand, and how they are worded there."""

    def show(self, lines: list[Text]) -> None:
        """Show them."""

    def of_local(self, entry: Entry, now: float, to: str) -> list[Text]:
        """Describe what lies on this computer."""

    def of_folder(self, entry: Entry, now: float) -> list[Text]:
        """Describe a folder of the server."""

    def of_trashed(self, entry: Entry, now: float) -> list[Text]:
        """Describe what lies in the trash."""


def describe(pane: Descriptions, entry: Entry | None, shelf: Shelf, now: float, to: str) -> bool:
    """Describe an entry; return whether its line says all that is needed: else the server is to be asked."""
    if entry is None:
        pane.show([])
    elif shelf is Shelf.LOCAL:
        pane.show(pane.of_local(entry, now, to))
    elif entry.until is not None:
        pane.show(pane.of_trashed(entry, now))
    elif entry.kind is not EntryKind.FILE:
        pane.show(pane.of_folder(entry, now))
    else:
        return False
    return True


async def describe_file(
    gateway: Gateway, path: str, pane: DetailsPane | DetailsStrip, now: float, still: Callable[[], bool]
) -> None:
    """Describe a file of the server, and what the log says was done to it where there is room for that.

    Args:
        still: whether the file is what is to be described.
    """
    try:
        details = await gateway.files.details(path)
    except SftError:
        return  # gone meanwhile, or the connection is: the message line says so
    if not still():
        return
    pane.show(pane.of_file(details, now))
    if isinstance(pane, DetailsPane):
        with contextlib.suppress(SftError):
            page = await gateway.activity.before(LogQuery(file_id=details.file.id), limit=_HISTORY)
            history = [(line, who_of(line, gateway.activity)) for line in page.lines]
            readers = await gateway.files.readers(details.file)
            if still():
                pane.show(pane.of_file(details, now, history, readers))
