"""Which of two folders is the server's: ``SERVER:FOLDER``, as scp, rsync and rclone write it.

Rules. Exactly one side is marked. The server may be left out (``:FOLDER``): the default one, or that of --profile. A colon
after a ``/`` marks nothing (``./a:b`` is a folder here). A name on a server never holds a colon.
"""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path

from sft.cli.invocation import Invocation
from sft.errors import LocalFileError, UsageError
from sft.model.names import parse_path
from sft.model.text import shell_line, shell_name, shell_path


@dataclass(frozen=True, slots=True)
class Addresses:
    """Two folders.

    Args:
        up: the server's is the target.
        profile: its server, if named.
        folder: on the server; empty for its root.
    """

    up: bool
    profile: str | None
    local: Path
    folder: str


def parse_addresses(source: str, target: str, command: str) -> Addresses:
    """Tell the sides apart.

    Args:
        command: as it is typed, for what is said of a mistake.

    Raises:
        UsageError: not exactly one side is marked, or the other is no folder's name.
        NameNotAllowedError: the server's is no name there.
    """
    marked = server_side(source), server_side(target)
    if None not in marked:
        raise UsageError(
            problem="One of the two is a folder of this computer", remedy="One whose name holds a colon: ./NAME"
        )
    there = marked[0] or marked[1]
    if there is None:
        up = shell_line([*command.split(), source, f":{target}"])
        down = shell_line([*command.split(), f":{source}", target])
        raise UsageError(
            problem="Which folder is the server's? A colon before it says so",
            remedy=f"To the server: {up}; from it: {down}",
        )
    profile, folder = there
    local = target if marked[0] else source
    if not local:
        raise UsageError(problem="A folder here without a name", remedy="This one: .")
    return Addresses(marked[1] is not None, profile, Path(local), server_folder(folder))


def server_side(text: str) -> tuple[str | None, str] | None:
    """Return server and folder of a marked side; None for one of this computer."""
    server, colon, folder = text.partition(":")
    if not colon or "/" in server:
        return None
    return server or None, folder


def server_folder(text: str) -> str:
    """Return a folder of the server as it is typed: from the root, with no more slashes and dots than it takes.

    Raises:
        UsageError: it goes up.
        NameNotAllowedError: it is no name there.
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        meant = posixpath.normpath("/" + "/".join(parts)).strip("/")
        raise UsageError(
            problem="A folder of the server is named from its root, without ..",
            remedy=f"This one: {shell_name(f':{meant}')}",
        )
    return parse_path("/".join(parts), root=True)


def require_folder(path: Path) -> None:
    """Refuse what is no folder of this computer; LocalFileError says what would do."""
    if path.is_dir():
        return
    if path.is_file():
        remedy = f"One file: sft put {shell_path(str(path))} --to FOLDER"
        raise LocalFileError(path=str(path), problem="is a file, and a folder is wanted", remedy=remedy)
    above = path.parent
    remedy = f"Check the name: ls {shell_path(str(above))}" if above.is_dir() else "Check the name: ls"
    problem = "is no folder" if os.path.lexists(path) else "does not exist"
    raise LocalFileError(path=str(path), problem=problem, remedy=remedy)


def choose_server(invocation: Invocation, profile: str | None) -> None:
    """Have a command work with the server that its folder names, if it names one; UsageError if --profile names another."""
    if profile is None:
        return
    if invocation.profile_name not in {None, profile}:
        raise UsageError(problem="--profile names another server than the folder", remedy="Use one of them")
    invocation.profile_name = profile
