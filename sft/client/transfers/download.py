"""One file from the server: nothing is under its final name before everything about it was verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.download_stream import DownloadStream
from sft.client.transfers.part_file import ConflictPolicy, Destination, NullSink, PartFile
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.trust import Verdict, judge
from sft.errors import SignatureBadError
from sft.model.records import File


@dataclass(frozen=True, slots=True)
class Target:
    """Where a download goes.

    Args:
        parts: below the destination, folders first.
    """

    destination: Destination
    parts: Sequence[str]
    existing: ConflictPolicy
    with_signature: bool


@dataclass(frozen=True, slots=True)
class DownloadResult:
    """A verified file; the paths are None where it was not kept."""

    file: File
    verdict: Verdict
    local: Path | None
    signature: Path | None


async def get_file(session: Session, path: str, version: int, place: Target | None, report: Reporter) -> DownloadResult:
    """Get one file and verify it; without a place it is not kept.

    Args:
        version: 0 is the newest.

    Raises:
        RequestError: the server refused.
        SignatureBadError, SignerUnknownError, PinChangedError: it is not its author's; nothing was kept.
        LocalExistsError, LocalDiskFullError, LocalFileError, NameNotAllowedError: this computer cannot take it.
        ConnectionLostError: the connection broke; nothing was kept.
    """

    def open_sink(file: File) -> PartFile | NullSink:
        if place is None:
            return NullSink()
        return PartFile(
            place.destination,
            place.parts,
            size=file.version.size,
            existing=place.existing,
            with_signature=place.with_signature,
        )

    report(TransferStage.RECEIVING, 0)
    incoming = DownloadStream(session, report, open_sink)
    arrived = await incoming.receive(path, version)
    file = arrived.file
    try:
        report(TransferStage.VERIFYING, arrived.size)
        _require_asked_for(file, path, version)
        await session.pin_author(file)
        verdict = judge(
            file,
            arrived.digest,
            arrived.size,
            session.pins.people,
            server_id=session.server_id,
            server_name=session.server_name,
        )
        finishing = session.pool.run(arrived.sink.finish, dated_at=file.version.dated_at, signature=verdict.signature)
        local, signature = await finish_even_if_cancelled(finishing)
    except BaseException:
        await incoming.abandon()
        raise
    report(TransferStage.VERIFIED, arrived.size)
    return DownloadResult(file, verdict, local, signature)


def _require_asked_for(file: File, path: str, version: int) -> None:
    if file.path != path or version not in {0, file.version.number}:
        raise SignatureBadError("the server sent another file", path=path, author=file.version.author)
