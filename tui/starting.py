"""The beginning: which screens there are, which account is used first, and what help and palette offer."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sft.errors import KeyLockedError, SftError
from tui.dialogs.help import Help
from tui.dialogs.palette import Palette
from tui.main_screen import MainScreen
from tui.screens.files import FilesView
from tui.screens.identity import IdentityView
from tui.screens.people import PeopleView
from tui.screens.servers import ServersView
from tui.screens.transfers import TransfersView

if TYPE_CHECKING:
    from tui.app import SftApp


def frame_of(app: SftApp) -> MainScreen:
    """Make the frame with all screens in it."""
    frame = MainScreen(
        [
            FilesView(app.here, id="view-files"),
            TransfersView(id="view-transfers"),
            PeopleView(id="view-people"),
            IdentityView(id="view-identity"),
            ServersView(id="view-servers"),
        ]
    )
    frame.fit(app.size)
    return frame


async def first_account(app: SftApp) -> None:
    """Use the account that was asked for, or the first; without any, show where to join."""
    servers = cast("ServersView", app.frame.view_of("servers"))
    try:
        accounts = [one for one in await app.gateway.accounts.all() if one.joined]
    except SftError as error:
        app.frame.go("servers")
        servers.say_error(error)
        return
    wanted = [one for one in accounts if one.name == app.start]
    first = wanted or [one for one in accounts if one.in_use_first] or accounts
    if not first:
        app.frame.go("servers")
        return
    try:
        app.frame.go("files")
        await app.gateway.use(first[0].name)
    except KeyLockedError:
        app.frame.go("servers")
        servers.post_unlock(first[0].name)
    except SftError as error:
        if not app.gateway.connection.online:
            servers.say_error(error)


def offer_palette(app: SftApp) -> None:
    """Show every act by name and do the chosen one."""
    sections = app.frame.offers()
    offers = [
        offer
        for title, found in sections
        for offer in found
        if offer.act.place != "list" or offer.act.weight
    ]

    async def chosen(act: str | None) -> None:
        if act is not None:
            await app.frame.perform(act)

    app.push_screen(Palette(offers, app.glyphs), chosen)


def offer_help(app: SftApp) -> None:
    """Show what can be done here."""
    glyphs = app.glyphs
    words = [
        (glyphs.signed, "signed: the signature over content, name and version as stated holds"),
        (
            glyphs.verified,
            "verified: this computer has read the bytes, and they are what was signed",
        ),
        (glyphs.doubt, "needs you, or is in doubt"),
        (glyphs.unknown, "signed by a key that nobody vouched for, or not proved yet"),
        (glyphs.bad, "bad or failed: do not use it"),
        (
            glyphs.selected,
            "selected; in the header: connected; of people: here now; of invitations: open",
        ),
        (glyphs.disabled, "disabled, removed or ended"),
        (f"{glyphs.up} {glyphs.down}", "on its way to the server; from the server"),
        (glyphs.paused, "paused"),
    ]
    app.push_screen(Help(app.frame.offers(), words, plain=glyphs.plain))
