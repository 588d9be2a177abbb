"""Going on with the log after an honest restore: another epoch, whose first leaf says where it begins and why.

Rules. The leaves that were put back stay as they are, and the tree goes on from them: what was proved of them once is proved
for ever. From its first leaf on the log has another origin, so that nobody takes it for the one before without being told: that
leaf names the origin, size and root kept, the newest head that is known of the old one, and the reason.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import Caller, Permission, operator_caller
from sft.model.events import LogRestarted
from sft.service.use_case import act
from sft.store.ledger import change_ledger, ledger_row
from sft.store.rows import Transaction

REASON_MOST: Final = 500  # characters: everybody reads it


class Restart(Struct, frozen=True, kw_only=True):
    """How the log goes on.

    Args:
        origin: of the log before, ``root`` of the leaves that are kept of it.
        known: the signed note of the newest head that is known of it.
        known_epoch: of that head.
    """

    origin: str
    root: bytes
    known: str
    known_epoch: int
    reason: str
    caller: Caller = operator_caller()


@act(Permission.SERVER_MANAGE, logs=(LogRestarted,))
def restart_log(transaction: Transaction, item: Restart) -> int:
    """Begin another epoch with the leaves that there are; return its number."""
    row = ledger_row(transaction)
    epoch = max(row.epoch, item.known_epoch) + 1
    change_ledger(transaction, replace(row, epoch=epoch))
    transaction.log(
        LogRestarted(
            by=item.caller,
            epoch=epoch,
            origin=item.origin,
            size=row.size,
            root=item.root,
            known=item.known,
            reason=item.reason,
        )
    )
    return epoch
