"""Saying, signed, what came: without a question, for the key is open, and of what was verified alone.

Rules. As many as one statement may have go together, and the rest at the end. It is a word to the files' owners, not a part of
getting: where it cannot be given, what came stays as it is, and why is told beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sft.client.session import Session
from sft.crypto.statement import ReceivedVersion
from sft.errors import SftError
from sft.limits import RECEIVED_AT_ONCE
from sft.model.records import File, FileSeen
from sft.wire.messages import ConfirmReceived, Done

_ACT: Final = "received"


class ReceivedFiles:
    """What one get has verified and not confirmed yet.

    Attributes:
        unconfirmed: how many the server does not know of.
        error: why not.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: dict[tuple[bytes, int], File] = {}
        self.unconfirmed = 0
        self.error: SftError | None = None

    async def add(self, files: Sequence[File]) -> None:
        """Note files that were verified; confirm as soon as there are as many as go together."""
        self._waiting.update({(file.id, file.version.number): file for file in files})
        while len(self._waiting) >= RECEIVED_AT_ONCE:
            await self._confirm()

    async def finish(self) -> None:
        """Confirm what is left."""
        while self._waiting:
            await self._confirm()

    async def _confirm(self) -> None:
        files = [*self._waiting.values()][:RECEIVED_AT_ONCE]
        for file in files:
            del self._waiting[file.id, file.version.number]
        versions = tuple(ReceivedVersion(each.id, each.version.number, each.version.digest) for each in files)
        try:
            statement = self._session.sign_act(_ACT, versions=versions)
            seen = tuple(FileSeen(each.file_id, each.version) for each in versions)
            await self._session.request(ConfirmReceived, Done, versions=seen, statement=statement)
        except SftError as error:
            self.unconfirmed += len(files)
            self.error = error
