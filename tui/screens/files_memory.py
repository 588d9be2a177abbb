"""How Files begins with an account: as it was left, and it is noted how it is left.

Rules. The folder of this computer is that of the shell where sft was started anywhere but at home: whoever went there meant it.
What is noted is written once it rests, and at the end. A disk that does not take it is no matter of the person's.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from textual.timer import Timer

from sft.errors import SftError
from tui.remembered import Remembered, decoded, encoded, file_of, order_of, sorting_of
from tui.screens.files_context import FilesContext

_RESTS_SECONDS: Final = 1.0
_VISITED: Final = 40


class FilesMemory:
    """What is remembered of the account in use.

    Args:
        started_in: the folder of this computer that is shown at first.
    """

    def __init__(self, files: FilesContext, started_in: Path) -> None:
        self._files = files
        self._takes_here = started_in == Path.home()
        self._account = ""
        self._kept = Remembered()
        self._timer: Timer | None = None
        self.visited: dict[
            tuple[bool, str], None
        ] = {}  # folders of either side, of this computer or not, the last one last
        self.is_going_back = False  # to a folder of the server that was left, and may be there no more

    async def recall(self) -> None:
        """Let Files stand as it was left with the account that is in use now."""
        await self.keep()
        for folder in [each for each in self.visited if not each[0]]:
            del self.visited[folder]
        files, self._account = self._files, self._files.connection.account
        if not self._account:
            return
        data = None
        with contextlib.suppress(SftError):
            data = await files.gateway.local.load(file_of(self._account))
        kept = self._kept = decoded(data)
        files.remote_side.path, self.is_going_back = kept.there, bool(kept.there)
        files.remote.sorting, files.local.sorting = sorting_of(kept.sort_there), sorting_of(kept.sort_here)
        files.wish(replace(files.wishes, details=kept.details, zoomed=kept.zoomed))
        is_elsewhere = files.local_side.hidden is not kept.hidden
        files.local_side.hidden = kept.hidden
        here = Path(kept.here)
        if self._takes_here and kept.here and await asyncio.to_thread(here.is_dir):
            is_elsewhere = is_elsewhere or files.local_side.path != here
            files.local_side.path = here
        self._takes_here = False
        if is_elsewhere or kept.sort_here != Remembered().sort_here:
            files.local.read()

    def visit(self, *, is_local: bool) -> None:
        """Note the folder that a side shows now."""
        side = self._files.remote_side
        if not is_local and (side.in_trash or side.question is not None):
            return
        folder = is_local, str(self._files.local_side.path) if is_local else side.path
        self.visited.pop(folder, None)
        self.visited[folder] = None
        if len(self.visited) > _VISITED:
            del self.visited[next(iter(self.visited))]

    def note(self) -> None:
        """Write how Files stands, once that rests."""
        if self._account and self._stands != self._kept:
            if self._timer is not None:
                self._timer.stop()
            self._timer = self._files.after(_RESTS_SECONDS, self.keep, "remembering")

    async def keep(self) -> None:
        """Write it now, if it is not written so."""
        if self._account and (stands := self._stands) != self._kept:
            self._kept = stands
            with contextlib.suppress(SftError):
                await self._files.gateway.local.save(file_of(self._account), encoded(stands))

    @property
    def _stands(self) -> Remembered:
        files = self._files
        return Remembered(
            here=str(files.local_side.path),
            there=self._kept.there if self.is_going_back else files.remote_side.path,
            sort_here=order_of(files.local.sorting),
            sort_there=order_of(files.remote.sorting),
            details=files.wishes.details,
            zoomed=files.wishes.zoomed,
            hidden=files.local_side.hidden,
        )
