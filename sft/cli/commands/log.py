"""`sft log`: what happened on the server, each line proved; and the whole log checked, at the server or in an exported folder.

Rules. A file is meant by its id: what it was called then does not matter. With ``--follow`` the command goes on until it is
interrupted; with ``--json`` too it prints one object a line, and ``--after`` goes on where another run ended.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from sft.cli.invocation import Invocation
from sft.cli.log_output import drawn, proved_to, show_lines, show_verified
from sft.cli.options import common
from sft.client.api.files import show_file
from sft.client.api.log import FOLLOW_SECONDS, LogLines, LogNames, LogQuery, newest, page_after
from sft.client.api.people import show_user
from sft.client.concurrency import pause
from sft.client.heads import Heads
from sft.client.log_document import line_document
from sft.client.log_folder import LogFolder
from sft.client.log_verify import VerifiedLog, read_signed, verify_folder, verify_server
from sft.client.logged import ACTS
from sft.client.session import Session
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import server_note_key
from sft.errors import KeyFormatError, NotFoundError, UsageError
from sft.ledger.checkpoints import Checkpoint
from sft.model.names import parse_path
from sft.model.text import moment

LINES = 50
_FILE_ID_DIGITS = 32


@click.group("log", invoke_without_command=True)
@click.option("--user", metavar="NAME", help="Who did it, or had it done to them.")
@click.option("--file", metavar="PATH", help="What was done to this file, whatever it was called then; or its id.")
@click.option("--act", "acts", type=click.Choice(sorted(ACTS)), multiple=True, help="What was done; again for several.")
@click.option("--since", metavar="WHEN", help="2d, 2026-05-03, or 2026-05-03T14:02:11Z.")
@click.option("--until", metavar="WHEN", help="Before then.")
@click.option("--after", type=click.IntRange(min=0), metavar="N", help="All that comes after line N.")
@click.option("-n", "count", type=click.IntRange(min=1), default=LINES, show_default=True, help="So many, the newest.")
@click.option("--follow", is_flag=True, help="Go on with what happens, until interrupted.")
@common
@click.pass_context
def command(context: click.Context, /, invocation: Invocation, **options: Any) -> int:
    """Show what happened, each line proved by the server's log; downloads to the file's owner and admins."""
    if context.invoked_subcommand is not None:
        return 0
    if options["follow"]:
        invocation.environment.execute(_following(invocation, options), invocation.log.keep)
        return 0

    async def ask(session: Session) -> tuple[LogLines, LogNames]:
        return await _first(session, await _query(invocation, session, options), options)

    page, people = invocation.talk(ask)
    _show(invocation, page, people)
    proved_to(invocation.console, page.head.size)
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
    keys, kept = _known(invocation, read_signed(exported), key)
    verified = verify_folder(exported, keys, kept, drawn(invocation.console))
    return show_verified(invocation.console, verified, str(path))


def _following(invocation: Invocation, options: dict[str, Any]) -> Any:
    async def following(reactor: Any) -> None:
        from twisted.internet.defer import CancelledError

        async with await invocation.connected(reactor, invocation.profile()) as session:
            query = await _query(invocation, session, options)
            page, names = await _first(session, query, options)
            with suppress(CancelledError):  # the way to end it
                while True:
                    _show(invocation, page, names, one_a_line=True)
                    invocation.console.flush()
                    if not page.more:
                        await pause(reactor, FOLLOW_SECONDS)
                    page = await page_after(session, query, page.next)
                    await names.learn(page.lines)
        proved_to(invocation.console, page.head.size)

    return following


async def _first(session: Session, query: LogQuery, options: dict[str, Any]) -> tuple[LogLines, LogNames]:
    people = LogNames(session)
    if options["after"] is None:
        page = await newest(session, query, options["count"])
    else:
        page = await _all_after(session, query, options["after"] + 1, follow=options["follow"])
    await people.learn(page.lines)
    return page, people


async def _all_after(session: Session, query: LogQuery, start: int, *, follow: bool) -> LogLines:
    page = await page_after(session, query, start)
    lines = list(page.lines)
    while page.more and not follow:
        page = await page_after(session, query, page.next)
        lines += page.lines
    return LogLines(lines, page.head, page.note, page.next, page.more)


async def _query(invocation: Invocation, session: Session, options: dict[str, Any]) -> LogQuery:
    now = invocation.now
    since, until = (None if text is None else moment(text, now) for text in (options["since"], options["until"]))
    user = options["user"]
    return LogQuery(
        user_id=None if user is None else (await show_user(session, user)).id,
        file_id=None if options["file"] is None else await _file_id(session, options["file"]),
        kinds=tuple(int(kind) for act in options["acts"] for kind in ACTS[act]),
        since=since,
        until=until,
    )


async def _file_id(session: Session, text: str) -> bytes:
    try:
        return (await show_file(session, parse_path(text))).id
    except NotFoundError:
        digits = text if len(text) == _FILE_ID_DIGITS else ""
        try:
            found = bytes.fromhex(digits)
        except ValueError:
            found = b""
        if not found:
            raise
        return found


def _show(invocation: Invocation, page: LogLines, people: LogNames, *, one_a_line: bool = False) -> None:
    console = invocation.console
    if console.json and not one_a_line:
        console.document([line_document(line, people) for line in page.lines])
    else:
        show_lines(console, page.lines, people, invocation.now)


def _verified_server(invocation: Invocation) -> tuple[VerifiedLog, str]:
    async def ask(session: Session) -> tuple[VerifiedLog, str]:
        kept = [head.checkpoint for head in Heads(session.state, session.server_id).read()]
        return await verify_server(session, kept, drawn(invocation.console)), session.server_name

    return invocation.talk(ask)


def _known(invocation: Invocation, said: Checkpoint, key: str | None) -> tuple[list[NoteKey], list[Checkpoint]]:
    """Return by which keys a folder's checkpoint is judged, and the heads that it is held to."""
    joined = [each for each in invocation.profiles.all() if each.server_id.hex().startswith(said.origin.server)]
    kept = [head.checkpoint for each in joined for head in Heads(invocation.state, each.server_id).read()]
    if key is not None:
        try:
            return [NoteKey.parse_vkey(key)], kept
        except KeyFormatError as error:
            raise UsageError(error.detail, problem="--key takes the key of a log", remedy="NAME+HASH+KEY") from error
    if not joined:
        raise UsageError(
            problem="It is the log of no server that this computer has joined",
            remedy="--key NAME+HASH+KEY: twistd sft log export says it to whoever runs the server",
        )
    return [server_note_key(each.server, said.origin.text()) for each in joined], kept
