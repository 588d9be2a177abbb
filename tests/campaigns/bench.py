"""Measure transfers against OpenSSH's sftp, both over loopback, round by round in one run.

    python tests/campaigns/bench.py [--rounds 5] [--mib 512] [--files 1000] [--folder DIR]

Each figure is that of a whole process, with its start and its login, and the table shows medians. Machines are noisy, so only
the ratios of two things measured in one run are worth keeping. OpenSSH gets a private sshd with its own host key and its
default cipher; it neither seals what it stores nor signs anything, and does not wait for the disk. Without it (``apt-get
install openssh-server openssh-client``) its columns stay empty.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import Person, ServerProcess, free_port, run, say

MIB = 1024 * 1024
SMALL_BYTES = 4096
MEMORY = Path("/dev/shm")
SSHD_PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin")


@dataclass
class Table:
    """Seconds of every round, by what was measured and who did it."""

    seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def measure(self, what: str, who: str, act: Callable[[], subprocess.CompletedProcess[str]]) -> None:
        """Time one process; RuntimeError if it did not do it."""
        began = time.perf_counter()
        done = act()
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{who}, {what}: {done.stdout} {done.stderr}")
        self.seconds.setdefault((what, who), []).append(took)

    def median(self, what: str, who: str) -> float | None:
        """Give the median; None where it was not measured."""
        rounds = self.seconds.get((what, who))
        return statistics.median(rounds) if rounds else None


class Sshd:
    """A private sshd on loopback, for this user alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(mode=0o700)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, program: str) -> None:
        """Make keys and a configuration, and wait until it answers."""
        for name in ("host", "user"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name), cwd=self.folder)
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}")
        # sshd drops its privileges into this folder, and demands that it is there.
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = {
            "Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": self.folder / "host", "PidFile": "none",
            "AuthorizedKeysFile": self.folder / "user.pub", "StrictModes": "no", "UsePAM": "no", "PermitRootLogin": "yes",
            "PasswordAuthentication": "no", "MaxStartups": "100", "Subsystem": "sftp internal-sftp",
        }  # fmt: skip
        (self.folder / "config").write_text("".join(f"{key} {value}\n" for key, value in config.items()))
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(self.folder / "config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        while True:
            with (
                contextlib.suppress(ConnectionRefusedError),
                socket.create_connection(("127.0.0.1", self.port), timeout=10),
            ):
                return
            if self._process.poll() is not None:
                raise RuntimeError("sshd ended: " + (self.folder / "log").read_text())
            time.sleep(0.05)  # until it listens

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def sftp(self, *commands: str) -> subprocess.CompletedProcess[str]:
        """Run one sftp session."""
        options = {
            "Port": self.port, "IdentityFile": self.folder / "user", "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.folder / "known", "BatchMode": "yes",
        }  # fmt: skip
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return run(
            "sftp", "-q", "-F", "none", "-b", "-", *flags, f"{getpass.getuser()}@127.0.0.1",
            cwd=self.folder, given="".join(f"{command}\n" for command in commands),
        )  # fmt: skip


def file_system(path: Path) -> str:
    """Name the file system that a folder lies on."""
    best = ("", "unknown")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            if path.resolve().is_relative_to(place) and len(place) >= len(best[0]):
                best = (place, kind)
    return best[1]


def find_sshd() -> str | None:
    """Find sshd, which ordinary paths leave out; None unless the client's programs are there too."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *SSHD_PLACES))
    programs = [shutil.which(name, path=path) for name in ("sshd", "sftp", "ssh-keygen")]
    return programs[0] if all(programs) else None


def roomy_folder(needed: int) -> Path | None:
    """Choose memory where it has the room, for speed of disks is not what is compared."""
    with contextlib.suppress(OSError):
        found = os.statvfs(MEMORY)
        if found.f_bavail * found.f_frsize > needed:
            return MEMORY
    return None


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[tuple[Person, Sshd | None]]:
    """Run both servers while the block runs."""
    server, person = ServerProcess(folder), Person(folder, "max")
    program = find_sshd()
    sshd = Sshd(folder / "ssh") if program else None
    server.start()
    try:
        person.join(server, "admin")
        if sshd is not None and program is not None:
            sshd.start(program)
        yield person, sshd
    finally:
        if sshd is not None:
            sshd.stop()
        server.stop()


def bench(folder: Path, *, rounds: int, mib: int, files: int) -> Table:
    """Measure, the two by turns; every name is new, so nothing is there already."""
    table, draw = Table(), random.Random(1)
    with stage(folder) as (person, sshd):
        here = person.folder
        with (here / "large").open("wb") as file:
            for _ in range(mib):
                file.write(draw.randbytes(MIB))
        (here / "small").mkdir()
        for number in range(files):
            (here / "small" / f"{number:05}.bin").write_bytes(draw.randbytes(SMALL_BYTES))
        there, back = folder / "there", folder / "back"
        for number in range(rounds):
            for each in (there, back):
                shutil.rmtree(each, ignore_errors=True)
                each.mkdir()
            table.measure("put large", "sft", lambda n=number: person.sft("put", "large", "--as", f"large{n}"))
            if sshd is not None:
                table.measure("put large", "sftp", lambda: sshd.sftp(f"put {here}/large {there}/large"))
            table.measure("get large", "sft", lambda n=number: person.sft("get", f"large{n}", "--to", str(back)))
            if sshd is not None:
                table.measure("get large", "sftp", lambda: sshd.sftp(f"get {there}/large {back}/by-sftp"))
            table.measure("put small", "sft", lambda n=number: person.sft("put", "small", "--to", f"round{n}"))
            if sshd is not None:
                table.measure("put small", "sftp", lambda: sshd.sftp(f"put -R {here}/small {there}/small"))
            table.measure("get small", "sft", lambda n=number: person.sft("get", f"round{n}", "--to", str(back)))
            if sshd is not None:
                table.measure("get small", "sftp", lambda: sshd.sftp(f"get -R {there}/small {back}/small"))
            table.measure("list", "sft", lambda: person.sft("ls"))
            if sshd is not None:
                table.measure("list", "sftp", lambda: sshd.sftp(f"ls {there}"))
            for name in (f"large{number}", f"round{number}"):
                person.sft("rm", "-r", name)
            say(f"round {number + 1} of {rounds}")
    return table


def show(table: Table, *, mib: int, files: int) -> None:
    """Print medians and ratios."""
    rows = (
        ("put large", f"put one file of {mib} MiB", "MB/s", mib * MIB / 1e6),
        ("get large", f"get one file of {mib} MiB", "MB/s", mib * MIB / 1e6),
        ("put small", f"put {files:,} files of 4 KiB", "files/s", files),
        ("get small", f"get {files:,} files of 4 KiB", "files/s", files),
        ("list", "list a folder, whole process", "ms", None),
    )
    say(f"{'':34}{'sft':>10}{'sftp':>10}{'':>9}  sft is")
    for what, words, unit, amount in rows:
        ours, theirs = table.median(what, "sft"), table.median(what, "sftp")
        cells = [
            "-" if each is None else f"{(amount / each if amount else each * 1000):,.0f}" for each in (ours, theirs)
        ]
        ratio = f"{theirs / ours:.2f} x as fast" if ours and theirs else "not compared: no sshd here"
        say(f"{words:34}{cells[0]:>10}{cells[1]:>10} {unit:8}  {ratio}")


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=512)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--folder", type=Path, help="where everything lies; memory, if it has the room")
    options = parser.parse_args()
    chosen = options.folder or roomy_folder((options.rounds + 4) * options.mib * MIB)
    with tempfile.TemporaryDirectory(prefix="sft-bench-", dir=chosen) as folder:
        say(
            f"home on {file_system(Path(folder))}, {len(os.sched_getaffinity(0))} cores, "
            f"load {os.getloadavg()[0]:.1f} at the start"
        )
        if find_sshd() is None:
            say("no sshd here: sft alone is measured (apt-get install openssh-server openssh-client)")
        table = bench(Path(folder), rounds=options.rounds, mib=options.mib, files=options.files)
    show(table, mib=options.mib, files=options.files)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
