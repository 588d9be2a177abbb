"""The database of a home: making it, opening it, and looking after its write-ahead log.

Rules. SQLite up to 3.51.2 can lose a checkpoint when two connections write and checkpoint: so there
is one writing connection, and ``checkpoint`` belongs to the thread that writes. A database of
another version than the program's is not opened.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from sft.durable import create_new, opened_folder, rename_no_replace, sync_folder
from sft.errors import SchemaOutdatedError, StoreError
from sft.limits import MIB
from sft.model.policy import ServerPolicy
from sft.store import row_sum
from sft.store.connections import BUSY_MILLISECONDS, Connections, faults_as_ours
from sft.store.revision import current_revision, needed_revision, require_no_later
from sft.store.rows import ReadTransaction, Rows
from sft.store.table_specs import RowMacs

P = ParamSpec("P")
Out = TypeVar("Out")

READERS: Final = 4  # two threads that query, one for logins and the operator, and maintenance's own
CHECKPOINT_BYTES: Final = 4 * MIB  # SQLite's own default, in bytes
FULL_CHECKPOINT_BYTES: Final = 64 * MIB  # readers kept the log from starting over: cut it as soon as none does


class Database:
    """An open database, for one Writer and one ReadPool.

    Attributes:
        policy: what transactions that begin from now on carry; any thread may replace it.
    """

    def __init__(self, path: Path, row_key: bytes, older: bytes | None, server_id: bytes, *, readers: int) -> None:
        self.path = path
        self.policy = ServerPolicy()
        self._row_key = row_key
        self._server_id = server_id
        self.row_macs = RowMacs(row_key, server_id, older)
        self.write_connections = Connections(path, writing=True, most=1)
        # And one for a tile of the log, which a proof may need within a reading transaction (one at a time: ``Ledger``).
        self.read_connections = Connections(path, writing=False, most=readers + 1)

    def renew_row_key(self, row_key: bytes) -> None:
        """Make MACs under another key from now on; those under the one before are good as well."""
        if row_key != self._row_key:
            self._row_key = row_key
            self.row_macs.renew(row_key)

    def retire_row_key(self) -> None:
        """Take no MAC of the key before any more, in transactions that begin from now on."""
        self.row_macs = RowMacs(self._row_key, self._server_id)

    def wal_bytes(self) -> int:
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the database, if it has grown; for the writer's thread alone."""
        wal_bytes = self.wal_bytes()
        if wal_bytes >= CHECKPOINT_BYTES:
            # Never waiting for a reader: somebody's look into the file would stop every writing for seconds, again and again.
            self._checkpoint("TRUNCATE" if wal_bytes >= FULL_CHECKPOINT_BYTES else "PASSIVE", wait_milliseconds=0)

    def close(self) -> None:
        """Close every connection, the writer's last, and leave no write-ahead log behind."""
        self.read_connections.close()
        # Where the disk does not take it the log stays, and the next start reads it.
        with suppress(sqlite3.Error):
            self._checkpoint("TRUNCATE")
        self.write_connections.close()

    def _checkpoint(self, mode: str, *, wait_milliseconds: int = BUSY_MILLISECONDS) -> None:
        with self.write_connections.lend() as connection:
            (before,) = connection.execute("PRAGMA busy_timeout").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {min(before, wait_milliseconds)}")
            try:
                connection.execute(f"PRAGMA wal_checkpoint({mode})")
            finally:
                connection.execute(f"PRAGMA busy_timeout = {before}")


def create_database(path: Path) -> None:
    """Make the database of a new home, closed to others, with every table and no row.

    It gets its name when it is whole.

    Raises:
        StoreError: there is one already, or the disk refuses.
    """
    from sft.store import migration  # a first start alone needs it

    begun = path.with_name(f"{path.name}.new")
    try:
        with opened_folder(path.parent) as folder_fd:
            for leftover in ("", "-wal", "-shm"):
                begun.with_name(begun.name + leftover).unlink(missing_ok=True)
            os.close(create_new(folder_fd, begun.name))
            with faults_as_ours():
                _keep_log(begun)
            migration.upgrade(begun)
            rename_no_replace(folder_fd, begun.name, folder_fd, path.name)
            sync_folder(folder_fd)
    except OSError as error:
        raise StoreError(str(error), problem="it cannot be made") from error


def _keep_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        # Before the log and the first table, or it is ignored without a word: what was deleted makes room again.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")


def open_database(
    path: Path,
    row_key: bytes,
    server_id: bytes,
    *,
    older_row_key: bytes | None = None,
    home: Path | None = None,
    readers: int = READERS,
) -> Database:
    """Open the database of a home.

    Args:
        path: of a file that is there.
        row_key: 32 bytes of the keyring.
        server_id: of the server's first key, 32 bytes.
        older_row_key: the one before, where a change of it is unfinished.
        home: what ``--home`` was, for the words of a refusal.
        readers: how many threads will read at once.

    Raises:
        SchemaOutdatedError, SchemaLaterError: its tables are not those of this program.
        StoreError: it cannot be read, or holds code that sft did not put there.
    """
    found, needed = current_revision(path), needed_revision()
    require_no_later(found)
    if found != needed:
        raise SchemaOutdatedError(found=found or "none", needed=needed, home=str(home or path.parent))
    database = Database(path, row_key, older_row_key, server_id, readers=readers)
    try:
        with faults_as_ours(), database.write_connections.transaction() as connection:
            _refuse_code(connection)
            row_sum.require_kept(connection, database.row_macs)
    except BaseException:
        database.write_connections.close()
        raise
    return database


def _refuse_code(connection: sqlite3.Connection) -> None:
    # A trigger or view would act with the writer's hands; sft has none.
    found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')").fetchone()
    if found is not None:
        raise StoreError(problem=f"it holds {found[0]}, which sft did not make")


class ReadPool:
    """The reading transactions of the threads that query: each sees one moment of the database, none can write.

    One transaction per query, none across pages: an open one keeps the write-ahead log from starting over.

    Args:
        database: opened for at least as many readers as threads will call.
        clock: Unix seconds, what queries take for now.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    @property
    def policy(self) -> ServerPolicy:
        """What transactions that begin now carry."""
        return self._database.policy

    @policy.setter
    def policy(self, policy: ServerPolicy) -> None:
        self._database.policy = policy

    @contextmanager
    def reading(self) -> Iterator[ReadTransaction]:
        """Begin a transaction that ends with the block; StoreError if the database cannot be read, also within."""
        with faults_as_ours(), self._database.read_connections.transaction() as connection:
            yield ReadTransaction(Rows(connection, self._database.row_macs), self._clock(), self._database.policy)

    def run(self, query: Callable[Concatenate[ReadTransaction, P], Out], *args: P.args, **kwargs: P.kwargs) -> Out:
        """Answer one query, on this thread."""
        with self.reading() as reading:
            return query(reading, *args, **kwargs)
