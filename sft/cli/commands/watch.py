"""`sft watch`: send what appears in a folder of this computer, until it is interrupted.

Rules. A connection that is lost is made anew (``coming_back``); the first one has to come about. An interrupt is the way to
end it: what is under way is given up, and the status is 0, or 1 where something was not sent. Each file is told when it is
stored.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sft.cli.addresses import choose_server, require_folder, server_folder, server_side
from sft.cli.batch import SOME_STATUS, failure_line
from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.cli.transfer_options import exclude_option, jobs_option, limit_option
from sft.client.carried_over import CarriedOver
from sft.client.coming_back import Pauses, is_away
from sft.client.concurrency import pause
from sft.client.connection_info import farewell_of
from sft.client.transfers.batch import PutResult
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.progress import TransferStage
from sft.client.transfers.watch import FolderWatch, WatchOptions
from sft.errors import SftError, UsageError
from sft.model.names import safe
from sft.model.text import count_text, sentence, shell_line, size_text

if TYPE_CHECKING:
    from sft.client.session import Session


@click.command("watch")
@click.argument("folder_here", metavar="DIR")
@click.argument("folder_there", metavar="FOLDER")
@click.option(
    "--settle",
    type=click.FloatRange(0, 86_400),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Send a file that has not changed for so long.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 86_400),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Look so often: a look takes about a second for 100,000 files.",
)
@exclude_option
@jobs_option
@limit_option
@common
def command(
    invocation: Invocation,
    folder_here: str,
    folder_there: str,
    settle: float,
    interval: float,
    exclude: tuple[str, ...],
    jobs: int | None,
    limit: int | None,
) -> int:
    """Send what appears or changes in DIR to FOLDER of the server, until it is interrupted.

    Nothing is deleted. What is there already is not sent again, also after a restart.
    """
    marked = server_side(folder_there)
    profile, folder = (None, folder_there) if marked is None else marked
    top = Path(folder_here)
    if marked is None and server_side(folder_here) is not None and not top.exists():
        turned = shell_line(["sft", "watch", folder_there, folder_here])
        raise UsageError(problem="The folder of this computer comes first", remedy=turned)
    choose_server(invocation, profile)
    require_folder(top)
    report = _WatchReport(invocation)
    options = WatchOptions(settle, interval, Excludes(exclude), jobs)
    base = server_folder(folder)
    carried_over = CarriedOver()

    async def watching(reactor: Any) -> None:
        from twisted.internet.defer import CancelledError

        watch = FolderWatch(
            top,
            base,
            options,
            sent=report.sent,
            odd=report.odd,
            now=reactor.seconds,
            pause=lambda seconds: pause(reactor, seconds),
        )
        with suppress(CancelledError):  # the way to end it
            await _over_and_over(invocation, reactor, watch, report, limit, carried_over)

    try:
        invocation.environment.execute(watching, invocation.log.keep)
    finally:
        carried_over.leave()
    return report.finish()


async def _over_and_over(
    invocation: Invocation,
    reactor: Any,
    watch: FolderWatch,
    report: _WatchReport,
    limit: int | None,
    carried_over: CarriedOver,
) -> None:
    invocation.reactor = reactor
    profile = invocation.profile()
    pauses = Pauses()
    while True:
        session: Session | None = None
        try:
            async with await invocation.connected(reactor, profile) as session:
                pauses.begin_anew()
                report.connected(session.server_name)
                session.limit(limit)
                session.carried_over = carried_over
                await watch.over(session)
        except SftError as error:
            said = session.connection.farewell if session is not None else None
            if said is not None:  # whoever ended it meant that
                raise farewell_of(said.values, profile.server_name) from error
            seconds = pauses.next() if report.server and is_away(error) else None
            if seconds is None:
                raise
            report.away(error)
            await pause(reactor, seconds)


class _WatchReport:
    """Says what becomes of each file, and counts."""

    def __init__(self, invocation: Invocation) -> None:
        self.server = ""
        self._invocation = invocation
        self._is_away = False
        self._stored = self._unchanged = self._bytes = self._failed = 0

    def connected(self, server: str) -> None:
        console = self._invocation.console
        if not self.server:
            console.note(f"Watching for {safe(server)}. Ctrl-C ends it.")
        elif self._is_away:
            console.note(f"{safe(server)} is back.")
        self.server, self._is_away = server, False

    def away(self, error: SftError) -> None:
        if not self._is_away:
            self._invocation.console.note(f"{sentence(error, now=self._invocation.now)} It is tried again.")
        self._is_away = True

    def sent(self, result: PutResult) -> None:
        console = self._invocation.console
        if result.error is not None:
            self._failed += 1
            console.warn(self._failure(str(result.item.source), result.error))
        elif result.stage is TransferStage.UNCHANGED:
            self._unchanged += 1
        elif result.stored is not None:
            self._stored += 1
            self._bytes += result.stored.size
            console.result(
                f"stored  {safe(result.stored.path)}  v{result.stored.version}  {size_text(result.stored.size)}"
            )
            console.flush()

    def odd(self, name: str, why: SftError | str) -> None:
        self._failed += 1
        if isinstance(why, str):
            self._invocation.console.warn(f"{safe(name)}   {why}, and is not sent")
        else:
            self._invocation.console.warn(self._failure(name, why))

    def _failure(self, name: str, error: SftError) -> str:
        return failure_line(name, error, now=self._invocation.now, steps=self._invocation.steps).strip()

    def finish(self) -> int:
        status = SOME_STATUS if self._failed else 0
        console = self._invocation.console
        if console.json:
            console.document(
                {
                    "server": self.server,
                    "stored": self._stored,
                    "unchanged": self._unchanged,
                    "failed": self._failed,
                    "bytes": self._bytes,
                    "exit": status,
                }
            )
        failed = f", {count_text(self._failed)} not" if self._failed else ""
        console.result(f"Watched: stored {count_text(self._stored)}{failed}; {size_text(self._bytes)}.")
        return status
