"""The life of an upload: the states that it is in, and the one table of what an ending leaves of it.

    NEW ─── start ──▶ OPEN ─── finish ──▶ STORED: its object is the commit's
    LEFT ── start ──▶ OPEN                (a row names its segments; another process wrote them)
    PARKED  start ──▶ OPEN

    ends as    LOST                          ENDED           REFUSED    GIVEN_UP
    NEW        GONE                          GONE            GONE       GONE
    LEFT       KEPT                          KEPT            KEPT       GONE
    OPEN       PARKED, or as ENDED           KEPT or GONE    GONE       GONE
    PARKED     PARKED                        KEPT or GONE    PARKED     GONE

Rules. Only what has several segments and a known size can be parked or kept: it is parked if its writer is intact and has
begun, and kept if its row names a segment. So who is refused while they ask for what is parked, or for what another process
left, takes nothing away. What is parked ends after ten minutes (``server.resumable_uploads``); what is kept, seven days after
its last progress (``maintenance.given_up_uploads``). STORED, KEPT and GONE are the last.
"""

from __future__ import annotations

from enum import Enum

from sft.errors import RequestError, ServerFullError, TransferEndedError, UploadGoneError


class UploadState(Enum):
    """Where an upload is."""

    NEW = "nothing is written"
    LEFT = "its row names segments"
    OPEN = "it takes content"
    PARKED = "it goes on as it is, and holds nothing open"
    STORED = "its object is the commit's"
    KEPT = "what its row names stays, and the row"
    GONE = "nothing stays but the row, which is to go"


class Ending(Enum):
    """Why an upload goes on no further."""

    LOST = "its connection is gone, or its sender keeps it"
    ENDED = "the server ends it, has no room, or failed"
    REFUSED = "a rule refuses it"
    GIVEN_UP = "its sender wants none of it, or its row is to be kept no more"


def ending_of(error: BaseException | None) -> Ending:
    """Say what an error is for the upload that it ends."""
    if isinstance(error, UploadGoneError):
        return Ending.GIVEN_UP
    refused = isinstance(error, RequestError) and not isinstance(error, ServerFullError | TransferEndedError)
    return Ending.REFUSED if refused else Ending.ENDED


def after(state: UploadState, ending: Ending, *, can_park: bool, can_stay: bool) -> UploadState:
    """Look up what an ending makes of an upload.

    Args:
        can_park: its writer could go on.
        can_stay: its row names a segment.
    """
    if state in (UploadState.STORED, UploadState.KEPT, UploadState.GONE):
        return state
    if state is UploadState.NEW or ending is Ending.GIVEN_UP:
        return UploadState.GONE
    if state is UploadState.LEFT:
        return UploadState.KEPT
    if ending is Ending.REFUSED:
        return UploadState.GONE if state is UploadState.OPEN else UploadState.PARKED
    if ending is Ending.LOST and (can_park or state is UploadState.PARKED):
        return UploadState.PARKED
    return UploadState.KEPT if can_stay else UploadState.GONE
