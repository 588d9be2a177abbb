"""Small files from the server, several in one request: judged in memory, and only what is good touches the disk.

Rules. What one of them meets is its own error; the others go on. The server answers for the first so many, in order; the rest
is asked for again. What it says is too large to come with others is got by itself. Each file is written, synced and named; a
folder is synced once for all of a group that lie in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sft import durable
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.os_errors import translating_os_errors
from sft.client.session import Session
from sft.client.transfers.download import DownloadResult, get_file, require_asked_for, require_unmoved
from sft.client.transfers.part_file import Destination, PartFile
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.target import Target
from sft.client.trust import judge, note_judged, require_newest
from sft.crypto.digests import blake2b_512
from sft.errors import NotSmallError, RemoteProtocolError, RequestError, SftError
from sft.model.records import File
from sft.wire.messages import FilesContent, GetFiles, RefusedFile, WantedFile

Outcome = DownloadResult | SftError


@dataclass(frozen=True, slots=True)
class Getting:
    """One item on its way; without a place it is not kept."""

    item: GetItem
    place: Target | None
    report: Reporter


async def get_together(session: Session, wanted: Sequence[Getting], *, accept_moved: bool) -> list[Outcome]:
    """Get small files and verify each, as ``get_file`` does one.

    Returns:
        What became of each, in order.
    """
    outcomes: list[Outcome] = []
    for each in wanted:
        each.report(TransferStage.RECEIVING, 0)
    while len(outcomes) < len(wanted):
        outcomes += await _some(session, wanted[len(outcomes) :], accept_moved=accept_moved)
    return outcomes


async def _some(session: Session, wanted: Sequence[Getting], *, accept_moved: bool) -> list[Outcome]:
    files = tuple(WantedFile(each.item.path, each.item.version) for each in wanted)
    try:
        answer = await session.request(GetFiles, FilesContent, files=files)
    except SftError as error:
        return [error] * len(wanted)
    results = answer.results
    if len(results) > len(wanted):
        raise RemoteProtocolError(f"{len(results)} files for {len(wanted)} that were asked for")
    outcomes: list[Outcome | None] = []
    arrived: list[_Arrived] = []
    for each, result in zip(wanted, results, strict=False):
        if isinstance(result, RefusedFile):
            outcomes.append(RequestError.from_wire(result.code, result.values, result.ref))
        else:
            outcomes.append(None)
            arrived.append(_Arrived(each, result.file, result.content))
            each.report(TransferStage.VERIFYING, len(result.content))
    await session.pin_authors([each.file for each in arrived])
    landed: Iterator[Outcome] = iter(())
    if arrived:
        landing = session.pool.run(_land_all, session, arrived, accept_moved=accept_moved)
        judged = await finish_even_if_cancelled(landing)
        landed = iter(judged)
    ended: list[Outcome] = []
    for each, outcome in zip(wanted, outcomes, strict=False):
        became = next(landed) if outcome is None else outcome
        if isinstance(became, NotSmallError):
            became = await _alone(session, each, accept_moved=accept_moved)
        elif isinstance(became, DownloadResult):
            each.report(TransferStage.VERIFIED, became.file.version.size)
        ended.append(became)
    return ended


async def _alone(session: Session, wanted: Getting, *, accept_moved: bool) -> Outcome:
    try:
        return await get_file(session, wanted.item, wanted.place, wanted.report, accept_moved=accept_moved)
    except SftError as error:
        return error


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A whole file that nobody has judged yet."""

    wanted: Getting
    file: File
    content: bytes


def _land_all(session: Session, arrived: Sequence[_Arrived], *, accept_moved: bool) -> list[Outcome]:
    """Judge and keep a group (blocks)."""
    outcomes: list[Outcome] = []
    with _OpenFolders() as folders:
        for each in arrived:
            try:
                outcomes.append(_land(session, each, folders, accept_moved=accept_moved))
            except SftError as error:
                outcomes.append(error)
        for folder, fault in folders.sync():
            outcomes = [fault if _lies_in(folder, outcome) else outcome for outcome in outcomes]
    return outcomes


def _lies_in(folder: Path, outcome: Outcome) -> bool:
    return isinstance(outcome, DownloadResult) and outcome.local is not None and outcome.local.parent == folder


def _land(session: Session, arrived: _Arrived, folders: _OpenFolders, *, accept_moved: bool) -> DownloadResult:
    wanted, file, content = arrived.wanted, arrived.file, arrived.content
    require_asked_for(session, file, wanted.item)
    verdict = judge(
        file, blake2b_512(content).digest(), len(content), session.pins.people,
        server_id=session.server_id, server_name=session.server_name, both=wanted.place is None or wanted.place.with_signature,
    )  # fmt: skip
    if not accept_moved:
        require_unmoved(verdict, file)
    if wanted.item.newest:
        require_newest(session, file)
    note_judged(session, file)
    place = wanted.place
    if place is None:
        return DownloadResult(file, verdict, None, None)
    part = PartFile(
        folders.below(place.destination),
        place.parts,
        size=len(content),
        existing=place.existing,
        with_signature=place.with_signature,
    )
    try:
        part.write([content])
        local, signature = part.finish(dated_at=file.version.dated_at, signature=verdict.signature, sync_folder=False)
    except BaseException:
        part.discard()
        raise
    return DownloadResult(file, verdict, local, signature)


class _OpenFolders:
    """The folders of one group and one destination, each opened once and synced once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, ...], tuple[Path, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _where, folder in self._open.values():
            os.close(folder)
        self._open = {}

    def below(self, destination: Destination) -> _Below:
        return _Below(self, destination)

    def folder(self, destination: Destination, parts: Sequence[str]) -> int:
        """Open a folder below a destination; the caller closes it."""
        key = tuple(parts)
        if key not in self._open:
            self._open[key] = destination.path.joinpath(*parts), destination.folder(parts)
        return os.dup(self._open[key][1])

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


@dataclass(frozen=True, slots=True)
class _Below:
    """A destination, seen through the folders that are open."""

    folders: _OpenFolders
    destination: Destination

    @property
    def path(self) -> Path:
        return self.destination.path

    def folder(self, parts: Sequence[str]) -> int:
        return self.folders.folder(self.destination, parts)
