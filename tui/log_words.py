"""What a leaf of the log says, in words: who did what to what, and how far that is signed for.

Rules. Every text of a peer is harmless here. A leaf whose record is not ours to see says what happened, and that it is not
shown. A download says whose word it is: the server's, or the reader's own signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.client.log_document import Names
from sft.client.logged import LogLine
from sft.ledger.leaves import LeafKind
from sft.model.access import OPERATOR
from sft.model.records import FileReader, UserState
from sft.model.text import count_text, counted, shown_name
from tui.glyphs import Glyphs
from tui.text import shown

NOT_SHOWN: Final = "not yours to see"
NO_TRACE: Final = "The operator's own reading of the disk leaves no trace here."
_MOST_READERS: Final = 12
_MOST_NAMES: Final = 5


def who_of(line: LogLine, names: Names) -> str:
    """Say who did it, harmless; nothing where that is not ours to see."""
    if line.record is None:
        return ""
    if line.actor_id is None:
        return "server" if line.is_servers_own else OPERATOR
    return shown(names.name(line.actor_id))


def object_of(line: LogLine, names: Names, glyphs: Glyphs) -> str:
    """Say what it was done to, harmless."""
    if line.record is None:
        return NOT_SHOWN
    path = names.path(line)
    if path:
        version = f" v{line.version}" if line.version else ""
        before = f"/{shown(line.old_path)} {glyphs.arrow} " if line.old_path else ""
        return f"{before}/{shown(path)}{version}"
    if line.failures is not None:
        failures, sources = line.failures
        return f"{count_text(failures)}, from {counted(sources, 'place')}"
    whom = line.subject or (names.name(line.subject_id) if line.subject_id is not None else "")
    if line.kind is LeafKind.INVITATION_MADE:
        whom = line.subject or "anybody"
    if line.role:
        return f"{shown(whom)} {glyphs.arrow} {shown(line.role)}" if whom else shown(line.role)
    files = line.downloaded or line.facts.get("files")
    if not whom and isinstance(files, list) and files:
        return counted(len(files), "file")
    return shown(whom)


def grade_of(line: LogLine, who: str, glyphs: Glyphs, *, broad: bool) -> str:
    """Say whose word a download rests on."""
    if line.grade == "sent":
        return "sent; no receipt" if broad else "sent"
    if line.grade == "verified":
        return f"{glyphs.verified} {who} signed that" if broad else f"{glyphs.verified} {who}"
    return ""


def sentence_of(line: LogLine, names: Names, glyphs: Glyphs) -> str:
    """Write a line as one sentence."""
    who = who_of(line, names)
    whom = f" {object_of(line, names, glyphs)}" if line.record is not None else f", {NOT_SHOWN}"
    return f"{shown_name(who) if who else 'Somebody'} {line.words}{whom}".rstrip()


def reader_lines(readers: Sequence[FileReader], glyphs: Glyphs) -> list[str]:
    """Say who has which version of a file, those who signed that first, and who has none."""
    having = sorted(
        (each for each in readers if each.version), key=lambda each: (each.received_leaf is None, -each.version)
    )
    lines = []
    for each in having[:_MOST_READERS]:
        has = f"{glyphs.verified} verified" if each.received_leaf is not None else "sent, no receipt"
        lines.append(f"{shown(shown_name(each.name))} v{each.version} {has}")
    if len(having) > _MOST_READERS:
        lines.append(f"and {count_text(len(having) - _MOST_READERS)} more")
    without = [each for each in readers if not each.version and each.state is UserState.ACTIVE]
    if without:
        names = ", ".join(shown(shown_name(each.name)) for each in without[:_MOST_NAMES])
        lines.append(
            f"not yet: {names}{f', {glyphs.ellipsis}' if len(without) > _MOST_NAMES else ''} ({count_text(len(without))})"
        )
    return lines
