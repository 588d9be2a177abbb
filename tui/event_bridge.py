"""What happens outside, passed on to the screens: the connection, notices, and what the queue has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sft.client.connection_info import ConnectionInfo, Event
from sft.client.transfers.queue.job import Direction, Job
from sft.client.transfers.queue.run import RunResult
from tui.job_sentences import sentence_of
from tui.keys import PLACES
from tui.messages import (
    ConnectionChanged,
    FilesJudged,
    LocalFolderChanged,
    NoticeArrived,
    ServerChanged,
    TransfersMoved,
)

if TYPE_CHECKING:
    from tui.app import SftApp


class EventBridge:
    """Tells the frame and its views, by messages alone."""

    def __init__(self, app: SftApp) -> None:
        self._app = app

    def begin(self) -> None:
        """Listen."""
        self._app.gateway.listen(self._heard)
        self._app.queue.listen(self._moved)
        self._app.queue.when_landed(self._landed)

    def _heard(self, event: Event) -> None:
        frame = self._app.frame
        if isinstance(event, ConnectionInfo):
            self._app.queue.connection_changed(event)
            frame.post_message(ConnectionChanged(event))
            for place in PLACES:
                frame.view_of(place).post_message(ConnectionChanged(event))
        else:
            frame.view_of("servers").post_message(NoticeArrived(event))

    def _moved(self) -> None:
        frame = self._app.frame
        frame.post_message(TransfersMoved())
        frame.view_of("transfers").post_message(TransfersMoved())

    def _landed(self, job: Job, outcome: RunResult) -> None:
        files = self._app.frame.view_of("files")
        if job.direction is Direction.PUT and outcome.done:
            files.post_message(ServerChanged(job.to))
        elif job.direction is Direction.GET and outcome.done:
            files.post_message(LocalFolderChanged(job.to))
        if outcome.judged:
            files.post_message(FilesJudged(tuple(outcome.judged)))
        said = sentence_of(job, outcome)
        if said is not None:
            self._app.frame.post_message(said)
