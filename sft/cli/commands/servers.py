"""`sft servers`: the servers that this computer knows; their address, key and default.

Rules. A server is its key: another address is taken when the pinned key answers there, another key only from a server link
that a person gave. Forgetting puts the key file aside and destroys nothing.
"""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from sft.cli.columns import aligned
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.link_input import link_text
from sft.cli.options import common, pass_invocation
from sft.client.profiles import Profile
from sft.model.links import parse_address
from sft.model.names import safe
from sft.model.text import shown_name


@click.group("servers", invoke_without_command=True)
@common
@pass_invocation
@click.pass_context
def command(context: click.Context, invocation: Invocation) -> int:
    """List the servers that this computer knows, or change what it knows of them."""
    if context.invoked_subcommand is not None:
        return 0
    default = invocation.profiles.default_name()
    profiles = invocation.profiles.all()
    console = invocation.console
    if console.json:
        console.document([_document(profile, default) for profile in profiles])
    rows = [
        (
            console.mark("●") if profile.name == default else " ",
            safe(profile.name),
            safe(profile.address),
            shown_name(profile.user_name) if profile.joined else "not joined yet",
            safe(profile.role),
            profile.server.words(),
        )
        for profile in profiles
    ]
    for line in aligned(rows):
        console.result(line)
    if not profiles:
        console.note("None yet. sft join, with an invitation from an admin")
    return 0


@command.command("address")
@click.argument("name")
@click.argument("address", metavar="HOST:PORT")
@common
@pass_invocation
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
    if invocation.console.json:
        invocation.console.document(_document(kept, invocation.profiles.default_name()))
    invocation.console.result("Same server: its key is the pinned one.")
    return 0


@command.command("link")
@click.argument("name")
@click.option(
    "--link-file", metavar="FILE", help="The file that holds the link; - for standard input."
)
@common
@pass_invocation
def link_command(invocation: Invocation, name: str, link_file: str | None) -> int:
    """Take a server's new key and address from a server link that a person gave you (twistd sft link)."""
    before = invocation.profiles.choose(name)
    text = link_text(invocation, link_file, "Paste the server link, then Enter: ")
    profile = invocation.profiles.accept_link(name, text, now=int(invocation.now))
    console = invocation.console
    if console.json:
        console.document(_document(profile, invocation.profiles.default_name()))
    same = profile.server_key == before.server_key
    news = "the key is the pinned one" if same else f"pinned now: {profile.server.words()}"
    console.result(f"{safe(profile.name)} is at {safe(profile.address)}; {news}")
    return 0


@command.command("default")
@click.argument("name")
@common
@pass_invocation
def default_command(invocation: Invocation, name: str) -> int:
    """Use this server when none is named."""
    invocation.profiles.set_default(name)
    if invocation.console.json:
        invocation.console.document(_document(invocation.profiles.choose(name), name))
    invocation.console.result(f"{safe(name)} is used when no --profile is given.")
    return 0


@command.command("forget")
@click.argument("name")
@common
@pass_invocation
def forget_command(invocation: Invocation, name: str) -> int:
    """Forget a server; the key is put aside, not destroyed, for it still opens the account there."""
    gone = invocation.profiles.forget(name)
    aside = str(invocation.state.path("keys/forgotten"))
    if invocation.console.json:
        invocation.console.document({**_document(gone, ""), "forgotten": True, "key_folder": aside})
    invocation.console.result(f"{safe(name)} is forgotten here. Its key lies in {safe(aside)}.")
    return 0


def _document(profile: Profile, default: str) -> Document:
    return {
        "profile": profile.name,
        "server": profile.server_name,
        "address": profile.address,
        "user": profile.user_name if profile.joined else None,
        "role": profile.role or None,
        "device": profile.device,
        "default": profile.name == default,
        "server_key_words": profile.server.words(),
        "key_words": profile.key.words(),
    }
