"""A server's log over a database alone: no file keeps its head."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sft.crypto.keys import ServerKey
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.tree import LogTree
from sft.service.log.appending import Appending
from sft.service.log.blocks import ChangedBlocks
from sft.service.log.heads import HeadSigner
from sft.service.log.ledger import Ledger
from sft.service.log.opening import load_log, tile_in
from sft.store.database import Database, ReadPool
from sft.store.ledger import leaves_from
from sft.store.rows import Transaction
from sft.store.settings import has_settings


class LogSteps:
    """The writer's two steps for the log over a database, whose own leaves are believed.

    Attributes:
        kept: heads, as they were signed.
    """

    def __init__(
        self,
        database: Database,
        host: str,
        server_id: bytes,
        key: ServerKey,
        *,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._database = database
        self._entropy = entropy
        self.signer = HeadSigner(host, server_id, key)
        self.kept: list[str] = []
        self.ledger, self.appending = self.opened()

    def opened(self) -> tuple[Ledger, Appending]:
        """Load the log, as a start does."""
        readers = ReadPool(self._database, lambda: 0)
        state, blocks = None, ChangedBlocks({})
        with readers.reading() as reading:
            if has_settings(reading):
                entries = [row.entry for row in leaves_from(reading, 0, 1 << 30)]
                tree, _ = LogTree().append(map(leaf_hash, entries))
                _, state, blocks = load_log(reading, Checkpoint(self.signer.origin(1), tree.size, tree.root()))
        ledger = Ledger(state, lambda level, index: readers.run(tile_in, level, index))
        appending = Appending(ledger, blocks, sign=self.signer.sign, keep=self.kept.append, entropy=self._entropy)
        if state is not None:
            appending.begin(1, None)
        return ledger, appending

    @contextmanager
    def transaction(self, now: int) -> Iterator[Transaction]:
        """One transaction, as the writer has it."""
        with self._database.write_connections.transaction() as connection:
            transaction = Transaction(
                connection, self._database.row_macs, now, entropy=self._entropy, policy=self._database.policy
            )
            yield transaction
            self.appending.before_commit(transaction, transaction.events)
        self.appending.after_commit(transaction.events)
