"""A command line without processes or network: streams in memory, a joined state on disk, a server that is a table."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from sft.cli.invocation import Environment
from sft.cli.main import main
from sft.client.carried_over import CarriedOver
from sft.client.joining import Joined
from sft.client.known_moves import KnownMoves
from sft.client.log_follower import LogFollower
from sft.client.pins import Pin
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.client.versions_seen import VersionsSeen
from sft.crypto import key_file
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey, ServerPublic, SigningKey
from sft.crypto.signatures import sign_file
from sft.errors import KeyLockedError, LocalProtocolError, NotFoundError, SftError
from sft.ledger.slots import SlotKey
from sft.model.access import Role
from sft.model.links import LinkHead
from sft.model.records import DeviceKey, File, FileVersion, TrashedFolder, User, UserState
from sft.wire.messages import FileShown, Reply, Request, ShowTrashed, TrashedShown, UserList, UserShown
from tests.unit.client.log_in_memory import USERS, LogInMemory

NOW = 1_777_816_800.0  # 3 May 2026, 14:00 UTC
KEY = SigningKey.from_seed(bytes(range(32)), bytes(range(8)))
OTHER_KEY = SigningKey.from_seed(bytes(range(1, 33)), bytes(range(1, 9)))
SERVER_KEY = ServerKey.from_seed(bytes(32))
SERVER = SERVER_KEY.public
PASSPHRASE = "correct horse"
_LISTED_BY = 100  # leaves: what tables list is in the log, and not newer than it


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class GoneTerminal(Terminal):
    """One that was closed while something was still to be written."""

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


class Threads:
    """A pool that does the work at once."""

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Deferred[Any]:
        return maybeDeferred(function, *args, **kwargs)

    compute = run


@dataclass
class Known:
    """The people whose keys this computer has seen."""

    people: dict[int, Pin]
    first_seen: list[Pin] = field(default_factory=list)

    def learn(self, users: Sequence[User], *, now: int) -> None:
        """Learn nobody."""


class AllMoved(KnownMoves):
    """Somebody signed every move."""

    def __init__(self, by: str) -> None:
        super().__init__()
        self._by = by

    def is_open(self, _file: File) -> bool:
        return False

    def require(self, _file: File) -> str:
        return self._by


@dataclass
class TableSession:
    """A session whose server is a table: the kind of a request, and what answers it."""

    profile: Profile
    answers: dict[type[Request], Callable[[Any], Reply]]
    pins: Known
    user_name: str = "ada"
    role: Role = Role.ADMIN
    asked: list[Request] = field(default_factory=list)
    pool: Threads = field(default_factory=Threads)
    closed: bool = False
    followed: ServerPublic | None = None
    quiet_seconds: float = 0.0
    versions_seen: VersionsSeen = field(kw_only=True)
    carried_over: CarriedOver = field(default_factory=CarriedOver)
    _written: LogInMemory = field(default_factory=lambda: LogInMemory(SERVER_KEY))
    log: LogFollower = field(init=False)
    role_before: str = ""
    added_keys: tuple[SlotKey, ...] = ()
    moves: KnownMoves = field(default_factory=lambda: AllMoved("max"))

    def __post_init__(self) -> None:
        self.log = LogFollower("acme-files", SERVER.server_id(), [], lambda error, _exhibits: error)
        while self._written.size < _LISTED_BY:
            self._written.append(time=2 * int(NOW))
        self.log.begin(SERVER, self._written.note(), [])
        self.log.hold(self._written.evidence())

    @property
    def user_id(self) -> int:
        return self.profile.user_id

    @property
    def link_head(self) -> LinkHead:
        seen = self.log.told.checkpoint
        return LinkHead(seen.origin.epoch, seen.size, seen.root)

    @property
    def server_name(self) -> str:
        return self.profile.server_name

    @property
    def server_key(self) -> ServerPublic:
        return self.profile.server

    @property
    def server_id(self) -> bytes:
        return self.profile.server_id

    @property
    def address(self) -> str:
        return self.profile.address

    def limit(self, bytes_per_second: int | None) -> None:
        """Have nothing to limit."""

    @staticmethod
    def sign_act(act: str, **fields: object) -> bytes:
        """Sign nothing: nobody here checks it."""
        del act, fields
        return b""

    async def request(self, kind: type[Request], reply: Any, /, **fields: Any) -> Any:
        request = kind(id=len(self.asked) + 1, **fields)
        self.asked.append(request)
        answer = self._proved(self.answers[kind](request))
        if not isinstance(answer, reply):
            raise LocalProtocolError(f"{kind.__name__} is not answered by {reply}")
        return answer

    def _proved(self, answer: Reply) -> Reply:
        """Let the log say what the table does: people and a file as they are shown."""
        before = self._written.size
        if isinstance(answer, UserShown | UserList):
            users = (answer.user,) if isinstance(answer, UserShown) else answer.page.users
            for each in users:
                keys = [SlotKey(key.public_key, key.start_leaf) for key in each.keys]
                self._written.user(each.id, each.name, *keys, state=each.state, role=each.role)
            places = [(USERS, each.id - 1) for each in users]
        elif isinstance(answer, FileShown):
            file, version = answer.file, answer.file.version
            key = SlotKey(version.public_key, 0)
            self._written.user(version.author_id, version.author, key)
            leaf = self._written.file(file.id, file.path, file.owner_id, version.number, version.digest, version.size)
            answer = replace(answer, file=replace(file, version=replace(version, leaf=leaf)))
            places = []
        else:
            return answer
        self.log.follow(self._written.note(), self._written.consistency(before))
        evidence = (
            self._written.evidence_of(answer.file) if isinstance(answer, FileShown) else self._written.evidence(places)
        )
        return replace(answer, evidence=self.log.hold(evidence))

    async def pin_authors(self, _files: Sequence[File]) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed = True


@dataclass
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def execute_now(act: Any, log: Callable[[str], object]) -> Any:
    """Run a coroutine that waits for nothing."""
    outcome: list[Any] = []
    Deferred.fromCoroutine(act(Clock())).addBoth(outcome.append)
    assert outcome, "it waits for something"
    if isinstance(outcome[0], Failure):
        assert outcome[0].value is not None
        raise outcome[0].value
    return outcome[0]


@dataclass
class CliFixture:
    """A computer that has joined one server, acme-files, as ada."""

    home: Path
    answers: dict[type[Request], Callable[[Any], Reply]] = field(default_factory=dict)
    people: dict[int, Pin] = field(default_factory=dict)
    first_seen: list[Pin] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    refuses: list[BaseException] = field(default_factory=list)
    sessions: list[TableSession] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    passphrases: list[str] = field(default_factory=list)
    joins: list[dict[str, Any]] = field(default_factory=list)
    screens: list[dict[str, Any]] = field(default_factory=list)
    screens_end: int = 0
    role: Role = Role.ADMIN
    followed: ServerPublic | None = None
    added_keys: tuple[SlotKey, ...] = ()

    @property
    def state(self) -> StateFolder:
        return StateFolder(self.home, self.home)

    def join(self, *, passphrase: str | None = None, name: str = "acme-files") -> Profile:
        # What deriving a key costs is tested in tests/unit/crypto.
        text = key_file.encode(KEY, passphrase, opslimit=32768, memlimit=1 << 20)
        self.state.write("keys/ada.key", text.encode())
        profile = Profile(
            name=name,
            server_name="acme-files",
            host="files.acme.org",
            port=7361,
            server_key=SERVER.point,
            server_id=SERVER.server_id(),
            public_key=KEY.public.encode(),
            key_file="keys/ada.key",
            device="ada-laptop",
            user_name="ada",
            user_id=1,
            role="admin",
            joined_at=int(NOW),
            pinned_at=int(NOW),
        )
        return Profiles(self.state).add(profile)

    def run(
        self,
        *arguments: str,
        typed: str | None = None,
        terminal: bool = False,
        gone: bool = False,
        piped: str = "",
        now: float = NOW,
    ) -> Ran:
        """Run a command; ``typed`` is what a person answers on a terminal, ``piped`` what standard input holds off one."""
        on_terminal = terminal or typed is not None
        out: io.StringIO = Terminal() if on_terminal else io.StringIO()
        out = GoneTerminal() if gone else out
        err: io.StringIO = Terminal() if on_terminal else io.StringIO()
        stdin = Terminal(typed or "") if on_terminal else io.StringIO(piped)
        environ = {"SFT_HOME": str(self.home), "TZ": "UTC", "NO_COLOR": "1", **self.environ}
        environment = Environment(
            environ,
            stdin,
            out,
            err,
            now=lambda: now,
            ask_secret=self._secret,
            execute=execute_now,
            execute_plain=execute_now,
            connect=self._connect,
            join=self._join,
            threads=lambda _: nullcontext(Threads()),
            screens=self._screens,
        )
        with redirect_stdout(out):
            status = main(arguments, environment)
        return Ran(status, out.getvalue(), err.getvalue())

    def _screens(self, environ: Any, **wanted: Any) -> int:
        self.screens.append({"environ": environ, **wanted})
        return self.screens_end

    def _secret(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self.secrets:
            raise KeyLockedError
        return self.secrets.pop(0)

    async def _join(self, _reactor: Any, state: StateFolder, link: Any, **wanted: Any) -> Joined:
        self.joins.append({"link": link, **wanted})
        if self.refuses:
            raise self.refuses.pop(0)
        profile = CliFixture(state.data).join()
        return Joined(profile, user(wanted["user_name"], link_role(link)), None)

    async def _connect(
        self,
        _reactor: Any,
        _state: StateFolder,
        profile: Profile,
        *,
        ask: Any,
        unknown_keys: bool = False,
        looking: bool = False,
        on_notice: Any = None,
    ) -> Any:
        del unknown_keys, looking, on_notice
        if self.refuses:
            error = self.refuses.pop(0)
            if getattr(error, "code", "") == "PASSPHRASE_WRONG":
                self.passphrases.append(await ask())
            raise error
        seen = VersionsSeen(self.state, profile.server_id)
        session = TableSession(
            profile,
            self.answers,
            Known(self.people, self.first_seen),
            followed=self.followed,
            versions_seen=seen,
            added_keys=self.added_keys,
        )
        session.role = self.role
        self.sessions.append(session)
        return session


def signed_file(
    path: str = "finance/2026/contract.pdf",
    content: bytes = b"the contract",
    *,
    key: SigningKey = KEY,
    author: str = "ada",
    author_id: int = 1,
    owner: str | None = None,
    number: int = 1,
    signed_name: str | None = None,
    dated_at: int = 1_777_398_000,
    size: int | None = None,
    **others: Any,
) -> File:
    """A file as a server shows it, with a signature that holds."""
    digest = blake2b_512(content).digest()
    file_id = blake2b_512(path.encode()).digest()[:16]
    comment = FileComment(
        server_id=SERVER.server_id(),
        file_id=file_id,
        version=number,
        size=len(content) if size is None else size,
        digest=digest,
        mtime=dated_at,
        name=signed_name or path,
        user=author_id,
        prev=None if number == 1 else bytes(64),
        ts=dated_at,
        head=NO_HEAD,
    )
    signature = sign_file(key, comment)
    version = FileVersion(
        number=number,
        author_id=author_id,
        author=author,
        public_key=key.public.encode(),
        size=comment.size,
        digest=digest,
        dated_at=dated_at,
        stored_at=1_777_713_060,
        signed_name=comment.name,
        leaf=1,
        signature=signature.encode(),
    )
    owner_id = author_id if owner is None else 99
    return File(file_id, path, owner_id, owner or author, version, **others)


def user(name: str = "ivo", role: Role = Role.GUEST, **others: Any) -> User:
    """A person as the registry has them."""
    key = DeviceKey(id=1, public_key=OTHER_KEY.public.encode(), device="laptop", added_at=int(NOW))
    fields: dict[str, Any] = {
        "id": 7,
        "name": name,
        "role": role,
        "state": UserState.ACTIVE,
        "created_at": int(NOW),
        "keys": (key,),
        "files": 17,
        "bytes_stored": 671_088_640,
    }
    return User(**{**fields, **others})


def link_role(link: Any) -> Role:
    return getattr(link, "role", Role.GUEST)


def pin_of_ada() -> Pin:
    return Pin(1, "ada", {KEY.public.encode(): 1_768_176_000})


def refusing(error: SftError) -> Callable[[Any], Reply]:
    """Answer a request with a refusal."""

    def refuse(_: Any) -> Reply:
        raise error

    return refuse


def trash_shown(held: Mapping[str, TrashedFolder | File]) -> Callable[[ShowTrashed], TrashedShown]:
    """Answer what lies in the trash at a path."""

    def show(request: ShowTrashed) -> TrashedShown:
        found = held.get(request.path)
        if found is None:
            raise NotFoundError(what="deleted file", name=request.path)
        if isinstance(found, File):
            return TrashedShown(request.id, found)
        return TrashedShown(request.id, folder=found)

    return show
