"""``sftd log show|export|verify``: what happened, and the whole log, in files for anybody's tools, and checked.

Rules. An export is made of pages that were proved, as everybody gets them, so it is the same of a server that runs and of one
that does not. It goes on the one before in the same folder: full tiles are written once, the checkpoint last. A folder of
another log is left as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sft.cli.log_output import AskedLines, leaves_line, query_of, show_log, show_verified, show_without
from sft.client.api.leaves import refuse
from sft.client.api.log import LogLines, all_lines, page_before
from sft.client.log_folder import LogFolder
from sft.client.log_verify import read_signed, verify_folder, verify_server
from sft.crypto.signed_note import server_note_key, text_of
from sft.errors import CryptoError, LocalFileError, ProofInvalidError, UsageError
from sft.ledger.acts import ACTS
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.published import CHECKPOINT, LogWriter
from sft.model.names import safe
from sft.model.text import count_text
from sft.operator.control import Command
from sft.operator.witnesses import read_cosigned


async def show(command: Command) -> int:
    """Show the newest lines, or all after one; with --follow go on until interrupted."""
    options, session, console = command.options, command.session, command.console
    asked = AskedLines(
        user=options["user"],
        file=options["file"],
        acts=_acts(options["act"]),
        since=options["since"],
        until=options["until"],
    )
    query = await query_of(session, asked, command.now)
    await show_log(
        console, session, session.reactor, query,
        count=options["n"], after=options["after"], follow=bool(options["follow"]), now=command.now,
    )  # fmt: skip
    await show_without(console, session, asked)
    return 0


async def export(command: Command) -> int:
    """Write the log as a folder of C2SP tlog-tiles, with its records as addenda unless told otherwise."""
    session, console = command.session, command.console
    folder, with_records = LogFolder(Path(command.options["dir"])), not command.options["without_records"]
    last = await page_before(session, limit=1)
    head = last.head
    progress = command.console.drawing(leaves_line)

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
    async for page in all_lines(session, start=writer.next_leaf):
        await session.pool.run(add, page)
        progress(writer.next_leaf, head.size)
        if writer.next_leaf >= head.size:
            break
    else:
        refuse(session, "a log that is not shown whole")
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
            console, await verify_server(session, progress=command.console.drawing(leaves_line)), session.server_name
        )
    folder = LogFolder(Path(named))

    def check() -> Any:
        origin = read_signed(folder).origin.text()
        return verify_folder(folder, [server_note_key(session.server_key, origin)])

    return show_verified(console, await session.pool.run(check), named)


def _acts(text: str | None) -> list[str]:
    acts = [] if text is None else text.split(",")
    unknown = [act for act in acts if act not in ACTS]
    if unknown:
        raise UsageError(problem=f"{safe(unknown[0])} is no act", remedy=", ".join(sorted(ACTS)))
    return acts


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
    data = read_cosigned(command.home)
    try:
        cosigned = (data or b"").decode("utf-8")
        return cosigned if text_of(cosigned) == text_of(note) else note
    except (CryptoError, UnicodeDecodeError):
        return note


def _not_ours(folder: LogFolder, problem: str) -> LocalFileError:
    return LocalFileError(path=str(folder.path), problem=problem, remedy="Export to a folder of its own")
