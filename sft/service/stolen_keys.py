"""Which keys fall with one that was stolen: those for which it vouched from its cut-off on, and what these vouched for.

Rules. Nobody can tell whether the person or the thief asked for such a key: so it counts as the thief's from its first leaf on,
in the leaf that says of the theft. Who vouched is found by the statement that the key keeps, not by what a row says. Clients
judge alike (``sft.client.endorsement``), and so does whoever replays the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from sft.crypto.endorsement import vouched
from sft.model.records import KeyEnd
from sft.store.row_types import DeviceKeyRow
from sft.store.rows import Transaction


def fallen_with(
    transaction: Transaction, keys: Sequence[DeviceKeyRow], stolen: Mapping[int, int]
) -> list[DeviceKeyRow]:
    """Return the keys of a user that fall with stolen ones, as they are from the leaf on that is logged next.

    Args:
        keys: all of the user's.
        stolen: cut-off of each stolen one, by its id.
    """
    cut_offs, fallen = dict(stolen), []
    for key in sorted(keys, key=lambda each: each.start_leaf):  # whoever vouches begins earlier
        if key.id in cut_offs or not any(
            _vouched(transaction, other, key) for other in keys if _in_doubt(other, key, cut_offs)
        ):
            continue
        cut_offs[key.id] = key.start_leaf
        if key.cut_off_leaf != key.start_leaf:
            fallen.append(ended(transaction, key, KeyEnd.COMPROMISED, key.start_leaf))
    return fallen


def ended(transaction: Transaction, key: DeviceKeyRow, reason: KeyEnd, cut_off: int | None) -> DeviceKeyRow:
    """Return a key as one that ends with the leaf that is logged next; one that has ended keeps its end."""
    if key.end_leaf is not None:
        return replace(key, cut_off_leaf=cut_off, end_reason=reason.value)
    return replace(
        key, ended_at=transaction.now, end_leaf=transaction.next_leaf, cut_off_leaf=cut_off, end_reason=reason.value
    )


def _in_doubt(other: DeviceKeyRow, key: DeviceKeyRow, cut_offs: Mapping[int, int]) -> bool:
    return other.id in cut_offs and cut_offs[other.id] <= key.start_leaf and other.start_leaf < key.start_leaf


def _vouched(transaction: Transaction, other: DeviceKeyRow, key: DeviceKeyRow) -> bool:
    return vouched(
        other.public_key,
        key.endorsement,
        key.public_key,
        key.device,
        user_id=key.user_id,
        server_id=transaction.rows.server_id,
    )
