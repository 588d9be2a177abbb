"""What was refused last."""

from __future__ import annotations

from sft.limits import LOGGED_TEXT
from sft.model.status import REFUSALS_MOST
from sft.server.last_refusals import STRANGERS_MOST, LastRefusals


class Kept(LastRefusals):
    """Refusals, a second apart."""

    def __init__(self) -> None:
        self.now = 0
        super().__init__(self._next)

    def _next(self) -> int:
        self.now += 1
        return self.now


def test_the_newest_come_first_and_the_same_again_is_counted():
    kept = Kept()
    kept.of_person("max", "Move", "NOT_YOURS", "a")
    kept.of_person("gus", "GetFile", "NOT_FOUND", "b")
    kept.of_person("max", "Move", "NOT_YOURS", "c")
    kept.of_person("max", "Move", "NOT_FOUND", "c")
    told = [(each.who, each.code, each.about, each.times, each.at) for each in kept.newest()]
    assert told == [("max", "NOT_FOUND", "c", 1, 4), ("max", "NOT_YOURS", "c", 2, 3), ("gus", "NOT_FOUND", "b", 1, 2)]


def test_strangers_push_out_nobody_and_all_of_it_is_bounded():
    kept = Kept()
    kept.of_person("max", "Move", "NOT_YOURS", "a")
    for number in range(1000):
        kept.of_stranger(f"203.0.113.{number}", "login", "LOGIN_REFUSED")
    told = kept.newest()
    assert len(told) == STRANGERS_MOST + 1
    assert (told[0].who, told[-1].who, told[-1].is_person, told[0].is_person) == ("203.0.113.999", "max", True, False)
    for number in range(1000):
        kept.of_person(f"p{number}", "Move", "NOT_YOURS", "a")
    assert len(kept.newest()) == REFUSALS_MOST


def test_what_a_peer_sent_is_cut():
    kept = Kept()
    kept.of_person("max", "Move", "NOT_YOURS", "x" * 5000)
    assert kept.newest()[0].about == "x" * LOGGED_TEXT
