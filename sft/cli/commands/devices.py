"""`sft key device`, `key rotate` and `sft reset-key`: the keys of a person beyond the one that is here.

Rules. A key is called by its device or by itself. What cannot be undone is agreed to: on a terminal by a question, elsewhere by
``--yes``. Since when a key may have been a thief's is a number of the server's log, as `sft info` shows it for a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, device_document, key_document, user_document
from sft.cli.lazy import WholeSentences
from sft.cli.options import common
from sft.cli.people_output import by_whose_word, key_since, read_public_key, reason_of, show_reset_link
from sft.client.api import people
from sft.client.devices import add_device
from sft.client.identity import Ask, Identity
from sft.crypto.keys import PublicKey
from sft.errors import NotFoundError, UsageError
from sft.model.links import ServerLink
from sft.model.names import parse_device_name, safe
from sft.model.records import DeviceKey, KeyEnd, User
from sft.model.text import shell_name, shown_name, utc_time

if TYPE_CHECKING:
    from sft.client.profiles import Profile
    from sft.client.session import Session

_OTHERWISE = "Give the key itself (RW...), as sft join shows it on the other device, or the file of sft key export"

stolen_since = click.option(
    "--stolen-since",
    metavar="NUMBER",
    help="It was stolen: from this number of the log on, as sft info FILE shows it; start for all that it signed.",
)


@click.group("device", cls=WholeSentences)
@common
def device_group(invocation: Invocation) -> int:
    """List your devices, vouch for another one, or revoke one."""
    del invocation
    return 0


@device_group.command("list")
@common
def list_command(invocation: Invocation) -> int:
    """List the keys that you have, and had, on the server."""
    profile = invocation.profile()
    user = invocation.talk(people.show_self, profile, unknown_keys=True).user
    console = invocation.console
    if console.json:
        console.document([device_document(key) for key in user.keys])
        return 0
    console.table(
        [(safe(key.device), _says(key, user, profile, now=invocation.now)) for key in user.keys],
        head=("device", "key"),
        fields=[_fields(key, user, profile) for key in user.keys],
    )
    return 0


@device_group.command("link")
@common
def link_command(invocation: Invocation) -> int:
    """Print the link with which another device of yours begins; it is no secret."""
    profile = invocation.profile()
    link = ServerLink(profile.host, profile.port, profile.server_key, profile.server_name, server_id=profile.server_id)
    # It is what was asked for, as with sft invite: quiet leaves out what is said beside it.
    if invocation.console.json:
        invocation.console.document({"link": link.text()})
    else:
        invocation.console.write(link.text() + "\n")
    invocation.console.note(
        f"On the other device: sft join --user {shell_name(profile.user_name)}, with this line. It says which key it has; then "
        "here: sft key device add KEY; then there the same again."
    )
    return 0


@device_group.command("add")
@click.argument("key")
@click.option("--device", metavar="NAME", default="device", help="How the other device is called.")
@common
def add_command(invocation: Invocation, key: str, device: str) -> int:
    """Vouch for the key of another device of yours, as sft join shows it there."""
    public, device = read_public_key(key, _OTHERWISE), parse_device_name(device)
    user = invocation.talk(lambda session: add_device(session, public, device))
    added = next(each for each in user.keys if each.public_key == public.encode())
    invocation.console.show(
        device_document(added),
        f"{safe(added.device)} is a device of yours now: {public.words()}. There: the same sft join again.",
    )
    return 0


@device_group.command("revoke")
@click.argument("which")
@stolen_since
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def revoke_command(invocation: Invocation, which: str, stolen_since: str | None, *, yes: bool) -> int:
    """End the key of a device of yours, by its name or the key itself; the others stay."""
    _require_possible(invocation, "A key that was revoked never comes back", yes=yes)

    async def revoke(session: Session) -> tuple[DeviceKey, list[DeviceKey]]:
        before = (await people.show_self(session)).user
        key = _chosen(before, which)
        reason, cut_off = reason_of(stolen_since, key.start_leaf)
        if not yes:
            invocation.prompts.require_agreement(
                f"Revoke {safe(key.device)} ({_words(key)})? It is signed out now, for good; what it stored stays.",
                otherwise="Nothing was revoked.",
            )
        user = await people.revoke_key(session, key.public_key, reason, cut_off)
        revoked = next(each for each in user.keys if each.public_key == key.public_key)
        were = {each.public_key for each in before.keys if each.end_leaf is None}
        return revoked, [each for each in user.keys if each.public_key in were and each not in {*before.keys, revoked}]

    key, fallen = invocation.talk(revoke, unknown_keys=True)
    invocation.console.show(device_document(key), f"{safe(key.device)} is revoked{_since_when(key)}.")
    for other in fallen:
        invocation.console.note(
            f"With it ended, for it had vouched since then: {safe(other.device)} ({_words(other)})."
        )
    return 0


@click.command("rotate")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def rotate_command(invocation: Invocation, *, yes: bool) -> int:
    """Make a new key for this computer, which follows the one that is here; nobody else has to do anything."""
    from sft.client import rotating

    _require_possible(invocation, "A key that was followed by another one never comes back", yes=yes)
    profile = invocation.profile()
    if not yes:
        invocation.prompts.require_agreement(
            f"Make a new key for {shown_name(profile.user_name)} on {safe(profile.server_name)}? The one that is here signs "
            "no more; what it signed stays good.",
            otherwise="Nothing was changed.",
        )

    async def rotate(reactor: Any) -> Profile:
        ask = _remembered(invocation.ask(profile.name))
        with invocation.environment.threads(reactor) as pool:
            prepared, _ = await rotating.prepare(invocation.state, profile, pool, ask)
        async with await invocation.environment.connect(reactor, invocation.state, prepared, ask=ask) as session:
            if session.profile.public_key == prepared.next_key:
                return session.profile  # an earlier attempt was taken, and its answer lost
            return await rotating.rotate(session, invocation.state, session.pool, prepared)

    new = invocation.run(rotate)
    identity = Identity(invocation.state, new)
    document: Document = {
        **key_document(identity.public),
        "user": new.user_name,
        "server": new.server_name,
        "device": new.device,
        "passphrase": identity.encrypted(),
        "file": str(invocation.state.path(new.key_file)),
        "pub_file": identity.export(),
    }
    invocation.console.show(
        document, f"Your new key on {safe(new.server_name)}: {identity.words}. The one before says so itself."
    )
    return 0


@click.command("reset-key")
@click.argument("name", shell_complete=people_there)
@click.argument("key", required=False, default="")
@click.option("--device", metavar="NAME", default="device", help="How the device is called that has the key.")
@stolen_since
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def reset_key_command(
    invocation: Invocation, name: str, key: str, device: str, stolen_since: str | None, *, yes: bool
) -> int:
    """Let somebody in again who lost every key: by a link, good once and for a day, or with KEY; everybody is shown."""
    reason, cut_off = reason_of(stolen_since)
    if not key:
        return _offer_reset(invocation, name, reason, cut_off, yes=yes)
    public, device = read_public_key(key, _OTHERWISE), parse_device_name(device)
    _require_possible(invocation, "A reset ends every other key of a person for good", yes=yes)
    if not yes:
        invocation.prompts.require_typed(
            f"Give {safe(name)} the key {public.words()}? Have they read you these words? Every other key of theirs ends now, "
            "and everybody is shown that you did this.",
            expected=name,
            otherwise="Nothing was reset.",
        )
    user = invocation.talk(lambda session: people.reset_key(session, name, public, device, reason, cut_off))
    invocation.console.show(
        user_document(user), f"{shown_name(user.name)} has a new key: {public.words()}. There: the same sft join again."
    )
    return 0


def _offer_reset(invocation: Invocation, name: str, reason: KeyEnd, cut_off: int, *, yes: bool) -> int:
    _require_possible(invocation, "A reset ends every key of a person for good", yes=yes)
    if not yes:
        invocation.prompts.require_typed(
            f"End every key of {safe(name)}, and make a link by which whoever has it comes back as {safe(name)}? Everybody is "
            "shown that you did this.",
            expected=name,
            otherwise="Nothing was reset.",
        )
    link, made = invocation.talk(
        lambda session: people.offer_reset(session, name, reason, cut_off, head=session.link_head)
    )
    show_reset_link(invocation.console, link, made, invocation.now)
    return 0


def _chosen(user: User, which: str) -> DeviceKey:
    public = PublicKey.parse(which).encode() if which.startswith("RW") and len(which) > len("RW") * 20 else b""
    active = [key for key in user.keys if key.ended_at is None]
    found = [key for key in user.keys if key.public_key == public] or [key for key in active if key.device == which]
    if not found:
        raise NotFoundError(what="key", name=which)
    if len(found) > 1:
        raise UsageError(
            problem=f"Several devices are called {safe(which)}", remedy="Name the key itself: sft key device list"
        )
    return found[0]


def _require_possible(invocation: Invocation, problem: str, *, yes: bool) -> None:
    if not yes and not invocation.prompts.possible:
        raise UsageError(problem=f"{problem}, and there is no terminal to ask on", remedy="Say so: --yes")


def _says(key: DeviceKey, user: User, profile: Profile, *, now: float) -> str:
    here = " (this computer)" if key.public_key == profile.public_key else ""
    return f"{_words(key)}{here}  {key_since(key, user, now=now)}"


def _fields(key: DeviceKey, user: User, profile: Profile) -> tuple[str, ...]:
    """Return a key as a program reads it."""
    return (
        safe(key.device),
        _words(key),
        "here" if key.public_key == profile.public_key else "",
        utc_time(key.added_at),
        by_whose_word(key, user),
        "" if key.ended_at is None else utc_time(key.ended_at),
        "" if key.end_reason is None else key.end_reason.value,
    )


def _words(key: DeviceKey) -> str:
    public = PublicKey.decode_or_none(key.public_key)
    return "no key that this sft can read" if public is None else public.words()


def _since_when(key: DeviceKey) -> str:
    return "" if key.cut_off_leaf is None else f"; nothing that it signed from {key.cut_off_leaf:,} on counts"


def _remembered(ask: Ask) -> Ask:
    """Ask once."""
    answers: list[str] = []

    async def answer() -> str:
        if not answers:
            answers.append(await ask())
        return answers[0]

    return answer
