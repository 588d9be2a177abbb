"""Scenes: the app brought into a state worth looking at, over a server in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from textual.pilot import Pilot

from sft.client.transfers.progress import Rate
from sft.client.transfers.queue.job import JobState
from sft.limits import MIB
from tests.fakes.acme import acme, with_visitors
from tests.fakes.gateway import FakeGateway
from tests.tui.scene_steps import Cast, Scene, Stage, after, pressed, root, settle
from tests.tui.scenes_people import CASTS, SCENERY
from tests.tui.ui_driver import UiDriver, driven
from tui.app import SftApp
from tui.messages import TransfersMoved
from tui.preferences import Preferences
from tui.widgets.message_line import MessageLine


class Steady(Rate):
    """A rate that is the same on each run."""

    def __init__(self, bytes_per_second: float) -> None:
        super().__init__()
        super().sample(0.0, 0)
        super().sample(1.0, int(bytes_per_second))

    def sample(self, now: float, moved_bytes: int) -> None:
        """Change nothing."""


async def steadied(pilot: Pilot[int], app: SftApp) -> None:
    """Give what runs a rate; the clock of a scene stands still."""
    running = [job for job in app.queue.jobs if job.state is JobState.RUNNING]
    for job, mib_a_second in zip(running, (212, 96), strict=False):
        app.queue._rates[job.id] = Steady(min(mib_a_second * MIB, job.total_bytes / 9))
    app.frame.post_message(TransfersMoved())
    for view in app.frame.mounted_views():
        view.post_message(TransfersMoved())
    await settle(pilot)


async def files(pilot: Pilot[int], app: SftApp) -> None:
    # What was read here is marked so, for better or worse.
    read = ("budget.xlsx", "payroll.ods", "old-plan.pdf")
    app.queue.verify([f"finance/2026/{name}" for name in read], "3 items")
    await idle(app)
    app.queue.clear_ended()
    app.frame.query_one(MessageLine).hush()
    view = app.frame.view_of("files")
    view.remote_side.path = "finance/2026"
    view.remote.read()
    await settle(pilot)
    await pilot.press("down", "down", "down", "down")


async def files_here(pilot: Pilot[int], app: SftApp) -> None:
    await files(pilot, app)
    await pilot.press("tab", "down", "down", "space", "space")


async def files_transfers(pilot: Pilot[int], app: SftApp) -> None:
    await files(pilot, app)
    app.gateway.brake.at = 0.61
    await pilot.press("tab", "end", "c")
    await settle(pilot)
    await pilot.press("home", "down", "down", "c", "tab", "up", "c")
    await settle(pilot)
    await steadied(pilot, app)


async def decide_here(pilot: Pilot[int], app: SftApp) -> None:
    """Put a file whose name is taken."""
    await files(pilot, app)
    await pilot.press("tab", *["down"] * 4)
    view = app.frame.view_of("files")
    names = [view.local.rows.entry(n).name for n in range(len(view.local.rows))]
    view.local.lines.move_to(names.index("budget.xlsx"))
    await pilot.press("c")
    await idle(app)
    await settle(pilot)


async def queue(pilot: Pilot[int], app: SftApp) -> None:
    """Bring the queue into every state that a job can have."""
    await files(pilot, app)
    brake = app.gateway.brake
    here = app.local_folder
    orders = (
        ("notes.md", [here / "notes.md"], "finance/2026"),
        ("budget.xlsx", [here / "budget.xlsx"], "finance/2026"),
        ("3 items", [here / "a:b.txt", here / "plan.pdf", here / "drafts"], "photos"),
    )
    for title, names, to in orders:
        app.queue.put([str(name) for name in names], to, title)
        await idle(app)
    app.queue.verify(["finance/2026/contract.pdf"], "contract.pdf")
    await idle(app)
    brake.at = 0.18
    paused = app.queue.put([str(here / "photos")], "press kit", "photos/")
    while not paused.done_bytes:
        await pilot.pause()
    app.queue.pause(paused.id)
    brake.at = 0.61
    app.queue.put([str(here / "video.mp4")], "finance/2026", "video.mp4")
    app.queue.get(["backups"], str(here), "backups/")
    app.queue.get(["finance/2026/payroll.ods"], str(here), "payroll.ods")
    await pilot.pause(0.3)
    await steadied(pilot, app)
    await pilot.press("2", "home")


async def moved(pilot: Pilot[int], app: SftApp) -> None:
    """Read two files, one of which has another name than the one that its author signed."""
    await root(pilot, app)
    await app.gateway.files.move("finance/2026/budget.xlsx", "finance/2026/plan of last year.xlsx")
    app.queue.verify([f"finance/2026/{name}" for name in ("contract.pdf", "plan of last year.xlsx")], "2 items")
    await idle(app)
    await pilot.press("2", "home")


async def idle(app: SftApp) -> None:
    """Wait until no transfer runs."""
    while app.queue._tasks:
        await asyncio.gather(*app.queue._tasks.values(), return_exceptions=True)


async def compare(pilot: Pilot[int], app: SftApp) -> None:
    """Compare two versions of a text, by two people."""
    await root(pilot, app)
    service, old = app.gateway.service, ["# Plan", "", *(f"{n}. Step {n}." for n in range(1, 20))]
    new = [*old[:3], "2. Step two, \x1b[31min red.", *old[4:12], "New here.", *old[12:]]
    for author, lines in (("max", old), ("ada", new)):
        service.store("plan.md", author, "\n".join(lines).encode())
    app.frame.view_of("files").remote.read(anew=True)
    await settle(pilot)
    await pilot.press("end", "up", "V", "space", "space", "enter")


async def scans(pilot: Pilot[int], app: SftApp) -> None:
    view = app.frame.view_of("files")
    view.remote_side.path = "archive/scans"
    view.remote.read()
    await settle(pilot)
    await pilot.press("slash", *"00777")
    await settle(pilot)


async def hostile(pilot: Pilot[int], app: SftApp) -> None:
    view = app.frame.view_of("files")
    view.remote_side.path = "hostile"
    view.remote.read()
    await settle(pilot)
    await pilot.press("down", "i")


async def names(pilot: Pilot[int], app: SftApp) -> None:
    """Stand among names of 8, 20, 40 and 80 cells, on both sides, one of them under way."""
    listed = ["plan.pdf", "minutes-november.odt"]
    listed += [f"annual-budget-forecast-both-2026-0{n}.xlsx" for n in (1, 2)]
    listed += [f"annual-budget-forecast-of-northern-and-southern-branches-2026-q{n}-final-v2.docx" for n in (1, 2)]
    dated_at = app.gateway.service.now - 9e5
    for name in listed:
        path = app.local_folder / name
        path.write_bytes(name.encode())
        os.utime(path, (dated_at, dated_at))
        app.gateway.service.store(f"press kit/{name}", "max", name.encode(), dated_at=dated_at)
    view = app.frame.view_of("files")
    view.remote_side.path = "press kit"
    view.remote.read()
    view.local.read(anew=True)
    await settle(pilot)
    app.gateway.brake.at = 0.61
    app.queue.verify([f"press kit/{listed[-1]}"], listed[-1])
    await settle(pilot)
    await pilot.press("end", "up")


async def lost(pilot: Pilot[int], app: SftApp) -> None:
    await files(pilot, app)
    app.gateway.lose()


async def lost_transfers(pilot: Pilot[int], app: SftApp) -> None:
    await files_transfers(pilot, app)
    app.gateway.lose()


SCENES: dict[str, Stage] = {
    "root": root,
    "files": files,
    "files-here": files_here,
    "files-transfers": files_transfers,
    "files-details": after(files, "i", back=("i",)),
    "files-verified": after(files, "up", "up", back=("down", "down")),
    "scans": scans,
    "hostile": hostile,
    "names": names,
    "names-zoomed": after(names, "z", back=("z",)),
    "names-transfers": after(names, "2", back=("1",)),
    "trash": after(root, "T"),
    "delete": after(files, "up", "up", "d", back=("escape", "down", "down")),
    "rename": after(files, "up", "up", "r", back=("escape", "down", "down")),
    "hand-over": after(files, "up", "up", "O", back=("escape", "down", "down")),
    "new-folder": after(files, "n", back=("escape",)),
    "trust": after(files, "end", "up", "w", back=("escape", "home", *["down"] * 5)),
    "trust-forged": after(files, "end", "up", "up", "w", back=("escape", "home", *["down"] * 5)),
    "look": after(root, "end", "enter", back=("escape", "home")),
    "compare": compare,
    "versions": after(files, "up", "up", "V", back=("escape", "down", "down")),
    "proof": after(files, "up", "up", "P", back=("escape", "down", "down")),
    "rights": after(files, "up", "up", "W", back=("escape", "down", "down")),
    "allowed": after(files, "up", "up", "W", "w", back=("escape", "escape", "down", "down")),
    "destroy": after(files, "up", "up", "V", "down", "d", back=("escape", "down", "down")),
    "palette": after(files, "colon", back=("escape",)),
    "help": after(files, "question_mark", back=("escape",)),
    "commands": after(files, "at", back=("escape",)),
    "themes": after(files, "colon", *"theme", "enter", back=("escape",)),
    "lost": lost,
    "transfers": after(files_transfers, "2", back=("1",)),
    "quit": after(files_transfers, "q"),
    "queue": queue,
    "queue-waiting": after(queue, "end", back=("home",)),
    "decide-here": decide_here,
    "conflict": after(queue, "home", "down", "enter", back=("escape", "home")),
    "troubles": after(queue, "home", "down", "down", "enter", back=("escape", "home")),
    "moved": moved,
    "moved-names": after(moved, "enter"),
    "hidden": after(files, "full_stop"),
    "files-selected": after(files, "home", "down", "down", "down", "space", "space", "down", "space"),
    "lost-transfers": lost_transfers,
    "ascii": files_here,
    "ascii-transfers": queue,
    **SCENERY,
}


@contextmanager
def at_home(home: Path) -> Iterator[None]:
    """Let a folder be the home of whoever plays, so that paths are the same on each run."""
    with mock.patch.dict(os.environ, {"HOME": str(home)}):
        yield


@dataclass(frozen=True)
class Show:
    """Scenes that one app shows, one after the other."""

    cast: Cast
    begin: Stage
    scenes: tuple[tuple[str, Scene], ...]


def shows(names: Iterable[str]) -> list[Show]:
    """Put together what has the same cast and the same beginning; what no key leads back from comes last, or alone."""
    found: list[tuple[Cast, Stage, list[tuple[str, Scene]]]] = []
    for name in names:
        played = SCENES[name]
        scene = played if isinstance(played, Scene) else Scene(played, (), ())
        cast = CASTS.get(name, Cast())
        for known, begin, scenes in found:
            open_end = scenes[-1][1].back is None
            if (known, begin) == (cast, scene.begin) and not (open_end and scene.back is None):
                scenes.insert(len(scenes) - open_end, (name, scene))
                break
        else:
            found.append((cast, scene.begin, [(name, scene)]))
    return [
        Show(cast, begin, tuple(sorted(scenes, key=lambda one: (one[1].back is None, bool(one[1].keys)))))
        for cast, begin, scenes in found
    ]


async def play(
    show: Show, size: tuple[int, int], *, here: Path, dark: bool = True
) -> AsyncIterator[tuple[str, Pilot[int]]]:
    """Run the app and bring it into one scene after the other."""
    async with app_of(show.cast, size, here=here, dark=dark) as run:
        await show.begin(run.pilot, run.app)
        await settle(run.pilot)
        for name, scene in show.scenes:
            await pressed(run.pilot, scene.keys)
            await settle(run.pilot)
            yield name, run.pilot
            await pressed(run.pilot, scene.back or ())


@asynccontextmanager
async def staged(name: str, size: tuple[int, int], *, here: Path, dark: bool = True) -> AsyncIterator[Pilot[int]]:
    """Run the app and bring it into a scene."""
    async with app_of(CASTS.get(name, Cast()), size, here=here, dark=dark) as run:
        await SCENES[name](run.pilot, run.app)
        await settle(run.pilot)
        yield run.pilot


@asynccontextmanager
async def app_of(cast: Cast, size: tuple[int, int], *, here: Path, dark: bool) -> AsyncIterator[UiDriver]:
    """Run the app for a cast."""

    def prepare(gateway: FakeGateway) -> None:
        with_visitors(gateway.service)
        if cast.prepare is not None:
            cast.prepare(gateway)

    with at_home(here):
        async with driven(
            here,
            cast.user,
            size=size,
            service=acme(many=cast.many),
            passphrase=cast.passphrase,
            demo=cast.demo,
            prepare=prepare,
            preferences=Preferences("sft-dark" if dark else "sft-light"),
            glyphs=cast.glyphs,
        ) as run:
            yield run
