"""What most attacks begin with."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sft.model.access import Caller, Role, operator_caller
from sft.model.events import InvitationWithdrawn
from sft.store.row_types import FileRow
from sft.wire import messages as m
from tests.integration.evil.evil_server import EvilServer

PLAN = b"the plan"
NEWER = b"the newer plan"
GET = ("get", "plan")


def with_files(message: m.Message, change: Any) -> m.Message:
    """Change each file that an answer brings."""
    if isinstance(message, m.FilesContent):
        return replace(message, results=tuple(change(each) for each in message.results))
    return message


def prove_otherwise(evil: EvilServer, change: Any) -> None:
    """Change what proves the files of an answer."""
    evil.tell(
        lambda message: (
            replace(message, evidence=change(message.evidence)) if isinstance(message, m.FilesContent) else message
        )
    )


def put_two(evil: EvilServer) -> None:
    evil.put("max", "plan", PLAN)
    evil.put("max", "other", NEWER)
    evil.got("gus", "plan", "other")


def put_plan(evil: EvilServer) -> None:
    evil.put("max", "plan", PLAN)
    evil.got("gus", "plan")


def file_row(evil: EvilServer, name: str) -> FileRow:
    with evil.server.here.readers.reading() as reading:
        return evil.rows_of_file(reading, name)[0]


def append_leaf(evil: EvilServer) -> None:
    """Append one leaf."""
    evil.edit(lambda transaction: transaction.log(InvitationWithdrawn(by=operator_caller(), invitation_id=1)))


def as_max(evil: EvilServer) -> Caller:
    return Caller(evil.server.people["max"].user_id, 0, "max", Role.MAINTAINER)
