"""The real server, started as ``twistd`` starts it, that writes down how long each of its parts was at work.

    python tests/campaigns/watched_server.py REPORT DAYS -n --pidfile= sft --home HOME serve …

Each line of REPORT is ``[part, what, milliseconds]``: ``answer`` from a request's arrival to its answer, ``read`` one reading
transaction, ``write`` how long the writer was with one group. The server's clock is DAYS ahead. Nothing else is changed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.scripts.twistd import run

from sft.operator import bootstrap
from sft.server import session
from sft.store.database import ReadPool
from sft.store.writer import Writer

DAY = 24 * 3600


class PartTimes:
    """Writes to the report; any thread may."""

    def __init__(self, report: Path) -> None:
        self._file = report.open("a", encoding="utf-8", buffering=1)

    def add(self, part: str, what: str, began: float) -> None:
        """Note what began then and has ended now."""
        self._file.write(json.dumps([part, what, (time.perf_counter() - began) * 1000]) + "\n")


def watch(times: PartTimes) -> None:
    """Put a clock around answers, reads and groups of the writer."""
    answer, read, do = session.answer, ReadPool.run, Writer._do

    async def timed_answer(context: Any, one: Any, message: Any) -> None:
        began = time.perf_counter()
        try:
            await answer(context, one, message)
        finally:
            times.add("answer", type(message).__name__, began)

    def timed_read(self: ReadPool, query: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return read(self, query, *args, **kwargs)
        finally:
            times.add("read", query.__name__, began)

    def timed_group(self: Writer, group: Any) -> None:
        began = time.perf_counter()
        try:
            do(self, group)
        finally:
            times.add("write", " ".join(sorted({task.act.__name__ for task in group})), began)

    session.answer, ReadPool.run, Writer._do = timed_answer, timed_read, timed_group  # type: ignore[method-assign]


def main() -> None:
    """Watch and run."""
    report, days, *words = sys.argv[1:]
    watch(PartTimes(Path(report)))
    bootstrap._wall_clock = lambda: int(time.time()) + int(days) * DAY
    sys.argv = ["twistd", *words]
    run()


if __name__ == "__main__":
    main()
