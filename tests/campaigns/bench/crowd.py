"""One server and very many sessions, on a home with very many files: logins, idle sessions, busy ones and those that do not
read, a first page.

The server is a process of its own; its clients are connections without a reactor, all in this one (``line``): what they cost is
not what is measured.
"""

from __future__ import annotations

import contextlib
import itertools
import resource
import selectors
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from sft.limits import MIB, SESSIONS_PER_PERSON, TRANSFER_CREDIT_CHUNKS
from sft.operator.home import Home
from sft.wire import messages as m
from tests.campaigns.bench.cost import cpu_of, percentile, pss_bytes, watched_peak
from tests.campaigns.bench.together import Facts
from tests.campaigns.line import Line
from tests.campaigns.places import usable_cores
from tests.campaigns.population import FIRST_OWNER, GUS, NAMED, Shape, build, content, key_of, server_key
from tests.campaigns.scale_measures import WatchedServer
from tests.processes import ServerProcess, say

# The server keeps places for strangers, for uploads (a third of the rest) and for itself.
DESCRIPTORS_A_SESSION = 1.5
SPARE_DESCRIPTORS = 2048
PAGES = 15
WARM = 200  # sessions that are there before memory is compared
REQUESTS_EACH = 20
UNREAD_BYTES = 8 * MIB  # of a content that sessions ask for and do not read
UNREAD_EACH = 32
SETTLING_SECONDS = 3.0  # until the server has read for all what it will
# What a busy session does, by turns over the sessions: six list, two get, two put.
ACTS = ("list",) * 6 + ("get",) * 2 + ("put",) * 2
LISTED = "empty"  # sixty folders


def people_for(sessions: int) -> int:
    """Count the people that so many sessions need: each may have only some, and a third are guests."""
    return max(60, sessions * 3 // (SESSIONS_PER_PERSON * 2) + 2 * FIRST_OWNER)


class Crowd:
    """A home with its people.

    Args:
        files: rows of live files.
        sessions: the most that will be asked for.
    """

    def __init__(self, folder: Path, facts: Facts, *, files: int, sessions: int) -> None:
        self._folder = folder
        self._facts = facts
        self._sessions = sessions
        self._shape = Shape(files, people_for(sessions), int(time.time()))
        self._storing = [each for each in range(FIRST_OWNER, self._shape.people + 1) if each % 3]
        folder.mkdir()
        began = time.perf_counter()
        self._home: Home = build(folder, self._shape, processes=usable_cores())
        say(f"made a home of {files:,} files and {self._shape.people:,} people in {time.perf_counter() - began:.0f} s")

    def first_page(self) -> None:
        """Ask for the first page of the folder with half of the files: at the server, from its request to its answer."""
        server = WatchedServer(self._folder)
        with self._running(server):
            line = self._line(server, GUS)
            for _ in range(PAGES):
                line.ask(m.ListFolder, path="big")
            line.ask(m.ShowSelf)  # what was before is written down
            line.close()
            self._facts.add("first page, ms", statistics.median(server.parts("answer", "ListFolder")))

    def logins(self, count: int) -> None:
        """Log in and close so often."""
        with self._running(ServerProcess(self._folder)) as server:
            for _ in range(count // 10):
                self._line(server, GUS).close()
            before = cpu_of(server.pid)
            for number in range(count):
                self._line(server, self._person(number)).close()
            self._line(server, GUS).close()
            self._facts.add("logins a second of server CPU", count / (cpu_of(server.pid) - before))

    def idle(self) -> None:
        """Keep as many sessions as the limits of descriptors allow; say if they are fewer than wanted."""
        wanted = int(self._sessions * DESCRIPTORS_A_SESSION) + SPARE_DESCRIPTORS
        allowed = _raise_descriptors(wanted)
        count = min(self._sessions, int((allowed - SPARE_DESCRIPTORS) / DESCRIPTORS_A_SESSION))
        if count < self._sessions:
            self._facts.missing.append(f"{self._sessions:,} idle sessions: descriptors allow {count:,}")
        server = ServerProcess(self._folder, descriptors=min(wanted, allowed))
        with self._running(server), ExitStack() as lines:
            warm = min(WARM, count // 2)
            for number in range(count):
                if number == warm:
                    before = pss_bytes(server.pid)
                line = self._line(server, self._person(number // SESSIONS_PER_PERSON))
                lines.callback(line.close)
            grown = pss_bytes(server.pid) - before
            self._facts.add("idle sessions", count)
            self._facts.add("KiB an idle session", grown / 1024 / (count - warm))

    def unread(self, count: int) -> None:
        """Have sessions ask for a large content, each several times, and read nothing of it."""
        server = ServerProcess(self._folder)
        with self._running(server), ExitStack() as lines:
            writer = server.new_person("writer", "maintainer")
            (writer.folder / "unread").write_bytes(bytes(UNREAD_BYTES))
            for words in (
                ("put", "unread"),
                ("get", "unread", "--to", "back"),
            ):  # what is loaded for them is loaded then
                done = writer.sft(*words)
                if done.returncode:
                    raise RuntimeError(done.stdout + done.stderr)
            before = pss_bytes(server.pid)
            with watched_peak(server.pid) as peak:
                for number in range(count):
                    line = self._line(server, self._person(number))
                    lines.callback(line.close)
                    for _ in range(UNREAD_EACH):
                        line.begin(m.GetFile, path="unread", version=0, window=TRANSFER_CREDIT_CHUNKS)
                time.sleep(SETTLING_SECONDS)
            self._facts.add("KiB a session that does not read", (peak.bytes - before) / 1024 / count)

    def busy(self, count: int) -> None:
        """Let sessions ask without a pause, each its next when it has its answer."""
        server = ServerProcess(self._folder)
        with self._running(server), ExitStack() as stack:
            lines = []
            for number in range(count):
                lines.append(self._line(server, self._person(number // SESSIONS_PER_PERSON)))
                stack.callback(lines[-1].close)
            waits = self._storm(lines)
        for act, found in waits.items():
            self._facts.add(f"{act} among {count} busy, p99 ms", percentile(found, 0.99))
            self._facts.add(f"{act} among {count} busy, median ms", statistics.median(found))
        self._facts.add("busy sessions", count)

    def _storm(self, lines: Sequence[Line]) -> dict[str, list[float]]:
        """Give the milliseconds of every act but each session's first."""
        waits: dict[str, list[float]] = {act: [] for act in ACTS}
        numbers = itertools.count()
        began: dict[Line, float] = {}
        done = dict.fromkeys(lines, 0)
        acts = {line: ACTS[number % len(ACTS)] for number, line in enumerate(lines)}
        with selectors.DefaultSelector() as selector:
            for line in lines:
                selector.register(line, selectors.EVENT_READ, line)
                began[line] = time.perf_counter()
                self._ask(line, acts[line], next(numbers))
            while selector.get_map():
                for key, _ in selector.select():
                    line = key.data
                    for reply in line.take():
                        _require_done(reply, acts[line])
                        if done[line]:
                            waits[acts[line]].append((time.perf_counter() - began[line]) * 1000)
                        done[line] += 1
                        if done[line] > REQUESTS_EACH:
                            selector.unregister(line)
                            break
                        began[line] = time.perf_counter()
                        self._ask(line, acts[line], next(numbers))
        return waits

    def _ask(self, line: Line, act: str, number: int) -> None:
        if act == "put":
            line.begin_put(f"busy-{number}.txt", content(str(number)))
        elif act == "get":
            line.begin(m.GetFiles, files=(m.WantedFile(f"big/f{number % self._shape.big:07}.txt", 0),))
        else:
            line.begin(m.ListFolder, path=LISTED)

    def _person(self, number: int) -> int:
        """Choose a person who may store: every third is a guest."""
        return self._storing[number % len(self._storing)]

    def _line(self, server: ServerProcess, number: int) -> Line:
        name, _ = NAMED.get(number, (f"person_{number}", None))
        return Line(("127.0.0.1", server.port), server_key(self._home), name, key_of(self._shape, number))

    @contextlib.contextmanager
    def _running(self, server: ServerProcess) -> Iterator[ServerProcess]:
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _require_done(reply: m.Reply, act: str) -> None:
    """Raise PermissionError for a refusal, of all or of one."""
    results = reply.results if isinstance(reply, m.FilesStored | m.FilesContent) else (reply,)
    for each in results:
        if isinstance(each, m.Refusal | m.RefusedFile):
            raise PermissionError(f"{act}: {each.code} {dict(each.values)}")


def _raise_descriptors(wanted: int) -> int:
    """Let this process and its children have so many open, as far as it may; gives how many they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, wanted), hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), limit), limit))
            break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
