"""The server as the service that twistd runs: starting it, and its first words.

Rules. The last line of a start says where it listens: whoever waits for that finds everything done. What must not be lost, and
how an admin comes in, is said at every start until there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredLock

from sft.cli.next_steps import NextSteps
from sft.errors import RowForgedError
from sft.model.access import Role
from sft.model.events import DomainEvent, UserJoined
from sft.model.text import shell_path
from sft.operator.bootstrap import OpenedHome
from sft.operator.configuration import in_force
from sft.operator.home import Home
from sft.operator.log_stream import LOGGED
from sft.operator.process import ProcessService, on_terminal
from sft.operator.server import Server
from sft.service import invitations

SIGN_SECONDS: Final = 1.0  # a start that takes longer says what it is at


class ServerService(ProcessService):
    """What twistd runs.

    Args:
        steps: what is said next of an error of the start.
        flags: what ``sftd serve`` was given, by name of the option.
    """

    def __init__(self, reactor: Any, home: Home, steps: NextSteps, flags: Mapping[str, Any]) -> None:
        super().__init__(reactor, steps)
        self._home = home
        self._flags = flags
        self._server: Server | None = None
        self._turn = DeferredLock()  # of the start, of each reading anew, and of the stop
        self._is_stopping = False

    async def _start(self) -> None:
        async with self._turn:
            await self._start_server()

    async def _start_server(self) -> None:
        found = self._home.configured(self._flags)
        given = found.required()
        LOGGED.change(given.log_format, given.log_level)
        server = self._server = Server(
            self._reactor,
            self._home,
            given,
            flags=self._flags,
            listen=given.listen,
            event_log=self._event_log,
            on_fatal=self._fatal,
        )
        # Not into the line on which a passphrase is asked for.
        asks = given.master_key == "passphrase" and on_terminal()
        slow = None if asks else self._reactor.callLater(SIGN_SECONDS, self._say, f"Opening {self._home.path} …")
        try:
            await server.start()
        finally:
            if slow is not None and slow.active():
                slow.cancel()
        opened = server.opened
        if opened is None:
            return
        opened.context.options = in_force(given, found.sources)
        info = opened.context.info
        for note in opened.notes:
            self._event_log.note("recovered", what=note)
        link = await server.first_admin()
        at = server.address or given.listen
        self._say_first_words(opened, at, link)
        await self._say_who_is_missing(opened, shown=link is not None and on_terminal())
        self._event_log.note("listening", at=at, links_say=info.address, joining=info.registration)

    def reread(self) -> None:
        Deferred.fromCoroutine(self._reload()).addErrback(self._event_log.failed, "reload-fault")

    async def _reload(self) -> None:
        """Take what the configuration says now; one that is wrong changes nothing."""
        async with self._turn:
            if self._is_stopping or self._server is None or self._server.opened is None:
                return
            await self._server.look_at_control()
            found = await self._server.context.pool.run(self._home.configured_again, self._flags)
            for fault in found.faults:
                self._event_log.warn("reload-refused", place=fault.place, problem=fault.problem, do=fault.remedy)
            if found.faults:
                return
            done = await self._server.reload(found.configuration)
            context = self._server.context
            context.options = in_force(done.configuration, found.sources, context.options)
            LOGGED.change(done.configuration.log_format, done.configuration.log_level)
            for name in done.taken:
                self._event_log.note("option-changed", option=name, to=getattr(done.configuration, name))
            for name in done.waiting:
                self._event_log.warn("option-waits", option=name, until="restart")
            self._event_log.note("reloaded", taken=len(done.taken), waiting=len(done.waiting))

    async def _stop(self) -> None:
        self._is_stopping = True  # those that wait for their turn have nothing to read anew
        async with self._turn:
            if self._server is not None:
                await self._server.stop()

    def _say_first_words(self, opened: OpenedHome, at: str, link: str | None) -> None:
        info = opened.context.info
        words = opened.context.server_key.public.words()
        lines = []
        if opened.is_new:
            lines.append(f"{info.name} is new. Home {self._home.path}, closed to others. Server key {words}.")
        joining = {
            "invite": "People join by invitation only.",
            "open": "ANYBODY WHO HAS THE SERVER'S LINK CAN JOIN AND READ EVERY FILE (--registration open).",
            "closed": "Only an admin adds people.",
        }[info.registration]
        lines.append(f"Listening on {at}; invitations will say {info.address}. {joining}")
        self._say(*lines)
        if link is not None and on_terminal():
            self._say(f"First invitation (admin, once, for a day): {link}")
        elif link is not None:
            self._home.write_private(self._home.first_admin.name, link.encode() + b"\n")

    async def _say_who_is_missing(self, opened: OpenedHome, *, shown: bool) -> None:
        """Say, at every start until there is an admin, how one comes in and what must not be lost.

        Args:
            shown: the first invitation was shown just now, and stands nowhere else.
        """
        try:
            missing, invited = await opened.context.read(invitations.missing_admin)
        except RowForgedError as error:
            self._event_log.warn("admins-changed", what=str(error), look="vault check")
            missing, invited = False, False
        file = self._home.first_admin
        if missing and invited and file.exists():
            self._say(opened.advice, f"No admin yet. The first invitation (admin, once, for a day) is in {file}")
        elif missing and shown:
            self._say(opened.advice)
        elif missing:
            command = f"sftd --home {shell_path(str(self._home.path))} invite --role admin"
            self._say(opened.advice, f"No admin yet. Invite one: {command}")
        if not (missing and invited):
            self._home.drop_first_admin()
        elif file.exists():
            opened.context.watchers.append(self._watch)

    def _watch(self, events: Sequence[DomainEvent]) -> None:
        """Remove the first invitation from the disk once it is spent."""
        opened = self._server.opened if self._server is not None else None
        if opened is not None and any(isinstance(event, UserJoined) and event.role is Role.ADMIN for event in events):
            opened.context.watchers.remove(self._watch)
            gone = opened.context.pool.run(self._home.drop_first_admin)
            gone.addErrback(self._event_log.failed, "first-admin-fault")

    def _fatal(self, error: BaseException) -> None:
        self._end_with("database-fault", error)
