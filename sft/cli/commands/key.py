"""`sft key`: show, export and protect the key of this computer. Wherever a key is shown, so are its words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sft.cli.columns import aligned
from sft.cli.commands.devices import device_group, rotate_command
from sft.cli.completing import files_here
from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document, key_document
from sft.cli.lazy import WholeSentences
from sft.cli.options import common
from sft.cli.people_output import words_of
from sft.client.identity import Ask, Identity, read_passphrase_file
from sft.crypto.keys import PublicKey
from sft.errors import KeyLockedError, NotFoundError, UsageError
from sft.model.names import safe
from sft.model.text import count_text, shown_name

if TYPE_CHECKING:
    from sft.client.session import Session


@click.group("key", cls=WholeSentences, invoke_without_command=True)
@common
@click.pass_context
def command(context: click.Context, invocation: Invocation) -> int:
    """Show or export your key, change it or its passphrase; your devices."""
    return _show(invocation) if context.invoked_subcommand is None else 0


@command.command("show")
@common
def show_command(invocation: Invocation) -> int:
    """Show your key: its words, minisign's text, and whether a passphrase protects it."""
    return _show(invocation)


@command.command("export")
@common
def export_command(invocation: Invocation) -> int:
    """Print your public key as minisign's .pub file; the words go to standard error."""
    identity = Identity(invocation.state, invocation.profile())
    console = invocation.console
    if console.json:
        console.document(_document(invocation, identity))
    else:
        console.write(identity.export())
    console.note(identity.words)
    return 0


@command.command("passphrase")
@click.option("--no-passphrase", is_flag=True, help="Leave the key unprotected.")
@click.option(
    "--new-passphrase-file",
    metavar="FILE",
    shell_complete=files_here,
    help="The new passphrase: the first line of a file.",
)
@common
def passphrase_command(invocation: Invocation, new_passphrase_file: str | None, *, no_passphrase: bool) -> int:
    """Change the passphrase of your key on this computer."""
    if no_passphrase and new_passphrase_file is not None:
        raise UsageError(problem="--no-passphrase leaves nothing to read", remedy="Use one of the two")
    profile = invocation.profile()
    identity = Identity(invocation.state, profile)
    new: str | None = None
    if new_passphrase_file is not None:
        text = _text_of(invocation, new_passphrase_file)
        new = text.split("\n", 1)[0].rstrip("\r") or None

    async def change(reactor: Any) -> str | None:
        with invocation.environment.threads(reactor) as pool:
            old = _Remembered(invocation.ask(profile.name))
            # The old one is settled before a new one is thought of.
            await identity.open(pool, old.ask)
            chosen = new
            if new_passphrase_file is None and not no_passphrase:
                chosen = _new_passphrase(invocation)
            await identity.change_passphrase(pool, old.ask, chosen)
            return chosen

    chosen = invocation.run(change)
    if invocation.console.json:
        invocation.console.document(_document(invocation, identity))
    if chosen is None:
        invocation.console.result(
            "Your key has no passphrase now: whoever can read your files on this computer can act as "
            f"{shown_name(profile.user_name)}."
        )
    else:
        invocation.console.result("Your key has a new passphrase.")
    return 0


@command.command("trust")
@click.argument("name", shell_complete=people_there)
@common
def trust_command(invocation: Invocation, name: str) -> int:
    """Take a new key for a person's, or for your own, after you compared its words with them."""
    profile = invocation.profile()
    if not invocation.prompts.possible:
        raise UsageError(
            problem="Only a person at a terminal agrees to a key", remedy="Type this command where you can answer it"
        )

    async def agree(session: Session) -> int:
        pins = session.pins
        pin = next((each for each in pins.people.values() if each.name == name), None)
        if pin is None:
            raise NotFoundError(what="user", name=name)
        if not pin.shown_later:
            return 0
        for title, keys in (("known", pin.keys), ("new", pin.shown_later)):
            for key in keys:
                invocation.console.warn(f"{title:6} {words_of(PublicKey.decode_or_none(key))}")
        invocation.prompts.require_typed(
            f"Did {shown_name(name)} tell you these new words, by phone or in person?",
            expected=safe(name),
            otherwise="Nothing was changed.",
        )
        return len(await session.pool.run(pins.accept, name))

    agreed = invocation.talk(agree, profile, unknown_keys=True)
    said = (
        f"{count_text(agreed)} taken for {shown_name(name)}'s."
        if agreed
        else f"Nothing new is known of {shown_name(name)}."
    )
    invocation.console.result(said)
    return 0


command.add_command(device_group)
command.add_command(rotate_command)


class _Remembered:
    """Asks once."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._answer: str | None = None

    async def ask(self) -> str:
        if self._answer is None:
            self._answer = await self._ask()
        return self._answer


def _new_passphrase(invocation: Invocation) -> str | None:
    try:
        return invocation.prompts.new_passphrase("New passphrase")
    except KeyLockedError:
        raise UsageError(
            problem="There is no terminal to ask for the new passphrase on",
            remedy="--new-passphrase-file FILE, or --no-passphrase",
        ) from None


def _show(invocation: Invocation) -> int:
    profile = invocation.profile()
    identity = Identity(invocation.state, profile)
    document = _document(invocation, identity)
    server, device = safe(profile.server_name), safe(profile.device)
    rows = [
        ("key", identity.words),
        ("minisign", identity.public.text()),
        ("of", f"{shown_name(profile.user_name)} on {server}, device {device}"),
        ("passphrase", "yes" if document["passphrase"] else "none: whoever reads the file has the key"),
        ("file", safe(document["file"])),
    ]
    invocation.console.show(document, *aligned(rows))
    return 0


def _document(invocation: Invocation, identity: Identity) -> Document:
    profile = invocation.profile()
    return {
        **key_document(identity.public),
        "user": profile.user_name,
        "server": profile.server_name,
        "device": profile.device,
        "passphrase": identity.encrypted(),
        "file": str(invocation.state.path(profile.key_file)),
        "pub_file": identity.export(),
    }


def _text_of(invocation: Invocation, path: str) -> str:
    return invocation.prompts.secret_file(path, "") if path == "-" else read_passphrase_file(Path(path))
