"""Taking a backup of a home, whether or not something serves it: what is read when, and what is written when.

    keyring, last head → database, of one moment → the objects that it names and that the folder lacks → pieces of the
    database → all of it on the disk → manifest → older backups than are kept, and what they alone needed

Rules. The caller has the vault's copy lock throughout: keys stay as they are, and no object that the database names is
destroyed. The head is read before the database, so it is never ahead of it. What an earlier run has copied and no backup
needs yet is taken where every file of it has its length: it had no name before it was on the disk. One object that cannot
be read whole is told and lacking; whatever else fails leaves no backup, and what it has copied for the next run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from sft import __version__, durable
from sft.operator.backups.folder import COPY, DATABASE, VAULT, BackupFolder, StoredSnapshot
from sft.operator.backups.incoming import Incoming
from sft.operator.backups.manifest import PIECE_BYTES, Manifest, ObjectList
from sft.operator.backups.objects import DAMAGED, ObjectCopying, ids_beginning_with
from sft.operator.head_file import read_head
from sft.operator.home import Home
from sft.operator.witnesses import POLICY
from sft.store.database_copy import copy_database, objects_of
from sft.store.revision import current_revision
from sft.vault.backend_local import LocalBackend
from sft.vault.disk import Disk
from sft.vault.keyring import sealed_epoch
from sft.vault.keyring_file import load_keyring

_FIRST_BYTES: Final = 256
_HOME_FILE_MOST_BYTES: Final = 64 * 1024
_ROOM: Final = "Make room on its disk, then again: it goes on where it was"


class TakenBackup(Struct, frozen=True):
    """A backup that was taken.

    Attributes:
        copied: objects that the folder did not have.
        written_bytes: of objects and pieces of the database.
        new_pieces: of the database, likewise.
        given_up: how many older backups went.
        removed: objects that only these needed.
        lacking: what could not be copied whole: object, and why.
    """

    snapshot: StoredSnapshot
    copied: int
    written_bytes: int
    new_pieces: int
    given_up: int
    removed: int
    lacking: tuple[tuple[bytes, str], ...]


class Taking:
    """One run, within ``BackupFolder.writing`` and under the copy lock.

    Args:
        server: what it is called.
        keep: how many backups are kept, with this one; at least 1.
        each: told of the bytes of each step; may pause, or raise to end the run.
        progress: told how many objects of how many are done.
        disk: the steps on files.
    """

    def __init__(
        self,
        home: Home,
        folder: BackupFolder,
        *,
        server: str,
        server_id: bytes,
        keep: int,
        each: Callable[[int], None] = lambda _: None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
        disk: Disk | None = None,
    ) -> None:
        self._home = home
        self._folder = folder
        self._server = server
        self._server_id = server_id
        self._keep = keep
        self._each = each
        self._progress = progress
        self._disk = disk
        self._copied = 0
        self._written = 0
        self._new_pieces = 0
        self._lacking: list[tuple[bytes, str]] = []

    def run(self, now: int) -> TakenBackup:
        """Take the backup; BackupError, StoreError or VaultError where there is none."""
        folder = self._folder
        keyring = load_keyring(self._home.keyring)
        head = read_head(self._home.log_head)
        copy = folder.unfinished / COPY
        before = folder.snapshots()
        with folder.acting("cannot be written", _ROOM):
            copy_database(self._home.database, copy, each=self._each)
            objects = ObjectList.of(objects_of(copy))
            with durable.opened_folder(folder.path) as root:
                with durable.opened_folder(folder.vault) as vault:
                    self._copy_objects(vault, objects, [folder.objects_of(each) for each in before])
                pieces = self._copy_pieces(root, copy)
            snapshot = folder.publish(
                Manifest(
                    program=__version__,
                    taken_at=now,
                    server=self._server,
                    server_id=self._server_id,
                    epoch=sealed_epoch(keyring),
                    head=head,
                    keyring=keyring,
                    schema=current_revision(copy) or "",
                    database_bytes=copy.stat().st_size,
                    pieces=tuple(pieces),
                    objects=len(objects),
                    object_bytes=objects.size_bytes(),
                    object_list=objects.digest,
                    lacking=len(self._lacking),
                    files=self._home_files(),
                ),
                objects,
            )
            copy.unlink()
        kept, given_up = self._retire([*before, snapshot])
        removed = self._sweep(kept)
        return TakenBackup(
            snapshot, self._copied, self._written, self._new_pieces, given_up, removed, tuple(self._lacking)
        )

    def _copy_objects(self, vault: int, objects: ObjectList, before: Sequence[ObjectList]) -> None:
        done = 0
        with (
            Incoming(vault, ("incoming",), self._disk) as incoming,
            closing(LocalBackend(self._folder.vault)) as backend,
        ):
            copying = ObjectCopying(self._home.vault, incoming, each=self._each)
            for first in range(_FIRST_BYTES):
                here = ids_beginning_with(vault, first)
                vouched = _Vouched(before, first)
                for object_id, size in objects.beginning_with(first):
                    done += 1
                    self._progress(done, len(objects))
                    if object_id in here:
                        if object_id in vouched or copying.is_whole(self._folder.vault, object_id, size):
                            continue
                        backend.remove(object_id)
                    try:
                        copying.copy(object_id, size)
                        self._copied += 1
                    except DAMAGED as fault:
                        self._lacking.append((object_id, str(fault.values["problem"])))
            incoming.sync()
        self._written += copying.bytes

    def _copy_pieces(self, root: int, copy: Path) -> list[str]:
        digests: list[str] = []
        with copy.open("rb", buffering=0) as database, Incoming(root, (VAULT, "incoming"), self._disk) as incoming:
            here: set[str] = set()
            while data := database.read(PIECE_BYTES):
                digest = hashlib.sha256(data).hexdigest()
                digests.append(digest)
                if digest not in here and not self._folder.has_piece(digest):
                    with incoming.writing(digest, (DATABASE, digest[:2]), digest) as file:
                        incoming.write(file, data)
                    incoming.settle()
                    self._each(len(data))
                    self._new_pieces += 1
                    self._written += len(data)
                here.add(digest)
            incoming.sync()
        return digests

    def _home_files(self) -> dict[str, bytes]:
        """Read the small files without which this would be another server, or could not be opened."""
        found: dict[str, bytes] = {}
        for path in (self._home.configuration_file, self._home.parameters, self._home.path / POLICY):
            if path.is_file():
                with durable.opened_folder(path.parent) as folder:
                    found[path.name] = durable.read_regular(folder, path.name, _HOME_FILE_MOST_BYTES)
        return found

    def _retire(self, snapshots: Sequence[StoredSnapshot]) -> tuple[list[StoredSnapshot], int]:
        """Give up the oldest backups beyond those that are kept."""
        gone = snapshots[: -self._keep]
        for each in gone:
            self._folder.give_up(each)
        return list(snapshots[-self._keep :]), len(gone)

    def _sweep(self, kept: Sequence[StoredSnapshot]) -> int:
        """Remove what no backup needs; return how many objects that were."""
        folder = self._folder
        folder.sweep_pieces(kept)
        lists = [folder.objects_of(each) for each in kept]
        removed = 0
        with durable.opened_folder(folder.vault) as vault, closing(LocalBackend(folder.vault)) as backend:
            for first in range(_FIRST_BYTES):
                unneeded = ids_beginning_with(vault, first)
                for each in reversed(lists):
                    if unneeded:
                        unneeded -= each.ids_beginning_with(first)
                for object_id in sorted(unneeded):
                    backend.remove(object_id)
                    removed += 1
        return removed


class _Vouched:
    """The objects beginning with a byte that some backup has, the newest asked first: it nearly always knows.

    Args:
        before: the lists of the backups, oldest first.
    """

    def __init__(self, before: Sequence[ObjectList], first: int) -> None:
        self._left = list(before)
        self._first = first
        self._known: set[bytes] = set()

    def __contains__(self, object_id: bytes) -> bool:
        while object_id not in self._known:
            if not self._left:
                return False
            self._known |= self._left.pop().ids_beginning_with(self._first)
        return True
