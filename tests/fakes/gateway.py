"""The one fake gateway: the real one and the real client library, over a network in memory, to a real server in this process.

Rules. What a test wants to happen it asks of the switches here (``lose``, ``come_back``, ``change_key``, ``fail_next``,
``brake``) or does at the server; everything else is what sft does. Measured on a busy core: 2 ms for the server, 23 for keys,
profile and pins, 8 for the login, and 500 for the app that begins.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import itertools
import tempfile
from functools import partial
from pathlib import Path

from sft.client.heads import Head, Heads
from sft.client.pins import Pins
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.client.transfers.progress import Progress, TransferStage
from sft.crypto import key_file
from sft.crypto.keys import ServerKey
from sft.crypto.signed_note import text_of
from sft.errors import SftError
from sft.ledger.checkpoints import Checkpoint
from sft.limits import MIB
from sft.model.links import parse_address
from tests.fakes.agent_thread import on_a_thread
from tests.fakes.memory_network import InlinePool
from tests.fakes.memory_service import MemoryService, folder, key_of
from tui.live import LiveGateway

_CHEAP = {"opslimit": 1 << 15, "memlimit": MIB}
REFERENCE = "7F3K-29QD"


class Switched:
    """A part of the gateway, some of whose calls fail when a test says so.

    Args:
        fail_next: errors to be raised once, by the name of what is asked.
    """

    def __init__(self, part, fail_next: dict[str, SftError]) -> None:
        self._part = part
        self._fail_next = fail_next

    def __getattr__(self, name: str):
        found = getattr(self._part, name)
        if name not in self._fail_next:
            return found

        async def fail(*_: object, **__: object):
            raise self._fail_next.pop(name)

        return fail


@dataclasses.dataclass
class Brake:
    """Holds every transfer at a part of its way before it begins, so that what runs can be looked at.

    Args:
        at: 0 to 1; None holds nothing.
    """

    at: float | None = None
    released: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def hold(self, items, report, stage: TransferStage) -> None:
        """Tell of the first item that it is so far, and wait."""
        if self.at is None or not items:
            return
        (first, *_) = items
        if report is not None:
            size = first.size or 0
            report(Progress(0, first.path, stage, int(self.at * size), size))
        await self.released.wait()


class BrakedTransfers(Switched):
    """Transfers that can be held."""

    def __init__(self, part, fail_next: dict[str, SftError], brake: Brake) -> None:
        super().__init__(part, fail_next)
        self._brake = brake

    async def put(self, items, *, report=None, **options):
        await self._brake.hold(items, report, TransferStage.SENDING)
        return await self.__getattr__("put")(items, report=report, **options)

    async def get(self, items, *, report=None, **options):
        await self._brake.hold(items, report, TransferStage.RECEIVING)
        return await self.__getattr__("get")(items, report=report, **options)

    async def verify(self, items, *, report=None):
        await self._brake.hold(items, report, TransferStage.RECEIVING)
        return await self.__getattr__("verify")(items, report=report)


class _Drawn:
    """Bytes that are other ones each time, and the same in each test."""

    def __init__(self) -> None:
        self._count = itertools.count()

    def __call__(self, size: int) -> bytes:
        return hashlib.shake_256(b"%d" % next(self._count)).digest(size)


class KnownLocalState(Switched):
    """What this computer keeps; nothing of it is drawn by lot or named after the machine."""

    def __init__(self, part, fail_next: dict[str, SftError]) -> None:
        super().__init__(part, fail_next)
        self.faults: list[str] = []

    def keep_fault(self, text: str) -> str:
        self.faults.append(text)
        return REFERENCE

    def suggested_names(self) -> tuple[str, str]:
        return "ivo2", "ivo-laptop"


class Saved:
    """The small files of the state, by name."""

    def __init__(self, state: StateFolder) -> None:
        self._state = state

    def __getitem__(self, name: str) -> bytes:
        return self._state.path(name).read_bytes()

    def get(self, name: str, default: bytes = b"") -> bytes:
        return default if (data := self._state.read(name)) is None else data

    def __setitem__(self, name: str, data: bytes) -> None:
        self._state.write(name, data)


class FakeGateway:
    """A computer, its accounts, and its way to a server.

    Args:
        user: who this computer's first account is; empty for a computer that has joined nothing.
        passphrase: of that account's key; empty for none.
        demo: whether a demo is offered: it is another account of this very server.
        beside: another program of the same person on the same computer.
    """

    def __init__(
        self,
        service: MemoryService,
        user: str = "max",
        *,
        passphrase: str = "",
        demo: bool = False,
        beside: FakeGateway | None = None,
    ) -> None:
        if service.context is None:
            service.listen()
        self.service = service
        self.fail_next: dict[str, SftError] = {}
        self.brake = Brake()
        self.state = _new_state() if beside is None else beside.state
        self.saved = Saved(self.state)
        if user and beside is None:
            self.add_account(user, passphrase=passphrase)
        live = self._live = LiveGateway(
            service.reactor,
            self.state,
            {},
            begin_demo=self._begin_demo if demo else None,
            pool=InlinePool(service.reactor),
            clock=lambda: service.now,
            entropy=_Drawn(),
            encode_key=partial(key_file.encode, **_CHEAP),
            start_agent=on_a_thread(lambda: service.now),
        )
        self.accounts = Switched(live.accounts, self.fail_next)
        self.files = Switched(live.files, self.fail_next)
        self.transfers = BrakedTransfers(live.transfers, self.fail_next, self.brake)
        self.people = Switched(live.people, self.fail_next)
        self.keys = Switched(live.keys, self.fail_next)
        self.activity = Switched(live.activity, self.fail_next)
        self.local = KnownLocalState(live.local, self.fail_next)
        self.faults = self.local.faults
        self.listen = live.listen
        self.use = live.use
        self.again = live.again
        self.close = live.close

    @property
    def connection(self):
        return self._live.connection

    # -- what a test makes happen -----------------------------------------------------------------------

    def break_line(self) -> None:
        """Break the line once; the next try connects again."""
        self.service.network.break_all()
        self.again()  # it is looked at now, not in half a second

    def lose(self) -> None:
        """Cut the line."""
        self.service.network.cut()
        self.again()

    def come_back(self) -> None:
        """Mend the line; it is noticed at the next try."""
        self.service.network.mend()

    def change_key(self) -> None:
        """Put another server in the place of this one; it is noticed at the next try."""
        self.service.replace_key(ServerKey.from_seed(bytes([7]) * 32))
        self.break_line()

    def fork_log(self) -> None:
        """Have this computer keep a head that the server's log does not go on; it is noticed at the next try."""
        service = self.service
        note = service.sign_head(3, bytes(32))
        Heads(self.state, service.server_id).keep(Head(Checkpoint.parse(text_of(note)), note))
        self.break_line()

    def revoke(self) -> None:
        """Have the server let this key in no more; it is noticed at the next try."""
        self.service.change_user(self.connection.user, state="disabled")
        self.break_line()

    def protect(self, account: str, passphrase: str) -> None:
        """Protect a key as another program of this person does."""
        profile = Profiles(self.state).choose(account)
        text = key_file.encode(key_of(profile.user_name), passphrase, **_CHEAP)
        self.state.write(profile.key_file, text.encode())

    def key_path(self, account: str) -> Path:
        return self.state.path(Profiles(self.state).choose(account).key_file)

    def opens(self, account: str, passphrase: str) -> bool:
        """Whether a passphrase opens the key of an account."""
        text = self.saved[Profiles(self.state).choose(account).key_file].decode()
        return bool(key_file.decode(text, lambda: passphrase))

    def tell(self, kind: str, **values: str | int) -> None:
        """Have the server say something unasked."""
        self.service.tell(self.connection.user, kind, values)

    def add_account(self, user: str, *, passphrase: str = "", **fields: object) -> Profile:
        """Have somebody's account on this computer."""
        return add_account(self.state, self.service, user, passphrase=passphrase, **fields)

    def _begin_demo(self) -> Path:
        state = _new_state()
        add_account(state, self.service, "ada")
        return state.data


def add_account(
    state: StateFolder, service: MemoryService, user: str, *, passphrase: str = "", **fields: object
) -> Profile:
    """Keep key, profile and pins as somebody's computer does who joined when they did."""
    person, key = service.user(user), key_of(user)
    name = f"keys/{len(Profiles(state).all())}.key"
    cost = _CHEAP if passphrase else {}
    state.write(name, key_file.encode(key, passphrase or None, **cost).encode())
    host, port = parse_address(service.address)
    given: dict[str, object] = {
        "name": service.name, "server_name": service.name, "host": host, "port": port,
        "server_key": service.key.public.point, "server_id": service.storage.server_id,
        "public_key": key.public.encode(), "key_file": name, "device": person.keys[0].device,
        "user_name": user, "user_id": person.id, "role": person.role.value,
        "joined_at": person.created_at, "pinned_at": person.created_at,
    }  # fmt: skip
    pins = Pins(state, service.storage.server_id)
    for one in service.users:
        pins.learn([one], now=one.created_at)
    return Profiles(state).add(Profile(**{**given, **fields}))


def _new_state() -> StateFolder:
    made = Path(tempfile.mkdtemp(dir=folder()))
    return StateFolder(made, made, made / "run")
