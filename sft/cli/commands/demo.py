"""`sft demo`: a private server on this computer, with three people: to explore on a terminal, as a journey elsewhere.

Rules. Nothing outside a temporary folder is touched, and it is removed with all that is in it; the server ends with the demo.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from sft.cli.commands.tui import ended
from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.cli.run import interruptible
from sft.limits import MIB

BIG_MIB: Final = 256
_NEXT: Final = (
    "The demo is over: its server and its files are gone.",
    "Next: a server of your own (sftd), or an invitation to one (sft join).",
)


@click.command("demo")
@click.option(
    "--script",
    is_flag=True,
    help="The journey: step by step, on its own. So it is without a terminal, and with the next two.",
)
@click.option(
    "--size",
    type=click.IntRange(1, 65_536),
    metavar="MIB",
    help=f"The journey; size of its one large file, {BIG_MIB} unless told.",
)
@click.option(
    "--files",
    type=click.IntRange(1),
    metavar="N",
    help="The journey; so many files of Python's library, all unless told.",
)
@common
def command(invocation: Invocation, size: int | None, files: int | None, *, script: bool) -> int:
    """See it all work on this computer: a private server, an admin, a maintainer and a guest."""
    if script or size or files or invocation.console.json or not invocation.on_terminal:
        return _journey(invocation, (size or BIG_MIB) * MIB, files)
    return _explored(invocation)


def _explored(invocation: Invocation) -> int:
    from sft.demo.exhibit import Exhibit

    console = invocation.console
    console.note("Preparing a private server with three people and their files. All of it goes when you quit.")
    report = console.draw if console.may_draw else lambda _: None
    with interruptible(), Exhibit() as exhibit:
        environ = exhibit.environ(invocation.environ, exhibit.begin(report))
        report("")
        status = invocation.environment.screens(environ, here=exhibit.here, until_quit=True)
        if status:
            return ended(invocation, status)
    for line in _NEXT:
        console.note(line)
    return status


def _journey(invocation: Invocation, big_bytes: int, files: int | None) -> int:
    from sft.demo.journey import Journey
    from sft.demo.stage import DemoStage

    with interruptible(), _temporary_folder() as folder:
        journey = Journey(invocation, DemoStage(folder), big_bytes, files)
        status = journey.run()
    if invocation.console.json:
        invocation.console.document({"steps": journey.steps, "exit": status})
    return status


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sft-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
