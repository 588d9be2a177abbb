"""What is asked of the driver, for tests that count statements and look at them."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sft.store.connections import BEGIN_READING, BEGIN_WRITING, COMMIT, Connections


class Asked(NamedTuple):
    """One statement with its values; ``rows`` are those of a statement for many rows, else empty."""

    text: str
    values: Sequence[Any] = ()
    rows: Sequence[Any] = ()


class _Noting:
    """A connection that notes what it is asked."""

    def __init__(self, connection: sqlite3.Connection, seen: list[Asked]) -> None:
        self._connection = connection
        self._seen = seen

    def execute(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if text not in {BEGIN_READING, BEGIN_WRITING, COMMIT}:
            self._seen.append(Asked(text, values))
        return self._connection.execute(text, values)

    def executemany(self, text: str, rows: Sequence[Any]) -> sqlite3.Cursor:
        self._seen.append(Asked(text, rows=rows))
        return self._connection.executemany(text, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def asked_of(connections: Connections) -> Iterator[list[Asked]]:
    """Note what is asked within the block of the connection that is lent next; no transaction is under way."""
    seen: list[Asked] = []
    with connections.lend() as connection:
        pass
    noting: Any = _Noting(connection, seen)
    connections._idle[-1] = noting
    yield seen
    connections._idle[connections._idle.index(noting)] = connection
