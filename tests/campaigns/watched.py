"""The real UI, started as ``sft`` starts it, with two counters beside it: pages asked for, and how late the loop was.

    python tests/campaigns/watched.py REPORT

On SIGUSR1 it writes what it counted since the last time into the file REPORT, and begins anew; on SIGUSR2 it looks at the loop
no more, so that what an idle interface costs can be measured. Nothing else is changed.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import NoReturn

from sft.cli.main import run
from sft.client.session import Session
from tui.gateway import Listed
from tui.live import LiveGateway
from tui.live.files import LiveFiles

BEAT_SECONDS = 0.005


class Watch:
    """What is counted."""

    def __init__(self, report: Path) -> None:
        self._report = report
        self._beating: asyncio.TimerHandle | None = None
        self._begin()

    def begin(self) -> None:
        """Look at the loop from now on."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._tell)
        loop.add_signal_handler(signal.SIGUSR2, lambda: self._beating and self._beating.cancel())
        self._due = loop.time() + BEAT_SECONDS
        self._beating = loop.call_at(self._due, self._beat)

    def page(self, entries: int, *, judged: bool) -> None:
        """Note a page."""
        self._pages["whole" if judged else "light"] += 1
        self._rows += entries

    def _begin(self) -> None:
        self._pages = {"whole": 0, "light": 0}
        self._rows = 0
        self._late: list[float] = []

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._late.append(loop.time() - self._due)
        self._due = loop.time() + BEAT_SECONDS
        self._beating = loop.call_at(self._due, self._beat)

    def _tell(self) -> None:
        late = sorted(self._late) or [0.0]
        told = {
            "pages": self._pages, "rows": self._rows,
            "late_p50": late[len(late) // 2], "late_p99": late[int(len(late) * 0.99)], "late_max": late[-1],
        }  # fmt: skip
        self._begin()
        written = self._report.with_suffix(".new")
        written.write_text(json.dumps(told), encoding="utf-8")
        written.replace(self._report)


def main() -> NoReturn:
    """Count and run."""
    watch = Watch(Path(sys.argv[1]))
    read_page, use = LiveFiles._page, LiveGateway.use

    async def counted(self: LiveFiles, session: Session, path: str, cursor: str = "", *, judged: bool = True) -> Listed:
        page = await read_page(self, session, path, cursor, judged=judged)
        watch.page(len(page.files) + len(page.folders), judged=judged)
        return page

    async def used(self: LiveGateway, account: str, passphrase: str | None = None) -> None:
        watch.begin()
        await use(self, account, passphrase)

    LiveFiles._page, LiveGateway.use = counted, used  # type: ignore[method-assign]
    sys.argv = ["sft", "tui"]
    run()


if __name__ == "__main__":
    main()
