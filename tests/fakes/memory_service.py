"""A whole server in this process, without disk or socket: real services, real sessions, SQLite and a vault in memory.

Rules. No rule of sft stands here: what happens is an act of ``sft.service`` under a clock that stands until it is moved. What a
server that lies would show is written past the services (``write``, ``visit``). The writer is the real one, and waited for, so
that everything happens in one order.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from queue import SimpleQueue

from msgspec.structs import astuple, replace
from twisted.internet.address import IPv4Address
from twisted.logger import Logger

from sft.crypto.comment import FileComment
from sft.crypto.keys import InvitationKey, PublicKey, ServerKey, SigningKey
from sft.crypto.signatures import sign_file
from sft.crypto.succession import sign_succession
from sft.errors import RequestError
from sft.limits import CHUNK_BYTES, GROUP_ACTS
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import FileRestored, UserEnabled, UserJoined
from sft.model.links import InvitationLink, parse_address, parse_invitation
from sft.model.names import fold
from sft.model.quota_events import QuotaNear
from sft.model.records import File, Invitation, SessionInfo, User, UserState
from sft.server.admission import Admission
from sft.server.context import ServerContext
from sft.server.event_log import EventLog
from sft.server.factory import NetworkFactory
from sft.service import accounts, commits, files, folders, invitations, login, quota_changes, settings, trash
from sft.service.author_signature import Signed
from sft.service.log.events import Subjects, subjects_of
from sft.service.pending import Pending, pending_inline
from sft.service.storage import FileStorage
from sft.store import row_sum
from sft.store.database import Database, ReadPool, create_database, open_database
from sft.store.files import files_by_file_id, newest_versions
from sft.store.row_types import DeviceKeyRow, FileRow, InvitationRow, RowSumRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import DeviceKeyModel, UserModel
from sft.store.statements import rows_of
from sft.store.table_specs import TABLE_SPECS
from sft.store.users import add_role, keys_of, user_by_name, write_users
from sft.store.writer import Writer
from sft.vault.keyring import Keyring
from sft.vault.master_key import CommandMasterKey
from sft.vault.master_key_store import MasterKeyStore
from sft.vault.objects import fits_inline
from sft.vault.vault import Vault
from sft.wire.messages import Notice
from tests.fakes.log_steps import LogSteps
from tests.fakes.memory_backend import MemoryBackend
from tests.fakes.memory_network import InlinePool, LoopReactor, Network
from tests.fakes.signed_acts import signed

CLIENT = IPv4Address("TCP", "198.51.100.7", 50122)
_KEYRING = Keyring.generate(bytes(32), entropy=lambda count: bytes(range(count)))
_SERVER_ID = ServerKey.from_seed(_KEYRING.server_seed).public.server_id()


def key_of(name: str) -> SigningKey:
    """Make the key of a person: always the same one."""
    seed = hashlib.blake2b(name.encode(), digest_size=32).digest()
    return SigningKey.from_seed(seed, seed[:8])


def public_of(name: str) -> PublicKey:
    """Make the public key of a person."""
    return key_of(name).public


@dataclass(frozen=True)
class Image:
    """Everything that a server keeps, to begin another one with."""

    database: Path
    objects: dict[bytes, bytes]
    now: float


@dataclass
class Visit:
    """A session that nobody has: what the list of sessions tells of it."""

    service: MemoryService
    session_id: int
    user_id: int | None
    info: SessionInfo
    key_id: None = None  # of no key that ends
    moved_bytes: tuple[int, int] = (0, 0)

    def describe(self) -> SessionInfo:
        return self.info

    def rights_changed(self, user: User, by: str) -> None:
        """It has none."""

    def locked_out(self, state: UserState, by: str) -> None:
        self.leave()

    def user_joined(self, event: UserJoined) -> None:
        """Nobody hears it."""

    def quota_near(self, event: QuotaNear) -> None:
        """Likewise."""

    def kick(self, by: str) -> None:
        self.leave()

    def busy(self) -> bool:
        return False

    def stop(self) -> None:
        self.leave()

    def leave(self) -> None:
        self.service.context.sessions.remove(self)


class _WaitedFor:
    """The real writer, whose every act has ended before the next step: its thread and ours never run at once.

    Args:
        tell: gets the events.
        call: takes what is to be done in a later turn.
    """

    def __init__(self, writer: Writer, tell, call) -> None:
        self._writer = writer
        self._steps = SimpleQueue()
        self._call = call
        writer.hand_out(tell, self._steps.put)

    def submit(self, act, item, *, size: int = 0, arrived=lambda _: None):
        future = self._writer.submit(act, item, size=size, arrived=arrived)
        self._call(self._steps.get())
        return future

    def submit_all(self, act, items, *, arrived):
        futures, ended = [], []

        def one_arrived(future):
            ended.append(future)
            if len(ended) == len(items):
                arrived([each.exception() or each.result() for each in futures])

        futures += [self.submit(act, item, size=size, arrived=one_arrived) for item, size in items]


class MemoryService:
    """One server.

    Args:
        image: what it begins with; else it is new.
    """

    def __init__(
        self, image: Image | None = None, *, name: str = "acme-files", address: str = "files.acme.org:7361", now: float
    ) -> None:
        self.name = name
        self.address = address
        self.now = now if image is None else image.now
        self.key = ServerKey.from_seed(_KEYRING.server_seed)
        self.server_id = self.key.public.server_id()
        self.lines: list[str] = []
        self.fatal: list[BaseException] = []
        self.network = Network(CLIENT)
        self._number = itertools.count(1 if image is None else 1000)
        self._statements = itertools.count(1 if image is None else 1000)
        self._database = _taken_database()
        if image is not None:
            _copy_into(self._database, image.database)
        self.backend = MemoryBackend()
        self.backend.shelf.objects |= {} if image is None else image.objects
        self.readers = ReadPool(self._database, self._clock)
        self._log = LogSteps(self._database, name, self.server_id, self.key, entropy=bytes)
        self.storage = FileStorage(Vault(self.backend, _KEYRING), self.key, self._log.ledger)
        self._writer = Writer(
            self._database,
            self._clock,
            on_fatal=self.fatal.append,
            before_commit=self._before_commit,
            after_commit=self._log.appending.after_commit,
            entropy=bytes,
        )
        self._writer.start()
        self.context: ServerContext | None = None
        self.writer = _WaitedFor(self._writer, self._told, self._later)
        if image is None:
            self.act(settings.prepare, settings.NewServer(name, address, self.key.public.point))
        _open.append(self)

    def _told(self, events) -> None:
        if self.context is not None:
            self.context.tell(events)

    def _later(self, step) -> None:
        if self.context is None:
            step()
        else:
            self.reactor.callFromThread(step)

    def _clock(self) -> int:
        return int(self.now)

    def listen(self) -> None:
        """Serve the network; within a running loop."""
        self.reactor = LoopReactor(self.network)
        pool = InlinePool(self.reactor)
        logger = Logger(namespace="sft", observer=lambda event: self.lines.append(event["line"]))
        self.context = ServerContext(
            reactor=self.reactor,
            info=self.ask(settings.server_info),
            storage=self.storage,
            readers=self.readers,
            writer=self.writer,
            ledger=self._log.ledger,
            head_signer=self._log.signer,
            pool=pool,
            reading_pool=pool,
            entry_pool=pool,
            maintenance_pool=pool,
            master_keys=MasterKeyStore(Path("keyring"), CommandMasterKey(["true"]), "command:true"),
            row_keys=None,
            event_log=EventLog(logger),
            clock=self._clock,
            admission=Admission([ip_network("0.0.0.0/0")]),  # who fails is not kept waiting
        )
        self.network.listen(*parse_address(self.address), NetworkFactory(self.context))

    def close(self) -> None:
        """End it; another one may have its database."""
        if self in _open:
            _open.remove(self)
            self.network.break_all()
            self._writer.stop()
            _give_back(self._database)

    def image(self, folder: Path) -> Image:
        """Keep all that it has."""
        path = folder / "image.db"
        with closing(sqlite3.connect(path)) as kept, self._database.write_connections.lend() as ours:
            ours.backup(kept)
        return Image(path, dict(self.backend.shelf.objects), self.now)

    # -- acts and questions ---------------------------------------------------------------------------

    def act(self, act, item):
        """Do one act, or raise what refuses it; what people sign is signed."""
        by = getattr(item, "caller", None)
        key = None if by is None or by.operator else key_of(by.name)
        return self.writer.submit(act, signed(item, key, self.server_id, self._statements)).result()

    def ask(self, query, *args, **kwargs):
        """Ask in one read transaction."""
        return self.readers.run(query, *args, **kwargs)

    def write(self, change) -> None:
        """Change rows past every rule; given the transaction."""

        def past_the_rules(transaction: Transaction, items):
            for item in items:
                item(transaction)
            return [None] * len(items)

        self.act(past_the_rules, change)

    def _before_commit(self, transaction: Transaction, events) -> None:
        """Have leaves of the log name what no act has changed."""
        named = Subjects()
        for each in filter(lambda event: event.leaf, events):
            subjects = subjects_of(each)
            named = Subjects(*(old + new for old, new in zip(astuple(named), astuple(subjects), strict=True)))
        rows, operator = transaction.rows, operator_caller()
        users = {row.id for row in rows.changed(UserRow).rows} | {
            row.user_id for row in rows.changed(DeviceKeyRow).rows
        }
        files = {row.file_id for row in rows.changed(FileRow).rows}
        lies = [UserEnabled(by=operator, user_id=each, name="") for each in users - set(named.users)]
        lies += [
            FileRestored(by=operator, file_id=each, path="", version=1, trashed_at=0)
            for each in files - set(named.files)
        ]
        transaction.slots_at_leaves += [transaction.next_slot] * len(lies)
        self._log.appending.before_commit(transaction, [*events, *lies])

    @contextmanager
    def at(self, moment: float):
        """Let it be another time meanwhile, also one before the last change: the story of a server is told in any order."""
        before, self.now = self.now, moment
        macs = self._database.row_macs
        with self._database.write_connections.transaction() as connection:
            last_change = replace(row_sum.load(connection, macs), moment=int(moment))
            *_, moment_cell, mac = macs.values(TABLE_SPECS[RowSumRow], last_change)
            connection.execute("UPDATE row_sums SET moment = ?, mac = ?", (moment_cell, mac))
        yield
        self.now = before

    # -- people -----------------------------------------------------------------------------------------

    @property
    def users(self) -> list[User]:
        """Everybody, in order of joining."""
        return list(self.ask(accounts.list_users, operator_caller()).users)

    def user(self, name: str) -> User:
        return self.ask(accounts.show_user, operator_caller(), name=name)

    def caller(self, name: str) -> Caller:
        def find(reading: ReadTransaction) -> Caller:
            user = user_by_name(reading, name)
            (key, *_) = keys_of(reading, [user.id])[user.id]
            return Caller(user.id, key.id, user.name, Role(user.role))

        return self.ask(find)

    def enroll(self, name: str, role: Role, *, device: str = "laptop", by: str = "") -> None:
        """Let somebody in: by somebody, or as the first admin."""
        public = key_of(name).public.encode()
        if by:
            given = accounts.AddUserInput(self.caller(by), name, role, public, device)
            self.act(accounts.add_user, given)
            return
        point = InvitationKey.from_seed(self.first_admin().seed).point
        self._join(login.JoinInput(name, public, device, point))

    def first_admin(self) -> InvitationLink:
        """Invite whoever comes first."""
        seed = bytes(32)
        point = InvitationKey.from_seed(seed).point
        made = self.act(invitations.first_admin, invitations.FirstAdmin(point))
        return self._link(seed, made)

    def change_user(self, who: str, **fields: object) -> None:
        """Change somebody's row without anybody being told."""
        user_id = self.user(who).id

        def change(transaction: Transaction) -> None:
            row = replace(transaction.rows.one(rows_of(UserRow, UserModel.id == user_id)), **fields)
            write_users(transaction, [row])
            if "role" in fields:
                add_role(transaction, row, transaction.next_leaf)

        self.write(change)

    def change_key(self, name: str, key: SigningKey) -> None:
        """Show another key for somebody than the one they joined with."""
        key_id = self.caller(name).key_id

        def change(transaction: Transaction) -> None:
            row = transaction.rows.one(rows_of(DeviceKeyRow, DeviceKeyModel.id == key_id))
            transaction.rows.update([replace(row, public_key=key.public.encode())])

        self.write(change)

    def change_role(self, name: str, role: Role, *, by: str) -> None:
        """Have an admin change a role; whoever is connected hears of it."""
        self.act(accounts.change_role, accounts.ChangeRoleInput(self.caller(by), name, role))

    def set_quota(self, name: str, size_bytes: int | None, files: int | None, *, by: str) -> None:
        """Have an admin say how much somebody may own."""
        asked = quota_changes.ChangeQuotaInput(self.caller(by), name, size_bytes, files)
        self.act(quota_changes.change_quota, asked)

    def insert_user(self, name: str, *, role: Role = Role.MAINTAINER, device: str = "") -> int:
        """Put somebody into the registry whom no honest server would let in."""
        found: list[int] = []

        def insert(transaction: Transaction) -> None:
            number = transaction.rows.next_id(UserRow)
            made = transaction.now
            user = UserRow(number, name, fold(name), role, "active", made, transaction.new_salt())
            write_users(transaction, [user], new=True)
            add_role(transaction, user, transaction.next_leaf)
            key = key_of(name).public.encode()
            key_id = transaction.rows.next_id(DeviceKeyRow)
            row = DeviceKeyRow(key_id, number, key, device or name, made, None, transaction.next_leaf)
            transaction.rows.insert([row])
            found.append(number)

        self.write(insert)
        return found[0]

    # -- invitations --------------------------------------------------------------------------------------

    @property
    def invitations(self):
        """What an admin sees, the newest first."""
        return self.ask(invitations.list_all, operator_caller())

    def invite(self, by: str, *, role: Role, name: str | None = None, seconds: int = 86_400) -> InvitationLink:
        """Make an invitation."""
        seed = hashlib.blake2b(b"%d" % next(self._number), digest_size=32).digest()
        point = InvitationKey.from_seed(seed).point
        item = invitations.MakeInvitationInput(self.caller(by), point, role, name, seconds)
        made = self.act(invitations.make, item)
        return self._link(seed, made.invitation)

    def _link(self, seed: bytes, made: Invitation) -> InvitationLink:
        host, port = parse_address(self.address)
        return InvitationLink(
            host=host, port=port, server_id=self.server_id, server_key=self.key.public.point, server_name=self.name,
            seed=seed, role=made.role, expires_at=made.expires_at, user_name=made.name,
        )  # fmt: skip

    def join(self, link: str, name: str) -> None:
        """Have somebody join by an invitation."""
        point = InvitationKey.from_seed(parse_invitation(link).seed).point
        public = key_of(name).public.encode()
        self._join(login.JoinInput(name, public, "laptop", point))

    def _join(self, item: login.JoinInput) -> None:
        self.act(login.join, signed(item, key_of(item.name), self.server_id, self._statements))

    def withdraw(self, invitation_id: int, *, by: str) -> None:
        item = invitations.WithdrawInvitationInput(self.caller(by), invitation_id)
        self.act(invitations.withdraw, item)

    def invitation(self, name: str | None):
        """Find the newest one that is for somebody."""
        return next(one for one in self.invitations if one.name == name)

    def insert_invitation(self, name: str, maker_id: int) -> None:
        """Put an invitation into the registry for whom no honest server would."""

        def insert(transaction: Transaction) -> None:
            number = transaction.rows.next_id(InvitationRow)
            point = hashlib.blake2b(b"%d" % number, digest_size=32).digest()
            ends = transaction.now + 3600
            row = InvitationRow(number, point, "guest", name, maker_id, transaction.now, ends, None, None, None)
            transaction.rows.insert([row])

        self.write(insert)

    # -- sessions ---------------------------------------------------------------------------------------------

    def visit(self, name: str, address: str, *, since: float | None = None, doing: str = "") -> Visit:
        """Have somebody connected, as far as the list of sessions goes."""
        (user,) = [user for user in self.users if user.name == name]
        number = self.context.sessions.number()
        at = int(self.now if since is None else since)
        info = SessionInfo(number, name, user.role.value, address, at, doing)
        visit = Visit(self, number, user.id, info)
        self.context.sessions.add(visit)
        return visit

    @property
    def connected(self) -> list[str]:
        """Who is connected, in order of coming."""
        return [info.user for info in self.context.sessions.describe()]

    def move_to(self, address: str) -> None:
        """Listen elsewhere, and say so."""
        old, self.address = self.address, address
        self.act(settings.change_settings, settings.SettingsChange(address=address))
        if self.context is not None:
            self.context.info = self.ask(settings.server_info)
            self.network.unlisten(*parse_address(old))
            self.network.listen(*parse_address(address), NetworkFactory(self.context))

    def session_of(self, name: str) -> int:
        """Number of the newest session of somebody."""
        return [one.id for one in self.context.sessions.describe() if one.user == name][-1]

    def replace_key(self, key: ServerKey, *, follows: bool = False) -> None:
        """Show another key to whoever connects from now on; ``follows``: the old one says so."""
        if follows:
            note = sign_succession(self.key, self.server_id, key.public, made_at=int(self.now))
            self.context.successions = (*self.context.successions, note)
        self.key = key
        self._log.signer.follow(key)
        self.act(settings.change_settings, settings.SettingsChange(server_key=key.public.point))
        self.storage = self.context.storage = self.storage.under(key)
        self.context.info = replace(self.context.info, public_key=key.public.point)

    def sign_head(self, size: int, root: bytes) -> str:
        """Sign a head of the log that it never had."""
        return self._log.signer.sign(size, root, 1)

    def tell(self, name: str, kind: str, values: dict[str, str | int]) -> None:
        """Say something unasked to everybody of a name."""
        for session in self.context.sessions.all():
            if session.describe().user == name and not isinstance(session, Visit):
                session.send(Notice(kind, values))

    # -- files ---------------------------------------------------------------------------------------------------

    def make_folder(self, path: str, by: str) -> None:
        self.act(folders.make_folder, folders.MakeFolderInput(self.caller(by), path))

    def delete(self, path: str, by: str) -> None:
        self.act(trash.delete, trash.Deletion(self.caller(by), path, recursive=True))

    def file(self, path: str, version: int = 0) -> File:
        return self.ask(files.show_file, operator_caller(), path=path, version=version)

    def has(self, path: str) -> bool:
        with suppress(RequestError):
            return bool(self.file(path))
        return False

    def below(self, folder: str) -> list[str]:
        """Name every file and folder in a folder and below it."""
        page = self.ask(files.list_folder, operator_caller(), path=folder)
        inner = [found for one in page.folders for found in (one.path, *self.below(one.path))]
        return [*inner, *(file.path for file in page.files)]

    def versions(self, path: str) -> int:
        return self.file(path).version.number

    def store(
        self,
        path: str,
        author: str,
        content: bytes | None = None,
        *,
        size: int = 0,
        dated_at: float | None = None,
        signed: bytes | None = None,
        key: SigningKey | None = None,
    ) -> None:
        """Store a file, or its next version, which its author has signed.

        Args:
            content: None keeps nothing: it is listed with a size, and cannot be read.
            signed: what the author signed instead of the content, as a lying server has it.
            key: signs in the place of the author's.
        """
        caller = self.caller(author)
        before = self.file(path) if self.has(path) else None
        version = 1 if before is None else before.version.number + 1
        size = size if content is None else len(content)
        told = content if signed is None else signed
        if told is None:
            told = f"{path} {size} {version}".encode()
        item = self._signed(caller, key or key_of(author), path, size, told, before, dated_at)
        self.act(commits.commit, self._pending(caller, item, content))

    def store_many(self, author: str, files: Iterable[tuple[str, int, int]]) -> None:
        """Store files that cannot be read: path, size, date."""
        caller, key = self.caller(author), key_of(author)
        signed = [
            self._signed(caller, key, path, size, path.encode(), None, dated_at) for path, size, dated_at in files
        ]
        pending = [self._pending(caller, item, None) for item in signed]

        def commit_all(transaction: Transaction) -> None:
            for first in range(0, len(pending), GROUP_ACTS):
                commits.commit(transaction, pending[first : first + GROUP_ACTS])

        self.write(commit_all)

    def give(self, path: str, name: str) -> None:
        """Have a file belong to another, and tell nobody."""
        owner_id, file_id = self.user(name).id, self.file(path).id

        def change(transaction: Transaction) -> None:
            (row,) = files_by_file_id(transaction, {file_id}).values()
            transaction.rows.update([replace(row, owner_id=owner_id)])

        self.write(change)

    def lend_key(self, path: str, name: str) -> None:
        """Have the server say that the newest version of a file is signed by the key of another."""
        key_id, file_id = self.caller(name).key_id, self.file(path).id

        def change(transaction: Transaction) -> None:
            (file,) = files_by_file_id(transaction, {file_id}).values()
            (version,) = newest_versions(transaction, [file]).values()
            transaction.rows.update([replace(version, key_id=key_id)])

        self.write(change)

    def _signed(
        self,
        caller: Caller,
        key: SigningKey,
        path: str,
        size: int,
        told: bytes,
        before: File | None,
        dated_at: float | None,
    ) -> Signed:
        digest = hashlib.blake2b(told).digest()
        new_id = hashlib.blake2b(path.encode(), digest_size=16).digest()
        comment = FileComment(
            server_id=self.storage.server_id, file_id=before.id if before else new_id,
            version=before.version.number + 1 if before else 1, size=size, digest=digest,
            mtime=int(self.now if dated_at is None else dated_at), name=path, user=caller.user_id,
            prev=before.version.digest if before else None, ts=int(self.now),
        )  # fmt: skip
        return Signed(
            comment.file_id, comment.version, size, digest, comment.mtime, path, comment.user,
            comment.prev, sign_file(key, comment).encode(),
        )  # fmt: skip

    def _pending(self, caller: Caller, signed: Signed, content: bytes | None) -> Pending:
        public = key_of(caller.name).public.encode()
        object_id = hashlib.blake2b(signed.signature, digest_size=16).digest()
        if content is not None and fits_inline(signed.size):
            return pending_inline(self.storage, caller, public, signed, object_id, content)
        if content is not None:
            writer = self.storage.vault.begin(object_id, signed.size)
            chunks = [content[at : at + CHUNK_BYTES] for at in range(0, signed.size, CHUNK_BYTES)]
            writer.append(writer.seal(chunks, last=True))
            writer.finish()
            return Pending(caller, public, signed, object_id, None, writer.key, self.storage)
        return Pending(caller, public, signed, object_id, None, _KEYRING.wrap(object_id, bytes(32)), self.storage)


# -- the databases of this process: statements are compiled once for each ----------------------------------------

_open: list[MemoryService] = []
_free: list[Database] = []
_folder: list[Path] = []


def folder() -> Path:
    """A folder in memory, where the system has one, that goes with this process."""
    if not _folder:
        memory = Path("/dev/shm")
        made = tempfile.mkdtemp(prefix="sft-tests-", dir=memory if memory.is_dir() else None)
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        _folder.append(Path(made))
    return _folder[0]


def close_all() -> None:
    """End every server that is still there."""
    for service in [*_open]:
        service.close()


_count = itertools.count(1)


def _taken_database() -> Database:
    if _free:
        return _free.pop()
    empty = folder() / "empty.db"
    if not empty.exists():
        create_database(empty)
        open_database(empty, _KEYRING.row_key, _SERVER_ID).close()
    path = folder() / f"{next(_count)}.db"
    shutil.copyfile(empty, path)
    database = Database(path, _KEYRING.row_key, None, _SERVER_ID, readers=1)
    with database.write_connections.lend() as connection:
        # What a power cut leaves is for the store's tests: here a sync only costs time.
        connection.cursor().execute("PRAGMA synchronous=OFF")
    return database


def _give_back(database: Database) -> None:
    _copy_into(database, folder() / "empty.db")
    _free.append(database)


def _copy_into(database: Database, image: Path) -> None:
    with closing(sqlite3.connect(image)) as kept, database.write_connections.lend() as ours:
        kept.backup(ours)


__all__ = ["CLIENT", "Image", "MemoryService", "Visit", "close_all", "folder", "key_of", "public_of"]
