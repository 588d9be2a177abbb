"""The queue on this computer's disk: one file for each UI that runs, each owned for as long as its UI lives.

Rules. A job stands in one file, and only who owns the file runs it: two UIs of one person neither lose a job nor do it twice. A
UI that begins takes over what those that are gone have left, however they went. A file that nobody can read is an empty
one: nothing rests on it. One of a newer sft is left alone, and the queue is then not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from sft.client.record_file import Contents, RecordFile
from sft.client.transfers.queue.job import Job, JobState

_FIRST: Final = "queue.json"
_FORM: Final = RecordFile(Job, "jobs", key="mark")


class LocalFiles(Protocol):
    """Small files of one person on this computer."""

    async def load(self, name: str) -> bytes | None:
        """Read one; None where there is none."""

    async def save(self, name: str, data: bytes) -> None:
        """Replace one, whole."""

    async def hold(self, name: str) -> bool:
        """Take the advisory lock of a name until ``let_go`` or the end of this process; False if another process has it."""

    async def let_go(self, name: str) -> None:
        """Release it."""

    def keep_fault(self, text: str) -> str:
        """Write the details of a fault of our own into the log, and return their reference."""


class QueueFile:
    """The file that this UI owns."""

    def __init__(self, local: LocalFiles) -> None:
        self._local = local
        self._name = ""
        self._before: Contents[Job] = Contents()

    @property
    def owned(self) -> bool:
        return bool(self._name)

    async def take(self) -> list[Job]:
        """Own a file, and return what lies in it and in those that nobody owns now.

        Raises:
            SftError: the disk refuses, or a newer sft wrote a file.
        """
        held: list[str] = []
        try:
            jobs = await self._taken(held)
        except BaseException:
            for name in held:
                await self._local.let_go(name)
            raise
        self._name, *left = held
        jobs = _once(jobs)
        # First here, then away there: who is killed in between leaves a job twice, and it is taken once.
        await self.write(jobs)
        for name in left:
            if await self._local.load(name) is not None:
                await self._local.save(name, _FORM.write([], Contents()))
            await self._local.let_go(name)
        return jobs

    async def _taken(self, held: list[str]) -> list[Job]:
        jobs: list[Job] = []
        number, is_last = 0, False
        while not is_last:
            number += 1
            name = _FIRST if number == 1 else f"queue-{number}.json"
            if not await self._local.hold(name):
                continue
            held.append(name)
            data = await self._local.load(name)
            is_last = data is None
            contents = _read(data, name)
            self._before.rest |= contents.rest
            self._before.unknown |= contents.unknown
            jobs += contents.records
        return jobs

    async def write(self, jobs: list[Job]) -> None:
        """Keep the queue as it stands; SftError if the disk refuses."""
        await self._local.save(self._name, _FORM.write(jobs, self._before))

    async def leave(self) -> None:
        if self._name:
            await self._local.let_go(self._name)
            self._name = ""


def _read(data: bytes | None, name: str) -> Contents[Job]:
    try:
        contents = _FORM.read(data, Path(name))
    except ValueError:
        return Contents()
    for job in contents.records:
        if job.state is JobState.RUNNING:
            job.state = JobState.WAITING
    return contents


def _once(jobs: list[Job]) -> list[Job]:
    """Return every job once, each with a number of its own."""
    seen: set[str] = set()
    kept: list[Job] = []
    for job in jobs:
        if job.mark and job.mark in seen:
            continue
        seen.add(job.mark)
        kept.append(job)
    numbers = {job.id for job in kept}
    if len(numbers) < len(kept):
        for number, job in enumerate(kept, start=1):
            job.id = number
    return kept
