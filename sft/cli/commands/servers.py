"""`sft servers`: the servers that this computer knows; their address, key and default.

Rules. A server is its id and its key: another address is taken when the pinned key answers there, another key only from a
server link that a person gave, and after its words stood beside the old ones. Forgetting puts the key file aside and destroys
nothing. Where nobody can be asked, ``--yes`` has to be given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from msgspec.structs import replace

from sft.cli.completing import servers as servers_here
from sft.cli.console import Console
from sft.cli.invocation import Invocation
from sft.cli.json_output import profile_document
from sft.cli.lazy import WholeSentences
from sft.cli.options import common
from sft.cli.witnessed_output import standing_of, warning_of
from sft.client.profiles import Forgotten, Profile, require_same_server
from sft.client.witnessed import standing_text
from sft.crypto.keys import ServerPublic
from sft.errors import SftError, UsageError
from sft.model.links import parse_address, parse_server_link
from sft.model.names import safe
from sft.model.text import count_text, sentence, shell_name, shell_word, shown_name

if TYPE_CHECKING:
    from sft.client.shown_log import LookedAtLog

_MOST_RECEIPTS: Final = 20


@click.group("servers", cls=WholeSentences, invoke_without_command=True)
@common
@click.pass_context
def command(context: click.Context, invocation: Invocation) -> int:
    """List the servers that this computer knows, or change what it knows of them."""
    if context.invoked_subcommand is not None:
        return 0
    default = invocation.profiles.default_name()
    profiles = invocation.profiles.all()
    console = invocation.console
    standings = [standing_of(invocation.state, profile, now=invocation.now) for profile in profiles]
    asked = any(log is not None and log.has_quorum for log in standings)
    if console.json:
        console.document(
            [profile_document(each, default, log=log) for each, log in zip(profiles, standings, strict=True)]
        )
    console.table(
        [
            (
                console.mark("●") if profile.name == default else " ",
                safe(profile.name),
                safe(profile.address),
                shown_name(profile.user_name) if profile.joined else "not joined yet",
                safe(profile.role),
                profile.server.words(),
                *([standing_text(log, now=invocation.now)] if asked else []),
            )
            for profile, log in zip(profiles, standings, strict=True)
        ],
        head=("", "name", "address", "you", "role", "server key", *(["log"] if asked else [])) if profiles else (),
        fields=[
            (
                "default" if profile.name == default else "",
                safe(profile.name),
                safe(profile.address),
                safe(profile.user_name) if profile.joined else "",
                safe(profile.role),
                profile.server.words(),
                *([standing_text(log, now=invocation.now)] if asked else []),
            )
            for profile, log in zip(profiles, standings, strict=True)
        ],
    )
    for profile, log in zip(profiles, standings, strict=True):
        if overdue := warning_of(profile, log):
            console.warn(overdue)
    if not profiles:
        console.note("None yet. sft join, with an invitation from an admin")
    return 0


@command.command("address")
@click.argument("name", shell_complete=servers_here)
@click.argument("address", metavar="HOST:PORT")
@common
def address_command(invocation: Invocation, name: str, address: str) -> int:
    """Look for a server that moved at another address; its key tells that it is the same."""
    profile = invocation.profiles.choose(name)
    host, port = parse_address(address)
    moved = replace(profile, host=host, port=port)

    async def knock(reactor: Any) -> None:
        async with await invocation.connected(reactor, moved):
            pass

    invocation.run(knock)
    kept = invocation.profiles.set_address(name, address)
    invocation.console.show(
        profile_document(kept, invocation.profiles.default_name()), "Same server: its key is the pinned one."
    )
    return 0


@command.command("link")
@click.argument("name", shell_complete=servers_here)
@click.option("--link-file", metavar="FILE", help="The file that holds the link; - for standard input.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def link_command(invocation: Invocation, name: str, link_file: str | None, *, yes: bool) -> int:
    """Take a server's new key and address from a server link that a person gave you (sftd link)."""
    before = invocation.profiles.choose(name)
    text = invocation.prompts.link(link_file, "Paste the server link, then Enter: ")
    link = parse_server_link(text)
    require_same_server(before, link)
    same = link.server_key == before.server_key
    new = ServerPublic(link.server_key).words()
    if not same and not yes:
        _require_possible(invocation, "Another key than the pinned one is asked about first")
        invocation.console.warn(f"pinned     {before.server.words()}")
        invocation.console.warn(f"the link's {new}")
        invocation.prompts.require_agreement(
            f"Pin this key for {safe(name)}, because a person whom you know gave you the link?",
            otherwise="Nothing was changed.",
        )
    profile = invocation.profiles.accept_link(name, text, now=int(invocation.now))
    news = "the key is the pinned one" if same else f"pinned now: {new}"
    invocation.console.show(
        profile_document(profile, invocation.profiles.default_name()),
        f"{safe(profile.name)} is at {safe(profile.address)}; {news}",
    )
    return 0


@command.command("trust")
@click.argument("name", shell_complete=servers_here)
@common
def trust_command(invocation: Invocation, name: str) -> int:
    """Use a server again that contradicted itself or began a new log, after you know why."""
    from sft.client.stopped import review_of, use_again  # with the ledger: a list of servers starts without

    profile = invocation.profiles.choose(name)
    review = review_of(invocation.state, profile)
    _require_person(invocation)
    shown = _shown_now(invocation, profile)
    console, now = invocation.console, invocation.now
    if review.why is not None:
        console.warn(sentence(review.why, now=now))
    for head in review.heads:
        console.warn(f"seen here: {count_text(head.checkpoint.size)} entries of {safe(head.checkpoint.origin.text())}")
    if shown is None:
        _warn_of(console, review.receipts, "receipts that a new log may lack")
        console.warn("What was seen of its log is put aside, and the next login takes whatever log it shows.")
    else:
        _tell_shown(console, shown)
    invocation.prompts.require_typed(
        "Did its operator tell you why, and do you believe it?",
        expected=safe(profile.server_name),
        otherwise="Nothing was changed.",
    )
    aside = use_again(
        invocation.state,
        profile,
        now=int(now),
        shown=None if shown is None else shown.head,
        has_all=shown is not None and shown.has_all,
        continued=() if shown is None else shown.continued,
    )
    console.result(f"{safe(profile.name)} is used again. What was seen of its log lies in {safe(aside)}")
    return 0


@command.command("policy")
@click.argument("name", shell_complete=servers_here)
@click.argument("file", metavar="FILE")
@common
def policy_command(invocation: Invocation, name: str, file: str) -> int:
    """Say which witnesses have to cosign a server's log (C2SP tlog-policy) for it to be shown as witnessed."""
    from sft.client.witnessed import keep_policy_file

    profile = invocation.profiles.choose(name)
    keep_policy_file(invocation.state, profile, Path(file))
    standing = standing_of(invocation.state, profile, now=invocation.now)
    invocation.console.show(
        profile_document(profile, invocation.profiles.default_name(), log=standing),
        f"{safe(name)}: {standing_text(standing, now=invocation.now)}",
    )
    return 0


@command.command("default")
@click.argument("name", shell_complete=servers_here)
@common
def default_command(invocation: Invocation, name: str) -> int:
    """Use this server when none is named."""
    invocation.profiles.set_default(name)
    invocation.console.show(
        profile_document(invocation.profiles.choose(name), name), f"{safe(name)} is used when no --profile is given."
    )
    return 0


@command.command("forget")
@click.argument("name", shell_complete=servers_here)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
def forget_command(invocation: Invocation, name: str, *, yes: bool) -> int:
    """Forget a server; the key is put aside, not destroyed, for it still opens the account there."""
    profile = invocation.profiles.choose(name)
    if not yes:
        _require_possible(invocation, "Forgetting a server is asked about first")
        who = f" You are {shown_name(profile.user_name)} there ({safe(profile.role)})." if profile.joined else ""
        invocation.prompts.require_agreement(
            f"Forget {safe(name)} on this computer?{who} Nothing changes on the server, and your key is put aside.",
            otherwise="Nothing was forgotten.",
        )
    gone = invocation.profiles.forget(name)
    back = _way_back(gone)
    invocation.console.show(
        {**profile_document(gone.profile, None), "key_file": str(gone.key_file), "way_back": back},
        f"{safe(name)} is forgotten here; your key is not destroyed. To come back:",
        f"  {back}",
    )
    return 0


def _shown_now(invocation: Invocation, profile: Profile) -> LookedAtLog | None:
    """Look at the log that the server shows now; None, with the reason said, where that cannot be."""
    from sft.client.shown_log import look_at_log

    async def look(reactor: Any) -> LookedAtLog:
        async with await invocation.connected(reactor, profile, unknown_keys=True, looking=True) as session:
            return await look_at_log(session)

    try:
        return invocation.run(look)
    except SftError as error:
        invocation.console.warn(f"Its log cannot be looked at now: {sentence(error, now=invocation.now)}")
        return None


def _tell_shown(console: Console, shown: LookedAtLog) -> None:
    head = shown.head.checkpoint
    console.warn(f"shown now: {count_text(head.size)} entries of {safe(head.origin.text())}")
    if shown.kept is not None:
        console.warn(f"Its operator put it back to {count_text(shown.kept)} entries of {safe(shown.before)}:")
        console.warn(f"  {safe(shown.reason)}")
    if shown.has_all:
        console.warn("It goes on all that this computer saw: nothing of that is lacking.")
    else:
        console.warn("It does not go on what this computer saw: some of that is lacking.")
    _warn_of(console, shown.lacking, "receipts for what it lacks")
    console.warn("What was seen of its log is put aside, and this one is kept in its place.")


def _warn_of(console: Console, receipts: list[str], what: str) -> None:
    if receipts:
        console.warn(f"This computer keeps {count_text(len(receipts))} {what}:")
    for path in receipts[:_MOST_RECEIPTS]:
        console.warn(f"  {safe(path)}")


def _require_person(invocation: Invocation) -> None:
    if not invocation.prompts.possible:
        raise UsageError(
            problem="Only a person at a terminal trusts a log again", remedy="Type this command where you can answer it"
        )


def _way_back(gone: Forgotten) -> str:
    """Return the whole command that joins a forgotten server again with the same key."""
    key = shell_word(str(gone.key_file))
    if not gone.profile.joined:
        return f"sft join --key {key}"  # with the invitation
    link, user = shell_word(str(gone.link_file)), shell_name(gone.profile.user_name)
    return f"sft join --link-file {link} --key {key} --user {user}"


def _require_possible(invocation: Invocation, what: str) -> None:
    if not invocation.prompts.possible:
        raise UsageError(problem=f"{what}, and there is no terminal to ask on", remedy="The same command with --yes")
