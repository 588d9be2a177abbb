"""``sftd why`` and ``who-can``: whether somebody may do something, by which rule, and who may."""

from __future__ import annotations

from sft.cli.rights_output import parse_about, show_allowed, show_right
from sft.client.api.rights import explain_right, list_allowed
from sft.operator.control import Command
from sft.operator.next_steps import steps_of_answers


async def why(command: Command) -> int:
    """Say whether somebody may do something now; the exit status is the one that the act would have."""
    user, act, size, to = (command.options[each] for each in ("name", "act", "size", "to"))
    about = parse_about(act, command.options["about"], to)
    right = await explain_right(command.session, user, act, about, size, to=to)
    steps = steps_of_answers(command.named)
    return show_right(command.console, right, act, about, to=to, now=command.now, steps=steps)


async def who_can(command: Command) -> int:
    """List who may do something now, and why."""
    act, size, to = (command.options[each] for each in ("act", "size", "to"))
    about = parse_about(act, command.options["about"], to)
    allowed = await list_allowed(command.session, act, about, size, to=to)
    own = None if allowed else await explain_right(command.session, "", act, about, size, to=to)
    steps = steps_of_answers(command.named)
    show_allowed(command.console, allowed, own, act, about, now=command.now, steps=steps)
    return 0
