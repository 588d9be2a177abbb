"""Files of this computer that the tests of the screens begin with."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fakes.acme import DAY, MAY_3


def furnish(here: Path) -> Path:
    """Put files into a folder of this computer."""
    home = here / "reports"
    (home / "drafts").mkdir(parents=True)
    (home / "photos").mkdir()
    for number in range(12):
        with (home / "photos" / f"{number:02}.jpg").open("wb") as photo:
            photo.write(bytes([number]))
            photo.truncate(700_000)
    for name, size, days in (
        ("budget.xlsx", 4_300_000, 0.13),
        ("notes.md", 12_300, 1),
        ("plan.pdf", 2_100_000, 4),
        ("video.mp4", 2_147_483_648, 9),
        ("a:b.txt", 300, 2),
    ):
        path = home / name
        with path.open("wb") as file:
            file.truncate(size)
        os.utime(path, (MAY_3 - days * DAY, MAY_3 - days * DAY))
    for folder in ("drafts", "photos"):
        os.utime(home / folder, (MAY_3 - 2 * DAY, MAY_3 - 2 * DAY))
    return home
