"""One question at a time: what the Servers screen asks, and what waits until no other question stands.

Rules. A dialog that ends closes the topmost one: so nothing of ours is put over a dialog that may still be working, and what
happened meanwhile is looked at again when its turn has come.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec

from sft.client.connection_info import Status
from tui.workers import begin

if TYPE_CHECKING:
    from tui.screens.servers import ServersView
    from tui.screens.servers_acts import ServersActs

P = ParamSpec("P")

_RETRY_SECONDS: Final = 0.3


class QuestionQueue:
    """The question under way, and the account that has to be asked about next."""

    def __init__(self, view: ServersView, acts: ServersActs) -> None:
        self._view = view
        self._acts = acts
        self._busy = False
        self._wanted = ""

    @property
    def busy(self) -> bool:
        """A journey is under way, and will say itself how it ended."""
        return self._busy

    def ask(
        self,
        way: Callable[P, Coroutine[None, None, None]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Begin a journey; while another one is under way it is dropped."""
        if not self._busy:
            self._busy = True
            begin(self._view, partial(self._go, partial(way, *args, **kwargs)), group="asking")

    def want(self, account: str) -> None:
        """Ask about a locked key or a changed server key as soon as nothing else is asked."""
        self._wanted = account
        self._next()

    async def _go(self, way: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await self._view.attempt(way())
            await self._view.read()
        finally:
            self._busy = False
            self._next()

    def _next(self) -> None:
        view = self._view
        if not self._wanted or self._busy or not view.is_attached:
            return
        if view.app.screen.is_modal:  # a question of another screen stands
            view.set_timer(_RETRY_SECONDS, self._next)
            return
        name, self._wanted = self._wanted, ""
        self.ask(self._about, name)

    async def _about(self, name: str) -> None:
        connection = self._view.connection
        accounts = [one for one in await self._view.gateway.accounts.all() if one.name == name]
        if not accounts or connection.account != name:
            return
        if connection.status is Status.STOPPED:
            await self._acts.stop(accounts[0])
        elif connection.status is Status.LOCKED:
            await self._acts.unlock(accounts[0])
