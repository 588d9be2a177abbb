"""The scrub: how much is due when, and that all contents are read within its time."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace

from sft.limits import DAY_SECONDS, GIB, MIB, SCRUB_SECONDS
from sft.model.check_events import CheckEnded, DamageFound
from sft.service.maintenance import scrub as module
from sft.service.maintenance.scrub import AIM_SECONDS, LEAST_BYTES, SLICE_SECONDS, Due, due_of, scrub, scrub_due
from sft.store.checks import SCRUB, walk_row
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture

BIG = 70_000
TIB = 1024 * GIB
MINUTE = 60


@pytest.mark.parametrize("total", [1, 10 * MIB, 5 * GIB, 3 * TIB, 200 * TIB])
@pytest.mark.parametrize("off", [0, 3 * 24 * 3600])
def test_a_round_reads_everything_within_its_time(total: int, off: int) -> None:
    """As a server would: a slice a minute at its rate, and nothing while it is off in the middle."""
    read, now = 0, 0
    while read < total:
        if off and now == 10 * 24 * 3600:
            now += off
        due = due_of(total, read, now)
        assert due.size_bytes <= due.rate * SLICE_SECONDS
        read += due.size_bytes
        now += MINUTE
        assert now <= SCRUB_SECONDS
    assert now <= AIM_SECONDS + 2 * MINUTE


def test_while_others_need_the_disk_no_more_is_read_than_all_of_it_needs() -> None:
    due = due_of(3 * TIB, 0, 3600)
    assert due.needed_rate == pytest.approx(3 * TIB / AIM_SECONDS, rel=0.01)
    assert due.rate >= 4 * due.needed_rate


def test_little_is_not_read_in_crumbs() -> None:
    slices = sum(1 for now in range(0, AIM_SECONDS + 1, MINUTE) if due_of(10 * MIB, 0, now).size_bytes)
    assert slices > 0
    assert due_of(10 * MIB, 0, MINUTE).size_bytes == 0
    assert due_of(TIB, 0, MINUTE).size_bytes == 0 or due_of(TIB, 0, MINUTE).size_bytes >= LEAST_BYTES


def a_minute_later(services: ServiceFixture) -> Due:
    services.now += MINUTE
    return services.ask(scrub_due, OPERATOR)


def test_rounds_follow_one_another_and_go_on_where_they_were(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AIM_SECONDS", 10 * MINUTE)
    objects = []
    for number in range(10):
        item = services.stream(MAX, f"{number}", os.urandom(BIG))
        services.commit(item)
        objects.append(item.object_id)
    shelf = services.backend.shelf.objects
    shelf[objects[7]] = shelf[objects[7]][:-1] + b"?"
    read: list[int] = []
    context = replace(services.job_context, pace=read.append)
    services.events.clear()
    slices = 0
    for _ in range(12):
        due = a_minute_later(services)
        if due.size_bytes and not [event for event in services.events if isinstance(event, CheckEnded)]:
            scrub(context, due)
            slices += 1
    assert slices >= 5
    assert sum(read) == 9 * BIG  # of the damaged one no byte came out
    (ended,) = [event for event in services.events if isinstance(event, CheckEnded)]
    assert (ended.walk, ended.versions, ended.faults) == (SCRUB, 10, 1)
    assert [event.path for event in services.events if isinstance(event, DamageFound)] == ["7"]
    assert not a_minute_later(services).size_bytes, "what is little is not read each minute"
    services.now += DAY_SECONDS
    assert a_minute_later(services).size_bytes, "the next round begins"
    with services.reading() as reading:
        assert walk_row(reading, SCRUB).ended_versions == 10


def test_an_empty_server_is_scrubbed(services: ServiceFixture) -> None:
    scrub(services.job_context, a_minute_later(services))
    assert [event.walk for event in services.events if isinstance(event, CheckEnded)] == [SCRUB]


def test_a_round_that_began_under_a_clock_that_was_ahead_goes_on_when_that_was_set_right(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AIM_SECONDS", 10 * MINUTE)
    for number in range(10):
        services.commit(services.stream(MAX, f"{number}", os.urandom(BIG)))
    years = 3 * 365 * 86_400
    services.now += years
    scrub(services.job_context, a_minute_later(services))
    services.now -= years
    scrub(services.job_context, a_minute_later(services))
    with services.reading() as reading:
        assert walk_row(reading, SCRUB).began_at == services.now
    services.events.clear()
    for _ in range(12):
        if (due := a_minute_later(services)).size_bytes:
            scrub(services.job_context, due)
    (ended,) = [event for event in services.events if isinstance(event, CheckEnded)][:1]
    assert ended.versions == 10
