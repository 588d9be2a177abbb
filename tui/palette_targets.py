"""What the palette offers: acts of every screen, folders that were visited, people and servers.

Rules. Acts of the screen in sight stand first, then those of everywhere, then those of the other screens: to choose one goes
there, and does it or says why not, as its key would. Nothing here waits but what the server, or the disk, is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from sft.errors import SftError
from sft.model.records import User, UserState
from sft.model.text import shown_name
from tui.context import AppContext
from tui.dialogs.palette import Offer, PaletteTarget
from tui.keys import SCREEN_IDS, TITLES, Action, acts_of
from tui.screens.files import FilesView
from tui.screens.people import USERS, PeopleView
from tui.screens.servers import ServersView
from tui.text import folder_text, shown
from tui.view import View


class PaletteFrame(Protocol):
    """What shows the screens."""

    screen_id: str

    @property
    def sft(self) -> AppContext: ...

    @property
    def view(self) -> View: ...

    def view_of(self, screen_id: str) -> View: ...

    def offers(self) -> list[tuple[str, list[Offer]]]: ...

    async def go(self, screen_id: str) -> None: ...

    async def perform(self, act_id: str) -> None: ...


class PaletteTargets:
    """All of it."""

    def __init__(self, frame: PaletteFrame, people: PeopleView, files: FilesView, servers: ServersView) -> None:
        self._frame = frame
        self._people = people
        self._files = files
        self._servers = servers

    def at_once(self) -> list[PaletteTarget]:
        """Return what is known here: acts and folders."""
        here = [offer for _, found in self._frame.offers() for offer in found]
        acts = [self._act(offer) for offer in here if offer.act.scope != "list" or offer.act.weight]
        known = {each.key for each in acts}
        acts += [each for each in self._elsewhere() if each.key not in known]
        # What can be done stands above what cannot.
        acts.sort(key=lambda target: bool(target.reason))
        return [*acts, *self._folders()]

    async def asked_for(self) -> list[PaletteTarget]:
        """Return servers and people."""
        gateway = self._frame.sft.gateway
        found: list[PaletteTarget] = []
        with contextlib.suppress(SftError):
            found += [
                self._server(account.name, account.address)
                for account in await gateway.accounts.all()
                if account.joined
            ]
        if gateway.connection.online:
            with contextlib.suppress(SftError):
                found += self._persons(await gateway.people.users())
        return found

    # -- acts ------------------------------------------------------------------------------------------------

    def _act(self, offer: Offer) -> PaletteTarget:
        act = offer.act
        return _target(act, offer.where, offer.reason, partial(self._frame.perform, act.id))

    def _elsewhere(self) -> Iterator[PaletteTarget]:
        for screen_id in SCREEN_IDS:
            if screen_id == self._frame.screen_id:
                continue
            view = self._frame.view_of(screen_id)
            for act in acts_of(screen_id):
                # Of a screen that was not shown yet only what the role and the connection say is known.
                reason = view.reason_against(act) if view.is_attached else View.reason_against(self._frame.view, act)
                yield _target(act, TITLES[screen_id], reason, partial(self._go_and_do, screen_id, act.id))

    async def _go_and_do(self, screen_id: str, act_id: str) -> None:
        await self._frame.go(screen_id)
        await self._frame.view.action_act(act_id)

    # -- places ----------------------------------------------------------------------------------------------

    def _folders(self) -> Iterator[PaletteTarget]:
        home = str(Path.home())
        for is_local, folder in reversed(self._files.memory.visited):
            says = folder_text(folder, home) if is_local else f"/{shown(folder)}"
            where = "folder here" if is_local else "folder"
            do = partial(self._go_to_folder, folder, is_local=is_local)
            yield PaletteTarget(f"{where} {folder}", says, where, do)

    async def _go_to_folder(self, folder: str, *, is_local: bool) -> None:
        await self._frame.go("files")
        self._files.show_folder(folder, is_local=is_local)

    def _persons(self, users: list[User]) -> list[PaletteTarget]:
        return [
            PaletteTarget(
                f"person {user.id}", shown(shown_name(user.name)), user.role.value, partial(self._go_to, user)
            )
            for user in users
            if user.state is not UserState.REMOVED
        ]

    async def _go_to(self, user: User) -> None:
        await self._frame.go("people")
        if self._people.lists.tab != USERS:
            self._people.lists.pick(USERS)
            self._people.shown()
        self._people.lists.list_of(USERS).aim(str(user.id))

    def _server(self, name: str, address: str) -> PaletteTarget:
        return PaletteTarget(f"server {name}", shown(name), "server", partial(self._use, name), also=shown(address))

    async def _use(self, name: str) -> None:
        await self._frame.go("servers")
        self._servers.aim(name)


def _target(act: Action, where: str, reason: str, do: Callable[[], Awaitable[None]]) -> PaletteTarget:
    return PaletteTarget(act.id, act.description, where, do, act.key_shown if act.keys else "", reason, act.label)
