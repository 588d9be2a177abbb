"""Reading transactions: each sees one moment of the database, none can write.

Rules. One transaction per query, none across pages: an open one keeps the write-ahead log from
starting over. A query runs on whatever thread calls; there are as many connections as the database
was opened for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sft.store.connections import faults_as_ours
from sft.store.database import Database
from sft.store.rows import ReadTransaction, Rows

P = ParamSpec("P")
Out = TypeVar("Out")


class ReadPool:
    """Gives reading transactions to the threads that query.

    Args:
        database: opened for at least as many readers as threads will call.
        clock: Unix seconds, what queries take for now.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def reading(self) -> Iterator[ReadTransaction]:
        """Begin a transaction that ends with the block.

        Raises:
            StoreError: the database cannot be read, here or within the block.
        """
        with faults_as_ours(), self._database.read_engine.begin() as connection:
            yield ReadTransaction(Rows(connection, self._database.row_macs), self._clock())

    def run(
        self,
        query: Callable[Concatenate[ReadTransaction, P], Out],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Out:
        """Answer one query, on this thread."""
        with self.reading() as reading:
            return query(reading, *args, **kwargs)
