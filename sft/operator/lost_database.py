"""A database in the place of one that was lost, empty but for the server itself: what ``vault rebuild`` begins with.

    keyring, vault, last head are there, the database is not → made beside → its log restarted → its place

Rules. Under the home's lock, with no server running, and never over a database that is there: one that is damaged has to be
moved away by a person. The server keeps its id, its key and its log's name; the log begins again as another epoch, whose first
words name the last head that was signed before, so that nobody takes it for the one that was lost. It gets its place as a
whole: a run that was killed before leaves nothing that a later one uses.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from sft import durable
from sft.crypto.keys import ServerKey
from sft.crypto.signed_note import text_of
from sft.errors import CryptoError, HomeError
from sft.ledger.checkpoints import Checkpoint
from sft.operator.bootstrap import default_name, open_master_keys
from sft.operator.head_file import HeadFile
from sft.operator.home import Home, HomeLock
from sft.operator.home_log import HomeLog, wall_clock
from sft.server.event_log import EventLog
from sft.service import settings
from sft.service.log.heads import HeadSigner
from sft.service.log.restarting import Restart, restart_log
from sft.service.settings import NewServer, Registration
from sft.store.database import ReadPool, create_database, open_database
from sft.vault.keyring import Keyring

FOLDER: Final = "rebuilt"
REASON: Final = "the database was lost, and with it the log; what lay in the vault was put into a new one"


def make_again(home: Home, _options: Mapping[str, Any]) -> None:
    """Make a database where a home has all but that; else do nothing.

    Raises:
        HomeError: a server runs on it, or what it says of its log cannot be read.
    """
    others = (home.keyring, home.vault, home.log_head)
    if home.database.exists() or not all(part.exists() for part in others):
        return
    lock = HomeLock(home)
    if not lock.take():
        raise HomeError(home=str(home.path), problem="a server runs on it", remedy="Stop it, then again")
    try:
        if not home.database.exists():
            _make(home)
    finally:
        lock.drop()


def _make(home: Home) -> None:
    for suffix in ("-wal", "-shm"):
        left = home.database.with_name(home.database.name + suffix)
        if left.exists():  # SQLite would put what it holds into the new one
            raise HomeError(
                home=str(home.path),
                problem=f"{left.name} of the lost database is there yet",
                remedy=f"Move {left} away",
            )
    keyring = open_master_keys(home, home.configuration().master_key).open()
    known, note = _last_head(home)
    folder = home.data / FOLDER
    if folder.exists():
        shutil.rmtree(folder)
    durable.make_private_folder(folder)
    _fill(home, keyring, known, note)
    with durable.opened_folder(folder) as begun, durable.opened_folder(home.data) as data:
        durable.sync_folder(begun)
        durable.rename_no_replace(begun, home.database.name, data, home.database.name)
        durable.sync_folder(data)
    shutil.rmtree(folder)


def _fill(home: Home, keyring: Keyring, known: Checkpoint, note: str) -> None:
    """Make the database, with the server's settings, an empty log, and its restart."""
    path = home.data / FOLDER / home.database.name
    key, configured = ServerKey.from_seed(keyring.server_seed), home.configuration()
    host = known.origin.text().partition("/")[0]
    create_database(path)
    with closing(open_database(path, keyring.row_key, keyring.server_id, home=home.path)) as database:
        head_file = HeadFile.create(path.with_name(home.log_head.name))
        signer = HeadSigner(host, keyring.server_id, key)
        log = HomeLog.begun(ReadPool(database, wall_clock), head_file, signer)
        writer = log.writer(database, on_events=EventLog().tell)
        writer.start()
        try:
            new = NewServer(
                configured.name or default_name(),
                configured.public,
                key.public.point,
                Registration(configured.registration),
                server_id=keyring.server_id,
                host=host,
            )
            writer.submit(settings.prepare, new).result()
            tree = log.ledger.tree
            restart = Restart(
                origin=signer.origin(known.origin.epoch).text(),
                root=tree.root(),
                known=note,
                known_epoch=known.origin.epoch,
                reason=REASON,
            )
            writer.submit(restart_log, restart).result()
        finally:
            writer.stop()
            head_file.close()


def _last_head(home: Home) -> tuple[Checkpoint, str]:
    """Read the last head that was signed of the log that was lost."""
    with closing(home.open_log_head()) as head_file:
        note = head_file.note
    try:
        if note is not None:
            return Checkpoint.parse(text_of(note)), note
    except CryptoError:
        pass
    raise HomeError(
        home=str(home.path),
        problem="its last head cannot be read, which names its log",
        remedy=f"Put back {home.log_head.name} of a backup",
    )
