"""The folder that a server's backups lie in, and what of it each of them needs (FORMAT.md §13).

    DIR/sft-backup               whose backups these are
    DIR/snapshots/TIME.json      a backup: its manifest; and TIME.objects, the objects that it needs
    DIR/database/ab/<sha256>     pieces of the tables that say where the pages of a database lie
    DIR/packs/NUMBER             pages of databases, of one run each
    DIR/vault/objects/…          objects, as in the server's vault
    DIR/vault/incoming, DIR/unfinished    what a run was writing that was cut

Rules. A backup is there from when its manifest has its name, and until that goes: first of all, where it is given up. What no
manifest needs is removed after that, so no cut leaves a manifest that lacks anything. Whoever writes here has the folder
to himself; who restores keeps writers out.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from sft import durable
from sft.errors import BackupError
from sft.model.text import utc_time
from sft.operator.backups.manifest import MANIFEST_MOST_BYTES, Manifest, ObjectList
from sft.operator.home import remedy_of
from sft.vault.disk import RealDisk
from sft.vault.object_directory import make_object_directory

MARK: Final = "sft-backup"
SNAPSHOTS: Final = "snapshots"
DATABASE: Final = "database"
PACKS: Final = "packs"
VAULT: Final = "vault"
UNFINISHED: Final = "unfinished"

LOOK_AT_DISK: Final = "Look at its disk, then again: it goes on where it was"

_MANIFEST: Final = ".json"
_OBJECTS: Final = ".objects"
_MARK_MOST_BYTES: Final = 4096
_LIST_MOST_BYTES: Final = 1 << 34
_PACK: Final = re.compile("[0-9]{10}")
_FAN: Final = re.compile("[0-9a-f]{2}")
_PIECE: Final = re.compile("[0-9a-f]{64}")
_OURS: Final = frozenset({MARK, SNAPSHOTS, DATABASE, PACKS, VAULT, UNFINISHED})


class StoredSnapshot(NamedTuple):
    """A backup that is whole, by its name."""

    name: str
    manifest: Manifest


class BackupFolder:
    """A folder of backups; blocks.

    Args:
        path: where it is. Nothing is looked at before it is asked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.vault = path / VAULT
        self.unfinished = path / UNFINISHED

    @contextmanager
    def writing(self, server_id: bytes) -> Iterator[None]:
        """Have the folder to oneself within the block, of one server's backups; it is made, or put in order.

        Raises:
            BackupError: it is another server's, something else, or in use; or the disk refuses.
        """
        if self.path.is_symlink():
            self.refuse("it is a symbolic link", f"Name the folder that it leads to: {self.path.resolve()}")
        with self.acting("cannot be made", "Name another folder, or make it yours"):
            if self.path.exists():
                self._require_of(server_id)  # before anything is changed: somebody else's stays open to whom it was
            durable.make_private_folder(self.path)
        with self._locked(alone=True):
            with self.acting("cannot be put in order", "Look at its disk and at whose it is, then again"):
                if not self._require_of(server_id):
                    with durable.opened_folder(self.path) as folder:
                        durable.replace_file(folder, MARK, b"sft backup 1\n" + server_id.hex().encode() + b"\n")
                for name in (SNAPSHOTS, DATABASE, PACKS, UNFINISHED):
                    durable.make_private_folder(self.path / name)
                make_object_directory(self.vault, RealDisk())
                self._clear()
            yield

    def reading(self) -> AbstractContextManager[None]:
        """Keep writers out within the block, where the medium can be locked; BackupError where it is none, or is written."""
        if not (self.path / MARK).is_file():
            self.refuse("it holds no backups of sft", "Name the folder that a backup was taken into")
        return self._locked(alone=False)

    @contextmanager
    def _locked(self, *, alone: bool) -> Iterator[None]:
        with durable.locked_folder(self.path, alone=alone) as taken:
            if not taken:
                self.refuse("another backup or restore is at it", "Wait until that has ended, then again")
            yield

    def _require_of(self, server_id: bytes) -> bool:
        """Refuse a folder of something else, or of another server; return whether it is marked as this one's."""
        with durable.opened_folder(self.path) as folder:
            try:
                found = durable.read_regular(folder, MARK, _MARK_MOST_BYTES)
            except FileNotFoundError:
                if strange := sorted(set(os.listdir(folder)) - _OURS - {"lost+found"}):
                    self.refuse(f"it holds {strange[0]}, which is no backup", "Name an empty folder, or one of backups")
                return False
        if found.split()[3:] != [server_id.hex().encode()]:
            self.refuse("it holds the backups of another server", "Name a folder of its own for each server")
        return True

    def _clear(self) -> None:
        """Remove what a run that was cut has left, but for objects and pieces that are whole: the next run takes them."""
        for incoming in (self.unfinished, self.vault / "incoming"):
            for left in incoming.iterdir():
                left.unlink()
        folder = self.path / SNAPSHOTS
        for left in folder.iterdir():
            if left.suffix != _MANIFEST and not left.with_suffix(_MANIFEST).exists():
                left.unlink()

    # -- backups -----------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Name the backups, oldest first."""
        with self.acting("cannot be read", "Run this as the user that owns it"):
            folder = self.path / SNAPSHOTS
            return sorted(each.stem for each in folder.iterdir() if each.suffix == _MANIFEST)

    def snapshots(self) -> list[StoredSnapshot]:
        """Read every manifest; BackupError for one that is damaged."""
        return [self.snapshot(name) for name in self.names()]

    def snapshot(self, name: str) -> StoredSnapshot:
        """Read one manifest; BackupError where there is none of that name, or it is damaged."""
        path = self.path / SNAPSHOTS / f"{name}{_MANIFEST}"
        if name not in self.names():
            self.refuse(f"it has no snapshot {name}", "See which it has: sftd restore DIR --list")
        remedy = f"Restore another one, or remove {path}"
        try:
            with self.acting(f"has a snapshot {name} that cannot be read", remedy):
                data = self._read_file(SNAPSHOTS, path.name, at_most=MANIFEST_MOST_BYTES)
            return StoredSnapshot(name, Manifest.decode(data))
        except ValueError as error:
            self.refuse(f"its snapshot {name} {error}", remedy)

    def objects_of(self, snapshot: StoredSnapshot) -> ObjectList:
        """Read the list of the objects that a backup needs; BackupError where it is damaged."""
        try:
            found = ObjectList(self._read(SNAPSHOTS, f"{snapshot.name}{_OBJECTS}", at_most=_LIST_MOST_BYTES))
        except ValueError:
            found = ObjectList(b"")
        if found.digest != snapshot.manifest.object_list:
            self.refuse(f"the list of objects of its snapshot {snapshot.name} is damaged", "Restore another one")
        return found

    def publish(self, manifest: Manifest, objects: ObjectList) -> StoredSnapshot:
        """Give a backup its name, once all that it needs is on the disk."""
        begun = utc_time(manifest.taken_at).replace(":", "-")
        name, number, taken = begun, 1, self.names()
        while name in taken:
            number += 1
            name = f"{begun}-{number}"
        with self.acting("cannot be written", LOOK_AT_DISK), durable.opened_folder(self.path, SNAPSHOTS) as folder:
            durable.replace_file(folder, f"{name}{_OBJECTS}", objects.records)
            durable.replace_file(folder, f"{name}{_MANIFEST}", manifest.encode())
        return StoredSnapshot(name, manifest)

    def give_up(self, snapshot: StoredSnapshot) -> None:
        """Take a backup's name; what it alone needs is for who sweeps."""
        with (
            self.acting("cannot be put in order", "Look at its disk, then again"),
            durable.opened_folder(self.path, SNAPSHOTS) as folder,
        ):
            durable.remove_file(folder, f"{snapshot.name}{_MANIFEST}")
            durable.remove_file(folder, f"{snapshot.name}{_OBJECTS}")

    # -- databases -----------------------------------------------------------------------------------

    def has_piece(self, digest: str) -> bool:
        return (self.path / DATABASE / digest[:2] / digest).is_file()

    def piece(self, digest: str, *, at_most: int) -> bytes:
        """Read a piece; BackupError where it is gone or damaged."""
        try:
            data = self._read(DATABASE, digest[:2], digest, at_most=at_most)
        except BackupError:
            data = b""
        if hashlib.sha256(data).hexdigest() != digest:
            self.refuse(f"a piece of its database is damaged: {digest}", "Restore another one: sftd restore DIR --list")
        return data

    def pack_sizes(self) -> dict[int, int]:
        """Return the packs that are there, by number, and how many bytes each has."""
        with self.acting("cannot be read", "Run this as the user that owns it"), os.scandir(self.path / PACKS) as found:
            return {
                int(each.name): each.stat(follow_symlinks=False).st_size
                for each in found
                if _PACK.fullmatch(each.name) and each.is_file(follow_symlinks=False)
            }

    def open_pack(self, number: int) -> int:
        """Open a pack for reading; BackupError where it is gone."""
        with (
            self.acting("cannot be read", "Run this as the user that owns it"),
            durable.opened_folder(self.path, PACKS) as folder,
        ):
            return durable.open_regular(folder, pack_name(number))

    def sweep_packs(self, snapshots: Sequence[StoredSnapshot]) -> None:
        """Remove the packs that none of these backups needs."""
        needed = {number for each in snapshots for number in each.manifest.packs}
        for number in sorted(self.pack_sizes().keys() - needed):
            with self.acting("cannot be put in order", "Look at its disk, then again"):
                (self.path / PACKS / pack_name(number)).unlink()

    def sweep_pieces(self, snapshots: Sequence[StoredSnapshot]) -> None:
        """Remove the pieces that none of these backups needs; what has no name of one stays, and no link is gone through."""
        needed = {digest for each in snapshots for digest in each.manifest.pieces}
        with self.acting("cannot be put in order", "Look at its disk, then again"):
            with os.scandir(self.path / DATABASE) as found:
                fans = [each.name for each in found if _FAN.fullmatch(each.name) and each.is_dir(follow_symlinks=False)]
            for fan in fans:
                with durable.opened_folder(self.path, DATABASE, fan) as folder:
                    for piece in os.listdir(folder):
                        if _PIECE.fullmatch(piece) and piece not in needed:
                            os.unlink(piece, dir_fd=folder)

    # -- the rest ------------------------------------------------------------------------------------

    def _read(self, *names: str, at_most: int) -> bytes:
        with self.acting("cannot be read", "Run this as the user that owns it"):
            return self._read_file(*names, at_most=at_most)

    def _read_file(self, *names: str, at_most: int) -> bytes:
        *below, name = names
        with durable.opened_folder(self.path, *below) as folder:
            return durable.read_regular(folder, name, at_most)

    @contextmanager
    def acting(self, problem: str, remedy: str) -> Iterator[None]:
        """Turn the system's faults into ours."""
        try:
            yield
        except OSError as error:
            self.refuse(f"it {problem} ({error.strerror})", remedy_of(error, remedy))

    def refuse(self, problem: str, remedy: str) -> NoReturn:
        raise BackupError(folder=str(self.path), problem=problem, remedy=remedy)


def pack_name(number: int) -> str:
    return f"{number:010}"
