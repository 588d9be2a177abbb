"""Holding the figures that acts keep against what is there: each folder's, what each person owns, and all together.

Rules. A page of folders or people is counted and compared in one transaction, so no act is between the two. Rows that do not
hold were reported before, and are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from sft.errors import RowForgedError, StoreError
from sft.model.records import UserState
from sft.service.maintenance.report import FORGED, PAGE, BeginRead, Report, sound_rows
from sft.service.maintenance.walking import walk
from sft.store.figures import user_figures
from sft.store.folders import ROOT_ID, folder_ids_after, folders_by_id, path_of
from sft.store.recount import recounted_folders, recounted_total, recounted_users, user_ids
from sft.store.row_types import FolderRow
from sft.store.rows import ReadTransaction
from sft.store.totals import total_owned
from sft.store.users import user_by_id, users_by_id

_EXACT: Final = ("files", "folders", "files_below", "folders_below", "owner_sum", "owner_squares")

_Keys = Callable[[ReadTransaction, int, int], list[int]]
_Faults = list[tuple[str, str]]
_Wrong = Callable[[ReadTransaction, list[int]], Iterator[tuple[str, str]]]


def check_figures(begin_read: BeginRead, report: Report, damaged: Callable[[str, StoreError], None]) -> None:
    """Report every folder and everybody whose figures are not what can be counted.

    Args:
        damaged: told of a table and of a page of it that cannot be read.
    """
    wrong_figures = 0

    def take(faults: _Faults) -> None:
        nonlocal wrong_figures
        wrong_figures += len(faults)
        for what, problem in faults:
            report.fault(what, problem)

    for table, keys, wrong in (("folders", folder_ids_after, _wrong_folders), ("user_figures", user_ids, _wrong_users)):

        def read(after: int, limit: int, keys: _Keys = keys, wrong: _Wrong = wrong) -> tuple[_Faults, int | None]:
            with begin_read() as reading:
                ids = keys(reading, after, limit)
                return list(wrong(reading, ids)), ids[-1] if ids else None

        walk(read, PAGE, take, partial(damaged, table))
    if wrong_figures:
        return  # what all own together follows from what each does
    try:
        with begin_read() as reading, suppress(RowForgedError):
            take(list(_wrong_total(reading)))
    except StoreError as fault:
        damaged("settings", fault)


def _wrong_folders(reading: ReadTransaction, numbers: list[int]) -> Iterator[tuple[str, str]]:
    rows, _ = sound_rows(lambda keys: list(folders_by_id(reading, keys).values()), numbers)
    counted = recounted_folders(reading, rows)
    for row in rows:
        found = counted[row.id]
        wrong = [name for name in _EXACT if getattr(row, name) != getattr(found, name)]
        wrong += ["reach"] if row.reach < found.reach else []
        if wrong:
            yield _folder_name(reading, row), _differences(row, found, wrong)


def _wrong_users(reading: ReadTransaction, numbers: list[int]) -> Iterator[tuple[str, str]]:
    rows, faults = sound_rows(lambda keys: list(user_figures(reading, keys).values()), numbers)
    counted = recounted_users(reading, [row.user_id for row in rows])
    for row in rows:
        found = counted[row.user_id]
        wrong = [name for name in ("files", "size_bytes") if getattr(row, name) != getattr(found, name)]
        if wrong:
            yield _user_name(reading, row.user_id), _differences(row, found, wrong)
        if row.heir_id is not None and not _may_inherit(reading, row.user_id, row.heir_id):
            name = _user_name(reading, row.heir_id)
            yield _user_name(reading, row.user_id), f"the files are being handed over to {name}, who is no heir"
    for fault in faults:
        yield f"row {fault.row} of {fault.table}", FORGED


def _wrong_total(reading: ReadTransaction) -> Iterator[tuple[str, str]]:
    kept, counted = total_owned(reading), recounted_total(reading)
    wrong = [name for name in ("files", "size_bytes") if getattr(kept, name) != getattr(counted, name)]
    if wrong:
        yield "the figures of all people", _differences(kept, counted, wrong)


def _may_inherit(reading: ReadTransaction, user_id: int, heir_id: int) -> bool:
    """Return whether one who was removed hands over to one who was not; forged rows are reported by themselves."""
    users, _ = sound_rows(lambda keys: list(users_by_id(reading, keys).values()), [user_id, heir_id])
    removed = {user.id for user in users if user.state == UserState.REMOVED}
    return removed == {user_id} and heir_id != user_id


def _folder_name(reading: ReadTransaction, row: FolderRow) -> str:
    if row.id == ROOT_ID:
        return "the root folder"
    with suppress(RowForgedError):
        return f"folder {path_of(reading, row.id).text}"
    return f"folder {row.id}"


def _user_name(reading: ReadTransaction, user_id: int) -> str:
    with suppress(RowForgedError):
        user = user_by_id(reading, user_id)
        if user is not None:
            return f"user {user.name}"
    return f"user {user_id}"


def _differences(kept: object, counted: object, names: list[str]) -> str:
    differ = (f"{name.replace('_', ' ')} {getattr(kept, name)}, counted {getattr(counted, name)}" for name in names)
    return f"the kept figures are not what is there: {'; '.join(differ)}"
