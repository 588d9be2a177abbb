"""Lines of a server's log in a file of this computer, one JSON object a line, as ``sft log --json --follow`` prints them.

Rules. A new file for its owner alone, never over another; written page by page, so that its length is no matter. What ends
before its time leaves no file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sft.client.api.log import LogLines
from sft.client.log_document import Names, line_document
from sft.client.logged import LogLine
from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.durable import create_new, open_folder, sync_file, sync_folder, write_all
from sft.errors import LocalFileError

if TYPE_CHECKING:
    from sft.transport.threads import Pool


async def export_lines(
    pool: Pool,
    read: Callable[[int], Awaitable[LogLines]],
    names: Names,
    path: Path,
    *,
    fits: Callable[[LogLine], bool] | None = None,
    report: Callable[[int], None] = lambda _: None,
) -> int:
    """Write all lines from the first on; return how many.

    Args:
        read: gives a page of the leaves from one on, after which the names in it are known.
        fits: which lines are meant; all where it is None.
        report: told after each page how many were written.

    Raises:
        LocalFileError: the name is taken, or the folder cannot be used.
        LocalDiskFullError: no room.
        SftError: as ``read`` does.
    """
    folder_fd, file_fd = await pool.run(_begin, path)
    try:
        written, start, more = 0, 0, True
        while more:
            page = await read(start)
            lines = [line for line in page.lines if fits is None or fits(line)]
            text = "".join(json.dumps(line_document(line, names)) + "\n" for line in lines)
            await pool.run(_write, path, file_fd, text.encode("ascii"))
            written, start, more = written + len(lines), page.next, page.more
            report(written)
        await pool.run(_end, path, folder_fd, file_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path.name, dir_fd=folder_fd)
        raise
    finally:
        os.close(file_fd)
        os.close(folder_fd)
    return written


def _begin(path: Path) -> tuple[int, int]:
    with translating_os_errors(path.parent):
        folder_fd = open_folder(path.parent)
    try:
        return folder_fd, create_new(folder_fd, path.name)
    except FileExistsError as error:
        os.close(folder_fd)
        raise LocalFileError(
            str(error), path=str(path), problem="is here already", remedy="Choose another name"
        ) from error
    except OSError as error:
        os.close(folder_fd)
        raise describe_os_error(error, path) from error


def _write(path: Path, file_fd: int, data: bytes) -> None:
    with translating_os_errors(path):
        write_all(file_fd, data)


def _end(path: Path, folder_fd: int, file_fd: int) -> None:
    with translating_os_errors(path):
        sync_file(file_fd)
        sync_folder(folder_fd)
