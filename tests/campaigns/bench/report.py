"""The table: every figure beside that of the others, with the processors of both ends, and whether it is what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.campaigns.bench.cost import Cost
from tests.campaigns.bench.together import Facts
from tests.campaigns.bench.transfers import ALL_PEERS, MIB, ONE_CHUNK, Costs

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
HEADS = {"sft": "sft", "sftp": "OpenSSH sftp", "rclone": "rclone crypt", "bare": "bare job"}


@dataclass(frozen=True)
class Goal:
    """What a figure should be.

    Args:
        words: what is compared, such as `` x sftp``.
    """

    found: float
    bound: float
    words: str
    at_least: bool

    @property
    def reached(self) -> bool:
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "ok" if self.reached else "MISSED"
        return f"{figure(self.found)}{self.words} ({sign} {figure(self.bound)}): {verdict}"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    cells: dict[str, str]
    goals: tuple[Goal, ...] = ()


def figure(value: float) -> str:
    """Write a number with as many digits as say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Report:
    """All rows that what was measured allows."""

    def __init__(self, costs: Costs, facts: Facts, *, mib: int, counts: Sequence[int]) -> None:
        self._costs = costs
        self._facts = facts
        self._mib = mib
        self._counts = counts
        self.rows = [*self._large(), *self._small(), *self._cores(), *self._single()]

    # -- transfers --------------------------------------------------------------------------------------------

    def _large(self) -> Iterator[Row]:
        for way, most in (("put", 450), ("get", 400)):
            goals = [*self._ratios(f"{way} large", {"sftp": 1.0, "bare": 0.85, "rclone": 1.7})]
            whole, least = (self._costs.median(f"{way} {what}", "sft") for what in ("large", "chunk"))
            if whole and least:
                chunks = self._mib * MIB / ONE_CHUNK
                goals.append(_most((whole.both - least.both) / chunks * 1e6, most, " µs of both ends per 64 KiB"))
            yield from self._row(
                f"{way} one file of {self._mib} MiB", f"{way} large", lambda wall: f"{self._rate(wall)} MB/s", goals
            )
        for way in ("put", "get"):
            yield from self._row(f"{way} one file of 64 KiB", f"{way} chunk", _milliseconds, ())

    def _small(self) -> Iterator[Row]:
        for suffix in ("", " on disk"):
            for count in self._counts:
                for way, most in (("put", 250), ("get", 130)):
                    ratio = 1.5 if count >= 10_000 else 1.3
                    goals = [*self._ratios(f"{way} {count}{suffix}", {"sftp": ratio})]
                    ours = self._costs.median(f"{way} {count}{suffix}", "sft")
                    if ours and count >= 10_000:
                        goals.append(_most(ours.server / count * 1e6, most, " µs a file at the server"))
                        goals.append(_most(ours.client / count * 1e6, 250, " at the client"))
                    words = f"{way} {count:,} files of 4 KiB{suffix}"
                    yield from self._row(words, f"{way} {count}{suffix}", _files(count), goals)
                for way in ("put", "get", "sync"):
                    again = self._costs.median(f"{way} {count} again{suffix}", "sft")
                    goals = [_least(count / again.wall, 20_000, " files/s")] if again and count >= 10_000 else []
                    words = f"  the same {way} again, nothing to do{suffix}"
                    yield from self._row(words, f"{way} {count} again{suffix}", _files(count), goals)
        listed = {who: self._costs.median("list", who) for who in ("sft", "sftp")}
        goals = []
        if listed["sft"] and listed["sftp"]:
            goals.append(_most(listed["sft"].wall / listed["sftp"].wall, 0.7, " of sftp's time"))
        yield from self._row("list a folder, whole process", "list", _milliseconds, goals)

    def _cores(self) -> Iterator[Row]:
        for count in (1, 2, 4, 8):
            for way in ("put", "get"):
                what = f"{way} large on {count}"
                words = f"{way} one file, both ends on {count} core{'s' if count > 1 else ''}"
                yield from self._row(words, what, lambda wall: f"{self._rate(wall)} MB/s", ())

    def _rate(self, wall: float) -> str:
        return figure(self._mib * MIB / 1e6 / wall)

    def _row(self, words: str, what: str, shown: Callable[[float], str], goals: Sequence[Goal]) -> Iterator[Row]:
        costs = {who: self._costs.median(what, who) for who in ALL_PEERS}
        if costs["sft"]:
            cells = {who: f"{shown(cost.wall)} {_processors(cost)}" for who, cost in costs.items() if cost}
            yield Row(words, cells, tuple(goals))

    def _ratios(self, what: str, bounds: dict[str, float]) -> Iterator[Goal]:
        ours = self._costs.median(what, "sft")
        for who, bound in bounds.items():
            theirs = self._costs.median(what, who)
            if ours and theirs:
                yield _least(theirs.wall / ours.wall, bound, f" x {who}")

    # -- single figures ---------------------------------------------------------------------------------------

    def _single(self) -> Iterator[Row]:
        found = self._facts.found
        sessions = f"{found.get('busy sessions', 0):.0f}"
        reads = [found.get(f"{act} among {sessions} busy, p99 ms", 0.0) for act in ("list", "get")]
        writes = found.get(f"put among {sessions} busy, p99 ms", 0.0)
        yield from self._fact("logins a second of server CPU", "", lambda v: _least(v, 700, " a second"))
        yield from self._fact("KiB an idle session", " KiB", lambda v: _most(v, 8, " KiB"))
        yield from self._fact("idle sessions", "", lambda v: _least(v, 10_000, ""))
        yield from self._fact("KiB a session that does not read", " KiB", lambda v: _most(v, 1024, " KiB"))
        for act in ("list", "get", "put"):
            name = f"{act} among {sessions} busy, p99 ms"
            bound = (lambda v: _most(v, 500, " ms")) if act == "list" else lambda _: None
            yield from self._fact(name, " ms", bound)
        if writes:
            yield Row("the longest of reads to writes, p99", {}, (_most(max(reads) / writes, 1, ""),))
        for way in ("put", "get"):
            yield from self._fact(f"listing during {way}, p99 ms", " ms", lambda v: _most(v, 100, " ms"))
        yield from self._fact("first page, ms", " ms", lambda v: _most(v, 50, " ms"))
        for way in ("put", "get"):
            for end in ("client", "server"):
                yield from self._fact(
                    f"memory {way} {end}, MiB over idle", " MiB", lambda v: _most(v, 16, " MiB over idle")
                )
        for way in ("put", "get"):
            yield from self._fact(f"fairness {way}", "", lambda v: _least(v, 0.5, " of a fair share"))

    def _fact(self, name: str, unit: str, bound: Callable[[float], Goal | None]) -> Iterator[Row]:
        value = self._facts.found.get(name)
        if value is not None:
            goal = bound(value)
            yield Row(WORDS.get(name, name), {"sft": f"{figure(value)}{unit}"}, (goal,) if goal else ())

    # -- what it looks like -----------------------------------------------------------------------------------

    def markdown(self, about: str) -> str:
        """Write it for the README.

        Args:
            about: the machine, and what kinds of storage.
        """
        rounds = min(map(len, self._costs.rounds.values()), default=0)  # some rows have several a round
        head = f"{datetime.now(UTC):%Y-%m-%d}, {about}. Medians of {rounds} rounds"
        lines = [
            f"{head}; beside each, processors' seconds of client + server.",
            "",
            "| |" + "".join(f" {HEADS[who]} |" for who in ALL_PEERS) + " to reach |",
            "|---|" + "---|" * (len(ALL_PEERS) + 1),
        ]
        for row in self.rows:
            cells = "".join(f" {row.cells.get(who, '')} |" for who in ALL_PEERS)
            lines.append(f"| {row.what.strip()} |{cells} {'; '.join(map(str, row.goals))} |")
        lines += [f"\nNot measured: {'; '.join(self._facts.missing)}."] if self._facts.missing else []
        return "\n".join(lines)

    def text(self) -> str:
        """Write it for a terminal."""
        lines = [f"\n{'':52}" + "".join(f"{HEADS[who]:>30}" for who in ALL_PEERS)]
        for row in self.rows:
            lines.append(f"{row.what:52}" + "".join(f"{row.cells.get(who, ''):>30}" for who in ALL_PEERS))
            lines += [f"{'':54}{goal}" for goal in row.goals]
        lines += [f"not measured: {each}" for each in self._facts.missing]
        missed = sum(not goal.reached for row in self.rows for goal in row.goals)
        lines.append(f"{sum(len(row.goals) for row in self.rows)} targets, {missed} missed")
        return "\n".join(lines)


WORDS = {
    "KiB an idle session": "memory of the server, an idle session",
    "idle sessions": "idle sessions at once",
    "KiB a session that does not read": "memory of the server, a session that does not read",
    "first page, ms": "first page of the folder with half of all files, at the server",
}


def keep(readme: Path, table: str) -> None:
    """Put the table between the README's markers; ValueError where it has none."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} has no place for the table")
    readme.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _least(found: float, bound: float, words: str) -> Goal:
    return Goal(found, bound, words, at_least=True)


def _most(found: float, bound: float, words: str) -> Goal:
    return Goal(found, bound, words, at_least=False)


def _processors(cost: Cost) -> str:
    return f"({cost.client:.2f} + {cost.server:.2f} s)"


def _files(count: int) -> Callable[[float], str]:
    return lambda wall: f"{figure(count / wall)}/s"


def _milliseconds(wall: float) -> str:
    return f"{wall * 1000:,.0f} ms"
