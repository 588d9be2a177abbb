"""Queries on open uploads: objects that are being written, or that wait for who goes on with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sft.store.criteria import by_key, following, following_keys, ids_after, keys_after, rows_with
from sft.store.row_types import UploadRow
from sft.store.rows import ReadTransaction
from sft.store.schema import UploadModel
from sft.store.statements import rows_of, value

_IDS: Final = following(UploadModel.object_id)
_BY_ID: Final = by_key(UploadRow, UploadModel.object_id)
_OF_USER: Final = rows_of(
    UploadRow,
    UploadModel.user_id == value("user_id"),
    UploadModel.upload_id.is_not(None),
    order_by=[UploadModel.expires_at, UploadModel.object_id],
)
_ONE: Final = rows_of(UploadRow, UploadModel.user_id == value("user_id"), UploadModel.upload_id == value("upload_id"))
_RESERVED: Final = rows_of(UploadRow, UploadModel.owner_id == value("owner_id"))
_OVERDUE: Final = following_keys(
    (UploadModel.expires_at, UploadModel.object_id), UploadModel.expires_at <= value("moment")
)
_SEALED: Final = following_keys((UploadModel.epoch, UploadModel.object_id))
_BEFORE_EPOCH: Final = following_keys((UploadModel.epoch, UploadModel.object_id), UploadModel.epoch < value("epoch"))

UploadKey = tuple[int, bytes]
"""Until when an upload is kept, or its epoch; and its object's id."""

BEFORE_ALL_OVERDUE: Final[UploadKey] = (-1, b"")
BEFORE_ALL_SEALED: Final[UploadKey] = (0, b"\xff" * 17)  # those without a key are of epoch 0


def upload_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the object ids of the open uploads that follow one; unverified."""
    return ids_after(reading, _IDS, after, limit)


def uploads_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[UploadRow]:
    """Load the open uploads of these objects."""
    return rows_with(reading, _BY_ID, object_ids)


def upload_of(reading: ReadTransaction, user_id: int, upload_id: bytes) -> UploadRow | None:
    """Load the upload that a person's client has named so, if it can be gone on with."""
    return reading.rows.one(_ONE, user_id=user_id, upload_id=upload_id)


def uploads_of_user(reading: ReadTransaction, user_id: int) -> list[UploadRow]:
    """Load what a person can go on with, the one that is kept the shortest first: some more than ``OPEN_UPLOADS`` at most."""
    return reading.rows.all(_OF_USER, user_id=user_id)


def uploads_reserving(reading: ReadTransaction, owner_id: int) -> list[UploadRow]:
    """Load the open uploads for which something of a person's quota is reserved, whoever stores: some dozens at most."""
    return reading.rows.all(_RESERVED, owner_id=owner_id)


def overdue_uploads(reading: ReadTransaction, moment: int, after: UploadKey, limit: int) -> list[UploadKey]:
    """Return the keys, that follow one, of what nobody may go on with since a moment (Unix s); unverified."""
    return keys_after(reading, _OVERDUE, after, limit, moment=moment)


def sealed_uploads(reading: ReadTransaction, after: UploadKey, limit: int) -> list[UploadKey]:
    """Return the keys, that follow one, of open uploads whose rows hold data keys; unverified."""
    return keys_after(reading, _SEALED, after, limit)


def uploads_before_epoch(reading: ReadTransaction, epoch: int, after: UploadKey, limit: int) -> list[UploadKey]:
    """Return those whose data key an older master key than that of ``epoch`` seals; unverified, as with versions."""
    return keys_after(reading, _BEFORE_EPOCH, after, limit, epoch=epoch)
