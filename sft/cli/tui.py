"""`sft tui`: the full-screen UI, which `sft` alone opens too."""

from __future__ import annotations

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common, here
from sft.cli.screens import open_screens


@click.command("tui")
@common
@here
def command(invocation: Invocation) -> int:
    """Open the full-screen UI, as sft alone does on a terminal."""
    return open_screens(invocation)
