"""A folder of this computer that is watched: what appears or changes is sent to one of the server, once it is still.

Rules. The folder is looked at again and again, whole: that works on every file system, and misses nothing that stays. A file is
still when its size, date and inode have been the same for so many seconds. What the server has already is found by comparing,
as a sync does, at the start and after every new connection. A version that somebody else stored meanwhile is not replaced; what
was refused is tried again when it changes, or over a new connection. Nothing is ever deleted. A look costs some 10 µs a file,
and what is known of it 1 KiB.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sft.client.api.people import show_self
from sft.client.coming_back import was_cut_off
from sft.client.concurrency import finish_even_if_cancelled
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, put_all
from sft.client.transfers.exclude import NOTHING_EXCLUDED, Excludes
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.local_tree import LocalTree, walk_local
from sft.client.transfers.plan import PutItem, VersionSeen
from sft.client.transfers.sync import OnReading, SyncOptions, plan_up
from sft.crypto.digests import digest_text
from sft.errors import ConnectionLostError, LocalDiskFullError, LocalFileError, SftError, SourceChangedError
from sft.model.names import join_path, parse_path

_SENT_AT_ONCE: Final = 1_000  # results of so many are held
_ASKED_SECONDS: Final = 300.0  # a quiet session is asked for: its server ends one after 15 idle minutes

_State = tuple[tuple[int, int], int, int]


class Settling:
    """Which files are still, and have not been dealt with as they are.

    Args:
        seconds: how long they stay the same.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._seen: dict[str, tuple[_State, float]] = {}
        self._done: dict[str, _State | LocalFile] = {}  # what failed, with its ctime: a chmod may mend it

    def look(self, now: float, files: Iterable[LocalFile]) -> list[LocalFile]:
        """Take what a walk saw; return what is still and not done. What is not there any more is forgotten."""
        before, self._seen = self._seen, {}
        done, self._done = self._done, {}
        ready = []
        for file in files:
            state = _state(file)
            known = before.get(file.path)
            if known is None or known[0] != state:
                known = state, now
            self._seen[file.path] = known
            if (dealt_with := done.get(file.path)) in (state, file):
                self._done[file.path] = dealt_with
            elif now - known[1] >= self._seconds:
                ready.append(file)
        return ready

    def done(self, file: LocalFile) -> None:
        """Note that a file was dealt with as it was seen."""
        self._done[file.path] = _state(file)

    def failed(self, file: LocalFile) -> None:
        """Note that a file could not be dealt with as it was seen, its rights included."""
        self._done[file.path] = file

    def begin_again(self, done: Iterable[LocalFile]) -> None:
        """Forget what was dealt with, but for these."""
        self._done = {file.path: _state(file) for file in done}


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How a folder is watched.

    Args:
        settle_seconds: how long a file stays the same before it is sent.
        interval_seconds: between two looks.
        jobs: how many files at once; as suits them, unless told.
    """

    settle_seconds: float
    interval_seconds: float
    excludes: Excludes = NOTHING_EXCLUDED
    jobs: int | None = None


class FolderWatch:
    """One folder, over one connection after another.

    Args:
        base: the server's folder.
        sent: told what became of each file.
        odd: told a name and why what has it cannot be sent, once each.
        now: monotonic seconds.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        top: Path,
        base: str,
        options: WatchOptions,
        *,
        sent: Callable[[PutResult], object],
        odd: Callable[[str, SftError | str], object],
        now: Callable[[], float],
        pause: Callable[[float], Awaitable[object]],
    ) -> None:
        self._top = top
        self._base = base
        self._options = options
        self._sent = sent
        self._odd = odd
        self._now = now
        self._pause = pause
        self._settling = Settling(options.settle_seconds)
        self._there: dict[str, VersionSeen] = {}
        self._told: set[tuple[str, str]] = set()
        self._asked_at = 0.0

    async def over(self, session: Session, reading: OnReading = lambda *_: None) -> None:
        """Send what appears, until the connection ends or this is cancelled.

        Raises:
            ConnectionLostError: what was not sent by then is, over the next one.
            RequestError: the server's folder cannot be listed.
        """
        await self._compare(session, reading)
        while True:
            walk = session.pool.run(walk_local, self._top, self._options.excludes, session.state.data)
            tree = await finish_even_if_cancelled(walk)
            self._tell(tree)
            ready = self._settling.look(self._now(), tree.files)
            for start in range(0, len(ready), _SENT_AT_ONCE):
                await self._send(session, ready[start : start + _SENT_AT_ONCE])
            await self._stay(session)
            await self._pause(self._options.interval_seconds)

    async def _compare(self, session: Session, reading: OnReading) -> None:
        """Find what the server has already."""
        plan = await plan_up(session, self._top, self._base, SyncOptions(self._options.excludes), reading)
        missing = {str(item.source) for item in [*plan.fresh, *plan.replaced]}
        unread = {refused.name for refused in plan.refused}
        self._settling.begin_again(f for f in plan.local.values() if f.source not in missing and f.source not in unread)
        self._there = {
            path: _seen(file.path, file.version.number, file.version.digest) for path, file in plan.there.items()
        }
        self._asked_at = self._now()

    async def _send(self, session: Session, files: Sequence[LocalFile]) -> None:
        items, by_path = [], {}
        for file in files:
            try:
                path = parse_path(join_path(self._base, file.path))
            except SftError as error:
                self._settling.done(file)
                self._tell_once(file.source, error)
                continue
            by_path[path] = file
            there = self._there.get(file.path)
            items.append(
                PutItem(Path(file.source), path, file.size, follow=False, identity=file.identity, replaces=there)
            )
        results = await put_all(session, items, jobs=self._options.jobs)
        self._asked_at = self._now()
        lost: SftError | None = None
        for result in results:
            file = by_path[result.item.path]
            if result.stored is not None:
                self._settling.done(file)
                self._there[file.path] = _seen(result.item.path, result.stored.version, result.stored.digest)
            elif was_cut_off(result.error):
                lost = result.error
                continue
            elif isinstance(result.error, SourceChangedError):
                continue  # it is not still after all
            else:
                self._settling.failed(file)
            self._sent(result)
        with suppress(LocalDiskFullError, LocalFileError):
            await session.keep_head()  # a watch goes on for weeks, and may end by a lost power
        if lost is not None:
            raise lost

    async def _stay(self, session: Session) -> None:
        """Notice that a connection is gone, and keep a quiet one."""
        if not session.alive:
            raise session.connection.lost or ConnectionLostError()
        if self._now() - self._asked_at >= _ASKED_SECONDS:
            self._asked_at = self._now()
            await show_self(session)

    def _tell(self, tree: LocalTree) -> None:
        for skipped in tree.skipped:
            self._tell_once(skipped.name, f"is a {skipped.what}")
        for refused in tree.refused:
            self._tell_once(refused.name, refused.error)

    def _tell_once(self, name: str, why: SftError | str) -> None:
        told = name, why if isinstance(why, str) else why.code
        if told not in self._told:
            self._told.add(told)
            self._odd(name, why)


def _state(file: LocalFile) -> _State:
    return file.identity, file.size, file.modified_ns


def _seen(path: str, version: int, digest: bytes) -> VersionSeen:
    return VersionSeen(path, version, digest_text(digest))
