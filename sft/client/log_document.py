"""A line of a server's log as programs read it: what ``sft log --json`` prints of it, and what an export has on each line."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from sft.client.logged import LogLine
from sft.model.text import utc_time

LineDocument: TypeAlias = dict[str, Any]


class Names(Protocol):
    """The names of those whom lines name by id."""

    def name(self, user_id: int | None) -> str:
        """Return the name of a user; of nobody, the operator's."""

    def path(self, line: LogLine) -> str:
        """Return the path that a line is about, or the one by which the log last called its file; empty for none."""


def actor_of(line: LogLine, names: Names) -> str:
    """Return who did it: a person, the operator, or the server of itself."""
    return "server" if line.is_servers_own else names.name(line.actor_id)


def line_document(line: LogLine, names: Names) -> LineDocument:
    """Return what is said of a line; JSON.md has the shape."""
    record = line.record
    return {
        "number": line.number,
        "at": utc_time(line.time),
        "act": line.act,
        "kind": line.kind.name.lower(),
        "actor": None if record is None else actor_of(line, names),
        "actor_id": line.actor_id,
        "user": line.subject or (None if line.subject_id is None else names.name(line.subject_id)),
        "user_id": line.subject_id,
        "role": line.role or None,
        "path": names.path(line) or None,
        "old_path": line.old_path or None,
        "file": None if line.file_id is None else line.file_id.hex(),
        "version": line.version,
        "downloaded": [f"{file_id.hex()}.{number}" for file_id, number in line.downloaded],
        "grade": line.grade,
        "signed": line.is_signed,
        "yours": record is not None,
        "facts": None if record is None else record.facts.body.decode("utf-8", "replace"),
        "proved": True,
    }
