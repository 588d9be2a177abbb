"""Why something cannot be done with a line of the People screen; pure. Empty where it can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.model.access import OPERATOR
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from sft.model.text import shown_name
from tui.keys import Action
from tui.text import cut_name, shown

_OF_THE_REMOVED: Final = frozenset({"people.copy", "people.words"})
_NAME_CELLS: Final = 40


def reason_against_person(user: User | None, act: Action) -> str:
    if user is None:
        return "Nobody is listed yet."
    if user.state is UserState.REMOVED and act.id not in _OF_THE_REMOVED:
        return f"{cut_name(shown(shown_name(user.name)), _NAME_CELLS)} was removed for good."
    return ""


def reason_against_withdrawing(made: Invitation | None) -> str:
    if made is None:
        return "There is no invitation."
    if made.state is not InvitationState.OPEN:
        return f"It is {made.state.value} already: nobody joins with it."
    return ""


def reason_against_kicking(one: SessionInfo | None, mine: Sequence[SessionInfo]) -> str:
    """Say why a session is not ended from here.

    Args:
        mine: the sessions of whoever asks.
    """
    if one is None:
        return "There is no session."
    if one.role == OPERATOR:
        return "That is the operator, at the server itself: only the operator ends it."
    if mine == [one]:
        return "This is your own session: q ends it."
    return ""
