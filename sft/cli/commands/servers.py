"""`sft servers`: the servers that this computer knows; their address, key and default.

Rules. A server is its key: another address is taken when the pinned key answers there, another key only from a server link
that a person gave. Forgetting puts the key file aside and destroys nothing.
"""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from sft.cli.invocation import Invocation
from sft.cli.json_output import profile_document
from sft.cli.options import common
from sft.model.links import parse_address
from sft.model.names import safe
from sft.model.text import shown_name


@click.group("servers", invoke_without_command=True)
@common
@click.pass_context
def command(context: click.Context, invocation: Invocation) -> int:
    """List the servers that this computer knows, or change what it knows of them."""
    if context.invoked_subcommand is not None:
        return 0
    default = invocation.profiles.default_name()
    profiles = invocation.profiles.all()
    console = invocation.console
    if console.json:
        console.document([profile_document(profile, default) for profile in profiles])
    console.table(
        [
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
    )
    if not profiles:
        console.note("None yet. sft join, with an invitation from an admin")
    return 0


@command.command("address")
@click.argument("name")
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
@click.argument("name")
@click.option("--link-file", metavar="FILE", help="The file that holds the link; - for standard input.")
@common
def link_command(invocation: Invocation, name: str, link_file: str | None) -> int:
    """Take a server's new key and address from a server link that a person gave you (twistd sft link)."""
    before = invocation.profiles.choose(name)
    text = invocation.prompts.link(link_file, "Paste the server link, then Enter: ")
    profile = invocation.profiles.accept_link(name, text, now=int(invocation.now))
    same = profile.server_key == before.server_key
    news = "the key is the pinned one" if same else f"pinned now: {profile.server.words()}"
    invocation.console.show(
        profile_document(profile, invocation.profiles.default_name()),
        f"{safe(profile.name)} is at {safe(profile.address)}; {news}",
    )
    return 0


@command.command("default")
@click.argument("name")
@common
def default_command(invocation: Invocation, name: str) -> int:
    """Use this server when none is named."""
    invocation.profiles.set_default(name)
    invocation.console.show(
        profile_document(invocation.profiles.choose(name), name), f"{safe(name)} is used when no --profile is given."
    )
    return 0


@command.command("forget")
@click.argument("name")
@common
def forget_command(invocation: Invocation, name: str) -> int:
    """Forget a server; the key is put aside, not destroyed, for it still opens the account there."""
    gone = invocation.profiles.forget(name)
    aside = str(invocation.state.path("keys/forgotten"))
    invocation.console.show(
        {**profile_document(gone, None), "key_folder": aside},
        f"{safe(name)} is forgotten here. Its key lies in {safe(aside)}.",
    )
    return 0
