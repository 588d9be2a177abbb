"""Connections that nobody has proved anything on, from addresses of all sorts."""

from __future__ import annotations

from sft.limits import (
    LOGIN_SECONDS,
    PENALTY_CRASH_SECONDS,
    PENALTY_MOST_SECONDS,
    UNAUTHENTICATED,
    UNAUTHENTICATED_PER_SOURCE,
)
from tests.adapters.ends import Gate
from tests.wire_pairs import pair

GARBAGE = b"\xff" * 8


def test_over_the_limit_of_a_source_its_oldest_goes_and_the_new_one_is_served():
    gate = Gate()
    transports = [gate.connect() for _ in range(UNAUTHENTICATED_PER_SOURCE + 1)]
    assert [transport.aborted for transport in transports] == [True, *[False] * UNAUTHENTICATED_PER_SOURCE]
    transports[-1].protocol.dataReceived(pair.new_client().data_to_send())
    assert transports[-1].value(), "the newest is answered"
    assert gate.lines == ["crowded-out source=192.0.2.7"]
    for transport in transports:
        gate.lose(transport)
    assert gate.admission.waiting == 0


def test_whoever_was_crowded_out_works_off_no_penalty():
    gate = Gate(per_source=1)
    first = gate.connect()
    gate.connect()
    gate.lose(first)
    assert gate.lines == ["crowded-out source=192.0.2.7"]


def test_a_flood_from_one_place_cannot_keep_others_out():
    gate = Gate(per_source=UNAUTHENTICATED * 2)
    flood = [gate.connect("192.0.2.7") for _ in range(UNAUTHENTICATED - 1)]
    honest = gate.connect("198.51.100.1")
    more = [gate.connect("192.0.2.7") for _ in range(100)]
    assert not honest.aborted
    assert sum(transport.aborted for transport in flood) == 100
    assert not any(transport.aborted for transport in more)
    assert gate.admission.waiting == UNAUTHENTICATED
    assert not gate.connect("203.0.113.5").aborted


def test_a_flood_from_many_places_leaves_memory_bounded():
    gate = Gate()
    transports = [gate.connect(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}") for n in range(UNAUTHENTICATED + 500)]
    assert gate.admission.waiting == UNAUTHENTICATED
    assert [transport.aborted for transport in transports].count(True) == 500
    assert not transports[-1].aborted


def test_whoever_breaks_the_protocol_is_refused_until_the_penalty_is_worked_off():
    gate = Gate()
    bad = gate.connect()
    bad.protocol.dataReceived(GARBAGE)
    assert bad.aborted
    gate.lose(bad)
    refused = gate.connect()
    assert refused.aborted
    assert refused.value() == b""
    assert not gate.connect("192.0.2.8").aborted, "the neighbor is let in"
    assert gate.lines[0].startswith('no-login source=192.0.2.7 why="a frame of')
    assert gate.lines[1] == f"refused source=192.0.2.7 seconds={PENALTY_CRASH_SECONDS}"
    gate.clock.advance(PENALTY_CRASH_SECONDS)
    assert not gate.connect().aborted


def test_penalties_add_up_to_a_bound():
    gate = Gate()
    many = [gate.connect() for _ in range(30)]
    for transport in many:
        transport.protocol.dataReceived(GARBAGE)
        gate.lose(transport)
    gate.clock.advance(PENALTY_MOST_SECONDS - 20)
    assert gate.connect().aborted
    gate.clock.advance(20)
    assert not gate.connect().aborted


def test_a_connection_that_only_comes_and_goes_counts_little():
    gate = Gate()
    for _ in range(10):
        gate.lose(gate.connect())
    assert not gate.connect().aborted
    for _ in range(10):
        gate.lose(gate.connect())
    assert gate.connect().aborted


def test_a_late_login_is_no_broken_protocol():
    gate = Gate()
    late = gate.connect()
    gate.clock.advance(LOGIN_SECONDS)
    assert late.aborted
    gate.lose(late)
    assert gate.lines == ['no-login source=192.0.2.7 why="no login within the deadline"']
    assert not gate.connect().aborted


def test_loopback_works_off_nothing():
    gate = Gate()
    for _ in range(50):
        bad = gate.connect("127.0.0.1")
        bad.protocol.dataReceived(GARBAGE)
        gate.lose(bad)
    assert not gate.connect("127.0.0.1").aborted
