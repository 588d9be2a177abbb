"""`sft status`: how the server is and what it does now, for its admins; `sftd status` is the operator's."""

from __future__ import annotations

from typing import Final

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.cli.status_output import live_document, live_lines, status_document, status_lines
from sft.cli.usage import FAULTS_STATUS
from sft.client.api.people import show_live_status

BUSIEST: Final = 10


@click.command("status")
@common
def command(invocation: Invocation) -> int:
    """Show how the server is and what it does now: for admins."""
    status, live = invocation.talk(lambda session: show_live_status(session, BUSIEST))
    now = invocation.now
    lines = [*status_lines(status, now, invocation.steps), *live_lines(live, status.sessions, now)]
    invocation.console.show(status_document(status) | {"live": live_document(live)}, *lines)
    return FAULTS_STATUS if status.damages else 0
