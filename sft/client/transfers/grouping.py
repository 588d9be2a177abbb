"""Items put together so that a request, or its answer, holds them.

Rules. The order stays. A group has one item at least, and as many as a request may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from sft.limits import BATCH_FILES, FILES_ANSWER_BYTES, KIB
from sft.wire.messages import MESSAGE_BYTES

PUT_BYTES: Final = 16  # what a file takes of a request beside path, signature and content
PUT_GROUP_BYTES: Final = MESSAGE_BYTES - PUT_BYTES  # a request is one frame
GET_GROUP_BYTES: Final = FILES_ANSWER_BYTES - 2 * KIB  # beside the last leaf of the log
SIGNED_BYTES: Final = KIB  # the signature of a file with a short path, and its record
PROVED_BYTES: Final = KIB // 2  # its slot in the log's state, and its share of the proof

T = TypeVar("T")


def groups_of(items: Iterable[T], weight_bytes: Callable[[T], int], most_bytes: int) -> Iterator[list[T]]:
    """Split items into groups, each as large as fits."""
    group: list[T] = []
    left = most_bytes
    for item in items:
        weight = weight_bytes(item)
        if group and (weight > left or len(group) == BATCH_FILES):
            yield group
            group, left = [], most_bytes
        group.append(item)
        left -= weight
    if group:
        yield group


def put_bytes(path: str, size: int) -> int:
    """Estimate what a small file takes of a request: its path is there up to three times, once percent-encoded."""
    return SIGNED_BYTES + (3 if path.isascii() else 9) * len(path) + size


def got_bytes(path: str, size: int) -> int:
    """Estimate what a small file takes of an answer: as of a request, and its name once more in what proves it."""
    return put_bytes(path, size) + PROVED_BYTES + (1 if path.isascii() else 3) * len(path)
