"""Connections that nobody has proved anything on, from addresses of all sorts."""

from __future__ import annotations

import pytest

from sft.limits import (
    LIMITED_LINES,
    LIMITED_LINES_PER_CAUSE,
    LIMITED_LINES_SECONDS,
    LOGIN_SECONDS,
    PENALTY_COUNTS_SECONDS,
    PENALTY_CRASH_SECONDS,
    PENALTY_MOST_SECONDS,
    PENALTY_SILENT_SECONDS,
    UNAUTHENTICATED,
    UNAUTHENTICATED_PER_SOURCE,
)
from sft.server.limited_log import NAMED
from sft.wire.framing import frame
from tests.adapters.ends import Gate
from tests.wire_pairs import pair

GARBAGE = b"\xff" * 8
# A hello that holds, and then what is no login.
BROKEN_LOGIN = pair.new_client().data_to_send() + GARBAGE
HTTP = b"GET / HTTP/1.1\r\nHost: files.acme.example:7361\r\n\r\n"


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
    bad.protocol.dataReceived(BROKEN_LOGIN)
    assert bad.aborted
    gate.lose(bad)
    refused = gate.connect()
    assert refused.aborted
    assert refused.value() == b""
    assert not gate.connect("192.0.2.8").aborted, "the neighbor is let in"
    assert gate.lines[0].startswith("no-login source=192.0.2.7 why=")
    assert gate.lines[1] == f"refused source=192.0.2.7 seconds={PENALTY_CRASH_SECONDS}"
    gate.clock.advance(PENALTY_CRASH_SECONDS)
    assert not gate.connect().aborted


@pytest.mark.parametrize("first", [HTTP, GARBAGE, b"\0\0\0\x05SFT2\1", frame(b"SFT1" + bytes(200)), b"\x16\3\1\2\0\1"])
def test_what_fails_before_a_well_formed_hello_costs_a_second_and_keeps_no_office_out(first: bytes):
    gate = Gate()
    for _ in range(PENALTY_COUNTS_SECONDS // PENALTY_SILENT_SECONDS - 1):
        stray = gate.connect()
        stray.protocol.dataReceived(first)
        gate.lose(stray)
    honest = gate.connect()
    assert not honest.aborted
    honest.protocol.dataReceived(pair.new_client().data_to_send())
    assert honest.value(), "the server's hello"


def test_ten_lines_a_minute_tell_of_a_source_and_then_their_number():
    gate = Gate()
    for _ in range(LIMITED_LINES_PER_CAUSE + 90):
        gate.lose(gate.connect("127.0.0.1"))
    gate.lose(gate.connect("192.0.2.9"))
    said = [line.split()[1] for line in gate.lines]
    assert said == ["source=local"] * LIMITED_LINES_PER_CAUSE + ["source=192.0.2.9"]
    gate.clock.advance(LIMITED_LINES_SECONDS)
    assert gate.lines[-1] == "strangers source=local lines_left_out=90"
    gate.lose(gate.connect("127.0.0.1"))
    assert gate.lines[-1].startswith("no-login source=local"), "a minute later it is told again"


@pytest.mark.long
def test_strangers_from_everywhere_have_a_bounded_number_of_lines():
    gate = Gate()
    for number in range(LIMITED_LINES + 200):
        gate.lose(gate.connect(f"10.0.{number // 256}.{number % 256}"))
    assert len(gate.lines) == LIMITED_LINES
    gate.context.strangers.stop()
    assert len(gate.lines) == LIMITED_LINES + NAMED + 1
    assert gate.lines[-1] == "strangers source=others lines_left_out=100"


def test_penalties_add_up_to_a_bound():
    gate = Gate()
    many = [gate.connect() for _ in range(30)]
    for transport in many:
        transport.protocol.dataReceived(BROKEN_LOGIN)
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
        bad.protocol.dataReceived(BROKEN_LOGIN)
        gate.lose(bad)
    assert not gate.connect("127.0.0.1").aborted
