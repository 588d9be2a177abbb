"""Transfers with the server in use; which versions were read here, and whether they held, is kept in mind."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, get_all, put_all, verify_all
from sft.client.transfers.expiries import set_expiries
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutPlan, plan_get, plan_put
from sft.client.transfers.progress import Report
from sft.client.trust import SignatureState, known_of
from sft.errors import NotFoundError
from tui.live.session_access import SessionAccess

_LOOKED_BACK: Final = 20  # versions; one of a file that lies here and is older is the person's to decide


class LiveTransfers:
    """Puts, gets and verifications."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access
        self.plan_get = access.asking(plan_get)
        self.put = access.asking(put_all)
        self.get = access.asking(self._get)
        self.verify = access.asking(self._verify)
        self.expire = access.asking(set_expiries)
        self.is_earlier = access.asking(self._is_earlier)

    async def plan_put(self, sources: Sequence[str], *, to: str, safe_names: bool = False) -> PutPlan:
        own = self._access.state.data
        return await self._access.blocking(plan_put, sources, to=to, safe_names=safe_names, own=own)

    async def _get(
        self,
        session: Session,
        items: Sequence[GetItem],
        *,
        to: Path,
        folders: Sequence[tuple[str, ...]] = (),
        existing: ConflictPolicy = ConflictPolicy.REFUSE,
        report: Report | None = None,
    ) -> list[GetResult]:
        results = await get_all(session, items, to=to, folders=folders, existing=existing, report=report)
        return await self._noted(session, results)

    async def _is_earlier(self, session: Session, item: GetItem, size: int, digest: bytes) -> bool:
        for number in range(item.version - 1, max(item.version - 1 - _LOOKED_BACK, 0), -1):
            with contextlib.suppress(NotFoundError):  # its content was destroyed
                file = await show_file(session, item.path, number)
                if file.id == item.file_id and (file.version.size, file.version.digest) == (size, digest):
                    (known,) = await known_of(session, [file], None, newest=False)
                    return known.state in {SignatureState.SIGNED, SignatureState.VERIFIED}
        return False

    async def _verify(
        self, session: Session, items: Sequence[GetItem], *, report: Report | None = None
    ) -> list[GetResult]:
        return await self._noted(session, await verify_all(session, items, report=report))

    async def _noted(self, session: Session, results: list[GetResult]) -> list[GetResult]:
        for result in results:
            await self._access.checked.note_read(
                session, result.item.path, result.item.version, result.file, result.error, self._access.clock()
            )
        return results
