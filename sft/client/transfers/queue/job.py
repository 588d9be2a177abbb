"""One transfer as a person ordered it: what, where to, how far, and what stands in its way.

Rules. A job is kept on disk, so it is plain values: what a person named, never a plan, for files change between two
runs. What went wrong is kept as code and values of its error, and becomes words when it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from sft.client.transfers.plan import VersionSeen
from sft.errors import LocalExistsError, RequestError, SftError, UnknownRefusalError
from sft.errors import client as client_errors


class Direction(StrEnum):
    """Which way it goes."""

    PUT = "put"
    GET = "get"
    VERIFY = "verify"  # read and judged, not kept


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    NEEDS_YOU = "needs you"
    FAILED = "failed"
    DONE = "done"

    @property
    def unfinished(self) -> bool:
        """Whether it goes on by itself, or would if it were let."""
        return self in {JobState.WAITING, JobState.RUNNING, JobState.PAUSED}


class Decision(StrEnum):
    """What a person decides where a name is taken."""

    SKIP = "skip"
    REPLACE = "replace"  # the one that is there becomes the version before
    BESIDE = "beside"  # both are kept
    SAFE_NAME = "safe name"  # a:b.txt is stored as a_b.txt


class Failure(Struct, frozen=True):
    """One item that did not work.

    Args:
        name: what the person would call it: a path here or on the server.
        path: on the server; empty for what has none.
        values: of the error, for its words.
        whole: it broke off the run, and is about all of it.
    """

    name: str
    path: str
    code: str
    values: dict[str, str | int]
    ref: str = ""
    whole: bool = False

    @staticmethod
    def of(name: str, path: str, error: SftError, *, whole: bool = False) -> Failure:
        """Return an error as plain values."""
        code = str(error.values["code"]) if isinstance(error, UnknownRefusalError) else error.code
        return Failure(name, path, code, dict(error.values), error.ref, whole)

    @property
    def error(self) -> SftError:
        kind = _CLIENT_ERRORS.get(self.code)
        if kind is not None and kind.names_of_values() <= self.values.keys():
            return kind("", ref=self.ref, **self.values)
        return RequestError.from_wire(self.code, self.values, self.ref)

    @property
    def is_conflict(self) -> bool:
        """Whether a person can decide it: something has the name already."""
        return self.code in {"EXISTS", "CHANGED_SINCE", "NAME_CLASH", LocalExistsError.code}

    @property
    def is_connection(self) -> bool:
        """Whether the connection was to blame: the job is then tried again by itself."""
        return self.code in {"CONNECTION_LOST", "TAMPERED", "UNREACHABLE", "INTERRUPTED"}

    @property
    def seen(self) -> VersionSeen:
        """The version that is in the way, as the refusal named it."""
        version, digest = self.values.get("version"), self.values.get("digest")
        number = version if isinstance(version, int) else 0
        return VersionSeen(self.place, number, digest if isinstance(digest, str) else "")

    @property
    def place(self) -> str:
        """Where it would go: what ``Job.only`` and the other lists of paths name."""
        return self.path or self.name


class Moved(Struct, frozen=True):
    """A file that has another name than the signed one."""

    path: str
    signed_as: str


class Taken(Struct, frozen=True):
    """A version that this computer stored or got: what is made of the file later is made from it.

    Args:
        changed_ns: ctime of a file right after it was got: as long as it has that one, it holds that version. 0 for others.
    """

    local: str
    path: str
    version: int
    changed_ns: int = 0


_MOST_MOVED: Final = 1000  # that are named; a list of more is read by nobody
_MOST_TAKEN: Final = 1000


class Job(Struct):
    """One line of the queue.

    Args:
        account: whose connection it needs.
        names: what the person named: paths here for a put, paths on the server else.
        to: folder on the server for a put, folder here for a get.
        version: of a single file to get; 0 is the newest.
        expires_seconds: so long after it was stored each file goes to the trash by itself; 0 is never.
        replace: versions that are replaced: what was in the way when it was decided, and nothing newer.
        beside: names that are kept beside what is there.
        only: if not empty, these paths alone are still to be moved.
        said: what became of it, in harmless words.
        mark: drawn when it was ordered: whether two are the same one.
        taken: what was stored or got, the last thousand.
        moved: files that were got and have another name than the signed one, the first thousand of ``moved_files``.
    """

    id: int
    account: str
    direction: Direction
    names: tuple[str, ...]
    to: str = ""
    title: str = ""
    version: int = 0
    state: JobState = JobState.WAITING
    files: int = 0
    done_files: int = 0
    total_bytes: int = 0
    done_bytes: int = 0
    replace: tuple[VersionSeen, ...] = ()
    beside: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    said: str = ""
    added_at: int = 0
    ended_at: int = 0
    stage: str = ""
    skipped: tuple[str, ...] = ()
    safe_names: bool = False
    mark: str = ""
    moved: tuple[Moved, ...] = ()
    moved_files: int = 0
    taken: tuple[Taken, ...] = ()
    expires_seconds: int = 0

    def take(self, taken: Sequence[Taken]) -> None:
        """Note what this computer has now."""
        self.taken = (*self.taken, *taken)[-_MOST_TAKEN:]

    def take_moved(self, moved: Moved) -> None:
        self.moved_files += 1
        if len(self.moved) < _MOST_MOVED:
            self.moved += (moved,)

    @property
    def is_folder(self) -> bool:
        return self.files > 1

    @property
    def percent(self) -> int:
        """Hundredths of all bytes that have moved."""
        if self.total_bytes:
            return min(100 * self.done_bytes // self.total_bytes, 100)
        return 100 * self.done_files // self.files if self.files else 0

    def resolve(self, decisions: Mapping[str, Decision]) -> bool:
        """Take decisions on what is in the way, by the name of each failure; return whether any is to be tried again."""
        # Many at once: each list is put together once, not anew for each of them.
        places: dict[Decision, list[str]] = {decision: [] for decision in Decision}
        replaced: dict[str, VersionSeen] = {}
        for failure in self.failures:
            if failure.name in decisions:
                places[decisions[failure.name]].append(failure.place)
                if decisions[failure.name] is Decision.REPLACE:
                    replaced[failure.place] = failure.seen
        skipped = places.pop(Decision.SKIP)
        again = [place for each in places.values() for place in each]
        self.skipped += tuple(skipped)
        self.replace = (*(seen for seen in self.replace if seen.path not in replaced), *replaced.values())
        self.beside += tuple(places[Decision.BESIDE])
        self.safe_names = self.safe_names or bool(places[Decision.SAFE_NAME])
        self.failures = tuple(t for t in self.failures if t.name not in decisions)
        if again:
            # With safe names the items have other paths than their failures said.
            self.only = () if self.safe_names else tuple(again)
        return bool(again)


_CLIENT_ERRORS: dict[str, type[SftError]] = {
    kind.code: kind
    for kind in vars(client_errors).values()
    if isinstance(kind, type) and issubclass(kind, SftError) and "code" in vars(kind)
}
