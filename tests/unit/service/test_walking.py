"""A walk takes everything that can be read, once, wherever the damage is, and ends."""

import pytest

from sft.errors import StoreError
from sft.service.maintenance.walking import walk


@pytest.mark.parametrize("limit", [1, 3, 64])
@pytest.mark.parametrize(
    "broken",
    [set(), {0}, {50}, {99}, {98, 99}, {10, 11, 12, 60}, set(range(40, 90)), set(range(100)), {0, 2, 4, 6, 8, 99}],
)
def test_all_that_can_be_read_is_taken_once(limit: int, broken: set[int]) -> None:
    taken: list[int] = []
    told: list[StoreError] = []

    def read(after: int, most: int) -> tuple[list[int], int | None]:
        found = [key for key in range(100) if key > after][:most]
        if broken.intersection(found):
            raise StoreError(problem="a page")
        return found, found[-1] if found else None

    walk(read, limit, taken.extend, told.append)
    assert taken == [key for key in range(100) if key not in broken]
    assert bool(told) is bool(broken)
