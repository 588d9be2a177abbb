"""Putting a backup back into an empty home, and believing none of it before it was verified.

    keyring          opened by the master key, before anything is written
    data.restoring   keyring, last head, database, objects as they lie in the folder
                     → rows, head and every leaf of the log → uploads that were cut are given up
                     → the log goes on as another epoch → every row and object read whole
    data             by one rename, when all of that holds

Rules. What is in the folder is material: the keyring opens by the master key or not at all, rows carry MACs, the head a
signature, objects tags and their authors' signatures. A backup is older than what people saw, unless the operator says
that nothing came after it: so the log begins another epoch before anything else is signed (``sft.service.log.restarting``).
Nothing serves a home in which this was cut.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from sft import durable
from sft.crypto.keys import ServerKey
from sft.errors import SftError, StoreError, VaultError
from sft.ledger.checkpoints import Checkpoint
from sft.model.access import operator_caller
from sft.model.records import VaultReport
from sft.operator.backups.folder import BackupFolder, StoredSnapshot
from sft.operator.backups.incoming import Incoming
from sft.operator.backups.objects import DAMAGED, ObjectCopying
from sft.operator.backups.pages import PageReader
from sft.operator.head_file import HeadFile
from sft.operator.home import Home
from sft.operator.home_log import HomeLog, wall_clock
from sft.server.event_log import EventLog
from sft.service.log.heads import read_kept_head
from sft.service.log.restarting import Restart, restart_log
from sft.service.maintenance.check import CheckPlan, check
from sft.service.maintenance.given_up_uploads import give_up_all
from sft.service.maintenance.report import JobContext, Report
from sft.service.storage import FileStorage
from sft.store import migration
from sft.store.database import Database, ReadPool, open_database
from sft.store.revision import current_revision, needed_revision
from sft.vault.backend_local import LocalBackend
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import create_keyring
from sft.vault.vault import Vault

EPOCH: Final = "epoch"  # in the folder: the newest that a restore from it began

_EPOCH_MOST_BYTES: Final = 32
_PAGES_AT_ONCE: Final = 64


class Restored(Struct, frozen=True):
    """A backup that was put back and holds, or whose faults are known.

    Attributes:
        before: the log up to where it goes on, as it was.
        after: how it goes on; the same where nothing came after the backup.
        report: of the check of everything.
        server_point: the server's public key.
    """

    before: Checkpoint
    after: Checkpoint
    report: VaultReport
    server_point: bytes


class Restoring:
    """One restore, under the home's lock and within ``BackupFolder.reading``; blocks.

    Args:
        home: as ``begin_restoring`` gave it: its data folder is empty, and not published.
        keyring: that of the backup, opened.
        progress: told how many objects of how many were copied.
        checked: told how many versions and bytes were verified.
    """

    def __init__(
        self,
        home: Home,
        folder: BackupFolder,
        snapshot: StoredSnapshot,
        keyring: Keyring,
        *,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
        checked: Callable[[int, int], None] = lambda _versions, _bytes: None,
    ) -> None:
        self._home = home
        self._folder = folder
        self._snapshot = snapshot
        self._keyring = keyring
        self._progress = progress
        self._checked = checked

    def copy(self) -> None:
        """Fill the data folder, durably; what the backup lacks is lacking, and found by ``verify``.

        Raises:
            BackupError: a part of the backup is damaged, or the disk refuses.
        """
        home, folder = self._home, self._folder
        objects = folder.objects_of(self._snapshot)
        self._copy_database()
        with self._putting():
            LocalBackend.create_at(home.vault).close()
            with durable.opened_folder(home.vault) as root, Incoming(root, ("incoming",)) as incoming:
                copying = ObjectCopying(folder.vault, incoming)
                for done, (object_id, size) in enumerate(objects.all(), 1):
                    with suppress(*DAMAGED):  # the check names the file
                        copying.copy(object_id, size)
                    self._progress(done, len(objects))
                incoming.sync()

    def _putting(self) -> AbstractContextManager[None]:
        return self._folder.acting(f"cannot be put into {self._home.path}", "Look at its disk, then again")

    def _copy_database(self) -> None:
        home, manifest = self._home, self._snapshot.manifest
        with self._putting():
            create_keyring(home.keyring, manifest.keyring)
            head_file = HeadFile.create(home.log_head)
            try:
                head_file.keep(manifest.head)
            finally:
                head_file.close()
            self._write_database()

    def _write_database(self) -> None:
        database = self._home.database
        with durable.opened_folder(database.parent) as folder:
            file = durable.create_new(folder, database.name)
            try:
                with PageReader(self._folder, self._snapshot.manifest) as reader:
                    pages = reader.pages()
                    while some := b"".join(islice(pages, _PAGES_AT_ONCE)):
                        durable.write_all(file, some)
                durable.sync_file(file)
            finally:
                os.close(file)
            durable.sync_folder(folder)

    def verify(self, reason: str, *, nothing_since: bool) -> Restored:
        """Verify everything, and let the log go on.

        Args:
            reason: why, for everybody to read.
            nothing_since: nothing was signed after the backup's head.

        Raises:
            StoreError, VaultError: rows, log or head do not hold.
        """
        keyring = self._keyring
        self._bring_up_to_date(keyring)
        key = ServerKey.from_seed(keyring.server_seed)
        with self._opened(keyring) as (database, head_file):
            readers = ReadPool(database, wall_clock)
            log = _whole_log(readers, head_file, key, keyring)
            tree = log.ledger.tree
            before = after = Checkpoint(log.signer.origin(log.ledger.epoch), tree.size, tree.root())
            storage = FileStorage(Vault(LocalBackend(self._home.vault), keyring), key, log.ledger)
            if nothing_since:
                log.begin()
            writer = log.writer(database, on_events=EventLog().tell)
            writer.start()
            try:

                def act(act: object, item: object) -> object:
                    return writer.submit(act, item).result()  # type: ignore[arg-type]

                context = JobContext(storage, readers.reading, act, progress=self._checked)  # type: ignore[arg-type]
                if not nothing_since:
                    known, note = self._newest_head(log, key, keyring)
                    epoch = max(known.origin.epoch, self._begun_before())
                    wanted = Restart(
                        origin=before.origin.text(), root=before.root, known=note, known_epoch=epoch, reason=reason
                    )
                    after = Checkpoint(
                        log.signer.origin(writer.submit(restart_log, wanted).result()), tree.size, before.root
                    )
                    self._note_epoch(after.origin.epoch)
                # Their segments are in no backup: whoever was storing it begins anew.
                give_up_all(context, Report())
                # Afresh: how far a check of the server's own had come says nothing of the copies.
                report = readers.run(check, operator_caller(), context=context, plan=CheckPlan(afresh=True))()
            finally:
                writer.stop()
                storage.vault.close()
        return Restored(before, after, report, key.public.point)

    def look(self, pace: Callable[[int], None]) -> VaultReport:
        """Read everything of the backup, contents where they lie; of it the home gets the database alone.

        Raises:
            BackupError: a part of it is damaged, or cannot be opened.
            StoreError, VaultError: rows, log or head do not hold.
        """
        keyring, folder = self._keyring, self._folder
        folder.objects_of(self._snapshot)
        self._copy_database()
        self._bring_up_to_date(keyring)
        key = ServerKey.from_seed(keyring.server_seed)
        try:
            backend = LocalBackend(folder.vault, writes=False)
        except VaultError:
            folder.refuse("its vault is gone, or cannot be opened", "Run this as the user that owns it")
        with closing(backend), self._opened(keyring) as (database, head_file):
            readers = ReadPool(database, wall_clock)
            log = _whole_log(readers, head_file, key, keyring)
            storage = FileStorage(Vault(backend, keyring), key, log.ledger)
            context = JobContext(storage, readers.reading, _note_nothing, progress=self._checked, pace=pace)  # type: ignore[arg-type]
            plan = CheckPlan(afresh=True, of_backup=True)
            return readers.run(check, operator_caller(), context=context, plan=plan)()

    def _bring_up_to_date(self, keyring: Keyring) -> None:
        if current_revision(self._home.database) != needed_revision():
            macs = migration.MigrationMacs.of(keyring.row_key, keyring.server_id)
            migration.upgrade(self._home.database, macs)

    @contextmanager
    def _opened(self, keyring: Keyring) -> Iterator[tuple[Database, HeadFile]]:
        home = self._home
        database = open_database(
            home.database, keyring.row_key, keyring.server_id, older_row_key=keyring.older_row_key, home=home.path
        )
        try:
            head_file = home.open_log_head()
            try:
                yield database, head_file
            finally:
                head_file.close()
        finally:
            database.close()

    def _newest_head(self, log: HomeLog, key: ServerKey, keyring: Keyring) -> tuple[Checkpoint, str]:
        """Find the newest head that any backup in the folder knows: it says how much is lacking here."""
        newest = log.kept, self._snapshot.manifest.head
        for name in self._folder.names():
            with suppress(SftError):
                note = self._folder.snapshot(name).manifest.head
                found = read_kept_head(note, log.signer, key.public, keyring.successions)
                if (found.origin.epoch, found.size) > (newest[0].origin.epoch, newest[0].size):
                    newest = found, note
        return newest

    def _begun_before(self) -> int:
        """Read the newest epoch that a restore from here began: another log has its name."""
        with suppress(OSError, ValueError), durable.opened_folder(self._folder.path) as folder:
            return int(durable.read_regular(folder, EPOCH, _EPOCH_MOST_BYTES))
        return 0

    def _note_epoch(self, epoch: int) -> None:
        # Best effort: the medium may be one that is only read.
        with suppress(OSError), durable.opened_folder(self._folder.path) as folder:
            durable.replace_file(folder, EPOCH, b"%d\n" % epoch)


def _whole_log(readers: ReadPool, head_file: HeadFile, key: ServerKey, keyring: Keyring) -> HomeLog:
    # Once to hold the log against its head, once to hash every leaf of it.
    HomeLog.load(readers, head_file, key, keyring.successions)
    return HomeLog.load(readers, head_file, key, keyring.successions, put_back=True)


def _note_nothing(_act: object, _item: object) -> Any:
    raise StoreError(problem="a backup that is read is not changed")
