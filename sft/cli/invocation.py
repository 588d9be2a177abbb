"""One call of a command: where it runs, what all commands understand, and its session.

Rules. Everything that a test wants to replace is in ``Environment``: streams, environment, clock, the terminal, the reactor
and the way to a server. A command gets one ``Invocation`` and nothing global.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO, TypeVar

from msgspec import Struct, field

from sft.cli.console import Console
from sft.cli.next_steps import NEXT_STEPS
from sft.cli.prompts import AskSecret, Prompts, ask_on_terminal
from sft.cli.run import Act, execute, execute_plain
from sft.cli.tui_entry import Screens, full_screen
from sft.cli.waiting import wait_told
from sft.client.fault_log import FaultLog
from sft.client.quota_words import KIND as QUOTA
from sft.client.quota_words import quota_near_text
from sft.errors import PassphraseWrongError
from sft.model.names import safe
from sft.model.text import role_noun

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sft.client.concurrency import Pool
    from sft.client.connecting import OnNotice
    from sft.client.identity import Ask
    from sft.client.joining import Joined
    from sft.client.profiles import Profile, Profiles
    from sft.client.session import Session
    from sft.client.state import StateFolder
    from sft.crypto.keys import ServerPublic
    from sft.errors import SftError
    from sft.model.links import Link

T = TypeVar("T")

OverSession = Callable[["Session"], Coroutine[Any, Any, T]]
"""A coroutine function that is given a session."""

PASSPHRASE_TRIES: Final = 3


def key_followed(server: str, key: ServerPublic) -> str:
    """Return what is said once, when a server's key was followed by another one."""
    return f"{safe(server)} has a new key; the one pinned until now says so. Pinned: {key.words()}"


def key_added(server: str, public_key: bytes, leaf: int) -> str:
    """Return what is said once, when another key of ours vouched for one, at a leaf, that this computer had not seen."""
    from sft.crypto.keys import PublicKey

    key = PublicKey.decode(public_key)
    return (
        f"A key was added for you on {safe(server)}: {key.words()}. "
        f"Not by you? sft key device revoke {key.text()} --stolen-since {leaf}"
    )


class Execute(Protocol):
    """Runs a coroutine on a reactor; see ``sft.cli.run.execute``."""

    def __call__(self, act: Act[T], log: Callable[[str], object]) -> T: ...


class Connect(Protocol):
    """Opens a session; see ``sft.client.session.connect``."""

    def __call__(
        self,
        reactor: Any,
        state: StateFolder,
        profile: Profile,
        *,
        ask: Ask,
        unknown_keys: bool = False,
        looking: bool = False,
        on_notice: OnNotice | None = None,
    ) -> Awaitable[Session]: ...


async def connect_over_network(
    reactor: Any, state: StateFolder, profile: Profile, *, ask: Ask, **options: Any
) -> Session:
    from sft.client.connecting import connect

    return await connect(reactor, state, profile, ask=ask, **options)


async def join_over_network(reactor: Any, state: StateFolder, link: Link, **wanted: Any) -> Joined:
    from sft.client.joining import join

    return await join(reactor, state, link, **wanted)


def threads_of(reactor: Any) -> AbstractContextManager[Pool]:
    from sft.client.concurrency import running_pool

    return running_pool(reactor)


class Environment(Struct, frozen=True):
    """Where a command runs.

    Args:
        now: Unix seconds.
        ask_secret: asks on the terminal, without echo.
        execute: runs a coroutine on Twisted's reactor, for as long as it takes.
        execute_plain: runs one that ends by itself, on a loop that starts sooner.
        connect: opens a session.
        join: joins a server.
        threads: runs what blocks outside a session.
        screens: opens the full-screen UI.
    """

    environ: Mapping[str, str]
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    stdout: TextIO = field(default_factory=lambda: sys.stdout)
    stderr: TextIO = field(default_factory=lambda: sys.stderr)
    now: Callable[[], float] = time.time
    ask_secret: AskSecret = ask_on_terminal
    execute: Execute = execute
    execute_plain: Execute = execute_plain
    connect: Connect = connect_over_network
    join: Callable[..., Awaitable[Joined]] = join_over_network
    threads: Callable[[Any], AbstractContextManager[Pool]] = threads_of
    screens: Screens = full_screen


class Invocation:
    """One call of a command.

    ``profile_name``, ``progress`` and the console's ``json`` and ``quiet`` are what the common options say; ``stopped`` says
    what an interrupt leaves; ``steps`` are the next steps about errors; ``reactor`` is there while a session is; ``ended`` is
    what ended it in the middle for good, when there is something to report all the same.
    """

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.environ = environment.environ
        self.console = Console(environment.stdout, environment.stderr, environment.environ)
        self.prompts = Prompts(self.console, environment.stdin, environment.ask_secret)
        self.profile_name: str | None = None
        self.progress: str | None = None
        self.reactor: Any = None
        self.ended: SftError | None = None
        self.steps = NEXT_STEPS
        self._typed: str | None = None  # a passphrase, for the next connection of a command that goes on
        self.stopped: Callable[[], str] = lambda: "Stopped."

    @property
    def on_terminal(self) -> bool:
        """Whether a person sees a whole screen and types: not so on one that cannot place text."""
        console = self.console
        return self.prompts.from_terminal and console.out_is_terminal and not console.is_dumb

    @property
    def now(self) -> float:
        return self.environment.now()

    @cached_property
    def state(self) -> StateFolder:
        from sft.client.state import state_from

        return state_from(self.environ)

    @cached_property
    def log(self) -> FaultLog:
        return FaultLog(self.state.data)

    @property
    def profiles(self) -> Profiles:
        from sft.client.profiles import Profiles

        return Profiles(self.state)

    def profile(self) -> Profile:
        """The server that the command is about; NotJoinedError or ProfileUnknownError if there is none."""
        return self.profiles.choose(self.profile_name or self.environ.get("SFT_PROFILE") or None)

    def run(self, act: Act[T]) -> T:
        """Run a coroutine that ends by itself."""
        return self.environment.execute_plain(act, self.log.keep)

    def talk(self, act: OverSession[T], profile: Profile | None = None, *, unknown_keys: bool = False) -> T:
        """Log in, run a coroutine over the session, and close it.

        Args:
            unknown_keys: the person looks at keys of their own that this computer does not know.
        """
        return self.run(self._talking(act, profile or self.profile(), unknown_keys=unknown_keys))

    def _talking(self, act: OverSession[T], profile: Profile, *, unknown_keys: bool) -> Act[T]:

        async def talking(reactor: Any) -> T:
            self.reactor = reactor
            async with await self.connected(reactor, profile, unknown_keys=unknown_keys) as session:
                with wait_told(self.console, reactor, session.server_name, lambda: session.quiet_seconds):
                    answer = await act(session)
                # Where a person reads along: no script can compare words by phone.
                if self.console.err_is_terminal and session.pins.first_seen:
                    from sft.cli.people_output import first_seen_lines

                    for line in first_seen_lines(session.pins.first_seen):
                        self.console.note(line)
                return answer

        return talking

    async def connected(
        self, reactor: Any, profile: Profile, *, unknown_keys: bool = False, looking: bool = False
    ) -> Session:
        """Log in; a passphrase typed wrong may be typed again."""
        for left in reversed(range(PASSPHRASE_TRIES)):
            try:
                with wait_told(self.console, reactor, profile.name):
                    session = await self.environment.connect(
                        reactor,
                        self.state,
                        profile,
                        ask=self.ask(profile.name),
                        unknown_keys=unknown_keys,
                        looking=looking,
                        on_notice=self._noticed,
                    )
            except PassphraseWrongError:
                self.forget_passphrase()
                if not left or self.environ.get("SFT_PASSPHRASE_FILE"):
                    raise
                self.console.warn("That passphrase does not open the key.")
                continue
            if session.followed is not None:
                self.console.note(key_followed(session.profile.name, session.server_key))
            for added in session.added_keys:
                self.console.note(key_added(session.profile.name, added.public_key, added.start))
            if session.role_before:
                self.console.note(
                    f"You are {role_noun(session.role)} on {safe(session.profile.name)} now (was {safe(session.role_before)})."
                )
            return session
        raise AssertionError  # the last try returned or raised

    def forget_passphrase(self) -> None:
        """Ask anew: what was typed does not open the key."""
        self._typed = None

    def _noticed(self, notice: Any) -> None:
        """Say what a server tells unasked that a person is to know now."""
        if notice.kind == QUOTA and (said := quota_near_text(notice.values)) is not None:
            self.console.warn(said)

    def ask(self, name: str) -> Ask:
        """Return where the passphrase of a profile's key comes from; what was typed stands until it does not open the key."""
        from sft.client.identity import passphrase_from

        async def ask() -> str:
            if self._typed is None:
                self._typed = self.prompts.secret(f"Passphrase of your key for {name}: ")
            return self._typed

        return passphrase_from(self.environ, ask)
