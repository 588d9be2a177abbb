"""The log of a home, opened: what the database has of it, held against the head that was signed last, and the one writer.

Rules. Whoever opens it holds the home's lock. Nothing is signed before ``begin``, or before the writer's first group.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from sft.crypto.keys import ServerKey
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.hashing import EMPTY_ROOT
from sft.operator.head_file import HeadFile
from sft.service.log.appending import Appending
from sft.service.log.blocks import ChangedBlocks
from sft.service.log.heads import HeadSigner, read_kept_head
from sft.service.log.ledger import Ledger
from sft.service.log.opening import load_log, log_name, tile_in
from sft.store.database import Database, ReadPool
from sft.store.ledger import FIRST_EPOCH
from sft.store.writer import Events, Writer


def wall_clock() -> int:
    return int(time.time())


class HomeLog(Struct, frozen=True):
    """A log that can be read, and appended to by its writer alone.

    Attributes:
        kept: the newest head that was signed; of a new log that of no leaf.
    """

    ledger: Ledger
    signer: HeadSigner
    appending: Appending
    head_file: HeadFile
    kept: Checkpoint

    @classmethod
    def begun(cls, readers: ReadPool, head_file: HeadFile, signer: HeadSigner) -> HomeLog:
        """Begin the log of a new home, which has no leaf yet."""
        ledger = Ledger(None, lambda level, index: readers.run(tile_in, level, index))
        appending = Appending(ledger, ChangedBlocks({}), sign=signer.sign, keep=head_file.keep)
        return cls(ledger, signer, appending, head_file, Checkpoint(signer.origin(FIRST_EPOCH), 0, EMPTY_ROOT))

    @classmethod
    def load(
        cls,
        readers: ReadPool,
        head_file: HeadFile,
        key: ServerKey,
        successions: Sequence[str],
        *,
        put_back: bool = False,
    ) -> HomeLog:
        """Load a log and its state.

        Args:
            put_back: it may be behind the head that was signed last, or beside it.

        Raises:
            StoreError: it is not what was signed, or leaves were changed.
        """
        with readers.reading() as reading:
            name = log_name(reading)
            signer = HeadSigner(name.host, name.server_id, key)
            kept = read_kept_head(head_file.note, signer, key.public, successions)
            loaded = load_log(reading, None if put_back else kept)
        ledger = Ledger(loaded.state, lambda level, index: readers.run(tile_in, level, index), name.epoch)
        appending = Appending(ledger, loaded.blocks, sign=signer.sign, keep=head_file.keep)
        return cls(ledger, signer, appending, head_file, kept)

    def begin(self) -> None:
        """Give out the newest head, signed where that is another than the last one."""
        self.appending.begin(self.ledger.epoch, self.head_file.note)

    def writer(
        self,
        database: Database,
        *,
        on_events: Callable[[Events], None],
        on_fatal: Callable[[BaseException], None] = lambda _: None,
        make_room: Callable[[], bool] = lambda: False,
    ) -> Writer:
        """Return the one writer, which is not started yet."""
        return Writer(
            database,
            wall_clock,
            on_fatal=on_fatal,
            on_events=on_events,
            before_commit=self.appending.before_commit,
            after_commit=self.appending.after_commit,
            make_room=make_room,
        )
