"""What was refused last, for admins who look on: who asked for what, why not, when, and how often.

Rules. The same again is counted, not kept again: nobody fills it by asking on and on. Who has not logged in has a place apart,
so that strangers, of whom there may be any number, push out nobody's line. What peers sent is cut. The reactor's thread alone
comes here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sft.limits import LOGGED_TEXT
from sft.model.status import REFUSALS_MOST, LastRefusal

STRANGERS_MOST: Final = 20
_PEOPLE_MOST: Final = REFUSALS_MOST - STRANGERS_MOST

_Key = tuple[str, str, str]


class LastRefusals:
    """Refusals of one server.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._of_people: OrderedDict[_Key, LastRefusal] = OrderedDict()
        self._of_strangers: OrderedDict[_Key, LastRefusal] = OrderedDict()

    def of_person(self, name: str, request: str, code: str, about: str) -> None:
        """Keep what a person, or the operator, was refused."""
        _keep(self._of_people, _PEOPLE_MOST, self._refusal(name, request, code, about, is_person=True))

    def of_stranger(self, address: str, request: str, code: str) -> None:
        """Keep who was not let in."""
        _keep(self._of_strangers, STRANGERS_MOST, self._refusal(address, request, code, "", is_person=False))

    def newest(self) -> tuple[LastRefusal, ...]:
        """Return them, the newest first."""
        kept = [*reversed(self._of_people.values()), *reversed(self._of_strangers.values())]
        return tuple(sorted(kept, key=lambda each: -each.at))

    def _refusal(self, who: str, request: str, code: str, about: str, *, is_person: bool) -> LastRefusal:
        return LastRefusal(self._clock(), 1, who[:LOGGED_TEXT], is_person, request, code, about[:LOGGED_TEXT])


def _keep(kept: OrderedDict[_Key, LastRefusal], most: int, refusal: LastRefusal) -> None:
    key = refusal.who, refusal.request, refusal.code
    before = kept.pop(key, None)
    if before is not None:
        refusal = LastRefusal(
            refusal.at, before.times + 1, refusal.who, refusal.is_person, refusal.request, refusal.code, refusal.about
        )
    kept[key] = refusal
    if len(kept) > most:
        kept.popitem(last=False)
