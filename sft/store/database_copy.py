"""A copy of a database as it was at one moment, page by page, while its server writes on; and what a copy names.

Rules. The pages are SQLite's own to read: beside the file lies a log of what is newer, and a copy of the two by other hands
is of two moments. One reading transaction holds the moment. A page of the copy stands where it stood, so two copies differ
where the database changed: what VACUUM would make new each time. Nothing here is verified: who puts a copy back does that.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import select

from sft import durable
from sft.errors import StoreError
from sft.store.connections import BEGIN_READING, connect, faults_as_ours, is_disk_full
from sft.store.schema import VersionModel
from sft.store.table_specs import DIALECT

PAGES_AT_ONCE: Final = 64  # 256 KiB: what is read between two looks at the rate

_OBJECTS: Final = str(
    select(VersionModel.object_id, VersionModel.size)
    .where(VersionModel.inline == 0, VersionModel.destroyed_at.is_(None))
    .order_by(VersionModel.object_id)
    .compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
)


def copy_database(path: Path, to: Path, *, each: Callable[[int], None] = lambda _: None) -> None:
    """Copy a database that may be written meanwhile; the copy is closed to others, and not synced.

    Args:
        to: a name that is free.
        each: told of the bytes of each piece after it was copied; may pause, or raise to end the copying.

    Raises:
        StoreError: the database cannot be read, or the copy not be written.
        OSError: the name is taken, or cannot be made; ENOSPC: there is no room for the copy.
    """
    with durable.opened_folder(to.parent) as folder:
        os.close(durable.create_new(folder, to.name))
    with (
        faults_as_ours(),
        closing(connect(path, writing=False)) as source,
        closing(sqlite3.connect(to, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        source.execute(BEGIN_READING)
        (page_bytes,) = source.execute("PRAGMA page_size").fetchone()
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only now is there a moment
        left: int | None = None

        def step(_status: int, remaining: int, total: int) -> None:
            nonlocal left
            done, left = (total if left is None else left) - remaining, remaining
            each(done * page_bytes)

        try:
            source.backup(copy, pages=PAGES_AT_ONCE, progress=step)
        except sqlite3.Error as error:
            if is_disk_full(error):  # the copy's: nothing is written beside the database
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), to.name) from error
            raise


def objects_of(path: Path) -> Iterator[tuple[bytes, int]]:
    """Read which objects of the vault the versions in a copy name: id, and size of the content; by rising id, each once.

    Raises:
        StoreError: it cannot be read, or names what is no object.
    """
    with faults_as_ours(), closing(connect(path, writing=False)) as connection:
        before = b""
        for object_id, size in connection.execute(_OBJECTS):
            if not isinstance(object_id, bytes) or not isinstance(size, int) or object_id <= before:
                raise StoreError(problem="a version names what is no object")
            yield object_id, size
            before = object_id
