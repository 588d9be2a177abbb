"""Small files from the server, several in one request: judged in memory, and only what is good touches the disk.

Rules. What one of them meets is its own error; the others go on. The server answers for the first so many, in order; the rest
is asked for again. What it says is too large to come with others is got by itself. A group is judged and written, then synced,
then named, and a folder is synced once for all that lie in it: what computes goes in turn, and only what waits for the disk
goes side by side.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from sft import durable
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.os_errors import translating_os_errors
from sft.client.proved import ProvedState
from sft.client.session import Session
from sft.client.transfers.destination import Destination
from sft.client.transfers.disk_waits import side_by_side
from sft.client.transfers.download import DownloadResult, get_file, require_asked_for
from sft.client.transfers.part_file import PartFile
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.target import Target
from sft.client.trust import Verdict, judge_over, learn_of, note_judged, prove, require_newest
from sft.crypto.digests import blake2b_512
from sft.errors import NotSmallError, RequestError, SftError
from sft.model.evidence import Evidence
from sft.model.records import File
from sft.wire.messages import FilesContent, GetFiles, RefusedFile, WantedFile

Outcome = DownloadResult | SftError


class Getting(Struct, frozen=True):
    """One item on its way; without a place it is not kept."""

    item: GetItem
    place: Target | None
    report: Reporter


async def get_together(session: Session, wanted: Sequence[Getting]) -> list[Outcome]:
    """Get small files and verify each, as ``get_file`` does one.

    Returns:
        What became of each, in order.
    """
    outcomes: list[Outcome] = []
    for each in wanted:
        each.report(TransferStage.RECEIVING, 0)
    while len(outcomes) < len(wanted):
        outcomes += await _some(session, wanted[len(outcomes) :])
    return outcomes


async def _some(session: Session, wanted: Sequence[Getting]) -> list[Outcome]:
    files = tuple(WantedFile(each.item.path, each.item.version) for each in wanted)
    try:
        answer = await session.connection.request_all(GetFiles, FilesContent, files=files)
    except SftError as error:
        return [error] * len(wanted)
    results = [result for frame in answer for result in frame.results]
    outcomes: list[Outcome | None] = []
    arrived: list[_Arrived] = []
    for each, result in zip(wanted, results, strict=False):
        if isinstance(result, RefusedFile):
            outcomes.append(RequestError.from_wire(result.code, result.values, result.ref))
        else:
            outcomes.append(None)
            arrived.append(_Arrived(each, result.file, result.content))
            each.report(TransferStage.VERIFYING, len(result.content))
    await learn_of(session, [each.file for each in arrived])
    landed: Iterator[Outcome] = iter(())
    if arrived:
        judged = await finish_even_if_cancelled(_land_all(session, arrived, answer[0].evidence))
        landed = iter(judged)
    ended: list[Outcome] = []
    for each, outcome in zip(wanted, outcomes, strict=False):
        became = next(landed) if outcome is None else outcome
        if isinstance(became, NotSmallError):
            became = await _alone(session, each)
        elif isinstance(became, DownloadResult):
            each.report(TransferStage.VERIFIED, became.file.version.size)
        ended.append(became)
    return ended


async def _alone(session: Session, wanted: Getting) -> Outcome:
    try:
        return await get_file(session, wanted.item, wanted.place, wanted.report)
    except SftError as error:
        return error


class _Arrived(Struct, frozen=True):
    """A whole file that nobody has judged yet."""

    wanted: Getting
    file: File
    content: bytes


async def _land_all(session: Session, arrived: Sequence[_Arrived], evidence: Evidence | None) -> list[Outcome]:
    """Judge and keep a group."""
    with _Group(session, arrived, evidence) as group:
        await session.pool.compute(group.write)
        if group.parts:
            await session.pool.run(group.sync)
            await session.pool.compute(group.place)
        return group.outcomes


class _Group:
    """A group on its way to the disk, step by step; each step blocks, and what fails in one takes no further one."""

    def __init__(self, session: Session, arrived: Sequence[_Arrived], evidence: Evidence | None) -> None:
        self._session = session
        self._arrived = arrived
        self._evidence = evidence
        self._state: ProvedState | None = None
        self._folders = _OpenFolders()
        self.outcomes: list[Outcome] = []
        self.parts: dict[int, tuple[PartFile, DownloadResult, Verdict]] = {}  # good ones without a name, by their place

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number in [*self.parts]:
            self.parts.pop(number)[0].discard()
        self._folders.close()

    def write(self) -> None:
        """Judge all, and write what is good."""
        try:
            self._state = prove(self._session, self._evidence, "what it says of these files")
        except SftError as error:
            self.outcomes = [error for _ in self._arrived]
            return
        for number, each in enumerate(self._arrived):
            try:
                verdict = self._judge(each)
                good = DownloadResult(each.file, verdict, None, None)
                if each.wanted.place is not None:
                    self.parts[number] = self._written(each, each.wanted.place), good, verdict
                self.outcomes.append(good)
            except SftError as error:
                self.outcomes.append(error)

    def sync(self) -> None:
        """Wait until the content of all is on the disk."""

        def sync_one(number: int) -> tuple[int, SftError | None]:
            part, _, verdict = self.parts[number]
            try:
                part.sync(verdict.signature)
            except SftError as error:
                return number, error
            return number, None

        for number, error in side_by_side(sync_one, [*self.parts]):
            if error is not None:
                self._give_up(number, error)

    def place(self) -> None:
        """Give all that is on the disk its name."""
        for number, (part, good, verdict) in [*self.parts.items()]:
            try:
                local, signature = part.place(executable=verdict.comment.executable, sync_folder=False)
            except SftError as error:
                self._give_up(number, error)
            else:
                del self.parts[number]
                self.outcomes[number] = replace(good, local=local, signature=signature)
        for folder, fault in self._folders.sync():
            self.outcomes = [fault if _lies_in(folder, outcome) else outcome for outcome in self.outcomes]

    def _judge(self, arrived: _Arrived) -> Verdict:
        session, wanted, file, content = self._session, arrived.wanted, arrived.file, arrived.content
        require_asked_for(session, file, wanted.item)
        both = wanted.place is None or wanted.place.with_signature
        verdict = judge_over(session, file, blake2b_512(content).digest(), len(content), self._state, both=both)
        if wanted.item.newest:
            require_newest(session, file, wanted.item.seen, verdict.proved, listed=wanted.item.version != 0)
        note_judged(session, file, verdict.proved, read=True)
        return verdict

    def _written(self, arrived: _Arrived, place: Target) -> PartFile:
        folders = self._folders.below(place.destination)
        part = PartFile(
            folders, place.parts, size=None, existing=place.existing, replaces=place.replaces,
            with_signature=place.with_signature,
        )  # fmt: skip
        try:
            part.write([arrived.content])
            part.date(arrived.file.version.dated_at)
        except BaseException:
            part.discard()
            raise
        return part

    def _give_up(self, number: int, error: SftError) -> None:
        self.parts.pop(number)[0].discard()
        self.outcomes[number] = error


def _lies_in(folder: Path, outcome: Outcome) -> bool:
    return isinstance(outcome, DownloadResult) and outcome.local is not None and outcome.local.parent == folder


class _OpenFolders:
    """The folders of one group and one destination, each opened once and synced once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, ...], tuple[Path, int]] = {}

    def close(self) -> None:
        for _where, folder in self._open.values():
            os.close(folder)
        self._open = {}

    def below(self, destination: Destination) -> _Below:
        return _Below(self, destination)

    def folder(self, destination: Destination, parts: Sequence[str]) -> int:
        """Return an open folder below a destination, which stays open."""
        key = tuple(parts)
        if key not in self._open:
            self._open[key] = destination.path.joinpath(*parts), destination.folder(parts)
        return self._open[key][1]

    def sync(self) -> list[tuple[Path, SftError]]:
        """Wait until the names are on the disk; gives the folders of which nobody knows."""
        faults: list[tuple[Path, SftError]] = []
        for where, folder in self._open.values():
            try:
                with translating_os_errors(where):
                    durable.sync_folder(folder)
            except SftError as error:
                faults.append((where, error))
        return faults


class _Below(Struct, frozen=True):
    """A destination, seen through the folders that are open."""

    folders: _OpenFolders
    destination: Destination

    @property
    def path(self) -> Path:
        return self.destination.path

    @property
    def umask(self) -> int:
        return self.destination.umask

    def folder(self, parts: Sequence[str]) -> int:
        return self.folders.folder(self.destination, parts)

    def release(self, folder: int) -> None:
        """It stays open for the others."""
