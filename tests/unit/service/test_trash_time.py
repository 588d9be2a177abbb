"""A shorter time in the trash: what is overdue then is said, and is destroyed a day later at the earliest."""

from __future__ import annotations

import pytest

from sft.limits import DAY_SECONDS
from sft.model.events import TrashDaysTaken, TrashTimeShortened
from sft.model.policy import ServerPolicy
from sft.service.files import show_file
from sft.service.maintenance.trash_time import take_trash_days, trash_time
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture
from tests.unit.service.test_figures import rm


def rules(services: ServiceFixture) -> int:
    return services.act(take_trash_days, services.ask(trash_time, OPERATOR))


@pytest.fixture
def trashed(services: ServiceFixture) -> ServiceFixture:
    """Ten days ago a file of two versions was deleted, and a folder with one in it; another file two days ago."""
    services.put(MAX, "a", bytes(10))
    services.replace(MAX, "a", bytes(20), services.ask(show_file, MAX, path="a"))
    services.put(MAX, "d/e/b", bytes(100))
    services.put(MAX, "late", bytes(1000))
    rm(services, "a", MAX)
    rm(services, "d", MAX)
    services.now += 8 * DAY_SECONDS
    rm(services, "late", MAX)
    services.now += 2 * DAY_SECONDS
    services.events.clear()
    return services


def test_fewer_days_are_said_with_what_is_overdue_then_and_rule_a_day_later(trashed: ServiceFixture) -> None:
    assert rules(trashed) == 30
    assert trashed.events == []
    trashed.database.policy = ServerPolicy(trash_days=3)
    assert rules(trashed) == 30
    (told,) = trashed.events
    assert isinstance(told, TrashTimeShortened)
    assert (told.days, told.before, told.files, told.size_bytes) == (3, 30, 2, 130)
    assert told.destroyed_from == trashed.now + DAY_SECONDS
    trashed.now += DAY_SECONDS - 1
    assert rules(trashed) == 30
    trashed.now += 1
    assert rules(trashed) == 3
    assert [type(each) for each in trashed.events] == [TrashTimeShortened, TrashDaysTaken]


def test_what_was_mistyped_is_taken_back_and_begins_anew(trashed: ServiceFixture) -> None:
    trashed.database.policy = ServerPolicy(trash_days=3)
    rules(trashed)
    trashed.database.policy = ServerPolicy(trash_days=30)
    assert rules(trashed) == 30
    trashed.now += 2 * DAY_SECONDS
    trashed.database.policy = ServerPolicy(trash_days=3)
    assert rules(trashed) == 30
    assert [type(each) for each in trashed.events] == [TrashTimeShortened, TrashDaysTaken, TrashTimeShortened]


def test_more_days_rule_at_once(trashed: ServiceFixture) -> None:
    trashed.database.policy = ServerPolicy(trash_days=60)
    assert rules(trashed) == 60
