"""The messages that widgets, workers and the app post to one another.

Rules. A worker never touches a widget: it posts one of these, and an ``@on`` handler owns the state that changes. What comes
often replaces what is still waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.message import Message

from sft.client.connection_info import ConnectionInfo, ServerNotice
from sft.client.transfers.queue.run import Judged


class Severity(StrEnum):
    """How something is reported; each has a glyph besides its color."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass
class Notification(Message):
    """One sentence for the message line.

    Args:
        text: harmless already: see ``tui.text``.
        next_step: what can be done about it.
        of_view: a screen said it, and it goes when that one is left.
    """

    text: str
    severity: Severity = Severity.INFO
    next_step: str = ""
    of_view: bool = False


@dataclass
class ConnectionChanged(Message):
    """The account in use stands otherwise to its server than before."""

    connection: ConnectionInfo


@dataclass
class NoticeArrived(Message):
    """The server said something unasked."""

    notice: ServerNotice


@dataclass
class ServerChanged(Message):
    """Something was stored, moved, deleted or restored in a folder of the server."""

    folder: str


@dataclass
class LocalFolderChanged(Message):
    """Something arrived in a folder of this computer."""

    folder: str


@dataclass
class FilesJudged(Message):
    """Files of the server were read to their end here."""

    judged: tuple[Judged, ...]


class TransfersMoved(Message):
    """The queue stands otherwise than before; comes often."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TransfersMoved)


class ActsChanged(Message):
    """What can be done here has changed: the footer is made anew."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ActsChanged)


@dataclass
class ActChosen(Message):
    """A person chose an act by its name, or clicked it.

    Args:
        act: its id in ``tui.keys``.
    """

    act: str
