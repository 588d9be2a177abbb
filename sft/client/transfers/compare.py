"""What differs between a folder here and one on the server, by what both say of their files. Pure.

Rules. Whether two files are the same is decided by ``same``; one date is one content, unless all are to be read. What is
excluded, or cannot be a file at the source, is nothing that the other side has too much.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sft.client.transfers.exclude import Excludes
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.same import same_content
from sft.model.records import File

_NS: Final = 10**9


class KnownDigests(Protocol):
    """What is known of files here without reading them."""

    def is_known_as(self, file: LocalFile, digest: bytes) -> bool | None:
        """Return whether a file has a digest; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A path that is a file on both sides."""

    local: LocalFile
    remote: File

    @property
    def local_is_newer(self) -> bool:
        return self.local.modified_ns // _NS > self.remote.version.dated_at

    @property
    def remote_is_newer(self) -> bool:
        return self.local.modified_ns // _NS < self.remote.version.dated_at


@dataclass(slots=True)
class Comparison:
    """What became of every path.

    Args:
        doubtful: of one size, and another date: to be read.
        same: how many are the same.
    """

    only_local: list[LocalFile] = field(default_factory=list)
    only_remote: list[File] = field(default_factory=list)
    differing: list[Pair] = field(default_factory=list)
    doubtful: list[Pair] = field(default_factory=list)
    same: int = 0


def compare(
    local: Sequence[LocalFile], remote: Mapping[str, File], known: KnownDigests, *, read_all: bool = False
) -> Comparison:
    """Compare the files of two folders.

    Args:
        remote: by path below the folder.
        read_all: what has one size is doubtful, whatever dates and known digests say.
    """
    result = Comparison()
    met: set[str] = set()
    for file in local:
        other = remote.get(file.path)
        if other is None:
            result.only_local.append(file)
            continue
        met.add(file.path)
        version = other.version
        is_known = None if read_all else known.is_known_as(file, version.digest)
        dated_at = None if read_all else file.modified_ns // _NS
        is_same = same_content(version, file.size, known=is_known, dated_at=dated_at)
        if is_same:
            result.same += 1
        else:
            (result.doubtful if is_same is None else result.differing).append(Pair(file, other))
    if len(met) != len(remote):
        result.only_remote = [file for path, file in remote.items() if path not in met]
    return result


@dataclass(frozen=True, slots=True)
class Surplus:
    """What a target has beyond its source.

    Args:
        folders: those that hold nothing else, the deepest first.
    """

    files: list[str]
    folders: list[str]

    def __len__(self) -> int:
        return len(self.files) + len(self.folders)

    def at(self, paths: Collection[str]) -> Surplus:
        """Return those that are one of these paths, or below one."""
        return Surplus(
            [path for path in self.files if lies_in(path, paths)],
            [path for path in self.folders if lies_in(path, paths)],
        )

    def without(self, other: Surplus) -> Surplus:
        files, folders = set(other.files), set(other.folders)
        return Surplus([p for p in self.files if p not in files], [p for p in self.folders if p not in folders])


NO_SURPLUS: Final = Surplus([], [])


def surplus(
    *,
    files: Iterable[str],
    folders: Iterable[str],
    source_files: Collection[str],
    source_folders: Collection[str],
    excludes: Excludes,
    kept: Collection[str] = (),
) -> Surplus:
    """Find what a target has too much.

    Args:
        files, folders: of the target.
        source_files, source_folders: of the source.
        kept: paths that are left as they are, with all below them, and the folders above.
    """
    source_files, source_folders, kept = set(source_files), set(source_folders), set(kept)
    needed: set[str] = set()
    for path in kept:
        _need(needed, path)
    extra: list[str] = []
    for path in files:
        if path in source_files or excludes.cover(path) or lies_in(path, kept):
            _need(needed, path)
        else:
            extra.append(path)
    candidates = []
    for path in folders:
        if path in source_folders or excludes.cover(path, folder=True) or lies_in(path, kept):
            _need(needed, path)
        else:
            candidates.append(path)
    empty = [path for path in candidates if path not in needed]
    return Surplus(sorted(extra), sorted(empty, key=lambda path: (-path.count("/"), path)))


def _need(needed: set[str], path: str) -> None:
    folder = path.rpartition("/")[0]
    while folder and folder not in needed:
        needed.add(folder)
        folder = folder.rpartition("/")[0]


def lies_in(path: str, kept: Collection[str]) -> bool:
    """Say whether a path is one of these, or below one."""
    while kept and path:
        if path in kept:
            return True
        path = path.rpartition("/")[0]
    return False
