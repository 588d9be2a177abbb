"""How much all people together own: the sums of their figures, in one setting.

Rules. Whatever changes somebody's figures by more than it takes from another's changes these with them, in its transaction
(``sft.store.figures``). So a quota of all is judged by one row, however many people there are.
"""

from __future__ import annotations

from sft.model.quotas import Usage
from sft.store.rows import ReadTransaction, Transaction
from sft.store.settings import STORED, change_setting, setting


def total_text(total: Usage) -> bytes:
    """Write the setting: files, in the trash too, and the bytes of all their versions."""
    return b"%d %d" % (total.files, total.size_bytes)


def total_owned(reading: ReadTransaction) -> Usage:
    """Load what all people own together; RowForgedError where that was changed or taken away."""
    return Usage(*(int(each) for each in setting(reading, STORED).split()))


def add_to_total(transaction: Transaction, more: Usage) -> None:
    """Note that all own so much more than before."""
    if more != Usage():
        change_setting(transaction, STORED, total_text(total_owned(transaction) + more))
