"""What leads to a server of this computer: joining, unlocking its key, connecting, another address or pinned key, a stop.

Rules. Each is a journey: a coroutine that asks what it has to and reports how it ended; whoever begins it sees that one runs at
a time. Nobody is ever asked to trust a key: a server link that a person gave is the only way on from a stop.
"""

from __future__ import annotations

from typing import Final, Protocol

from sft.client.connection_info import Status
from sft.errors import KeyLockedError, LedgerError, ServerKeyChangedError, SftError
from sft.model.access import Role
from sft.model.links import Link, format_address, parse_address
from sft.model.records import UserState
from sft.model.text import ROLE_OF_YOURS, shown_name
from tui.dialogs.ask import TextPrompt
from tui.dialogs.invitation import PasteInvitation
from tui.dialogs.join import Join
from tui.dialogs.log_stop import LogStop
from tui.dialogs.server_key import PasteServerLink, ServerKeyStop
from tui.dialogs.unlock import Unlock
from tui.gateway import Account
from tui.messages import Severity
from tui.text import cut_name, shown
from tui.view_context import ViewContext

_NAME_CELLS: Final = 40


class ServersContext(ViewContext, Protocol):
    """The screen, as its journeys find it."""

    def link_taken(self) -> None:
        """Note that joining is done with the link that was pasted."""


class ServerJourneys:
    """The journeys to a server."""

    def __init__(self, screen: ServersContext) -> None:
        self._screen = screen

    # -- joining -------------------------------------------------------------------------------------------

    async def paste(self, pending: Account | None = None) -> None:
        title, lines = "Join a server", ["An admin of that server makes an invitation for you."]
        if pending is not None:
            title = f"Go on joining {account_name(pending)}"
            lines = [
                "Your key for it is made and lies on this computer.",
                "Paste the same invitation again: joining goes on with that key.",
            ]
        link = await self._screen.app.push_screen_wait(PasteInvitation(title, lines))
        if link is not None:
            await self.join(link)

    async def join(self, link: Link) -> None:
        earlier = await self._screen.gateway.accounts.pending(link)
        if earlier is not None and earlier.joined:
            self._screen.report(f"This computer has joined {account_name(earlier)} with it already.")
            await self.connect(earlier)
            return
        suggested = self._screen.gateway.local.suggested_names()
        joined = await self._screen.app.push_screen_wait(Join(link, earlier, suggested))
        if joined is None:
            return
        self._screen.link_taken()
        await self._screen.gateway.use(joined.account.name, joined.passphrase)
        await self._welcome(joined.account)

    async def _welcome(self, account: Account) -> None:
        role = self._screen.connection.role
        you = ROLE_OF_YOURS[role] if role is not None else ""
        step = ""
        if role is Role.ADMIN and await self._is_only_admin():
            step = "You are the only admin. Invite a second one soon: 3, then i."
        await self._screen.sft.frame.go("files")
        name = shown(shown_name(account.user))
        self._screen.report(f"Welcome, {name}. {you}", Severity.SUCCESS, step)

    async def _is_only_admin(self) -> bool:
        try:
            people = await self._screen.gateway.people.users()
        except SftError:
            return False
        admins = [p for p in people if p.role is Role.ADMIN and p.state is UserState.ACTIVE]
        return len(admins) == 1

    # -- connecting ------------------------------------------------------------------------------------------

    async def connect(self, account: Account) -> None:
        """Connect an account; where it is connected already, show its files."""
        connection = self._screen.connection
        mine = connection.account == account.name
        if not account.joined:
            await self.paste(account)
            return
        if mine and connection.status is Status.STOPPED:
            await self.stop(account)
            return
        if not (mine and connection.online):
            try:
                await self._screen.gateway.use(account.name)
            except KeyLockedError:
                await self.unlock(account)
                return
            except (ServerKeyChangedError, LedgerError):
                return  # the connection says so, and the stop follows
        await self._connected(account)

    async def unlock(self, account: Account) -> None:
        if not await self._screen.app.push_screen_wait(Unlock(account)):
            await self._screen.sft.frame.go("servers")
            self._screen.report("Your key stays locked. Enter asks again.", Severity.WARNING)
            return
        connection = self._screen.connection
        if connection.online:
            await self._connected(account)
        elif connection.error is not None and connection.status is not Status.STOPPED:
            self._screen.report_error(connection.error)

    async def _connected(self, account: Account) -> None:
        await self._screen.sft.frame.go("files")
        self._screen.report(f"Connected to {account_name(account)}.", Severity.SUCCESS)

    async def demo(self) -> None:
        self._screen.report(f"Starting a server of your own{self._screen.sft.glyphs.ellipsis}")
        account = await self._screen.gateway.accounts.explore_demo()
        await self._screen.gateway.use(account)
        await self._screen.sft.frame.go("files")
        self._screen.sft.begin_tour()
        message = "This server is your own and private. Try anything: it goes when you quit."
        self._screen.report(message, Severity.SUCCESS)

    async def change_address(self, account: Account) -> None:
        wanted = await self._screen.app.push_screen_wait(
            TextPrompt(
                f"Where is {cut_name(shown(account.name), 50)} now?",
                lines=[
                    "Whoever answers there has to prove the key that is pinned here,",
                    "so a wrong address can do no harm.",
                ],
                label="Host and port, such as files.example.org:7361",
                value=account.address,
                act="Look there",
                check=lambda text: format_address(*parse_address(text)),
            )
        )
        if wanted is None or wanted == account.address:
            return
        changed = await self._screen.gateway.accounts.set_address(account.name, wanted)
        if self._screen.connection.account != account.name or not account.joined:
            message = f"{account_name(account)} is looked for at {shown(changed.address)} from now on."
            self._screen.report(message, Severity.SUCCESS)
            return
        await self._reconnect(changed, "Same server: its key is the pinned one.")

    async def take_link(self, account: Account, *, seen: str = "") -> None:
        """Take key and address from a server link that a person gave."""
        text = await self._screen.app.push_screen_wait(PasteServerLink(account, seen))
        if text is None:
            return
        changed = await self._screen.gateway.accounts.accept_link(account.name, text)
        same = changed.server_words == account.server_words
        message = "Only its address changed." if same else "Its new key is pinned."
        if self._screen.connection.account == account.name and account.joined:
            await self._reconnect(changed, f"{message} It proved that key just now.")
        else:
            self._screen.report(f"{account_name(account)}: {message}", Severity.SUCCESS)

    async def _reconnect(self, account: Account, message: str) -> None:
        try:
            await self._screen.gateway.use(account.name)
        except KeyLockedError:
            await self.unlock(account)
        except (ServerKeyChangedError, LedgerError):
            return
        if self._screen.connection.online:
            self._screen.report(message, Severity.SUCCESS)

    async def set_policy(self, account: Account) -> None:
        """Ask for the file of a policy, and log in again: what the log has of witnesses is judged by it from then on."""
        file = await self._screen.app.push_screen_wait(
            TextPrompt(
                f"Who witnesses the log of {account_name(account)}?",
                lines=["A policy (C2SP tlog-policy) names witnesses and the quorum that makes a checkpoint witnessed."],
                label="File of the policy, on this computer",
                value=f"{self._screen.sft.local_folder}/",
                act="Take it",
            )
        )
        if not file:
            return
        await self._screen.gateway.accounts.set_policy(account.name, file)
        message = f"{account_name(account)}: the policy is taken; what it finds of the log stands beside the list."
        if self._screen.connection.account == account.name and account.joined:
            await self._reconnect(account, message)
        else:
            self._screen.report(message, Severity.SUCCESS)

    async def stop(self, account: Account) -> None:
        """Stop at a changed key or a log that contradicts itself: report what happened, and offer the one way on."""
        error = self._screen.connection.error
        if isinstance(error, LedgerError):
            await self._screen.app.push_screen_wait(LogStop(account, error))
            self._screen.report("You stay disconnected. Nothing of that server is used.", Severity.WARNING)
            return
        values = error.values if error is not None else {}
        seen, evidence = str(values.get("shown", "")), str(values.get("evidence", ""))
        if await self._screen.app.push_screen_wait(ServerKeyStop(account, seen, evidence)):
            await self.take_link(account, seen=seen)
        else:
            self._screen.report("You stay disconnected. Nothing was sent.", Severity.WARNING)


def account_name(account: Account) -> str:
    """Write how this computer calls a server, as sentences have it: harmless, and cut."""
    return cut_name(shown(account.name), _NAME_CELLS)
