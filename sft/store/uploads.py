"""Queries on open uploads: objects that are being written, or were when a process died."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sft.store.criteria import by_key, following, ids_after, rows_with
from sft.store.row_types import UploadRow
from sft.store.rows import ReadTransaction
from sft.store.schema import UploadModel

_IDS: Final = following(UploadModel.object_id)
_BY_ID: Final = by_key(UploadRow, UploadModel.object_id)


def upload_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Return the object ids of the open uploads that follow one; unverified."""
    return ids_after(reading, _IDS, after, limit)


def uploads_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[UploadRow]:
    """Load the open uploads of these objects."""
    return rows_with(reading, _BY_ID, object_ids)
