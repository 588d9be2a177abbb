"""A name is taken: what is there and what would be moved, side by side, and the ways on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Checkbox

from sft.client.transfers.queue.in_the_way import LocalCopy, look_at
from sft.client.transfers.queue.job import Decision, Direction, Failure, Job
from sft.client.transfers.queue.run import beside_path
from sft.errors import LocalExistsError
from sft.model.names import split_path
from sft.model.text import count_text, local_time, shown_name, size_text
from tui.context import AppContext
from tui.dialogs.dialog import Dialog, static
from tui.text import error_text, shown
from tui.widgets.choice import Choice, Option

_WAY_CELLS: Final = 60


class Tick(Checkbox):
    """A box in brackets, empty or not: whether it is on is told by more than a color."""

    @property
    def _button(self) -> Content:
        style = self.get_visual_style("toggle--button")
        return Content.styled("[x]" if self.value else "[ ]", style)


class ResolveConflicts(Dialog[dict[str, Decision]]):
    """Gives a decision for each conflict that was decided."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._conflicts = [failure for failure in job.failures if failure.is_conflict]
        self._failure = self._conflicts[0]
        name = split_path(self._failure.path or self._failure.name)[1]
        super().__init__(f"{shown_name(name)} is {place_of(job)} already", act="Do it", safe="Not now")

    def content(self) -> ComposeResult:
        now = self.sft.now()
        for line in self._comparison(now):
            yield static(line)
        yield static("")
        options = [Option(Decision.SKIP.value, "Skip it")]
        options += [Option(decision.value, words) for decision, words in self._ways(now)]
        yield Choice(options, self.sft.glyphs, id="ways", label_cells=_WAY_CELLS)
        others = len(self._conflicts) - 1
        if others:
            words = f"the same for the other {count_text(others)}"
            yield Tick(Content(words), id="same", compact=True)
        yield static("Everything else goes on.", "dialog-muted dialog-space")

    def first_focus(self) -> Widget:
        """The ways: the safe one is marked already."""
        return self.query_one(Choice)

    @on(Choice.Chosen)
    def act(self) -> None:
        decision = Decision(self.query_one(Choice).value)
        same = self.query("#same").first(Checkbox).value if self.query("#same") else False
        those = self._conflicts if same else [self._failure]
        self.dismiss({failure.name: decision for failure in those})

    def _ways(self, now: float) -> list[tuple[Decision, str]]:
        failure = self._failure
        if self._job.direction is not Direction.PUT:
            ways = [(Decision.BESIDE, "Keep both: store the new one beside it, with a number")]
            mine = look_at(Path(_local_of(failure)))
            if mine is not None:
                what = f"{size_text(mine.size)}, {local_time(mine.modified_at, now=now)}"
                version, author = failure.values.get("version"), shown(str(failure.values.get("author", "")))
                ways.append((Decision.REPLACE, f"Replace mine ({what}) with version {version} by {author}"))
            return ways
        beside = shown(split_path(beside_path(failure.place, self.sft.gateway.connection.user, now))[1])
        ways = [(Decision.BESIDE, f"Store mine beside it: {beside}")]
        version = failure.values.get("version")
        if isinstance(version, int) and failure.code in {"EXISTS", "CHANGED_SINCE"}:
            author = shown(str(failure.values.get("author", "")))
            ways.append(
                (Decision.REPLACE, f"Store mine as version {version + 1}; {author}'s stays as version {version}")
            )
        return ways

    def _comparison(self, now: float) -> list[str]:
        failure, values = self._failure, self._failure.values
        if failure.code not in {"EXISTS", LocalExistsError.code} or "version" not in values:
            message, _ = error_text(failure.error, now)
            return [message]
        mine = look_at(Path(_local_of(failure)))
        at, size = values.get("stored_at", values.get("dated_at")), values.get("size")
        remote = [
            f"{shown(str(values['version']))}, by {shown(str(values.get('author')))}",
            local_time(at, now=now) if isinstance(at, int) else "",
            size_text(size) if isinstance(size, int) else "",
        ]
        base = self.sft.queue.taken(_local_of(failure), failure.path)
        local = [
            f"made from {base}" if base else "not known",
            "" if mine is None else local_time(mine.modified_at, now=now),
            "" if mine is None else size_text(mine.size),
        ]
        lines = [f"{'':10}{'yours':24}on the server"]
        for label, ours, theirs in zip(("version", "when", "size"), local, remote, strict=True):
            lines.append(f"{label:10}{ours:24}{theirs}")
        return lines


def _local_of(failure: Failure) -> str:
    """Return where the file on this computer lies."""
    return str(failure.values["path"]) if failure.code == LocalExistsError.code else failure.name


def place_of(job: Job) -> str:
    """Return at which end the name is taken: ``here`` on this computer, ``there`` on the server."""
    return "there" if job.direction is Direction.PUT else "here"


def short_ways(context: AppContext, job: Job, failure: Failure) -> dict[Decision, str]:
    """Return the ways on from one conflict, each in a word or two."""
    ways = {Decision.SKIP: "skip", Decision.BESIDE: "beside"}
    version = failure.values.get("version")
    if job.direction is not Direction.PUT:
        mine = look_at(Path(_local_of(failure)))
        if mine is not None:
            ways[Decision.REPLACE] = f"replace mine ({_when_and_size(mine, context.now())})"
    elif isinstance(version, int) and failure.code in {"EXISTS", "CHANGED_SINCE"}:
        ways[Decision.REPLACE] = f"replace (v{version} stays)"
    return ways


def what_is_there(context: AppContext, job: Job, failure: Failure) -> str:
    """Say what has the name and what would come, as far as the refusal says it."""
    now, values = context.now(), failure.values
    if failure.code not in {"EXISTS", LocalExistsError.code} or "version" not in values:
        return error_text(failure.error, now)[0]
    at, size = values.get("stored_at", values.get("dated_at")), values.get("size")
    known = [local_time(at, now=now) if isinstance(at, int) else "", size_text(size) if isinstance(size, int) else ""]
    theirs = ", ".join(filter(None, [f"version {values['version']} by {shown(str(values.get('author')))}", *known]))
    mine = look_at(Path(_local_of(failure)))
    yours = "" if mine is None else f"yours: {_when_and_size(mine, now)}"
    there, comes = (theirs, yours) if job.direction is Direction.PUT else (yours, theirs)
    return "; ".join(filter(None, [there, comes])) + "."


def _when_and_size(copy: LocalCopy, now: float) -> str:
    return f"{local_time(copy.modified_at, now=now)}, {size_text(copy.size)}"
