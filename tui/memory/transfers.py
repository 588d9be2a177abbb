"""Transfers with the world in memory, as the real gateway does them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, GetPlan, PutItem, PutPlan, plan_put
from sft.client.transfers.progress import Report
from tui.memory import moving
from tui.memory.computer import Computer


class Transfers:
    """Puts, gets and verifications."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer

    async def plan_put(
        self, sources: Sequence[str], *, to: str, safe_names: bool = False
    ) -> PutPlan:
        """Settle what is sent where."""
        return await asyncio.to_thread(plan_put, sources, to=to, safe_names=safe_names)

    async def plan_get(self, names: Sequence[str], *, version: int = 0) -> GetPlan:
        """Plan what is fetched."""
        await self._computer.turn("plan_get")
        return moving.plan_get(self._computer.world, names, version)

    async def put(
        self,
        items: Sequence[PutItem],
        *,
        folders: Sequence[str] = (),
        replace: bool = False,
        report: Report | None = None,
    ) -> list[PutResult]:
        """Store files."""
        await self._computer.turn("put")
        results = await moving.put(
            self._computer.world,
            self._computer.me,
            items,
            folders,
            self._computer.brake,
            report,
            replace=replace,
        )
        self._computer.receipts += sum(result.error is None for result in results)
        return results

    async def get(
        self,
        items: Sequence[GetItem],
        *,
        to: Path,
        folders: Sequence[tuple[str, ...]] = (),
        existing: ConflictPolicy = ConflictPolicy.REFUSE,
        report: Report | None = None,
    ) -> list[GetResult]:
        """Get files."""
        await self._computer.turn("get")
        results = await moving.get(
            self._computer.world, items, to, folders, existing, self._computer.brake, report
        )
        return self._computer.noted(results)

    async def verify(
        self, items: Sequence[GetItem], *, report: Report | None = None
    ) -> list[GetResult]:
        """Read and judge files."""
        await self._computer.turn("verify")
        results = await moving.get(
            self._computer.world,
            items,
            None,
            (),
            ConflictPolicy.REFUSE,
            self._computer.brake,
            report,
        )
        return self._computer.noted(results)
