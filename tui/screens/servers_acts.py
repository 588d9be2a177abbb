"""The ways to a server that ask something: join, unlock, another address, a server link, and the stop at a changed key.

Rules. Each is a coroutine that one worker of the Servers screen runs, so no question ever stands over another. A refusal
is said and changes nothing. Nobody is ever asked to trust a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sft.client.connection_info import ConnectionInfo, Status
from sft.errors import KeyLockedError, ServerKeyChangedError, SftError
from sft.model.access import Role
from sft.model.records import UserState
from sft.model.text import count_text, shown_name
from tui.dialogs.address import ChangeAddress
from tui.dialogs.confirm import Confirm
from tui.dialogs.invitation import PasteInvitation
from tui.dialogs.join import Join
from tui.dialogs.server_key import PasteServerLink, ServerKeyStop
from tui.dialogs.unlock import Unlock
from tui.gateway import Account, Link
from tui.messages import Tone
from tui.screens.servers_about import YOU
from tui.text import cut_name, shown

if TYPE_CHECKING:
    from tui.screens.servers import ServersView

_NAME_CELLS = 40


class ServersActs:
    """The acts of one Servers screen."""

    def __init__(self, view: ServersView) -> None:
        self._view = view

    # -- joining -----------------------------------------------------------------------------------

    async def paste(self, pending: Account | None = None) -> None:
        """Ask for an invitation, and go on with it."""
        title, lines = "Join a server", ["An admin of that server makes an invitation for you."]
        if pending is not None:
            title = f"Go on joining {_name(pending)}"
            lines = [
                "Your key for it is made and lies on this computer.",
                "Paste the same invitation again: joining goes on with that key.",
            ]
        link = await self._view.app.push_screen_wait(PasteInvitation(title, lines))
        if link is not None:
            await self.join(link)

    async def join(self, link: Link) -> None:
        """Join with a whole link, and connect."""
        view = self._view
        earlier = await view.gateway.accounts.pending(link)
        if earlier is not None and earlier.joined:
            view.say(f"This computer has joined {_name(earlier)} with it already.", Tone.PLAIN)
            await self.connect(earlier)
            return
        suggested = view.gateway.local.suggested_names()
        joined = await view.app.push_screen_wait(Join(link, earlier, suggested))
        if joined is None:
            return
        view.joined()
        await view.gateway.use(joined.account.name, joined.passphrase)
        await self._welcome(joined.account)

    async def _welcome(self, account: Account) -> None:
        view = self._view
        role = view.connection.role
        you = YOU[role] if role is not None else ""
        step = ""
        if role is Role.ADMIN and await self._is_only_admin():
            step = "You are the only admin. Invite a second one soon: 3, then i."
        view.sft.frame.go("files")
        view.say(f"Welcome, {shown(shown_name(account.user))}. {you}", Tone.GOOD, step)

    async def _is_only_admin(self) -> bool:
        try:
            people = await self._view.gateway.people.users()
        except SftError:
            return False
        admins = [p for p in people if p.role is Role.ADMIN and p.state is UserState.ACTIVE]
        return len(admins) == 1

    # -- connecting ----------------------------------------------------------------------------------

    async def connect(self, account: Account) -> None:
        """Connect an account; where it is connected already, show its files."""
        view = self._view
        connection = view.connection
        mine = connection.account == account.name
        if not account.joined:
            await self.paste(account)
            return
        if mine and connection.status is Status.STOPPED:
            await self.stop(account)
            return
        if not (mine and connection.online):
            try:
                await view.gateway.use(account.name)
            except KeyLockedError:
                await self.unlock(account)
                return
            except ServerKeyChangedError:
                return  # the connection says so, and the stop follows
        self._connected(account)

    async def unlock(self, account: Account) -> None:
        """Ask for the passphrase of an account's key, and connect."""
        view = self._view
        if not await view.app.push_screen_wait(Unlock(account)):
            view.say("Your key stays locked. Enter asks again.", Tone.DOUBT)
            return
        connection = view.connection
        if connection.online:
            self._connected(account)
        elif connection.error is not None and connection.status is not Status.STOPPED:
            view.say_error(connection.error)

    def _connected(self, account: Account) -> None:
        view = self._view
        view.say(f"Connected to {_name(account)}.", Tone.GOOD)
        view.sft.frame.go("files")

    async def demo(self) -> None:
        """Start the demo and connect to it."""
        view = self._view
        view.say(f"Starting a server of your own{view.sft.glyphs.ellipsis}")
        account = await view.gateway.accounts.explore_demo()
        await view.gateway.use(account)
        view.sft.frame.go("files")
        view.say(
            "This server is your own and private. Try anything: it goes when you quit.", Tone.GOOD
        )

    # -- what is known of a server ---------------------------------------------------------------------

    async def address(self, account: Account) -> None:
        """Look for a server elsewhere."""
        view = self._view
        wanted = await view.app.push_screen_wait(ChangeAddress(account))
        if wanted is None or wanted == account.address:
            return
        changed = await view.gateway.accounts.set_address(account.name, wanted)
        if view.connection.account != account.name or not account.joined:
            where = shown(changed.address)
            view.say(f"{_name(account)} is looked for at {where} from now on.", Tone.GOOD)
            return
        await self._reconnect(changed, "Same server: its key is the pinned one.")

    async def link(self, account: Account, *, seen: str = "") -> None:
        """Take key and address from a server link that a person gave."""
        view = self._view
        text = await view.app.push_screen_wait(PasteServerLink(account, seen))
        if text is None:
            return
        changed = await view.gateway.accounts.accept_link(account.name, text)
        same = changed.server_words == account.server_words
        said = "Only its address changed." if same else "Its new key is pinned."
        if view.connection.account == account.name and account.joined:
            await self._reconnect(changed, f"{said} It proved that key just now.")
        else:
            view.say(f"{_name(account)}: {said}", Tone.GOOD)

    async def _reconnect(self, account: Account, said: str) -> None:
        view = self._view
        try:
            await view.gateway.use(account.name)
        except KeyLockedError:
            await self.unlock(account)
        except ServerKeyChangedError:
            return
        if view.connection.online:
            view.say(said, Tone.GOOD)

    async def stop(self, account: Account) -> None:
        """Stop at a changed key: say what happened, and offer the one way on."""
        view = self._view
        error = view.connection.error
        values = error.values if error is not None else {}
        seen = str(values.get("shown", ""))
        evidence = str(values.get("evidence", ""))
        if await view.app.push_screen_wait(ServerKeyStop(account, seen, evidence)):
            await self.link(account, seen=seen)
        else:
            view.say("You stay disconnected. Nothing was sent.", Tone.DOUBT)

    async def use_first(self, account: Account) -> None:
        """Use an account when none is named."""
        await self._view.gateway.accounts.set_first(account.name)
        self._view.say(f"{_name(account)} is used when none is named.", Tone.GOOD)

    async def forget(self, account: Account) -> None:
        """Forget a server, after asking."""
        view = self._view
        who = shown(shown_name(account.user))
        lines = [
            "This computer forgets address, pinned key and who you are there.",
            f"Your key is put aside, not destroyed: it still is the key of {who}."
            if account.joined
            else "The key that was made for it is put aside, not destroyed.",
        ]
        if account.joined:
            lines.append("Nothing changes on the server: your files and your account stay.")
        if view.connection.account == account.name and view.sft.queue.unfinished:
            count = view.sft.queue.unfinished
            waits = "transfer of it is" if count == 1 else "transfers of it are"
            lines.append(f"{count_text(count)} {waits} not done and will not go on.")
        question = Confirm(f"Forget {_name(account)} on this computer?", lines, act="Forget")
        if await view.app.push_screen_wait(question):
            await view.gateway.accounts.forget(account.name)
            view.say(f"{_name(account)} is forgotten here.", Tone.GOOD)


def back_words(connection: ConnectionInfo, unfinished: int) -> str:
    """Say that a lost server answers again."""
    name = shown(connection.server)
    if not unfinished:
        return f"{name} is back."
    return f"{name} is back; {count_text(unfinished)} transfer{'s go' if unfinished > 1 else ' goes'} on."


def notice_words(kind: str, values: dict[str, str | int], server: str) -> tuple[str, Tone] | None:
    """Say what a server told unasked; None for what needs no words."""
    by = shown(str(values.get("by", "")))
    whom = "The operator" if by in {"operator", ""} else by
    if kind == "role":
        try:
            role = Role(str(values.get("role", "")))
        except ValueError:
            return None
        return f"{YOU[role].replace(':', ' now:', 1)} {whom} changed it.", Tone.GOOD
    if kind == "ended":
        done = {
            "removed": f"{whom} removed you from {server}. What you got stays with you.",
            "disabled": f"{whom} locked you out of {server}. Your files stay there.",
            "kicked": f"{whom} ended this session.",
        }
        said = done.get(str(values.get("why", "")))
        return (said, Tone.BAD) if said else None
    return None


def _name(account: Account) -> str:
    return cut_name(shown(account.name), _NAME_CELLS)
