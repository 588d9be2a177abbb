from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from sft.errors import ServerBusyError, TooLargeError, TooManySessionsError
from sft.limits import (
    CONTROL_CONNECTIONS,
    OPEN_DOWNLOADS,
    OPEN_UPLOADS,
    OWN_DESCRIPTORS,
    PERSON_REQUEST_BYTES,
    READS_AT_ONCE,
    REQUEST_BYTES,
    SESSIONS_PER_PERSON,
    UNSENT_BYTES,
)
from sft.model.access import Caller, Role, operator_caller
from sft.server.shares import Places, Shares

MIB = 1 << 20


def caller(number: int, role: Role = Role.GUEST) -> Caller:
    return Caller(number, number, f"user{number}", role, number)


class Line:
    def __init__(self):
        self.held = set()

    def pause_reading(self, reason):
        self.held.add(reason)

    def resume_reading(self, reason):
        self.held.discard(reason)


class Slow:
    def __init__(self):
        self.ended = False

    def too_full(self):
        self.ended = True


def test_descriptors_are_divided_and_some_are_left_for_the_server_itself_and_the_operator():
    for descriptors in (128, 256, 1024, 4096, 65_536):
        places = Places.of(descriptors)
        taken = places.strangers + 2 * places.uploads + places.sessions
        assert taken + OWN_DESCRIPTORS + CONTROL_CONNECTIONS <= descriptors
        assert min(places.strangers, places.uploads, places.sessions) >= 8


def test_a_person_has_so_many_sessions_and_one_that_ended_makes_room():
    shares = Shares()
    held = [shares.join(caller(1), "acme") for _ in range(SESSIONS_PER_PERSON)]
    with pytest.raises(TooManySessionsError):
        shares.join(caller(1), "acme")
    shares.join(caller(2), "acme")
    shares.leave(held[0])
    shares.join(caller(1), "acme")


def test_all_people_have_as_many_sessions_as_there_are_descriptors_and_admins_and_the_operator_get_in():
    shares = Shares(Places(strangers=8, uploads=8, sessions=40))
    for number in range(32):
        shares.join(caller(number), "acme")
    with pytest.raises(ServerBusyError):
        shares.join(caller(99), "acme")
    for number in range(100, 108):
        shares.join(caller(number, Role.ADMIN), "acme")
    with pytest.raises(ServerBusyError):
        shares.join(caller(999, Role.ADMIN), "acme")
    for _ in range(SESSIONS_PER_PERSON + 4):
        shares.join(operator_caller(), "acme")


def test_transfers_are_counted_by_person_over_all_sessions_and_uploads_in_all():
    shares = Shares(Places(strangers=8, uploads=OPEN_UPLOADS + 1, sessions=40))
    one, two = shares.join(caller(1), "acme"), shares.join(caller(1), "acme")
    for _ in range(OPEN_UPLOADS // 2):
        one.begin_upload()
        two.begin_upload()
    with pytest.raises(TooLargeError):
        two.begin_upload()
    for _ in range(OPEN_DOWNLOADS):
        one.begin_download()
    with pytest.raises(TooLargeError):
        two.begin_download()
    other = shares.join(caller(2), "acme")
    other.begin_download()
    other.begin_upload()
    with pytest.raises(TooLargeError):
        other.begin_upload()
    one.end_upload()
    other.begin_upload()


def test_who_leaves_and_comes_back_finds_what_is_still_in_work():
    shares = Shares()
    share = shares.join(caller(1), "acme")
    share.begin_upload()
    shares.leave(share)
    assert shares.join(caller(1), "acme").uploads == 1
    shares.leave(share)
    share.end_upload()
    assert shares.join(caller(1), "acme") is not share


def test_one_person_reads_a_few_times_at_once_over_all_sessions():
    shares = Shares()
    one, other = shares.join(caller(1), "acme"), shares.join(caller(2), "acme")
    asked = []

    def query():
        asked.append(Deferred())
        return asked[-1]

    for _ in range(120):
        one.read(query)
    assert len(asked) == READS_AT_ONCE
    other.read(query)
    assert len(asked) == READS_AT_ONCE + 1
    asked[0].callback(None)
    assert len(asked) == READS_AT_ONCE + 2


def test_whose_requests_wait_beyond_a_bound_is_not_read_until_they_are_answered():
    shares = Shares()
    share, line = shares.join(caller(1), "acme"), Line()
    share.requested(line, PERSON_REQUEST_BYTES)
    assert line.held == set()
    share.requested(line, 1)
    assert line.held == {"person"}
    share.answered(1)
    assert line.held == set()


def test_requests_of_all_people_are_bounded_too():
    shares = Shares()
    people = [shares.join(caller(number), "acme") for number in range(REQUEST_BYTES // PERSON_REQUEST_BYTES + 1)]
    lines = [Line() for _ in people]
    for share, line in zip(people, lines, strict=True):
        share.requested(line, PERSON_REQUEST_BYTES)
    assert [bool(line.held) for line in lines] == [False] * (len(lines) - 1) + [True]
    people[0].answered(PERSON_REQUEST_BYTES)
    assert not lines[-1].held


def test_of_what_nobody_takes_the_fullest_session_ends_first():
    shares = Shares()
    lines = [Slow() for _ in range(UNSENT_BYTES // MIB * 2)]
    for line in lines:
        shares.unsent(line, MIB // 2)
    full = Slow()
    shares.unsent(full, MIB)
    assert full.ended
    assert not any(line.ended for line in lines)
    shares.unsent(lines[0], 0)
    shares.unsent(lines[1], MIB)
    assert not lines[1].ended
