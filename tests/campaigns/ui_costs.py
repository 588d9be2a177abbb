"""What a key costs beside time: bytes to the terminal, and the processor's time. Bytes are the same on every machine."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.campaigns.screen import Screen
from tests.campaigns.ui_driving import DOWN, ESCAPE, PAGE_DOWN, TAB, Ui, has
from tests.processes import say

IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class _Act:
    """A key, what shows that it was answered, and the most bytes that it may take."""

    name: str
    key: str
    reached: Callable[[Screen], bool]
    most: int


def _any(_: Screen) -> bool:
    return True


# Each pair leads there and back.
ACTS = (
    _Act("one line down", DOWN, _any, 4000),
    _Act("one page down", PAGE_DOWN, _any, 15_000),
    _Act("the other pane", TAB, _any, 4000),
    _Act("the other pane, and back", TAB, _any, 4000),
    _Act("the filter opens", "/", has("/ part of"), 4000),
    _Act("the filter closes", ESCAPE, _any, 4000),
    _Act("the palette opens", ":", has("does it"), 30_000),
    _Act("the palette closes", ESCAPE, has("/many"), 30_000),
    _Act("to Transfers", "2", has("Nothing to transfer"), 30_000),
    _Act("back to Files", "1", has("/many"), 30_000),
    _Act("to People", "3", has("here, you"), 30_000),
    _Act("back to Files from there", "1", has("/many"), 30_000),
)


def show_costs(ui: Ui, rounds: int = 10) -> list[str]:
    """Do each act so often, in a list of the server, with no clock beside it; gives what took more than it may."""
    terminal = ui.terminal
    terminal.signal(signal.SIGUSR2)
    spent: dict[str, float] = dict.fromkeys((act.name for act in ACTS), 0.0)
    drawn: dict[str, list[int]] = {act.name: [] for act in ACTS}
    for _ in range(rounds):
        for act in ACTS:
            terminal.quiet(0.3)
            bytes_before, before = terminal.drawn_bytes, terminal.processor_seconds()
            ui.press(act.key, act.reached)
            terminal.quiet(0.3)
            drawn[act.name].append(terminal.drawn_bytes - bytes_before)
            spent[act.name] += terminal.processor_seconds() - before
    say(f"\n{'what a key costs':34}{'bytes':>8}{'most':>8}{'may take':>10}{'cpu':>9}")
    for act in ACTS:
        found = sorted(drawn[act.name])
        typical, most, milliseconds = found[len(found) // 2], found[-1], spent[act.name] / rounds * 1000
        say(f"{act.name:34}{typical:8,}{most:8,}{act.most:10,}{milliseconds:6.0f} ms")
    return [act.name for act in ACTS if sorted(drawn[act.name])[rounds // 2] > act.most]


def show_idle(ui: Ui) -> None:
    """Leave it alone."""
    terminal = ui.terminal
    terminal.quiet(1.0)
    began, before, drawn = time.perf_counter(), terminal.processor_seconds(), terminal.drawn_bytes
    while time.perf_counter() - began < IDLE_SECONDS:
        terminal.step(0.5)
    share = (terminal.processor_seconds() - before) / (time.perf_counter() - began)
    say(f"idle for {IDLE_SECONDS:.0f} s: {share * 100:.2f} % of a processor, {terminal.drawn_bytes - drawn} bytes")
