"""The forms of a control message: what all of them, all requests and all replies have.

Rules. Arrays with an integer tag first, then the fields in order; unknown tags and surplus fields are refused, and
fields that have a default may be left out at the end. So the encoding is not canonical: nothing signs it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from sft.limits import TRANSFER_CREDIT_CHUNKS

RequestId = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Chunks = Annotated[int, Meta(ge=1, le=TRANSFER_CREDIT_CHUNKS)]


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A control message."""


class Request(Message, frozen=True):
    """What a client asks; its id is one more than that of the request before."""

    id: RequestId


class Reply(Message, frozen=True):
    """What a server answers to the request of that id."""

    id: RequestId
