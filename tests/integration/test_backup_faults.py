"""Backups beside what would spoil them: full disks, runs that were cut, changes of keys, destruction, a stranger's folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft import durable
from sft.crypto.row_mac import backup_mac
from sft.errors import BackupError
from sft.limits import KIB, MIB
from sft.model.access import operator_caller
from sft.operator.backups.folder import BackupFolder
from sft.operator.backups.home_files import HomeFiles, files_digest, read_home_files
from sft.operator.backups.restoring import Restoring
from sft.operator.backups.taking import NO_SIDECAR, TakenBackup, Taking
from sft.service.maintenance.purging import COPIED, collect
from sft.vault.copy_lock import CopyLock
from sft.vault.disk import Disk
from sft.vault.keyring import Keyring
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import content
from tests.integration.test_backup import backup, lose, ok, restore
from tests.integration.test_disk import MOUNT, UMOUNT, fill
from tests.loop import run
from tests.unit.vault.faulty_disk import FaultyDisk

NOW = 1_777_816_931
OBJECTS = 3


@pytest.fixture
def filled(cli: LiveCli) -> LiveCli:
    for number in range(OBJECTS):
        ok(cli.sft("max", "put", cli.file(f"{number}.bin", content(40_000 + number)), "--to", "finance"))
    ok(cli.sft("max", "put", cli.file("small.txt", b"small"), "--to", "finance"))
    return cli


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MiB, in memory."""
    path = tmp_path / "backups"
    path.mkdir()
    if MOUNT is None or UMOUNT is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system here")
    done = subprocess.run([MOUNT, "-t", "tmpfs", "-o", f"size={32 * MIB}", "none", str(path)], check=False)
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    yield path
    subprocess.run([UMOUNT, "--lazy", str(path)], check=True)


def take(
    cli: LiveCli, path: Path, disk: Disk | None = None, *, keyring: Keyring | None = None, **options
) -> TakenBackup:
    """Take a backup as the command does, on this thread; of a server that is stopped, whose keyring is given."""
    keyring = keyring or cli.server.here.storage.vault.keyring
    folder, server_id = BackupFolder(path), keyring.server_id
    options = {"keep": 7, **options}
    with folder.writing(server_id), CopyLock(cli.server.home.vault).copying() as held:
        assert held
        files = read_home_files(cli.server.home)
        digest = files_digest(files, server="acme", taken_at=NOW)
        vouched = HomeFiles(files, backup_mac(keyring.row_key, server_id, digest))
        run_ = Taking(cli.server.home, folder, server="acme", server_id=server_id, files=vouched, disk=disk, **options)
        return run_.run(NOW)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_whatever_write_fails_no_backup_is_there_in_part_and_the_next_run_finishes(
    filled: LiveCli, tmp_path: Path, code: int
):
    counting = FaultyDisk()
    assert take(filled, tmp_path / "counted", counting).copied == OBJECTS
    assert counting.count >= 3 * OBJECTS
    for step in range(counting.count):
        path = tmp_path / "backups"
        with pytest.raises(BackupError) as failed:
            take(filled, path, FaultyDisk(step, code))
        assert os.strerror(code) in failed.value.values["problem"]
        folder = BackupFolder(path)
        assert folder.names() == []
        assert list((path / "vault" / "incoming").iterdir()) == []
        taken = take(filled, path)
        assert folder.names() == [taken.snapshot.name]
        assert taken.lacking == ()
        shutil.rmtree(path)


def test_the_status_has_the_last_backup_that_was_whole_and_none_that_failed(filled: LiveCli, tmp_path: Path):
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").touch()
    assert filled.operator("backup", str(other)).status == 10
    blocked = tmp_path / "blocked"
    (blocked / "vault").mkdir(parents=True)
    (blocked / "vault" / "objects").touch()
    assert filled.operator("backup", str(blocked)).status == 10
    assert filled.operator_json("status")["backed_up_at"] is None
    backup(filled, tmp_path / "backups")
    assert filled.operator_json("status")["backed_up_at"] is not None


def test_a_disk_that_cannot_be_written_is_said_to_be_one(filled: LiveCli, tmp_path: Path):
    with pytest.raises(BackupError) as failed:
        take(filled, tmp_path / "backups", FaultyDisk(0, errno.EROFS, "write"))
    assert failed.value.values["remedy"] == "Mount its disk so that it can be written, then again"
    with pytest.raises(BackupError) as failed:
        take(filled, tmp_path / "backups", FaultyDisk(0, errno.EIO, "write"))
    assert failed.value.values["remedy"] == "Look at its disk, then again: it goes on where it was"


def test_a_full_disk_leaves_the_backups_that_there_were(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"
    first = backup(filled, path)
    ok(filled.sft("max", "put", filled.file("new.bin", content(50_000)), "--to", "finance"))
    with pytest.raises(BackupError) as failed:
        take(filled, path, FaultyDisk(0, errno.ENOSPC, "write"))
    assert "Make room" in failed.value.values["remedy"]
    lose(filled)
    assert restore(filled, path)["snapshot"] == first["snapshot"]


def test_a_disk_that_is_full_at_any_point_is_said_so_and_the_older_backup_stays(filled: LiveCli, small_disk: Path):
    path = small_disk
    first = backup(filled, path)["snapshot"]["name"]
    for number in range(20):
        ok(filled.sft("max", "put", filled.file(f"new{number}.bin", content(60_000 + number)), "--to", "finance"))
    failures = 0
    for left in range(0, 8 * MIB, 160 * KIB):
        fill(path / "vault" / "ballast", left)
        done = filled.operator("backup", str(path))
        if done.status == 0:
            break
        failures += 1
        assert (done.status, "[BACKUP]" in done.err, "Make room" in done.err) == (10, True, True), done.err
        assert BackupFolder(path).names() == [first]
    assert failures > 2
    (path / "vault" / "ballast").unlink()
    backup(filled, path)
    lose(filled)
    assert restore(filled, path)["faults"] == []


def test_a_backup_on_a_medium_that_is_only_read_is_verified_and_put_back(filled: LiveCli, small_disk: Path):
    path = small_disk
    backup(filled, path)
    next(each for each in (path / "vault" / "objects").iterdir() if not any(each.iterdir())).rmdir()
    assert MOUNT is not None
    subprocess.run([MOUNT, "-o", "remount,ro", str(path)], check=True)
    assert json.loads(ok(filled.operator("restore", str(path), "--verify", "--json")).out)["faults"] == []
    lose(filled)
    assert restore(filled, path)["faults"] == []


def test_a_run_that_was_cut_is_gone_on_with_and_only_whole_objects_are_taken_from_it(filled: LiveCli, tmp_path: Path):
    path, seen = tmp_path / "backups", 0

    class CutError(Exception):
        pass

    def cut(_count: int) -> None:
        nonlocal seen
        # Behind the objects, at the first piece of the database.
        seen += len(list((path / "vault" / "objects").glob("*/" + "?" * 32))) == OBJECTS
        if seen:
            raise CutError

    with pytest.raises(CutError):
        take(filled, path, each=cut)
    assert BackupFolder(path).names() == []
    done = filled.operator("restore", str(path))
    assert done.status == 10
    assert "no backup in it is whole" in done.err
    # A power cut of another file system: one object is shorter, one lacks its sidecar, of one that is shorter.
    first, second, third = sorted((path / "vault" / "objects").glob("*/" + "?" * 32))
    os.truncate(first, 100)
    second.with_name(f"{second.name}.meta").unlink()
    os.truncate(third.with_name(f"{third.name}.meta"), 10)
    assert take(filled, path).copied == 3
    lose(filled)
    assert restore(filled, path)["faults"] == []


@pytest.mark.every_run
def test_what_the_folder_has_not_kept_whole_is_copied_again_and_said(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"
    first = backup(filled, path)
    cut, gone, bare = sorted((path / "vault" / "objects").glob("*/" + "?" * 32))
    os.truncate(cut, 100)
    gone.unlink()
    gone.symlink_to("/dev/zero")
    bare.with_name(f"{bare.name}.meta").unlink()
    done = ok(filled.operator("backup", str(path)))
    assert "2 objects had been lost or cut in the folder, and copied again" in done.out
    assert (gone.is_symlink(), cut.stat().st_size > 40_000) == (False, True)
    again = backup(filled, path)
    assert (again["copied"], again["copied_again"], again["faults"]) == (0, 0, [])
    lose(filled)
    assert restore(filled, path, "--snapshot", first["snapshot"]["name"])["faults"] == []


def test_what_lies_in_the_folder_stays_where_the_server_has_it_not_whole_either(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"
    backup(filled, path)
    cut = min((path / "vault" / "objects").glob("*/" + "?" * 32))
    os.truncate(cut, 30_000)
    here = filled.server.home.vault / "objects" / cut.parent.name / cut.name
    os.truncate(here, 30_000)
    done = filled.operator("backup", str(path))
    assert (done.status, cut.stat().st_size) == (7, 30_000)
    assert f"object {cut.name}" in done.out
    # Of what the server has destroyed older backups alone could tell.
    filled.sft("max", "rm", "finance/0.bin", "finance/1.bin", "finance/2.bin")
    context = filled.server.here
    context.readers.run(collect, operator_caller(), context=context.job_context, until=1 << 40)()
    done = filled.operator("backup", str(path), "--json")
    assert done.status == 7
    assert [each["problem"] for each in json.loads(done.out)["faults"]] == [
        "is not whole in the folder, and the server has it no more: older backups lack it"
    ]


@pytest.mark.parametrize("left", [None, b"SFTMET\x01\x00 cut", b"?" * 200], ids=["none", "cut", "another form"])
def test_an_object_without_its_sidecar_is_said_until_a_check_has_written_it(
    filled: LiveCli, tmp_path: Path, left: bytes | None
):
    path = tmp_path / "backups"
    bare = min((filled.server.home.vault / "objects").glob("*/*.meta"))
    bare.unlink()
    if left is not None:
        bare.write_bytes(left)
    for _ in range(2):
        done = filled.operator("backup", str(path))
        assert done.status == 7
        assert f"object {bare.stem}: its sidecar is missing or cut, at the server as well" in done.out
        assert "vault check" in done.out
    checked = ok(filled.operator("vault", "check"))
    assert "find all contents: 1 sidecar" in checked.out
    again = backup(filled, path)
    assert (again["copied"], again["copied_again"]) == (1, 0)
    assert backup(filled, path)["faults"] == []
    assert json.loads(ok(filled.operator("restore", str(path), "--verify", "--json")).out)["faults"] == []


def test_a_sidecar_that_is_damaged_in_the_folder_comes_again_as_the_verification_advises(
    filled: LiveCli, tmp_path: Path
):
    path = tmp_path / "backups"
    backup(filled, path)
    objects = path / "vault" / "objects"
    sidecar = min(objects.glob("*/*.meta"))
    content, before = sidecar.with_suffix("").stat().st_ino, sidecar.read_bytes()
    sidecar.write_bytes(before[:60] + bytes([before[60] ^ 1]) + before[61:])
    assert backup(filled, path)["faults"] == []
    said = filled.operator("restore", str(path), "--verify")
    assert (said.status, "into another folder" in said.out) == (7, False)
    assert f"{objects}/FIRST_TWO_DIGITS/OBJECT.meta: the next run copies it" in said.out
    assert f"object {sidecar.stem}" in said.out
    (objects / sidecar.stem[:2] / f"{sidecar.stem}.meta").unlink()
    assert backup(filled, path)["copied"] == 1
    assert (sidecar.with_suffix("").stat().st_ino, sidecar.read_bytes()) == (content, before)
    ok(filled.operator("restore", str(path), "--verify"))


def test_a_verification_that_is_ended_leaves_nothing_of_the_database(
    filled: LiveCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "backups"
    backup(filled, path)
    (tmp_path / "times").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "times"))
    seen: list[str] = []

    def opened(self: Restoring, *_: object) -> None:
        seen.extend(each.name for each in tmp_path.glob("times/*/data/*"))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Restoring, "_bring_up_to_date", opened)
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        done = filled.operator("restore", str(path), "--verify")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (done.status, done.err, len(seen) > 2) == (128 + signal.SIGTERM, "Stopped.\n", True)
    assert list((tmp_path / "times").iterdir()) == []


def test_a_content_stays_in_the_folder_where_only_its_sidecar_is_copied(
    filled: LiveCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The server's own content has lost a sector meanwhile: the one in the folder is the last."""
    path, real = tmp_path / "backups", os.read
    first = backup(filled, path)["snapshot"]["name"]
    kept = min((path / "vault" / "objects").glob("*/" + "?" * 32))
    kept.with_name(f"{kept.name}.meta").unlink()
    inode = (filled.server.home.vault / "objects" / kept.parent.name / kept.name).stat().st_ino

    def read(file: int, count: int) -> bytes:
        if os.fstat(file).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(file, count)

    with monkeypatch.context() as lost:
        lost.setattr(os, "read", read)
        taken = take(filled, path)
    assert (taken.lacking, taken.faults, taken.copied_again) == ((), (), 0)
    lose(filled)
    assert restore(filled, path, "--snapshot", first)["faults"] == []


@pytest.mark.every_run
def test_what_is_destroyed_meanwhile_is_in_the_backup_and_destroyed_after_it(filled: LiveCli, tmp_path: Path):
    path, context = tmp_path / "backups", filled.server.here
    filled.sft("max", "rm", "finance/0.bin")
    said: list[str] = []

    def destroy(_count: int) -> None:
        if not said:
            job = context.readers.run(collect, operator_caller(), context=context.job_context, until=1 << 40)
            said.extend(note.text for note in job().notes)

    taken = take(filled, path, each=destroy)
    assert said == [COPIED]
    assert (taken.copied, taken.lacking) == (OBJECTS, ())
    vault = filled.server.home.vault / "objects"
    assert len(list(vault.glob("*/" + "?" * 32))) == OBJECTS
    ok(filled.operator("vault", "collect"))
    assert len(list(vault.glob("*/" + "?" * 32))) == OBJECTS - 1
    lose(filled)
    assert restore(filled, path)["versions"] == OBJECTS + 1


def test_keys_are_not_changed_while_a_backup_is_taken_and_none_is_taken_while_they_are(filled: LiveCli, tmp_path: Path):
    storage = filled.server.here.storage
    with CopyLock(filled.server.home.vault).copying() as held:
        assert held
        refused = filled.operator("vault", "rotate-key")
        assert (refused.status, "[BACKUP_RUNS]" in refused.err) == (9, True)
    with storage.rotation(), CopyLock(filled.server.home.vault).copying() as held:
        assert not held


def test_the_head_in_a_backup_is_never_ahead_of_its_database(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"

    def write(_count: int) -> None:
        filled.sft("max", "mkdir", f"made/{len(os.listdir(filled.folder))}")

    taken = take(filled, path, each=write)
    lose(filled)
    said = restore(filled, path)
    assert said["kept"] >= taken.snapshot.manifest.checkpoint.size
    assert said["faults"] == []


def test_a_folder_of_something_else_and_one_of_another_server_are_left_as_they_are(filled: LiveCli, tmp_path: Path):
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.jpg").write_bytes(b"cat")
    other.chmod(0o755)
    refused = filled.operator("backup", str(other))
    assert (refused.status, "cat.jpg" in refused.err) == (10, True)
    assert os.listdir(other) == ["cat.jpg"]
    assert other.stat().st_mode & 0o777 == 0o755
    refused = filled.operator("restore", str(other))
    assert (refused.status, "no backups of sft" in refused.err) == (10, True)
    theirs = tmp_path / "theirs"
    with BackupFolder(theirs).writing(bytes(32)):
        pass
    refused = filled.operator("backup", str(theirs))
    assert (refused.status, "another server" in refused.err) == (10, True)
    within = filled.operator("backup", str(filled.server.home.path / "backups"))
    assert within.status == 2


def test_an_object_that_cannot_be_read_whole_is_named_and_the_rest_is_saved(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"
    victim = min((filled.server.home.vault / "objects").glob("*/" + "?" * 32))
    os.truncate(victim, 100)
    done = filled.operator("backup", str(path), "--json")
    assert done.status == 7
    document = json.loads(done.out)
    assert [each["what"] for each in document["faults"]] == [f"object {victim.name}"]
    assert (document["copied"], document["snapshot"]["lacking"]) == (OBJECTS - 1, 1)
    lose(filled)
    said = restore(filled, path, "--despite-faults", status=7)
    assert len(said["faults"]) == 1


def test_a_sector_that_is_lost_costs_the_content_in_it_and_not_the_backup(
    filled: LiveCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, real = tmp_path / "backups", os.read
    victim = min((filled.server.home.vault / "objects").glob("*/" + "?" * 32))
    inode = victim.stat().st_ino

    def read(file: int, count: int) -> bytes:
        if os.fstat(file).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(file, count)

    monkeypatch.setattr(os, "read", read)
    taken = take(filled, path)
    assert [object_id.hex() for object_id, _ in taken.lacking] == [victim.name]
    assert taken.copied == OBJECTS - 1
    monkeypatch.undo()
    assert take(filled, path).copied == 1


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_what_cannot_be_opened_is_lacking_and_the_rest_is_saved(
    filled: LiveCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
):
    path, real = tmp_path / "backups", durable.open_regular
    victim, bare, _ = sorted((filled.server.home.vault / "objects").glob("*/" + "?" * 32))

    def open_regular(folder: int, name: str, **options: bool) -> int:
        if name in {victim.name, f"{bare.name}.meta"}:
            raise OSError(code, os.strerror(code))
        return real(folder, name, **options)

    monkeypatch.setattr(durable, "open_regular", open_regular)
    taken = take(filled, path)
    assert [object_id.hex() for object_id, _ in taken.lacking] == [victim.name]
    assert [(object_id.hex(), problem) for object_id, problem in taken.faults] == [(bare.name, NO_SIDECAR)]
    assert taken.copied == OBJECTS - 1
    # What the process has no room for is of all objects.
    code = errno.EMFILE
    with pytest.raises(BackupError):
        take(filled, path)
    monkeypatch.undo()
    assert take(filled, path).lacking == ()


def test_a_home_that_has_data_is_left_as_it_is(filled: LiveCli, tmp_path: Path):
    path = tmp_path / "backups"
    backup(filled, path)
    run(filled.server.halt())
    before = sorted(os.listdir(filled.server.home.path))
    refused = filled.operator("restore", str(path))
    assert refused.status == 10
    assert sorted(os.listdir(filled.server.home.path)) == before
