"""acme-files on a Sunday in May, as its people left it: made by their acts, once a process, and copied for each test."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Final

from sft.limits import GIB, KIB, MIB
from sft.model.access import Role
from sft.service import accounts
from tests.fakes.memory_service import Image, MemoryService, folder, key_of

DAY: Final = 24 * 3600
MAY_3: Final = 1_777_822_271  # Sun 3 May 2026 15:31:11 UTC
SCANS: Final = "archive/scans"

HOSTILE_FILES = (
    "[@click=app.quit]x[/]",
    "evil[/nope].txt",
    "gpj.\u202eexe",
    "zero\u200bwidth.txt",
    "line\nbreak.txt",
    "bell\x07.txt",
    "\x1b[31mred.txt",
    "نام‌ها.txt",
    "👨‍👩‍👧.png",
    "統計 2026.xlsx",
    "tower" + "\u0300" * 30 + ".txt",
    "x" * 251 + ".bin",
)
HOSTILE_PEOPLE = (
    "[@click=app.pwn]x[/]",
    "evil[/nope].txt",
    "gus\u202eovi",
    "z\u200bero",
    "\x1b[31mred",
    "tower" + "\u0300" * 29,
    "x" * 60 + ".bin",
    "👨‍👩‍👧統計",
)

_FILES = (  # name, author, bytes, days ago, versions
    ("budget.xlsx", "max", 4.1 * MIB, 0.12, 3),
    ("contract.pdf", "ada", 890 * KIB, 5, 1),
    ("minutes of the annual meeting, with all appendices, signed.pdf", "eva", 1.4 * MIB, 21, 2),
    ("old-plan.pdf", "ivo", 1.9 * MIB, 428, 2),
    ("payroll.ods", "ada", 312 * KIB, 12, 9),
    ("README.md", "max", 3 * KIB, 33, 4),
)


def acme(*, many: int = 0) -> MemoryService:
    """Begin a server that holds it.

    Args:
        many: files in ``archive/scans``.
    """
    return MemoryService(_image(many), now=MAY_3)


@functools.cache
def _image(many: int) -> Image:
    service = MemoryService(now=MAY_3) if not many else acme()
    try:
        _add_scans(service, many) if many else _settle(service)
        return service.image(Path(tempfile.mkdtemp(dir=folder())))
    finally:
        service.close()


def _settle(service: MemoryService) -> None:
    now = MAY_3
    for name, role, days, device, by in (
        ("ada", Role.ADMIN, 111, "ada-laptop", ""),
        ("eva", Role.ADMIN, 110, "studio", "ada"),
        ("max", Role.MAINTAINER, 109, "laptop", "ada"),
        ("gus", Role.GUEST, 80, "gus-pc", "ada"),
        ("ivo", Role.MAINTAINER, 75, "laptop", "ada"),
        ("nightly", Role.MAINTAINER, 40, "build7", "ada"),
    ):
        with service.at(now - days * DAY):
            service.enroll(name, role, device=device, by=by)
    for path, days in (
        ("archive", 60), ("backups", 60), ("finance", 60), ("finance/2025", 60), ("photos", 60),
        ("press kit", 60), (SCANS, 58), ("finance/2026", 30), ("finance/2026/Q1", 30), ("finance/2026/Q2", 2),
    ):  # fmt: skip
        with service.at(now - days * DAY):
            service.make_folder(path, "ada")
    for name, author, size, days, versions in _FILES:
        at = int(now - days * DAY)
        with service.at(at + 3000):
            for number in range(versions):
                path, last = f"finance/2026/{name}", number == versions - 1
                # Of old versions the size alone is looked at.
                content = bytes([number]) * int(size) if last else None
                lie = b"other bytes" if last and name == "old-plan.pdf" else None
                service.store(path, author, content, size=int(size), dated_at=at, signed=lie)
    at = now - DAY
    with service.at(at + 3000):  # signed with the name of eva, and with the key of another
        content = bytes(44 * KIB)
        service.store("finance/2026/import.csv", "eva", content, dated_at=at, key=key_of("nightly"))
    service.lend_key("finance/2026/import.csv", "nightly")
    for number in range(14):
        with service.at(now - (59 - number) * DAY):
            content = bytes([number]) * (90 * KIB + number * 777)
            path = f"finance/2026/Q1/invoice-{number + 1:03}.pdf"
            service.store(path, "eva", content, dated_at=now - (60 - number) * DAY)
    with service.at(now - 90 * DAY):
        for number in range(24):
            path, size = f"photos/summer-{number + 1:02}.jpg", 5 * MIB + number * 30_001
            service.store(path, "max", size=size, dated_at=now - (200 - number) * DAY)
    for number in range(3):
        day = now + (number - 2) * DAY
        with service.at(day):
            path, size = f"backups/db-2026-05-{number + 1:02}.dump", int(3.2 * GIB) + number * MIB
            service.store(path, "nightly", size=size)
    service.store("press kit/logo.svg", "eva", bytes(12 * KIB), dated_at=now - 300 * DAY)
    service.store("welcome.txt", "ada", b"Welcome to acme-files.\n", dated_at=now - 111 * DAY)
    service.store("finance/2026/draft.odt", "max", bytes(77 * KIB), dated_at=now - 9 * DAY)
    for name in ("plan.ods", "Q1/letters.odt", "Q2/letters.odt"):
        service.store(f"finance/2024/{name}", "max", bytes(20 * KIB), dated_at=now - 300 * DAY)
    with service.at(now - 5 * DAY):
        service.delete("finance/2024", "max")
    with service.at(now - 2 * DAY):
        service.delete("finance/2026/draft.odt", "max")
    service.act(accounts.disable, accounts.DisableInput(service.caller("ada"), "ivo"))
    with service.at(now - 9 * DAY):
        service.invite("eva", role=Role.MAINTAINER, name="gus2", seconds=2 * DAY)
    with service.at(now - 3600):
        service.invite("ada", role=Role.GUEST, name="tom", seconds=2 * DAY)


def _add_scans(service: MemoryService, count: int) -> None:
    with service.at(MAY_3 - 58 * DAY):
        service.store_many(
            "eva",
            (
                (f"{SCANS}/scan-{number:06}.tif", 2 * MIB + 37 * (number % 1009), MAY_3 - 400 * DAY + 60 * number)
                for number in range(count)
            ),
        )


def with_visitors(service: MemoryService) -> None:
    """Have eva and max connected."""
    service.visit("eva", "203.0.113.20:41882", since=MAY_3 - 7 * 3600)
    doing = "storing finance/2026/video.mp4"
    service.visit("max", "203.0.113.41:60214", since=MAY_3 - 2400, doing=doing)


def with_hostile_files(service: MemoryService) -> MemoryService:
    """Have the server show names of files that no honest one lets in."""
    for name in HOSTILE_FILES:
        service.store(f"hostile/{name}", "max", bytes(17), dated_at=MAY_3 - DAY)
    return service


def with_hostile_people(service: MemoryService) -> MemoryService:
    """Have the server show names of people that no honest one lets in."""
    for number, name in enumerate(HOSTILE_PEOPLE):
        with service.at(MAY_3 - 100):
            service.insert_user(name)
        service.store(f"{number}.txt", name, size=10)
        with service.at(MAY_3 - 60):
            service.insert_invitation(name, maker_id=1)
    return service
