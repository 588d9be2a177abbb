"""What the log says of each refusal: changed rows and a full disk as warnings of their own, which are the operator's to mend.

Rules. One line a refusal, with who asked for what: path, version, object. A refusal that somebody only gets who tries what they
may not do, or who sends what does not hold, is a warning; that a name is taken, or a file is not there, is none.
"""

from __future__ import annotations

from typing import Final

from sft.errors import (
    ContentDamagedError,
    DatabaseBusyError,
    InternalError,
    RecordForgedError,
    RequestError,
    ServerFullError,
)
from sft.limits import LOGGED_TEXT
from sft.model.access import Caller
from sft.server.context import ServerContext
from sft.wire.messages import Request

ASKED: Final = ("path", "old", "new", "name", "version")  # of a request, what it is about
WARNED: Final = frozenset({4, 7, 8, 9})  # statuses: not allowed, does not hold, over a limit


def asked_of(request: Request) -> dict[str, object]:
    """Pick what a request is about; a version only where one was named."""
    fields = request.__struct_fields__
    return {"request": type(request).__name__, **{k: v for k in ASKED if k in fields and (v := getattr(request, k))}}


def log_refusal(context: ServerContext, caller: Caller, error: RequestError, **about: object) -> None:
    """Write the line of a refusal; an internal error has its own already.

    Args:
        about: what was asked; values of peers are cut.
    """
    context.counts.refusals[error.code] += 1
    subject = error.ref or about.get("path") or about.get("old") or about.get("name") or ""
    context.last_refusals.of_person(caller.name, str(about.get("request", "")), error.code, str(subject))
    if isinstance(error, InternalError):
        return
    values = {key: _cut(value) for key, value in about.items()}
    if error.detail:
        values["why"] = _cut(error.detail)
    session = {"session": caller.session_id} if caller.session_id else {}
    if isinstance(error, ContentDamagedError | RecordForgedError | ServerFullError | DatabaseBusyError):
        what = _cut(error.values.get("path") or error.values.get("what") or error.code)
        others = {key: value for key, value in values.items() if value != what}
        event = error.code.lower().replace("_", "-")
        # A content's damage is a warning of its own, told once (``DamageFound``): this says who met it.
        is_warning = not isinstance(error, ContentDamagedError)
        context.damage.note(event, str(what), warning=is_warning, **session, by=caller.name, **others)
    else:
        values = {"code": error.code, **values}
        context.refusals.note("request-refused", caller.name, warning=error.exit_status in WARNED, **session, **values)


def _cut(value: object) -> object:
    return value[:LOGGED_TEXT] if isinstance(value, str) else value
