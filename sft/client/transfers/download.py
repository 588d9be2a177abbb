"""One file from the server: nothing is under its final name before everything about it was verified."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from sft.client.api.files import show_proved
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.download_resume import OpenPart, left_here, make_resumable
from sft.client.transfers.download_stream import DownloadStream, FileSink, Received, resumable_after
from sft.client.transfers.part_file import NullSink, PartFile
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Reporter, TransferStage
from sft.client.transfers.target import Target
from sft.client.trust import Verdict, judge_over, learn_of, note_judged, prove_file, require_newest
from sft.errors import NotAsListedError, ResumeRefusedError, SftError
from sft.model.records import File


class DownloadResult(Struct, frozen=True):
    """A verified file; the paths are None where it was not kept, and the verdict where it was given before."""

    file: File
    verdict: Verdict | None
    local: Path | None
    signature: Path | None


async def get_file(
    session: Session, item: GetItem, place: Target | None, report: Reporter, *, held: FileSink | None = None
) -> DownloadResult:
    """Get one file and verify it; without a place it is not kept.

    Args:
        held: takes the content where it has no place; of what is raised over nothing in it is to be used.

    Raises:
        RequestError: the server refused.
        SignatureBadError, SignerUnknownError, PinChangedError: it is not its author's; nothing was kept.
        NotAsListedError, OlderVersionError: it is not the one that was meant; nothing was kept.
        LocalExistsError, LocalChangedError, LocalDiskFullError, LocalFileError, NameNotAllowedError: this computer cannot
            take it.
        ConnectionLostError: the connection broke; nothing was kept.
    """

    def admit(file: File) -> None:
        require_asked_for(session, file, item)

    def open_sink(file: File) -> FileSink:
        if place is None:
            return held or NullSink()
        part = PartFile(
            place.destination,
            place.parts,
            size=file.version.size,
            listed_size=item.size,
            existing=place.existing,
            replaces=place.replaces,
            with_signature=place.with_signature,
        )
        return make_resumable(session, file, item, place, part) or part

    begun = None if place is None else await left_here(session, item, place, report)
    if place is not None and begun is not None and begun.is_whole:
        return await _placed(session, item, begun, report, both=place.with_signature)
    report(TransferStage.RECEIVING, 0 if begun is None else begun.done)
    incoming = DownloadStream(session, report, admit=admit, open_sink=open_sink, begun=begun)
    try:
        arrived = await incoming.receive(item.path, item.version)
    except ResumeRefusedError as refusal:
        if begun is None:
            raise
        report.restarted(str(refusal.values["problem"]), begun.done)
        incoming = DownloadStream(session, report, admit=admit, open_sink=open_sink)
        arrived = await incoming.receive(item.path, item.version)
    try:
        both = place is None or place.with_signature
        return await _kept(session, item, arrived, report, both=both)
    except BaseException as error:
        await incoming.abandon(error)
        raise


async def _kept(session: Session, item: GetItem, arrived: Received, report: Reporter, *, both: bool) -> DownloadResult:
    """Judge what is whole, and give it its name."""
    file = arrived.file
    report(TransferStage.VERIFYING, arrived.size)
    require_asked_for(session, file, item)
    await learn_of(session, [file])
    state = prove_file(session, arrived.evidence, file)
    verdict = judge_over(session, file, arrived.digest, arrived.size, state, both=both)

    def finish() -> tuple[Path | None, Path | None]:
        if item.newest:
            require_newest(session, file, item.seen, verdict.proved, listed=item.version != 0)
        note_judged(session, file, verdict.proved, read=True)
        return arrived.sink.finish(
            dated_at=file.version.dated_at, executable=verdict.comment.executable, signature=verdict.signature
        )

    local, signature = await finish_even_if_cancelled(session.pool.run(finish))
    report(TransferStage.VERIFIED, arrived.size)
    return DownloadResult(file, verdict, local, signature)


async def _placed(session: Session, item: GetItem, begun: OpenPart, report: Reporter, *, both: bool) -> DownloadResult:
    """Judge what was whole before, and had no name to go to: no byte moves again."""
    part, digest, pool = begun.part, begun.running.digest(), session.pool
    try:
        file, evidence = await show_proved(session, item.path, item.version)
        arrived = Received(file, digest, item.size, part, evidence)
        return await _kept(session, item, arrived, report, both=both)
    except BaseException as error:
        if resumable_after(error):
            with suppress(SftError):  # what stopped it is what is told
                await pool.run(part.leave, item.size, digest)
        else:
            await pool.run(part.discard)
        raise


def require_asked_for(session: Session, file: File, item: GetItem) -> None:
    """Refuse another file, version or content than was listed."""
    version = file.version
    listed = (item.file_id, item.size, item.digest) if item.file_id else (file.id, version.size, version.digest)
    asked = (item.path, item.version or version.number, listed)
    if (file.path, version.number, (file.id, version.size, version.digest)) != asked:
        raise NotAsListedError(server=session.server_name, path=item.path)
