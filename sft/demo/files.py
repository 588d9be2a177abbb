"""The files of the demo that a person explores: what lies on its server, and what lies here to be sent.

Rules. Most are real ones: Python's own sources and sft's own documents. The rest is short, and reads as what it is.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sft
from sft.demo.stage import library_files
from sft.limits import MIB

LARGE_MIB: Final = 48
_DOCUMENTS: Final = ("wire/PROTOCOL.md", "vault/FORMAT.md")

_TITLE: Final = "# Welcome\n\n"
_PRIVATE: Final = "This server is private to you"
WELCOME: Final = (
    f"{_TITLE}{_PRIVATE}.\n",
    f"{_TITLE}{_PRIVATE}, and gone when you quit.\n",
    f"{_TITLE}{_PRIVATE}, and gone when you quit. Send, get, invite: nothing can be broken for good.\n",
)
BUDGET: Final = (
    "item,2025,2026\nrent,18000,18000\npaper,420,380\n",
    "item,2025,2026\nrent,18000,18600\npaper,420,380\n",
    "item,2025,2026\nrent,18000,18600\npaper,420,380\ntrain,0,2400\n",
)
_ROADMAP: Final = "# Roadmap\n\n1. Files that everybody can check.\n2. Fewer attachments.\n"
_DRAFT: Final = "An old draft. It was deleted, and can be brought back from the trash.\n"
# Long enough to lie in a file of the vault: what is small lies in the database.
FORGED: Final = "staged-forgery/invoice.txt"
TRUE_ACCOUNT: Final = "DE02 1203 0000 0000 2020 51"
FORGED_ACCOUNT: Final = "DE02 5001 0517 0137 0750 30"
INVOICE: Final = (
    f"Invoice 2026-117\n\nPaper and ink, 380.00\nTo be paid to {TRUE_ACCOUNT}\n\n"
    "This file is a staged forgery. max signed it with one account; then the bytes were exchanged on the server's disk,\n"
    "with all of the server's keys. The server notices nothing. Your computer does: v, enter and w refuse it.\n\n"
) + "".join(f"Term {number:03}: what was agreed holds, and nothing else is meant by it.\n" for number in range(1, 301))
_LETTER: Final = "Dear max,\n\nthe figures are in plans/budget.csv.\n\nada\n"
_FIGURES: Final = "month,letters\nJanuary,31\nFebruary,28\nMarch,33\n"


def write_text(path: Path, text: str) -> Path:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def lay_out_files_of_ada(folder: Path) -> Sequence[Path]:
    """Write what ada stores, and return what lies at the top."""
    for name in _DOCUMENTS:
        source = Path(sft.__file__).parent / name
        (folder / "handbook").mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, folder / "handbook")
    write_text(folder / "welcome.md", WELCOME[0])
    return [folder / "handbook", folder / "welcome.md"]


def lay_out_files_of_max(folder: Path) -> Sequence[Path]:
    """Write what max stores, and return what lies at the top."""
    for package in ("json", "email"):
        copy_package(package, folder / "python" / package)
    write_text(folder / "plans" / "budget.csv", BUDGET[0])
    write_text(folder / "plans" / "draft.md", _DRAFT)
    write_text(folder / "plans" / "roadmap.md", _ROADMAP)
    for year in (2023, 2024):
        write_text(folder / "plans" / "archive" / f"{year}.md", _DRAFT)
    write_text(folder / FORGED, INVOICE)
    return [folder / "python", folder / "plans", (folder / FORGED).parent]


def lay_out_files_to_send(folder: Path) -> None:
    """Write what a person finds here to send: small files, a folder, and one that takes a moment."""
    write_text(folder / "letter.txt", _LETTER)
    write_text(folder / "figures.csv", _FIGURES)
    copy_package("sqlite3", folder / "sqlite3")
    with (folder / "large.bin").open("wb") as large:
        for _ in range(LARGE_MIB):
            large.write(os.urandom(MIB))


def copy_package(name: str, target: Path) -> None:
    """Copy the sources of one of Python's own packages."""
    source = Path(sysconfig.get_paths()["stdlib"]) / name
    for below in library_files(source):
        (target / below).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / below, target / below)
