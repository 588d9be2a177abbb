"""``log restart``: the decision that a home which was put back goes on, under the home's lock and with no server running.

    database, last head → the log before, as it was signed and as it is here → a person types the server's name → LOG_RESTARTED

Rules. Nothing is signed before that: a head of the old log that is behind one that was given out would be a lie for ever. The
leaves that are there are believed by their MACs, each is hashed. A restart that was cut before its head was signed is finished
by the next start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from msgspec import Struct

from sft.cli.console import Console
from sft.cli.prompts import Prompts, ask_on_terminal
from sft.cli.run import Interrupted
from sft.crypto.keys import ServerKey
from sft.errors import HomeError, UsageError
from sft.ledger.checkpoints import Checkpoint
from sft.model.names import safe
from sft.model.text import count_text
from sft.operator.bootstrap import open_master_keys
from sft.operator.control import require_server
from sft.operator.home import Home, HomeLock
from sft.operator.home_log import HomeLog, wall_clock
from sft.server.event_log import EventLog
from sft.service.log.heads import HeadSigner
from sft.service.log.restarting import REASON_MOST, Restart, restart_log
from sft.store.database import ReadPool, open_database
from sft.store.settings import server_name
from sft.store.writer import Writer


class RestartedJson(TypedDict):
    """The log that goes on, and what is kept of the one before."""

    log: str
    before: str
    kept: int
    known: int


class StoppedLog(Struct, frozen=True):
    """The log of a home that nobody serves.

    Attributes:
        server: the server's name.
        here: the head that its leaves have; nobody signed it, perhaps.
        known: the newest head that was signed.
    """

    server: str
    here: Checkpoint
    known: Checkpoint
    note: str
    signer: HeadSigner
    writer: Writer

    def restart(self, reason: str) -> Checkpoint:
        """Begin another epoch; return the head of what is kept, under the origin that begins."""
        wanted = Restart(
            origin=self.here.origin.text(),
            root=self.here.root,
            known=self.note,
            known_epoch=self.known.origin.epoch,
            reason=reason,
        )
        epoch = self.writer.submit(restart_log, wanted).result()
        return Checkpoint(self.signer.origin(epoch), self.here.size, self.here.root)


def parse_reason(text: str) -> str:
    """Return a reason that everybody can be shown; UsageError for none, for a long one, or for more than a line."""
    reason = text.strip()
    if not reason or len(reason) > REASON_MOST or not reason.isprintable():
        raise UsageError(
            problem=f"A reason is one line of 1 to {REASON_MOST} characters",
            remedy="sftd log restart --reason TEXT: everybody whose computer saw more of the log is going to read it",
        )
    return reason


def restart(home: Home, options: Any) -> int:
    """Begin another epoch of the log, if whoever asks types the server's name; return the exit status."""
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    lock = HomeLock(home)
    try:
        reason = parse_reason(options["reason"])
        require_server(home)
        if not lock.take():
            raise HomeError(home=str(home.path), problem="a server runs on it", remedy="Stop it, then again")
        with opened(home) as log:
            _agree(console, log, str(options["name"]))
            after = log.restart(reason)
    except Interrupted as interrupted:
        console.warn(interrupted.message)
        return interrupted.exit_status
    finally:
        lock.drop()
    before = log.here.origin.text()
    document = RestartedJson(log=after.origin.text(), before=before, kept=after.size, known=log.known.size)
    console.show(
        document,
        f"The log goes on as {after.origin.text()} from leaf {count_text(after.size)}.",
        "Every client stops until its person types the server's name (sft servers trust NAME); tell them why, yourself.",
        "Witnesses need the log's new key: sftd log key",
    )
    return 0


@contextmanager
def opened(home: Home) -> Iterator[StoppedLog]:
    """Open the log of a home, under its lock, and sign nothing.

    Raises:
        StoreError: it cannot be gone on with at all: leaves were changed, or the last head is no head of this server's.
    """
    keyring = open_master_keys(home, home.configuration().master_key).open()
    key = ServerKey.from_seed(keyring.server_seed)
    database = open_database(
        home.database, keyring.row_key, keyring.server_id, older_row_key=keyring.older_row_key, home=home.path
    )
    head_file = home.open_log_head()
    try:
        readers = ReadPool(database, wall_clock)
        with readers.reading() as reading:
            server = server_name(reading)
        log = HomeLog.load(readers, head_file, key, keyring.successions, put_back=True)
        writer = log.writer(database, on_events=EventLog().tell)
        writer.start()
        try:
            tree = log.ledger.tree
            here = Checkpoint(log.signer.origin(log.ledger.epoch), tree.size, tree.root())
            yield StoppedLog(server, here, log.kept, head_file.note or "", log.signer, writer)
        finally:
            writer.stop()
    finally:
        head_file.close()
        database.close()


def _agree(console: Console, log: StoppedLog, name: str) -> None:
    """Have the server's name typed, or given; UsageError where neither is, Interrupted for another one."""
    console.warn(f"here           {count_text(log.here.size)} leaves of {safe(log.here.origin.text())}")
    console.warn(f"signed last    {count_text(log.known.size)} leaves of {safe(log.known.origin.text())}")
    if name:
        if name != log.server:
            raise UsageError(
                problem=f"This server is not called {safe(name)}", remedy="Is it the right --home? --name NAME"
            )
        return
    prompts = Prompts(console, sys.stdin, ask_on_terminal)
    if not prompts.possible:
        raise UsageError(
            problem="A restart is asked about first, and there is no terminal to ask on",
            remedy="The same command with --name NAME, the server's name",
        )
    console.warn("What came later than what is here is gone for good, and every client is told so.")
    prompts.require_typed("Go on from here?", expected=safe(log.server), otherwise="Nothing was changed.")
