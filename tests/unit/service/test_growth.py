"""What is stored by what it is, and for how many days the disk is enough."""

from __future__ import annotations

import pytest

from sft.limits import DAY_SECONDS
from sft.service.files import show_file
from sft.service.maintenance import growth
from sft.service.maintenance.growth import daily_growth, is_growth_due, note_today
from sft.service.trash import Deletion, delete
from sft.store import growth as stored
from sft.store.growth import Sums, growth_since
from sft.store.row_types import GrowthRow
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture

BIG = 70_000


@pytest.mark.parametrize("files", [1, 2, 20_000])
def test_contents_are_current_older_or_in_the_trash(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    for module in (stored, growth):
        monkeypatch.setattr(module, "RANGE", files)
    services.put(MAX, "a", bytes(10))
    services.replace(MAX, "a", bytes(200), services.ask(show_file, MAX, path="a"))
    services.put(MAX, "d/e/f", bytes(3000))
    services.put(MAX, "d/g", bytes(1000))
    services.put(MAX, "gone", bytes(500))
    services.replace(MAX, "gone", bytes(50), services.ask(show_file, MAX, path="gone"))
    services.act(delete, Deletion(MAX.caller, "gone"))
    sums, free = growth.add_up(services.job_context)
    assert sums == Sums(200 + 3000 + 1000, 10, 550)
    assert free == services.vault.free_bytes()
    # What hangs on a folder in the trash is in it too, however deep.
    services.act(delete, Deletion(MAX.caller, "d", recursive=True))
    assert growth.add_up(services.job_context)[0] == Sums(200, 10, 550 + 4000)


def row(day: int, size: int) -> GrowthRow:
    return GrowthRow(day, size, 0, 0, 0)


def test_growth_is_the_slope_of_all_days() -> None:
    assert daily_growth([]) is None
    assert daily_growth([row(5, 100)]) is None
    assert daily_growth([row(5, 100), row(7, 300)]) == 100
    assert daily_growth([row(1, 0), row(2, 10), row(3, 20), row(4, 30)]) == 10
    assert daily_growth([row(1, 500), row(3, 300)]) == -100


def test_a_day_is_noted_once_and_a_year_is_kept(services: ServiceFixture) -> None:
    for days in range(0, 900, 100):
        services.now += 100 * DAY_SECONDS * bool(days)
        assert services.ask(is_growth_due, OPERATOR)
        services.put(MAX, f"{days}", bytes(1000))
        note_today(services.job_context)
        assert not services.ask(is_growth_due, OPERATOR)
    note_today(services.job_context)
    with services.reading() as reading:
        rows = growth_since(reading, 0)
    assert [each.current_bytes for each in rows] == [5000, 6000, 7000, 8000, 9000]


def test_the_days_that_are_left(services: ServiceFixture) -> None:
    free = 1_000_000

    def days() -> int | None:
        sums, _ = growth.add_up(services.job_context)
        return services.ask(growth.show_vault, OPERATOR, sums=sums, free_bytes=free).days_until_full

    assert days() is None, "nothing is known yet"
    note_today(services.job_context)
    services.now += 2 * DAY_SECONDS
    services.put(MAX, "a", bytes(10_000))
    assert days() == 200
    services.act(delete, Deletion(MAX.caller, "a"))
    assert days() == 200, "what is in the trash is stored yet"
