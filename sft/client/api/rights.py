"""Requests about rights: may somebody do something, and by which rule; who may."""

from __future__ import annotations

from msgspec import Struct

from sft.client.api import Requester
from sft.client.api.files import Total
from sft.errors import RemoteProtocolError, RequestError
from sft.model.names import fold
from sft.model.records import UserState
from sft.wire.messages import AllowedListed, ExplainRight, ListAllowed, RefusedRight, Right, RightExplained


class PersonRight(Struct, frozen=True):
    """Whether somebody may do something.

    Attributes:
        role: the operator's too.
        ground: of ``sft.model.rights.Ground``; a newer server may say another, and of who may not it is empty.
        owner: whose it is; empty for nobody's.
        error: what the act would be refused with; None for who may.
    """

    user: str
    role: str
    state: UserState
    ground: str = ""
    owner: str = ""
    error: RequestError | None = None


async def explain_right(
    session: Requester, user: str, act: str, about: str = "", size: int = 0, *, to: str = ""
) -> PersonRight:
    """Ask whether somebody may do something now; the caller, where no name is given.

    Args:
        act: a word of ``sft.model.rights.ASKED_RIGHTS``.
        about: path or name that it is about.
        size: of what is to be stored.
        to: who would own what is handed over; their quota is judged then.

    Raises:
        RoleForbidsError: about another, and the caller is no admin.
        NotFoundError: nobody has the name.
        RemoteProtocolError: it is of somebody else.
    """
    answer = await session.request(ExplainRight, RightExplained, act=act, about=about, user=user, size=size, to=to)
    if user and fold(answer.right.user) != fold(user):
        raise RemoteProtocolError("the server told of another person than was asked for")
    return _right(answer.right)


async def list_allowed(
    session: Requester, act: str, about: str = "", size: int = 0, *, to: str = ""
) -> list[PersonRight]:
    """List who may do something now, in order of joining; as ``explain_right``.

    Raises:
        RemoteProtocolError: a page goes on before where it began, or names somebody who may not.
        ListingTooLongError: it does not end within a million.
    """
    people: list[PersonRight] = []
    after, total = 0, Total(session)
    while True:
        page = await session.request(ListAllowed, AllowedListed, act=act, about=about, size=size, after=after, to=to)
        total.add(len(page.people) + 1)
        found = [_right(each) for each in page.people]
        people += found
        if any(each.error is not None for each in found) or 0 < page.next <= after:
            raise RemoteProtocolError("a list of who may that begins again, or has others")
        after = page.next
        if not after:
            return people


def _right(right: Right) -> PersonRight:
    answer = right.answer
    if isinstance(answer, RefusedRight):
        error = RequestError.from_wire(answer.code, answer.values, answer.ref)
        return PersonRight(right.user, right.role, right.state, error=error)
    return PersonRight(right.user, right.role, right.state, answer.ground, answer.owner)
