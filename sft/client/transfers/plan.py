"""What is to be sent or fetched, settled before the first byte moves: everything odd is known and named by then.

Rules. A folder's walk follows no link, and holds on to what it walked: what is opened later is the file that it saw. Names are
checked here as the server will check them. What came from the server becomes a path of this computer through ``local_name``
alone. Two items never have one target, their signatures' included. ``plan_put`` blocks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from sft.client.api import Requester
from sft.client.api.files import Listing, show_file
from sft.client.api.tree import find, fixed_part, has_pattern, walk
from sft.client.concurrency import gather_limited
from sft.client.os_errors import describe_os_error
from sft.client.transfers.exclude import NOTHING_EXCLUDED, Excludes
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.local_tree import Refused, Skipped, walk_local
from sft.client.transfers.part_file import SIGNATURE_ENDING
from sft.errors import (
    LocalExistsError,
    LocalFileError,
    NameClashError,
    NotFoundError,
    SameTargetError,
    SftError,
    SourceNamelessError,
    TargetAmbiguousError,
)
from sft.model.names import fold, join_path, local_name, parse_component, parse_path, safe_name, split_path
from sft.model.records import File, Folder

_AT_ONCE: Final = 32


class VersionSeen(Struct, frozen=True):
    """The version that stood in the way when a person decided what becomes of it.

    Args:
        digest: as a refusal names it; empty where it named none.
    """

    path: str
    version: int
    digest: str = ""


class PutItem(Struct, frozen=True):
    """A file to send; ``source`` None is standard input.

    Args:
        follow: it was named by the person, so a link means what it leads to.
        identity: device and inode as the folder's walk has seen them: what it leads to later is another file.
        replaces: what a person decided to replace, and nothing else.
    """

    source: Path | None
    path: str
    size: int | None
    follow: bool = True
    identity: tuple[int, int] | None = None
    replaces: VersionSeen | None = None


class PutPlan(Struct):
    """Files to send, folders to make that hold none, and what stays behind."""

    items: list[PutItem] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    excluded: int = 0


class GetItem(Struct, frozen=True):
    """A file to fetch, and where below the destination it goes.

    Args:
        version: the one that was listed; 0 is the newest, when it is fetched.
        file_id: of the file that was listed; empty if none was.
        digest: of the content, as it was when it was planned.
        newest: it was listed as the newest version, and asked for as that.
        seen: the highest version that this computer had seen when its get began; None before that.
        author: as the server says; for a question alone.
        dated_at: likewise, Unix seconds.
        listed: the file as the server listed it, without its signature.
        replaces: the file here that it was compared with: it replaces no other.
    """

    path: str
    parts: tuple[str, ...]
    size: int
    version: int = 0
    digest: bytes = b""
    file_id: bytes = b""
    newest: bool = True
    seen: int | None = None
    author: str = ""
    dated_at: int = 0
    listed: File | None = None
    replaces: LocalFile | None = None


class GetPlan(Struct):
    """Files to fetch, folders to make that hold none, and what cannot be fetched."""

    items: list[GetItem] = field(default_factory=list)
    folders: list[tuple[str, ...]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    excluded: int = 0


# -- to the server ----------------------------------------------------------------------------------


def plan_put(
    sources: Sequence[str],
    *,
    to: str = "",
    as_path: str | None = None,
    safe_names: bool = False,
    excludes: Excludes = NOTHING_EXCLUDED,
    own: Path | None = None,
) -> PutPlan:
    """Plan what is sent where (blocks).

    Args:
        sources: files, folders, or ``-`` for standard input.
        to: folder on the server.
        as_path: whole path there, for one source.
        safe_names: what no computer could store gets the closest name that all can.
        excludes: what stays behind: of a folder that is named, and of what is named itself by its name.
        own: where sft keeps its state, which no folder brings along.

    Raises:
        TargetAmbiguousError: sources and destination contradict one another.
        SourceNamelessError: standard input without a path.
        NameNotAllowedError: the destination is no name.
    """
    if as_path is not None and (len(sources) != 1 or to):
        raise TargetAmbiguousError(path=as_path)
    if "-" in sources and as_path is None:
        raise SourceNamelessError
    walker = _Walker(safe_names=safe_names, excludes=excludes, own=own)
    folder = parse_path(to, root=True)
    for source in _each_once(sources):
        target = None if as_path is None else parse_path(as_path)
        walker.take(source, folder, target)
    return walker.plan


def _each_once(sources: Sequence[str]) -> list[str]:
    """Return what was named, each place once, however it was written."""
    places: dict[str, str] = {}
    for source in sources:
        folder, name = os.path.split(source.rstrip("/"))
        place = f"{os.path.realpath(folder)}/{name}" if name not in {"", ".", "..", "-"} else source
        places.setdefault(place, source)
    return [*places.values()]


class _Walker:
    """One walk over what a person named."""

    def __init__(self, *, safe_names: bool, excludes: Excludes, own: Path | None) -> None:
        self.plan = PutPlan()
        self._safe_names = safe_names
        self._excludes = excludes
        self._own = own
        self._taken: dict[str, tuple[str, str]] = {}  # by folded path: path and source

    def take(self, source: str, folder: str, target: str | None) -> None:
        if source == "-":
            self._add(None, target or "", None, shown="-")
            return
        path = Path(source)
        try:
            found = os.stat(source)  # noqa: PTH116 - an empty name is no name; as a Path it would be this folder
        except OSError as error:
            self.plan.refused.append(Refused(source, describe_os_error(error, source)))
            return
        if self._excludes.fits_name(path.name, folder=stat.S_ISDIR(found.st_mode)):
            self.plan.excluded += 1
            return
        try:
            where = target or join_path(folder, self._name(_own_name(path)))
        except SftError as error:
            self.plan.refused.append(Refused(source, error))
            return
        if stat.S_ISDIR(found.st_mode):
            self._folder(path, where)
        elif self._own is not None and path.resolve().is_relative_to(self._own.resolve() / "keys"):
            key = LocalFileError(
                path=source, problem="is your secret key", remedy="Nobody else needs it: name another file"
            )
            self.plan.refused.append(Refused(source, key))
        elif stat.S_ISREG(found.st_mode):
            self._add(path, where, found.st_size, shown=source)
        else:
            odd = LocalFileError(path=source, problem="is not a regular file", remedy="Send a pipe with -")
            self.plan.refused.append(Refused(source, odd))

    def _folder(self, top: Path, where: str) -> None:
        try:
            tree = walk_local(top, self._excludes, self._own)
        except SftError as error:
            self.plan.refused.append(Refused(str(top), error))
            return
        self.plan.skipped += tree.skipped
        self.plan.refused += tree.refused
        self.plan.excluded += tree.excluded
        below: dict[str, str | None] = {"": where}
        for folder in tree.folders:
            below[folder] = self._below(below, folder, str(top / folder))
        self.plan.folders += [path for folder in tree.empty if (path := below[folder]) is not None]
        for file in tree.files:
            path = self._below(below, file.path, file.source)
            if path is not None:
                self._add(Path(file.source), path, file.size, shown=file.source, identity=file.identity)

    def _below(self, known: dict[str, str | None], path: str, shown: str) -> str | None:
        """Name what lies in a folder of this computer; None where that has no name, or the folder above has none."""
        folder, _, name = path.rpartition("/")
        above = known[folder]
        if above is None:
            return None
        try:
            return join_path(above, self._name(name))
        except SftError as error:
            self.plan.refused.append(Refused(shown, error))
            return None

    def _name(self, name: str) -> str:
        return safe_name(name) if self._safe_names else parse_component(name)

    def _add(
        self, source: Path | None, path: str, size: int | None, *, shown: str, identity: tuple[int, int] | None = None
    ) -> None:
        key = "/".join(map(fold, parse_path(path).split("/")))
        if key in self._taken:
            there, first = self._taken[key]
            if there == path:
                self._refuse_both(path, first, shown)
            else:
                self.plan.refused.append(Refused(shown, NameClashError(name=path, existing=there)))
            return
        self._taken[key] = path, shown
        self.plan.items.append(PutItem(source, path, size, identity is None, identity))

    def _refuse_both(self, path: str, first: str, second: str) -> None:
        """Send neither of two that would be one file: whichever went would be a matter of their order."""
        error = SameTargetError(path=path, first=first, second=second)
        for number, item in enumerate(self.plan.items):
            if item.path == path:
                del self.plan.items[number]
                self.plan.refused.append(Refused(first, error))
                break
        self.plan.refused.append(Refused(second, error))


def _own_name(path: Path) -> str:
    """Name a source: ``.`` and ``..`` are called as the folder that they mean."""
    return path.name if path.name not in ("", "..") else path.resolve().name


# -- from the server ------------------------------------------------------------------------------------


async def plan_get(
    session: Requester,
    names: Sequence[str],
    *,
    version: int = 0,
    with_signature: bool = False,
    excludes: Excludes = NOTHING_EXCLUDED,
) -> GetPlan:
    """Plan what is fetched: files, whole folders, patterns.

    What is named that is not there, or has no name for this computer, stands in ``refused``.

    Args:
        version: of each file that is named itself; 0 is the newest.
        excludes: what stays behind: of a folder that is named, or above a pattern; and of what is named itself by its name.
    """
    plan = GetPlan()
    found = await gather_limited(_AT_ONCE, names, lambda name: _resolve(session, name, version))
    taken = _Targets(with_signature=with_signature)
    for name, found_one in zip(names, found, strict=True):
        if isinstance(found_one, SftError):
            plan.refused.append(Refused(name, found_one))
            continue
        for file in found_one.listing.files:
            if found_one.excludes(excludes, file.path):
                plan.excluded += 1
            else:
                _add_file(plan, file, found_one.above, taken, found_one.version)
        for folder in found_one.listing.folders:
            if found_one.excludes(excludes, folder.path, folder=True):
                plan.excluded += 1
            elif not folder.files and not folder.folders:
                try:
                    plan.folders.append(_local_parts(folder.path, found_one.above))
                except SftError as error:
                    plan.refused.append(Refused(folder.path, error))
    return plan


class _Resolved(Struct, frozen=True):
    """What a name stands for.

    Args:
        above: the folder of the server that becomes the destination.
        base: the folder that was named, or that a pattern begins at; None for a file.
        version: of that file.
    """

    above: str
    base: str | None
    listing: Listing
    version: int = 0

    def excludes(self, excludes: Excludes, path: str, *, folder: bool = False) -> bool:
        if self.base is None:
            return excludes.fits_name(split_path(path)[1], folder=folder)
        if path == self.base:
            return False
        return excludes.cover(path.removeprefix(f"{self.base}/") if self.base else path, folder=folder)


async def _resolve(session: Requester, name: str, version: int) -> _Resolved | SftError:
    try:
        if has_pattern(name):
            listing = await find(session, name.lstrip("/"))
            if not listing.files:
                raise _nothing(name)
            start = fixed_part(name.strip("/"))
            return _Resolved(start, start, Listing(files=listing.files))
        path = parse_path(name, root=True)
        if not path:
            return _Resolved("", "", await walk(session))
        above = split_path(path)[0]
        try:
            return _Resolved(above, None, Listing(files=[await show_file(session, path, version)]), version)
        except NotFoundError as error:
            missing = error
        try:
            listing = await walk(session, path)
        except NotFoundError:
            return missing
        if not listing.files and not listing.folders:
            listing.folders.append(Folder(path, 0, 0, 0))
        return _Resolved(above, path, listing)
    except SftError as error:
        return error


class _Targets:
    """Which names below the destination are some item's: also of its signature, and in any case, as some disks see it."""

    def __init__(self, *, with_signature: bool) -> None:
        self._endings = ("", SIGNATURE_ENDING) if with_signature else ("",)
        self._items: dict[tuple[str, ...], str] = {}

    def take(self, parts: tuple[str, ...], path: str) -> str | None:
        """Let an item have its names; return the path of the item that has one of them already."""
        *above, leaf = map(fold, parts)
        names = [(*above, leaf + ending) for ending in self._endings]
        for name in names:
            if name in self._items:
                return self._items[name]
        self._items.update(dict.fromkeys(names, path))
        return None


def _add_file(plan: GetPlan, file: File, above: str, taken: _Targets, version: int) -> None:
    try:
        parts = _local_parts(file.path, above)
    except SftError as error:
        plan.refused.append(Refused(file.path, error))
        return
    there = taken.take(parts, file.path)
    if there is not None:
        if there != file.path:
            plan.refused.append(Refused(file.path, LocalExistsError(path="/".join(parts))))
        return
    found = file.version
    plan.items.append(
        GetItem(
            file.path,
            parts,
            found.size,
            found.number,
            found.digest,
            file.id,
            newest=version == 0,
            author=found.author,
            dated_at=found.dated_at,
            listed=file,
        )
    )


def _local_parts(path: str, above: str) -> tuple[str, ...]:
    below = path.removeprefix(f"{above}/") if above else path
    return tuple(local_name(part) for part in below.split("/"))


def _nothing(pattern: str) -> NotFoundError:
    return NotFoundError(what="file like", name=pattern)
