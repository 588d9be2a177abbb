"""Measure how soon the UI answers: among 100,000 files, then beside full-speed transfers, against ``sft put`` and ``get``.

    python tests/campaigns/ui.py [--files 100000] [--downs 1000] [--mib 1024] [--rounds 3] [--patience 0] [--folder DIR]

A real server runs in its own process, and the UI in another, in a terminal of 120 by 36. A key is answered when the cursor
stands where it sends it and the line has its name. What keys cost is counted too: bytes to the terminal, with bounds, and
the processor's time, also of doing nothing. The folder is filled by ``sft put`` itself. With ``--folder`` everything
lies there and stays, and is not filled again.

Machines are noisy: what is compared is measured by turns, tables show medians and the load, and ``--patience`` waits before
each transfer until others leave the machine alone, for so many seconds at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from tests.campaigns.places import file_system
from tests.campaigns.screen import Screen
from tests.campaigns.ui_costs import show_costs, show_idle
from tests.campaigns.ui_driving import (
    BACK,
    DOWN,
    END,
    ENTER,
    ESCAPE,
    FIRST,
    HOME,
    MIB,
    PAGE_DOWN,
    PAGE_UP,
    TAB,
    Times,
    Ui,
    calm,
    has,
    memory_folder,
    stage,
)  # fmt: skip
from tests.processes import Person, say

FILLED_BYTES = 1024 * MIB  # a hundred thousand small files here, their receipts, and the home
KEYS_A_SECOND = 30.0
KEYS_BESIDE = 10.0


# -- a hundred thousand lines ------------------------------------------------------------------------------


class Browsing:
    """Opens, scrolls, jumps and filters."""

    def __init__(self, person: Person, files: int) -> None:
        self.times = Times()
        self._ui = Ui(person, person.folder / "work")
        self._files = files
        self._first, self._last = f"f{0:06}.txt", f"f{files - 1:06}.txt"
        self.dear: list[str] = []
        self._notes: list[tuple[str, int, float, dict[str, Any]]] = []

    def run(self, downs: int) -> None:
        """Do all of it."""
        terminal, times = self._ui.terminal, self.times
        try:
            times.add("start, until the server's list is there", self._ui.began, terminal.until(has("many/")))
            terminal.quiet(0.5)
            self._note("start")
            self._open()
            self._note("open, 11 times")
            self._downs(downs)
            self._note(f"{downs:,} downs")
            self._pages()
            self._note("100 page downs")
            self._jumps()
            self._note("end and home, 5 times")
            self._filters()
            self._note("filter, 3 times")
            for _ in range(3):
                self._ui.press(END, self._at_last)
                self._ui.press(HOME, self._at_top)
            self._downs(downs)
            self._note("all that again")
            self.dear = show_costs(self._ui)
            show_idle(self._ui)
            self._note("what keys cost, and idle")
        finally:
            status = terminal.end()
        times.show(f"{self._files:,} files on the server")
        self._show(status)

    def _open(self) -> None:
        terminal, times = self._ui.terminal, self.times
        for _ in range(10):
            began = terminal.write(ENTER)
            titled = terminal.until(has(" /many "))
            times.add("open a folder: its title is there", began, titled)
            there = terminal.until(has(self._first), since=titled)
            times.add("open a folder: its lines are there", began, there)
            terminal.quiet(0.2)
            times.add("back to the one above", *self._ui.press(BACK, has("many/")))
        self._ui.press(ENTER, has(self._first))

    def _downs(self, downs: int) -> None:
        self._ui.press(HOME + DOWN + DOWN, lambda screen: self._ui.number(screen) == 0)
        kind = f"down, {KEYS_A_SECOND:.0f} a second"
        self._ui.walk(downs, KEYS_A_SECOND, self.times, kind, lambda _: True)

    def _pages(self) -> None:
        def moved(screen: Screen, *, before: int, sign: int) -> bool:
            now = self._ui.number(screen)
            return now >= 0 and sign * (now - before) > 0

        for kind, key, sign, count in (("page down", PAGE_DOWN, 1, 100), ("page up", PAGE_UP, -1, 20)):
            for _ in range(count):
                before = self._ui.number(self._ui.terminal.screen)
                self.times.add(kind, *self._ui.press(key, partial(moved, before=before, sign=sign)))

    def _jumps(self) -> None:
        terminal = self._ui.terminal
        for said in ("first time", "again", "again", "again", "again"):
            began, ended = self._leave(END)
            self.times.add(f"end, {said}: the cursor is there", began, ended)
            if said == "first time" and not self._at_last(terminal.screen):
                # What is far off takes a while to read: keys are answered meanwhile.
                for key in (HOME, END) * 5:
                    self.times.add("home and end while that is read", *self._leave(key))
            there = terminal.until(self._at_last, since=time.perf_counter())
            self.times.add(f"end, {said}: its line is there", began, there)
            terminal.quiet()
            self.times.add("home", *self._ui.press(HOME, self._at_top))

    def _leave(self, key: str) -> tuple[float, float]:
        old = self._ui.cursor(self._ui.terminal.screen)
        began = self._ui.terminal.write(key)
        return began, self._ui.terminal.until(lambda screen: self._ui.cursor(screen) != old)

    def _filters(self) -> None:
        terminal, times = self._ui.terminal, self.times
        for said in ("first time", "again", "again"):
            self._ui.press("/", has("/ "))
            typed = ""
            for letter in "0999":
                typed += letter
                began = terminal.write(letter)
                ended = terminal.until(has(f"/ {typed}"))
                times.add("filter, a letter is in its field", began, ended)
            matching = sum(typed in f"f{number:06}" for number in range(self._files))
            there = terminal.until(has(f"{matching:,} of "), since=ended)
            times.add(f"filter, {said}: its lines are there", began, there)
            terminal.quiet()
            for _ in range(len(typed) - 1):
                typed = typed[:-1]
                times.add("filter, a letter is taken back", *self._ui.press(BACK, has(f"/ {typed} ")))
            times.add("filter, left by escape", *self._ui.press(ESCAPE, has("..")))

    def _at_last(self, screen: Screen) -> bool:
        return self._last in self._ui.cursor(screen)

    def _at_top(self, screen: Screen) -> bool:
        return self._ui.cursor(screen).startswith("..")

    def _note(self, what: str) -> None:
        terminal, counted = self._ui.terminal, self._ui.counted()
        self._notes.append((what, terminal.memory_bytes(), terminal.processor_seconds(), counted))

    def _show(self, status: int) -> None:
        terminal = self._ui.terminal
        say(f"\n{'':26}{'memory':>9}{'cpu':>8}{'pages':>7}{'light':>7}{'rows':>9}{'loop late p50/p99/max':>26}")
        for what, held, spent, counted in self._notes:
            pages = counted["pages"]
            late = " / ".join(f"{counted[f'late_{each}'] * 1000:.1f}" for each in ("p50", "p99", "max"))
            say(
                f"{what:26}{held / MIB:6.1f} MB{spent:6.1f} s{pages['whole']:7}{pages['light']:7}"
                f"{counted['rows']:9,}{late:>23} ms"
            )
        say(
            f"frames {terminal.frames:,}, output {terminal.drawn_bytes / 1e6:.1f} MB, status {status}, "
            f"load {os.getloadavg()[0]:.1f}"
        )


# -- beside a transfer ---------------------------------------------------------------------------------------


class Mover:
    """One way of a large file, by the UI and by ``sft``."""

    def __init__(self, person: Person, ui: Ui, mib: int, patience: float) -> None:
        self._person, self._ui = person, ui
        self._patience = patience
        self.calm = self.measured = 0
        self._work = person.folder / "work"
        self._bytes = mib * MIB
        self.rates: dict[str, list[float]] = {}
        self.spent: dict[str, list[float]] = {}
        self.late: dict[str, list[float]] = {}
        self._number = 0

    def by_ui(self, way: str, times: Times | None) -> None:
        """Move it by the UI, pressing keys beside it if their times are wanted."""
        ui, terminal = self._ui, self._ui.terminal
        terminal.quiet(0.3)
        ui.go(HOME, lambda s: ui.cursor(s).startswith(".."))
        said = "stored as version" if way == "put" else "here, verified: by"
        if way == "put":
            name = self._new()
            ui.press(TAB, lambda s: True)
            ui.go(HOME, lambda s: ui.cursor(s).startswith(".."))
            while name not in ui.cursor(terminal.screen):
                ui.press(DOWN, lambda s: True)
        else:
            ui.press(DOWN, lambda s: FIRST in ui.cursor(s))
        self._wait()
        ui.counted()
        before = terminal.processor_seconds()
        began = terminal.write("c")
        terminal.until(lambda s: said not in s.text and " %" in s.text)
        if way == "put":
            terminal.write(TAB)
            terminal.until(lambda s: ui.cursor(s).startswith(".."))
            terminal.write(DOWN)
        if times is not None:
            terminal.write(DOWN)
            terminal.until(lambda s: ui.number(s) == 0)
            what = f"down, {KEYS_BESIDE:.0f} a second, beside a {way}"
            ui.walk(100_000, KEYS_BESIDE, times, what, lambda s: said not in s.text)
        ended = terminal.until(has(said), 600, since=time.perf_counter())
        kind = f"{way} by the UI" + (", with keys" if times else "")
        self._note(kind, ended - began, terminal.processor_seconds() - before)
        self.late.setdefault(kind, []).append(ui.counted()["late_p99"] * 1000)
        self._clear(way)

    def by_command(self, way: str) -> None:
        """Move it by ``sft``."""
        name = self._new() if way == "put" else ""
        words = ["get", f"many/{FIRST}", "--to", "work"]
        if name:
            words = ["put", f"work/{name}", "--to", "many"]
        self._wait()
        before = os.times()
        done = self._person.sft(*words, "--json")
        after = os.times()
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        seconds = json.loads(done.stdout)["seconds"]
        spent = sum(after[2:4]) - sum(before[2:4])
        self._note(f"{way} by sft", seconds, spent)
        self._clear(way)

    def _wait(self) -> None:
        self.measured += 1
        self.calm += calm(self._patience)

    def _new(self) -> str:
        name = f"put-{self._number:02}.bin"
        self._number += 1
        return name

    def _note(self, kind: str, seconds: float, spent: float) -> None:
        self.rates.setdefault(kind, []).append(self._bytes / seconds / 1e6)
        self.spent.setdefault(kind, []).append(spent)

    def _clear(self, way: str) -> None:
        if way == "get":
            (self._work / FIRST).unlink()


def move(person: Person, *, mib: int, rounds: int, patience: float) -> None:
    """Measure keys beside transfers, and transfers by the UI against those by ``sft``."""
    work = person.folder / "work"
    with suppress(FileNotFoundError):
        (work / FIRST).unlink()
    for number in range(rounds * 3):
        with suppress(FileExistsError):
            os.link(person.folder / FIRST, work / f"put-{number:02}.bin")
    ui, times = Ui(person, work), Times()
    try:
        there = has("f000000.txt")
        ui.terminal.until(lambda screen: there(screen) or "many/" in screen.text)
        ui.go(ENTER, there)  # unless it came back to the folder where it was left
        mover = Mover(person, ui, mib, patience)
        for number in range(rounds):
            for way in ("put", "get"):
                mover.by_ui(way, None)
                mover.by_command(way)
                mover.by_ui(way, times)
            person.sft("rm", *(f"many/put-{n:02}.bin" for n in range(number * 3, number * 3 + 3)))
            say(f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}")
    finally:
        ui.terminal.end()
    times.show(f"beside a transfer of {mib} MiB")
    say(f"the machine was left alone before {mover.calm} of {mover.measured} transfers")
    say(f"\n{'':26}{'MB/s':>7}{'each round':>26}{'against sft':>13}{'cpu':>9}{'loop late p99':>16}")
    for kind, rates in mover.rates.items():
        base = statistics.median(mover.rates[f"{kind[:3]} by sft"])
        rate = statistics.median(rates)
        late = f"{statistics.median(mover.late[kind]):.1f} ms" if kind in mover.late else ""
        each = " ".join(f"{one:.0f}" for one in rates)
        spent = statistics.median(mover.spent[kind])
        say(f"{kind:26}{rate:7.0f}{each:>26}{(rate / base - 1) * 100:+11.1f} %{spent:7.1f} s{late:>16}")


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--downs", type=int, default=1000)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=0, help="seconds before each transfer")
    parser.add_argument("--only", choices=("browse", "move"))
    parser.add_argument("--folder", type=Path, help="where everything lies, and stays")
    options = parser.parse_args()
    dear: list[str] = []
    needed = (options.rounds * 3 + 4) * options.mib * MIB + FILLED_BYTES
    with tempfile.TemporaryDirectory(prefix="sft-ui-", dir=memory_folder(needed)) as own:
        folder = options.folder or Path(own)
        say(
            f"home on {file_system(folder)}, {len(os.sched_getaffinity(0))} cores, "
            f"load {os.getloadavg()[0]:.1f} at the start"
        )
        with stage(folder, files=options.files, mib=options.mib) as person:
            if options.only != "move":
                browsing = Browsing(person, options.files)
                browsing.run(options.downs)
                dear = browsing.dear
            if options.only != "browse":
                move(person, mib=options.mib, rounds=options.rounds, patience=options.patience)
    if dear:
        say(f"more bytes than they may take: {', '.join(dear)}")
    return 1 if dear else 0


if __name__ == "__main__":
    raise SystemExit(main())
