"""The files of a published log, in memory."""

from __future__ import annotations


class KeptFiles:
    """What was written, in order; ``settled`` is how many writes were on the disk when that was last waited for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.settled: list[int] = []

    def read(self, path: str, at_most: int) -> bytes | None:
        data = self.files.get(path)
        if data is not None and len(data) > at_most:
            raise ValueError(f"{path} has {len(data)} bytes")
        return data

    def write(self, path: str, data: bytes) -> None:
        self.files[path] = data
        self.written.append(path)

    def settle(self) -> None:
        self.settled.append(len(self.written))
