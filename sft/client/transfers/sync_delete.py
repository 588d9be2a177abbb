"""What the target of a sync has too much goes: what stands in the way first, the rest as the last step.

Rules. Only what was seen goes, and only if its source still is not there now. On the server it goes to the trash. Here it is a
regular file that is as the walk saw it, found without following a link, and gone for good; a folder goes when it is empty.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sft import durable
from sft.client.api.files import delete, show_file
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.os_errors import describe_os_error
from sft.client.session import Session
from sft.client.transfers.compare import Surplus
from sft.client.transfers.local_file import LocalFile, is_as_seen
from sft.client.transfers.sync import Item, SyncPlan
from sft.errors import FolderInTheWayError, FolderNotEmptyError, LocalChangedError, NotFoundError, SftError
from sft.model.names import join_path
from sft.model.records import FileSeen

_AT_ONCE: Final = 8

OnDeleted = Callable[[str, SftError | None], object]
"""Told a path below the folder, and why it was not deleted."""


async def delete_there(session: Session, plan: SyncPlan[Item], surplus: Surplus, done: OnDeleted) -> None:
    """Move what a folder of the server has too much to the trash."""

    async def one(below: str, *, is_folder: bool = False) -> None:
        if await session.pool.run(_has_come, plan.top / below, is_folder):
            return
        file = plan.there.get(below)
        seen = None if is_folder or file is None else FileSeen(file.id, file.version.number)
        try:
            await delete(session, join_path(plan.base, below), seen=seen)
        except NotFoundError:
            done(below, None)
        except SftError as error:
            done(below, error)
        else:
            done(below, None)

    await gather_limited(_AT_ONCE, surplus.files, one)
    for folder in surplus.folders:
        with contextlib.suppress(FolderNotEmptyError):  # something has come since
            await one(folder, is_folder=True)


def _has_come(path: Path, is_folder: bool) -> bool:  # noqa: FBT001
    """Whether the source has it now; a file is no folder, nor the reverse."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) if is_folder else stat.S_ISDIR(mode))


async def delete_here(session: Session, plan: SyncPlan[Item], surplus: Surplus, done: OnDeleted) -> None:
    """Delete what a folder of this computer has too much."""

    async def one(below: str) -> None:
        try:
            await show_file(session, join_path(plan.base, below))
        except (NotFoundError, FolderInTheWayError):
            file = plan.local[below]
            done(below, await finish_even_if_cancelled(session.pool.run(_remove, plan.top, file)))
        except SftError as error:
            done(below, error)

    await gather_limited(_AT_ONCE, surplus.files, one)
    for folder in surplus.folders:
        try:
            if await session.pool.run(_remove_folder, plan.top, folder):
                done(folder, None)
        except SftError as error:
            done(folder, error)


def _remove(top: Path, file: LocalFile) -> SftError | None:
    try:
        *above, leaf = _parts(top, file.source)
        with durable.opened_folder(top, *above) as folder:
            found = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
            if not is_as_seen(file, found):
                return LocalChangedError(path=file.source)
            os.unlink(leaf, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return describe_os_error(error, file.source)
    return None


def _remove_folder(top: Path, below: str) -> bool:
    """Remove a folder if it is empty; what else is in it is somebody's."""
    *above, leaf = below.split("/")
    try:
        with durable.opened_folder(top, *above) as folder:
            os.rmdir(leaf, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:  # something has come since
            return False
        raise describe_os_error(error, top / below) from error
    return True


def _parts(top: Path, source: str) -> Sequence[str]:
    return Path(source).relative_to(top).parts
