"""Taking a backup of a home, whether or not something serves it: what is read when, and what is written when.

    keyring, last head → the database's pages of one moment, and the objects that it names → what of both the folder lacks
    → all of it on the disk → manifest → older backups than are kept, and what they alone needed

Rules. The caller has the vault's copy lock throughout: keys stay as they are, and no object that the database names is
destroyed. The head is read before the database, so it is never ahead of it. Of every object that the folder has each run looks
whether its files are there, in the length that its content gives them: what is not is copied again. What an earlier run has
copied and no backup needs yet is taken where every file of it is as long as here: it had no name before it was on the disk.
Pages are of another moment then, and go. One object that cannot be read whole is told and lacking; whatever else fails leaves
no backup, and the objects for the next run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

from msgspec import Struct

from sft import __version__, durable
from sft.errors import BackupError
from sft.operator.backups.folder import DATABASE, LOOK_AT_DISK, UNFINISHED, BackupFolder, StoredSnapshot
from sft.operator.backups.home_files import HomeFiles
from sft.operator.backups.incoming import Incoming
from sft.operator.backups.manifest import Manifest, ObjectList
from sft.operator.backups.objects import DAMAGED, FoundObjects, ObjectCopying, objects_beginning_with
from sft.operator.backups.pages import PIECE_MOST_BYTES, CopiedPages, PageCopying
from sft.operator.head_file import read_head
from sft.operator.home import Home
from sft.store.database_pages import DatabasePages, pages_of
from sft.vault.backend_local import LocalBackend
from sft.vault.disk import Disk
from sft.vault.keyring import sealed_epoch
from sft.vault.keyring_file import load_keyring

_FIRST_BYTES: Final = 256
NO_SIDECAR: Final = "its sidecar is missing or cut, at the server as well: it was copied without"
_OLDER: Final = "is not whole in the folder, and the server has it no more: older backups lack it"


class TakenBackup(Struct, frozen=True):
    """A backup that was taken.

    Attributes:
        copied: objects that the folder did not have.
        written_bytes: of objects, pages of the database and the table of these.
        given_up: how many older backups went.
        removed: objects that only these needed.
        copied_again: of these, contents that the folder had and has not kept whole.
        lacking: what could not be copied whole: object, and why.
        faults: likewise of what is not lacking: no sidecar (``NO_SIDECAR``), or of older backups alone.
    """

    snapshot: StoredSnapshot
    copied: int
    written_bytes: int
    given_up: int
    removed: int
    copied_again: int
    lacking: tuple[tuple[bytes, str], ...]
    faults: tuple[tuple[bytes, str], ...]


class Taking:
    """One run, within ``BackupFolder.writing`` and under the copy lock.

    Args:
        server: what it is called.
        files: small files of the home, as ``sft.operator.backups.home_files`` had the server vouch for them.
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
        files: HomeFiles,
        keep: int,
        each: Callable[[int], None] = lambda _: None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
        disk: Disk | None = None,
    ) -> None:
        self._home = home
        self._folder = folder
        self._server = server
        self._server_id = server_id
        self._files = files
        self._keep = keep
        self._each = each
        self._progress = progress
        self._disk = disk
        self._copied = 0
        self._written = 0
        self._copied_again = 0
        self._lacked = False  # any older backup something
        self._lacking: list[tuple[bytes, str]] = []
        self._faults: list[tuple[bytes, str]] = []

    def run(self, now: int) -> TakenBackup:
        """Take the backup; BackupError, StoreError or VaultError where there is none."""
        folder = self._folder
        keyring = load_keyring(self._home.keyring)
        head = read_head(self._home.log_head)
        before = folder.snapshots()
        lists = [folder.objects_of(each) for each in before]
        self._lacked = any(each.manifest.lacking for each in before)
        kept = lists[max(0, len(lists) - self._keep + 1) :]
        with folder.acting("cannot be written", LOOK_AT_DISK):
            folder.sweep_packs(before)  # of a run that was cut
            with pages_of(self._home.database) as pages:
                schema, page_bytes, count = pages.revision(), pages.page_bytes, pages.count
                copied = self._copy_pages(pages, before)
                objects = ObjectList.of(pages.objects())
            pieces = self._write_table(copied)
            with durable.opened_folder(folder.vault) as vault:
                unneeded = self._copy_objects(vault, objects, lists, kept)
            self._each(0)  # a last look whether it is to end
            snapshot = folder.publish(
                Manifest(
                    program=__version__,
                    taken_at=now,
                    server=self._server,
                    server_id=self._server_id,
                    epoch=sealed_epoch(keyring),
                    head=head,
                    keyring=keyring,
                    schema=schema,
                    database_bytes=count * page_bytes,
                    page_bytes=page_bytes,
                    pieces=tuple(pieces),
                    packs=copied.packs,
                    new_pages=copied.new,
                    objects=len(objects),
                    object_bytes=objects.size_bytes(),
                    object_list=objects.digest,
                    lacking=len(self._lacking),
                    files=self._files.files,
                    files_mac=self._files.mac,
                ),
                objects,
            )
        kept_snapshots, given_up = self._retire([*before, snapshot])
        removed = self._sweep(kept_snapshots, unneeded)
        return TakenBackup(
            snapshot=snapshot,
            copied=self._copied,
            written_bytes=self._written,
            given_up=given_up,
            removed=removed,
            copied_again=self._copied_again,
            lacking=tuple(self._lacking),
            faults=tuple(self._faults),
        )

    def _copy_pages(self, pages: DatabasePages, before: Sequence[StoredSnapshot]) -> CopiedPages:
        with self._incoming() as incoming:
            copying = PageCopying(incoming, self._folder.pack_sizes(), self._table_of(before), each=self._each)
            copied = copying.copy(pages)
            incoming.settle(all_of_it=True)
        self._written += copying.bytes
        return copied

    def _table_of(self, before: Sequence[StoredSnapshot]) -> tuple[Manifest, bytes] | None:
        """Read the newest backup's table of pages; where it is damaged all pages are written anew."""
        if not before:
            return None
        manifest, folder = before[-1].manifest, self._folder
        try:
            return manifest, b"".join([folder.piece(each, at_most=PIECE_MOST_BYTES) for each in manifest.pieces])
        except BackupError:
            return None

    def _write_table(self, copied: CopiedPages) -> list[str]:
        digests: list[str] = []
        with self._incoming() as incoming:
            for data in copied.pieces():
                digest = hashlib.sha256(data).hexdigest()
                if digest not in digests and not self._folder.has_piece(digest):
                    with incoming.writing(digest, (DATABASE, digest[:2]), digest) as file:
                        incoming.write(file, data)
                    incoming.settle()
                    self._written += len(data)
                digests.append(digest)
            incoming.sync()
        return digests

    @contextmanager
    def _incoming(self) -> Iterator[Incoming]:
        with durable.opened_folder(self._folder.path) as root, Incoming(root, (UNFINISHED,), self._disk) as incoming:
            yield incoming

    def _copy_objects(
        self, vault: int, objects: ObjectList, before: Sequence[ObjectList], kept: Sequence[ObjectList]
    ) -> list[bytes]:
        """Copy what the folder lacks; return what it has and no backup will need.

        Args:
            before: the lists of the backups, oldest first.
            kept: of those that stay.
        """
        done, unneeded = 0, list[bytes]()
        with (
            Incoming(vault, ("incoming",), self._disk) as incoming,
            closing(LocalBackend(self._folder.vault)) as backend,
        ):
            copying = ObjectCopying(self._home.vault, incoming, each=self._each)
            for first in range(_FIRST_BYTES):
                here, wanted = objects_beginning_with(vault, first), objects.beginning_with(first)
                vouched = before[-1].beginning_with(first) if before else dict[bytes, int]()
                unsure = [
                    object_id
                    for object_id, size in wanted.items()
                    if object_id not in vouched or not (here.fits(object_id, size) and here.has_sidecar(object_id))
                ]
                done += len(wanted) - len(unsure)
                for object_id in unsure:
                    done += 1
                    self._progress(done, len(objects))
                    size = wanted[object_id]
                    self._copy_object(copying, backend, here, object_id, size, before)
                for object_id in sorted(here.ids - wanted.keys()):
                    sizes = [known for one in kept if (known := one.get(object_id)) is not None]
                    if not sizes:
                        unneeded.append(object_id)
                    elif not here.fits(object_id, sizes[0]):
                        self._faults.append((object_id, _OLDER))
                self._each(0)
            incoming.sync()
        self._written += copying.bytes
        return unneeded

    def _copy_object(
        self,
        copying: ObjectCopying,
        backend: LocalBackend,
        here: FoundObjects,
        object_id: bytes,
        size: int,
        before: Sequence[ObjectList],
    ) -> None:
        """Copy an object, unless the folder has it as it is at the server."""
        vouched = any(each.get(object_id) is not None for each in before)
        fits, has_sidecar = here.fits(object_id, size), here.has_sidecar(object_id)
        try:
            alike = object_id in here.ids and copying.is_whole(self._folder.vault, object_id, size)
            if fits and has_sidecar and (alike or vouched):
                return
            if fits and not has_sidecar:
                # The content stays: where a sector of the server's is lost it may be the last one.
                copied = has_sidecar = copying.copy_sidecar(object_id)
            else:
                copying.require(object_id, size)  # before what lies here goes: it may be all that there is
                if object_id in here.ids:
                    backend.remove(object_id)
                copied, has_sidecar = True, copying.copy(object_id, size)
        except DAMAGED as fault:
            self._lacking.append((object_id, str(fault.values["problem"])))
            return
        self._copied += copied
        # Lacking before is not lost since.
        self._copied_again += copied and vouched and not fits and (object_id in here.ids or not self._lacked)
        if not has_sidecar:
            self._faults.append((object_id, NO_SIDECAR))

    def _retire(self, snapshots: Sequence[StoredSnapshot]) -> tuple[list[StoredSnapshot], int]:
        """Give up the oldest backups beyond those that are kept."""
        gone = snapshots[: -self._keep]
        for each in gone:
            self._folder.give_up(each)
        return list(snapshots[-self._keep :]), len(gone)

    def _sweep(self, kept: Sequence[StoredSnapshot], unneeded: Sequence[bytes]) -> int:
        """Remove what no backup needs; return how many objects that were."""
        folder = self._folder
        folder.sweep_pieces(kept)
        folder.sweep_packs(kept)
        with closing(LocalBackend(folder.vault)) as backend:
            for object_id in unneeded:
                backend.remove(object_id)
        return len(unneeded)
