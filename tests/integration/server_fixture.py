"""One server in this process, people who joined it by real invitations, and clients that keep no rules of their own.

    ada   admin          max, mia   maintainers          gus   guest

A home with these four is made once a run and copied for each test.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXClientEndpoint, connectProtocol
from twisted.logger import Logger, LogLevel

from sft.client.api import people
from sft.client.connecting import connect
from sft.client.joining import join
from sft.client.profiles import Profiles
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.crypto import key_file
from sft.crypto.keys import ServerPublic, SigningKey
from sft.errors import SftError
from sft.limits import SMALL_FILE_BYTES
from sft.model.access import Role
from sft.model.links import parse_invitation
from sft.operator.configuration import Configuration
from sft.operator.home import Home
from sft.operator.server import Server
from sft.server.context import ServerContext
from sft.server.event_log import EventLog
from sft.store.row_types import UploadRow
from sft.store.statements import rows_of
from sft.transport.threads import Pool
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import LoginRefused, Welcomed
from sft.wire.login import Claim
from tests.fakes.signed_acts import signed_claim
from tests.integration.raw import (  # noqa: F401 - tests import all of the harness from here
    Person,
    Raw,
    RawUpload,
    alone,
    chunks_of,
    content,
    in_parallel,
    nobody_to_ask,
    on_reactor,
    pause,
    until,
)
from tests.loop import bridged  # noqa: F401

PEOPLE = {"ada": Role.ADMIN, "max": Role.MAINTAINER, "mia": Role.MAINTAINER, "gus": Role.GUEST}

# Every line that any server of this run has logged.
ALL_LINES: list[str] = []
# What no line may hold, by what it is.
SECRETS: dict[str, bytes] = {}


def leaks(lines: list[str], secrets: dict[str, bytes]) -> set[str]:
    """Name the secrets that stand somewhere in these lines, in any spelling."""
    text = "\n".join(lines)
    found = set()
    for what, secret in secrets.items():
        spelled = {secret.hex(), secret.hex().upper(), repr(secret)[2:-1]}
        spelled |= {base64.b64encode(secret).decode().rstrip("=")}
        spelled |= {base64.urlsafe_b64encode(secret).decode().rstrip("=")}
        if secret.isascii():
            spelled.add(secret.decode())
        if any(each in text for each in spelled):
            found.add(what)
    return found


class Lines:
    """An observer of Twisted's logger that keeps our lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def __call__(self, event: dict[str, Any]) -> None:
        line = str(event["line"])
        self.lines.append(line)
        if event["log_level"] is LogLevel.warn:
            self.warnings.append(line)
        ALL_LINES.append(line)


class ServerFixture:
    """A server over a copy of the home, and everybody who connects to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.log = Lines()
        self.fatal: list[BaseException] = []
        self.running: Server | None = None
        self.pool: Pool | None = None
        self.people: dict[str, Person] = {}
        self._astray: set[str] = set()
        self._raws: list[Raw] = []
        self._sessions: list[Session] = []

    # -- the server

    async def start(self, port: int = 0, **settings: Any) -> ServerFixture:
        """Start the server, at a port that is free unless one is named."""
        from twisted.internet import reactor

        event_log = EventLog(Logger(namespace="sft", observer=self.log))
        self.pool = Pool(reactor, name="clients")
        self.pool.start()
        given = {"name": "acme", **settings}
        self.running = Server(
            reactor,
            self.home,
            Configuration(**given),
            flags=given,
            listen=f"tcp:{port}:interface=127.0.0.1",
            event_log=event_log,
            on_fatal=self.fatal.append,
        )
        await self.running.start()
        for state in sorted((self.folder / "states").glob("*")):
            self.people[state.name] = self._person(state.name)
            self._astray.add(state.name)
        keyring = self.here.storage.vault.keyring
        server = self.server_key.point.hex()[:8]
        if self.home.master_key.exists():
            SECRETS[f"master key of {server}"] = bytes.fromhex(_only_hex(self.home.master_key))
        SECRETS[f"row key of {server}"] = keyring.row_key
        SECRETS[f"server seed of {server}"] = keyring.server_seed
        return self

    async def stop(self) -> None:
        for session in self._sessions:
            if session.alive:
                session.abort()
        for raw in self._raws:
            raw.abort()
        if self.running is not None:
            admission = self.here.admission
            await until(lambda: admission.waiting == 0, "strangers leave")
            await until(lambda: not self.here.sessions.all(), "sessions leave")
            server, self.running = self.running, None
            await server.stop()
        if self.pool is not None:
            self.pool.stop()

    async def halt(self, *, crash: bool = False, **options: float) -> int:
        """Stop the server while people are connected; gives its port, for another start there.

        Args:
            crash: every connection breaks first, as when its process is killed.
            options: of the server's own ``stop``.
        """
        port = self.port
        assert self.running is not None
        for session in self.here.sessions.all() if crash else ():
            session.link.fail(SftError("killed"))
        server, self.running = self.running, None
        await server.stop(**options)
        if self.pool is not None:
            self.pool.stop()
            self.pool = None
        return port

    @property
    def here(self) -> ServerContext:
        assert self.running is not None
        assert self.running.opened is not None
        return self.running.opened.context

    @property
    def port(self) -> int:
        assert self.running is not None
        return int(self.running.address.rpartition(":")[2])

    @property
    def server_key(self) -> ServerPublic:
        return self.here.server_key.public

    @property
    def lines(self) -> list[str]:
        return self.log.lines

    def incoming(self) -> list[str]:
        """Name what lies in the vault under a temporary name."""
        return os.listdir(self.home.vault / "incoming")

    def objects(self) -> list[Path]:
        """Name every file of the vault that is an object."""
        folder = self.home.vault / "objects"
        return sorted(path for path in folder.rglob("*") if path.is_file() and not path.suffix)

    def open_uploads(self) -> list[bytes]:
        """Name the objects that the database says are being written."""
        return [row.object_id for row in self.upload_rows()]

    def upload_rows(self) -> list[UploadRow]:
        with self.here.readers.reading() as reading:
            return reading.rows.all(rows_of(UploadRow))

    async def clean(self) -> None:
        """Make sure that nothing half-done lies anywhere: in the vault's folders and by its own check."""
        await until(lambda: not self.incoming(), f"incoming is empty: {self.incoming()}")
        await until(lambda: not self.open_uploads(), "no upload is open")
        report = await self.check()
        assert report.faults == ()

    async def check(self) -> Any:
        operator = await self.operator()
        return (await operator.ask(m.CheckVault, read_data=True)).report

    # -- people

    def state_of(self, name: str) -> StateFolder:
        """Return the state of a person's computer, as ``SFT_HOME`` makes it."""
        folder = self.folder / "states" / name
        return StateFolder(folder, folder)

    def point_at_server(self, name: str, port: int = 0) -> None:
        """Have a person who came with the template look for the server where it is now."""
        if name in self._astray or port:
            self._astray.discard(name)
            profiles = Profiles(self.state_of(name))
            profiles.update(profiles.choose().name, host="127.0.0.1", port=port or self.port)

    def _person(self, name: str) -> Person:
        state = self.state_of(name)
        profile = Profiles(state).choose()
        key = key_file.decode((state.data / profile.key_file).read_text(), lambda: "")
        SECRETS[f"seed of {name}"] = key.seed
        return Person(name, profile.user_id, key, profile.server_id)

    async def enroll(self, name: str, role: Role, by: Session | None) -> Session:
        """Have a person join by a real invitation, of an admin's or the first one."""
        from twisted.internet import reactor

        assert self.running is not None
        if by is None:
            text = await self.running.first_admin()
            assert text is not None
            link = parse_invitation(text)
        else:
            link, _ = await people.invite(by, role=role, name=name, seconds=3600)
        SECRETS[f"invitation of {name}"] = link.seed
        joined = await join(
            reactor,
            self.state_of(name),
            link,
            user_name=name,
            device="laptop",
            passphrase=None,
            ask=nobody_to_ask,
            pool=self.pool,
        )
        assert joined.user.role is role
        self.people[name] = self._person(name)
        return await self.session(name)

    async def session(self, name: str, **options: Any) -> Session:
        """Log in with the client library."""
        from twisted.internet import reactor

        state = self.state_of(name)
        self.point_at_server(name, options.pop("port", self.port))
        profile = Profiles(state).choose()
        session = await connect(reactor, state, profile, ask=nobody_to_ask, pool=self.pool, **options)
        self._sessions.append(session)
        return session

    async def raw(self, name: str, *, port: int = 0) -> Raw:
        """Log in with a connection that has no checks of its own."""
        person = self.people[name]
        claim = Claim.login(name, person.key.public, "laptop")
        return await self.dial(claim, person.key, port=port)

    async def dial(
        self,
        claim: Claim,
        key: SigningKey | None = None,
        invitation: Any = None,
        *,
        control: bool = False,
        port: int = 0,
    ) -> Raw:
        """Connect with any claim; comes back when it is answered, or the connection gone."""
        from twisted.internet import reactor

        claim = signed_claim(claim, key, self.here.storage.server_id)
        raw = Raw(Connection.client(self.server_key, claim, key, invitation), key)
        endpoint = (
            UNIXClientEndpoint(reactor, str(self.home.control))
            if control
            else TCP4ClientEndpoint(reactor, "127.0.0.1", port or self.port)
        )
        await connectProtocol(endpoint, raw.link)
        self._raws.append(raw)
        with suppress(ConnectionError):
            await raw.when(lambda: raw.inbox_has(Welcomed, LoginRefused))
        return raw

    async def operator(self) -> Raw:
        """Speak at the control socket."""
        return await self.dial(Claim.operator(), control=True)

    async def put(self, name: str, path: str, data: bytes, raw: Raw | None = None, **changes: Any) -> Any:
        """Store a file and come back with the answer."""
        person = self.people[name]
        raw = raw or await self.raw(name)
        if len(data) <= SMALL_FILE_BYTES:
            return await raw.put(path, person.sign(path, data, **changes), data)
        upload = RawUpload(raw, person, path, data, **changes).begin()
        return await upload.whole()

    async def get(self, raw: Raw, path: str, *, first_chunk: int = 0) -> bytes:
        """Get a file whole, or from a chunk on, granting credit as it comes."""
        request_id = raw.begin(m.GetFile, path=path, version=0, window=8, first_chunk=first_chunk)
        answer = await raw.answer(request_id)
        assert isinstance(answer, m.FileBegins), answer
        count = len(chunks_of(bytes(answer.file.version.size))) - first_chunk
        granted = 8
        while len(raw.data.get(request_id, [])) < count:
            had = len(raw.data.get(request_id, []))
            if granted < count and granted - had <= 8:
                raw.tell(m.Credit(id=request_id, chunks=8))
                granted += 8
            await raw.when(
                lambda: (
                    len(raw.data.get(request_id, [])) > had  # noqa: B023 - called at once
                    or len(raw.answers(request_id)) > 1
                )
            )
            assert len(raw.answers(request_id)) == 1, raw.answers(request_id)
        return b"".join(raw.data[request_id])


def _only_hex(path: Path) -> str:
    return max("".join(c if c in "0123456789abcdef" else " " for c in path.read_text()).split(), key=len)


async def make_template(folder: Path) -> None:
    """Make the home that tests copy."""
    server = ServerFixture(folder)
    await server.start()
    try:
        admin = await server.enroll("ada", PEOPLE["ada"], None)
        for name, role in PEOPLE.items():
            if name != "ada":
                await server.enroll(name, role, admin)
    finally:
        await server.stop()


@cache
def _contents(template: Path) -> tuple[list[tuple[str, int]], list[tuple[str, int, bytes]]]:
    """Give every folder and every file of a template, with its mode."""
    walked = [(Path(folder), files) for folder, _, files in os.walk(template)]
    folders = [(str(each.relative_to(template)), each.stat().st_mode & 0o777) for each, _ in walked]
    paths = [folder / name for folder, names in walked for name in names]
    return folders, [(str(p.relative_to(template)), p.stat().st_mode & 0o777, p.read_bytes()) for p in paths]


def copy_server(template: Path, folder: Path) -> ServerFixture:
    # A vault has 256 folders: from memory they are made in a quarter of the time that ``cp`` takes, which has to start.
    folders, files = _contents(template)
    for name, mode in folders:
        (folder / name).mkdir(mode)
    for name, mode, data in files:
        path = folder / name
        path.write_bytes(data)
        path.chmod(mode)
    return ServerFixture(folder)


class Held:
    def __init__(self, server: ServerFixture) -> None:
        self._queue = server.here.writer._queue

    async def queued(self, count: int) -> None:
        """Wait until so many acts wait behind the one that holds the writer."""
        await until(lambda: self._queue.qsize() >= count, f"{count} acts are queued")

    def count(self) -> int:
        return self._queue.qsize()


@contextmanager
def writer_held(server: ServerFixture) -> Iterator[Held]:
    """Keep the writer in an act, so that what is sent meanwhile is decided in the order in which it came."""
    free, begun = threading.Event(), threading.Event()

    def hold(_transaction, items):
        begun.set()
        free.wait(10)
        return [None for _ in items]

    server.here.writer.submit(hold, None)
    begun.wait(10)
    try:
        yield Held(server)
    finally:
        free.set()


@contextmanager
def readers_held(server: ServerFixture) -> Iterator[None]:
    """Keep the readers at work, so that whoever reads waits; not those of logins and of the operator."""
    free, pool = threading.Event(), server.here.reading_pool
    for _ in range(2):
        pool.run(free.wait, 10)
    try:
        yield
    finally:
        free.set()
