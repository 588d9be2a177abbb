"""Why something cannot be done with a line of the People screen; pure. Empty where it can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.model.access import OPERATOR
from sft.model.records import Invitation, InvitationState, SessionInfo, User, UserState
from sft.model.text import shown_name
from tui.keys import Action
from tui.text import cut_name, shown

_OF_THE_REMOVED: Final = frozenset({"people.copy", "people.words", "people.rights"})
_OF_ONE: Final = frozenset({"people.role", "people.remove", "people.quota", "people.reset"})
_OF_SEVERAL: Final = "people.switch"
_NAME_CELLS: Final = 40


def reason_against_person(user: User | None, act: Action, selected: int = 0, *, me: int = 0) -> str:
    """Say why something is not done with a person.

    Args:
        selected: how many are.
        me: the id of whoever asks.
    """
    if user is None:
        return "Nobody is listed yet."
    if selected and act.id == _OF_SEVERAL:
        return ""
    if selected and act.id in _OF_ONE:
        return "That is done with one person at a time: esc selects nobody."
    if act.id == "people.reset" and user.id == me:
        return "This is you: Identity (5) has another key follow yours, with K."
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
