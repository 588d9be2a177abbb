"""An agent in this process: the real one, on a thread and a clock that is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from sft.client.agent.held_key import lock
from sft.client.agent.place import socket_path
from sft.client.agent.process import Agent
from sft.crypto.keys import SigningKey
from sft.crypto.locked_key import LockedKey


def on_a_thread(now: Callable[[], float]) -> Callable[[Path, SigningKey, int, Mapping[str, str]], None]:
    """Return what starts agents that look at a clock, as ``sft.client.agent.starting.start`` does."""

    def start(folder: Path, key: SigningKey, seconds: int, environ: Mapping[str, str]) -> None:
        del environ
        lock(folder, key.public)
        handed, held = bytearray(key.public.key_id + key.seed), LockedKey()

        def hand(view: memoryview) -> int:
            part = handed[: len(view)]
            view[: len(part)] = part
            del handed[: len(part)]
            return len(part)

        held.read(hand)
        agent = Agent(socket_path(folder, key.public), held, seconds, clocks=(now,))
        Thread(target=agent.run, daemon=True).start()

    return start
