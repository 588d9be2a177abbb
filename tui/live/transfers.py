"""Transfers with the server in use, planned and done; which versions were read here, and whether they held, is kept in mind."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sft.client.api.files import show_file
from sft.client.transfers.batch import (
    GetResult,
    PutResult,
    get_all,
    put_all,
    verify_all,
)
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, GetPlan, PutItem, PutPlan, plan_get, plan_put
from sft.client.transfers.progress import Report
from sft.client.trust import SignatureState
from sft.errors import SftError, SignatureBadError
from tui.live.session_access import SessionAccess


class LiveTransfers:
    """Puts, gets and verifications."""

    def __init__(self, access: SessionAccess) -> None:
        self._access = access

    async def plan_put(
        self, sources: Sequence[str], *, to: str, safe_names: bool = False
    ) -> PutPlan:
        """Settle what is sent where."""
        return await self._access.blocking(plan_put, sources, to=to, safe_names=safe_names)

    async def plan_get(self, names: Sequence[str], *, version: int = 0) -> GetPlan:
        """Plan what is fetched."""
        return await self._access.ask(lambda session: plan_get(session, names, version=version))

    async def put(
        self,
        items: Sequence[PutItem],
        *,
        folders: Sequence[str] = (),
        replace: bool = False,
        report: Report | None = None,
    ) -> list[PutResult]:
        """Store files."""
        return await self._access.ask(
            lambda session: put_all(session, items, folders=folders, replace=replace, report=report)
        )

    async def get(
        self,
        items: Sequence[GetItem],
        *,
        to: Path,
        folders: Sequence[tuple[str, ...]] = (),
        existing: ConflictPolicy = ConflictPolicy.REFUSE,
        report: Report | None = None,
    ) -> list[GetResult]:
        """Get files, verified."""
        return await self._noted(
            await self._access.ask(
                lambda session: get_all(
                    session, items, to=to, folders=folders, existing=existing, report=report
                )
            )
        )

    async def verify(
        self, items: Sequence[GetItem], *, report: Report | None = None
    ) -> list[GetResult]:
        """Read and judge files, keeping nothing."""
        return await self._noted(
            await self._access.ask(lambda session: verify_all(session, items, report=report))
        )

    async def _noted(self, results: list[GetResult]) -> list[GetResult]:
        """Keep in mind which versions were read here, and whether they held."""
        for result in results:
            seen, state = result.file, SignatureState.VERIFIED
            if isinstance(result.error, SignatureBadError):
                state = SignatureState.BAD
                with contextlib.suppress(SftError):
                    seen = await self._access.ask(
                        partial(show_file, path=result.item.path, version=result.item.version)
                    )
            if seen is not None:
                self._access.checked[seen.id, seen.version.number] = state
        return results
