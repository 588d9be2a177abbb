"""Who is compared: the product, OpenSSH's sftp, rclone's sftp over a crypt remote, and the bare job; each a real server.

Rules. Each server is private, on loopback, with keys of its own, in a folder that goes with it: nothing of the system's
configuration is read or changed. A path that is put has the name that it gets there.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tests.campaigns.bench.cost import Cost, cpu_of, cpu_with_children, run_for_cost
from tests.processes import Person, ServerProcess, clean_environment, free_port, run, script

PROJECT = Path(__file__).parents[3]
SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin")
PACKAGES = {"sshd": "openssh-server", "sftp": "openssh-client", "rclone": "rclone"}
START_SECONDS = 30


class Peer(Protocol):
    """A server and its client."""

    name: str
    folders: bool  # whether it moves folders and lists them

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def put(self, source: Path) -> Cost:
        """Send a file or a folder."""

    def get(self, name: str, to: Path) -> Cost:
        """Fetch into a folder."""

    def list(self) -> Cost:
        """Log in, list the root, end."""

    def drop(self, name: str) -> None:
        """Remove a file or a folder there."""


class Product:
    """The real server and the real command."""

    name = "sft"
    folders = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.server = ServerProcess(folder)
        self.person = Person(folder, "max")

    def start(self) -> None:
        self.server.start()
        if not (self.person.folder / "state").exists():
            self.person.join(self.server, "admin")

    def stop(self) -> None:
        self.server.stop()

    def sft(self, *words: str) -> Cost:
        """Run a command for its cost."""
        return run_for_cost(
            (script("sft"), *words),
            cwd=self.person.folder,
            env=self.person.environment,
            server_cpu=lambda: cpu_of(self.server.pid),
        )[0]

    def put(self, source: Path) -> Cost:
        return self.sft("put", str(source))

    def get(self, name: str, to: Path) -> Cost:
        return self.sft("get", name, "--to", str(to))

    def sync(self, source: Path) -> Cost:
        """Make the folder there like this one."""
        return self.sft("sync", str(source), f":{source.name}")

    def list(self) -> Cost:
        return self.sft("ls")

    def drop(self, name: str) -> None:
        self.sft("rm", "-r", "--yes", name)


class _SftpServer:
    """What the two have in common that stock sftp speaks with."""

    folders = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(mode=0o700)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name), cwd=folder)
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")

    def serve(self, *words: str, env: dict[str, str] | None = None) -> None:
        """Start the server, and wait until it listens."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        _await_listening(self.process, self.port)

    def stop(self) -> None:
        _stop(self.process)

    def sftp(self, *commands: str, server_cpu: Callable[[], float]) -> Cost:
        """Run one session."""
        options = {
            "Port": self.port, "IdentityFile": self.folder / "user", "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.folder / "known", "BatchMode": "yes",
        }  # fmt: skip
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return run_for_cost(
            ("sftp", "-q", "-F", "none", "-b", "-", *flags, f"{getpass.getuser()}@127.0.0.1"),
            cwd=self.folder,
            given="".join(f"{command}\n" for command in commands),
            server_cpu=server_cpu,
        )[0]


class OpenSsh(_SftpServer):
    """A private sshd, for this user alone; its default cipher, nothing sealed on disk, nothing waits for the disk."""

    name = "sftp"

    def start(self) -> None:
        if os.geteuid() == 0:  # sshd drops its privileges into this folder, and demands that it is there
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": self.folder / "host", "PidFile": "none",
            "AuthorizedKeysFile": self.folder / "user.pub", "StrictModes": "no", "UsePAM": "no", "PermitRootLogin": "yes",
            "PasswordAuthentication": "no", "MaxStartups": "100", "Subsystem": "sftp internal-sftp",
        }  # fmt: skip
        (self.folder / "config").write_text("".join(f"{key} {value}\n" for key, value in config.items()))
        (self.folder / "files").mkdir(exist_ok=True)
        self.serve(program("sshd"), "-D", "-e", "-f", str(self.folder / "config"))

    def put(self, source: Path) -> Cost:
        return self._sftp(f"put -R {source} {self.folder}/files/{source.name}")

    def get(self, name: str, to: Path) -> Cost:
        return self._sftp(f"get -R {self.folder}/files/{name} {to}/{name}")

    def list(self) -> Cost:
        return self._sftp(f"ls {self.folder}/files")

    def drop(self, name: str) -> None:
        _remove(self.folder / "files" / name)

    def _sftp(self, *commands: str) -> Cost:
        process = self.process
        if process is None:
            raise RuntimeError("not running")
        return self.sftp(*commands, server_cpu=lambda: cpu_with_children(process.pid))


class Rclone(_SftpServer):
    """``rclone serve sftp`` over a crypt remote: sealed on disk by SecretBox, nothing signed; the client is stock sftp."""

    name = "rclone"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._trees: set[str] = set()  # what was put as a folder, of files alone

    def start(self) -> None:
        files = self.folder / "files"
        files.mkdir(exist_ok=True)
        obscured = run(program("rclone"), "obscure", os.urandom(16).hex(), cwd=self.folder).stdout.strip()
        (self.folder / "config").write_text(f"[sealed]\ntype = crypt\nremote = {files}\npassword = {obscured}\n")
        self.serve(
            program("rclone"), "serve", "sftp", "sealed:", "--addr", f"127.0.0.1:{self.port}",
            "--config", str(self.folder / "config"), "--key", str(self.folder / "host"),
            "--authorized-keys", str(self.folder / "user.pub"), "--cache-dir", str(self.folder / "cache"),
            env={**clean_environment(), "HOME": str(self.folder)},
        )  # fmt: skip

    def put(self, source: Path) -> Cost:
        if source.is_dir():
            self._trees.add(source.name)
        return self._sftp(f"put -R {source} /{source.name}")

    def get(self, name: str, to: Path) -> Cost:
        return self._sftp(f"get -R /{name} {to}/{name}")

    def list(self) -> Cost:
        return self._sftp("ls /")

    def drop(self, name: str) -> None:
        # By its own server, which remembers what is there.
        self._sftp(*((f"rm /{name}/*", f"rmdir /{name}") if name in self._trees else (f"rm /{name}",)))

    def _sftp(self, *commands: str) -> Cost:
        process = self.process
        if process is None:
            raise RuntimeError("not running")
        return self.sftp(*commands, server_cpu=lambda: cpu_of(process.pid))


class Bare:
    """See ``bare``; one file at a time."""

    name = "bare"
    folders = False

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._words = (sys.executable, "-m", "tests.campaigns.bench.bare")

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._words, "serve", str(self.folder), str(self.port)], stdin=subprocess.DEVNULL, cwd=PROJECT
        )
        _await_listening(self._process, self.port)

    def stop(self) -> None:
        _stop(self._process)

    def put(self, source: Path) -> Cost:
        return self._run("put", str(self.port), str(source), source.name)

    def get(self, name: str, to: Path) -> Cost:
        return self._run("get", str(self.port), name, str(to / name))

    def list(self) -> Cost:
        raise RuntimeError("the bare job lists nothing")

    def drop(self, name: str) -> None:
        _remove(self.folder / name)

    def _run(self, *words: str) -> Cost:
        process = self._process
        if process is None:
            raise RuntimeError("not running")
        return run_for_cost((*self._words, *words), cwd=PROJECT, server_cpu=lambda: cpu_of(process.pid))[0]


def program(name: str) -> str:
    """Find a program, also where ordinary paths leave it out; FileNotFoundError."""
    found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *SBIN)))
    if found is None:
        raise FileNotFoundError(name)
    return found


def missing_programs() -> list[str]:
    """Name what is not installed."""
    missing = []
    for name in (*PACKAGES, "ssh-keygen"):
        try:
            program(name)
        except FileNotFoundError:
            missing.append(name)
    return missing


def install_missing() -> None:
    """Install from the distribution what is missing, where this user may; whether it worked is seen afterwards."""
    packages = sorted({PACKAGES[name] for name in missing_programs() if name in PACKAGES})
    apt = shutil.which("apt-get")
    if not packages or apt is None or os.geteuid() != 0:
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
        subprocess.run((apt, *words), check=False, capture_output=True, env=env, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def stage(folder: Path, kinds: Sequence[str]) -> Iterator[list[Peer]]:
    """Run servers of these names while the block runs; of what is not installed, none."""
    folder.mkdir()
    missing = set(missing_programs())
    needs = {
        "sft": set(),
        "bare": set(),
        "sftp": {"sshd", "sftp", "ssh-keygen"},
        "rclone": {"rclone", "sftp", "ssh-keygen"},
    }
    makes = {"sft": Product, "sftp": OpenSsh, "rclone": Rclone, "bare": Bare}
    with contextlib.ExitStack() as stack:
        peers: list[Peer] = []
        for kind in kinds:
            if needs[kind] & missing:
                continue
            peer = makes[kind](folder / kind)
            stack.callback(peer.stop)
            peer.start()
            peers.append(peer)
        yield peers


def _await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=10):
            return
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args!r} does not listen")
        time.sleep(0.05)  # until it listens


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        process.wait(START_SECONDS)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
