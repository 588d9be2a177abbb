"""``status``: how the server is, at a glance.

Rules. It ends with the status of a check where a content is known to be damaged or the master key cannot be read, and as absent
where no server runs.
"""

from __future__ import annotations

from typing import Final

from sft.cli.status_output import status_document, status_lines
from sft.cli.usage import FAULTS_STATUS
from sft.client.api import people
from sft.operator.control import Command
from sft.operator.next_steps import steps_at

ABSENT_STATUS: Final = 3


async def show(command: Command) -> int:
    """Print how the server is; return the exit status."""
    status = await people.show_status(command.session)
    command.console.show(status_document(status), *status_lines(status, command.now, steps_at(command.named)))
    if not status.listening:
        return ABSENT_STATUS
    return FAULTS_STATUS if status.damages or status.key_unreadable else 0
