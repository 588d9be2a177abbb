"""The queue on this computer's disk: one file for each UI that runs, each owned for as long as its UI lives.

Rules. A job stands in one file, and only who owns the file runs it: two UIs of one person neither lose a job nor do it twice. A
UI that begins takes over what those that are gone have left, however they went. A file that nobody can read is an empty
one: nothing rests on it.
"""

from __future__ import annotations

import json
from typing import Final, Protocol

import msgspec

from sft.client.transfers.queue.job import Job, JobState

_FIRST: Final = "queue.json"


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

    @property
    def owned(self) -> bool:
        return bool(self._name)

    async def take(self) -> list[Job]:
        """Own a file, and return what lies in it and in those that nobody owns now; SftError if the disk refuses."""
        jobs: list[Job] = []
        left: list[str] = []
        number, is_last = 0, False
        while not is_last:
            number += 1
            name = _FIRST if number == 1 else f"queue-{number}.json"
            if not await self._local.hold(name):
                continue
            data = await self._local.load(name)
            jobs += _read(data)
            is_last = data is None
            if not self._name:
                self._name = name
            else:
                left.append(name)
        jobs = _once(jobs)
        # First here, then away there: who is killed in between leaves a job twice, and it is taken once.
        await self.write(jobs)
        for name in left:
            if await self._local.load(name) is not None:
                await self._local.save(name, b"[]")
            await self._local.let_go(name)
        return jobs

    async def write(self, jobs: list[Job]) -> None:
        """Keep the queue as it stands; SftError if the disk refuses."""
        await self._local.save(self._name, _written(jobs))

    async def leave(self) -> None:
        if self._name:
            await self._local.let_go(self._name)
            self._name = ""


def _written(jobs: list[Job]) -> bytes:
    try:
        return msgspec.json.encode(jobs)
    except UnicodeEncodeError:  # a file here whose name is not UTF-8: only escapes can say it
        return json.dumps(msgspec.to_builtins(jobs)).encode("ascii")


def _read(data: bytes | None) -> list[Job]:
    if data is None:
        return []
    try:
        try:
            jobs = msgspec.json.decode(data, type=list[Job])
        except msgspec.DecodeError:  # it may hold a name that is not UTF-8
            jobs = msgspec.convert(json.loads(data), list[Job])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []  # written by hand, or by a newer sft
    for job in jobs:
        if job.state is JobState.RUNNING:
            job.state = JobState.WAITING
    return jobs


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
