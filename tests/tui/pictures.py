"""Draw scenes as pictures: SVG by the toolkit, for people to look at.

Usage: python tests/tui/pictures.py [--size 120x36]... [--theme dark]... FOLDER [SCENE...]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

# Before anything asks what time it is here.
os.environ["TZ"] = "UTC"
time.tzset()

from tests.tui.scenes import SCENES, staged  # noqa: E402

SIZES = ("80x24", "120x36", "200x60")
THEMES = ("dark", "light")


async def draw(scene: str, size: str, theme: str) -> str:
    """Draw one."""
    width, _, height = size.partition("x")
    with tempfile.TemporaryDirectory() as here:
        dark = theme == "dark"
        async with staged(scene, (int(width), int(height)), here=Path(here), dark=dark) as pilot:
            return pilot.app.export_screenshot(title="sft", simplify=True)


def main() -> int:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description="Draw scenes as pictures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", metavar="scene", help=f"of {', '.join(SCENES)}")
    parser.add_argument("--size", action="append", help=f"columns x lines; {', '.join(SIZES)}")
    parser.add_argument("--theme", action="append", choices=THEMES, help="both, if none is named")
    args = parser.parse_args()
    unknown = set(args.scenes) - SCENES.keys()
    if unknown:
        parser.error(f"There is no scene {', '.join(sorted(unknown))}.")
    args.folder.mkdir(parents=True, exist_ok=True)
    for scene in args.scenes or SCENES:
        for size in args.size or SIZES:
            for theme in args.theme or THEMES:
                path = args.folder / f"{scene}-{size}-{theme}.svg"
                path.write_text(asyncio.run(draw(scene, size, theme)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
