"""Several files of the server at once as its log has them: shown with their slots, as many to a request as one answer holds.

Rules. What a listing says finds a file and proves nothing: neither that it is there still, nor that no newer version is, nor
which file has the name. Whatever is believed of many files without their contents is asked for here, a request for dozens of
them. What the log has otherwise stops the session; what is refused is each file's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sft.client.api.files import show_files
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.proved import ProvedState
from sft.client.session import Session
from sft.client.trust import prove, prove_judged
from sft.errors import OlderVersionError, SftError, SignatureBadError, SignerUnknownError
from sft.limits import BATCH_FILES
from sft.model.records import File

_AT_ONCE: Final = 4

_WHAT: Final = "what it says of these files"


class ShownProved(Struct, frozen=True):
    """A file as the server shows it, and the slots that its answer proves: whoever judges it holds it to them."""

    file: File
    state: ProvedState


async def show_proved_files(session: Session, paths: Sequence[str]) -> list[ShownProved | SftError]:
    """Show the newest versions of these files, each held to its slot; or say of each why not.

    Raises:
        LedgerError: the server does not prove what it says; nothing of it is used any more.
    """

    async def show(group: Sequence[str]) -> list[ShownProved | SftError]:
        shown: list[ShownProved | SftError] = []
        while len(shown) < len(group):
            try:
                results, evidence = await show_files(session, group[len(shown) :])
            except SftError as error:
                session.log.require_sound()
                return shown + [error] * (len(group) - len(shown))
            if any(isinstance(each, File) for each in results):
                state = await finish_even_if_cancelled(session.pool.run(prove, session, evidence, _WHAT))
                shown += [ShownProved(each, state) if isinstance(each, File) else each for each in results]
            else:
                shown += [each for each in results if not isinstance(each, File)]
        return shown

    groups = [paths[start : start + BATCH_FILES] for start in range(0, len(paths), BATCH_FILES)]
    return [each for group in await gather_limited(_AT_ONCE, groups, show) for each in group]


async def are_proved(session: Session, files: Sequence[File], *, listed: bool = False) -> list[bool]:
    """Say of versions that were listed, and that this computer has judged before, whether the log has them as that now.

    Where one is another by now, or is refused, only whoever looks at it alone can say why.

    Args:
        listed: what was stored after this session began may have come in between.

    Raises:
        LedgerError: as ``show_proved_files``.
    """
    shown = await show_proved_files(session, [file.path for file in files])

    def hold() -> list[bool]:
        return [_holds(session, file, each, listed=listed) for file, each in zip(files, shown, strict=True)]

    return await finish_even_if_cancelled(session.pool.run(hold))


def _holds(session: Session, file: File, shown: ShownProved | SftError, *, listed: bool) -> bool:
    if isinstance(shown, SftError):
        return False
    version, now = file.version, shown.file.version
    as_listed = (file.id, version.number, version.digest, version.signed_name, version.public_key)
    if (shown.file.id, now.number, now.digest, now.signed_name, now.public_key) != as_listed:
        return False
    try:
        prove_judged(session, shown.file, shown.state, listed=listed)
    except (SignatureBadError, SignerUnknownError, OlderVersionError):
        return False
    return True
