"""Items put together so that a request or its answer fits one frame.

Rules. The order stays. A group has one item at least, and as many as a request may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from sft.limits import BATCH_FILES, KIB
from sft.wire.messages import MESSAGE_BYTES

PUT_BYTES: Final = 16  # what a file takes of a request beside path, signature and content
SIGNED_BYTES: Final = KIB  # the signature of a file with a short path, and its record

T = TypeVar("T")


def groups_of(items: Iterable[T], weight_bytes: Callable[[T], int]) -> Iterator[list[T]]:
    """Split items into groups, each as large as fits."""
    group: list[T] = []
    left = MESSAGE_BYTES - PUT_BYTES
    for item in items:
        weight = weight_bytes(item)
        if group and (weight > left or len(group) == BATCH_FILES):
            yield group
            group, left = [], MESSAGE_BYTES - PUT_BYTES
        group.append(item)
        left -= weight
    if group:
        yield group


def expected_bytes(path: str, size: int) -> int:
    """Estimate what a small file takes of a frame: its path is there up to three times, once percent-encoded."""
    return SIGNED_BYTES + (3 if path.isascii() else 9) * len(path) + size
