"""The tour of the demo: five lines, each until what it says was done. Pure.

Rules. It follows the person: what was done before its line came is not asked for again, and nothing waits for it. It ends by
itself after the last line, or when it is told to.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Did(StrEnum):
    """What a person has done, as far as the tour asks for it."""

    VERIFIED = "verified"
    LOOKED = "looked"
    ASKED_WHY = "asked why"
    MET_FORGERY = "met a forgery"
    STORED = "stored"


STEPS: Final = (
    (
        Did.VERIFIED,
        "v on a file: this computer reads all of it and checks its author's signature. Try plans/roadmap.md.",
    ),
    (
        Did.LOOKED,
        "You have just checked a signature, and the list says so. Enter looks into a file, once it was verified.",
    ),
    (
        Did.ASKED_WHY,
        "w draws why a file can be believed, from the server's pinned key to the bytes that came. esc closes it.",
    ),
    (
        Did.MET_FORGERY,
        "Now a staged forgery: v or enter on staged-forgery/invoice.txt. The server exchanged its bytes.",
    ),
    (
        Did.STORED,
        "Nothing was kept of it: the server has its own keys, not max's. Now tab, and c stores a file, signed by you.",
    ),
)
_OVER: Final = (
    "That was the tour; esc takes this away. ? has every key, : every act by its name; q quits, and all of it goes."
)


class Tour:
    """How far a person is.

    Attributes:
        is_over: it has nothing to say any more.
    """

    def __init__(self) -> None:
        self._done: set[Did] = set()
        self.is_over = False

    @property
    def line(self) -> str:
        """What stands at the bottom now; empty when it is over."""
        if self.is_over:
            return ""
        for number, (what, text) in enumerate(STEPS, 1):
            if what not in self._done:
                return f"{number}/{len(STEPS)}  {text}"
        return _OVER

    def note(self, what: Did) -> bool:
        """Note what was done; return whether another line stands there now."""
        before = self.line
        self._done.add(what)
        return self.line != before

    def end(self) -> bool:
        """End it; return whether it was not over."""
        was_over, self.is_over = self.is_over, True
        return not was_over
