"""A server in memory, joined to a client's line without a network: it keeps files, and lies where a test tells it to."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec.structs import replace
from twisted.internet.defer import Deferred, execute
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from sft.client.connection import ServerConnection
from sft.client.log_follower import LogFollower
from sft.client.pins import Pins, own_pin
from sft.client.session import Session
from sft.client.statements import sign_act
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.keys import ServerKey, SigningKey
from sft.crypto.notes import Receipt, sign_receipts
from sft.crypto.signatures import FileSignature
from sft.errors import ExistsError, NotFoundError, NotSmallError, ResumeRefusedError, SftError, UploadGoneError
from sft.limits import CHUNK_BYTES, KIB, SMALL_FILE_BYTES
from sft.model.access import Role
from sft.model.names import fold
from sft.model.records import DeviceKey, File, FileVersion, Folder, Page, ServerInfo, Stored, User, UserState
from sft.wire.connection import Connection
from sft.wire.events import DataReceived, LoginRequested, MessageReceived
from sft.wire.handshake import Claim, Welcome
from sft.wire.messages import (
    Credit,
    Done,
    FileBegins,
    FileContent,
    FilesContent,
    FileShown,
    FilesShown,
    FilesStored,
    FileStored,
    FolderPage,
    LogHead,
    LogPage,
    Refusal,
    RefusedFile,
    ResumePoint,
    SelfShown,
    ShownFile,
    StoredFile,
    UploadFound,
    UserShown,
)
from tests.unit.client.log_in_memory import USERS, LogInMemory

digest_of = lru_cache(64)(lambda content: blake2b_512(content).digest())  # of the same few contents, again and again
FRAME_OF_FILES_BYTES = 44 * KIB  # beside what proves them
SERVER_KEY = ServerKey.from_seed(bytes(range(32)))
ADA_KEY = SigningKey.from_seed(bytes(range(32, 64)), b"ada's id")
MALLORY_KEY = SigningKey.from_seed(bytes(range(64, 96)), b"mallorys")
MAX_KEY = SigningKey.from_seed(bytes(range(96, 128)), b"max's id")
SERVER = ServerInfo(
    "acme-files", "files.acme.example:7361", SERVER_KEY.public.point, SERVER_KEY.public.server_id(), "invite"
)


def user(user_id, name, *keys):
    """A person as the registry shows them."""
    devices = tuple(DeviceKey(number, key.public.encode(), "laptop", 1000) for number, key in enumerate(keys, 1))
    return User(user_id, name, Role.MAINTAINER, UserState.ACTIVE, 1000, devices)


class People(dict):
    """The registry: the log has whoever comes into it."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def __setitem__(self, user_id, shown):
        self.log.user(user_id, shown.name, *[key.public_key for key in shown.keys], state=shown.state, role=shown.role)
        super().__setitem__(user_id, shown)


class TurnPool:
    """A pool whose results come back in a later turn, as a real one's do."""

    crypto_in_pool = False

    def __init__(self):
        self.waiting = []

    def start(self):
        """Have no threads."""

    def stop(self):
        """Have no threads."""

    deferred = staticmethod(Deferred)

    def run(self, function, *args, **kwargs):
        done = Deferred()
        self.waiting.append((done, function, args, kwargs))
        return done

    compute = run

    def step(self):
        """Do what waits; say whether there was anything."""
        working, self.waiting = self.waiting, []
        for done, function, args, kwargs in working:
            execute(function, *args, **kwargs).chainDeferred(done)
        return bool(working)


class MemoryServer:
    """The far end of one line.

    ``files`` maps paths to (File, content); ``change`` may replace what is sent of a download, and ``prove`` what is proved.
    It tells the heads of its log and proves by it what it shows.
    """

    def __init__(self, clock=None, pool=None, *, dialed=False, log=None, kept=()):
        self.clock = clock or Clock()
        self.pool = pool or TurnPool()
        self.wire = Connection.server(SERVER_KEY)
        self.log = LogInMemory(SERVER_KEY) if log is None else log
        self.users = {7: user(7, "ada", ADA_KEY), 8: user(8, "max", MAX_KEY)}
        self.files = {}
        self.folders = {}
        self.received = []
        self.confirmed = []  # who said, and what
        self.open = {}
        self.parked = {}  # chunks of uploads that were cut off, by their ids
        self.flowing = {}
        self.window = 16
        self.change = lambda file, content: (file, content)
        self.refuse = {}
        self.hold = False
        self.notices = []
        self.faults = []
        self.claims = []
        self.refuse_login = None
        self.lost = False
        self.me = 7
        self.info = SERVER
        self.compares = True
        self.takes = None  # chunks of an upload, after which it grants no more credit
        self.receipt_lies = {}
        self.answered_at_once = 64
        self.told = 0
        self.prove = lambda evidence: evidence
        self.key = SERVER_KEY
        self.has_log = True
        self.has_everybody = True  # whoever comes has a place in the log
        if log is not None or not dialed:
            known, self.users = self.users, People(self.log)
            for user_id in (8, 7):
                self.users[user_id] = known[user_id]
        if not dialed:
            claim = Claim.login("ada", ADA_KEY.public, "laptop")
            client = Connection.client(SERVER_KEY.public, claim, ADA_KEY)
            self.connection = ServerConnection(
                self.clock,
                client,
                self.pool,
                address="x:1",
                on_notice=self.notices.append,
                keep_fault=self.faults.append,
                log=LogFollower("acme", SERVER.server_id, kept, self._contradicted),
            )
            self.accept(self.connection.protocol)
            self.pump()

    def accept(self, link):
        """Be the far end of a client's protocol."""
        self.link = link
        self.transport = StringTransport()
        link.makeConnection(self.transport)

    # -- bytes ---------------------------------------------------------------------------------------

    def pump(self):
        """Move bytes both ways until nobody has more to say."""
        while self.pool.step() or self.transport.value():
            data = self.transport.value()
            self.transport.clear()
            for event in self.wire.receive(data) if data else ():
                self._take(event)
            if not self.wire.dead:
                self._give(self.wire.data_to_send())
            if self.transport.disconnecting and not self.lost:
                self.lose()

    def run(self, coroutine):
        """Run a coroutine of the client to its end and give its result, or raise its exception."""
        ended = []
        Deferred.fromCoroutine(coroutine).addBoth(ended.append)
        self.pump()
        assert ended, "it waits for ever"
        if hasattr(ended[0], "raiseException"):
            ended[0].raiseException()
        return ended[0]

    def lose(self):
        """Cut the line, without a word."""
        self.lost = True
        self.parked |= {begun.upload_id: chunks for begun, chunks in self.open.values() if chunks}
        self.link.connectionLost(Failure(ConnectionLost()))
        self.pump()

    def say_and_lose(self):
        """Cut the line in the middle of the login."""
        self._give(self.wire.data_to_send())
        self.lose()

    def send(self, message):
        if self.log.size > self.told:
            told, self.told = self.told, self.log.size
            self._give(self.wire.send(LogHead(self.log.note(), self.log.consistency(told))))
        self._give(self.wire.send(message))

    def proof_of(self, *paths):
        """What proves the files of these paths."""
        return self.prove(self.log.evidence_of(*[self.files[path][0] for path in paths if path in self.files]))

    def _contradicted(self, error, exhibits):
        self.exhibits = exhibits
        return error

    def _give(self, data):
        if data and not self.lost:
            self.link.dataReceived(data)

    # -- requests ----------------------------------------------------------------------------------------

    def _take(self, event):
        if isinstance(event, LoginRequested):
            self.claims.append(event.claim)
            self._give(self.wire.data_to_send())
            if self.refuse_login is not None:
                self._give(self.wire.refuse(self.refuse_login))
                return
            welcome = Welcome(self.me, event.claim.user_name, "maintainer", self.info)
            if self.me and self.has_log:
                self.log.key = self.key
                if self.me - 1 not in self.log.records[USERS] and self.has_everybody:
                    self.log.user(self.me, event.claim.user_name, event.claim.public_key)
                self.told = self.log.size
                welcome = replace(
                    welcome,
                    head=self.log.note(),
                    consistency=tuple(map(self.log.consistency, event.claim.log_sizes)),
                    evidence=self.log.evidence_of_user(self.me),
                )
            self._give(self.wire.welcome(welcome))
        elif isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, MessageReceived):
            self.received.append(event.message)
            if not self.hold:
                self.answer(event.message)

    def answer(self, message):
        error = self.refuse.get(type(message))
        if error is not None:
            self._refuse(message.id, error)
            return
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(message).__name__).lower()
        act = getattr(self, f"_{name}", None)
        if act is not None:
            act(message)

    def _refuse(self, request_id, error):
        self.send(Refusal(id=request_id, code=error.code, values=dict(error.values), ref="7F3K"))

    def _show_self(self, m):
        me = user(self.me, self.claims[-1].user_name, ADA_KEY)
        self.send(SelfShown(id=m.id, user=me, server=SERVER))

    def _show_user(self, m):
        found = self.users.get(m.user_id)
        if found is None:
            self._refuse(m.id, NotFoundError(what="user", name=str(m.user_id)))
        else:
            evidence = self.log.evidence_of_user(m.user_id)
            self.send(UserShown(id=m.id, user=found, evidence=evidence))

    def _show_file(self, m):
        if m.path in self.files:
            file = self.files[m.path][0]
            receipt = self.receipt_of(file) if m.receipt else ""
            self.send(FileShown(id=m.id, file=file, receipt=receipt, evidence=self.proof_of(m.path)))
        else:
            self._refuse(m.id, NotFoundError(what="file", name=m.path))

    def _read_log(self, m):
        self.send(LogPage(id=m.id, page=self.log.page(m)))

    def moved(self, old, new, by=ADA_KEY, user_id=7, *, signed=True, said=None):
        """Have a file, or a folder with all in it, moved by somebody; ``said`` is what the statement says otherwise."""
        is_file = old in self.files
        file = self.files[old][0] if is_file else None
        fields = {
            "file": file.id if file else b"",
            "version": file.version.number if file else 0,
            "old": old,
            "new": new,
        }
        statement = b""
        if signed:
            statement = sign_act(
                by,
                "move",
                {**fields, **(said or {})},
                server_id=SERVER.server_id,
                user_id=user_id,
                now=4000,
                head=NO_HEAD,
            )
        if is_file:
            self.files[new] = (replace(file, path=new), self.files.pop(old)[1])
            return self.log.move(file.id, old, new, user_id, statement)
        for path in [path for path in self.files if path.startswith(f"{old}/")]:
            below, content = self.files.pop(path)
            self.files[new + path.removeprefix(old)] = (replace(below, path=new + path.removeprefix(old)), content)
        return self.log.move_folder(old, new, user_id, statement)

    def _show_files(self, m):
        paths = m.paths[: self.answered_at_once]
        results = [
            ShownFile(self.files[path][0])
            if path in self.files
            else RefusedFile.of(NotFoundError(what="file", name=path))
            for path in paths
        ]
        self.send(FilesShown(id=m.id, results=tuple(results), evidence=self.proof_of(*paths)))

    def _confirm_received(self, m):
        self.confirmed.append((self.users[self.me], m))
        self.send(Done(id=m.id))

    def _make_folder(self, m):
        changed = m.path not in self.folders
        self.folders[m.path] = True
        self.send(Done(id=m.id, changed=changed))

    def _list_folder(self, m):
        """Pages of two entries, so that paging is met."""
        prefix = f"{m.path}/" if m.path else ""
        below = {path for path in {**self.files, **self.folders} if path.startswith(prefix)}
        if m.path and not below and m.path not in self.folders:
            self._refuse(m.id, NotFoundError(what="folder", name=m.path))
            return
        names = {path.removeprefix(prefix).split("/")[0] for path in below}
        names = sorted(names, key=lambda name: (prefix + name in self.files, fold(name)))
        start = int(m.cursor or 0)
        folders, files = [], []
        for name in names[start : start + 2]:
            path = prefix + name
            if path in self.files:
                files.append(self.files[path][0])
            else:
                inside = sum(1 for one in self.files if one.startswith(f"{path}/"))
                folders.append(Folder(path, inside, 0, 0))
        following = str(start + 2) if start + 2 < len(names) else ""
        self.send(FolderPage(id=m.id, page=Page(tuple(folders), tuple(files), following)))

    def _put_files(self, m):
        outcomes = [self._stored(each.path, each.signature, each.content) for each in m.files]
        results = tuple(
            RefusedFile.of(each) if isinstance(each, SftError) else StoredFile(each.version, each.unchanged)
            for each in outcomes
        )
        kept = [self.files[each.path][0] for each in m.files if each.path in self.files]
        good = [file for file, each in zip(kept, outcomes, strict=False) if not isinstance(each, SftError)]
        self.send(FilesStored(id=m.id, results=results, receipt=self.receipt_of(*good) if good else ""))

    def _get_files(self, m):
        results = []
        for each in m.files[: self.answered_at_once]:
            if each.path not in self.files:
                results.append(RefusedFile.of(NotFoundError(what="file", name=each.path)))
            elif len(self.files[each.path][1]) > SMALL_FILE_BYTES:
                results.append(RefusedFile.of(NotSmallError(path=each.path)))
            else:
                results.append(FileContent(*self.change(*self.files[each.path])))
        shown = [each.path for each in m.files[: self.answered_at_once]]
        frames, left = [[]], FRAME_OF_FILES_BYTES
        for result in results:
            weight_bytes = len(getattr(result, "content", b"")) + KIB
            if frames[-1] and weight_bytes > left:
                frames.append([])
                left = FRAME_OF_FILES_BYTES
            frames[-1].append(result)
            left -= weight_bytes
        for number, part in enumerate(frames):
            evidence, more = None if number else self.proof_of(*shown), number < len(frames) - 1
            self.send(FilesContent(id=m.id, results=tuple(part), evidence=evidence, more=more))

    def _begin_upload(self, m):
        if m.path in self.files and m.version == 1:
            self._refuse(m.id, self._exists(m.path))
            return
        there = self.parked.pop(m.upload_id, None)
        if m.resume is not None:
            digest = None if there is None else blake2b_512(b"".join(there)).digest()
            if there is None or m.resume != ResumePoint(len(there), digest):
                self._refuse(m.id, ResumeRefusedError(path=m.path, problem="it has another content"))
                return
            self.open[m.id] = (m, there)
            return
        self.open[m.id] = (m, [])

    def _find_upload(self, m):
        if m.upload_id in self.parked:
            self.send(UploadFound(id=m.id, chunks=len(self.parked[m.upload_id]), expires_at=9000))
        else:
            self._refuse(m.id, UploadGoneError())

    def _data(self, event):
        begun = self.open.get(event.request_id)
        if begun is None:
            return
        begun[1].append(event.chunk)
        if self.takes is not None and len(begun[1]) >= self.takes:
            return
        if len(begun[1]) % 8 == 0 and not event.last:
            self.send(Credit(id=event.request_id, chunks=8))

    def _commit_upload(self, m):
        begun = self.open.pop(m.id, None)
        if begun is not None:
            self._store(m.id, begun[0].path, m.signature, b"".join(begun[1]))

    def _cancel(self, m):
        if m.keep and m.id in self.open:
            begun, chunks = self.open[m.id]
            self.parked[begun.upload_id] = chunks
        if self.open.pop(m.id, None) is not None or self.flowing.pop(m.id, None) is not None:
            self.send(Done(id=m.id))

    def _exists(self, path):
        version = self.files[path][0].version
        return ExistsError(
            path=path,
            version=version.number,
            author=version.author,
            stored_at=version.stored_at,
            size=version.size,
            digest=digest_text(version.digest),
            author_id=version.author_id,
        )

    def _store(self, request_id, path, signature, content):
        outcome = self._stored(path, signature, content)
        if isinstance(outcome, SftError):
            self._refuse(request_id, outcome)
        else:
            self.send(FileStored(id=request_id, stored=outcome))

    def _stored(self, path, signature, content):
        """Keep a version, or say why not."""
        comment = FileComment.parse(FileSignature.parse(signature).comment)
        digest = digest_of(content)
        there = self.files.get(path)
        unchanged = there is not None and self.compares and there[0].version.digest == digest
        if there is not None and comment.version == 1 and not unchanged:
            return self._exists(path)
        if not unchanged:
            self.keep(path, content, comment, signature)
        file = self.files[path][0]
        return Stored(path, file.version.number, len(content), digest, self.receipt_of(file), unchanged=unchanged)

    def receipt_of(self, *files):
        receipts = {}
        for file in files:
            version = file.version
            fields = {
                "server_id": SERVER.server_id, "file_id": file.id, "version": version.number, "size": version.size,
                "digest": version.digest, "user": version.author_id, "name": version.signed_name, "stored_at": 5000,
                "leaf": version.leaf,
            }  # fmt: skip
            receipts[file.id, version.number] = Receipt(**{**fields, **self.receipt_lies})
        return sign_receipts(SERVER_KEY, [*receipts.values()])

    def keep(self, path, content, comment, signature, *, author="ada", key=ADA_KEY):
        """Have a file."""
        digest = digest_of(content)
        leaf = self.log.file(comment.file_id, path, comment.user, comment.version, digest, len(content))
        version = FileVersion(
            comment.version,
            comment.user,
            author,
            key.public.encode(),
            len(content),
            digest,
            comment.mtime,
            5000,
            comment.name,
            leaf,
            signature,
        )
        self.files[path] = (File(comment.file_id, path, comment.user, author, version), content)

    def _get_file(self, m):
        if m.path not in self.files:
            self._refuse(m.id, NotFoundError(what="file", name=m.path))
            return
        file, content = self.change(*self.files[m.path])
        self.send(FileBegins(id=m.id, file=file, evidence=self.proof_of(m.path)))
        chunks = [content[at : at + CHUNK_BYTES] for at in range(0, len(content) or 1, CHUNK_BYTES)]
        self.flowing[m.id] = chunks[m.first_chunk :]
        self._flow(m.id, m.window)

    def _credit(self, m):
        self._flow(m.id, m.chunks)

    def _flow(self, request_id, chunks):
        waiting = self.flowing.get(request_id)
        for _ in range(chunks):
            if not waiting:
                return
            chunk = waiting.pop(0)
            if not waiting:
                del self.flowing[request_id]
            self._give(self.wire.send_data(request_id, chunk, not waiting))


def session_of(server, state, profile, clock, carried_over=None):
    """Make ada's session with a server, perhaps with what the one before left."""
    pins = Pins(state, profile.server_id, own_pin(profile))
    session = Session(server.connection, state, profile, ADA_KEY, pins, server.pool, owns_pool=True, clock=clock)
    session.carried_over = carried_over or session.carried_over
    return session
