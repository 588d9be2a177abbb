"""The world that demo and tests begin with: acme-files on a Sunday in May, as its people left it."""

from __future__ import annotations

from sft.limits import GIB, KIB, MIB
from sft.model.access import Role
from sft.model.records import Invitation, InvitationState, UserState
from tui.memory.door import Visit
from tui.memory.world import DAY, Many, World

HOSTILE = (
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


def acme(*, many: int = 100_000, hostile: bool = False) -> World:
    """Make the world.

    Args:
        many: files in ``archive/scans``.
        hostile: whether the server holds names that no honest one lets in.
    """
    world = World()
    now = int(world.now)
    ada = world.add_user("ada", Role.ADMIN, joined_at=now - 111 * DAY, device="ada-laptop")
    eva = world.add_user("eva", Role.ADMIN, joined_at=now - 110 * DAY, device="studio")
    max_ = world.add_user("max", Role.MAINTAINER, joined_at=now - 109 * DAY)
    world.add_user("gus", Role.GUEST, joined_at=now - 80 * DAY, device="gus-pc")
    ivo = world.add_user("ivo", Role.MAINTAINER, joined_at=now - 75 * DAY, state=UserState.DISABLED)
    world.add_user("nightly", Role.MAINTAINER, joined_at=now - 40 * DAY, device="build7")
    nightly = world.users[-1]
    for folder in ("archive", "backups", "finance", "finance/2025", "photos", "press kit"):
        world.add_folder(folder, now - 60 * DAY)
    world.add_folder("finance/2026/Q1", now - 30 * DAY)
    world.add_folder("finance/2026/Q2", now - 2 * DAY)
    for name, author, size, days, versions in (
        ("budget.xlsx", max_, 4.1 * MIB, 0.12, 3),
        ("contract.pdf", ada, 890 * KIB, 5, 1),
        ("import.csv", eva, 44 * KIB, 1, 1),
        ("minutes of the annual meeting, with all appendices, signed.pdf", eva, 1.4 * MIB, 21, 2),
        ("old-plan.pdf", ivo, 1.9 * MIB, 428, 2),
        ("payroll.ods", ada, 312 * KIB, 12, 9),
        ("README.md", max_, 3 * KIB, 33, 4),
    ):
        at = int(now - days * DAY)
        world.add_file(
            f"finance/2026/{name}", author, size=int(size), dated_at=at,
            stored_at=at + 3000, versions=versions,
        )  # fmt: skip
    for number in range(14):
        world.add_file(
            f"finance/2026/Q1/invoice-{number + 1:03}.pdf", eva, size=90 * KIB + number * 777,
            dated_at=now - (60 - number) * DAY, stored_at=now - (59 - number) * DAY,
        )  # fmt: skip
    for number in range(24):
        world.add_file(
            f"photos/summer-{number + 1:02}.jpg", max_, size=5 * MIB + number * 30_001,
            dated_at=now - (200 - number) * DAY, stored_at=now - 90 * DAY,
        )  # fmt: skip
    for number in range(3):
        day = now + (number - 2) * DAY
        world.add_file(
            f"backups/db-2026-05-{number + 1:02}.dump", nightly,
            size=int(3.2 * GIB) + number * MIB, dated_at=day, stored_at=day,
        )  # fmt: skip
    world.add_file("press kit/logo.svg", eva, size=12 * KIB, dated_at=now - 300 * DAY)
    world.add_file(
        "welcome.txt", ada, content=b"Welcome to acme-files.\n", dated_at=now - 111 * DAY
    )
    world.files["finance/2026/old-plan.pdf"].bad = True
    world.unknown_signers.add("finance/2026/import.csv")
    if many:
        world.add_folder("archive/scans", now - 58 * DAY)
        world.many["archive/scans"] = Many(many, "scan-{:06}.tif", eva.id, 2 * MIB, now - 400 * DAY)
    if hostile:
        for name in HOSTILE:
            world.add_folder("hostile")
            world.add_file(f"hostile/{name}", max_, size=17, dated_at=now - DAY)
    gone = world.add_file("finance/2026/draft.odt", max_, size=77 * KIB, dated_at=now - 9 * DAY)
    del world.files[gone.path]
    gone.trashed_at = now - 2 * DAY
    world.trash.append(gone)
    world.invitations += [
        Invitation(1, bytes(32), Role.GUEST, "tom", "ada", now - 3600, now + 2 * DAY - 3600, InvitationState.OPEN),
        Invitation(2, bytes(32), Role.MAINTAINER, "gus2", "eva", now - 9 * DAY, now - 7 * DAY, InvitationState.EXPIRED),
        Invitation(
            3, bytes(32), Role.GUEST, None, "ada", now - 80 * DAY, now - 78 * DAY, InvitationState.USED,
            "gus", now - 80 * DAY,
        ),
    ]  # fmt: skip
    world.door.enter(Visit(eva.id, "203.0.113.20:41882", now - 7 * 3600))
    world.door.enter(
        Visit(max_.id, "203.0.113.41:60214", now - 2400, "storing finance/2026/video.mp4")
    )
    return world
