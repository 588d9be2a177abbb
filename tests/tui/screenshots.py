"""Draws the pictures of the README, over the world in memory: ``make screenshots``.

The same screens give the same bytes, so a picture changes only where a screen has.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Before anything asks what time it is here.
os.environ["TZ"] = "UTC"
time.tzset()

from tests.tui.scenes import staged  # noqa: E402
from tests.tui.vector import self_contained  # noqa: E402

FOLDER = Path(__file__).parents[2] / "tui" / "screenshots"


@dataclass(frozen=True)
class Shot:
    """One picture.

    Args:
        name: of the file.
        scene: what is drawn.
        size: columns and lines.
    """

    name: str
    scene: str
    size: tuple[int, int]
    dark: bool = True


SHOTS = (
    Shot("trust", "trust", (110, 36)),
    Shot("files", "files-verified", (120, 32)),
    Shot("files-light", "files-transfers", (120, 32), dark=False),
    Shot("transfers", "queue-waiting", (120, 18)),
    Shot("invitation", "link", (120, 26)),
    Shot("stop", "stop", (100, 26)),
    Shot("small", "files-here", (80, 24)),
)


async def draw(shot: Shot) -> str:
    """Draw one."""
    with tempfile.TemporaryDirectory() as here:
        async with staged(shot.scene, shot.size, here=Path(here), dark=shot.dark) as pilot:
            return self_contained(pilot.app.export_screenshot(title="sft", simplify=True))


def main() -> int:
    """Draw all, and drop what is drawn no more."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        if old.stem not in {shot.name for shot in SHOTS}:
            old.unlink()
    for shot in SHOTS:
        path = FOLDER / f"{shot.name}.svg"
        path.write_text(asyncio.run(draw(shot)), encoding="utf-8")
        print(f"{path.relative_to(FOLDER.parents[1])}  {path.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
