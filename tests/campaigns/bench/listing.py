"""A client that lists a folder again and again on the session of a transfer at full speed; prints one JSON document.

    python -m tests.campaigns.bench.listing put|get PATH FOLDER

Run it with SFT_HOME. It says how many milliseconds each listing took, and how many seconds the transfer.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from sft import client


async def listed_during(reactor: Any, kind: str, path: str, folder: str) -> dict[str, Any]:
    """Transfer and list."""
    async with await client.login(reactor) as session:
        waits: list[float] = []
        began = time.perf_counter()
        moving = client.put(session, [path]) if kind == "put" else client.get(session, [path], to="back")
        moved: Deferred[Any] = Deferred.fromCoroutine(moving)
        ended: list[float] = []
        moved.addBoth(lambda result: (ended.append(time.perf_counter() - began), result)[1])
        while not ended:
            asked = time.perf_counter()
            await client.list_folder(session, folder)
            waits.append((time.perf_counter() - asked) * 1000)
        await moved
        return {"waits": waits, "seconds": ended[0]}


def main() -> None:
    """Do as the words say."""

    async def act(reactor: Any) -> None:
        print(json.dumps(await listed_during(reactor, *sys.argv[1:4])))

    react(lambda reactor: Deferred.fromCoroutine(act(reactor)))


if __name__ == "__main__":
    main()
