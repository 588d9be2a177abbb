"""Opening a home: master key, keyring, database, vault, and everything that sessions share.

Rules. Whoever opens holds the home's lock. All of this blocks (a passphrase takes a second, a
recovery may take minutes) and runs on one thread before anybody is served. What was opened is
closed in the opposite order.
"""

from __future__ import annotations

import getpass
import os
import resource
import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from sft.crypto.kem import require_available
from sft.crypto.keys import ServerKey
from sft.errors import HomeError
from sft.model.names import parse_server_name
from sft.model.records import ServerInfo
from sft.operator.configuration import Configuration
from sft.operator.head_file import HeadFile
from sft.operator.home import Home, HomeState
from sft.operator.home_log import HomeLog, wall_clock
from sft.server.admission import Admission
from sft.server.context import ServerContext
from sft.server.event_log import EventLog
from sft.server.shares import Places, Shares
from sft.service import settings
from sft.service.log.heads import HeadSigner, log_host
from sft.service.maintenance import recovery
from sft.service.maintenance.report import JobContext
from sft.service.settings import Registration
from sft.service.storage import FileStorage
from sft.store.database import Database, ReadPool, create_database, open_database
from sft.store.writer import Writer
from sft.transport.threads import Pool
from sft.vault.backend_local import LocalBackend
from sft.vault.copy_lock import CopyLock
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import create_keyring
from sft.vault.master_key import (
    CommandMasterKey,
    CredentialMasterKey,
    FileMasterKey,
    MasterKeySource,
    PassphraseMasterKey,
)
from sft.vault.master_key_store import MasterKeyStore
from sft.vault.vault import Vault


def master_key_source(home: Home, text: str, *, parameters: Path | None = None) -> MasterKeySource:
    """Return the source that ``--master-key`` names.

    Args:
        text: ``file``, ``file:PATH``, ``credential:NAME``, ``passphrase``, ``passphrase:FILE`` or
        ``command:PROGRAM ARGUMENTS``.
        parameters: what makes a key out of a passphrase; None is the home's own.
    """
    kind, _, rest = text.partition(":")
    if kind == "file":
        return FileMasterKey(Path(rest) if rest else home.master_key, data_folder=home.data)
    if kind == "credential" and rest:
        return CredentialMasterKey(_credentials(home, rest) / rest)
    if kind == "passphrase":
        return PassphraseMasterKey(parameters or home.parameters, _passphrase_from(home, rest))
    if kind == "command" and rest:
        return CommandMasterKey(shlex.split(rest))
    raise HomeError(
        home=str(home.path),
        problem=f"it knows no master key source {text!r}",
        remedy="sftd serve --master-key file:PATH; or credential:NAME, passphrase, passphrase:FILE, command:PROGRAM",
    )


def _credentials(home: Home, name: str) -> Path:
    """Find the folder of a unit's credentials; HomeError where this program was started without any, as a nightly backup is."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise HomeError(
            home=str(home.path),
            problem=f"no server runs on it, and its master key is the credential {name} of the server's unit, not of this",
            remedy=f"Start the server, then again; or have the key given here as well: LoadCredential={name}:FILE in this unit",
        )
    return Path(folder)


def open_master_keys(home: Home, text: str) -> MasterKeyStore:
    """Return what holds a home's keyring and master key, which comes from where ``--master-key`` says."""
    return MasterKeyStore(home.keyring, master_key_source(home, text), text)


def _passphrase_from(home: Home, path: str) -> Callable[[], str]:
    def ask() -> str:
        if path:
            try:
                return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise HomeError(
                    str(error),
                    home=str(home.path),
                    problem=f"the passphrase file {path} cannot be read",
                    remedy="sftd serve --master-key passphrase:FILE, with a file that this user may read",
                ) from error
        if not sys.stdin.isatty():
            raise HomeError(
                home=str(home.path),
                problem="its master key needs a passphrase and there is no terminal to ask on",
                remedy="sftd serve --master-key passphrase:FILE; or start it on a terminal",
            )
        return getpass.getpass("Passphrase of the master key: ")

    return ask


@dataclass(slots=True)
class OpenedHome:
    """An opened home; ``close`` ends it in the opposite order."""

    home: Home
    context: ServerContext
    database: Database
    vault: Vault
    head_file: HeadFile
    is_new: bool
    notes: list[str]
    advice: str

    def close(self) -> None:
        """Finish what is queued and close everything; blocks."""
        self.context.writer.stop()
        self.head_file.close()
        self.database.close()
        self.vault.close()


def open_home(
    home: Home,
    given: Configuration,
    *,
    flags: Mapping[str, Any] = MappingProxyType({}),
    reactor: Any,
    event_log: EventLog,
    on_fatal: Callable[[BaseException], None],
) -> OpenedHome:
    """Open a home, making it where none is, and recover what a crash has left.

    Args:
        given: what rules this start.
        flags: what of it ``sftd serve`` was given; ``sft.toml`` says it from now on.

    Raises:
        HomeError, VaultError, StoreError: what is wrong, and what to do.
    """
    require_available()
    home.remove_unfinished()
    state = home.state()
    source = master_key_source(home, given.master_key)
    name = given.name or default_name()
    if state is HomeState.NEW:
        _make(
            home,
            source,
            flags,
            settings.NewServer(name, given.public, b"", Registration(given.registration)),
            event_log,
        )
    master_keys = open_master_keys(home, given.master_key)
    keyring = master_keys.open()
    home.hold_reserve()
    # Only now: a wrong --master-key must not be what the next start takes.
    home.remember(flags)
    server_key = ServerKey.from_seed(keyring.server_seed)
    home.keep_server_key(server_key.public.point)
    with ExitStack() as undo:
        database = open_database(
            home.database, keyring.row_key, keyring.server_id, older_row_key=keyring.older_row_key, home=home.path
        )
        undo.callback(database.close)
        vault = Vault(LocalBackend(home.vault), keyring)
        undo.callback(vault.close)
        readers = ReadPool(database, wall_clock)
        readers.policy = given.policy
        head_file = home.open_log_head()
        undo.callback(head_file.close)
        log = HomeLog.load(readers, head_file, server_key, keyring.successions)
        log.begin()
        storage = FileStorage(vault, server_key, log.ledger, copy_lock=CopyLock(home.vault))
        writer = log.writer(database, on_fatal=on_fatal, on_events=event_log.tell, make_room=home.give_reserve)
        undo.callback(writer.stop)
        writer.start()
        info, notes = _prepare(given, storage, readers, writer)
        undo.pop_all()
    places = Places.of(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    context = ServerContext(
        reactor=reactor,
        info=info,
        storage=storage,
        readers=readers,
        writer=writer,
        ledger=log.ledger,
        head_signer=log.signer,
        pool=Pool(reactor, name="files"),
        reading_pool=Pool(reactor, threads=2, name="readers"),
        entry_pool=Pool(reactor, threads=1, name="entry"),
        maintenance_pool=Pool(reactor, threads=1, name="maintenance"),
        master_keys=master_keys,
        row_keys=database,
        keep_server_key=home.keep_server_key,
        successions=keyring.successions,
        event_log=event_log,
        clock=wall_clock,
        admission=Admission(given.exempt_networks, total=places.strangers),
        shares=Shares(places),
    )
    is_new = state is HomeState.NEW
    return OpenedHome(home, context, database, vault, head_file, is_new, notes, _advice(home, source))


def _prepare(
    given: Configuration, storage: FileStorage, readers: ReadPool, writer: Writer
) -> tuple[ServerInfo, list[str]]:
    """Take in this start's settings and recover; recovery is idempotent."""

    def act(act: Any, item: Any) -> Any:
        return writer.submit(act, item).result()

    change = settings.SettingsChange(
        name=given.name or None,
        registration=Registration(given.registration),
        server_key=storage.server_key.public.point,
    )
    act(settings.change_settings, change)
    context = JobContext(storage, readers.reading, act)
    recovered = recovery.recover(context)
    notes = []
    if recovered.uploads:
        notes.append(f"removed {recovered.uploads} unfinished uploads")
    if recovered.kept:
        notes.append(f"{recovered.kept} unfinished uploads can go on")
    if recovered.purged:
        notes.append(f"finished {recovered.purged} deletions")
    notes += [f"left for the next start: {each}" for each in recovered.faults]
    return readers.run(settings.server_info), notes


def _make(
    home: Home, source: MasterKeySource, flags: Mapping[str, Any], new: settings.NewServer, event_log: EventLog
) -> None:
    """Make the data folder whole under another name, then publish it."""
    home.make()
    home.begin_unfinished()
    master_key = _first_key(home, source)
    keyring = Keyring.generate(master_key)
    create_keyring(home.unfinished / home.keyring.name, keyring.seal())
    LocalBackend.create_at(home.unfinished / home.vault.name).close()
    path = home.unfinished / home.database.name
    create_database(path)
    server = ServerKey.from_seed(keyring.server_seed).public
    with closing(open_database(path, keyring.row_key, server.server_id(), home=home.path)) as database:
        head_file = HeadFile.create(home.unfinished / home.log_head.name)
        signer = HeadSigner(
            log_host(parse_server_name(new.name)), server.server_id(), ServerKey.from_seed(keyring.server_seed)
        )
        readers = ReadPool(database, wall_clock)
        writer = HomeLog.begun(readers, head_file, signer).writer(database, on_events=event_log.tell)
        writer.start()
        try:
            new = msgspec.structs.replace(new, server_key=server.point)
            writer.submit(settings.prepare, new).result()
        finally:
            writer.stop()
            head_file.close()
    home.remember(flags)
    home.publish()


def _first_key(home: Home, source: MasterKeySource) -> bytes:
    """Return the key of a new home: a file that is there holds it (a first start was cut, or the operator made it)."""
    if isinstance(source, FileMasterKey):
        return source.read() if source.path.exists() else source.create()
    if isinstance(source, PassphraseMasterKey):
        return source.read() if home.parameters.exists() else source.create()
    return source.candidates()[0]


def _advice(home: Home, source: MasterKeySource) -> str:
    """Return what must not be lost."""
    if isinstance(source, FileMasterKey):
        return f"Keep a copy of {source.path} away from this disk: without it every stored file is lost."
    if isinstance(source, PassphraseMasterKey):
        return (
            f"Keep the passphrase, and a copy of {home.parameters} away from this disk: without both every stored "
            "file is lost."
        )
    return "Keep what gives the master key: without it every stored file is lost."


def default_name() -> str:
    """Name a server after its computer."""
    try:
        return parse_server_name(os.uname().nodename.partition(".")[0] or "sft")
    except Exception:  # noqa: BLE001 - any refusal: the computer's name is no server name
        return "sft"
