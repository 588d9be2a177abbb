"""Scenes of people, identity, servers, their dialogs, and of what is empty, lost, refused or hostile."""

from __future__ import annotations

import dataclasses

import msgspec
from textual.pilot import Pilot

from sft.model.access import Role
from sft.model.links import ServerLink
from tests.tui.acting import Cast, Stage, after, paste, root, settle, typing
from tests.tui.stage import HOSTILE_PEOPLE, with_hostile_people
from tui.app import SftApp
from tui.dialogs.link import ShowLink
from tui.glyphs import PLAIN
from tui.memory import MemoryGateway, registry
from tui.memory.world import key_of

# -- who plays ----------------------------------------------------------------------------------------------


def _two_servers(gateway: MemoryGateway) -> None:
    book = gateway.book
    first = book.accounts[0]
    book.keep(gateway.world.user("gus"), "files.acme.org:7361", "sesame")
    book.accounts[1] = dataclasses.replace(book.accounts[1], name="acme-guest", protected=True)
    book.accounts.append(
        dataclasses.replace(
            first,
            name="north",
            server="north-archive",
            address="vault.north.example:7361",
            joined=False,
            role="",
            user="max",
            in_use_first=False,
            joined_at=0,
            server_words=key_of("north").words(),
            key_words=key_of("max at north").words(),
        )
    )


def _hostile_people(gateway: MemoryGateway) -> None:
    gateway.world.users[:] = with_hostile_people().users
    gateway.world.invitations[:] = with_hostile_people().invitations


def _hostile_servers(gateway: MemoryGateway) -> None:
    (honest,) = gateway.book.accounts
    gateway.book.accounts += [
        dataclasses.replace(
            honest, name=name, server=name, user=name, device=name, in_use_first=False
        )
        for name in HOSTILE_PEOPLE
    ]


def _another_key(gateway: MemoryGateway) -> None:
    world = gateway.world
    known = world.pins()
    world.pins = lambda: known
    gus = world.user("gus")
    other = msgspec.structs.replace(gus.keys[0], public_key=key_of("mallory").encode())
    world.users[gus.id - 1] = msgspec.structs.replace(gus, keys=(other,))


CASTS: dict[str, Cast] = {
    "hostile": Cast(hostile=True),
    "people-admin": Cast("ada"),
    "people-hostile": Cast("ada", prepare=_hostile_people),
    "people-other-key": Cast("ada", prepare=_another_key),
    "invitations": Cast("ada"),
    "invitations-hostile": Cast("ada", prepare=_hostile_people),
    "sessions": Cast("ada"),
    "kick": Cast("ada"),
    "people-filter": Cast("ada"),
    "invite": Cast("ada"),
    "invite-filled": Cast("ada"),
    "link": Cast("ada"),
    "link-written": Cast("ada"),
    "write": Cast("ada"),
    "role": Cast("ada"),
    "disable": Cast("ada"),
    "remove": Cast("ada"),
    "withdraw": Cast("ada"),
    "guest": Cast("gus"),
    "guest-palette": Cast("gus"),
    "guest-refused": Cast("gus"),
    "first-start": Cast("", demo=True),
    "first-start-pasted": Cast("", demo=True),
    "first-start-cut": Cast(""),
    "join": Cast(""),
    "join-filled": Cast(""),
    "join-fault": Cast(""),
    "join-open": Cast(""),
    "unlock": Cast(passphrase="sesame"),
    "unlock-wrong": Cast(passphrase="sesame"),
    "locked": Cast(passphrase="sesame"),
    "servers-several": Cast(prepare=_two_servers),
    "servers-hostile": Cast(prepare=_hostile_servers),
    "forget": Cast(prepare=_two_servers),
    "passphrase": Cast(passphrase="sesame"),
    "ascii": Cast(glyphs=PLAIN),
    "ascii-transfers": Cast(glyphs=PLAIN),
    "ascii-people": Cast("ada", glyphs=PLAIN),
    "ascii-dialog": Cast("ada", glyphs=PLAIN),
}


# -- stages -------------------------------------------------------------------------------------------------


async def _people(pilot: Pilot[int], app: SftApp) -> None:
    await pilot.press("3")
    await settle(pilot)


async def _identity(pilot: Pilot[int], app: SftApp) -> None:
    if app.screen is not app.frame:
        await pilot.press(*"sesame", "enter")
        await settle(pilot)
    await pilot.press("4")
    await settle(pilot)


async def _servers(pilot: Pilot[int], app: SftApp) -> None:
    await pilot.press("5")
    await settle(pilot)


async def _join(pilot: Pilot[int], app: SftApp) -> None:
    await _paste_invitation(pilot, app)
    await pilot.press("enter")
    await settle(pilot)


async def _paste_invitation(pilot: Pilot[int], app: SftApp) -> None:
    world = app.gateway.world
    made = registry.invite(
        world, world.user("ada"), role=Role.MAINTAINER, name=None, seconds=2 * 86_400
    )
    await paste(pilot, app, made.link)


async def _cut_invitation(pilot: Pilot[int], app: SftApp) -> None:
    await paste(pilot, app, "sft://files.acme.org:7361/i#AbCdEfGh")


async def _link(pilot: Pilot[int], app: SftApp) -> None:
    await _people(pilot, app)
    await pilot.press("i", *"zoe")
    while not isinstance(app.screen, ShowLink):  # enter leads through the fields
        await pilot.press("enter")
        await settle(pilot)


async def _stop(pilot: Pilot[int], app: SftApp) -> None:
    app.gateway.change_key()
    await settle(pilot)


async def _server_link(pilot: Pilot[int], app: SftApp) -> None:
    await _stop(pilot, app)
    await pilot.press("p")
    await settle(pilot)
    world = app.gateway.world
    await paste(
        pilot, app, ServerLink("files.acme.org", 7361, world.key.public.point, world.name).text()
    )


async def _refused(pilot: Pilot[int], app: SftApp) -> None:
    app.gateway.revoke()
    await pilot.press("5")
    await settle(pilot)


async def _lost_in_servers(pilot: Pilot[int], app: SftApp) -> None:
    app.gateway.lose()
    await _servers(pilot, app)


async def _guest(pilot: Pilot[int], app: SftApp) -> None:
    view = app.frame.view_of("files")
    view.remote_side.path = "finance/2026"
    view.remote.read()
    await settle(pilot)
    await pilot.press("down", "down", "down", "down")


async def _empty_folder(pilot: Pilot[int], app: SftApp) -> None:
    view = app.frame.view_of("files")
    view.remote_side.path = "finance/2026/Q2"
    view.remote.read()
    await settle(pilot)


SCENERY: dict[str, Stage] = {
    "first-start": root,
    "first-start-pasted": _paste_invitation,
    "first-start-cut": _cut_invitation,
    "join": _join,
    "join-filled": typing(_join, "zoe", "sesame open", "sesame open", "-2"),
    "join-fault": typing(_join, "max", "sesame", "sesame", "", ""),
    "join-open": typing(_join, "zoe", "", "", "", ""),
    "unlock": root,
    "unlock-wrong": after(root, *"sesamy", "enter"),
    "locked": after(root, "escape"),
    "stop": _stop,
    "stop-link": after(_stop, "p"),
    "stop-link-pasted": _server_link,
    "stopped": after(_stop, "escape"),
    "refused": _refused,
    "servers-lost": _lost_in_servers,
    "servers-several": after(_servers, "down"),
    "servers-hostile": after(_servers, "down", "down"),
    "address": after(_servers, "a"),
    "server-link": after(_servers, "p"),
    "paste-invitation": after(_servers, "n"),
    "forget": after(_servers, "down", "d"),
    "people": after(_people, "down"),
    "people-admin": after(_people, "down", "down"),
    "people-hostile": after(_people, "end"),
    "people-other-key": after(_people, "down", "down", "down"),
    "invitations": after(_people, "right_square_bracket"),
    "invitations-hostile": after(_people, "right_square_bracket", "down"),
    "sessions": after(_people, "right_square_bracket", "right_square_bracket", "down"),
    "kick": after(_people, "right_square_bracket", "right_square_bracket", "down", "x"),
    "people-filter": after(_people, "slash", *"ma"),
    "invite": after(_people, "i"),
    "invite-filled": after(_people, "i", *"zoe", "tab", "down"),
    "link": _link,
    "link-written": after(_link, "y"),
    "write": after(_link, "w"),
    "role": after(_people, "down", "down", "r"),
    "disable": after(_people, "down", "down", "e"),
    "remove": after(_people, "down", "down", "d"),
    "withdraw": after(_people, "right_square_bracket", "x"),
    "identity": _identity,
    "identity-pinned": after(_identity, "tab", "down", "down"),
    "passphrase": after(_identity, "P"),
    "export": after(_identity, "e"),
    "guest": _guest,
    "guest-palette": after(_guest, "colon", *"server", "down", "down", "down"),
    "guest-refused": after(_guest, "tab", "end", "c"),
    "empty-folder": _empty_folder,
    "no-transfers": after(root, "2"),
    "palette-narrowed": after(_guest, "colon", *"name"),
    "palette-nothing": after(_guest, "colon", *"xyzzy"),
    "filter-nothing": after(_guest, "slash", *"xyzzy"),
    "sorted": after(_guest, "o"),
    "select-pattern": after(_guest, "plus"),
    "go-to": after(_guest, "ctrl+l"),
    "ascii-people": after(_people, "down"),
    "ascii-dialog": after(_people, "down", "down", "d"),
}
