"""Which of a person's kept uploads go: the oldest, until the others are few and small enough."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from sft.server.resumable_uploads import ResumableUploads
from sft.service.open_uploads import GiveUp
from sft.service.upload import UnfinishedUpload


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


def test_what_a_connection_has_is_not_kept_and_stays():
    parts: Any = Parts([10, 10, 10], 30)
    uploads = ResumableUploads(parts)
    holder: Any = SimpleNamespace(object_id=bytes([1]))
    Deferred.fromCoroutine(uploads.hold((2, b"name"), holder))
    Deferred.fromCoroutine(uploads.limit(tuple(parts.kept), most=0))
    assert [each.object_id[0] for each in parts.kept] == [1]
