"""The command line and the operator's commands in this process, against the server of the test.

Whole commands, as ``main`` runs them, with streams in memory; what they wait for runs on the loop that pytest made. Only what
a process has of its own is left out: signals, a terminal, a real standard input. Those are tested in ``tests/e2e``.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TextIO

from twisted.internet.defer import Deferred

from sft.cli.invocation import Environment
from sft.cli.main import main
from sft.client.loop.poll import PollLoop
from sft.operator import tap
from sft.operator.control import perform
from tests.integration.server_fixture import ServerFixture
from tests.loop import LOOP, PATIENCE_SECONDS, bridged, reactor, run
from tests.unit.cli.cli_fixture import Ran, Terminal


class LiveCli:
    """People at computers of their own, with one folder of local files, and the server's operator."""

    def __init__(self, server: ServerFixture) -> None:
        self.server = server
        self.folder = server.folder / "desk"
        self.folder.mkdir(exist_ok=True)

    def sft(self, who: str, *arguments: str, stdin: str | TextIO = "", typed: str | None = None, **environ: str) -> Ran:
        """Run a command as somebody; a person of the template is pointed at the server first.

        Args:
            stdin: its text, or an opened file, which commands that read bytes ask for.
            typed: what a person answers to its questions.
        """
        self.server.point_at_server(who)
        # Bytes, as a file that is got to standard output is.
        raw, err = io.BytesIO(), io.StringIO() if typed is None else Terminal()
        if typed is not None:
            stdin = Terminal(typed)
        out = io.TextIOWrapper(raw, "utf-8", "surrogateescape", newline="", write_through=True)
        home = str(self.state(who))
        environment = Environment(
            {"SFT_HOME": home, "NO_COLOR": "1", "SFT_TRIES": "0", **environ},
            io.StringIO(stdin) if isinstance(stdin, str) else stdin,
            out,
            err,
            execute=self._execute,
            execute_plain=self._execute_plain,
        )
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), standard_input(stdin):
            status = main(arguments, environment)
        return Ran(status, raw.getvalue().decode("utf-8", "surrogateescape"), err.getvalue())

    def interrupted(self, who: str, text: str, *arguments: str) -> Ran:
        """Run a command that goes on until it is interrupted, which it is once it has said a text on either stream."""
        self.server.point_at_server(who)
        out, err = io.StringIO(), io.StringIO()

        def execute(act: Any, _log: Callable[[str], object]) -> Any:
            working = Deferred.fromCoroutine(act(reactor))

            def look() -> None:
                if text in out.getvalue() + err.getvalue():
                    working.cancel()
                elif not working.called:
                    reactor.callLater(0.01, look)

            async def result() -> Any:
                return await working

            look()
            return run(result())

        environ = {"SFT_HOME": str(self.state(who)), "NO_COLOR": "1"}
        status = main(arguments, Environment(environ, io.StringIO(), out, err, execute=execute))
        return Ran(status, out.getvalue(), err.getvalue())

    def meanwhile(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the server's loop, from within a command that runs on its own."""
        return asyncio.run_coroutine_threadsafe(bridged(coroutine), LOOP).result(PATIENCE_SECONDS)

    def operator(self, *words: str) -> Ran:
        """Run one of the operator's commands, as ``sftd`` does."""

        def run_command(home: Any, work: Any, options: Any, named: str) -> int:
            return run(perform(reactor, home, work, options, named))

        out, err = io.StringIO(), io.StringIO()
        status: Any = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                tap.Options(run_command).parseOptions(["--home", str(self.server.home.path), *words])
            except SystemExit as ended:
                status = ended.code
        return Ran(status, out.getvalue(), err.getvalue())

    def operator_json(self, *words: str) -> Any:
        done = self.operator(*words, "--json")
        assert done.out, done.err
        return json.loads(done.out)

    def invitation(self, *words: str) -> str:
        made = self.operator("invite", *words)
        assert made.status == 0, made.err
        return made.out.strip()

    def join(self, name: str, role: str, server: LiveCli | None = None) -> None:
        link = (server or self).invitation("--role", role)
        joined = self.sft(name, "join", "--user", name, "--no-passphrase", stdin=link)
        assert joined.status == 0, joined.err

    def state(self, who: str) -> Path:
        return self.server.state_of(who).data

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def _execute(self, act: Any, log: Callable[[str], object]) -> Any:
        return run(act(reactor))

    def _execute_plain(self, act: Any, log: Callable[[str], object]) -> Any:
        """Run it as the command does, beside the server's thread."""

        def beside() -> Any:
            with PollLoop() as loop:
                return loop.run(act(loop))

        return LOOP.run_until_complete(LOOP.run_in_executor(None, beside))


@contextlib.contextmanager
def standard_input(given: str | TextIO) -> Iterator[None]:
    """Have an opened file be the process's standard input."""
    before = sys.stdin
    sys.stdin = before if isinstance(given, str) else given
    try:
        yield
    finally:
        sys.stdin = before


NewCli = Callable[..., LiveCli]
"""``new_cli(port=0, **settings)``: the command line against a server of its own, which nobody has joined."""
