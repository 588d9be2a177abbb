"""One file from the server: nothing is under its final name before everything about it was verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sft.client.incoming import Incoming
from sft.client.landing import Destination, Existing, Landing, Nowhere
from sft.client.progress import Reporter, Stage
from sft.client.together import to_its_end
from sft.client.trust import Verdict, judge
from sft.errors import SignatureBadError
from sft.model.records import File

if TYPE_CHECKING:
    from sft.client.session import Session


@dataclass(frozen=True, slots=True)
class Place:
    """Where a download goes.

    Args:
        parts: below the destination, folders first.
    """

    destination: Destination
    parts: Sequence[str]
    existing: Existing
    with_signature: bool


@dataclass(frozen=True, slots=True)
class Got:
    """A verified file; the paths are None where it was not kept."""

    file: File
    verdict: Verdict
    local: Path | None
    signature: Path | None


async def get_file(
    session: Session, path: str, version: int, place: Place | None, report: Reporter
) -> Got:
    """Get one file and verify it; without a place it is not kept.

    Args:
        version: 0 is the newest.

    Raises:
        RequestError: the server refused.
        SignatureBadError, SignerUnknownError, PinChangedError: it is not its author's; nothing was kept.
        LocalExistsError, LocalDiskFullError, LocalFileError, NameNotAllowedError: this computer cannot take it.
        ConnectionLostError: the line broke; nothing was kept.
    """

    def open_sink(file: File) -> Landing | Nowhere:
        if place is None:
            return Nowhere()
        return Landing(
            place.destination,
            place.parts,
            size=file.version.size,
            existing=place.existing,
            with_signature=place.with_signature,
        )

    report(Stage.RECEIVING, 0)
    incoming = Incoming(session, report, open_sink)
    arrived = await incoming.receive(path, version)
    file = arrived.file
    try:
        report(Stage.VERIFYING, arrived.size)
        _require_asked_for(file, path, version)
        await session.meet_author(file)
        verdict = judge(
            file,
            arrived.digest,
            arrived.size,
            session.pins.people,
            server_id=session.server_id,
            server_name=session.server_name,
        )
        finishing = session.pool.run(
            arrived.sink.finish, dated_at=file.version.dated_at, signature=verdict.signature
        )
        local, signature = await to_its_end(finishing)
    except BaseException:
        await incoming.abandon()
        raise
    report(Stage.VERIFIED, arrived.size)
    return Got(file, verdict, local, signature)


def _require_asked_for(file: File, path: str, version: int) -> None:
    if file.path != path or version not in {0, file.version.number}:
        raise SignatureBadError(
            "the server sent another file", path=path, author=file.version.author
        )
