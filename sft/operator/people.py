"""``sftd user``, ``invite``, ``link``, ``session``: people, how they come in, and who is connected."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sft.cli.json_output import session_document, user_document
from sft.cli.leavers import (
    AGREED,
    disable_all,
    heirs_of,
    preview,
    read_names,
    remove_all,
    require_one,
    show_leavers,
    tell_on,
)
from sft.cli.people_output import (
    files_of,
    over_quota,
    read_public_key,
    reason_of,
    removed_before,
    show_disabled,
    show_enabled,
    show_invitations,
    show_new_invitation,
    show_removed,
    show_reset_link,
    show_role,
    show_users,
    words_of,
)
from sft.cli.quota_output import show_changed_quota, show_quota
from sft.client.api import people
from sft.crypto.keys import PublicKey, ServerPublic
from sft.errors import SftError, UsageError
from sft.model.access import Role
from sft.model.links import ServerLink, is_loopback, parse_address
from sft.model.names import safe
from sft.model.quotas import parse_limit
from sft.model.records import ServerInfo, User, UserState
from sft.model.text import (
    counted,
    invitation_seconds,
    local_time,
    role_noun,
    shell_name,
    shown_name,
    size_text,
    utc_time,
)
from sft.operator.control import Command
from sft.operator.next_steps import steps_at
from sft.wire import messages as m

# -- users ----------------------------------------------------------------------------------------


async def list_users(command: Command) -> int:
    show_users(command.console, await people.list_users(command.session))
    return 0


async def show_user(command: Command) -> int:
    user = await people.show_user(command.session, command.options["name"])
    size = size_text(user.bytes_stored)
    lines = [f"{safe(user.name)}  {user.role}  {user.state}  {counted(user.files, 'file')}, {size}"]
    for key in user.keys:
        public = PublicKey.decode_or_none(key.public_key)
        ended = "" if key.ended_at is None else f", ended {utc_time(key.ended_at)}"
        since = f"since {utc_time(key.added_at)}{ended}"
        lines.append(
            f"  {safe(key.device)}: {words_of(public)}  {'' if public is None else f'{public.text()}  '}{since}"
        )
    command.console.show(user_document(user), *lines)
    return 0


async def change_role(command: Command) -> int:
    role = Role(command.options["role"])
    show_role(command.console, *await people.change_role(command.session, command.options["name"], role))
    return 0


async def quota(command: Command) -> int:
    """Show a quota, or change what is named of it."""
    name, size_bytes, files = (command.options[each] for each in ("name", "bytes", "files"))
    before = await people.show_quota(command.session, name)
    if size_bytes is None and files is None:
        show_quota(command.console, before)
        return 0
    user = await people.change_quota(
        command.session,
        name,
        before.set_bytes if size_bytes is None else parse_limit(size_bytes),
        before.set_files if files is None else parse_limit(files),
    )
    show_changed_quota(command.console, user)
    return 0


async def disable(command: Command) -> int:
    """Lock out one person, or everybody of a list."""
    name, listed = command.options["name"], command.options["from_file"]
    require_one(name, listed)
    if listed is not None:
        tell = tell_on(command.console)
        leavers = await disable_all(command.session, read_names(listed, sys.stdin), tell)
        return show_leavers(command.console, leavers, "Not disabled", now=command.now, steps=steps_at(command.named))
    user = await people.disable(command.session, command.options["name"])
    show_disabled(command.console, user, back=command.typed(f"sftd user enable {shell_name(user.name)}"))
    return 0


async def enable(command: Command) -> int:
    user = await people.enable(command.session, command.options["name"])
    show_enabled(command.console, user)
    return 0


async def remove(command: Command) -> int:
    """Remove one person for good, or everybody of a list; asks on a terminal, needs --yes off one."""
    name, listed, heir = (command.options[each] for each in ("name", "from_file", "files_to"))
    require_one(name, listed)
    if listed is not None:
        return await _remove_listed(command, listed, heir)
    before = await people.show_user(command.session, name)
    if before.state is UserState.REMOVED:
        command.console.show({**user_document(before), "files": 0, "files_to": None}, removed_before(before))
        return 0
    if not command.options["yes"]:
        question = f"Remove {safe(name)}? Signed out now, for good. {files_of(before, heir, 'will belong')}"
        _require_typed(command, name, question, f"Removing {safe(name)}", "nobody was removed")
    user, heir = await people.remove(command.session, name, heir)
    show_removed(command.console, user, before, heir)
    if heir:
        _say_over_quota(command, await people.show_user(command.session, heir))
    return 0


def _say_over_quota(command: Command, heir: User) -> None:
    more = command.typed(f"sftd user quota {shell_name(heir.name)} --bytes SIZE")
    over_quota(command.console, heir, command=more)


async def _remove_listed(command: Command, listed: str, heir: str) -> int:
    names = read_names(listed, sys.stdin)

    def agree(found: Sequence[User | SftError], heir: str) -> None:
        if not command.options["yes"]:
            *before, question = preview(found, heir)
            for line in before:
                command.console.warn(line)
            _require_typed(command, AGREED, question, "Removing people", "nobody was removed")

    leavers = await remove_all(command.session, names, heir, tell_on(command.console), agree=agree)
    for owner in await heirs_of(command.session, leavers):
        _say_over_quota(command, owner)
    return show_leavers(command.console, leavers, "Not removed", now=command.now, steps=steps_at(command.named))


async def add(command: Command) -> int:
    options = command.options
    otherwise = "Give the file that sft key export wrote, or the key itself (RW...)"
    key = read_public_key(options["public_key"], otherwise)
    role = Role(options["role"])
    user = await people.add_user(command.session, options["name"], role, key, options["device"])
    return _show(command, user, f"is {role_noun(user.role)}; key {key.words()}")


async def reset_key(command: Command) -> int:
    """Give a key, or make a link for one, in place of all others; asks on a terminal, needs --yes off one."""
    options = command.options
    name = options["name"]
    if not options["public_key"]:
        return await _offer_reset(command, name)
    key = read_public_key(options["public_key"], "Give the key itself (RW...), or the file of sft key export")
    reason, cut_off = reason_of(options["stolen_since"], shown_by="sftd log show")
    if not options["yes"]:
        question = f"Give {safe(name)} the key {key.words()}? Every other key of theirs ends now."
        _require_typed(command, name, question, f"Resetting the key of {safe(name)}", "nothing was reset")
    user = await people.reset_key(command.session, name, key, options["device"], reason, cut_off)
    return _show(command, user, f"has a new key: {key.words()}")


async def _offer_reset(command: Command, name: str) -> int:
    reason, cut_off = reason_of(command.options["stolen_since"], shown_by="sftd log show")
    if not command.options["yes"]:
        question = f"End every key of {safe(name)}, and make a link by which whoever has it comes back as {safe(name)}?"
        _require_typed(command, name, question, f"Resetting the key of {safe(name)}", "nothing was reset")
    link, made = await people.offer_reset(command.session, name, reason, cut_off)
    show_reset_link(command.console, link, made, command.now)
    return 0


def _require_typed(command: Command, expected: str, question: str, deed: str, otherwise: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(problem=f"{deed} cannot be undone", remedy="Say so: --yes")
    command.console.prompt(f"{question} Type {safe(expected)}: ")
    if sys.stdin.readline().strip() != expected:
        raise UsageError(problem=f"That is another word; {otherwise}", remedy=f"Again, and then type {safe(expected)}")


def _show(command: Command, user: User, what: str) -> int:
    command.console.show(user_document(user), f"{shown_name(user.name)} {what}")
    return 0


# -- invitations ------------------------------------------------------------------------------------


async def invite(command: Command) -> int:
    """Make an invitation; its link stands alone on standard output."""
    options = command.options
    role, seconds = Role(options["role"]), invitation_seconds(options["expires"])
    host, _ = _address(await _server(command))
    link, made = await people.invite(command.session, role=role, name=options["user"], seconds=seconds)
    show_new_invitation(command.console, link, made, command.now)
    if is_loopback(host):
        said = "It works on this machine only. To have links say another address: sftd serve --public HOST:PORT"
        command.console.note(command.typed(said))
    return 0


async def list_invitations(command: Command) -> int:
    show_invitations(command.console, await people.list_invitations(command.session), command.now)
    return 0


async def withdraw(command: Command) -> int:
    number = command.options["number"]
    changed = await people.withdraw(command.session, number)
    end = "is withdrawn" if changed else "was void already"
    command.console.show({"id": number, "changed": changed}, f"invitation {number} {end}")
    return 0


async def link(command: Command) -> int:
    """Show the server's link: address and key, no secret."""
    server = await _server(command)
    host, port = _address(server)
    text = ServerLink(host, port, server.public_key, server.name, server_id=server.server_id).text()
    words = ServerPublic(server.public_key).words()
    document = {"server": server.name, "address": server.address, "server_key_words": words, "link": text}
    command.console.show(document, text)
    command.console.note(f"{safe(server.name)} at {safe(server.address)}, key {words}")
    return 0


async def _server(command: Command) -> ServerInfo:
    return (await command.session.request(m.ShowServer, m.ServerShown)).server


def _address(server: ServerInfo) -> tuple[str, int]:
    if not server.address:
        raise UsageError(
            problem="No link can say where this server is: it has never listened",
            remedy="Start it once: sftd serve --public HOST:PORT",
        )
    return parse_address(server.address)


# -- sessions ---------------------------------------------------------------------------------------


async def list_sessions(command: Command) -> int:
    live = await people.list_sessions(command.session)
    if command.console.json:
        command.console.document([session_document(each) for each in live])
        return 0
    cells = [(str(each.id), safe(each.user), safe(each.role), safe(each.address), safe(each.doing)) for each in live]
    times = [each.since_at for each in live]
    command.console.table(
        [(*row[:4], local_time(at, now=command.now), row[4]) for row, at in zip(cells, times, strict=True)],
        head=("number", "user", "role", "address", "since", "doing"),
        fields=[(*row[:4], utc_time(at), row[4]) for row, at in zip(cells, times, strict=True)],
    )
    return 0


async def kick(command: Command) -> int:
    number = command.options["number"]
    await people.kick(command.session, number)
    command.console.show({"id": number, "changed": True}, f"session {number} is ended")
    return 0
