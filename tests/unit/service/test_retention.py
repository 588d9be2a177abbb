"""Less that is kept, or for a shorter time: what is overdue then is said, and is destroyed a day later at the earliest."""

from __future__ import annotations

import pytest

from sft.limits import DAY_SECONDS
from sft.model.events import RetentionLowered, RetentionTaken
from sft.model.policy import Retention, ServerPolicy
from sft.service.files import show_file
from sft.service.maintenance.clock import ClockBelief, ClockLook, believe_clock, look_at_clock
from sft.service.maintenance.old_versions import destroy_old_versions, is_anything_old
from sft.service.maintenance.purging import collect
from sft.service.maintenance.retention import configured_retention, take_retention
from tests.unit.service.service_fixture import BEGAN, MAX, OPERATOR, ServiceFixture
from tests.unit.service.test_destroying import destroy, replaced
from tests.unit.service.test_figures import rm

AS_BEFORE = Retention(trash_days=30, versions_kept=10)
LESS = ServerPolicy(trash_days=3, versions_kept=1)
OPTIONS = [("trash_days", 30, 3, 2), ("versions_kept", 10, 3, 2)]


def rules(services: ServiceFixture, **configured: int) -> Retention:
    if configured:
        services.database.policy = ServerPolicy(**configured)
    ruling: Retention = services.act(take_retention, services.ask(configured_retention, OPERATOR))
    return ruling


@pytest.fixture
def kept(services: ServiceFixture) -> ServiceFixture:
    """Ten days ago a file of two versions was deleted, and a folder with one in it; another file two days ago.

    Of a file four versions are there, but the second; of another two.
    """
    replaced(services, bytes(10), bytes(20))
    services.put(MAX, "d/e/b", bytes(100))
    services.put(MAX, "late", bytes(1000))
    rm(services, "a", MAX)
    rm(services, "d", MAX)
    services.now += 8 * DAY_SECONDS
    rm(services, "late", MAX)
    services.now += 2 * DAY_SECONDS
    replaced(services, b"1", b"22", b"333", b"4444", path="c")
    destroy(services, 2, path="c")
    replaced(services, bytes(5), bytes(6), path="f")
    services.events.clear()
    return services


def test_less_is_said_with_what_is_overdue_then_and_rules_a_day_later(kept: ServiceFixture) -> None:
    assert rules(kept) == AS_BEFORE
    assert kept.events == []
    kept.database.policy = LESS
    assert rules(kept) == AS_BEFORE
    of_trash, of_versions = kept.events
    assert isinstance(of_trash, RetentionLowered)
    assert isinstance(of_versions, RetentionLowered)
    assert (of_trash.option, of_trash.to, of_trash.before) == ("trash_days", 3, 30)
    assert (of_trash.files, of_trash.size_bytes) == (2, 130)
    assert (of_versions.option, of_versions.to, of_versions.before) == ("versions_kept", 1, 10)
    # Of those in the trash as well, without what was destroyed before: 10, 1 and 3, 5.
    assert (of_versions.files, of_versions.size_bytes) == (3, 19)
    assert of_trash.destroyed_from == of_versions.destroyed_from == kept.now + DAY_SECONDS
    kept.now += DAY_SECONDS - 1
    assert rules(kept) == AS_BEFORE
    kept.now += 1
    assert rules(kept) == Retention(trash_days=3, versions_kept=1)
    assert [type(each) for each in kept.events] == [RetentionLowered] * 2 + [RetentionTaken] * 2
    assert [each.to for each in kept.events if isinstance(each, RetentionTaken)] == [3, 1]


@pytest.mark.parametrize(("option", "before", "less", "least"), OPTIONS)
def test_what_was_mistyped_is_taken_back_and_begins_anew(
    kept: ServiceFixture, option: str, before: int, less: int, least: int
) -> None:
    rules(kept, **{option: less})
    assert rules(kept, **{option: before}) == AS_BEFORE
    kept.now += 2 * DAY_SECONDS
    assert rules(kept, **{option: less}) == AS_BEFORE
    assert [type(each) for each in kept.events] == [RetentionLowered, RetentionTaken, RetentionLowered]
    # Another number has a day of its own, also where the server was stopped meanwhile.
    kept.now += DAY_SECONDS
    assert rules(kept, **{option: least}) == AS_BEFORE
    kept.now += DAY_SECONDS - 1
    assert rules(kept) == AS_BEFORE
    kept.now += 1
    assert getattr(rules(kept), option) == least
    told = [(each.to, each.before) for each in kept.events if isinstance(each, RetentionLowered)]
    assert told == [(less, before), (less, before), (least, before)]


@pytest.mark.parametrize("option", ["trash_days", "versions_kept"])
def test_more_rules_at_once(kept: ServiceFixture, option: str) -> None:
    assert getattr(rules(kept, **{option: 60}), option) == 60


@pytest.mark.parametrize("moved", [-90, 90])
def test_a_clock_that_is_doubted_lets_no_day_begin_or_end(kept: ServiceFixture, moved: int) -> None:
    def look(passed: int | None) -> None:
        kept.act(look_at_clock, ClockLook(OPERATOR, kept.now, passed))

    look(kept.now - BEGAN)
    rules(kept, trash_days=3)
    kept.now += moved * DAY_SECONDS
    look(0)
    assert rules(kept, trash_days=3, versions_kept=1) == AS_BEFORE
    kept.now -= moved * DAY_SECONDS
    kept.act(believe_clock, ClockBelief(OPERATOR, kept.now))
    kept.now += DAY_SECONDS
    assert rules(kept) == Retention(trash_days=3, versions_kept=10)


def test_versions_stay_while_more_rule_and_go_where_they_are_collected_by_hand(kept: ServiceFixture) -> None:
    kept.database.policy = LESS
    ruling = rules(kept).versions_kept
    assert not kept.ask(is_anything_old, OPERATOR, kept=ruling)
    assert kept.ask(destroy_old_versions, OPERATOR, context=kept.job_context, kept=ruling)().versions == 0
    assert kept.ask(is_anything_old, OPERATOR, kept=2)
    assert kept.ask(destroy_old_versions, OPERATOR, context=kept.job_context, kept=2)().versions == 1
    assert kept.ask(is_anything_old, OPERATOR)
    assert kept.ask(destroy_old_versions, OPERATOR, context=kept.job_context)().versions == 3


def test_what_is_raised_while_less_still_rules_is_kept(kept: ServiceFixture) -> None:
    """Where the numbers were read before, and the work begins after."""
    kept.database.policy = ServerPolicy(versions_kept=4)
    assert not kept.ask(is_anything_old, OPERATOR, kept=1)
    assert kept.ask(destroy_old_versions, OPERATOR, context=kept.job_context, kept=1)().versions == 0


def test_the_newest_of_every_file_are_not_overdue(services: ServiceFixture) -> None:
    replaced(services, b"1", b"2", b"3")
    services.replace(MAX, "a", b"4", services.ask(show_file, MAX, path="a"))
    rules(services, versions_kept=4)
    (told,) = services.events[-1:]
    assert isinstance(told, RetentionLowered)
    assert (told.files, told.size_bytes) == (0, 0)


def test_days_that_are_raised_while_fewer_still_rule_are_waited_for(kept: ServiceFixture) -> None:
    assert kept.ask(collect, OPERATOR, context=kept.job_context, days=3)().files == 0
    kept.database.policy = ServerPolicy(trash_days=3)
    assert kept.ask(collect, OPERATOR, context=kept.job_context, days=30)().files == 0
    assert kept.ask(collect, OPERATOR, context=kept.job_context)().files == 2
