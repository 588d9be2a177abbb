"""`sft tui`: the full-screen UI, which `sft` alone opens too."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common, pass_invocation
from sft.cli.tui_entry import open_screens


@click.command("tui")
@common
@pass_invocation
def command(invocation: Invocation) -> int:
    """Open the full-screen UI, as sft alone does on a terminal."""
    return open_screens(invocation)
