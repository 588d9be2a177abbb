"""One page at a time of what the client library lists whole, and what is known of the signatures on it.

Rules. A page goes through the library's own checks: its names decide where a download goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sft.client.files import Listing, list_folder, show_file
from sft.client.session import Session
from sft.client.state import StateFolder
from sft.client.trust import SignatureState
from sft.client.unread import known_of
from sft.crypto.keys import PublicKey, ServerPublic
from sft.errors import SignatureBadError
from tui.gateway import Details
from tui.live.account_records import has_receipt


class OnePage:
    """A session that shows its asker one page as if it were all.

    Args:
        cursor: of the page.
    """

    def __init__(self, session: Session, cursor: str) -> None:
        self._session = session
        self._cursor = cursor
        self.next = ""

    @property
    def server_key(self) -> ServerPublic:
        """The key that the server proved."""
        return self._session.server_key

    @property
    def server_name(self) -> str:
        """How the server calls itself."""
        return self._session.server_name

    @property
    def address(self) -> str:
        """Where it was reached."""
        return self._session.address

    async def request(self, kind: Any, reply: Any, /, **fields: object) -> Any:
        """Ask for the page, and keep where the next one begins."""
        answer = await self._session.request(kind, reply, **{**fields, "cursor": self._cursor})
        self.next = answer.page.next
        page = msgspec.structs.replace(answer.page, next="")
        return msgspec.structs.replace(answer, page=page)


async def folder_page(
    session: Session, path: str, cursor: str, *, judged: bool
) -> tuple[Listing, Sequence[SignatureState | None], str]:
    """Give one page of a folder, what is known of its files, and where the next page begins."""
    page = OnePage(session, cursor)
    listing = await list_folder(page, path, signatures=judged)
    if not judged:
        return listing, [None] * len(listing.files), page.next
    known = await known_of(session, listing.files)
    return listing, [each.state for each in known], page.next


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
