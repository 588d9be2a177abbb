"""`sft log`: what happened on the server, each line proved; the whole log checked, here or there; one event of a hook checked.

Rules. With ``--follow`` the command goes on until it is interrupted; with ``--json`` too it prints one object a line, and
``--after`` goes on where another run ended.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from sft.cli.completing import files_here, paths
from sft.cli.completing import people as people_there
from sft.cli.invocation import Invocation
from sft.cli.lazy import WholeSentences
from sft.cli.log_output import NEWEST, AskedLines, leaves_line, query_of, show_log, show_verified, show_without
from sft.cli.options import common
from sft.client.heads import Heads
from sft.client.log_folder import LogFolder
from sft.client.log_verify import VerifiedLog, read_signed, verify_folder, verify_server
from sft.client.os_errors import translating_os_errors
from sft.client.session import Session
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import server_note_key
from sft.errors import CryptoError, KeyFormatError, NotShownError, UsageError
from sft.ledger.acts import ACTS, kind_word
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.event_document import check_event, read_event
from sft.limits import EVENT_BYTES
from sft.model.names import safe
from sft.model.text import count_text, shown_name, utc_time

_LONG: Final = frozenset({"statement"})  # four lines of minisign


@click.group("log", cls=WholeSentences, invoke_without_command=True)
@click.option("--user", metavar="NAME", shell_complete=people_there, help="Who did it, or had it done to them.")
@click.option(
    "--file",
    metavar="PATH",
    shell_complete=paths,
    help="What was done to this file, whatever it was called then; or its id.",
)
@click.option("--act", "acts", type=click.Choice(sorted(ACTS)), multiple=True, help="What was done; again for several.")
@click.option("--since", metavar="WHEN", help="2d, 2026-05-03, or 2026-05-03T14:02:11Z.")
@click.option("--until", metavar="WHEN", help="Before then.")
@click.option("--after", type=click.IntRange(min=0), metavar="N", help="All that comes after line N.")
@click.option("-n", "count", type=click.IntRange(min=1), default=NEWEST, show_default=True, help="So many, the newest.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@common
@click.pass_context
def command(context: click.Context, /, invocation: Invocation, **options: Any) -> int:
    """Show what happened, each line proved by the server's log; downloads to the file's owner and admins."""
    if context.invoked_subcommand is not None:
        return 0
    if options["follow"]:
        invocation.environment.execute(_following(invocation, options), invocation.log.keep)
    else:
        invocation.talk(lambda session: _show(invocation, session, options))
    return 0


@command.command("verify")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--server", is_flag=True, help="All that the server shows of its log now.")
@click.option("--key", metavar="VKEY", help="The log's key, where you have it from elsewhere: NAME+HASH+KEY.")
@common
def verify_command(invocation: Invocation, folder: str | None, *, server: bool, key: str | None) -> int:
    """Check a whole log, leaf by leaf: a folder that was exported, without the server, or the server's own."""
    if server is (folder is not None):
        raise UsageError(
            problem="It is a folder or the server", remedy="sft log verify DIR, or sft log verify --server"
        )
    if server:
        if key is not None:
            raise UsageError(problem="--key is for a folder", remedy="Without it: the server's key is pinned")
        return show_verified(invocation.console, *_verified_server(invocation))
    path = Path(folder or "")
    exported = LogFolder(path)
    keys, kept = _known(invocation, read_signed(exported).origin, key)
    verified = verify_folder(exported, keys, kept, invocation.console.drawing(leaves_line))
    return show_verified(invocation.console, verified, str(path))


@command.command("event")
@click.argument("file", metavar="FILE", shell_complete=files_here)
@click.option("--key", metavar="VKEY", help="The log's key, where you have it from elsewhere: NAME+HASH+KEY.")
@common
def event_command(invocation: Invocation, file: str, key: str | None) -> int:
    """Check an event that a hook was given: that it stands in the server's log, without the server. - is standard input."""
    text = _read(file)
    try:
        said, origin = read_event(text)
        keys, _ = _known(invocation, origin, key)
        event = check_event(said, keys)
    except CryptoError as error:
        raise NotShownError(error.detail, path=file, evidence=file, problem=error.detail) from error
    console, leaf = invocation.console, event.leaf
    console.show(
        {
            "id": event.id,
            "type": said.type,
            "kind": kind_word(leaf.kind),
            "hook": event.hook,
            "leaf": event.index,
            "size": event.size,
            "log": event.origin.text(),
            "at": utc_time(leaf.time),
            "by": event.by,
            "facts": json.dumps(event.facts, ensure_ascii=False),
            "personal": None if event.personal is None else json.dumps(event.personal, ensure_ascii=False),
        },
        f"{console.mark('✓')} verified  {kind_word(leaf.kind)} at {utc_time(leaf.time)}, number {count_text(event.index)} of "
        f"{event.origin.text()}, which has {count_text(event.size)}",
        *(f"  {safe(name)}: {safe(_value(value))}" for name, value in event.facts.items() if name not in _LONG),
        *(["  It is a test: the event is one of before."] if event.is_test else []),
        f"  not proved: the name of who did it, {shown_name(event.by)}"
        if event.by
        else "  The server or its operator did it.",
    )
    return 0


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(EVENT_BYTES + 1)
    path = Path(file)
    with translating_os_errors(path), path.open("rb") as opened:
        return opened.read(EVENT_BYTES + 1)


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _following(invocation: Invocation, options: dict[str, Any]) -> Any:
    async def following(reactor: Any) -> None:
        from twisted.internet.defer import CancelledError

        async with await invocation.connected(reactor, invocation.profile()) as session:
            with suppress(CancelledError):  # the way to end it
                await _show(invocation, session, options)

    return following


async def _show(invocation: Invocation, session: Session, options: dict[str, Any]) -> None:
    asked = AskedLines(
        user=options["user"], file=options["file"], acts=options["acts"], since=options["since"], until=options["until"]
    )
    query = await query_of(session, asked, invocation.now)
    await show_log(
        invocation.console, session, session.connection.reactor, query,
        count=options["count"], after=options["after"], follow=options["follow"], now=invocation.now,
    )  # fmt: skip
    await show_without(invocation.console, session, asked)


def _verified_server(invocation: Invocation) -> tuple[VerifiedLog, str]:
    async def ask(session: Session) -> tuple[VerifiedLog, str]:
        kept = [head.checkpoint for head in Heads(session.state, session.server_id).read()]
        return await verify_server(session, kept, invocation.console.drawing(leaves_line)), session.server_name

    return invocation.talk(ask)


def _known(invocation: Invocation, origin: Origin, key: str | None) -> tuple[list[NoteKey], list[Checkpoint]]:
    """Return by which keys a checkpoint of a log is judged, and the heads that it is held to."""
    joined = [each for each in invocation.profiles.all() if each.server_id.hex().startswith(origin.server)]
    kept = [head.checkpoint for each in joined for head in Heads(invocation.state, each.server_id).read()]
    if key is not None:
        try:
            return [NoteKey.parse_vkey(key)], kept
        except KeyFormatError as error:
            raise UsageError(error.detail, problem="--key takes the key of a log", remedy="NAME+HASH+KEY") from error
    if not joined:
        raise UsageError(
            problem="It is the log of no server that this computer has joined",
            remedy="--key NAME+HASH+KEY: sftd log key says it to whoever runs the server",
        )
    return [server_note_key(each.server, origin.text()) for each in joined], kept
