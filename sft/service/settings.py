"""What rules the server as a whole: its name, address, identity and registration policy.

Rules. All of it is written by the first start and read again wherever it decides. The operator's options
change it at a later start; no request does.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from sft.crypto.keys import ServerPublic
from sft.errors import StoreError
from sft.model.access import Caller, Permission, operator_caller
from sft.model.clock import ClockState
from sft.model.events import ServerKeyChanged, ServerPrepared, SettingsChanged
from sft.model.names import parse_server_name
from sft.model.quotas import Usage
from sft.model.records import ServerInfo
from sft.service.log.heads import log_host
from sft.service.maintenance.retention import first_retention
from sft.service.use_case import act, query
from sft.store import settings as stored
from sft.store.folders import ROOT_ID
from sft.store.ledger import begin_ledger
from sft.store.row_types import FolderRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.totals import total_text


class Registration(StrEnum):
    """How people become users."""

    INVITE = "invite"  # by an admin's invitation
    OPEN = "open"  # also by the server's link alone, as guests
    CLOSED = "closed"  # an admin adds them, by their public key


class NewServer(Struct, frozen=True):
    """What the first start decides; id and host of the log alone where the server was there before."""

    name: str
    address: str
    server_key: bytes  # 32 bytes, the identity's public half
    registration: Registration = Registration.INVITE
    server_id: bytes = b""
    host: str = ""
    caller: Caller = operator_caller()


class SettingsChange(Struct, frozen=True):
    """What a later start decides anew, and the key that follows a server's; None leaves a setting as it is."""

    name: str | None = None
    address: str | None = None
    registration: Registration | None = None
    server_key: bytes | None = None
    caller: Caller = operator_caller()


@act(Permission.SERVER_MANAGE, logs=(ServerPrepared,))
def prepare(transaction: Transaction, item: NewServer) -> ServerInfo:
    """Write what rules a new server, an empty log, and the root folder: an act of the first start.

    Raises:
        StoreError: this was done before.
        UserNameNotAllowedError: the server cannot be called that.
    """
    if stored.has_settings(transaction):
        raise StoreError(problem="it belongs to a server already")
    name = parse_server_name(item.name)
    # The first key names the server for ever; a later one follows it.
    server_id = item.server_id or ServerPublic(item.server_key).server_id()
    values = {
        stored.SERVER_NAME: name.encode(),
        stored.ADDRESS: item.address.encode(),
        stored.REGISTRATION: item.registration.encode(),
        stored.SERVER_KEY: item.server_key,
        stored.SERVER_ID: server_id,
        stored.LOG_HOST: (item.host or log_host(name)).encode(),
        stored.ADMINS: b"",
        stored.STORED: total_text(Usage()),
        stored.COLLECTED_AT: b"%d" % transaction.now,
        stored.BACKED_UP_AT: b"0",
        stored.CLOCK: ClockState(transaction.now).encode(),
        **first_retention(transaction.policy),
    }
    stored.add_settings(transaction, values)
    begin_ledger(transaction)
    root = FolderRow(
        ROOT_ID, None, "", "", None, transaction.now, slot=transaction.take_slot(), salt=transaction.new_salt()
    )
    transaction.rows.insert([root])
    transaction.log(
        ServerPrepared(
            by=item.caller,
            name=name,
            address=item.address,
            registration=item.registration,
            server_key=item.server_key,
            server_id=server_id,
        )
    )
    return server_info(transaction)


@act(Permission.SERVER_MANAGE, logs=(SettingsChanged, ServerKeyChanged))
def change_settings(transaction: Transaction, item: SettingsChange) -> bool:
    """Write what the operator's options and the keyring say, an act of a later start; False where all was so already."""
    wanted = {
        stored.SERVER_NAME: None if item.name is None else parse_server_name(item.name),
        stored.ADDRESS: item.address,
        stored.REGISTRATION: item.registration,
    }
    changed = {
        setting: value
        for setting, value in wanted.items()
        if value is not None and stored.change_setting(transaction, setting, value.encode())
    }
    if changed:
        transaction.log(
            SettingsChanged(
                by=item.caller,
                name=changed.get(stored.SERVER_NAME),
                address=changed.get(stored.ADDRESS),
                registration=changed.get(stored.REGISTRATION),
            )
        )
    key = item.server_key
    key_changed = key is not None and stored.change_setting(transaction, stored.SERVER_KEY, key)
    if key is not None and key_changed:
        transaction.log(ServerKeyChanged(by=item.caller, server_key=key))
    return bool(changed) or key_changed


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
    return Registration(stored.setting(reading, stored.REGISTRATION).decode())


@query(Permission.SERVER_LINK)
def show_server(reading: ReadTransaction, caller: Caller) -> ServerInfo:
    """Show what a link to the server holds."""
    del caller
    return server_info(reading)
