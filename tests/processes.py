"""A real server and real users as processes: what campaigns and end-to-end tests act on.

Everything lies in one folder and goes with it; servers listen on loopback, on a port from the system, and are stopped by id.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60
# Below those that the system gives to connections and to whoever asks for any.
_PORTS = range(20_000, 32_768)


def script(name: str) -> str:
    """Find an installed command of this very environment."""
    return str(Path(sysconfig.get_path("scripts")) / name)


def free_port() -> int:
    """Choose a port that nobody has, and that the system gives to nobody by itself: the server takes it a moment later."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(_PORTS)))
            return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Leave out what would steer sft from outside."""
    dropped = ("SFT_", "COLUMNS", "LINES", "NO_COLOR", "CI", "FORCE_COLOR")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, "PATH": f"{Path(script('sft')).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


class ServerProcess:
    """``twistd -n sft`` over one home; it can be killed and started again.

    Args:
        serves: the subcommand that runs it: ``serve``, or ``witness``.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        descriptors: int = 0,
        program: Sequence[str] | None = None,
        serves: str = "serve",
    ) -> None:
        self.home = folder / "home"
        self.log = folder / f"{serves}.log"
        self._serves = serves
        self.port = free_port()
        self._options = options
        self._program = program or (script("twistd"),)  # what takes the place of it takes its words
        self._descriptors = descriptors  # that the process may have open; 0 for as many as here
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        before = self.log.stat().st_size if self.log.exists() else 0
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        with self.log.open("ab") as log:
            limited = ["prlimit", f"--nofile={self._descriptors}"] if self._descriptors else []
            self._process = subprocess.Popen(
                [*limited, *self._program, "-n", "--pidfile=", "sft", "--home", str(self.home), self._serves,
                 "--listen", listen, *self._options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home.parent, env=clean_environment(),
            )  # fmt: skip
        with self.log.open("rb") as log:
            log.seek(before)
            text = b""
            while b" listening at=" not in text:
                if self._process.poll() is not None:
                    raise RuntimeError("the server ended:\n" + (text + log.read()).decode()[-2000:])
                # The server's own word, not a sleep, ends the wait; select cannot watch a file.
                try:
                    self._process.wait(0.02)
                except subprocess.TimeoutExpired:
                    text += log.read()

    @property
    def pid(self) -> int:
        """Give the process's id."""
        if self._process is None:
            raise RuntimeError("not running")
        return self._process.pid

    def kill(self) -> None:
        """Let it die in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def stop(self) -> int:
        """Ask it to end; gives its status."""
        if self._process is None:
            return 0
        self._process.terminate()
        status = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        return status

    def new_person(self, name: str, role: str = "") -> Person:
        """Make somebody with a state beside the home, who has joined if there is a role."""
        person = Person(self.home.parent, name)
        if role:
            person.join(self, role)
        return person

    def operate(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an operator command."""
        return run(script("twistd"), "sft", "--home", str(self.home), *words, cwd=self.home.parent)

    def begin_operating(self, *words: str) -> subprocess.Popen[str]:
        """Begin an operator command; its output and its errors are pipes."""
        return subprocess.Popen(
            [script("twistd"), "sft", "--home", str(self.home), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.home.parent, env=clean_environment(), text=True,
        )  # fmt: skip

    def operate_json(self, *words: str) -> object:
        """Run an operator command for its JSON document."""
        done = self.operate(*words, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise RuntimeError(f"{words} said: {done.stdout!r} {done.stderr!r}") from None


class Person:
    """A user with a state of their own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**clean_environment(), "SFT_HOME": str(self.folder / "state"), "SFT_TRIES": "0"}

    def join(self, server: ServerProcess, role: str) -> None:
        """Join by a real invitation."""
        link = server.operate("invite", "--role", role).stdout.strip()
        done = self.sft("join", "--user", self.name, "--no-passphrase", given=link + "\n")
        if done.returncode:
            raise RuntimeError(f"{self.name} could not join: {done.stderr}")

    def sft(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return run(script("sft"), *words, cwd=self.folder, env=self.environment, given=given)

    def sft_json(self, *words: str) -> Any:
        """Run a command for its JSON document."""
        return json.loads(self.sft(*words, "--json").stdout)

    def begin(self, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Begin a command; its output and its errors are pipes."""
        return subprocess.Popen(
            [script("sft"), *words],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.folder, env=self.environment, text=True,
        )  # fmt: skip


def all_good(running: Iterable[subprocess.Popen[str]]) -> list[Any]:
    """Wait for commands that print JSON; they must end well."""
    documents = []
    for each in running:
        out, err = each.communicate(timeout=120)
        if each.returncode or "Traceback" in err:
            raise RuntimeError(out + err)
        documents.append(json.loads(out))
    return documents


def run(
    *words: str,
    cwd: Path,
    env: dict[str, str] | None = None,
    given: str | None = None,
    patience: float = PATIENCE_SECONDS * 4,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        words, input=given, stdin=None if given is not None else subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=patience, cwd=cwd, env=env or clean_environment(),
    )  # fmt: skip


def say(text: str) -> None:
    """Print a line of a campaign at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
