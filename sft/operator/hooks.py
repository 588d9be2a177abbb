"""``hook``: which hooks there are, how each is, and one tried.

Rules. The server that runs tries a hook itself: what its sandbox keeps from a program is met then too. A hook that does not
take the event ends the command with the status of a check.
"""

from __future__ import annotations

from sft.cli.status_output import hook_document
from sft.cli.usage import FAULTS_STATUS
from sft.client.api import people
from sft.model.names import safe
from sft.model.text import count_text, counted, local_time
from sft.operator.control import Command


async def show(command: Command) -> int:
    """Print all hooks, and how each is; return the exit status."""
    status = await people.show_status(command.session)
    console, hooks = command.console, status.hooks
    console.show([hook_document(each) for each in hooks])
    if console.json:
        return 0
    rows = []
    for each in hooks:
        if each.position is None:
            how = "no server runs"
        elif each.failures:
            since = "" if each.failing_since is None else f" since {local_time(each.failing_since, now=command.now)}"
            how = f"fails{since}, {counted(each.failures, 'failure')}: {safe(each.problem)}"
        else:
            how = "delivers"
        waiting = "-" if each.position is None else count_text(max(0, status.log_size - each.position))
        rows.append(
            (each.name, safe(each.target), safe(",".join(each.events)), count_text(each.delivered), waiting, how)
        )
    console.table(rows, head=("hook", "to", "events", "delivered", "leaves to go", "how it is"), right=(3, 4))
    if not hooks:
        console.note(f"There are none: {command.typed('sftd config show hooks')}")
    return 0


async def test(command: Command) -> int:
    """Have a hook tried; return the exit status."""
    name = str(command.options["hook"])
    problem = await people.test_hook(command.session, name)
    taken = f"{safe(name)} took a test event"
    said = f"{safe(name)} did not take a test event: {safe(problem)}"
    command.console.show({"hook": name, "taken": not problem, "problem": problem}, said if problem else taken)
    return FAULTS_STATUS if problem else 0
