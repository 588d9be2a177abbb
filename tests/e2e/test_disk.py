"""Disks that are full or closed: told plainly, nothing acknowledged lost, nothing partial left, reading goes on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sft.limits import FLOOR_BYTES
from tests.campaigns.installation import Person, ServerProcess, script

MIB = 1024 * 1024
MOUNT, UMOUNT = shutil.which("mount"), shutil.which("umount")
NewServer = Callable[..., ServerProcess]


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Callable[[str, int], Path]]:
    """Mounts file systems of so many bytes in memory."""
    mounted: list[Path] = []

    def mount(name: str, size: int) -> Path:
        place = folder / name
        place.mkdir()
        if MOUNT is None or UMOUNT is None or os.geteuid() != 0:
            pytest.skip("only root may mount a small file system here")
        done = subprocess.run(
            [MOUNT, "-t", "tmpfs", "-o", f"size={size}", "none", str(place)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run([str(UMOUNT), "--lazy", str(place)], check=True)


def failed(done: subprocess.CompletedProcess[str], status: int, code: str) -> str:
    """Demand a status and a code, with words and without a traceback; gives the words."""
    assert done.returncode == status, done.stdout + done.stderr
    assert f"[{code}]" in done.stdout + done.stderr, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return " ".join(f"{done.stdout} {done.stderr}".split())


def test_a_full_server_says_so_and_still_gives_and_deletes(
    new_server: NewServer,
    new_person: Callable[[str], Person],
    small_disk: Callable[[str, int], Path],
) -> None:
    disk = small_disk("disk", FLOOR_BYTES + 48 * MIB)
    server, max_ = new_server(within=disk), new_person("max")
    server.log = max_.folder / "server.log"
    server.start()
    max_.join(server, "maintainer")
    for name, size in {"fits.bin": 24 * MIB, "large.bin": 40 * MIB, "tiny.txt": 10}.items():
        (max_.folder / name).write_bytes(os.urandom(16) * (size // 16 + 1))
    assert max_.sft("put", "fits.bin").returncode == 0

    said = failed(max_.sft("put", "large.bin"), 9, "SERVER_FULL")
    assert "has no room for 40 MiB. Getting and deleting still work" in said
    # A pipe says no size before: it is refused on its way.
    with (max_.folder / "large.bin").open("rb") as large:
        piped = subprocess.run(
            [script("sft"), "put", "-", "--as", "piped.bin"], stdin=large, capture_output=True, text=True,
            check=False, cwd=max_.folder, env=max_.environment, timeout=60,
        )  # fmt: skip
    failed(piped, 9, "SERVER_FULL")
    assert list((server.home / "data" / "vault" / "incoming").iterdir()) == []

    # Somebody else fills the disk to within the floor, then to the last byte.
    ballast = disk / "ballast"
    for left in (20 * MIB, 0):
        fill(ballast, left)
        got = max_.sft("get", "fits.bin", "--to", f"got{left}")
        assert got.returncode == 0, got.stderr
        failed(max_.sft("put", "tiny.txt"), 9, "SERVER_FULL")
    # Not a byte is left: what cannot be made durable is refused and not done, and the server goes on.
    failed(max_.sft("mkdir", "folder"), 9, "SERVER_FULL")
    assert [each["path"] for each in json.loads(max_.sft("ls", "--json").stdout)] == ["fits.bin"]
    fill(ballast, 1 * MIB)
    assert max_.sft("rm", "fits.bin").returncode == 0
    ballast.unlink()
    assert max_.sft("restore", "fits.bin").returncode == 0
    assert max_.sft("put", "tiny.txt").returncode == 0
    assert server.operate_json("vault", "check")["faults"] == []
    assert server.stop() == 0
    server.start()
    assert server.operate_json("vault", "check")["faults"] == []
    assert {each["path"] for each in json.loads(max_.sft("ls", "**", "--json").stdout)} >= {
        "fits.bin",
        "tiny.txt",
    }


def fill(ballast: Path, left: int) -> None:
    """Take all of a file system's room but so many bytes."""
    ballast.unlink(missing_ok=True)
    found = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - left))


def test_a_full_disk_at_home_keeps_nothing_partial(
    server: ServerProcess,
    joined: Callable[..., Person],
    small_disk: Callable[[str, int], Path],
) -> None:
    max_ = joined("max")
    for name, size in {"large.bin": 9 * MIB, "small.txt": 10_000}.items():
        (max_.folder / name).write_bytes(b"z" * size)
    assert max_.sft("put", "large.bin", "small.txt").returncode == 0
    disk = small_disk("home-disk", 4 * MIB)
    said = failed(max_.sft("get", "large.bin", "--to", str(disk)), 10, "DISK_FULL")
    assert "Make room, then the same command again" in said
    assert list(disk.iterdir()) == []
    # Some of several: the small one is there and whole, the large one is not, and the status says so.
    both = max_.sft("get", "large.bin", "small.txt", "--to", str(disk), "--json")
    assert both.returncode == 1, both.stderr
    results = {each["path"]: each["result"] for each in json.loads(both.stdout)["items"]}
    assert results == {"large.bin": "failed", "small.txt": "verified"}
    assert [each.name for each in disk.iterdir()] == ["small.txt"]
    # The state has no room: what was asked for is refused or done, never a traceback.
    fill(disk / "ballast", 0)
    shutil.copytree(max_.folder / "state", max_.folder / "kept-state")
    moved = disk / "state"
    moved.mkdir()
    max_.environment["SFT_HOME"] = str(moved)
    failed(max_.sft("whoami"), 8, "NOT_JOINED")
    link = server.operate("invite", "--role", "guest").stdout
    full = max_.sft("join", "--user", "gus", "--no-passphrase", given=link)
    assert full.returncode == 10, full.stdout + full.stderr
    assert "Traceback" not in full.stderr


def test_folders_that_cannot_be_written_and_files_that_cannot_be_read(
    server: ServerProcess,
    joined: Callable[..., Person],
    small_disk: Callable[[str, int], Path],
) -> None:
    max_ = joined("max")
    (max_.folder / "a.txt").write_bytes(b"a")
    assert max_.sft("put", "a.txt", "--to", "docs").returncode == 0
    (max_.folder / "file").write_bytes(b"in the way")
    failed(max_.sft("get", "docs/a.txt", "--to", "file"), 10, "LOCAL_FILE")
    failed(max_.sft("get", "docs/a.txt", "--to", "file/below"), 10, "LOCAL_FILE")
    disk = small_disk("closed", MIB)
    subprocess.run([str(MOUNT), "-o", "remount,ro", str(disk)], check=True)
    failed(max_.sft("get", "docs/a.txt", "--to", str(disk)), 10, "LOCAL_FILE")
    failed(max_.sft("put", "nothing.txt"), 10, "LOCAL_FILE")
    failed(max_.sft("get", "nothing.txt"), 3, "NOT_FOUND")
    (max_.folder / "docs").symlink_to("/")
    failed(max_.sft("get", "docs"), 10, "LOCAL_FILE")  # never through a link
    assert not Path("/a.txt").exists()
    failed(max_.sft("get", "docs/a.txt"), 5, "FILE_EXISTS")
