"""A disk that counts its steps, and fails at one of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from sft.vault.disk import RealDisk


class FaultyDisk:
    """A real disk whose n-th changing step fails, before it happens.

    Args:
        fail_at: number of the step, from 0; None: none.
        code: what the system says.
        steps: the names of the steps that count; all unless given.
    """

    def __init__(self, fail_at: int | None = None, code: int = errno.EIO, steps: str = "") -> None:
        self.real = RealDisk()
        self.fail_at = fail_at
        self.code = code
        self.steps = steps.split()
        self.count = 0
        self.log: list[str] = []

    def _step(self, name: str) -> None:
        if self.steps and name not in self.steps:
            return
        self.log.append(name)
        number, self.count = self.count, self.count + 1
        if number == self.fail_at:
            raise OSError(self.code, os.strerror(self.code))

    def make_folder(self, folder: int, name: str) -> int:
        self._step("make_folder")
        return self.real.make_folder(folder, name)

    def create(self, folder: int, name: str) -> int:
        self._step("create")
        return self.real.create(folder, name)

    def reopen(self, folder: int, name: str) -> int:
        self._step("reopen")
        return self.real.reopen(folder, name)

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        self._step("write")
        self.real.write(file, pieces)

    def overwrite(self, folder: int, name: str) -> None:
        self._step("overwrite")
        self.real.overwrite(folder, name)

    def sync_file(self, file: int) -> None:
        self._step("sync_file")
        self.real.sync_file(file)

    def sync_folder(self, folder: int) -> None:
        self._step("sync_folder")
        self.real.sync_folder(folder)

    def rename(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        self._step("rename")
        self.real.rename(folder, name, to_folder, to_name)

    def unlink(self, folder: int, name: str) -> None:
        self._step("unlink")
        self.real.unlink(folder, name)

    def remove_folder(self, folder: int, name: str) -> None:
        self._step("remove_folder")
        self.real.remove_folder(folder, name)
