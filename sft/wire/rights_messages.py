"""What a client asks about rights, and what a server answers: may somebody do something, and by which rule; who may.

Rules. A refusal here is the answer, not the request's: its code and values are those that the act would be refused with.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sft.errors import RequestError
from sft.limits import LIST_ENTRIES
from sft.model.records import Count, PathText, PersonName, Record, Size, UserState
from sft.wire.replies import REFUSAL_TEXT, Reference, RefusalCode, RefusalValues, Reply, clipped
from sft.wire.requests import Request

Word = Annotated[str, Meta(max_length=40)]


class ExplainRight(Request, frozen=True, tag=48):
    """May somebody do something now, and by which rule? The caller, where no name is given.

    Attributes:
        act: a word of ``sft.model.rights.ASKED_RIGHTS``.
        about: path or name that it is about.
        size: of what is to be stored.
        to: who would own what is handed over; empty: whoever.
    """

    act: Word
    about: PathText = ""
    user: PersonName = ""
    size: Size = 0
    to: PersonName = ""


class ListAllowed(Request, frozen=True, tag=57):
    """Who may do something now? People are judged in order of joining, after one of them; ``act`` and others as above."""

    act: Word
    about: PathText = ""
    size: Size = 0
    after: Count = 0
    to: PersonName = ""


class GrantedRight(Record, frozen=True, tag=1):
    """That somebody may.

    Attributes:
        ground: a value of ``sft.model.rights.Ground``; a newer server may say another.
        owner: whose it is; empty for nobody's.
    """

    ground: Word
    owner: PersonName = ""


class RefusedRight(Record, frozen=True, tag=0):
    """That somebody may not: the fields of a Refusal."""

    code: RefusalCode
    values: RefusalValues
    ref: Reference = ""

    @classmethod
    def of(cls, error: RequestError) -> RefusedRight:
        return cls(error.code, clipped(error.values, REFUSAL_TEXT), error.ref)


class Right(Record, frozen=True):
    """Whether somebody may; ``role`` is the operator's too."""

    user: PersonName
    role: Word
    state: UserState
    answer: GrantedRight | RefusedRight


class RightExplained(Reply, frozen=True, tag=99):
    """Answers ExplainRight."""

    right: Right


class AllowedListed(Reply, frozen=True, tag=102):
    """Answers ListAllowed: those of the judged people who may, perhaps nobody; ``next`` is 0 at the end."""

    people: Annotated[tuple[Right, ...], Meta(max_length=LIST_ENTRIES)]
    next: Count = 0
