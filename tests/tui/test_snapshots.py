"""Every screen and every dialog stands on the screen as it did: text and styles, cell by cell.

Rules. Each screen is looked at in every run; the dialogs and the rest, most of which an app has to begin for, in the long one.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from dataclasses import replace

import pytest

import tui.dialogs
from tests.tui.scenes import SCENES, Show, play, shows
from tests.tui.text_snapshots import FOLDER, RENEWING, difference_from_kept, portrait, shown_in
from tui.dialogs.dialog import Dialog
from tui.keys import SCREEN_IDS

SIZE, SMALL, LARGE = (120, 36), (80, 24), (200, 60)
NAMES = ("names", "names-zoomed", "names-transfers")
SMALL_SCENES = ("files", "delete", "trust", "first-start", "queue", "stop", "log-stop", "activity", "status")
SHOWN = [(name, SIZE, True) for name in SCENES]
SHOWN += [(name, SMALL, True) for name in SMALL_SCENES]
SHOWN += [(name, size, True) for size in (SMALL, LARGE) for name in NAMES]
SHOWN += [("files", SIZE, False)]

# The first scene of a group: each screen is among them.
EVERY_RUN = frozenset({"files", "queue", "people-admin", "activity", "identity", "first-start", "status"})


def name_of(scene: str, size: tuple[int, int], dark: bool) -> str:
    small = "" if size == SIZE else f"-{size[0]}x{size[1]}"
    return f"{scene}{small}{'' if dark else '-light'}"


def groups() -> list[tuple[Show, tuple[int, int], bool]]:
    """Put together what one app shows: same cast, same beginning, same size and theme."""
    looks = dict.fromkeys((size, dark) for _, size, dark in SHOWN)
    return [
        (show, size, dark)
        for size, dark in looks
        for show in shows(name for name, *look in SHOWN if tuple(look) == (size, dark))
    ]


def params():
    for show, size, dark in groups():
        name = name_of(show.scenes[0][0], size, dark)
        yield pytest.param(show, size, dark, id=name)
        if name in EVERY_RUN:
            first = replace(show, scenes=show.scenes[:1])
            yield pytest.param(first, size, dark, id=f"{name}-first", marks=pytest.mark.every_run)


@pytest.mark.parametrize(("show", "size", "dark"), [*params()])
async def test_it_stands_there_as_it_did(tmp_path, show, size, dark):
    differences = []
    async for scene, pilot in play(show, size, here=tmp_path, dark=dark):
        name = name_of(scene, size, dark)
        found = portrait(pilot.app, f"{name}, {size[0]} by {size[1]}")
        differences.append(difference_from_kept(name, found))
    if any(differences):
        pytest.fail("\n\n".join(filter(None, differences)), pytrace=False)


# -- that nothing is missing ---------------------------------------------------------------------------------


def kept() -> dict[str, tuple[str, str]]:
    """Give what is kept: by name, which screen is shown over which place."""
    return {path.stem: shown_in(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.txt")}


def dialogs() -> set[str]:
    """Name every dialog that there is."""
    for module in pkgutil.walk_packages(tui.dialogs.__path__, "tui.dialogs."):
        importlib.import_module(module.name)
    found, left = set(), [Dialog]
    while left:
        kinds = left.pop().__subclasses__()
        found |= {kind.__name__ for kind in kinds if kind.__module__.startswith("tui.")}
        left += kinds
    return found


def of_every_run() -> list[tuple[str, str]]:
    """Give what is looked at in every run: which screen is shown over which place."""
    return [shown for name, shown in kept().items() if name in EVERY_RUN]


def test_every_dialog_is_in_a_snapshot():
    assert dialogs() - {screen for screen, _ in kept().values()} == set()


def test_every_screen_is_in_a_snapshot_of_every_run():
    assert set(SCREEN_IDS) - {place for screen, place in of_every_run() if screen == "MainScreen"} == set()


def test_no_snapshot_is_left_of_a_scene_that_is_gone():
    left = kept().keys() - {name_of(*one) for one in SHOWN}
    if os.environ.get(RENEWING):
        for name in left:
            (FOLDER / f"{name}.txt").unlink()
        left = set()
    assert left == set()


def test_no_snapshot_names_a_machine():
    folders = re.compile(r"/(tmp|home|root|Users|var|work)\b|pytest")
    texts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    assert [name for name, text in texts.items() if folders.search(text)] == []
