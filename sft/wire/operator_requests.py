"""What admins and the operator may ask about a server, its sessions and its vault: requests as all others."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sft.model.records import Bytes32, Count, PathText, ShortText
from sft.model.status import BUSIEST_MOST
from sft.wire.requests import Request


class ShowServer(Request, frozen=True, tag=40):
    """The server's name, address and key: what a link holds."""


class ListSessions(Request, frozen=True, tag=41):
    """Live sessions."""


class KickSession(Request, frozen=True, tag=42):
    """End a live session."""

    session_id: Count


class CheckVault(Request, frozen=True, tag=43):
    """Read every row, look at every object, and name what does not hold; with ``read_data`` every content is read whole.

    At most ``rate`` bytes of content a second, 0 being no limit; behind what one that was stopped has read, unless ``afresh``.
    """

    read_data: bool = False
    rate: Count = 0
    afresh: bool = False


class RebuildVault(Request, frozen=True, tag=56):
    """Give rows to objects that none names, as far as what lies beside them goes.

    What finds no place is written to the server's folder ``export_to``, an absolute path; empty for none.
    """

    export_to: PathText = ""


class RotateMasterKey(Request, frozen=True, tag=44):
    """Seal everything under a new master key; ``reencrypt`` also makes new data keys, row key and server key."""

    reencrypt: bool = False


class BeginBackup(Request, frozen=True, tag=58):
    """Say in the log that everything is about to be copied; ``epoch`` of the master key, ``settings`` their digest."""

    epoch: Count
    settings: Bytes32


class EndBackup(Request, frozen=True, tag=59):
    """Say that a backup is whole: the objects in it, how many of them were copied for it, and the bytes that it wrote."""

    objects: Count
    copied: Count
    size: Count


class ShowVault(Request, frozen=True, tag=55):
    """How the vault is: what is stored, what is free, when all of it was read last."""


class TestHook(Request, frozen=True, tag=65):
    """Give a hook the newest event that it is for, as a test."""

    hook: ShortText


class ShowStatus(Request, frozen=True, tag=49):
    """How the server is; with ``busiest`` what it does now too, and at most so many sessions of it."""

    busiest: Annotated[int, Meta(ge=0, le=BUSIEST_MOST)] = 0


class FindFiles(Request, frozen=True, tag=46):
    """A page of all files, in order of creation, for the operator's list."""

    after: Count = 0
