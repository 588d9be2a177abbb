"""Where the demo happens and with what: a folder and a server of its own, people with their own states, real files.

Rules. Everything is the real thing in a process of its own: ``twistd -n sft``, and ``sft`` for each command. The server is
stopped by its process id and the folder is removed, whatever happens in between.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sft
from sft.limits import MIB, SEGMENT_BYTES

START_SECONDS: Final = 30
STOP_SECONDS: Final = 15
COMMAND_SECONDS: Final = 600
_TAIL_LINES: Final = 5

_TWISTD_WHILE_INPUT_IS_OPEN: Final = """
import os, signal, sys, threading

def end_with_whoever_started_us():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_whoever_started_us, daemon=True).start()
sys.argv[0] = "twistd"
from twisted.scripts.twistd import run; run()
"""


class UnexpectedError(Exception):
    """Something did not do what it should: what that was, for a person to read."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str
    seconds: float

    def document(self) -> Any:
        """Return what it printed with ``--json``."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise UnexpectedError(f"no JSON on standard output: {self.err.strip()}") from None


class DemoStage:
    """A folder with a server's home and a state for each person.

    Args:
        folder: empty, and ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._environ = _environment()

    def sft(self, who: str, *arguments: str, status: int = 0) -> Ended:
        """Run ``sft`` as one of the people; UnexpectedError if it ends with another status than it should."""
        environ = {**self._environ, "SFT_HOME": str(self.folder / who)}
        command = [sys.executable, "-P", "-c", "from sft.cli.entry import run; run()", *arguments]
        return self._run(command, environ, f"sft {' '.join(arguments)}", status)

    def operator(self, *arguments: str) -> Ended:
        command = [*_twistd(), "sft", "--home", str(self.home), *arguments]
        return self._run(command, self._environ, f"sftd {' '.join(arguments)}", 0)

    def exchange(self, path: str, old: str, new: str) -> None:
        """Exchange a text in a stored file, as whoever runs the server could: with its keys, and without the author's."""
        command = [sys.executable, "-P", "-m", "sft.demo.forgery", str(self.home), path, old, new]
        self._run(command, self._environ, f"exchange what {path} holds", 0)

    def join(self, name: str, link: str, *options: str) -> None:
        """Have a new person join, with a key that nothing protects."""
        path = self.folder / f"{name}.link"
        path.touch(mode=0o600)
        path.write_text(link)
        self.sft(name, "join", "--link-file", str(path), "--user", name, "--no-passphrase", *options)
        path.unlink()

    @contextmanager
    def server(self, *options: str) -> Iterator[int]:
        """Run the server while the block runs; yields its process id. It does not outlive this process either."""
        port = _free_port()
        listen = f"tcp:{port}:interface=127.0.0.1"
        with (self.folder / "server.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-P", "-c", _TWISTD_WHILE_INPUT_IS_OPEN, "-n", "--pidfile=",
                 "sft", "--home", str(self.home), "serve", "--listen", listen, *options],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.PIPE,  # closed by the system if we die in the middle
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt on the terminal is ours to pass on
            )  # fmt: skip
        try:
            self._await_serving(child)
            yield child.pid
        finally:
            _stop(child)

    def object_of(self, size_bytes: int) -> Path:
        """Return a file of the vault that holds so many bytes sealed, or a segment of them: a little more than those."""
        files = [path for path in (self.home / "data" / "vault").rglob("*") if path.is_file()]
        larger = [path for path in files if path.stat().st_size > min(size_bytes, SEGMENT_BYTES)]
        if not larger:
            raise UnexpectedError(f"the vault holds no object of {size_bytes} bytes")
        return min(larger, key=lambda path: path.stat().st_size)

    def _await_serving(self, child: subprocess.Popen[bytes]) -> None:
        """Wait for the control socket: the network port listens before the home is made."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and child.poll() is None:
            with suppress(OSError), socket.socket(socket.AF_UNIX) as control:
                control.connect(str(self.home / "control"))
                return
            time.sleep(0.05)
        log = (self.folder / "server.log").read_text(errors="replace").splitlines()
        raise UnexpectedError("the server does not serve:\n" + "\n".join(log[-_TAIL_LINES:]))

    def _run(self, command: Sequence[str], environ: Mapping[str, str], shown: str, status: int) -> Ended:
        began = time.monotonic()
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
        )
        seconds = time.monotonic() - began
        if ended.returncode != status:
            raise UnexpectedError(f"{shown}: status {ended.returncode} in place of {status}: {beginning(ended.stderr)}")
        return Ended(ended.returncode, ended.stdout, ended.stderr, seconds)


def beginning(text: str) -> str:
    """Return the first lines of what was printed."""
    return "; ".join(line.strip() for line in text.strip().splitlines()[:_TAIL_LINES])


def library_files(source: Path) -> list[Path]:
    """List Python's own sources below a folder: no links, nothing that was installed or compiled later."""
    others = {"site-packages", "dist-packages", "__pycache__"}
    found = (path.relative_to(source) for path in source.rglob("*.py") if not path.is_symlink())
    return sorted(below for below in found if not others & set(below.parts))


@contextmanager
def changed_byte(path: Path) -> Iterator[None]:
    """Change one byte of a file while the block runs."""
    offset = min(MIB, path.stat().st_size // 2)

    def flip() -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1]))

    flip()
    try:
        yield
    finally:
        flip()


def _environment() -> dict[str, str]:
    """Return our environment for children, without what is meant for us; they find the sft that runs."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SFT_")}
    root = Path(sft.__file__).parent.parent
    if not {"site-packages", "dist-packages"} & set(root.parts):
        before = environ.get("PYTHONPATH")
        environ["PYTHONPATH"] = f"{root}{os.pathsep}{before}" if before else str(root)
    return environ


def _twistd() -> list[str]:
    beside = Path(sys.executable).parent / "twistd"
    if beside.is_file():
        return [str(beside)]
    return [sys.executable, "-P", "-c", "from twisted.scripts.twistd import run; run()"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return int(port)


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
