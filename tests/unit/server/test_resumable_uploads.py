"""Who has an upload, one at a time; which of a person's kept ones go: the oldest, until the others are few and small enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from sft.limits import PARKED_SECONDS
from sft.model.quotas import Usage
from sft.server.resumable_uploads import ResumableUploads
from sft.service.open_uploads import GiveUp
from sft.service.upload import UnfinishedUpload, Upload
from sft.service.upload_life import Ending, UploadState


class Parts:
    """A server whose disk has what its uploads do not take."""

    def __init__(self, sizes: list[int], free_bytes: int) -> None:
        self.kept = [UnfinishedUpload(bytes([number]), size) for number, size in enumerate(sizes)]
        self.free_bytes = free_bytes
        self.pool = SimpleNamespace(run=lambda function, *args: succeed(function(*args)))
        self.storage = SimpleNamespace(vault=SimpleNamespace(free_bytes=lambda: self.free_bytes, remove=self.remove))

    def act(self, act: Any, item: Any) -> Deferred[Any]:
        del act
        return succeed(isinstance(item, GiveUp))

    def remove(self, object_id: bytes) -> None:
        (gone,) = [each for each in self.kept if each.object_id == object_id]
        self.kept.remove(gone)
        self.free_bytes += gone.stored_bytes


@pytest.mark.parametrize(
    ("sizes", "free_bytes", "most", "wanted_bytes", "left"),
    [
        ([10, 10, 10], 30, 3, 30, [0, 1, 2]),
        ([10, 10, 10], 30, 2, 0, [1, 2]),
        ([10, 10, 10], 30, 0, 0, []),
        ([10, 10, 10], 30, 3, 31, [1, 2]),
        ([10, 10, 10], 30, 3, 60, []),
        ([10, 10, 10], 30, 3, 61, [0, 1, 2]),
        ([10, 10, 10], 29, 3, 0, [1, 2]),
        ([10, 10, 90], 5, 3, 0, [2]),
        ([90], 5, 3, 0, [0]),
        ([90], 5, 3, 6, []),
        ([], 5, 0, 6, []),
    ],
)
def test_the_oldest_go_until_the_others_are_few_and_small_enough(
    sizes: list[int], free_bytes: int, most: int, wanted_bytes: int, left: list[int]
):
    parts: Any = Parts(sizes, free_bytes)
    uploads = ResumableUploads(parts)
    done = Deferred.fromCoroutine(uploads.limit(tuple(parts.kept), most=most, wanted_bytes=wanted_bytes))
    failed: list[Any] = []
    done.addErrback(failed.append)
    assert not failed
    assert [each.object_id[0] for each in parts.kept] == left


@pytest.mark.parametrize(
    ("shortage", "left"),
    [
        (Usage(), [0, 1, 2]),
        (Usage(0, 1), [1, 2]),
        (Usage(0, 11), [2]),
        (Usage(2, 0), [2]),
        (Usage(1, 11), [2]),
        (Usage(0, 31), [0, 1, 2]),  # all of them together would not make it
        (Usage(4, 1), [0, 1, 2]),
    ],
)
def test_the_oldest_go_where_a_quota_is_short_of_what_is_reserved_for_them(shortage: Usage, left: list[int]):
    parts: Any = Parts([10, 10, 10], 1000)
    kept = [replace(each, reserved=Usage(1, 10)) for each in parts.kept]
    Deferred.fromCoroutine(ResumableUploads(parts).limit(kept, shortage=shortage)).addErrback(pytest.fail)
    assert [each.object_id[0] for each in parts.kept] == left


def test_what_a_connection_has_is_not_kept_and_stays():
    parts: Any = Parts([10, 10, 10], 30)
    uploads = ResumableUploads(parts)
    holder: Any = SimpleNamespace(object_id=bytes([1]))
    Deferred.fromCoroutine(uploads.hold((2, b"name"), holder))
    Deferred.fromCoroutine(uploads.limit(tuple(parts.kept), most=0))
    assert [each.object_id[0] for each in parts.kept] == [1]


# -- who has an upload -------------------------------------------------------------------------------------------

NAME = (2, b"name")


class Resting:
    """A parked upload, of which some segments are finished."""

    object_id = bytes([1])
    state = UploadState.PARKED
    has_row = True

    def end(self, ending: Ending) -> None:
        assert ending is Ending.ENDED
        self.state = UploadState.KEPT


class Slow:
    """A server whose pool and writer do what they are asked for one by one, when they are told to."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.stopping = False
        self.asked: list[tuple[str, Deferred[Any]]] = []
        self.failed: list[str] = []
        self.removed: list[bytes] = []
        self.pool = SimpleNamespace(run=self._run)
        self.storage = SimpleNamespace(vault=SimpleNamespace(free_bytes=self._free_bytes, remove=self._remove))
        self.event_log = SimpleNamespace(failed=lambda _, event: self.failed.append(event))

    def _run(self, function: Any, *args: Any) -> Deferred[Any]:
        return self._ask(function.__name__).addCallback(lambda _: function(*args))

    def act(self, act: Any, item: Any) -> Deferred[Any]:
        return self._ask(act.__name__).addCallback(lambda _: isinstance(item, GiveUp))

    def read(self, query: Any, *_: Any, **__: Any) -> Deferred[Any]:
        return self._ask(query.__name__).addCallback(lambda _: [])

    def _ask(self, what: str) -> Deferred[Any]:
        self.asked.append((what, Deferred()))
        return self.asked[-1][1]

    def _free_bytes(self) -> int:
        return 100

    def _remove(self, object_id: bytes) -> None:
        self.removed.append(object_id)

    @property
    def waits_for(self) -> list[str]:
        return [what for what, _ in self.asked]

    def do(self, what: str, error: Exception | None = None) -> None:
        (asked, done), *self.asked = self.asked
        assert asked == what
        if error is None:
            done.callback(None)
        else:
            done.errback(error)


def _parked() -> tuple[Any, Any, ResumableUploads]:
    """Park an upload, and have its connection let go of it."""
    server: Any = Slow()
    upload: Any = Resting()
    uploads = ResumableUploads(server)
    Deferred.fromCoroutine(uploads.ended(NAME, upload))
    server.do("kept_of_user")
    assert uploads.parked(NAME) is upload
    return server, upload, uploads


def _hold(uploads: ResumableUploads) -> list[Upload | None]:
    """Ask for an upload as a connection does that resumes it; gives what there is to go on with, once it has the name."""
    found: list[Upload | None] = []
    holder: Any = SimpleNamespace(object_id=None)
    held = Deferred.fromCoroutine(uploads.hold(NAME, holder))
    held.addCallback(lambda _: found.append(uploads.take(NAME)))
    return found


def test_who_resumes_what_is_being_reduced_waits_until_its_files_are():
    server, upload, uploads = _parked()
    server.reactor.advance(PARKED_SECONDS)
    assert server.waits_for == ["end"]
    resumed, later = _hold(uploads), _hold(uploads)
    assert (resumed, later) == ([], [])
    server.do("end")
    assert upload.state is UploadState.KEPT
    assert (resumed, later) == ([None], []), "the next one waits for its new holder"


def test_what_is_being_reduced_does_not_make_way_meanwhile():
    server, upload, uploads = _parked()
    server.reactor.advance(PARKED_SECONDS)
    Deferred.fromCoroutine(uploads.limit([UnfinishedUpload(upload.object_id, 10)], most=0))
    assert server.waits_for == ["end"]
    server.do("end")
    assert not uploads._held


def test_one_that_cannot_be_reduced_keeps_nobody_waiting():
    server, _, uploads = _parked()
    server.reactor.advance(PARKED_SECONDS)
    resumed = _hold(uploads)
    server.do("end", ZeroDivisionError())
    assert (resumed, server.failed) == ([None], ["upload-reduce"])


def test_what_another_connection_is_about_to_give_up_is_not_reduced_beside_it():
    server, upload, uploads = _parked()
    holder: Any = SimpleNamespace(object_id=None)
    Deferred.fromCoroutine(uploads.hold(NAME, holder))
    server.reactor.advance(PARKED_SECONDS)
    assert (server.waits_for, uploads.parked(NAME)) == ([], upload)
    uploads.release(NAME, holder)
    server.reactor.advance(PARKED_SECONDS)
    assert (server.waits_for, uploads.parked(NAME)) == (["end"], None)


def test_who_resumes_what_is_being_given_up_waits_and_its_row_goes_first():
    server, upload, uploads = _parked()
    Deferred.fromCoroutine(uploads.give_up(upload.object_id))
    resumed = _hold(uploads)
    assert (server.waits_for, uploads.parked(NAME)) == (["give_up_uploads"], upload)
    for each in ("give_up_uploads", "end", "_remove", "end_uploads"):
        assert resumed == []
        server.do(each)
    assert (server.waits_for, server.removed, resumed) == ([], [upload.object_id], [None])


@pytest.mark.parametrize("meanwhile", ["end_uploads", "_free_bytes"])
def test_what_is_resumed_while_others_make_way_stays(meanwhile: str):
    server, upload, uploads = _parked()
    kept = [UnfinishedUpload(bytes([number]), 10) for number in (0, *upload.object_id, 2)]
    limited = Deferred.fromCoroutine(uploads.limit(kept, most=0))
    for each in ("_free_bytes", "give_up_uploads", "_remove", "end_uploads", "_free_bytes"):
        if each == meanwhile and server.removed:
            Deferred.fromCoroutine(uploads.hold(NAME, SimpleNamespace(object_id=upload.object_id)))  # type: ignore[arg-type]
            assert uploads.take(NAME) is upload
        server.do(each)
    for each in ("give_up_uploads", "_remove", "end_uploads"):
        server.do(each)
    if server.asked:
        server.do("_free_bytes")
    assert (limited.called, server.removed) == (True, [bytes([0]), bytes([2])])
