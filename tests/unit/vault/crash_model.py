"""What a power cut may leave: a disk that records its steps, and the states that are legal after any of them.

The model is the weakest that file systems promise. A file's bytes are sure up to its last sync; after it, any prefix of
what was written may be there, or zeros of its length. A name is sure up to its folder's last sync; after it, each name of
the folder may be as it was at any moment since, independently of the others: so a rename between folders may be seen in
one, in both or in neither. What lies in a folder is there only as long as the folder's own name is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from sft.vault.disk import RealDisk

Name = tuple[str, str]  # folder, relative to the vault, and name within
State = dict[Name, bytes | None]  # None: a folder


@dataclass(eq=False)
class File:
    """A file's bytes: what is sure, and what was written since, each as a whole content."""

    sure: bytes = b""
    now: bytes = b""
    since: list[bytes] = field(default_factory=list)

    def contents(self) -> list[bytes | None]:
        """Every content that a cut may leave."""
        return list(dict.fromkeys([self.sure, *self.since]))


class Folder(File):
    """A folder that was made below another."""

    def contents(self) -> list[bytes | None]:
        return [None]


class Recorder:
    """A real disk that keeps the model beside it, and every state that a cut could leave so far.

    Args:
        root: of the vault, to tell what a descriptor is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.real = RealDisk()
        self.names: dict[Name, list[File | None]] = {}
        self.files: dict[tuple[int, int], File] = {}
        self.moments: list[tuple[str, list[State]]] = []

    def states(self) -> Iterator[tuple[str, State]]:
        """Every state, with the last step before it."""
        for step, states in self.moments:
            for state in states:
                yield step, state

    def _folder(self, folder: int) -> str:
        return str(Path(f"/proc/self/fd/{folder}").readlink().relative_to(self.root))

    def _history(self, name: Name) -> list[File | None]:
        return self.names.setdefault(name, [None])

    def _record(self, step: str) -> None:
        names = list(self.names)
        states = []
        for choice in product(*(dict.fromkeys(self.names[name]) for name in names)):
            chosen = dict(zip(names, choice, strict=True))
            there = [(name, file) for name, file in chosen.items() if file and self._is_reached(name, chosen)]
            states.extend(
                {name: data for (name, _), data in zip(there, contents, strict=True)}
                for contents in product(*(file.contents() for _, file in there))
            )
        self.moments.append((step, states))

    def _is_reached(self, name: Name, chosen: dict[Name, File | None]) -> bool:
        above, _, last = name[0].rpartition("/")
        return chosen.get((above, last), self) is not None

    def make_folder(self, folder: int, name: str) -> int:
        made = self.real.make_folder(folder, name)
        history = self._history((self._folder(folder), name))
        if history[-1] is None:
            history.append(Folder())
            self._record(f"make folder {name}")
        return made

    def remove_folder(self, folder: int, name: str) -> None:
        self.real.remove_folder(folder, name)
        self._history((self._folder(folder), name)).append(None)
        self._record(f"remove folder {name}")

    def reopen(self, folder: int, name: str) -> int:
        return self.real.reopen(folder, name)

    def create(self, folder: int, name: str) -> int:
        made = self.real.create(folder, name)
        file = self.files[_identity(made)] = File()
        self._history((self._folder(folder), name)).append(file)
        self._record(f"create {name}")
        return made

    def write(self, file: int, pieces: Sequence[bytes]) -> None:
        self.real.write(file, pieces)
        model = self.files[_identity(file)]
        for piece in pieces:
            if piece:
                torn = model.now + piece[: len(piece) // 2]
                model.now += piece
                model.since += [torn, torn + bytes(len(piece) - len(piece) // 2), model.now]
        self._record("write")

    def overwrite(self, folder: int, name: str) -> None:
        self.real.overwrite(folder, name)
        model = self._history((self._folder(folder), name))[-1]
        assert model is not None
        half = len(model.now) // 2
        torn = bytes(half) + model.now[half:]
        model.now = bytes(len(model.now))
        model.since += [torn, model.now]
        self._record(f"overwrite {name}")
        model.sure, model.since = model.now, []
        self._record(f"overwrite {name}, synced")

    def sync_file(self, file: int) -> None:
        self.real.sync_file(file)
        model = self.files[_identity(file)]
        model.sure, model.since = model.now, []
        self._record("sync file")

    def sync_folder(self, folder: int) -> None:
        self.real.sync_folder(folder)
        place = self._folder(folder)
        for name, history in self.names.items():
            if name[0] == place:
                del history[:-1]
        self._record(f"sync {place}")

    def rename(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        self.real.rename(folder, name, to_folder, to_name)
        self._moved(folder, name, to_folder, to_name)

    def _moved(self, folder: int, name: str, to_folder: int, to_name: str) -> None:
        here = self._history((self._folder(folder), name))
        self._history((self._folder(to_folder), to_name)).append(here[-1])
        here.append(None)
        self._record(f"rename to {to_name}")

    def unlink(self, folder: int, name: str) -> None:
        self.real.unlink(folder, name)
        self._history((self._folder(folder), name)).append(None)
        self._record(f"unlink {name}")


def _identity(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_dev, found.st_ino


def lay_out(root: Path, state: State, before: State) -> None:
    """Make a vault's files those of a state.

    Args:
        root: of the vault.
        state: what shall lie there.
        before: the state that was laid out last; what became of its files does not matter.
    """
    places = {"incoming", "quarantine", *(folder for folder, _ in before)}
    for place in places:
        for path in list((root / place).iterdir()) if (root / place).exists() else []:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    for (folder, name), data in sorted(state.items()):
        if data is None:
            (root / folder / name).mkdir(0o700)
    for (folder, name), data in state.items():
        if data is not None:
            (root / folder / name).write_bytes(data)
