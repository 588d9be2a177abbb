"""A server's home with as many files and people as asked, written row by row through the server's own MACs.

    big/            half of the files, whose owners are many and very unequal
    many/d00000/…   the rest, 500 a folder: of olga, who so owns half of all
    wide/w00000/…   one file in each of hundreds or thousands of folders, likewise hers
    deep/l01/…      one file in each of thirty folders, each in the one before, likewise
    empty/e00/…     folders that hold nothing
    old/o00000/…    a twentieth more, 500 a folder and hers, deleted with their folders
    (trash)         another twentieth, deleted one by one within twenty days, half of them hers

Rules. Every content is sealed and signed as its author would have: ``vault check`` calls the home clean. It is small and
lies in the database, but for those that a shape has in the vault. What each file is follows from its number and the seed
alone, so that several processes make them; ids and keys of objects are random all the same. Nobody may use the home meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from twisted.internet.task import Clock

from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey, ServerPublic, SigningKey
from sft.crypto.signatures import sign_file
from sft.errors import RequestError
from sft.ledger.slots import SlotVersion
from sft.limits import INLINE_OBJECT_BYTES
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import FileCommitted, FolderMade, UserAdded
from sft.model.names import fold
from sft.operator.bootstrap import OpenedHome, open_home, open_master_keys
from sft.operator.configuration import Configuration
from sft.operator.head_file import HeadFile
from sft.operator.home import Home
from sft.operator.home_log import HomeLog
from sft.server.event_log import EventLog
from sft.service.author_signature import Signed, sidecar_of
from sft.service.log.appending import Appending
from sft.service.trash import Deletion, delete
from sft.service.version_tree import with_version
from sft.store.database import Database, ReadPool, open_database
from sft.store.figures import FigureChanges
from sft.store.row_types import (
    DeviceKeyRow,
    FileRow,
    FolderRow,
    InvitationRow,
    SmallObjectRow,
    UserRoleRow,
    UserRow,
    VersionRow,
)
from sft.store.rows import Transaction
from sft.store.search_blocks import make_block
from sft.store.users import write_users
from sft.vault.backend_local import LocalBackend
from sft.vault.keyring import Keyring
from sft.vault.objects import fits_inline, seal_whole
from sft.vault.vault import Vault
from tests.fakes.signed_acts import signed

DAY: Final = 24 * 3600
PER_FOLDER: Final = 500
BATCH: Final = 5_000
FOLDERS_AT_ONCE: Final = 500  # of one leaf of the log, with the one that they lie in
CACHE_KIB: Final = 512 * 1024  # of the one connection: random ids touch every page of their indexes
MORE_ADMINS: Final = 20
DEPTH: Final = 30
EMPTY_FOLDERS: Final = 60
ROOT, BIG, MANY, WIDE, DEEP, EMPTY, OLD = 1, 2, 3, 4, 5, 6, 7
ADA, OLGA, MAX, GUS = 1, 2, 3, 4
NAMED: Final = {
    ADA: ("ada", Role.ADMIN),
    OLGA: ("olga", Role.MAINTAINER),
    MAX: ("max", Role.MAINTAINER),
    GUS: ("gus", Role.GUEST),
}
FIRST_OWNER: Final = GUS + 1  # of those who own what olga does not; max has deleted nothing


class Place(NamedTuple):
    """Where a file is, whose it is, and when it was deleted."""

    folder_id: int | None
    path: str
    owner: int
    deleted_at: int | None = None


class Made(NamedTuple):
    """The rows of some files."""

    files: list[FileRow]
    versions: list[VersionRow]
    objects: list[SmallObjectRow]


@dataclass(frozen=True)
class Shape:
    """How much there is.

    Args:
        files: live ones; a tenth as many lie in the trash.
        people: at least 30.
        moment: Unix seconds: all of it was stored then, or deleted within twenty days before.
        in_vault: one of so many has a content that is too large for the database; 0: none has.
    """

    files: int = 1_000_000
    people: int = 10_000
    moment: int = 0
    seed: int = 8
    in_vault: int = 0

    @property
    def big(self) -> int:
        return self.files // 2

    @property
    def wide(self) -> int:
        return min(5_000, self.files // 100)

    @property
    def many(self) -> int:
        """Count the files below ``many``."""
        return self.files - self.big - self.wide - DEPTH

    @property
    def trashed(self) -> int:
        return self.files // 10

    @property
    def trashed_alone(self) -> int:
        return self.trashed - self.trashed // 2

    @property
    def trashed_folders(self) -> int:
        return -(-(self.trashed // 2) // PER_FOLDER)

    @property
    def total(self) -> int:
        return self.files + self.trashed

    def folders(self) -> Iterator[FolderRow]:
        """Make the folders, each after the one that it lies in."""
        for number, name in (
            (BIG, "big"),
            (MANY, "many"),
            (WIDE, "wide"),
            (DEEP, "deep"),
            (EMPTY, "empty"),
            (OLD, "old"),
        ):
            yield self._folder(number, ROOT, name)
        for each in range(-(-self.many // PER_FOLDER)):
            yield self._folder(self.first_of_many + each, MANY, f"d{each:05}")
        for each in range(self.wide):
            yield self._folder(self.first_of_wide + each, WIDE, f"w{each:05}")
        for each in range(DEPTH):
            yield self._folder(
                self.first_of_deep + each, self.first_of_deep + each - 1 if each else DEEP, f"l{each:02}"
            )
        for each in range(EMPTY_FOLDERS):
            yield self._folder(self.first_of_deep + DEPTH + each, EMPTY, f"e{each:02}")
        for each in range(self.trashed_folders):
            yield self._folder(self.first_of_old + each, OLD, f"o{each:05}")

    @property
    def first_of_many(self) -> int:
        return OLD + 1

    @property
    def first_of_wide(self) -> int:
        return self.first_of_many + -(-self.many // PER_FOLDER)

    @property
    def first_of_deep(self) -> int:
        return self.first_of_wide + self.wide

    @property
    def folder_count(self) -> int:
        """Count the folders, the root too: each has a slot, and the files have those after them."""
        return self.first_of_old + self.trashed_folders - 1

    def leaf_of(self, number: int) -> int:
        """Tell with which leaf of the log the file with this row was stored: people and folders came before it."""
        return self.people + -(-(self.folder_count - 1) // FOLDERS_AT_ONCE) + number

    @property
    def first_of_old(self) -> int:
        return self.first_of_deep + DEPTH + EMPTY_FOLDERS

    def _folder(self, number: int, parent: int, name: str) -> FolderRow:
        return FolderRow(number, parent, name, fold(name), OLGA, self.moment, number - 1, _salt(number))

    def place(self, number: int) -> Place:
        """Tell where the file with this row, counted from 1, is."""
        at = number - 1
        if at < self.big:
            return Place(BIG, f"big/f{at:07}.txt", self._owner(number))
        at -= self.big
        if at < self.many:
            folder, name = divmod(at, PER_FOLDER)
            return Place(self.first_of_many + folder, f"many/d{folder:05}/f{name:03}.txt", OLGA)
        at -= self.many
        if at < self.wide:
            return Place(self.first_of_wide + at, f"wide/w{at:05}/only.txt", OLGA)
        at -= self.wide
        if at < DEPTH:
            way = "/".join(f"l{each:02}" for each in range(at + 1))
            return Place(self.first_of_deep + at, f"deep/{way}/only.txt", OLGA)
        at -= DEPTH
        if at >= self.trashed_alone:
            folder, name = divmod(at - self.trashed_alone, PER_FOLDER)
            return Place(self.first_of_old + folder, f"old/o{folder:05}/f{name:03}.txt", OLGA)
        owner = OLGA if at % 2 else self._owner(number)
        before = 20 * DAY * (self.trashed_alone - at) // self.trashed_alone
        return Place(None, f"gone/g{at // PER_FOLDER:05}/f{at:07}.txt", owner, self.moment - before)

    def content(self, number: int, path: str) -> bytes:
        """Make what the file with this row holds."""
        small = content(path)
        if self.in_vault and number % self.in_vault == 0:
            return small * (1 + INLINE_OBJECT_BYTES // len(small))
        return small

    def _owner(self, number: int) -> int:
        # The third power: one in a hundred has a fifth of it, and many have nothing.
        chosen = random.Random(f"{self.seed}/{number}").random() ** 3
        return FIRST_OWNER + int(chosen * (self.people - FIRST_OWNER))

    def user(self, number: int) -> UserRow:
        name, role = NAMED.get(number, (f"person_{number}", self._role(number)))
        return UserRow(number, name, fold(name), role.value, "active", self.moment, _salt(number))

    def _role(self, number: int) -> Role:
        if number > self.people - MORE_ADMINS:
            return Role.ADMIN
        return Role.GUEST if number % 3 == 0 else Role.MAINTAINER


@lru_cache(maxsize=16_384)
def key_of(shape: Shape, user_id: int) -> SigningKey:
    """Make the key of a person: always the same one."""
    seed = hashlib.blake2b(f"{shape.seed}/{user_id}".encode(), digest_size=32).digest()
    return SigningKey.from_seed(seed, seed[:8])


def build(folder: Path, shape: Shape, *, processes: int = 0) -> Home:
    """Make a home and fill it.

    Args:
        folder: that the home will lie in; there is none yet.
        processes: that make files; 0 for this one alone.
    """
    home = Home(folder / "home")
    open_here(home).close()
    keyring = open_master_keys(home, "file").open()
    database = open_database(home.database, keyring.row_key, keyring.server_id, home=home.path, readers=1)
    with closing(database), closing(HeadFile(home.log_head)) as head_file:
        _set_cache(database)
        readers = ReadPool(database, lambda: shape.moment)
        log = HomeLog.load(readers, head_file, ServerKey.from_seed(keyring.server_seed), ())
        log.begin()
        writing = partial(_writing, database, shape, log.appending)
        _add_people(writing, shape)
        _add_folders(writing, shape)
        for made in _made(shape, home.vault, keyring, processes):
            _add_files(writing, shape, made)
            database.checkpoint()
        _delete_old(writing, shape, keyring.server_id)
        _make_search_blocks(writing)
    return home


Writing = Callable[[], AbstractContextManager[Transaction]]


@contextmanager
def _writing(database: Database, shape: Shape, appending: Appending) -> Iterator[Transaction]:
    """One transaction with its leaves, as the writer has it."""
    with database.write_connections.transaction() as connection:
        transaction = Transaction(connection, database.row_macs, shape.moment)
        yield transaction
        appending.before_commit(transaction, transaction.events)
    appending.after_commit(transaction.events)


def open_here(home: Home) -> OpenedHome:
    """Open a home, or make it, in this process and without a reactor: acts and queries alone."""
    return open_home(
        home, Configuration(name="scale"), reactor=Clock(), event_log=EventLog(), on_fatal=lambda _error: None
    )


def _set_cache(database: Database) -> None:
    with database.write_connections.lend() as connection:
        connection.cursor().execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _add_folders(writing: Writing, shape: Shape) -> None:
    ordered = shape.folders()
    while batch := list(islice(ordered, FOLDERS_AT_ONCE)):
        with writing() as transaction:
            changes = FigureChanges(transaction)
            changes.make_folders(batch)
            changes.write()
            for row in batch:
                _require(transaction.take_slot() == row.slot)
            transaction.log(FolderMade(by=operator_caller(), path=batch[0].name, folder_ids=tuple(f.id for f in batch)))


def _add_files(writing: Writing, shape: Shape, made: Made) -> None:
    with writing() as transaction:
        transaction.rows.insert(made.files)
        transaction.rows.insert(made.versions)
        transaction.rows.insert(made.objects)
        changes = FigureChanges(transaction)
        for file, version in zip(made.files, made.versions, strict=True):
            changes.put_file(file)
            changes.own(file.owner_id, files=1, size_bytes=version.size)
            user = shape.user(file.owner_id)
            _require(transaction.take_slot() == file.slot)
            leaf = transaction.log(
                FileCommitted(
                    by=Caller(user.id, user.id, user.name, Role(user.role)),
                    file_id=file.file_id,
                    path=version.signed_name,
                    size=version.size,
                    digest=version.digest,
                )
            )
            _require(leaf == version.leaf)
        changes.write()


def _require(is_so: bool) -> None:
    """Rows say where they are in the log before it has them."""
    if not is_so:
        raise RuntimeError("the log is not what the rows say")


def _make_search_blocks(writing: Writing) -> None:
    """Make them as the server does while it runs."""
    leaf: int | None = -1
    while leaf is not None:
        with writing() as transaction:
            leaf = make_block(transaction, leaf)


def _delete_old(writing: Writing, shape: Shape, server_id: bytes) -> None:
    """Delete folders as people do."""
    name, role = NAMED[OLGA]
    caller = Caller(OLGA, OLGA, name, role)
    for each in range(shape.trashed_folders):
        with writing() as transaction:
            asked = Deletion(caller, f"old/o{each:05}", recursive=True)
            (deleted,) = delete(transaction, [signed(asked, key_of(shape, OLGA), server_id)])
        if isinstance(deleted, RequestError):
            raise deleted


def _add_people(writing: Writing, shape: Shape) -> None:
    """Add everybody with one key each, and an invitation of ada's for every tenth that has ended."""
    numbers = range(1, shape.people + 1)
    made_at = shape.moment - DAY
    with writing() as transaction:
        rows = transaction.rows
        users = [shape.user(number) for number in numbers]
        write_users(transaction, users, new=True)
        rows.insert([UserRoleRow(user.id, 1, user.role, user.id) for user in users])
        keys = [(number, key_of(shape, number).public.encode()) for number in numbers]
        rows.insert([DeviceKeyRow(n, n, key, "laptop", shape.moment, None, n) for n, key in keys])
        for user, (_, key) in zip(users, keys, strict=True):
            leaf = transaction.log(
                UserAdded(
                    by=operator_caller(),
                    user_id=user.id,
                    name=user.name,
                    role=Role(user.role),
                    key_id=user.id,
                    public_key=key,
                    device="laptop",
                )
            )
            _require(leaf == user.id)
        spans = [(n, hashlib.sha256(b"%d" % n).digest()) for n in range(1, shape.people // 10 + 1)]
        rows.insert(
            [InvitationRow(n, key, "guest", None, ADA, made_at, made_at + 3600, *[None] * 3) for n, key in spans]
        )


def _made(shape: Shape, vault: Path, keyring: Keyring, processes: int) -> Iterator[Made]:
    starts = range(1, shape.total + 1, BATCH)
    make = partial(make_files, shape, vault, keyring)
    if not processes:
        yield from map(make, starts)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        # A few ahead: what is made and not written lies in memory.
        waiting = []
        for start in starts:
            waiting.append(pool.submit(make, start))
            if len(waiting) > 2 * processes:
                yield waiting.pop(0).result()
        for each in waiting:
            yield each.result()


def make_files(shape: Shape, root: Path, keyring: Keyring, start: int) -> Made:
    """Make the rows of a batch of files, from this one on, and what of them lies in the vault below this folder."""
    made = Made([], [], [])
    with closing(LocalBackend(root)) as backend:
        vault = Vault(backend, keyring)
        for number in range(start, min(start + BATCH, shape.total + 1)):
            file, version, small = _file(shape, vault, number)
            made.files.append(file)
            made.versions.append(version)
            if small is not None:
                made.objects.append(small)
    return made


def _file(shape: Shape, vault: Vault, number: int) -> tuple[FileRow, VersionRow, SmallObjectRow | None]:
    place = shape.place(number)
    name = place.path.rpartition("/")[2]
    file_id, object_id = os.urandom(16), os.urandom(16)
    keyring, data = vault.keyring, shape.content(number, place.path)
    digest = blake2b_512(data).digest()
    comment = FileComment(
        server_id=keyring.server_id, file_id=file_id, version=1, size=len(data), digest=digest,
        mtime=shape.moment, name=place.path, user=place.owner, prev=None, ts=shape.moment,
    )  # fmt: skip
    signature = sign_file(key_of(shape, place.owner), comment).encode()
    inline = fits_inline(len(data))
    if inline:
        key, sealed = seal_whole(keyring, object_id, data)
    else:
        public = key_of(shape, place.owner).public.encode()
        beside = Signed(file_id, 1, len(data), digest, shape.moment, place.path, place.owner, None, signature)
        writer = vault.begin(object_id, len(data))
        writer.append(writer.seal([data], last=True))
        writer.finish(sidecar_of(beside, shape.user(place.owner).name, public))
        key, sealed = writer.key, b""
    leaf = shape.leaf_of(number)
    gone = place.deleted_at is not None
    file = FileRow(
        number, file_id, place.folder_id, name, fold(name), place.owner, 1, "trashed" if gone else "live",
        shape.moment, shape.folder_count + number - 1, _salt(number),
        with_version(b"", SlotVersion(1, leaf, digest, len(data))).peaks,
        place.deleted_at, place.owner if gone else None, place.path if gone else None,
        fold(place.path) if gone else None,
    )  # fmt: skip
    version = VersionRow(
        number, 1, place.owner, place.owner, len(data), digest, shape.moment, shape.moment, leaf, place.path, signature,
        object_id, int(inline), key.epoch, key.sealed,
    )  # fmt: skip
    return file, version, SmallObjectRow(object_id, sealed) if inline else None


def _salt(number: int) -> bytes:
    return number.to_bytes(16, "big")


def content(path: str) -> bytes:
    """Make what a file holds: some 200 bytes that say where it was stored."""
    line = f"{path}\n".encode()
    return (line * (1 + 200 // len(line)))[:200]


def server_key(home: Home) -> ServerPublic:
    return ServerPublic(home.server_key())
