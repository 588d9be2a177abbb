"""Which objects of the vault are being written: a row each, there before the first byte and gone with the commit.

    open_uploads → bytes → commit            or            open_uploads → bytes → removed → end_uploads

Rules. The acts are the server's own: whether somebody may store at all, the upload's beginning and its commit ask. A row goes
only when its object has a version, or is gone. So a start looks at these rows alone to find what a crash left.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sft.errors import RequestError
from sft.model.access import Caller, Permission, operator_caller
from sft.model.events import UploadEnded, UploadOpened
from sft.service.use_case import batch_act
from sft.store.row_types import UploadRow
from sft.store.rows import Transaction
from sft.store.uploads import uploads_by_id


class OpenUpload(Struct, frozen=True):
    """An object that is going to be written; ``user_id`` is None where the server itself does."""

    object_id: bytes
    user_id: int | None
    path: str
    caller: Caller = operator_caller()


class EndUpload(Struct, frozen=True):
    """An object that is gone, and that no version names."""

    object_id: bytes
    caller: Caller = operator_caller()


@batch_act(Permission.VAULT_MANAGE, logs=(UploadOpened,))
def open_uploads(transaction: Transaction, items: Sequence[OpenUpload]) -> Sequence[RequestError | None]:
    """Note objects before their first bytes are written."""
    transaction.rows.insert([UploadRow(item.object_id, item.user_id, item.path, transaction.now) for item in items])
    for item in items:
        transaction.log(UploadOpened(by=item.caller, object_id=item.object_id, path=item.path))
    return [None] * len(items)


@batch_act(Permission.VAULT_MANAGE, logs=(UploadEnded,))
def end_uploads(transaction: Transaction, items: Sequence[EndUpload]) -> Sequence[bool | RequestError]:
    """Forget objects that are gone; False where that was done."""
    found = {row.object_id: row for row in uploads_by_id(transaction, {item.object_id for item in items})}
    transaction.rows.delete(list(found.values()))
    for row in found.values():
        transaction.log(UploadEnded(by=operator_caller(), object_id=row.object_id, path=row.path))
    return [item.object_id in found for item in items]
