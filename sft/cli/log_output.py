"""How lines of a server's log are shown, and what became of checking one: to ``sft`` and ``sftd`` alike.

Rules. On a terminal columns with local times, elsewhere a TAB between two fields and UTC. Up to where the log was proved stands
on standard error, and so does what no log can show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, TypedDict

from sft.cli.console import Console
from sft.cli.json_output import Document
from sft.cli.readers_output import without_line
from sft.cli.usage import FAULTS_STATUS
from sft.client.api import Requester
from sft.client.api.files import list_readers, show_file
from sft.client.api.log import FOLLOW_SECONDS, LogNames, LogQuery, newest, page_after, start_of_newest
from sft.client.api.people import show_user
from sft.client.concurrency import pause
from sft.client.log_document import actor_of, line_document
from sft.client.log_verify import VerifiedLog
from sft.client.logged import LogLine
from sft.errors import NotFoundError, NotYoursError, RoleForbidsError
from sft.ledger.acts import ACTS
from sft.ledger.leaves import LeafKind
from sft.limits import LOG_ENTRIES
from sft.model.names import parse_path, safe
from sft.model.text import count_text, counted, local_time, moment, shown_name, utc_time

GRADES: Final = {"sent": "sent", "verified": "verified"}
NOT_YOURS: Final = "not yours to see"
NEWEST: Final = 50  # lines, unless told
_TO_SOMEBODY: Final = frozenset({LeafKind.OWNER_CHANGED, LeafKind.FOLDER_OWNER_CHANGED})
_FILE_ID: Final = re.compile("[0-9a-f]{32}")


class AskedLines(TypedDict):
    """Which lines are asked for, as typed: names, a path or an id of 32 hex digits, words of acts, times."""

    user: str | None
    file: str | None
    acts: Sequence[str]
    since: str | None
    until: str | None


async def query_of(session: Requester, asked: AskedLines, now: float) -> LogQuery:
    """Find who and what is meant.

    Raises:
        NotFoundError: the server knows no such person or file.
        UsageError: that is no time.
    """
    since, until = (None if text is None else moment(text, now) for text in (asked["since"], asked["until"]))
    user, file = asked["user"], asked["file"]
    return LogQuery(
        user_id=None if user is None else (await show_user(session, user)).id,
        file_id=None if file is None else await _file_id(session, file),
        kinds=tuple(int(kind) for act in asked["acts"] for kind in ACTS[act]),
        since=since,
        until=until,
    )


async def show_log(
    console: Console,
    session: Requester,
    reactor: Any,
    query: LogQuery,
    *,
    count: int,
    after: int | None,
    follow: bool,
    now: float,
) -> None:
    """Show so many of the newest lines, or all after one, and up to where they were proved.

    Page by page: what was shown is not kept. For programs it is one list; followed, one object a line.

    Args:
        follow: go on with what comes, until cancelled.
    """
    names, size = LogNames(session), 0
    if after is None and count <= LOG_ENTRIES:
        page = await newest(session, query, count)
    else:
        start = await start_of_newest(session, query, count) if after is None else after + 1
        page = await page_after(session, query, start)
    try:
        with console.listing(whole=not follow) as add:
            while True:
                await names.learn(page.lines)
                if console.json:
                    for line in page.lines:
                        add(line_document(line, names))
                else:
                    _show_lines(console, page.lines, names, now)
                size = page.head.size
                if follow:
                    console.flush()
                if not page.more:
                    if not follow:
                        return
                    await pause(reactor, FOLLOW_SECONDS)
                page = await page_after(session, query, page.next)
    finally:
        if size:
            proved_to(console, size)


async def show_without(console: Console, session: Requester, asked: AskedLines) -> None:
    """Say who has not downloaded a file, where downloads of one are asked for and that is ours to see."""
    if asked["file"] is None or (asked["acts"] and "download" not in asked["acts"]):
        return
    try:
        readers = await list_readers(session, parse_path(asked["file"]))
    except (NotFoundError, NotYoursError, RoleForbidsError):
        return
    for line in without_line(readers):
        console.note(line)


def _show_lines(console: Console, lines: Sequence[LogLine], names: LogNames, now: float) -> None:
    console.table(
        [
            (
                count_text(line.number),
                local_time(line.time, now=now),
                _actor(line, names),
                line.words,
                _object(line, names),
                "" if line.version is None else f"v{line.version}",
                GRADES.get(line.grade or "", ""),
            )
            for line in lines
        ],
        right=(0,),
        fields=[
            (
                str(line.number),
                utc_time(line.time),
                _actor(line, names),
                line.act,
                _object(line, names),
                "" if line.version is None else str(line.version),
                line.grade or "",
            )
            for line in lines
        ],
    )


def show_verified(console: Console, verified: VerifiedLog, name: str) -> int:
    """Show what came of checking a log; return the exit status."""
    done, origin = verified.replayed, verified.checkpoint.origin.text()
    faults = len(done.findings) + done.more_findings
    lines = [
        f"{console.mark('✗')} {'' if each.leaf is None else f'{count_text(each.leaf)}: '}{safe(each.problem)}"
        for each in done.findings
    ]
    if done.more_findings:
        lines.append(f"  and {count_text(done.more_findings)} more")
    mark, verdict = ("✓", "holds") if not faults else ("✗", "does not hold")
    lines.append(
        f"{console.mark(mark)} {shown_name(name)} {verdict}: {count_text(done.size)} leaves of {safe(origin)}, "
        f"{count_text(done.users)} users, {count_text(done.files)} files and folders"
    )
    lines.append(
        f"  {count_text(done.records)} records, {count_text(done.statements)} signed statements"
        + (f"; {count_text(done.size - done.records)} not given out" if done.records < done.size else "")
        + (f"; of {count_text(done.erased)} the names are gone" if done.erased else "")
    )
    if verified.heads:
        agree = "agrees" if verified.heads == 1 else "agree"
        lines.append(f"  {counted(verified.heads, 'head')} that this computer has seen {agree}" if not faults else "")
    if verified.seen:
        lines.append(
            f"  it ends at {count_text(verified.checkpoint.size)} leaves, and this computer has seen the log with "
            f"{count_text(verified.seen)}: what came since is not in it. Export it anew: sftd log export DIR"
        )
    if done.steps_back:
        lines.append(f"  {count_text(done.steps_back)} times the server's clock went back: no fault")
    console.show(verified_document(verified), *[line for line in lines if line])
    return FAULTS_STATUS if faults else 0


def leaves_line(done: int, total: int) -> str:
    """Say how many leaves were looked at."""
    return f"{count_text(done)} of {count_text(total)} leaves"


def verified_document(verified: VerifiedLog) -> Document:
    done = verified.replayed
    return {
        "log": verified.checkpoint.origin.text(),
        "size": done.size,
        "root": done.root.hex(),
        "users": done.users,
        "files": done.files,
        "records": done.records,
        "erased": done.erased,
        "statements": done.statements,
        "heads": verified.heads,
        "seen": verified.seen,
        "clock_steps_back": done.steps_back,
        "findings": [{"number": each.leaf, "problem": each.problem} for each in done.findings],
        "more_findings": done.more_findings,
    }


def proved_to(console: Console, size: int) -> None:
    """Say up to where the log was proved, and what it cannot show."""
    console.note(f"log proved to {count_text(size)}. The operator's own reading of the disk leaves no trace here.")


async def _file_id(session: Requester, text: str) -> bytes:
    try:
        return (await show_file(session, parse_path(text))).id
    except NotFoundError:
        found = bytes.fromhex(text) if _FILE_ID.fullmatch(text) else None
        if found is None:
            raise
        return found


def _actor(line: LogLine, names: LogNames) -> str:
    return "?" if line.record is None else safe(actor_of(line, names))


def _object(line: LogLine, names: LogNames) -> str:
    if line.record is None:
        return NOT_YOURS
    path = names.path(line)
    if path:
        to = f" to {safe(line.subject or names.name(line.subject_id))}" if line.kind in _TO_SOMEBODY else ""
        return safe(path) + (f" (was {safe(line.old_path)})" if line.old_path else "") + to
    if line.handed_over:
        return f"{counted(line.handed_over, 'row')} to {safe(names.name(line.subject_id))}"
    if line.failures is not None:
        failures, sources = line.failures
        return f"{count_text(failures)}, from {counted(sources, 'place')}"
    if line.downloaded:
        return counted(len(line.downloaded), "file")
    if line.subject_id is not None or line.subject:
        who = line.subject or names.name(line.subject_id)
        return safe(who) + (f" to {safe(line.role)}" if line.role else "")
    return ""
