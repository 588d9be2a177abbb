"""That a download begins, said in the log before its first byte leaves: committed with whatever else waits for the writer."""

from __future__ import annotations

from collections.abc import Mapping

from sft.server.context import ServerContext
from sft.server.transfer import TransferSession
from sft.service.receiving import DownloadInput, begin_downloads
from sft.store.downloads import FileVersionKey


async def say_begun(
    context: ServerContext, session: TransferSession, versions: Mapping[FileVersionKey, bytes], *, first_chunk: int = 0
) -> None:
    """Say that versions are about to leave for a session's person; what is raised, none of them does.

    Args:
        versions: with their digests.

    Raises:
        ServerFullError: not a byte is left for it, not even of the room that is held for that.
        LoginRefusedError, RoleForbidsError: the person may not be here, or read, any more.
    """
    item = DownloadInput(session.caller, versions, first_chunk)
    await session.share.act(1, context.act, begin_downloads, item)
