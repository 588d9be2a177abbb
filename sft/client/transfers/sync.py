"""One folder made like another, one of them here and one on the server: what that takes, settled before the first byte moves.

Rules. What is listed and walked decides; no file is asked for by itself. The target becomes like the source: what differs there
is replaced, as the version or the file that was seen, and what is more there is deleted if that is wanted, what stands in the
way of others before them. A source of which not everything was seen, or can go, has nothing deleted. A file that has another
name at the other side is another file. All of it is held in memory: some 2 KiB a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

from sft.client.api.files import Listing, make_folder
from sft.client.api.tree import walk
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.session import Session
from sft.client.transfers.compare import NO_SURPLUS, Comparison, Pair, Surplus, compare, lies_in, surplus
from sft.client.transfers.destination import Destination
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.exclude import NOTHING_EXCLUDED, Excludes
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.local_tree import LocalTree, Refused, Skipped, walk_local
from sft.client.transfers.obstacles import Obstacle, TakenNames, fold_path
from sft.client.transfers.plan import GetItem, PutItem, VersionSeen
from sft.crypto.digests import digest_text
from sft.errors import FolderInTheWayError, LocalExistsError, NameClashError, NotFoundError, SftError
from sft.model.names import join_path, local_name, parse_path
from sft.model.records import File

_READ_AT_ONCE: Final = 2

Item = TypeVar("Item")
OnReading = Callable[[int, int], object]
"""Told how many files, and bytes, are read here to compare them."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How two folders are compared.

    Args:
        read_all: files of one size are compared by content, whatever their dates.
        update: what is newer at the target is left alone.
        delete: look for what the target has too much.
    """

    excludes: Excludes = NOTHING_EXCLUDED
    read_all: bool = False
    update: bool = False
    delete: bool = False


@dataclass(slots=True)
class SyncPlan(Generic[Item]):
    """What it takes.

    Args:
        fresh: files that the target has not.
        replaced: files that differ there.
        folders: that hold nothing, to be made at the target; paths on the server, or below the folder here.
        surplus: what the target has too much; paths below the folder.
        first: so much of it stands in the way of what is to come.
        after: the last so many of ``fresh`` come into its place.
        source_files: how many the source holds.
        newer: left alone, for it is newer at the target.
        target_exists: the server's folder is there.
        local, there: each side's files, by path below the folder.
    """

    base: str
    top: Path
    local: dict[str, LocalFile]
    there: dict[str, File]
    source_files: int
    fresh: list[Item] = field(default_factory=list)
    replaced: list[Item] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    surplus: Surplus = NO_SURPLUS
    first: Surplus = NO_SURPLUS
    after: int = 0
    same: int = 0
    newer: int = 0
    target_exists: bool = True
    skipped: list[Skipped] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    excluded: int = 0


async def plan_up(
    session: Session, top: Path, base: str, options: SyncOptions, reading: OnReading = lambda *_: None
) -> SyncPlan[PutItem]:
    """Plan to make a folder of the server like one of this computer; the server's may be missing.

    Raises:
        RequestError, ConnectionLostError, ListingTooLongError: the server's folder cannot be listed.
    """
    there, seen = await _both(session, base, top, options, may_be_missing=False)
    plan: SyncPlan[PutItem] = SyncPlan(base, top, seen.files, there.files, len(seen.files))
    plan.skipped, plan.excluded = seen.tree.skipped, seen.tree.excluded
    plan.target_exists = there.exists
    plan.refused += seen.tree.refused
    comparison = compare(seen.tree.files, there.files, seen.digests, read_all=options.read_all)
    found = await _settled(session, plan, comparison, seen.digests, reading)
    places = TakenNames(there.files, there.folders, fold_path)
    placement = _Placement(plan, places, lambda obstacle: _in_the_way_there(obstacle, base))
    for file in found.only_local:
        try:
            item = _to_put(file, parse_path(join_path(base, file.path)))
            placement.go(file.path, file.source, partial(plan.fresh.append, item))
        except SftError as error:
            plan.refused.append(Refused(file.source, error))
    for pair in found.differing:
        if options.update and pair.remote_is_newer:
            plan.newer += 1
        else:
            plan.replaced.append(_to_put(pair.local, pair.remote.path, pair.remote))
    for path in seen.tree.empty:
        if path not in there.folders and (path or not there.exists):
            try:
                go = partial(plan.folders.append, parse_path(join_path(base, path) if path else base))
                placement.go(path, str(top / path), go, is_folder=True)
            except SftError as error:
                plan.refused.append(Refused(str(top / path), error))
    if options.delete:
        plan.surplus = surplus(
            files=there.files, folders=there.folders, source_files=seen.files, source_folders=seen.tree.folders,
            excludes=options.excludes, kept=[each.path for each in seen.tree.skipped],
        )  # fmt: skip
    placement.clear()
    return plan


async def plan_down(
    session: Session, base: str, top: Path, options: SyncOptions, reading: OnReading = lambda *_: None
) -> SyncPlan[GetItem]:
    """Plan to make a folder of this computer like one of the server; this computer's may be missing.

    Raises:
        NotFoundError: the server has no such folder.
        RequestError, ConnectionLostError, ListingTooLongError: it cannot be listed.
    """
    there, seen = await _both(session, base, top, options, may_be_missing=True)
    if not there.exists:
        raise NotFoundError(what="folder", name=base)
    wanted = {path: file for path, file in there.files.items() if not options.excludes.cover(path)}
    plan: SyncPlan[GetItem] = SyncPlan(base, top, seen.files, there.files, len(wanted))
    plan.excluded = len(there.files) - len(wanted)
    plan.refused += seen.tree.refused
    comparison = compare(seen.tree.files, wanted, seen.digests, read_all=options.read_all)
    found = await _settled(session, plan, comparison, seen.digests, reading)
    in_the_way = {each.path for each in seen.tree.skipped}
    places = TakenNames(seen.files, seen.tree.folders, str)
    placement = _Placement(plan, places, lambda obstacle: LocalExistsError(path=str(top / obstacle.path)))
    for file in found.only_remote:
        below = _below(file.path, base)
        try:
            if lies_in(below, in_the_way):
                raise LocalExistsError(path=str(top / below))
            placement.go(below, file.path, partial(plan.fresh.append, _to_get(file, below)))
        except SftError as error:
            plan.refused.append(Refused(file.path, error))
    for pair in found.differing:
        if options.update and pair.local_is_newer:
            plan.newer += 1
        else:
            plan.replaced.append(_to_get(pair.remote, pair.local.path, pair.local))
    here = {"", *seen.tree.folders}
    for path in there.empty:
        if path not in here and not options.excludes.cover(path, folder=True) and not lies_in(path, in_the_way):
            placement.go(path, join_path(base, path), partial(plan.folders.append, path), is_folder=True)
    if options.delete:
        # What no download could be named is not ours.
        foreign = [path for path in [*seen.files, *seen.tree.folders] if not _is_local_name(path)]
        plan.skipped = seen.tree.skipped
        plan.surplus = surplus(
            files=seen.files, folders=seen.tree.folders, source_files=there.files, source_folders=there.folders,
            excludes=options.excludes, kept=[*in_the_way, *foreign, *seen.tree.left],
        )  # fmt: skip
    placement.clear()
    return plan


class _Placement(Generic[Item]):
    """Has a plan hold what finds its place at the target; and of the rest what will, once a surplus is gone from there.

    Args:
        error_of: says what stands in the way.
    """

    def __init__(self, plan: SyncPlan[Item], places: TakenNames, error_of: Callable[[Obstacle], SftError]) -> None:
        self._plan = plan
        self._places = places
        self._error_of = error_of
        self._blocked: list[tuple[Obstacle, str, Callable[[], None]]] = []

    def go(self, path: str, name: str, act: Callable[[], None], *, is_folder: bool = False) -> None:
        """Have the plan hold something, or see later whether it can.

        Args:
            path: below the folder.
            name: by which it is refused.
            act: puts it into the plan.
        """
        obstacle = self._places.take(path, is_folder=is_folder) if path else None
        if obstacle is None:
            act()
        else:
            self._blocked.append((obstacle, name, act))

    def clear(self) -> None:
        """Settle what of the surplus goes before anything moves, and refuse what still has something in its way."""
        plan = self._plan
        surplus_there = {*plan.surplus.files, *plan.surplus.folders}
        cleared = [each for each in self._blocked if each[0].path in surplus_there]
        self._refuse([each for each in self._blocked if each[0].path not in surplus_there])
        if plan.refused:
            self._refuse(cleared)
            return
        before = len(plan.fresh)
        for _, _, act in cleared:
            act()
        plan.after = len(plan.fresh) - before
        plan.first = plan.surplus.at({obstacle.path for obstacle, _, _ in cleared})

    def _refuse(self, blocked: Sequence[tuple[Obstacle, str, Callable[[], None]]]) -> None:
        self._plan.refused += [Refused(name, self._error_of(obstacle)) for obstacle, name, _ in blocked]


def _in_the_way_there(obstacle: Obstacle, base: str) -> SftError:
    path = join_path(base, obstacle.path)
    if obstacle.is_clash:
        return NameClashError(name=join_path(base, obstacle.wanted), existing=path)
    return FolderInTheWayError(path=path, what="folder" if obstacle.is_folder else "file")


@dataclass(frozen=True, slots=True)
class _There:
    """The server's folder, by path below it."""

    files: dict[str, File]
    folders: set[str]
    empty: list[str]
    exists: bool

    @classmethod
    def of(cls, listing: Listing | None, base: str) -> _There:
        found = listing or Listing()
        start = len(base) + 1 if base else 0
        return cls(
            {file.path[start:]: file for file in found.files},
            {folder.path[start:] for folder in found.folders},
            [folder.path[start:] for folder in found.folders if not folder.files and not folder.folders],
            listing is not None,
        )


@dataclass(frozen=True, slots=True)
class _Local:
    tree: LocalTree
    files: dict[str, LocalFile]
    digests: DigestCache

    @classmethod
    def look(cls, session: Session, top: Path, excludes: Excludes, *, may_be_missing: bool) -> _Local:
        tree = LocalTree() if may_be_missing and not top.exists() else walk_local(top, excludes, session.state.data)
        return cls(tree, {file.path: file for file in tree.files}, DigestCache(session.state, session.clock))


async def _both(
    session: Session, base: str, top: Path, options: SyncOptions, *, may_be_missing: bool
) -> tuple[_There, _Local]:
    """Look at both folders, at once."""
    looking = session.pool.run(_Local.look, session, top, options.excludes, may_be_missing=may_be_missing)
    try:
        listing = await walk(session, base)
    except NotFoundError:
        listing = None
    except BaseException:
        looking.addErrback(lambda _: None)
        raise
    return _There.of(listing, base), await finish_even_if_cancelled(looking)


async def _settled(
    session: Session, plan: SyncPlan[Item], found: Comparison, digests: DigestCache, reading: OnReading
) -> Comparison:
    """Read what is doubtful."""
    plan.same = found.same
    if not found.doubtful:
        return found
    reading(len(found.doubtful), sum(pair.local.size for pair in found.doubtful))

    async def settle(pair: Pair) -> None:
        try:
            digest = await finish_even_if_cancelled(session.pool.run(digests.read, pair.local))
        except SftError as error:
            plan.refused.append(Refused(pair.local.source, error))
            return
        if digest == pair.remote.version.digest:
            plan.same += 1
        else:
            found.differing.append(pair)

    await gather_limited(_READ_AT_ONCE, found.doubtful, settle)
    await session.pool.run(digests.save)
    found.differing.sort(key=lambda pair: pair.local.path)
    return found


async def make_there(session: Session, plan: SyncPlan[PutItem]) -> None:
    """Make the folders that hold nothing; what cannot be made stands in ``refused`` then."""
    for path in plan.folders:
        try:
            await make_folder(session, path)
        except SftError as error:
            plan.refused.append(Refused(path, error))


def make_here(plan: SyncPlan[GetItem]) -> None:
    """Make the folder, and those below it that hold nothing (blocks); what cannot be made stands in ``refused`` then.

    Raises:
        LocalFileError: the folder itself cannot be made.
    """
    destination = Destination(plan.top)
    try:
        for path in plan.folders:
            try:
                destination.make(path.split("/"))
            except SftError as error:
                plan.refused.append(Refused(path, error))
    finally:
        destination.close()


def _to_put(file: LocalFile, path: str, there: File | None = None) -> PutItem:
    seen = None if there is None else VersionSeen(path, there.version.number, digest_text(there.version.digest))
    return PutItem(Path(file.source), path, file.size, follow=False, identity=file.identity, replaces=seen)


def _to_get(file: File, below: str, here: LocalFile | None = None) -> GetItem:
    version = file.version
    return GetItem(
        file.path, tuple(local_name(part) for part in below.split("/")), version.size, version.number, version.digest,
        file.id, author=version.author, dated_at=version.dated_at, listed=file, replaces=here,
    )  # fmt: skip


def _below(path: str, base: str) -> str:
    return path[len(base) + 1 :] if base else path


def _is_local_name(path: str) -> bool:
    try:
        return all(local_name(part) == part for part in path.split("/"))
    except SftError:
        return False
