from __future__ import annotations

import ipaddress

import pytest

from sft.limits import (
    PENALTY_COUNTS_SECONDS,
    PENALTY_CRASH_SECONDS,
    PENALTY_MOST_SECONDS,
    PENALTY_SOURCES,
    UNAUTHENTICATED_PER_SOURCE,
)
from sft.server.admission import Admission, Offense, source_of


def test_a_source_is_an_address_or_a_64_of_ipv6():
    assert source_of("192.0.2.7") == "192.0.2.7"
    assert source_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert source_of("2001:db8:1:2::9") == source_of("2001:db8:1:2:ffff::1")
    assert source_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert source_of("fe80::1%eth0") == "fe80::/64"
    assert source_of("") == "local"


def test_over_the_limit_of_a_source_its_oldest_goes_and_the_new_one_stays():
    admission = Admission(per_source=2)
    assert admission.admit("a", "192.0.2.7") is None
    assert admission.admit("b", "192.0.2.7") is None
    assert admission.admit("c", "192.0.2.7") == "a"
    assert admission.waiting == 2


def test_at_the_total_limit_the_oldest_of_the_fullest_source_goes():
    admission = Admission(total=4, per_source=99)
    for name in "abc":
        admission.admit(name, "192.0.2.7")
    admission.admit("honest", "198.51.100.1")
    assert admission.admit("new", "203.0.113.5") == "a"
    assert admission.waiting == 4


def test_a_login_frees_its_place():
    admission = Admission(per_source=1)
    admission.admit("a", "192.0.2.7")
    admission.release("a")
    admission.release("a")
    assert admission.admit("b", "192.0.2.7") is None


def test_small_offenses_count_only_in_sum():
    admission = Admission()
    for _ in range(PENALTY_COUNTS_SECONDS // Offense.BAD_LOGIN.value - 1):
        admission.penalize("192.0.2.7", Offense.BAD_LOGIN, 100.0)
    assert admission.refused_for("192.0.2.7", 100.0) == 0
    admission.penalize("192.0.2.7", Offense.BAD_LOGIN, 100.0)
    assert admission.refused_for("192.0.2.7", 100.0) >= PENALTY_COUNTS_SECONDS


def test_penalties_end_and_are_capped():
    admission = Admission()
    for _ in range(100):
        admission.penalize("192.0.2.7", Offense.BROKE_PROTOCOL, 0.0)
    assert admission.refused_for("192.0.2.7", 0.0) == PENALTY_MOST_SECONDS
    assert admission.refused_for("192.0.2.7", PENALTY_MOST_SECONDS + 1.0) == 0


def test_another_source_is_not_touched():
    admission = Admission()
    admission.penalize("192.0.2.7", Offense.BROKE_PROTOCOL, 0.0)
    assert admission.refused_for("192.0.2.7", 1.0) == PENALTY_CRASH_SECONDS - 1
    assert admission.refused_for("192.0.2.8", 1.0) == 0


def test_loopback_and_listed_networks_are_exempt():
    admission = Admission([ipaddress.ip_network("10.1.0.0/16")])
    for source in ("127.0.0.1", "10.1.2.3", "local", source_of("::1")):
        for number in range(UNAUTHENTICATED_PER_SOURCE + 5):
            assert admission.admit(f"{source}{number}", source) is None
        admission.penalize(source, Offense.BROKE_PROTOCOL, 0.0)
        assert admission.refused_for(source, 0.0) == 0


def test_one_listed_host_of_ipv6_exempts_its_source():
    admission = Admission([ipaddress.ip_network("2001:db8::7/128")])
    assert admission.is_exempt(source_of("2001:db8::7"))
    assert not admission.is_exempt(source_of("2001:db8:0:1::7"))


@pytest.mark.long
def test_the_memory_of_penalties_is_bounded_and_forgets_what_ends_soonest():
    admission = Admission()
    admission.penalize("192.0.2.1", Offense.BROKE_PROTOCOL, 0.0)
    for number in range(PENALTY_SOURCES):
        admission.penalize(str(ipaddress.ip_address(0x0B000000 + number)), Offense.NO_LOGIN, 0.0)
    assert len(admission._penalties) == PENALTY_SOURCES
    assert admission.refused_for("192.0.2.1", 1.0) > 0
