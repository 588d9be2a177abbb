"""A whole log checked at this computer: an exported folder, without the server, or all that the server shows.

Rules. The checkpoint is judged by a key that was known before: the server's as it is pinned here, or one that was given. Beside
it the log is held to every head of it that this computer keeps. What a replay finds is the answer and no error; an error is
what cannot be judged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from sft.client.api import Requester
from sft.client.api.log import all_lines, page_before
from sft.client.log_folder import LogFolder
from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import open_note, text_of
from sft.errors import CryptoError, LocalFileError, ProofInvalidError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.published import read_checkpoint, read_leaves
from sft.ledger.replay import Replay, ReplayedLog

Progress = Callable[[int, int], None]
"""Told now and then how many leaves were looked at, and of how many."""

GiveWay = Callable[[], Awaitable[object]]
"""Lets everything else on the loop have its turn."""

_STEP = 1000
# Less than a millisecond: a key is answered in a dozen turns of the loop, and each of them waits for one slice.
_SLICE_LEAVES: Final = 4


class VerifiedLog(Struct, frozen=True):
    """What became of checking a log.

    Attributes:
        checkpoint: that it was held to.
        heads: of this computer, that it was held to as well.
        seen: leaves that this computer has seen the log to have, where an exported one ends before; else 0.
        replayed: what came of it; the log holds where that has no findings.
    """

    checkpoint: Checkpoint
    heads: int
    replayed: ReplayedLog
    seen: int = 0


def read_signed(folder: LogFolder) -> Checkpoint:
    """Read what a folder's checkpoint says, before it is known who signed it.

    Raises:
        LocalFileError: there is none, or it is none.
    """
    try:
        note = read_checkpoint(folder)
        if note is not None:
            return Checkpoint.parse(text_of(note))
    except CryptoError as fault:
        raise _no_log(folder.path, "has a checkpoint that cannot be read") from fault
    raise _no_log(folder.path, "holds no exported log")


def verify_folder(
    folder: LogFolder, keys: Iterable[NoteKey], kept: Iterable[Checkpoint] = (), progress: Progress | None = None
) -> VerifiedLog:
    """Replay an exported log (blocks). It may have been exported before this computer saw its newest head.

    Args:
        keys: of the log, of which one has to have signed the checkpoint.
        kept: heads that this computer has seen; those of other logs say nothing here.

    Raises:
        LocalFileError: it cannot be read.
    """
    checkpoint = read_signed(folder)
    all_heads = _heads(kept, checkpoint)
    heads = {size: root for size, root in all_heads.items() if size <= checkpoint.size}
    seen = max(all_heads, default=0)
    replay = Replay({**heads, checkpoint.size: checkpoint.root}, epoch=checkpoint.origin.epoch)
    try:
        open_note(read_checkpoint(folder) or "", tuple(keys))
    except CryptoError as fault:
        replay.note(None, f"its checkpoint is not signed by the key of this log: {fault.detail}")
    if heads.get(checkpoint.size, checkpoint.root) != checkpoint.root:
        replay.note(None, f"its root at {checkpoint.size} leaves is not the one that this computer has seen")
    try:
        for leaf in read_leaves(folder, checkpoint.size):
            if leaf.problem:
                replay.note(replay.size, leaf.problem)
            replay.add(leaf.entry, leaf.record)
            if progress is not None and not replay.size % _STEP:
                progress(replay.size, checkpoint.size)
    except ProofInvalidError as fault:
        replay.note(replay.size, fault.detail)
    return VerifiedLog(checkpoint, len(heads), replay.end(), seen if seen > checkpoint.size else 0)


async def verify_server(
    session: Requester,
    kept: Iterable[Checkpoint] = (),
    progress: Progress | None = None,
    *,
    give_way: GiveWay | None = None,
) -> VerifiedLog:
    """Replay all that the server shows of its log as it is now; what comes meanwhile is not looked at.

    Args:
        give_way: awaited every few leaves, where a person's keys are heard on the same loop.
    """
    checkpoint = (await page_before(session, limit=1)).head
    heads = _heads(kept, checkpoint)
    replay = Replay({**heads, checkpoint.size: checkpoint.root}, epoch=checkpoint.origin.epoch)
    async for page in all_lines(session):  # fewer than there should be are a finding
        for line in page.lines:
            if line.number < checkpoint.size:
                replay.add(line.leaf.encode(), line.record)
                if give_way is not None and not replay.size % _SLICE_LEAVES:
                    await give_way()
        if progress is not None:
            progress(replay.size, checkpoint.size)
        if replay.size == checkpoint.size:
            break
    return VerifiedLog(checkpoint, len(heads), replay.end())


def _heads(kept: Iterable[Checkpoint], checkpoint: Checkpoint) -> dict[int, bytes]:
    return {each.size: each.root for each in kept if each.origin == checkpoint.origin}


def _no_log(path: Path, problem: str) -> LocalFileError:
    return LocalFileError(path=str(path), problem=problem, remedy="Name the folder of an exported log")
