"""A small services for the tests of services: a real database, a real vault, four people with real keys, a clock that stands.

ada   admin          max, mia   maintainers          gus   guest
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from sft.client.api.trash import trash_seen
from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerKey, SigningKey
from sft.crypto.signatures import FileSignature, sign_file, verify_file
from sft.errors import RequestError, RowForgedError
from sft.limits import CHUNK_BYTES
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import DomainEvent, UserAdded
from sft.model.policy import ServerPolicy
from sft.model.records import File, FileSeen, Stored, TrashSeen
from sft.service import commits, downloads, pending, uploads
from sft.service.files import show_file
from sft.service.folders import MoveInput
from sft.service.login import JoinInput
from sft.service.maintenance.report import JobContext
from sft.service.open_uploads import EndUpload, end_uploads, open_uploads
from sft.service.pending import Pending
from sft.service.settings import NewServer, prepare
from sft.service.storage import FileStorage
from sft.service.trashed import show_trashed
from sft.service.upload import Upload
from sft.service.use_case import USE_CASES
from sft.service.users import enroll
from sft.store.database import Database, ReadPool, create_database, open_database
from sft.store.row_types import DeviceKeyRow, UploadRow, UserRow
from sft.store.rows import Transaction
from sft.store.schema import DeviceKeyModel, UserModel
from sft.store.statements import rows_of
from sft.store.users import key_by_id, write_users
from sft.vault.backend import Backend
from sft.vault.keyring import Keyring
from sft.vault.vault import Vault
from tests.fakes.log_steps import LogSteps
from tests.fakes.signed_acts import key_with, signed

NOW = 1_777_777_777
BEGAN = NOW - 1_000_000
MASTER_KEY = bytes(32)
KEYRING = Keyring.generate(MASTER_KEY, entropy=lambda count: bytes(range(count)))
SERVER_KEY = ServerKey.from_seed(KEYRING.server_seed)
SERVER_ID = SERVER_KEY.public.server_id()
SALT = bytes(16)
TRASH_SECONDS = ServerPolicy().trash_seconds

T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    caller: Caller
    key: SigningKey

    @property
    def public_key(self) -> bytes:
        return self.key.public.encode()

    @property
    def id(self) -> int:
        assert self.caller.user_id is not None
        return self.caller.user_id


def person(number: int, name: str, role: Role) -> Person:
    key = SigningKey.from_seed(bytes([number]) * 32, bytes([number]) * 8)
    return Person(Caller(number, number, name, role), key)


ADA = person(1, "ada", Role.ADMIN)
MAX = person(2, "max", Role.MAINTAINER)
MIA = person(3, "mia", Role.MAINTAINER)
GUS = person(4, "gus", Role.GUEST)
PEOPLE = (ADA, MAX, MIA, GUS)
OPERATOR = operator_caller()


def digest_of(content: bytes) -> bytes:
    return hashlib.blake2b(content).digest()


def chunks_of(content: bytes) -> list[bytes]:
    return [content[start : start + CHUNK_BYTES] for start in range(0, len(content) or 1, CHUNK_BYTES)]


def file_id_of(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def comment_of(who: Person, path: str, content: bytes, **changes: Any) -> FileComment:
    fields: dict[str, Any] = {
        "server_id": SERVER_ID,
        "file_id": file_id_of(path),
        "version": 1,
        "size": len(content),
        "digest": changes["digest"] if "digest" in changes else digest_of(content),
        "mtime": 1_500_000_000,
        "name": path,
        "user": who.id,
        "prev": None,
        "ts": NOW,
    }
    return FileComment(**(fields | changes))


def signature_of(who: Person, path: str, content: bytes, **changes: Any) -> bytes:
    return sign_file(who.key, comment_of(who, path, content, **changes)).encode()


def make_template(folder: Path) -> Path:
    """Make a database with the four people in it, to be copied."""
    path = folder / "template.db"
    create_database(path)
    database = open_database(path, KEYRING.row_key, SERVER_ID)
    log = log_steps(database)
    with log.transaction(BEGAN) as transaction:
        prepare(transaction, [NewServer("acme-files", "localhost:7361", SERVER_KEY.public.point)])
    for p in PEOPLE:
        with log.transaction(BEGAN) as transaction:
            enroll(transaction, p.caller.name, p.caller.role, p.public_key, "laptop")
            transaction.log(
                UserAdded(
                    by=OPERATOR,
                    user_id=p.id,
                    name=p.caller.name,
                    role=p.caller.role,
                    key_id=p.id,
                    public_key=p.public_key,
                    device="laptop",
                )
            )
    database.close()
    return path


def log_steps(database: Database) -> LogSteps:
    return LogSteps(database, "acme-files", SERVER_ID, SERVER_KEY, entropy=bytes)


def _changes(transaction: Transaction) -> int:
    """Count the rows that this connection ever changed, rolled back or not."""
    driver: Any = transaction._connection
    return int(driver.total_changes)


def open_copy(template: Path, folder: Path) -> Database:
    """Open a database that many tests use, one after another: to open one, and to compile its statements, takes longest."""
    path = folder / "sft.db"
    shutil.copyfile(template, path)
    database = open_database(path, KEYRING.row_key, SERVER_ID)
    # What a power cut leaves is for the store's tests: here a sync only costs time.
    with database.write_connections.lend() as connection:
        connection.cursor().execute("PRAGMA synchronous=OFF")
    return database


_SCHEMA = "SELECT name, sql FROM sqlite_schema ORDER BY name"
_MOST_ROWS = 200  # beyond that, copying the file is faster
_left: dict[sqlite3.Connection, object] = {}  # how a copy left the file


def reset(database: Database, template: Path) -> None:
    """Have a database hold what the template holds, whatever was done to it, under the policy of a new server.

    Rows are written over where nobody else wrote into the file: after a copy of it every connection reads its schema, and
    prepares each statement, anew, which is half of what a test of a few acts takes.
    """
    database.policy = ServerPolicy()
    schema, tables = _held_by(template)
    few = sum(map(len, tables.values())) <= _MOST_ROWS
    with database.write_connections.lend() as target:
        if (
            few
            and _left.get(target) == _others_writes(target, database)
            and target.execute(_SCHEMA).fetchall() == schema
        ):
            _write_over(target, tables)
            return
    copy_over(database, template)


def copy_over(database: Database, template: Path) -> None:
    """Have a database's file be the template's."""
    with closing(sqlite3.connect(template)) as source, database.write_connections.lend() as target:
        source.backup(target)
        _left[target] = _others_writes(target, database)


def _others_writes(connection: sqlite3.Connection, database: Database) -> object:
    """Give what is another thing once another connection wrote, or whoever has the file alone."""
    return connection.execute("PRAGMA data_version").fetchone(), database.path.stat().st_mtime_ns


@cache
def _held_by(template: Path) -> tuple[list[Any], dict[str, list[Any]]]:
    with closing(sqlite3.connect(template)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608 -- our own
        return connection.execute(_SCHEMA).fetchall(), rows


def _write_over(target: sqlite3.Connection, tables: dict[str, list[Any]]) -> None:
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("BEGIN IMMEDIATE")
    for name, rows in tables.items():
        if target.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone():  # noqa: S608
            target.execute(f"DELETE FROM {name}")  # noqa: S608
        if rows:
            target.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
    target.execute("COMMIT")
    target.execute("PRAGMA foreign_keys = ON")


class _KilledError(Exception):
    """The process dies here."""


class ServiceFixture:
    """Everything that the services need, and short ways of using them."""

    def __init__(self, folder: Path, database: Database, backend: Backend) -> None:
        self.path = database.path
        self.keyring_path = folder / "keyring"
        self.now = NOW
        self.backend = backend
        self.database = database
        self.vault = Vault(backend, KEYRING)
        self.readers = ReadPool(self.database, lambda: self.now)
        self.events: list[DomainEvent] = []
        self._log: LogSteps | None = None
        self.storage = FileStorage(self.vault, SERVER_KEY, self.log.ledger)

    @property
    def log(self) -> LogSteps:
        if self._log is None:
            self._log = log_steps(self.database)
        return self._log

    def begin_anew(self) -> None:
        """Have a database that belongs to no server yet."""
        for table in ("settings", "folders", "ledger", "log_leaves"):
            self.tamper(f"DELETE FROM {table}")  # noqa: S608 -- our own names
        self._log = None

    # -- transactions ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.database.write_connections.transaction() as connection:
            yield Transaction(connection, self.database.row_macs, self.now, entropy=bytes, policy=self.database.policy)

    @property
    def job_context(self) -> JobContext:
        return JobContext(self.storage, self.reading, self.act)

    def reading(self) -> Any:
        return self.readers.reading()

    def ask(self, query: Callable[..., T], who: Person | Caller, **fields: Any) -> T:
        caller = who.caller if isinstance(who, Person) else who
        with self.readers.reading() as reading:
            return query(reading, caller, **fields)

    def signed(self, item: Any) -> Any:
        """Have whoever asks see a file that is to move, and sign what they ask for, as their client does."""
        if isinstance(item, MoveInput) and item.seen is None and not item.statement:
            item = replace(item, seen=self.seen(item.old))
        public_key = item.public_key if isinstance(item, JoinInput) else self._key_of(item)
        return signed(item, key_with(public_key, SERVER_KEY) if public_key else None, SERVER_ID)

    def seen(self, path: str) -> FileSeen | None:
        """Return a file as it can be seen now; None where there is none."""
        try:
            file = self.ask(show_file, OPERATOR, path=path)
        except (RequestError, RowForgedError):
            return None
        return FileSeen(file.id, file.version.number)

    def seen_in_trash(self, caller: Caller, path: str) -> TrashSeen:
        """Return what whoever decides about a path in the trash has to have seen: nothing where they would be refused."""
        try:
            return trash_seen(self.ask(show_trashed, caller, path=path))
        except (RequestError, RowForgedError):
            return TrashSeen(0)

    def _key_of(self, item: Any) -> bytes:
        key_id = item.caller.key_id if hasattr(item, "asked") else None
        if key_id is None:
            return b""
        with self.readers.reading() as reading:
            row = key_by_id(reading, key_id)
        return b"" if row is None else row.public_key

    def act_each(
        self, act: Callable[[Transaction, Sequence[Any]], Sequence[T | RequestError]], *items: Any, sign: bool = True
    ) -> Sequence[T | RequestError]:
        if sign:
            items = tuple(map(self.signed, items))
        with self.log.transaction(self.now) as transaction:
            before = _changes(transaction)
            outcomes = act(transaction, items)
            refused = any(isinstance(outcome, RequestError) for outcome in outcomes)
            changed = not refused and _changes(transaction) != before
        if act in USE_CASES:
            kinds = {type(event) for event in transaction.events}
            assert kinds <= set(USE_CASES[act].logs or ()), "an event that is not declared"
            assert kinds or not changed, "a change that no event tells of"
        self.events += transaction.events
        return outcomes

    def act(self, act: Callable[[Transaction, Sequence[Any]], Sequence[T | RequestError]], item: Any) -> T:
        (outcome,) = self.act_each(act, item)
        if isinstance(outcome, RequestError):
            raise outcome
        return outcome

    def killed_after(self, acts: int, query: Callable[..., Any], **fields: Any) -> bool:
        """Run a job of the operator's, and die after so many acts; tell whether it came to that."""
        left = acts

        def act(function: Callable[..., Any], item: Any) -> Any:
            nonlocal left
            if not left:
                raise _KilledError
            left -= 1
            return self.act(function, item)

        try:
            self.ask(query, OPERATOR, context=replace(self.job_context, act=act), **fields)()
        except _KilledError:
            return True
        return False

    def tamper(self, statement: str, *values: Any) -> None:
        """Change the database file as somebody would who has only the file."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(statement, values)
            connection.commit()

    # -- files -------------------------------------------------------------------------------------

    def pend(self, who: Person, path: str, content: bytes, **changes: Any) -> Pending:
        prepared = pending.put_small(
            self.storage,
            who.caller,
            who.public_key,
            path=path,
            signature=signature_of(who, path, content, **changes),
            content=content,
        )
        if isinstance(prepared, Pending):
            return prepared
        self.act(open_uploads, prepared.announcement)
        try:
            return prepared.write()
        except RequestError:
            self.act(end_uploads, EndUpload(prepared.object_id))
            raise

    def begin(self, who: Person, path: str, size: int | None, *, version: int = 1, **changes: Any) -> Upload:
        file_id = changes.get("file_id", file_id_of(path))
        return self.ask(
            uploads.begin, who, storage=self.storage, path=path, file_id=file_id, version=version, size=size
        )

    def stream(self, who: Person, path: str, content: bytes, *, known_size: bool = True, **changes: Any) -> Pending:
        upload = self.begin(who, path, len(content) if known_size else None, **changes)
        self.start(upload)
        self.push(upload, content)
        return upload.finish(digest_of(content), signature_of(who, path, content, **changes))

    def start(self, upload: Upload) -> None:
        if upload.announcement is not None:
            self.act(open_uploads, upload.announcement)
        upload.start()

    @staticmethod
    def push(upload: Upload, content: bytes) -> None:
        chunks = chunks_of(content)
        for start in range(0, len(chunks), 3):
            batch = chunks[start : start + 3]
            upload.append(upload.seal(batch, last=start + 3 >= len(chunks)))

    def commit(self, item: Pending) -> Stored:
        try:
            committed = self.act(commits.commit, item)
        except RequestError:
            self.discard(item)
            raise
        if committed.unchanged:
            self.discard(item)
        return pending.acknowledge_one(item, committed)

    def open_uploads(self) -> list[bytes]:
        """Name the objects that are under way, as the database has them."""
        with self.readers.reading() as reading:
            return [row.object_id for row in reading.rows.all(rows_of(UploadRow))]

    def discard(self, item: Pending) -> None:
        pending.discard(item)
        if item.opened:
            self.act(end_uploads, EndUpload(item.object_id))

    def put(self, who: Person, path: str, content: bytes = b"content", **changes: Any) -> Stored:
        return self.commit(self.pend(who, path, content, **changes))

    def replace(self, who: Person, path: str, content: bytes, seen: File) -> Stored:
        return self.put(who, path, content, file_id=seen.id, version=seen.version.number + 1, prev=seen.version.digest)

    def get(self, who: Person, path: str, version: int = 0) -> bytes:
        """Download and check as a client does."""
        download = self.ask(downloads.begin, who, storage=self.storage, path=path, version=version)
        download.start()
        pieces: list[bytes] = []
        while download.chunks_left:
            pieces += download.open(download.read(3))
        download.close()
        content = b"".join(pieces)
        author = next(p for p in PEOPLE if p.id == download.file.version.author_id)
        signature = FileSignature.parse(download.file.version.signature)
        comment = verify_file(author.key.public, digest_of(content), signature)
        assert (comment.file_id, comment.size) == (download.file.id, len(content))
        return content

    # -- people ------------------------------------------------------------------------------------

    def change_user(self, who: Person, **changes: Any) -> None:
        with self.transaction() as transaction:
            row = transaction.rows.one(rows_of(UserRow, UserModel.id == who.id))
            assert row is not None
            write_users(transaction, [replace(row, **changes)])

    def end_key(self, who: Person) -> None:
        with self.transaction() as transaction:
            row = transaction.rows.one(rows_of(DeviceKeyRow, DeviceKeyModel.id == who.caller.key_id))
            assert row is not None
            transaction.rows.update([replace(row, ended_at=self.now)])

    def add_key(self, who: Person, key: SigningKey) -> Person:
        """Give a person a second device."""
        with self.transaction() as transaction:
            number = transaction.rows.next_id(DeviceKeyRow)
            row = DeviceKeyRow(number, who.id, key.public.encode(), "phone", self.now, None, transaction.next_leaf)
            transaction.rows.insert([row])
        return Person(replace(who.caller, key_id=number), key)
