"""Quotas, as `sft` and `sftd` show them."""

from __future__ import annotations

from sft.cli.columns import aligned
from sft.cli.console import Console
from sft.cli.json_output import Document, owned_document, user_document
from sft.limits import FILE_BYTES
from sft.model.quotas import limit_text
from sft.model.records import QuotaReport, QuotaUsage, User
from sft.model.text import counted, owned_text, quota_text, shown_name, size_text


def show_quota(console: Console, report: QuotaReport, *, of_everybody: bool = False) -> None:
    """Show what somebody may own, and what of it is taken.

    Args:
        of_everybody: it is the operator's, who owns nothing: shown is what people may own.
    """
    rows = [("everybody may own" if of_everybody else "may own", f"{_may_own(report.owned)}{_set_for(report)}")]
    if not of_everybody:
        rows.append(("owned", f"{_owned(report.owned)}, with older versions and the trash"))
    if report.reserved_files or report.reserved_bytes:
        reserved = f"{size_text(report.reserved_bytes)}, {counted(report.reserved_files, 'new file')}"
        rows.append(("reserved", f"{reserved}, for uploads that are not finished"))
    if report.file_bytes < FILE_BYTES:
        rows.append(("one file", f"{size_text(report.file_bytes)} at most"))
    if report.everybody is not None:
        rows.append(("all together", f"{_owned(report.everybody)}; may own {_may_own(report.everybody)}"))
    title = () if of_everybody else (("user", shown_name(report.user)),)
    console.show(_document(report), *aligned([*title, *rows]))


def show_changed_quota(console: Console, user: User) -> None:
    may_own = quota_text(user.quota_files, user.quota_bytes)
    has = owned_text(user.files, user.bytes_stored, user.quota_files, user.quota_bytes)
    console.show(user_document(user), f"{shown_name(user.name)} may own {may_own}; owned now: {has}.")


def _may_own(usage: QuotaUsage) -> str:
    return quota_text(usage.quota_files, usage.quota_bytes)


def _owned(usage: QuotaUsage) -> str:
    return owned_text(usage.files, usage.bytes_stored, usage.quota_files, usage.quota_bytes)


def _set_for(report: QuotaReport) -> str:
    return "" if report.set_files is None and report.set_bytes is None else ", as was set for them"


def _document(report: QuotaReport) -> Document:
    everybody = report.everybody
    return {
        "user": report.user,
        **owned_document(report.owned),
        "reserved_files": report.reserved_files,
        "reserved_bytes": report.reserved_bytes,
        "set_files": limit_text(report.set_files),
        "set_bytes": limit_text(report.set_bytes),
        "file_bytes": report.file_bytes,
        "everybody": None if everybody is None else owned_document(everybody),
    }
