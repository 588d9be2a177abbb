"""What the operator's configuration decides for acts and queries: plain numbers, each with its unit in its name.

Rules. One value, replaced as a whole where the operator changes something: a transaction carries the one that ruled when
it began (``ReadTransaction.policy``). The defaults stand in ``sft.limits``.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sft.limits import TRASH_DAYS, VERSIONS_KEPT

_DAY: Final = 24 * 3600


class ServerPolicy(Struct, frozen=True):
    """What rules acts and queries beside the rows.

    Attributes:
        trash_days: how long what was deleted can be brought back.
        versions_kept: of how many of a file's newest versions the contents are kept, one at least.
    """

    trash_days: int = TRASH_DAYS
    versions_kept: int = VERSIONS_KEPT

    @property
    def trash_seconds(self) -> int:
        return self.trash_days * _DAY
