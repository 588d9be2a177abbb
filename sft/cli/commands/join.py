"""`sft join`: one pasted invitation, a name, a device, a passphrase.

Rules. A passphrase is asked for last: one that is typed a line late would be answered to a question that shows it, and sent.
The invitation comes from a prompt, a file or standard input. Off a terminal nothing is guessed that lasts: a name has to
be in the invitation or given, and a key without passphrase has to be asked for. The key never leaves this computer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sft.cli.completing import files_here
from sft.cli.failures import error_lines
from sft.cli.invocation import Invocation
from sft.cli.json_output import profile_document
from sft.cli.options import common
from sft.client.api.people import admins
from sft.client.identity import Identity, passphrase_from
from sft.client.joining import Joined, pending, suggested_device_name, suggested_user_name
from sft.client.profiles import Profile
from sft.crypto.keys import ServerPublic
from sft.errors import KeyLockedError, NameTakenError, SftError, UsageError, UserNameNotAllowedError
from sft.model.access import Role
from sft.model.links import InvitationLink, ServerLink, parse_link
from sft.model.names import parse_device_name, parse_user_name, safe
from sft.model.text import ROLE_WORDS_YOU, role_noun, shell_name, shown_name

_LEGACY = (
    "Sign nothing else with this key by minisign -l: signing bytes that somebody else chose so lets them in as you."
)


@click.command("join")
@click.argument("link", nargs=-1, metavar="")
@click.option(
    "--link-file",
    metavar="FILE",
    shell_complete=files_here,
    help="The file that holds the invitation; - for standard input.",
)
@click.option("--user", metavar="NAME", help="Your name there.")
@click.option(
    "--key", "key_file", metavar="FILE", help="A minisign secret key to use, in place of a new one; mode 600."
)
@click.option("--no-passphrase", is_flag=True, help="Leave the new key unprotected, for machines.")
@click.option("--device", metavar="NAME", help="What to call this computer there.")
@common
def command(
    invocation: Invocation,
    link: tuple[str, ...],
    link_file: str | None,
    user: str | None,
    key_file: str | None,
    device: str | None,
    *,
    no_passphrase: bool,
) -> int:
    """Join a server with an invitation, which is asked for (or --link-file, or standard input)."""
    _refuse_arguments(link)
    parsed = parse_link(invocation.prompts.link(link_file, "Paste the invitation, then Enter: "))
    before = pending(invocation.state, parsed)
    if invocation.prompts.possible:
        invocation.console.note(_introduction(parsed))
    wanted = _Wanted(
        link=parsed,
        user=_user_name(invocation, parsed, before, user),
        passphrase=None,
        key_file=None if key_file is None else Path(key_file),
        device="",
    )
    # A key that an earlier try left unprotected is asked about as a new one is.
    new_key = key_file is None and (before is None or not Identity(invocation.state, before).encrypted())
    protected = new_key and not no_passphrase
    wanted.device = _device_name(invocation, before, device)
    if protected and not invocation.environ.get("SFT_PASSPHRASE_FILE"):
        wanted.passphrase = _new_passphrase(invocation)
    with _key_kept(invocation, parsed):
        joined, only_admin = invocation.run(lambda reactor: _join(reactor, invocation, wanted, from_file=protected))
    unprotected = new_key and wanted.passphrase is None
    _show(invocation, joined, only_admin=only_admin, unprotected=unprotected)
    if key_file is not None:
        invocation.console.note(_LEGACY)
    return 0


@contextmanager
def _key_kept(invocation: Invocation, link: InvitationLink | ServerLink) -> Iterator[None]:
    """Say which key waits here, where it is a person of this very name who has to let it in."""
    try:
        yield
    except NameTakenError:
        made = pending(invocation.state, link) if isinstance(link, ServerLink) else None
        if made is not None:
            key = made.key
            invocation.console.warn(f"The key of this computer: {key.words()}")
            invocation.console.warn(
                f"Are you that person? On a device of yours: sft key device add {key.text()} --device "
                f"{shell_name(made.device)}. Lost all of them? An admin: sft reset-key NAME {key.text()}. Then the same "
                "here again."
            )
        raise


@dataclass(slots=True)
class _Wanted:
    """What the person said."""

    link: InvitationLink | ServerLink
    user: str
    passphrase: str | None
    key_file: Path | None
    device: str


async def _join(reactor: Any, invocation: Invocation, wanted: _Wanted, *, from_file: bool) -> tuple[Joined, bool]:
    if from_file and wanted.passphrase is None and invocation.environ.get("SFT_PASSPHRASE_FILE"):
        wanted.passphrase = await passphrase_from(invocation.environ, None)() or None
    joined = await invocation.environment.join(
        reactor,
        invocation.state,
        wanted.link,
        user_name=wanted.user,
        device=wanted.device,
        passphrase=wanted.passphrase,
        key_file=wanted.key_file,
        ask=invocation.ask(wanted.link.server_name),
    )
    return joined, await _is_only_admin(reactor, invocation, joined, wanted.passphrase)


async def _is_only_admin(reactor: Any, invocation: Invocation, joined: Joined, passphrase: str | None) -> bool:
    """Ask whether somebody else could help; whoever cannot be asked is not counted."""
    if joined.user.role is not Role.ADMIN or not invocation.console.out_is_terminal:
        return False

    async def ask() -> str:
        if passphrase is None:
            raise KeyLockedError
        return passphrase

    try:
        connect = invocation.environment.connect
        async with await connect(reactor, invocation.state, joined.profile, ask=ask) as session:
            return len(await admins(session)) == 1
    except SftError:
        return False


def _refuse_arguments(arguments: Sequence[str]) -> None:
    """Refuse a link that was given as an argument, and whatever else was, without repeating it."""
    if not arguments:
        return
    if any("sft:" in argument.lower() for argument in arguments):
        raise UsageError(
            problem="A link given as an argument is in the shell's history, and everybody on this computer can read it "
            "(ps) and join with it",
            remedy="sft join alone asks for it; or --link-file FILE. Shared computer? Ask for a new invitation",
        )
    raise UsageError(
        problem="sft join takes no name or address",
        remedy="sft join alone asks for the invitation; your name: --user NAME",
    )


def _introduction(link: InvitationLink | ServerLink) -> str:
    where = f"{safe(link.server_name)} at {safe(link.address)}."
    if isinstance(link, InvitationLink):
        origin = "The server is the one that made this invitation: nothing to compare."
        return f"{where} You will be {link.role}. {origin}"
    words = ServerPublic(link.server_key).words()
    return f"{where} You will be guest. Its key, to compare with what its operator says: {words}"


def _user_name(
    invocation: Invocation, link: InvitationLink | ServerLink, before: Profile | None, given: str | None
) -> str:
    if given is not None:
        return parse_user_name(given)
    reserved = link.user_name if isinstance(link, InvitationLink) else None
    known = reserved or (before.user_name if before else "")
    if invocation.prompts.possible and not reserved:
        suggestion = known or suggested_user_name(invocation.environ)
        return _asked(invocation, "Your name there", suggestion, parse_user_name)
    if not known:
        raise UsageError(
            problem="This invitation names nobody, and there is no terminal to ask on",
            remedy="Say your name there: --user NAME",
        )
    return known


def _new_passphrase(invocation: Invocation) -> str | None:
    try:
        return invocation.prompts.new_passphrase("New passphrase, to protect your key on this computer")
    except KeyLockedError:
        raise UsageError(
            problem="A passphrase should protect your key, and there is no terminal to ask for it on",
            remedy="--no-passphrase, or set SFT_PASSPHRASE_FILE to a file that holds it",
        ) from None


def _device_name(invocation: Invocation, before: Profile | None, given: str | None) -> str:
    if given is not None:
        return parse_device_name(given)
    suggestion = before.device if before else suggested_device_name()
    if invocation.prompts.possible:
        return _asked(invocation, "Name of this computer", suggestion, parse_device_name)
    return suggestion


def _asked(invocation: Invocation, prompt: str, suggestion: str, parse: Callable[[str], str]) -> str:
    """Ask for a name until it is one: what was answered before it is not asked for again."""
    while True:
        try:
            return parse(invocation.prompts.line(prompt, suggestion))
        except UserNameNotAllowedError as error:
            for line in error_lines(error, now=invocation.now):
                invocation.console.warn(line)


def _show(invocation: Invocation, joined: Joined, *, only_admin: bool, unprotected: bool) -> None:
    console, profile, user = invocation.console, joined.profile, joined.user
    server, name = safe(profile.server_name), shown_name(user.name)
    if console.json:
        default = invocation.profiles.default_name()
        console.document(profile_document(profile, default, user=user.name, role=user.role.value))
    elif console.out_is_terminal:
        console.result(
            f"Joined {server} as {name}. You are {role_noun(user.role)}: {ROLE_WORDS_YOU[user.role]}. Everyone who joins "
            "can read every file stored there. If you lose your key, no file is lost; an admin can give you a new key."
        )
        if len(user.keys) > 1:
            console.result(
                f"Welcome back, {name}: this key is in place of those that ended. Whoever knew them compares it."
            )
        console.result(f"Your key: {profile.key.words()}")
        if only_admin:
            console.result("You are the only admin. Invite a second one soon.     Next: sft invite --role admin")
    else:
        console.result(
            f"joined    {server} ({safe(profile.address)}) as {name}, {user.role}, device {safe(profile.device)}"
        )
        console.note(f"Key: {profile.key.words()}")
    if unprotected:
        console.note(
            f"Your key has no passphrase: whoever can read your files on this computer can act as {name}. "
            "Give it one: sft key passphrase"
        )
    default = invocation.profiles.default_name()
    if default != profile.name:
        console.note(
            f"{safe(default)} stays the default. This one: --profile {profile.name}, or: "
            f"sft servers default {profile.name}"
        )
