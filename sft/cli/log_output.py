"""How lines of a server's log are shown, and what became of checking one: to ``sft`` and ``twistd sft`` alike.

Rules. On a terminal columns with local times, elsewhere a TAB between two fields and UTC. Up to where the log was proved stands
on standard error, and so does what no log can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.cli.console import Console
from sft.cli.json_output import Document
from sft.client.api.log import LogNames
from sft.client.log_document import line_document
from sft.client.log_verify import Progress, VerifiedLog
from sft.client.logged import LogLine
from sft.model.names import safe
from sft.model.text import count_text, local_time, shown_name, utc_time

FAULTS_STATUS: Final = 7
GRADES: Final = {"sent": "sent", "verified": "verified"}
NOT_YOURS: Final = "not yours to see"


def show_lines(console: Console, lines: Sequence[LogLine], names: LogNames, now: float) -> None:
    """Show lines that were proved, as results."""
    if console.json:
        for line in lines:
            console.document(line_document(line, names))
        return
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
        lines.append(f"  {count_text(verified.heads)} heads that this computer has seen agree" if not faults else "")
    if done.steps_back:
        lines.append(f"  {count_text(done.steps_back)} times the server's clock went back: no fault")
    console.show(verified_document(verified), *[line for line in lines if line])
    return FAULTS_STATUS if faults else 0


def drawn(console: Console) -> Progress:
    """Return what draws how many leaves were looked at."""

    def draw(done: int, total: int) -> None:
        if console.may_draw:
            console.draw(f"{count_text(done)} of {count_text(total)} leaves")

    return draw


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
        "clock_steps_back": done.steps_back,
        "findings": [{"number": each.leaf, "problem": each.problem} for each in done.findings],
        "more_findings": done.more_findings,
    }


def proved_to(console: Console, size: int) -> None:
    """Say up to where the log was proved, and what it cannot show."""
    console.note(f"log proved to {count_text(size)}. The operator's own reading of the disk leaves no trace here.")


def _actor(line: LogLine, names: LogNames) -> str:
    return "?" if line.record is None else safe(names.name(line.actor_id))


def _object(line: LogLine, names: LogNames) -> str:
    if line.record is None:
        return NOT_YOURS
    path = names.path(line)
    if path:
        return safe(path) + (f" (was {safe(line.old_path)})" if line.old_path else "")
    if line.downloaded:
        return f"{count_text(len(line.downloaded))} files"
    if line.subject_id is not None or line.subject:
        who = line.subject or names.name(line.subject_id)
        return safe(who) + (f" to {safe(line.role)}" if line.role else "")
    return ""
