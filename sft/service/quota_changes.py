"""What was set of somebody's quota, how much of it is taken, and changing it.

Rules. What is set for one person stands in the row of their figures, so it is judged with them; what is set for nobody is what
the operator's configuration says, in the moment of each act. How much people own is no secret among them, nor is their quota;
how much all own together is said to who may change quotas.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from sft.model.access import OPERATOR, Caller, Permission, allows
from sft.model.quota_events import QuotaChanged
from sft.model.quotas import Usage, limit_text
from sft.model.records import QuotaReport, QuotaUsage
from sft.service.accounts import UserChanged
from sft.service.act_statement import AskedAct, require_statement
from sft.service.quotas import Quotas
from sft.service.record_builder import RecordBuilder
from sft.service.use_case import act, query
from sft.service.users import find_user, no_user, shown
from sft.store.figures import user_figures
from sft.store.row_types import UserFiguresRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.totals import total_owned
from sft.store.users import user_by_id, user_by_name


class ChangeQuotaInput(Struct, frozen=True):
    """Ask for another quota of somebody's: bytes and files, as ``UserFiguresRow`` has them."""

    caller: Caller
    name: str
    size_bytes: int | None
    files: int | None
    statement: bytes = b""

    @property
    def asked(self) -> AskedAct:
        limits = {"bytes": limit_text(self.size_bytes), "files": limit_text(self.files)}
        return AskedAct("quota", {"name": self.name, **limits})


@act(Permission.USER_MANAGE, logs=(QuotaChanged,))
def change_quota(transaction: Transaction, item: ChangeQuotaInput) -> UserChanged:
    """Set what somebody may own; the same again changes nothing."""
    stated = require_statement(transaction, item)
    user = find_user(transaction, item.name)
    before = user_figures(transaction, [user.id])[user.id]
    after = replace(before, quota_bytes=item.size_bytes, quota_files=item.files)
    if after != before:
        transaction.rows.update([after])
        transaction.log(
            QuotaChanged(
                by=item.caller,
                user_id=user.id,
                name=user.name,
                quota_bytes=limit_text(item.size_bytes),
                quota_files=limit_text(item.files),
                **stated,
            )
        )
    (record,) = shown(transaction, [user])
    return UserChanged(record, user.role)


@query(Permission.USER_LIST)
def show_quota(reading: ReadTransaction, caller: Caller, *, name: str = "") -> QuotaReport:
    """Show what somebody may own and what of it is taken: the caller, where no name is given.

    The operator, who owns nothing, is shown so what everybody may own for whom nothing was set.
    """
    user = user_by_name(reading, name) if name else user_by_id(reading, caller.user_id or 0)
    if user is None and (name or not caller.operator):
        raise no_user(name)
    row = UserFiguresRow(0, 0, 0) if user is None else user_figures(reading, [user.id])[user.id]
    policy, reserved, everybody = reading.policy, Usage(), None
    quota = policy.quota_of(row.quota_bytes, row.quota_files)
    if user is not None:
        reserved = Quotas(RecordBuilder(reading)).reserved_of(user.id)
    if allows(caller.role, Permission.USER_MANAGE):
        everybody = _usage(total_owned(reading), policy.total_quota.files, policy.total_quota.size_bytes)
    return QuotaReport(
        user=OPERATOR if user is None else user.name,
        owned=_usage(Usage(row.files, row.size_bytes), quota.files, quota.size_bytes),
        reserved_files=reserved.files,
        reserved_bytes=reserved.size_bytes,
        set_files=row.quota_files,
        set_bytes=row.quota_bytes,
        file_bytes=policy.file_bytes,
        everybody=everybody,
    )


def _usage(owned: Usage, files: int | None, size_bytes: int | None) -> QuotaUsage:
    return QuotaUsage(owned.files, owned.size_bytes, files, size_bytes)
