"""Queries on open uploads: objects that are being written, or were when a process died."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from sft.store.folders import groups
from sft.store.row_types import UploadRow
from sft.store.rows import ReadTransaction
from sft.store.schema import UploadModel


def upload_ids(reading: ReadTransaction, after: bytes, limit: int) -> list[bytes]:
    """Name the open uploads that follow one, in order; unverified, for walking through all of them."""
    found = reading.rows.aggregates(
        select(UploadModel.object_id).where(UploadModel.object_id > after).order_by(UploadModel.object_id).limit(limit)
    )
    return [object_id for (object_id,) in found]


def uploads_by_id(reading: ReadTransaction, object_ids: Collection[bytes]) -> list[UploadRow]:
    """Load the open uploads of these objects."""
    return [
        row for group in groups(object_ids) for row in reading.rows.all(UploadRow, UploadModel.object_id.in_(group))
    ]
