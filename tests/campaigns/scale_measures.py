"""What is measured of a server with very many files and people, and what of it is too much.

Each figure is the median of some tries, as the server sees it (from a request's arrival to its answer) and whole, on loopback.
The home is spent afterwards: folders are deleted, and what was in the trash is destroyed.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sft.client.api.trash import trash_seen
from sft.model.access import Role
from sft.model.file_criteria import FileCriteria
from sft.operator.home import Home
from sft.wire import messages as m
from tests.campaigns.line import Line
from tests.campaigns.population import ADA, GUS, MAX, NAMED, OLGA, Shape, content, key_of, server_key
from tests.campaigns.searches import questions
from tests.processes import ServerProcess, say

ANSWER_MS = 50.0  # of everything that a person waits for with a finger on a key
FOUND_MS = 100.0  # of a search, until something is found or there is nothing
HOLD_MS = 50.0  # what the writer may be with one act
START_MS = 1500.0
DELETE_MS = 1000.0  # of a folder of half a million files, and what others wait meanwhile
IN_FLIGHT = 120  # of a guest who wants to see the people, again and again
AFTERWARDS_SECONDS = 2.0
DAYS_LATER = 31  # when the trash is to be destroyed
FOLDERS_WALKED = 40


@dataclass
class Figure:
    """Milliseconds of each try."""

    what: str
    target: float | None
    server: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether it takes longer than it may: at the server, where that was seen."""
        return self.target is not None and statistics.median(self.server or self.whole) > self.target


@dataclass
class Figures:
    """All that was measured, in order."""

    found: list[Figure] = field(default_factory=list)

    def add(
        self, what: str, target: float | None, *, server: Sequence[float] = (), whole: Sequence[float] = ()
    ) -> None:
        """Note one, and say it at once."""
        self.found.append(Figure(what, target, list(server), list(whole)))
        say(_line(self.found[-1]))

    def show(self) -> None:
        """Print the table."""
        say(f"\n{'':56}{'server':>10}{'worst':>10}{'whole':>10}{'target':>10}  ms")
        for figure in self.found:
            say(_line(figure))


def _line(figure: Figure) -> str:
    def cell(times: Sequence[float], of: Callable[[Sequence[float]], float] = statistics.median) -> str:
        return f"{of(times):,.1f}" if times else ""

    target = "" if figure.target is None else f"{figure.target:,.0f}"
    verdict = "" if figure.target is None else "OVER" if figure.is_over else "ok"
    worst = cell(figure.server or figure.whole, max)
    return f"{figure.what:56}{cell(figure.server):>10}{worst:>10}{cell(figure.whole):>10}{target:>10}  {verdict}"


class WatchedServer(ServerProcess):
    """The real server in its process, and what it wrote down of its parts."""

    def __init__(self, folder: Path, *, days_later: int = 0) -> None:
        self._report = folder / "parts.jsonl"
        self._report.touch()
        self._read_bytes = self._report.stat().st_size
        program = (
            sys.executable,
            str(Path(__file__).with_name("watched_server.py")),
            str(self._report),
            str(days_later),
        )
        super().__init__(folder, program=program)

    def parts(self, part: str, *names: str) -> list[float]:
        """Take the milliseconds of one part, of these names or of all, since the last call."""
        with self._report.open(encoding="utf-8") as file:
            file.seek(self._read_bytes)
            lines = file.readlines()
            self._read_bytes = file.tell()
        found = [json.loads(line) for line in lines]
        return [ms for kind, name, ms in found if kind == part and (not names or name in names)]


@contextmanager
def timed() -> Iterator[list[float]]:
    """Give the milliseconds of the block, once it has ended."""
    took: list[float] = []
    began = time.perf_counter()
    yield took
    took.append((time.perf_counter() - began) * 1000)


def granted(reply: m.Reply) -> m.Reply:
    """Give an answer that is no refusal; PermissionError else."""
    if isinstance(reply, m.Refusal):
        raise PermissionError(f"{reply.code} {dict(reply.values)}")
    return reply


def there_and_back(one: str, other: str) -> Callable[[int], dict[str, str]]:
    """Make the fields of moves between two paths."""
    return lambda number: {"old": (one, other)[number % 2], "new": (other, one)[number % 2]}


class Measures:
    """Measures one home, from its start to what is left of it.

    Args:
        folder: that the home lies in.
        times: how often each thing is tried.
    """

    def __init__(self, folder: Path, shape: Shape, *, times: int) -> None:
        self.figures = Figures()
        self._folder = folder
        self._shape = shape
        self._home = Home(folder / "home")
        self._times = times
        self._names = count()
        self._lines = ExitStack()

    def run(self) -> Figures:
        """Measure all of it."""
        self._starts()
        self._server = server = WatchedServer(self._folder)
        server.start()
        try:
            self._operate(server)
            self._ada, self._olga, self._max, self._gus = (self._line(server, each) for each in (ADA, OLGA, MAX, GUS))
            self._logins()
            self._lists()
            self._searches()
            self._log()
            self._people()
            self._changes()
            self._crowd()
            self._delete_everything()
        finally:
            self._lines.close()
            server.stop()
        self._collect()
        return self.figures

    def _line(self, server: ServerProcess, number: int) -> Line:
        name, _ = NAMED[number]
        line = Line(("127.0.0.1", server.port), server_key(self._home), name, key_of(self._shape, number))
        self._lines.callback(line.close)
        return line

    # -- processes -----------------------------------------------------------------------------------------

    def _starts(self) -> None:
        starts, commands = [], []
        for _ in range(3):
            server = ServerProcess(self._folder)
            with timed() as took:
                server.start()
            server.stop()
            starts += took
            with timed() as took:
                server.operate("user", "show", "max")
            commands += took
        self.figures.add("start, until it listens", START_MS, whole=starts)
        self.figures.add("an operator's command, no server", START_MS, whole=commands)

    def _operate(self, server: ServerProcess) -> None:
        commands = []
        for _ in range(3):
            with timed() as took:
                server.operate("user", "show", "max")
            commands += took
        self.figures.add("an operator's command, beside the server", START_MS, whole=commands)

    # -- requests ------------------------------------------------------------------------------------------

    def _logins(self) -> None:
        whole = []
        for _ in range(self._times):
            with timed() as took:
                line = self._line(self._server, GUS)
            line.close()
            whole += took
        self._barrier()
        self.figures.add("login", ANSWER_MS, server=self._server.parts("read", "login"), whole=whole)

    def _measure(
        self, what: str, line: Line, kind: type[m.Request], fields: Callable[[int], dict[str, Any]], *, times: int = 0
    ) -> None:
        """Ask some times."""
        self._server.parts("answer")
        times = times or self._times
        whole = []
        for number in range(times):
            with timed() as took:
                granted(line.ask(kind, **fields(number)))
            whole += took
        self._barrier()
        server = self._server.parts("answer", kind.__name__)[:times]
        self.figures.add(what, ANSWER_MS, server=server, whole=whole)

    def _seen(self, path: str) -> dict[str, Any]:
        """Look at what lies in the trash at a path, for what is done with it."""
        shown = self._ada.ask(m.ShowTrashed, path=path)
        if not isinstance(shown, m.TrashedShown):
            raise TypeError(f"nothing of the trash: {shown}")
        entry = shown.file or shown.folder
        return {"path": path, "seen": None if entry is None else trash_seen(entry)}

    def _barrier(self) -> None:
        """Come back when the server has written down what was before."""
        granted(self._gus.ask(m.ShowSelf))

    def _lists(self) -> None:
        shape = self._shape
        for what, path, cursor in (
            ("first page of the root", "", ""),
            ("first page of the folder of half of the files", "big", ""),
            ("a page in its middle", "big", f"ff{shape.big // 2:07}.txt"),
            ("first page of the folder of most folders", "wide", ""),
            ("first page of the folder of half a million below", "many", ""),
        ):
            self._measure(what, self._gus, m.ListFolder, lambda _, p=path, c=cursor: {"path": p, "cursor": c})
        folders = min(FOLDERS_WALKED, -(-shape.many // 500))
        self._measure("ls '**', a page", self._gus, m.ListFolder, lambda n: {"path": f"many/d{n:05}"}, times=folders)
        with self._operator(self._server) as operator:
            self._measure(
                "file list of the operator, a page", operator, m.FindFiles, lambda n: {"after": n * shape.files // 100}
            )
        self._measure("trash page of an admin", self._ada, m.ListTrash, lambda _: {})
        self._measure("trash page of who has half of it", self._olga, m.ListTrash, lambda _: {})
        self._measure("trash page of who has deleted nothing", self._max, m.ListTrash, lambda _: {})
        self._measure("show one file", self._gus, m.ShowFile, lambda n: {"path": f"big/f{n:07}.txt"})

    def _searches(self) -> None:
        """Ask each kind of question until something is found, or there is nothing: first of all as the cache is."""
        for what, words, criteria in questions(self._shape):
            for who, line in (("", self._gus), (", an admin", self._ada)):
                self._found(f"search: {what}{who}", line, words, criteria)

    def _found(self, what: str, line: Line, words: tuple[str, ...], criteria: FileCriteria | None) -> None:
        self._server.parts("answer")
        server, whole = [], []
        for _ in range(self._times):
            cursor, is_found = "", False
            with timed() as took:
                while not is_found:
                    reply = granted(line.ask(m.SearchNames, words=words, criteria=criteria, cursor=cursor))
                    if not isinstance(reply, m.NamesFound):
                        raise TypeError(f"no page: {reply}")
                    cursor = reply.page.next
                    is_found = bool(reply.page.files or reply.page.folders) or not cursor
            self._barrier()
            whole += took
            server.append(sum(self._server.parts("answer", "SearchNames")))
        self.figures.add(what, FOUND_MS, server=server, whole=whole)

    def _log(self) -> None:
        pages = {"limit": 100}
        self._measure("the newest page of the log", self._gus, m.ReadLog, lambda _: {**pages, "newest_first": True})
        self._measure("a page of the log from its start", self._gus, m.ReadLog, lambda n: {**pages, "start": n})
        self._measure("a page of the log about a person", self._gus, m.ReadLog, lambda _: {**pages, "user_id": 1})

    def _people(self) -> None:
        last = self._shape.people
        changed = (Role.ADMIN, Role.MAINTAINER)
        self._measure("whoami of who owns half", self._olga, m.ShowSelf, lambda _: {})
        self._measure("users, the first page", self._gus, m.ListUsers, lambda _: {})
        self._measure("users, a later page", self._gus, m.ListUsers, lambda _: {"after": last // 2})
        self._measure("show a user by name", self._gus, m.ShowUser, lambda n: {"user_id": 0, "name": f"Person_{9 + n}"})
        self._measure("invitations", self._ada, m.ListInvitations, lambda _: {})
        self._measure(
            "role change of who owns half", self._ada, m.ChangeRole, lambda n: {"name": "olga", "role": changed[n % 2]},
            times=self._times // 2 * 2,
        )  # fmt: skip
        self._measure(
            "add a person", self._ada, m.AddUser,
            lambda n: {
                "name": f"new_{n}", "role": Role.GUEST, "device": "",
                "public_key": key_of(self._shape, last + 1 + n).public.encode(),
            },
        )  # fmt: skip
        self._refusals("refusal that names admins", m.MakeFolder, {"path": "mine"})

    def _refusals(self, what: str, kind: type[m.Request], fields: dict[str, Any]) -> None:
        self._server.parts("answer")
        whole = []
        for _ in range(self._times):
            with timed() as took:
                reply = self._gus.ask(kind, **fields)
            whole += took
            if not isinstance(reply, m.Refusal) or "admins" not in reply.values:
                raise RuntimeError(f"no such refusal: {reply}")
        self._barrier()
        self.figures.add(what, ANSWER_MS, server=self._server.parts("answer", kind.__name__), whole=whole)

    def _changes(self) -> None:
        shape = self._shape
        even = self._times // 2 * 2
        self._measure("delete of one empty folder", self._ada, m.Delete, lambda n: {"path": f"empty/e{n:02}"})
        self._measure("delete of one file", self._ada, m.Delete, lambda n: {"path": f"big/f{n:07}.txt"})
        self._measure(
            "restore of one file", self._ada, m.Restore, lambda n: self._seen(shape.place(shape.files + 1 + n).path)
        )
        self._measure(
            "restore of a folder of 500 files", self._ada, m.Restore, lambda n: self._seen(f"old/o{n:05}"),
            times=min(self._times, shape.trashed_folders),
        )  # fmt: skip
        self._measure("a new folder", self._max, m.MakeFolder, lambda n: {"path": f"new/n{n}"})
        self._measure("rename of the folder of half", self._ada, m.Move, there_and_back("big", "large"), times=even)
        self._measure("rename of hers by who owns half", self._olga, m.Move, there_and_back("many", "lots"), times=even)
        puts = [self._put(self._max) for _ in range(self._times)]
        self._barrier()
        self.figures.add(
            "put of one small file", ANSWER_MS, server=self._server.parts("answer", "PutFiles"), whole=puts
        )
        gets = [self._get(self._max, self._times + number) for number in range(self._times)]
        self.figures.add("get of one small file", ANSWER_MS, whole=gets)

    def _put(self, line: Line) -> float:
        path = f"new/p{next(self._names)}.txt"
        with timed() as took:
            granted(line.put(path, content(path)))
        return took[0]

    def _get(self, line: Line, number: int) -> float:
        with timed() as took:
            granted(line.ask(m.GetFile, path=f"big/f{number:07}.txt", version=0, window=8))
        return took[0]

    def _crowd(self) -> None:
        """Log in beside one guest who asks for the people with all that is allowed."""
        whole = []
        for _ in range(3):
            numbers = [self._gus.begin(m.ListUsers) for _ in range(IN_FLIGHT)]
            with timed() as took:
                line = self._line(self._server, MAX)
            line.close()
            whole += took
            for number in numbers:
                granted(self._gus.answer(number))
        self.figures.add(f"login beside {IN_FLIGHT} lists of people in flight", START_MS, whole=whole)

    # -- what is large ---------------------------------------------------------------------------------------

    def _delete_everything(self) -> None:
        """Delete half of all files at once, while two others store and read."""
        self._server.parts("write")
        ended = threading.Event()
        puts: list[float] = []
        gets: list[float] = []
        faults: list[BaseException] = []

        def go_on(times: list[float], step: Callable[[], float]) -> None:
            try:
                while not ended.is_set():
                    times.append(step())
            except BaseException as error:  # noqa: BLE001 - told below, by the one who waits
                faults.append(error)

        numbers = count(2 * self._times)
        putting = threading.Thread(target=go_on, args=(puts, lambda: self._put(self._max)))
        getting = threading.Thread(
            target=go_on, args=(gets, lambda: self._get(self._gus, next(numbers) % self._shape.big))
        )
        for thread in (putting, getting):
            thread.start()
        with timed() as took:
            granted(self._olga.ask(m.Delete, path="many", recursive=True))
        ended.wait(AFTERWARDS_SECONDS)
        ended.set()
        for thread in (putting, getting):
            thread.join()
        if faults:
            raise faults[0]
        self._barrier()
        self.figures.add(f"rm -r of {self._shape.many:,} files", DELETE_MS, whole=took)
        self.figures.add("  a put meanwhile, the longest wait", DELETE_MS, whole=[max(puts)])
        self.figures.add("  a get meanwhile, the longest wait", DELETE_MS, whole=[max(gets)])
        self.figures.add("  the writer's longest group meanwhile", HOLD_MS, server=[max(self._server.parts("write"))])

    def _collect(self) -> None:
        """Destroy all that is in the trash, a month later, while somebody stores."""
        server = WatchedServer(self._folder, days_later=DAYS_LATER)
        server.start()
        try:
            waits: list[float] = []
            line = self._line(server, MAX)
            with self._operator(server) as operator:
                ended = threading.Event()

                def go_on() -> None:
                    while not ended.is_set():
                        waits.append(self._put(line))

                putting = threading.Thread(target=go_on)
                putting.start()
                try:
                    with timed() as took:
                        report = granted(operator.ask(m.CollectTrash))
                finally:
                    ended.set()
                    putting.join()
            if not isinstance(report, m.VaultChecked) or report.report.faults:
                raise RuntimeError(f"not collected: {report}")
            holds = server.parts("write")
        finally:
            self._lines.close()
            server.stop()
        self.figures.add(f"collecting {report.report.files:,} files of the trash", None, whole=took)
        self.figures.add("  the writer's longest group meanwhile", HOLD_MS, server=[max(holds)])
        self.figures.add("  a put meanwhile, the longest wait", DELETE_MS, whole=[max(waits)])

    @contextmanager
    def _operator(self, server: ServerProcess) -> Iterator[Line]:
        line = Line(server.home / "control", server_key(self._home))
        yield line
        line.close()
