"""Pages of folders and single versions, with what this computer knows of their signatures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sft.client.api.files import Listing, list_page, show_file
from sft.client.receipts import has_receipt
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.client.trust import SignatureState, known_of
from sft.crypto.keys import PublicKey
from sft.errors import SignatureBadError
from tui.gateway import Details


async def folder_page(
    session: Session, path: str, cursor: str, *, judged: bool
) -> tuple[Listing, Sequence[SignatureState | None], str]:
    """Return one page of a folder, what is known of its files, and where the next page begins."""
    listing, following = await list_page(session, path, cursor, signatures=judged)
    if not judged:
        return listing, [None] * len(listing.files), following
    known = await known_of(session, listing.files)
    return listing, [each.state for each in known], following


async def details_of(
    session: Session,
    state: StateFolder,
    checked: Mapping[tuple[bytes, int], SignatureState],
    path: str,
    version: int,
) -> Details:
    """Show one version of a file.

    Args:
        checked: what reading versions has shown, by file and number.
    """
    file = await show_file(session, path, version)
    (known,) = await known_of(session, [file])
    error = known.error
    shown = file.version
    pin = session.pins.people.get(shown.author_id)
    kept = await session.pool.run(has_receipt, state, session.server_id, file.id, shown.number)
    seen = checked.get((file.id, shown.number))
    if seen is SignatureState.BAD and error is None:
        error = SignatureBadError(path=file.path, author=shown.author)
    return Details(
        file=file,
        state=seen if seen is not None and known.state is SignatureState.SIGNED else known.state,
        words=PublicKey.decode(shown.public_key).words(),
        first_seen_at=None if pin is None else pin.keys.get(shown.public_key),
        receipt_kept=kept,
        error=error,
    )
