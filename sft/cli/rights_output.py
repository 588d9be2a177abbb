"""Rights, as `sft why` and `who-can` and `sftd why` and `who-can` show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.cli.console import Console
from sft.cli.failures import error_json
from sft.cli.json_output import Document
from sft.cli.next_steps import NextSteps
from sft.client.api.rights import PersonRight
from sft.client.right_words import ground_words, right_sentence
from sft.errors import UsageError
from sft.model.names import parse_path, safe
from sft.model.rights import ASKED_RIGHTS, HANDS_OVER, About
from sft.model.text import code_of

ABOUT: Final = "What it is about: a path, or a name."
TO_ABOUT: Final = f"Of {HANDS_OVER}: who would own it, and has a quota."
ACTS: Final = tuple(ASKED_RIGHTS)


def parse_about(act: str, about: str, to: str = "") -> str:
    """Return what an act is about, as a server takes it.

    Args:
        to: who would get it.

    Raises:
        UsageError: it is missing, or one of both is too much.
        NameNotAllowedError: a path that cannot be.
    """
    if to and act != HANDS_OVER:
        raise UsageError(problem=f"{act} gives nothing to anybody", remedy=f"Leave {safe(to)} out")
    match ASKED_RIGHTS[act].about:
        case About.NOTHING if about:
            raise UsageError(problem=f"{act} is about no path and nobody", remedy=f"Leave {safe(about)} out")
        case About.PERSON if not about:
            raise UsageError(problem=f"Whom {act} is about was not said", remedy="Name the person after it")
        case About.PATH if act == "ls":
            return parse_path(about, root=True)
        case About.PATH if not about:
            raise UsageError(problem=f"What {act} is about was not said", remedy="Name the path after it")
        case About.PATH:
            return parse_path(about)
    return about


def show_right(
    console: Console, right: PersonRight, act: str, about: str, *, to: str, now: float, steps: NextSteps
) -> int:
    """Show whether somebody may; return the exit status that their act would have."""
    document = _right_document(right, act, about, to=to, now=now, steps=steps)
    console.show(document, *right_lines(right, act, about, now, steps))
    return 0 if right.error is None else right.error.exit_status


def right_lines(right: PersonRight, act: str, about: str, now: float, steps: NextSteps) -> list[str]:
    said = right_sentence(right, act, about, now=now)
    if right.error is None:
        return [said]
    step = steps.of(right.error, now=now)
    return [f"{said.removesuffix('.')} [{code_of(right.error)}]", *([f"     {step}"] if step else [])]


def show_allowed(
    console: Console, allowed: Sequence[PersonRight], own: PersonRight | None, act: str, about: str, *, now: float,
    steps: NextSteps,
) -> None:  # fmt: skip
    """Show who may; where nobody does, why whoever asks may not.

    Args:
        own: of whoever asks, where nobody may.
    """
    if console.json:
        console.document([_document(each) for each in allowed])
        return
    if own is not None:
        console.note("Nobody can now.")
        for line in right_lines(own, act, about, now, steps):
            console.note(line)
        return
    rows = [(safe(each.user), safe(each.role), ground_words(each, act)) for each in allowed]
    console.table(rows, head=("name", "role", "why"))


def _document(right: PersonRight) -> Document:
    return {"user": right.user, "role": right.role, "ground": right.ground, "owner": right.owner or None}


def _right_document(right: PersonRight, act: str, about: str, *, to: str, now: float, steps: NextSteps) -> Document:
    return {
        "user": right.user,
        "role": right.role,
        "state": right.state.value,
        "act": act,
        "about": about or None,
        "to": to or None,
        "allowed": right.error is None,
        "ground": right.ground or None,
        "owner": right.owner or None,
        "error": None if right.error is None else error_json(right.error, now=now, steps=steps),
    }
