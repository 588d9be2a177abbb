"""Who may see and end live sessions. Which there are only the server's process knows: it asks here before it answers."""

from __future__ import annotations

from sft.model.access import Caller, Permission, Resource
from sft.service.rights import require_no_operators
from sft.service.use_case import query
from sft.store.rows import ReadTransaction


@query(Permission.SESSION_MANAGE)
def list_sessions(reading: ReadTransaction, caller: Caller) -> None:
    """Let somebody see who is connected."""


@query(Permission.SESSION_MANAGE)
def end_session(_reading: ReadTransaction, caller: Caller, *, session: Resource | None) -> None:
    """Let somebody end a session.

    Args:
        session: whose it is; None, there is none of that number.

    Raises:
        OperatorOnlyError: it is the operator's.
    """
    if session is not None:
        require_no_operators(caller, session)
