"""What an evil server tries on the program as it is, and what a person is told: SECURITY.md has the table of these.

Rules. Each gets what it lies about once before, in the same server, where nobody lies yet: so it is the lie that is refused. It
returns whose command is refused, and that command. Every one takes the strongest form that its means allow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from tests.integration.evil.evil_server import EvilServer

LINE: Final = "answers"  # says over the line what is not so
ROWS: Final = "rows"  # its rows say so, with MACs that are right
LOG: Final = "log"  # a leaf of its log says so, under its signed head
HOME: Final = "home"  # runs another home under the same keys

Names = tuple[str, ...]


class Refused(NamedTuple):
    """The command that is refused.

    Attributes:
        who: types it.
        words: of the command; ``get`` gets its names into a new folder.
        stdin: a link, perhaps.
    """

    who: str
    words: Names
    stdin: str = ""


class Attack(NamedTuple):
    """One attack.

    Attributes:
        lie: what it would have people believe.
        means: of the above.
        noticed: by whom, and when.
        says: words of what the person is told, after the server's name or the file's.
        code: of the error.
        status: of the command.
    """

    lie: str
    means: str
    noticed: str
    says: str
    code: str
    try_: Callable[[EvilServer], Refused]
    status: int = 7

    @property
    def fatal(self) -> bool:
        """Whether nothing is asked of this server any more until a person has looked."""
        return self.code in {"LOG_PROOF", "LOG_FORKED", "LOG_WENT_BACK"}


ATTACKS: Final[list[Attack]] = []


def attack(
    lie: str, means: str, *, noticed: str, says: str, code: str, status: int = 7
) -> Callable[[Callable[[EvilServer], Refused]], Callable[[EvilServer], Refused]]:
    """Register what tries it."""

    def register(try_: Callable[[EvilServer], Refused]) -> Callable[[EvilServer], Refused]:
        ATTACKS.append(Attack(lie, means, noticed, says, code, try_, status))
        return try_

    return register
