"""What a leaf of the log says, in words: who did what to what, and how far that is signed for.

Rules. Every text of a peer is harmless here. A leaf whose record is not ours to see says what happened, and that it is not
shown. A download says whose word it is: the server's, or the reader's own signature.
"""

from __future__ import annotations

from typing import Final

from sft.client.log_document import Names
from sft.client.logged import LogLine
from sft.ledger.leaves import LeafKind
from sft.model.access import OPERATOR
from sft.model.text import count_text, shown_name
from tui.glyphs import Glyphs
from tui.text import shown

NOT_SHOWN: Final = "not yours to see"
_SERVERS_OWN: Final = frozenset(
    {LeafKind.LOG_STARTED, LeafKind.LOG_RESTARTED, LeafKind.FILES_PURGED, LeafKind.FOLDER_PURGE_BEGUN,
     LeafKind.FOLDERS_PURGED, LeafKind.HANDED_OVER, LeafKind.LOGIN_FAILURES, LeafKind.ROW_KEY_CHANGED}
)  # fmt: skip


def who_of(line: LogLine, names: Names) -> str:
    """Say who did it, harmless; nothing where that is not ours to see."""
    if line.record is None:
        return ""
    if line.actor_id is None:
        return "server" if line.kind in _SERVERS_OWN else OPERATOR
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
    whom = line.subject or (names.name(line.subject_id) if line.subject_id is not None else "")
    if line.kind is LeafKind.INVITATION_MADE:
        whom = line.subject or "anybody"
    if line.role:
        return f"{shown(whom)} {glyphs.arrow} {shown(line.role)}" if whom else shown(line.role)
    files = line.downloaded or line.facts.get("files")
    if not whom and isinstance(files, list) and files:
        return f"{count_text(len(files))} file{'' if len(files) == 1 else 's'}"
    return shown(whom)


def grade_of(line: LogLine, who: str, glyphs: Glyphs, *, broad: bool) -> str:
    """Say whose word a download rests on."""
    if line.grade == "sent":
        return f"sent whole; no receipt{f' from {who}' if who else ''}" if broad else "sent"
    if line.grade == "verified":
        return f"{glyphs.verified} {who} signed that" if broad else f"{glyphs.verified} {who}"
    return ""


def sentence_of(line: LogLine, names: Names, glyphs: Glyphs) -> str:
    """Write a line as one sentence."""
    who = who_of(line, names)
    whom = f" {object_of(line, names, glyphs)}" if line.record is not None else f", {NOT_SHOWN}"
    return f"{shown_name(who) if who else 'Somebody'} {line.words}{whom}".rstrip()
