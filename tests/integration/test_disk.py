"""Disks that are full or closed: told plainly, nothing acknowledged lost, nothing partial left, reading goes on."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sft.errors import VaultFullError
from sft.limits import FLOOR_BYTES, SEGMENT_BYTES
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import copy_server
from tests.loop import run
from tests.unit.cli.cli_fixture import Ran

MIB = 1024 * 1024
MOUNT, UMOUNT = shutil.which("mount"), shutil.which("umount")

SmallDisk = Callable[[str, int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mounts file systems of so many bytes in memory."""
    mounted: list[Path] = []

    def mount(name: str, size: int) -> Path:
        place = tmp_path / name
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


@pytest.fixture
def disk(small_disk: SmallDisk) -> Path:
    """A disk with room for a server and little more."""
    return small_disk("disk", FLOOR_BYTES + 48 * MIB)


@pytest.fixture
def tight(template: Path, disk: Path, tmp_path: Path) -> Iterator[LiveCli]:
    """People's commands, at a server that runs on that disk."""
    server = copy_server(template, disk / "s")
    run(server.start())
    cli = LiveCli(server)
    cli.folder = tmp_path / "desk"
    yield cli
    run(server.stop())


def failed(done: Ran, status: int, code: str) -> str:
    """Demand a status and a code, with words and without a traceback; gives the words."""
    assert done.status == status, done.out + done.err
    assert f"[{code}]" in done.out + done.err
    assert "Traceback" not in done.out + done.err
    return " ".join(f"{done.out} {done.err}".split())


def fill(ballast: Path, left: int) -> None:
    """Take all of a file system's room but so many bytes."""
    ballast.unlink(missing_ok=True)
    found = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail * found.f_frsize - left))


def test_a_server_starts_on_a_disk_without_a_byte_left_and_lets_people_delete(tight: LiveCli, disk: Path):
    cli, server = tight, tight.server
    cli.file("large.bin", bytes(8 * MIB))
    assert cli.sft("max", "put", "large.bin").status == 0
    run(server.halt())
    with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))
    assert os.statvfs(disk).f_bavail == 0
    run(server.start())
    assert cli.operator("file", "list").status == 0
    done = cli.sft("max", "rm", "large.bin")
    assert done.status == 0, done.err


def test_a_full_server_says_so_and_still_gives_and_deletes(tight: LiveCli, disk: Path):
    cli, server = tight, tight.server
    for name, size in {"fits.bin": 24 * MIB, "large.bin": 40 * MIB, "tiny.txt": 16}.items():
        cli.file(name, os.urandom(16) * (size // 16))
    assert cli.sft("max", "put", "fits.bin").status == 0

    said = failed(cli.sft("max", "put", "large.bin"), 9, "SERVER_FULL")
    assert "has no room for 40 MiB. Getting and deleting still work" in said
    # Of a folder what is no smaller is not tried, and the reason stands there once.
    for number in range(6):
        (cli.folder / f"many/{number}").parent.mkdir(exist_ok=True)
        (cli.folder / f"many/{number}").symlink_to(cli.folder / "large.bin")
    many = cli.sft("max", "put", *(f"many/{number}" for number in range(6)))
    assert (many.status, many.err.count("[SERVER_FULL]"), "6 of them" in many.err) == (9, 1, True)
    # A pipe says no size before: it is refused on its way.
    with (cli.folder / "large.bin").open() as large:
        failed(cli.sft("max", "put", "-", "--as", "piped.bin", stdin=large), 9, "SERVER_FULL")
    assert server.incoming() == []

    # Somebody else fills the disk to within the floor, then to the last byte.
    ballast = disk / "ballast"
    for left in (20 * MIB, 0):
        fill(ballast, left)
        got = cli.sft("max", "get", "fits.bin", "--to", f"got{left}")
        assert got.status == 0, got.err
        failed(cli.sft("max", "put", "tiny.txt"), 9, "SERVER_FULL")
    # Not a byte is left: the server gives up the room that it held for that.
    assert cli.sft("max", "rm", "fits.bin").status == 0
    assert cli.sft("max", "restore", "fits.bin").status == 0
    # Not a byte is left of that either: what cannot be made durable is refused and not done, and the server goes on.
    fill(ballast, 0)
    failed(cli.sft("max", "mkdir", "folder"), 9, "SERVER_FULL")
    assert cli.sft("max", "ls").lines == ["fits.bin"]
    fill(ballast, 1 * MIB)
    assert cli.sft("max", "rm", "fits.bin").status == 0
    ballast.unlink()
    assert cli.sft("max", "restore", "fits.bin").status == 0
    assert cli.sft("max", "put", "tiny.txt").status == 0
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    run(server.stop())
    run(server.start())
    assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    assert cli.sft("gus", "ls").lines == ["fits.bin", "tiny.txt"]


def test_a_server_that_fills_up_in_a_put_keeps_what_is_finished_of_it(cli: LiveCli, monkeypatch: pytest.MonkeyPatch):
    cli.file("large.bin", random.Random(3).randbytes(3 * SEGMENT_BYTES + 5))
    kind = type(cli.server.here.storage.vault._backend)
    create, made, room = kind.create, [], 2

    def create_where_there_is_room(backend, object_id, reserve_bytes, owner=None, *, segment=0):
        if segment >= room:
            raise VaultFullError(problem="somebody else has filled the disk")
        made.append(segment)
        return create(backend, object_id, reserve_bytes, owner, segment=segment)

    monkeypatch.setattr(kind, "create", create_where_there_is_room)
    failed(cli.sft("max", "put", "large.bin"), 9, "SERVER_FULL")
    room = 3
    failed(cli.sft("max", "resume"), 9, "SERVER_FULL")
    room = 9
    (item,) = cli.sft("max", "put", "large.bin", "--json").document["items"]
    assert item["result"] == "stored"
    # What was full and not yet on the disk is made again.
    assert item["resumed_bytes"] >= SEGMENT_BYTES
    assert made.count(0) == 1
    assert cli.sft("max", "resume", "--list", "--json").document == []


@pytest.mark.every_run
def test_a_full_disk_at_home_keeps_nothing_partial(cli: LiveCli, small_disk: SmallDisk):
    for name, size in {"large.bin": 9 * MIB, "small.txt": 10_000}.items():
        cli.file(name, b"z" * size)
    assert cli.sft("max", "put", "large.bin", "small.txt").status == 0
    disk = small_disk("home-disk", 4 * MIB)
    said = failed(cli.sft("max", "get", "large.bin", "--to", str(disk)), 10, "DISK_FULL")
    assert "Make room, then the same command again" in said
    assert list(disk.iterdir()) == []
    # Some of several: the small one is there and whole, the large one is not, and the status says so.
    both = cli.sft("max", "get", "large.bin", "small.txt", "--to", str(disk), "--json")
    assert both.status == 1, both.err
    results = {each["path"]: each["result"] for each in both.document["items"]}
    assert results == {"large.bin": "failed", "small.txt": "verified"}
    assert [each.name for each in disk.iterdir()] == ["small.txt"]
    # The state has no room: what was asked for is refused or done, never a traceback.
    fill(disk / "ballast", 0)
    moved = {"SFT_HOME": str(disk / "state")}
    failed(cli.sft("max", "whoami", **moved), 8, "NOT_JOINED")
    full = cli.sft("eva", "join", "--user", "eva", "--no-passphrase", stdin=cli.invitation(), **moved)
    failed(full, 10, "DISK_FULL")


def test_a_rotation_on_a_full_disk_is_refused_in_words_and_finished_when_there_is_room(tight: LiveCli, disk: Path):
    cli, server = tight, tight.server
    contents = {f"many/{number}": os.urandom(40_000 if number % 2 else 400) for number in range(30)}
    for name, content in contents.items():
        cli.file(name, content)
    assert cli.sft("max", "put", "many").status == 0
    ballast = disk / "ballast"
    for command in (["vault", "rotate-key"], ["vault", "rotate-key", "--reencrypt"]):
        # It writes every row: the room that is left is for reading, which is logged, and for deleting.
        for left in (300 * 1024, 0):
            fill(ballast, left)
            failed(cli.operator(*command), 9, "SERVER_FULL")
            got = cli.sft("max", "get", "many/1", "--to", f"got-{len(command)}-{left}")
            assert got.status == 0, got.err
        assert cli.sft("max", "rm", "many/0").status == 0
        ballast.unlink()
        assert cli.sft("max", "restore", "many/0").status == 0
        run(server.stop())
        run(server.start())  # takes the room again that it gave up
        done = cli.operator(*command)
        assert done.status == 0, done.out + done.err
        assert cli.operator_json("vault", "check", "--read-data")["faults"] == []
    run(server.stop())
    run(server.start())
    assert cli.sft("max", "get", "many", "--to", "all").status == 0
    assert {name: (cli.folder / "all" / name).read_bytes() for name in contents} == contents


def test_a_rebuild_on_a_full_disk_is_refused_in_words_and_finished_when_there_is_room(tight: LiveCli, disk: Path):
    cli, server = tight, tight.server
    for number in range(30):
        cli.file(f"many/{number}", os.urandom(40_000))
    assert cli.sft("max", "put", "many").status == 0
    run(server.halt())
    database = server.home.database
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    ballast, refused = disk / "ballast", 0
    for left in (0, 64 * 1024, 600 * 1024, 1536 * 1024):
        fill(ballast, left)
        done = cli.operator("vault", "rebuild")
        assert "Traceback" not in done.out + done.err
        refused += done.status != 0
        assert done.status == 0 or "[" in done.err or "fault" in done.out, done.out + done.err
    assert refused
    ballast.unlink()
    done = cli.operator("vault", "rebuild")
    assert done.status == 0, done.out + done.err
    assert len(list(server.home.database.parent.glob("rebuilt*"))) == 0
    run(server.start())
    report = cli.operator_json("vault", "check", "--read-data")
    assert (report["faults"], report["versions"]) == ([], 30)


def test_folders_that_cannot_be_written_and_files_that_cannot_be_read(cli: LiveCli, small_disk: SmallDisk):
    assert cli.sft("max", "put", cli.file("a.txt", b"a"), "--to", "docs").status == 0
    cli.file("file", b"in the way")
    failed(cli.sft("max", "get", "docs/a.txt", "--to", "file"), 10, "LOCAL_FILE")
    failed(cli.sft("max", "get", "docs/a.txt", "--to", "file/below"), 10, "LOCAL_FILE")
    disk = small_disk("closed", MIB)
    subprocess.run([str(MOUNT), "-o", "remount,ro", str(disk)], check=True)
    failed(cli.sft("max", "get", "docs/a.txt", "--to", str(disk)), 10, "LOCAL_FILE")
    failed(cli.sft("max", "put", "nothing.txt"), 10, "LOCAL_FILE")
    failed(cli.sft("max", "get", "nothing.txt"), 3, "NOT_FOUND")
    (cli.folder / "docs").symlink_to("/")
    failed(cli.sft("max", "get", "docs"), 10, "LOCAL_FILE")  # never through a link
    assert not Path("/a.txt").exists()
    mine = cli.file("a.txt", b"another a")
    failed(cli.sft("max", "get", "docs/a.txt"), 5, "FILE_EXISTS")
    assert Path(mine).read_bytes() == b"another a"
