"""Why somebody may do something, or may not, in words."""

from __future__ import annotations

from sft.client.api.rights import PersonRight
from sft.model.records import UserState
from sft.model.rights import ASKED_RIGHTS, About, Ground
from sft.model.text import sentence, shown_name


def right_sentence(right: PersonRight, act: str, about: str, *, now: float) -> str:
    """Return who may do what, or may not, and the rule; what can be done next says whoever shows it."""
    may = "may" if right.error is None else "may not"
    what = ASKED_RIGHTS[act].words.format(shown_name(about) if about else "everything")
    said = f"{_who(right)} {may} {what}"
    why = ground_words(right, act) if right.error is None else sentence(right.error, now=now).removesuffix(".")
    return f"{said}: {why}." if why else f"{said}."


def ground_words(right: PersonRight, act: str) -> str:
    """Return why somebody may; "" for a reason that a newer server has."""
    match right.ground:
        case Ground.ROLE if ASKED_RIGHTS[act].about is About.PATH and right.owner:
            belongs = "" if right.owner == right.user else f", and it belongs to {shown_name(right.owner)}"
            return f"{_role(right)} may, whosever it is{belongs}"
        case Ground.ROLE:
            return f"{_role(right)} may"
        case Ground.OWNER:
            return "it is theirs"
        case Ground.HEIR:
            return "it is being handed over to them"
        case Ground.NEW:
            return f"{_role(right)} may, and it will be theirs"
    return ""


def _role(right: PersonRight) -> str:
    return f"{shown_name(right.role)}s" if right.role != right.user else "the operator"


def _who(right: PersonRight) -> str:
    state = "" if right.state is UserState.ACTIVE else f", who is {right.state},"
    return f"{shown_name(right.user)}{state}"
