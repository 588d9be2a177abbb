"""``vault quarantine``: what a start put aside because no file names it. Looked at and dropped in the folder itself.

No server is asked: it only ever puts something there, under a name of its own, and opens nothing of it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from sft import durable
from sft.cli.console import Console
from sft.errors import HomeError
from sft.model.names import safe
from sft.model.text import count_text, size_text, utc_time
from sft.operator.control import require_server
from sft.operator.home import Home
from sft.vault.object_directory import QUARANTINE, files_below


def show(home: Home, options: Any) -> int:
    """List what lies there; return the exit status."""
    console = _console(options)
    found = _entries(home)
    if console.json:
        console.document(
            [{"name": name, "size": size, "last_written": utc_time(moment)} for name, size, moment in found]
        )
        return 0
    console.table(
        [(safe(name), size_text(size), utc_time(moment)) for name, size, moment in found],
        head=("name", "size", "last written"),
        right=(1,),
        fields=[(safe(name), str(size), utc_time(moment)) for name, size, moment in found],
    )
    if not found:
        console.note("Nothing is put aside.")
    return 0


def drop(home: Home, options: Any) -> int:
    """Delete all that lies there, for good; return the exit status."""
    console = _console(options)
    found = _entries(home)
    _remove(home, [name for name, _, _ in found])
    size = sum(size for _, size, _ in found)
    document = {"dropped": len(found), "bytes": size}
    console.show(document, f"dropped {count_text(len(found))} from the quarantine, {size_text(size)}")
    return 0


def _console(options: Any) -> Console:
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    return console


def _entries(home: Home) -> list[tuple[str, int, int]]:
    require_server(home)
    try:
        with durable.opened_folder(home.vault / QUARANTINE) as folder:
            return sorted(files_below(folder))
    except OSError as error:
        raise _trouble(home, error) from error


def _remove(home: Home, names: list[str]) -> None:
    try:
        with durable.opened_folder(home.vault / QUARANTINE) as folder:
            for name in names:
                os.unlink(name, dir_fd=folder)
            # Segments of an object lie in a folder of their own.
            for name in {above for name in names if (above := name.rpartition("/")[0])}:
                os.rmdir(name, dir_fd=folder)
            durable.sync_folder(folder)
    except OSError as error:
        raise _trouble(home, error) from error


def _trouble(home: Home, error: OSError) -> HomeError:
    return HomeError(
        str(error),
        home=str(home.path),
        problem=f"its quarantine cannot be read or emptied ({error.strerror})",
        remedy="Run this as the user that owns it",
    )
