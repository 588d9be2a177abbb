"""Scenes of people, identity, servers, their dialogs, and of what is empty, lost, refused or hostile."""

from __future__ import annotations

from textual.pilot import Pilot
from twisted.internet.task import Clock

from sft.errors import LogWentBackError
from sft.model.access import Role
from sft.model.links import ServerLink
from sft.model.records import KeyEnd
from sft.server.throughput import Throughput
from sft.service import keys
from tests.fakes.acme import HOSTILE_PEOPLE, with_hostile_files, with_hostile_people
from tests.fakes.gateway import FakeGateway
from tests.fakes.memory_service import Visit, key_of
from tests.tui.scene_steps import Cast, Stage, after, paste, root, settle, typing
from tui.app import SftApp
from tui.dialogs.link import ShowLink
from tui.dialogs.log_stop import LogStop
from tui.glyphs import PLAIN

_NEXT, _BEFORE = "right_square_bracket", "left_square_bracket"

# -- who plays ----------------------------------------------------------------------------------------------


def _two_servers(gateway: FakeGateway) -> None:
    gateway.add_account("gus", passphrase="sesame", name="acme-guest")
    gateway.add_account(
        "max", name="north", server_name="north-archive", host="vault.north.example", user_id=0,
        role="", joined_at=0, server_key=key_of("north").public.point,
        public_key=key_of("max at north").public.encode(),
    )  # fmt: skip


def _hostile_people(gateway: FakeGateway) -> None:
    with_hostile_people(gateway.service)


def _hostile_servers(gateway: FakeGateway) -> None:
    for name in HOSTILE_PEOPLE:
        gateway.add_account("max", name=name, server_name=name, user_name=name, device=name)


def _another_key(gateway: FakeGateway) -> None:
    gateway.service.change_key("gus", key_of("mallory"))


def _devices(gateway: FakeGateway) -> None:
    """Give max a desk, and a phone that was stolen."""
    service = gateway.service
    for device in ("desk", "phone"):
        public = key_of(f"max at the {device}").public.encode()
        service.act(keys.add_key, keys.AddKeyInput(service.caller("max"), public, device))
    start = service.user("max").keys[-1].start_leaf
    stolen = keys.RevokeKeyInput(service.caller("max"), public, KeyEnd.COMPROMISED, start)
    service.act(keys.revoke_key, stolen)


def _quota_of_max(gateway: FakeGateway) -> None:
    gateway.service.set_quota("max", 178 << 20, None, by="ada")


CASTS: dict[str, Cast] = {
    "hostile": Cast(prepare=lambda gateway: with_hostile_files(gateway.service)),
    "scans": Cast(many=3000),
    "people-admin": Cast("ada"),
    "people-hostile": Cast("ada", prepare=_hostile_people),
    "people-other-key": Cast("ada", prepare=_another_key),
    "invitations": Cast("ada"),
    "invitations-hostile": Cast("ada", prepare=_hostile_people),
    "sessions": Cast("ada"),
    "kick": Cast("ada"),
    "people-filter": Cast("ada"),
    "rights": Cast("ada"),
    "allowed": Cast("ada"),
    "invite": Cast("ada"),
    "invite-filled": Cast("ada"),
    "link": Cast("ada"),
    "link-written": Cast("ada"),
    "link-code": Cast("ada"),
    "write": Cast("ada"),
    "role": Cast("ada"),
    "disable": Cast("ada"),
    "remove": Cast("ada"),
    "withdraw": Cast("ada"),
    "quota": Cast("ada"),
    "people-selected": Cast("ada"),
    "disable-several": Cast("ada"),
    "reset-key": Cast("ada"),
    "person-rights": Cast("ada"),
    "status": Cast("ada"),
    "status-refusals": Cast("ada"),
    "read-link": Cast("ada"),
    "ascii-status": Cast("ada", glyphs=PLAIN),
    "activity": Cast("ada"),
    "activity-filter": Cast("ada"),
    "activity-record": Cast("ada"),
    "activity-check": Cast("ada"),
    "activity-export": Cast("ada"),
    "activity-guest": Cast("gus"),
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
    "hold-key": Cast(passphrase="sesame"),
    "identity-held": Cast(passphrase="sesame", prepare=_quota_of_max),
    "rotate-key": Cast(passphrase="sesame"),
    "identity-keys": Cast(prepare=_devices),
    "revoke-key": Cast(prepare=_devices),
    "revoke-key-stolen": Cast(prepare=_devices),
    "ascii": Cast(glyphs=PLAIN),
    "ascii-transfers": Cast(glyphs=PLAIN),
    "ascii-people": Cast("ada", glyphs=PLAIN),
    "ascii-dialog": Cast("ada", glyphs=PLAIN),
}


# -- stages -------------------------------------------------------------------------------------------------


async def _people(pilot: Pilot[int], app: SftApp) -> None:
    await pilot.press("3")
    await settle(pilot)


async def _status(pilot: Pilot[int], app: SftApp) -> None:
    """Have a server that was busy for some minutes, and refused some things."""
    context, clock = app.gateway.service.context, Clock()
    visits = {each.session_id: each for each in context.sessions.all() if isinstance(each, Visit)}

    def moved() -> tuple[tuple[int, int], dict[int, tuple[int, int]]]:
        live = {number: visit.moved_bytes for number, visit in visits.items()}
        return (sum(each for each, _ in live.values()), sum(each for _, each in live.values())), live

    context.throughput = Throughput(clock, moved, print)
    for span in range(120):
        for at, visit in enumerate(visits.values()):
            received, sent = visit.moved_bytes
            more = (span * span % 97) * (at + 1) << 17
            visit.moved_bytes = (received + more * at, sent + (more if span > 90 else 0))
        clock.advance(2)
        context.throughput.look()
    for name, request, code, about in (
        ("gus", "PutFiles", "ROLE_FORBIDS", "finance/2026/plan.pdf"),
        ("max", "Move", "NOT_YOURS", "finance/2026/contract.pdf"),
        ("max", "Move", "NOT_YOURS", "finance/2026/contract.pdf"),
        ("ivo", "GetFile", "INTERNAL", "7F3K-29QD"),
    ):
        context.last_refusals.of_person(name, request, code, about)
    context.last_refusals.of_stranger("203.0.113.9", "login", "LOGIN_REFUSED")
    context.counts.free_bytes = 60 << 30
    context.listening = "files.acme.org:7361"
    await pilot.press("7")
    await settle(pilot)


async def _activity(pilot: Pilot[int], app: SftApp) -> None:
    await pilot.press("4")
    await settle(pilot)


async def _identity(pilot: Pilot[int], app: SftApp) -> None:
    if app.screen is not app.frame:
        await pilot.press(*"sesame", "enter")
        await settle(pilot)
    await pilot.press("5")
    await settle(pilot)


async def _servers(pilot: Pilot[int], app: SftApp) -> None:
    await pilot.press("6")
    await settle(pilot)


async def _join(pilot: Pilot[int], app: SftApp) -> None:
    await _paste_invitation(pilot, app)
    await pilot.press("enter")
    await settle(pilot)


async def _paste_invitation(pilot: Pilot[int], app: SftApp) -> None:
    link = app.gateway.service.invite("ada", role=Role.MAINTAINER, seconds=2 * 86_400)
    await paste(pilot, app, link.text())


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
    app.gateway.again()
    await settle(pilot)


async def _log_stop(pilot: Pilot[int], app: SftApp) -> None:
    (account,) = await app.gateway.accounts.all()
    values = {
        "server": "acme-files",
        "profile": "acme-files",
        "seen": 18240,
        "evidence": "~/sft/evidence/8e03b73-log.txt",
    }
    app.push_screen(LogStop(account, LogWentBackError(**values)))
    await settle(pilot)


async def _server_link(pilot: Pilot[int], app: SftApp) -> None:
    await _stop(pilot, app)
    await pilot.press("p")
    await settle(pilot)
    shown = app.gateway.service.key.public.point
    link = ServerLink("files.acme.org", 7361, shown, app.gateway.service.name, server_id=app.gateway.service.server_id)
    await paste(pilot, app, link.text())


async def _refused(pilot: Pilot[int], app: SftApp) -> None:
    app.gateway.revoke()
    await settle(pilot)
    app.gateway.again()
    await pilot.press("6")
    await settle(pilot)


async def _lost_in_servers(pilot: Pilot[int], app: SftApp) -> None:
    app.gateway.lose()
    await _servers(pilot, app)


async def _guest(pilot: Pilot[int], app: SftApp) -> None:
    view = app.frame.view_of("files")
    view.remote_side.path = "finance/2026"
    view.remote.read()
    await settle(pilot)
    await pilot.press("down", "down", "down")


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
    "log-stop": _log_stop,
    "stop-link": after(_stop, "p", back=("escape",)),
    "stop-link-pasted": _server_link,
    "stopped": after(_stop, "escape"),
    "refused": _refused,
    "servers-lost": _lost_in_servers,
    "servers-several": after(_servers, "down", back=("up",)),
    "servers-hostile": after(_servers, "down", "down"),
    "address": after(_servers, "a", back=("escape",)),
    "server-link": after(_servers, "p", back=("escape",)),
    "paste-invitation": after(_servers, "n", back=("escape",)),
    "forget": after(_servers, "down", "d", back=("escape", "up")),
    "people": after(_people, "down"),
    "people-admin": after(_people, "down", "down", back=("up", "up")),
    "people-hostile": after(_people, "end", back=("home",)),
    "people-other-key": after(_people, "down", "down", "down"),
    "invitations": after(_people, _NEXT, back=(_BEFORE,)),
    "invitations-hostile": after(_people, _NEXT, "down"),
    "sessions": after(_people, _NEXT, _NEXT, "down", back=("up", _BEFORE, _BEFORE)),
    "kick": after(_people, _NEXT, _NEXT, "down", "x", back=("escape", "up", _BEFORE, _BEFORE)),
    "people-filter": after(_people, "slash", *"ma", back=("escape", "home")),
    "invite": after(_people, "i", back=("escape",)),
    "invite-filled": after(_people, "i", *"zoe", "tab", "down", back=("escape",)),
    "link": _link,
    "link-written": after(_link, "y"),
    "link-code": after(_link, "q"),
    "write": after(_link, "w", back=("escape",)),
    "role": after(_people, "down", "down", "r", back=("escape", "up", "up")),
    "quota": after(_people, "down", "down", "L", back=("escape", "up", "up")),
    "people-selected": after(_people, "down", "down", "space", "space", back=("escape", "home")),
    "disable-several": after(_people, "down", "down", "space", "space", "e", back=("escape", "escape", "home")),
    "reset-key": after(_people, "down", "down", "K", back=("escape", "up", "up")),
    "person-rights": after(_people, "down", "down", "W", back=("escape", "up", "up")),
    "disable": after(_people, "down", "down", "e", back=("escape", "up", "up")),
    "remove": after(_people, "down", "down", "d", back=("escape", "up", "up")),
    "withdraw": after(_people, _NEXT, "x", back=("escape", _BEFORE)),
    "status": _status,
    "status-refusals": after(_status, _NEXT, back=(_BEFORE,)),
    "read-link": after(_status, "p", "space", "space", back=("escape",)),
    "ascii-status": _status,
    "activity": _activity,
    "activity-filter": after(_activity, "slash", *"act:delete", back=("escape",)),
    "activity-guest": _activity,
    "activity-check": after(_activity, "V", back=("escape",)),
    "activity-export": after(_activity, "e", back=("escape",)),
    "activity-record": after(_activity, "down", "enter", back=("escape", "up")),
    "identity": _identity,
    "identity-pinned": after(_identity, "tab", "down", "down", back=("up", "up", "tab")),
    "passphrase": after(_identity, "P", back=("escape",)),
    "hold-key": after(_identity, "U", back=("escape",)),
    "identity-held": after(_identity, "U", *"sesame", "enter", "enter"),
    "read-words": after(_identity, "colon", *"one at a time", "enter", "space", "space", back=("escape",)),
    "rotate-key": after(_identity, "K", back=("escape",)),
    "new-device": after(_identity, "n", *key_of("max at the desk").public.text(), back=("escape",)),
    "identity-keys": after(_identity, *["down"] * 7, back=["up"] * 7),
    "revoke-key": after(_identity, *["down"] * 7, "d", back=("escape", *["up"] * 7)),
    "revoke-key-stolen": after(_identity, *["down"] * 7, "d", "down", back=("escape", *["up"] * 7)),
    "export": after(_identity, "e", back=("escape",)),
    "guest": _guest,
    "guest-palette": after(_guest, "colon", *"make a folder", back=("escape",)),
    "guest-refused": after(_guest, "tab", "end", "c"),
    "empty-folder": _empty_folder,
    "no-transfers": after(root, "2", back=("1",)),
    "palette-narrowed": after(_guest, "colon", *"name", back=("escape",)),
    "palette-nothing": after(_guest, "colon", *"xyzzy", back=("escape",)),
    "filter-nothing": after(_guest, "slash", *"xyzzy", back=("escape", "home", *["down"] * 4)),
    "sorted": after(_guest, "o"),
    "select-pattern": after(_guest, "plus", back=("escape",)),
    "go-to": after(_guest, "ctrl+l", back=("escape",)),
    "ascii-people": after(_people, "down", back=("up",)),
    "ascii-dialog": after(_people, "down", "down", "d"),
}
