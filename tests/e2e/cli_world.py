"""A real server in a process of its own, and people who each have their own state: everything runs as its users run it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sft

ROOT = Path(sft.__file__).parent.parent
SFT = [sys.executable, "-P", "-c", "from sft.cli.main import run; run()"]
TWISTD = [sys.executable, "-P", "-c", "from twisted.scripts.twistd import run; run()"]


@dataclass
class Ran:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class CliWorld:
    """A folder that holds a server's home, and a state for each person."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.port = port or free_port()
        self.server: subprocess.Popen[bytes] | None = None

    # -- the server -----------------------------------------------------------------------------

    def start(self) -> None:
        listen = f"tcp:{self.port}:interface=127.0.0.1"
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [
                    *TWISTD,
                    "-n",
                    "--pidfile=",
                    "sft",
                    "--home",
                    str(self.home),
                    "serve",
                    "--listen",
                    listen,
                ],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.server.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.server is not None
        self.server.send_signal(number)
        return self.server.wait(30)

    def operator(self, *arguments: str) -> Ran:
        return ran(
            [*TWISTD, "sft", "--home", str(self.home), *arguments], self.folder, environment()
        )

    # -- the people -------------------------------------------------------------------------------

    def invitation(self, role: str, *more: str) -> str:
        made = self.operator("invite", "--role", role, *more)
        assert made.status == 0, made.err
        return made.out.strip()

    def join(self, name: str, role: str) -> None:
        link = self.invitation(role)
        joined = self.sft(name, "join", "--user", name, "--no-passphrase", stdin=link)
        assert joined.status == 0, joined.err

    def sft(self, who: str, *arguments: str, stdin: str | bytes = "", **environ: str) -> Ran:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        return ran([*SFT, *arguments], self.folder, self.environ(who, **environ), given)

    def environ(self, who: str, **environ: str) -> dict[str, str]:
        return environment() | {"SFT_HOME": str(self.folder / "people" / who), **environ}

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)


def ran(
    command: list[str],
    folder: Path,
    environ: dict[str, str],
    given: bytes = b"",
    seconds: float = 120,
) -> Ran:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        input=given,
        capture_output=True,
        start_new_session=True,  # no terminal
        check=False,
        timeout=seconds,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SFT_")}
    return {**kept, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[CliWorld]:
    """Run a server while the block runs; whatever the block did to it, no process is left."""
    world = CliWorld(folder, port)
    folder.mkdir(parents=True, exist_ok=True)
    world.start()
    try:
        yield world
    finally:
        server = world.server
        if server is not None and server.poll() is None:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
