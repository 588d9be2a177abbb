"""Looking into a file of the server: its content in memory, once all of it was verified as a get verifies it.

Rules. What is larger than ``LOOK_BYTES`` is not asked for. The bytes have no name on any disk, and the server's log has the
download as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.transfers.download import get_file
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Report, Reporter
from sft.client.transfers.received import ReceivedFiles
from sft.client.trust import Verdict
from sft.limits import MIB
from sft.model.names import split_path
from sft.model.records import File

LOOK_BYTES: Final = MIB  # more than a person reads, and small enough to be held twice while it is looked into


class LookedInto(Struct, frozen=True):
    """One version, and what stands in it."""

    file: File
    verdict: Verdict
    content: bytes


class MemorySink:
    """The sink of content that is looked into and never has a name: as many bytes as were announced, and not one more.

    Attributes:
        content: of use once it was judged; empty before, and after what did not hold.
    """

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.content = b""

    def write(self, chunks: Sequence[bytes]) -> None:
        self._chunks += chunks

    def reached(self, done: int, digest: Callable[[], bytes]) -> None:
        """Keep no mark."""

    def finish(self, *, dated_at: int, executable: bool, signature: bytes) -> tuple[None, None]:
        del dated_at, executable, signature
        self.content = b"".join(self._chunks)
        self._chunks = []
        return None, None

    def discard(self) -> None:
        self._chunks = []
        self.content = b""


async def look_into(
    session: Session, path: str, version: int = 0, *, report: Report | None = None
) -> LookedInto | None:
    """Get one version of a file into memory and verify it; None where it is too large. 0 is the newest.

    Raises:
        as ``get_file``.
    """
    listed = await show_file(session, path, version)
    shown = listed.version
    if shown.size > LOOK_BYTES:
        return None
    item = GetItem(
        listed.path, (split_path(listed.path)[1],), shown.size, shown.number, shown.digest, listed.id, newest=version == 0,
        seen=await session.pool.run(session.versions_seen.highest, listed.id),
    )  # fmt: skip
    held = MemorySink()
    got = await get_file(session, item, None, Reporter(report, 0, listed.path, shown.size), held=held)
    received = ReceivedFiles(session)
    await received.add([got.file])
    await received.finish()
    await session.pool.run(session.versions_seen.flush)
    if got.verdict is None:
        raise TypeError("what came now was judged now")
    return LookedInto(got.file, got.verdict, held.content)
