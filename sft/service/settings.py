"""What rules the server as a whole: its name, address, identity and registration policy.

Rules. All of it is written by the first start and read again wherever it decides. The operator's options
change it at a later start; no request does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from sft.crypto.keys import ServerPublic
from sft.errors import StoreError
from sft.model.access import Caller, Permission
from sft.model.names import parse_server_name
from sft.model.records import ServerInfo
from sft.service.use_case import use_case
from sft.store import settings as stored
from sft.store.row_types import FolderRow
from sft.store.rows import ReadTransaction, Transaction

ROOT_FOLDER: Final = 1


class Registration(StrEnum):
    """How people become users."""

    INVITE = "invite"  # by an admin's invitation
    OPEN = "open"  # also by the server's link alone, as guests
    CLOSED = "closed"  # an admin adds them, by their public key


class NewServer(Struct, frozen=True):
    """What the first start decides."""

    name: str
    address: str
    server_key: bytes  # 32 bytes, the identity's public half
    registration: Registration = Registration.INVITE


class SettingsChange(Struct, frozen=True):
    """What a later start decides anew; None leaves a setting as it is."""

    name: str | None = None
    address: str | None = None
    registration: Registration | None = None


def is_prepared(reading: ReadTransaction) -> bool:
    """Tell whether the first start has written what rules the server."""
    return stored.has_settings(reading)


def prepare(transaction: Transaction, items: Sequence[NewServer]) -> list[ServerInfo]:
    """Write what rules a new server, and the root folder: an act of the first start.

    Raises:
        StoreError: this was done before.
        UserNameNotAllowedError: the server cannot be called that.
    """
    return [_prepare(transaction, item) for item in items]


def change_settings(transaction: Transaction, items: Sequence[SettingsChange]) -> list[bool]:
    """Write what the operator's options say: an act of a later start.

    Returns:
        For each whether anything was another before.
    """
    return [_change(transaction, item) for item in items]


def server_info(reading: ReadTransaction) -> ServerInfo:
    """Read what users and links know of the server."""
    return ServerInfo(
        name=stored.server_name(reading),
        address=stored.setting(reading, stored.ADDRESS).decode(),
        public_key=stored.setting(reading, stored.SERVER_KEY),
        server_id=stored.setting(reading, stored.SERVER_ID),
        registration=registration(reading),
    )


def registration(reading: ReadTransaction) -> Registration:
    """Read how people become users."""
    return Registration(stored.setting(reading, stored.REGISTRATION).decode())


@use_case(Permission.SERVER_LINK)
def show_server(reading: ReadTransaction, caller: Caller) -> ServerInfo:
    """Show what a link to the server holds."""
    del caller
    return server_info(reading)


def _prepare(transaction: Transaction, item: NewServer) -> ServerInfo:
    if stored.has_settings(transaction):
        raise StoreError(problem="it belongs to a server already")
    values = {
        stored.SERVER_NAME: parse_server_name(item.name).encode(),
        stored.ADDRESS: item.address.encode(),
        stored.REGISTRATION: item.registration.encode(),
        stored.SERVER_KEY: item.server_key,
        # The first key names the server for ever; a later one follows it.
        stored.SERVER_ID: ServerPublic(item.server_key).server_id(),
    }
    stored.add_settings(transaction, values)
    root = FolderRow(ROOT_FOLDER, None, "", "", None, transaction.now)
    transaction.rows.insert([root])
    return server_info(transaction)


def _change(transaction: Transaction, item: SettingsChange) -> bool:
    values: dict[str, bytes] = {}
    if item.name is not None:
        values[stored.SERVER_NAME] = parse_server_name(item.name).encode()
    if item.address is not None:
        values[stored.ADDRESS] = item.address.encode()
    if item.registration is not None:
        values[stored.REGISTRATION] = item.registration.encode()
    changed = [stored.change_setting(transaction, name, value) for name, value in values.items()]
    return any(changed)
