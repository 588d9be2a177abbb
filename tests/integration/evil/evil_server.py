"""A server that lies: a real one, whose operator is the test, with its database, its keys, its log and its line.

    answers   what its sessions hear and say is changed as it comes and goes
    rows      an act of the writer's changes rows, with MACs and sum that are right, and appends what leaves it likes
    homes     the whole home is copied, put back, and its log written anew, while nothing of it runs

Rules. People are at their own computers with the program as it is: nothing of them is changed here. All that is signed by the
server is signed with its key. What the server's own code refuses to do is done around it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from sft.crypto.keys import ServerKey, SigningKey
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import StateTreeKind
from sft.ledger.tree import LogTree
from sft.model.evidence import Evidence, ProvedSlot, SlotsProof
from sft.operator.bootstrap import open_master_keys
from sft.server.session import ServerSession
from sft.service import act_statement, author_signature
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.heads import HeadSigner
from sft.service.log.ledger import ProvedSlots
from sft.service.log.opening import log_name
from sft.store.database import open_database
from sft.store.ledger import change_ledger, leaves_from, ledger_row
from sft.store.row_types import FileRow, LogLeafRow, VersionRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from sft.store.writer import Writer
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import Event, MessageReceived
from sft.wire.handshake import Welcome
from tests.integration.live_cli import LiveCli
from tests.integration.raw import Person
from tests.integration.server_fixture import ServerFixture
from tests.loop import run
from tests.unit.cli.cli_fixture import Ran

EVIL_KEY: Final = SigningKey.from_seed(bytes(range(90, 122)), bytes(range(90, 98)))
MOST_LEAVES: Final = 200  # of a log that is written anew: it has no full tile

Said = m.Message | Sequence[m.Message]


class EvilServer:
    """A server, and what it is made to do.

    Attributes:
        welcomes: what logins were answered honestly, by name, the newest last.
        said: what was answered honestly, the newest last.
        controls: how often something was got where nobody lied.
    """

    def __init__(self, cli: LiveCli, patch: pytest.MonkeyPatch) -> None:
        self.cli = cli
        self.server: ServerFixture = cli.server
        self.welcomes: dict[str, list[Welcome]] = {}
        self.said: list[m.Message] = []
        self.controls = 0
        self._patch = patch
        self._told: Callable[[m.Message], Said] = lambda message: message
        self._heard: Callable[[m.Message], m.Message] = lambda message: message
        self._welcomed: Callable[[Welcome], Welcome] = lambda welcome: welcome
        self._places = 0
        self._take_the_line()

    # -- people ---------------------------------------------------------------------------------------------

    def put(self, who: str, name: str, content: bytes, *options: str) -> None:
        """Store a file with the command line."""
        done = self.cli.sft(who, "put", *options, "--as", name, self.cli.file(f"{who}/{name}", content))
        assert done.status == 0, done.err

    def get(self, who: str, *names: str) -> tuple[Ran, Path]:
        """Get files into a new folder: what the command said, and the folder."""
        self._places += 1
        place = f"got{self._places}"
        return self.cli.sft(who, "get", "--to", f"{place}/", *names), self.cli.folder / place

    def got(self, who: str, *names: str) -> None:
        """Get files, as one does where nobody lies."""
        done, place = self.get(who, *names)
        assert done.status == 0, done.err
        assert all((place / Path(name).name).exists() for name in names)
        self.controls += 1

    def mark(self, who: str) -> Path:
        """Return the file that stops somebody's computer from using the server."""
        server_id = self.server.here.storage.server_id
        return self.cli.state(who) / "stopped" / f"{server_id.hex()[:32]}.json"

    def evidence_kept(self, who: str) -> list[str]:
        folder = self.cli.state(who) / "evidence"
        return [path.read_text() for path in sorted(folder.glob("*-log-*.txt"))] if folder.exists() else []

    # -- the line --------------------------------------------------------------------------------------------

    def tell(self, lie: Callable[[m.Message], Said]) -> None:
        """Change what sessions say: each message, into another or several."""
        self._told = lie

    def hear(self, lie: Callable[[m.Message], m.Message]) -> None:
        """Change what sessions hear."""
        self._heard = lie

    def welcome(self, lie: Callable[[Welcome], Welcome]) -> None:
        """Change what logins are answered."""
        self._welcomed = lie

    def be_honest(self) -> None:
        """Say from now on what is so."""
        self._told = self._heard = self._welcomed = lambda said: said

    def last(self, kind: type[Any]) -> Any:
        """Return the last honest message of a kind."""
        return next(each for each in reversed(self.said) if isinstance(each, kind))

    def _take_the_line(self) -> None:
        send, received, welcome = ServerSession.send, ServerSession.received, Connection.welcome

        def told(session: ServerSession, message: m.Message) -> None:
            if session._caller is None or session.caller.operator:
                send(session, message)
                return
            self.said.append(message)
            lie = self._told(message)
            for each in [lie] if isinstance(lie, m.Message) else lie:
                send(session, each)

        def heard(session: ServerSession, event: Event) -> None:
            if isinstance(event, MessageReceived):
                event = replace(event, message=self._heard(event.message))
            received(session, event)

        def welcomed(connection: Connection, shown: Welcome) -> bytes:
            if not shown.user_id:
                return welcome(connection, shown)
            self.welcomes.setdefault(shown.name, []).append(shown)
            return welcome(connection, self._welcomed(shown))

        self._patch.setattr(ServerSession, "send", told)
        self._patch.setattr(ServerSession, "received", heard)
        self._patch.setattr(Connection, "welcome", welcomed)

    # -- what it signs ----------------------------------------------------------------------------------------

    @property
    def key(self) -> ServerKey:
        return self.server.here.server_key

    @property
    def origin(self) -> Origin:
        with self.server.here.readers.reading() as reading:
            name = log_name(reading)
        return Origin.of_server(name.host, name.server_id, name.epoch)

    def sign(self, size: int, root: bytes, *, origin: Origin | None = None, key: ServerKey | None = None) -> str:
        return sign_checkpoint(key or self.key, Checkpoint(origin or self.origin, size, root))

    # -- rows ------------------------------------------------------------------------------------------------

    def edit(self, change: Callable[[Transaction], Any]) -> Any:
        """Change rows of the running server: MACs, sum and whatever it logs are right."""

        def act(transaction: Transaction, items: Sequence[None]) -> list[Any]:
            return [change(transaction) for _ in items]

        async def done() -> Any:
            return await self.server.here.act(act, None)

        return run(done())

    def edit_rows(self, change: Callable[[Transaction], Any]) -> None:
        """Change rows of the running server, and have its log say nothing of it."""
        with self._patch.context() as patch:
            patch.setattr(self.server.here.writer, "_before_commit", lambda _transaction, _events: None)
            self.edit(change)

    def rows_of_file(self, reading: Any, name: str) -> tuple[FileRow, list[VersionRow]]:
        """Load a file of the root folder, live or not, with its versions, the oldest first."""
        (file,) = [row for row in reading.rows.all(rows_of(FileRow)) if name in {row.name, row.trashed_path}]
        versions = [row for row in reading.rows.all(rows_of(VersionRow)) if row.file == file.id]
        return file, sorted(versions, key=lambda row: row.number)

    def evidence_of(self, name: str) -> Evidence:
        """Prove a file as it stands, also one that is deleted."""
        builder = EvidenceBuilder()
        with self.server.here.readers.reading() as reading:
            file, versions = self.rows_of_file(reading, name)
            builder.add_files(reading, [(file, versions[-1])])
        proved = builder.prove(self.server.here.ledger)
        assert proved is not None
        return proved.evidence

    def believe_rows(self) -> None:
        """Have proofs made of what the rows say, whatever the log says."""
        ledger = self.server.here.ledger

        def prove_slots(slots: Sequence[ProvedSlot]) -> ProvedSlots:
            shown = {tree: {each.number for each in slots if each.tree == tree} for tree in StateTreeKind}
            proofs = [
                SlotsProof(tree, tuple(state.prove(shown[tree])))
                for tree, state in zip(StateTreeKind, (ledger.users, ledger.files), strict=True)
                if shown[tree]
            ]
            leaf = ledger.last_leaf
            return ProvedSlots(ledger.head, Evidence(leaf.entry, leaf.inclusion, tuple(slots), tuple(proofs)))

        self._patch.setattr(ledger, "prove_slots", prove_slots)

    def admit_any_head(self) -> None:
        """Take signatures that name a head of another log."""
        for module in (author_signature, act_statement):
            self._patch.setattr(module, "require_seen", lambda _ledger, _head: None)

    # -- homes -----------------------------------------------------------------------------------------------

    def copy(self) -> Path:
        """Copy the whole home as it is now."""
        port = run(self.server.halt())
        self._places += 1
        copy = self.server.folder / f"home-as-it-was-{self._places}"
        subprocess.run(["/bin/cp", "-a", str(self.server.home.path), str(copy)], check=True)
        run(self.server.start(port))
        return copy

    def put_back(self, copy: Path) -> Path:
        """Run what was copied, in the home's place; gives where that lies now."""
        port = run(self.server.halt())
        self._places += 1
        aside = self.server.folder / f"home-aside-{self._places}"
        self.server.home.path.rename(aside)
        shutil.move(copy, self.server.home.path)
        run(self.server.start(port))
        return aside

    def write_log_anew(self, change: Callable[[list[LogLeafRow]], list[LogLeafRow]]) -> None:
        """Write another log into the home, with its head, and start the server on it."""
        origin = self.origin
        port = run(self.server.halt())
        home = self.server.home
        keyring = open_master_keys(home, "file").open()
        key = ServerKey.from_seed(keyring.server_seed)
        with closing(open_database(home.database, keyring.row_key, keyring.server_id, home=home.path)) as database:
            writer = Writer(database, lambda: 1_700_000_000, on_fatal=lambda _: None)
            writer.start()

            def act(transaction: Transaction, items: Sequence[None]) -> list[LogTree]:
                row = ledger_row(transaction)
                before = leaves_from(transaction, 0, MOST_LEAVES)
                after = [replace(each, number=number) for number, each in enumerate(change(before))]
                transaction.rows.delete(before)
                transaction.rows.insert(after)
                change_ledger(transaction, replace(row, size=len(after), redo=0))
                tree, _ = LogTree().append([leaf_hash(each.entry) for each in after])
                return [tree for _ in items]

            tree = writer.submit(act, None).result()
            writer.stop()
        signer = HeadSigner(origin.host, keyring.server_id, key)
        with closing(home.open_log_head()) as head_file:
            head_file.keep(signer.sign(tree.size, tree.root(), origin.epoch))
        run(self.server.start(port))


def evil_person(server: ServerFixture, name: str) -> Person:
    """Return somebody as whoever has the evil key in their name."""
    person = server.people[name]
    return Person(name, person.user_id, EVIL_KEY, person.server_id)
