"""What lies in a folder of this computer: its regular files, and by name all that is none.

Rules. No link is followed, and the folder in which sft keeps secret keys is not entered: what is sent is everybody's to read. A
download that is not finished is nobody's file yet. What cannot be read is told, never left out
silently: ``refused`` is empty only if everything below was seen. Blocks; a file costs one ``stat``, and some 400 bytes.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from sft.client.os_errors import describe_os_error
from sft.client.transfers.exclude import NOTHING_EXCLUDED, Excludes
from sft.client.transfers.local_file import LocalFile, seen_as
from sft.client.transfers.part_names import is_part
from sft.errors import LocalFileError, SftError

KEY_FOLDER: Final = "key folder"


class Refused(Struct, frozen=True):
    """What cannot be sent or fetched, and why."""

    name: str
    error: SftError


class Skipped(Struct, frozen=True):
    """What is neither file nor folder, or sft's own, and stays behind.

    Args:
        what: "link", "socket", "pipe", "device" or "key folder", which is sft's own.
        path: below the folder, as in ``LocalFile``.
    """

    name: str
    what: str
    path: str = ""


class LocalTree(Struct):
    """A folder and all below it.

    Args:
        folders: below it, whatever they hold; paths as in ``LocalFile``.
        empty: those that hold nothing; ``""`` is the folder itself.
        refused: what could not be looked at.
        excluded: how many files, folders and others stay behind by a pattern.
        left: those, and downloads that are not finished; paths.
    """

    files: list[LocalFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    excluded: int = 0
    left: list[str] = field(default_factory=list)


def walk_local(top: Path, excludes: Excludes = NOTHING_EXCLUDED, own: Path | None = None) -> LocalTree:
    """Look at a folder and all below it: its files, by name, then its folders.

    Args:
        own: where sft keeps its state, secret keys among it.

    Raises:
        LocalFileError: the folder is sft's own, or lies in it.
    """
    tree = LocalTree()
    kept_apart = None if own is None else _kept_apart(top, own)
    waiting = [(str(top), "")]
    while waiting:
        folder, path = waiting.pop()
        below: list[tuple[str, str]] = []
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=_name)
        except OSError as error:
            tree.refused.append(Refused(folder, describe_os_error(error, folder)))
            continue
        if not found:
            tree.empty.append(path)
        for entry, its_path in _composed(found, f"{path}/" if path else ""):
            _take(tree, entry, its_path, excludes, below, kept_apart)
        tree.folders.extend(its_path for _, its_path in below)
        waiting.extend(reversed(below))
    return tree


def _kept_apart(top: Path, own: Path) -> tuple[int, int] | None:
    """Return device and inode of sft's own folder; None where there is none."""
    if top.resolve().is_relative_to(own.resolve()):
        raise LocalFileError(path=str(top), problem="holds your secret key", remedy="Name another folder")
    try:
        found = own.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _composed(entries: list[os.DirEntry[str]], above: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    for entry in entries:
        name = entry.name
        yield entry, above + (name if name.isascii() else unicodedata.normalize("NFC", name))


def _take(
    tree: LocalTree,
    entry: os.DirEntry[str],
    path: str,
    excludes: Excludes,
    below: list[tuple[str, str]],
    kept_apart: tuple[int, int] | None,
) -> None:
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        if excludes.fits(path, folder=is_folder):
            tree.excluded += 1
            tree.left.append(path)
        elif is_folder and _is(entry, kept_apart):
            tree.skipped.append(Skipped(entry.path, KEY_FOLDER, path))
        elif is_folder:
            below.append((entry.path, path))
        elif entry.is_file(follow_symlinks=False):
            if is_part(entry.name):
                tree.left.append(path)
            else:
                tree.files.append(seen_as(entry.path, path, entry.stat(follow_symlinks=False)))
        else:
            mode = entry.stat(follow_symlinks=False).st_mode
            tree.skipped.append(Skipped(entry.path, _kind(mode), path))
    except FileNotFoundError:
        return  # it went while it was looked at
    except OSError as error:
        tree.refused.append(Refused(entry.path, describe_os_error(error, entry.path)))


def _is(entry: os.DirEntry[str], identity: tuple[int, int] | None) -> bool:
    if identity is None or entry.inode() != identity[1]:
        return False
    found = entry.stat(follow_symlinks=False)
    return (found.st_dev, found.st_ino) == identity


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_ISSOCK(mode):
        return "socket"
    return "pipe" if stat.S_ISFIFO(mode) else "device"
