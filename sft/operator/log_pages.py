"""``twistd sft log show|export|verify``: what happened, and the whole log, in files for anybody's tools, and checked.

Rules. An export is made of pages that were proved, as everybody gets them, so it is the same of a server that runs and of one
that does not. It goes on the one before in the same folder: full tiles are written once, the checkpoint last. A folder of
another log is left as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sft.cli.log_output import drawn, proved_to, show_lines, show_verified
from sft.client.api.files import show_file
from sft.client.api.log import FOLLOW_SECONDS, LogLines, LogNames, LogQuery, newest, page_after, page_before
from sft.client.api.people import show_user
from sft.client.concurrency import pause
from sft.client.log_folder import LogFolder
from sft.client.log_verify import read_signed, verify_folder, verify_server
from sft.client.logged import ACTS
from sft.crypto.signed_note import server_note_key, text_of
from sft.errors import CryptoError, LocalFileError, ProofInvalidError, UsageError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.published import CHECKPOINT, LogWriter
from sft.model.names import parse_path, safe
from sft.model.text import count_text, moment
from sft.operator.control import Command
from sft.operator.options import outermost
from sft.operator.witnesses import read_cosigned

LINES: Final = 50


async def show(command: Command) -> int:
    """Show the newest lines, or all after one; with --follow go on until interrupted."""
    options, session, console = command.options, command.session, command.console
    query, people = await _query(command), LogNames(session)
    if options["after"] is None:
        page = await newest(session, query, _number(options["n"], "-n"))
    else:
        page = await page_after(session, query, _number(options["after"], "--after") + 1)
    await people.learn(page.lines)
    if console.json and not options["follow"]:
        await _show_document(command, page, query, people)
        return 0
    while True:
        show_lines(console, page.lines, people, command.now)
        console.flush()
        if not options["follow"] and (options["after"] is None or not page.more):
            proved_to(console, page.head.size)
            return 0
        if not page.more:
            await pause(session.reactor, FOLLOW_SECONDS)
        page = await page_after(session, query, page.next)
        await people.learn(page.lines)


async def export(command: Command) -> int:
    """Write the log as a folder of C2SP tlog-tiles, with its records as addenda unless told otherwise."""
    session, console = command.session, command.console
    folder, with_records = LogFolder(Path(command.options["DIR"])), not command.options["without-records"]
    last = await page_before(session, limit=1)
    head = last.head
    progress = drawn(command.console)

    def begin() -> tuple[LogWriter, int]:
        folder.make()
        before = _before(folder, head)
        try:
            return LogWriter(folder, before), 0 if before is None else before.size
        except ProofInvalidError as fault:
            raise _not_ours(folder, f"does not hold together: {fault.detail}") from fault

    def add(page: LogLines) -> None:
        for line in page.lines:
            if line.number < head.size:
                writer.add(line.leaf.encode(), line.record if with_records else None)

    writer, had = await session.pool.run(begin)
    while writer.next_leaf < head.size:
        await session.pool.run(add, await page_after(session, start=writer.next_leaf))
        progress(writer.next_leaf, head.size)
    try:
        await session.pool.run(writer.end, head, _cosigned(command, last.note))
    except ProofInvalidError as fault:
        raise _not_ours(folder, f"is of another log: {fault.detail}") from fault
    vkey = server_note_key(session.server_key, head.origin.text()).vkey()
    document = {
        "folder": str(folder.path),
        "log": head.origin.text(),
        "size": head.size,
        "added": head.size - had,
        "records": with_records,
        "vkey": vkey,
    }
    added = count_text(head.size - had)
    console.show(document, f"{count_text(head.size)} leaves in {safe(str(folder.path))}, {added} of them new")
    console.note(f"Whoever checks it needs the log's key, by another way than the folder: {vkey}")
    if with_records:
        console.note("It holds the records: names, paths, who downloaded what. To publish it: --without-records.")
    return 0


async def verify(command: Command) -> int:
    """Check the server's log, or an exported folder by the server's key, leaf by leaf; status 7 where it does not hold."""
    session, console, named = command.session, command.console, command.options["folder"]
    if named is None:
        return show_verified(
            console, await verify_server(session, progress=drawn(command.console)), session.server_name
        )
    folder = LogFolder(Path(named))

    def check() -> Any:
        origin = read_signed(folder).origin.text()
        return verify_folder(folder, [server_note_key(session.server_key, origin)])

    return show_verified(console, await session.pool.run(check), named)


async def _show_document(command: Command, page: LogLines, query: LogQuery, people: LogNames) -> None:
    from sft.client.log_document import line_document

    lines = list(page.lines)
    while command.options["after"] is not None and page.more:
        page = await page_after(command.session, query, page.next)
        await people.learn(page.lines)
        lines += page.lines
    command.console.document([line_document(line, people) for line in lines])


async def _query(command: Command) -> LogQuery:
    options, now = command.options, command.now
    since, until = (None if options[name] is None else moment(options[name], now) for name in ("since", "until"))
    user, file = options["user"], options["file"]
    return LogQuery(
        user_id=None if user is None else (await show_user(command.session, user)).id,
        file_id=None if file is None else (await show_file(command.session, parse_path(file))).id,
        kinds=tuple(int(kind) for act in _acts(options["act"]) for kind in ACTS[act]),
        since=since,
        until=until,
    )


def _acts(text: str | None) -> list[str]:
    acts = [] if text is None else text.split(",")
    unknown = [act for act in acts if act not in ACTS]
    if unknown:
        raise UsageError(problem=f"{safe(unknown[0])} is no act", remedy=", ".join(sorted(ACTS)))
    return acts


def _number(text: str, option: str) -> int:
    if not text.isdecimal():
        raise UsageError(problem=f"{option} takes a number, not {safe(text)}", remedy=f"{option} 100")
    return int(text)


def _before(folder: LogFolder, head: Checkpoint) -> Checkpoint | None:
    """Return the checkpoint of an earlier export; that the log goes on it, the roots show."""
    if folder.read(CHECKPOINT, 1 << 20) is None:
        return None
    before = read_signed(folder)
    if before.origin != head.origin:
        raise _not_ours(folder, f"holds another log, {before.origin.text()}")
    if before.size > head.size:
        raise _not_ours(folder, f"holds more of the log than this server has: {before.size} leaves, not {head.size}")
    return before


def _cosigned(command: Command, note: str) -> str:
    """Return a head's note with the cosignatures that witnesses have made on that very head, if they have."""
    data = read_cosigned(outermost(command.options).home)
    try:
        cosigned = (data or b"").decode("utf-8")
        return cosigned if text_of(cosigned) == text_of(note) else note
    except (CryptoError, UnicodeDecodeError):
        return note


def _not_ours(folder: LogFolder, problem: str) -> LocalFileError:
    return LocalFileError(path=str(folder.path), problem=problem, remedy="Export to a folder of its own")
