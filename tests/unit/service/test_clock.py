"""The server's clock: while it is doubted nothing is destroyed by age, until somebody's signature agrees, or the operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from sft.errors import ClockDoubtedError
from sft.model.clock import DRIFT_SECONDS, ClockState
from sft.model.events import ClockBelieved, ClockDoubted, ClockSeen
from sft.service.maintenance.clock import (
    BY_OPERATOR,
    ClockBelief,
    ClockLook,
    believe_clock,
    clock_state,
    is_agreed_with,
    look_at_clock,
)
from sft.service.maintenance.purging import collect
from sft.service.status import show_status
from sft.vault.master_key import CommandMasterKey
from sft.vault.master_key_store import MasterKeyStore
from tests.fakes.signed_acts import SIGNED_AT
from tests.unit.service.service_fixture import BEGAN, MAX, NOW, OPERATOR, TRASH_SECONDS, ServiceFixture
from tests.unit.service.test_figures import make, rm

DAY = 86_400
AHEAD = 90 * DAY
ELSEWHERE = MasterKeyStore(Path("keyring"), CommandMasterKey(["true"]))


def look(services: ServiceFixture, now: int, passed: int | None = None) -> ClockState:
    return services.act(look_at_clock, ClockLook(OPERATOR, now, passed))


def told(services: ServiceFixture) -> list[object]:
    return [each for each in services.events if isinstance(each, ClockSeen | ClockDoubted | ClockBelieved)]


@pytest.fixture
def trashed(services: ServiceFixture) -> ServiceFixture:
    """A file that lies in the trash, on a server whose clock says that its time is over."""
    services.put(MAX, "a")
    rm(services, "a", MAX)
    look(services, services.now, services.now - BEGAN)
    services.events.clear()
    return services


def test_what_is_kept_is_written_and_told_where_it_changes(services: ServiceFixture) -> None:
    now = services.now
    look(services, now, now - BEGAN)
    services.events.clear()
    look(services, now + 60, 60)
    look(services, now + 60, 0)  # nothing new
    look(services, now + AHEAD)
    look(services, now + AHEAD + 60, 60)
    look(services, now + 120)
    assert [type(each) for each in told(services)] == [ClockSeen, ClockDoubted, ClockSeen, ClockBelieved]
    doubted = told(services)[1]
    assert isinstance(doubted, ClockDoubted)
    assert (doubted.sound_at, doubted.seconds) == (now + 60, AHEAD - 60)
    with services.reading() as reading:
        assert clock_state(reading) == ClockState(now + 120)


def test_a_doubted_clock_empties_no_trash_and_the_operators_word_does(trashed: ServiceFixture) -> None:
    before = trashed.now
    trashed.now += TRASH_SECONDS + AHEAD
    look(trashed, trashed.now)
    assert trashed.ask(show_status, OPERATOR, master_keys=ELSEWHERE).clock_sound_at is not None
    with pytest.raises(ClockDoubtedError) as refusal:
        trashed.ask(collect, OPERATOR, context=trashed.job_context)
    assert refusal.value.values["now_at"] == trashed.now
    assert before - DAY < int(refusal.value.values["sound_at"]) <= before
    report = trashed.ask(collect, OPERATOR, context=trashed.job_context, clock_is_right=True)()
    assert report.files == 1
    (believed,) = [each for each in trashed.events if isinstance(each, ClockBelieved)]
    assert believed.why == BY_OPERATOR
    assert trashed.ask(show_status, OPERATOR, master_keys=ELSEWHERE).clock_sound_at is None


def test_what_is_believed_already_is_told_by_nobody(services: ServiceFixture) -> None:
    services.events.clear()
    assert not services.act(believe_clock, ClockBelief(OPERATOR, services.now))
    assert services.events == []


@pytest.mark.parametrize("act, signed_at", [("put", NOW), ("make", SIGNED_AT), ("rm", SIGNED_AT)])
def test_whoever_signs_at_that_moment_agrees(services: ServiceFixture, act: str, signed_at: int) -> None:
    services.put(MAX, "there")
    services.events.clear()
    if act == "put":
        services.put(MAX, "a")
    elif act == "make":
        make(services, "d", MAX)
    else:
        rm(services, "there", MAX)
    events = list(services.events)

    def agreed(now: int) -> bool:
        return services.ask(is_agreed_with, OPERATOR, now=now, events=events)

    near = [days for days in range(-9, 10) if agreed(signed_at + days * DRIFT_SECONDS)]
    assert near == [-1, 0, 1], "of one signature: a day before and after it"
    assert not any(agreed(now) for now in range(0, 2**31, 2**27))
    assert not services.ask(is_agreed_with, OPERATOR, now=signed_at, events=[])
