from __future__ import annotations

import errno
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from sft import durable
from sft.client.transfers.destination import Destination
from sft.client.transfers.local_file import seen_as
from sft.client.transfers.part_file import ConflictPolicy, LeftPart, PartFile, numbered
from sft.errors import LocalChangedError, LocalDiskFullError, LocalExistsError, LocalFileError, NameNotAllowedError

SIGNATURE = b"four lines\n"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def destination(out):
    destination = Destination(out)
    yield destination
    destination.close()


def landing(destination, *parts, size=3, existing=ConflictPolicy.REFUSE, with_signature=False):
    return PartFile(destination, parts, size=size, existing=existing, with_signature=with_signature)


def land(destination, *parts, content=b"abc", **options):
    one = landing(destination, *parts, **options)
    one.write([content])
    return one.finish(dated_at=1000, executable=False, signature=SIGNATURE)


def names(folder):
    return sorted(p.name for p in folder.rglob("*"))


def test_nothing_has_the_final_name_before_it_is_finished(destination, out):
    one = landing(destination, "a", "b.txt")
    one.write([b"ab", b"c"])
    (part,) = (out / "a").iterdir()
    assert part.name.startswith(".sft-")
    assert part.stat().st_mode & 0o777 == 0o600
    assert one.finish(dated_at=1000, executable=False, signature=b"") == (out / "a" / "b.txt", None)
    assert names(out) == ["a", "b.txt"]
    assert (out / "a" / "b.txt").stat().st_mtime == 1000


@pytest.fixture
def umask():
    before = os.umask(0o022)
    os.umask(before)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize(
    ("mask", "modes"), [(0o022, (0o644, 0o755)), (0o002, (0o664, 0o775)), (0o077, (0o600, 0o700)), (0, (0o666, 0o777))]
)
@pytest.mark.parametrize("executable", [False, True])
def test_what_has_its_name_has_the_mode_that_the_umask_leaves(out, umask, mask, modes, executable):
    umask(mask)
    destination = Destination(out / "new")
    one = landing(destination, "a", "b.sh", with_signature=True)
    one.write([b"abc"])
    assert {path.stat().st_mode & 0o777 for path in (out / "new" / "a").iterdir()} == {0o600}
    file, signature = one.finish(dated_at=0, executable=executable, signature=SIGNATURE)
    assert file.stat().st_mode & 0o777 == modes[executable]
    assert signature.stat().st_mode & 0o777 == modes[0]
    assert {folder.stat().st_mode & 0o777 for folder in (out / "new", out / "new" / "a")} == {modes[1]}
    destination.close()


@pytest.mark.parametrize(
    ("before", "modes"),
    [(0o600, (0o600, 0o700)), (0o640, (0o640, 0o750)), (0o666, (0o644, 0o755)), (0o4755, (0o644, 0o755))],
)
@pytest.mark.parametrize("executable", [False, True])
def test_what_replaces_a_file_is_open_to_nobody_to_whom_that_was_closed(out, umask, before, modes, executable):
    umask(0o022)
    destination = Destination(out)
    land(destination, "b.sh")
    (out / "b.sh").chmod(before)
    one = landing(destination, "b.sh", existing=ConflictPolicy.FORCE, with_signature=True)
    one.write([b"new"])
    file, signature = one.finish(dated_at=0, executable=executable, signature=SIGNATURE)
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == modes[executable]
    assert stat.S_IMODE(signature.stat().st_mode) == 0o644
    destination.close()


def test_a_part_that_others_may_read_is_closed_to_them_again(destination, out):
    one = landing(destination, "a", "b.txt")
    one.write([b"ab"])
    left = LeftPart(one.id, one.identity, 2)
    one.leave()
    (part,) = (out / "a").iterdir()
    part.chmod(0o755)
    again = PartFile(
        destination, ("a", "b.txt"), size=3, existing=ConflictPolicy.REFUSE, with_signature=False, left=left
    )
    assert part.stat().st_mode & 0o777 == 0o600
    again.discard()


def test_the_content_is_durable_before_it_has_its_name(destination, out, monkeypatch):
    fsync, synced = os.fsync, []

    def noted(fd):
        synced.append((os.fstat(fd).st_size, (out / "b.txt").exists()))
        fsync(fd)

    one = landing(destination, "b.txt", size=5000)
    one.write([bytes(5000)])
    monkeypatch.setattr(os, "fsync", noted)
    one.finish(dated_at=1000, executable=False, signature=b"")
    assert synced[0] == (5000, False)
    assert synced[-1][1]  # the folder, with the name in it


def test_a_discarded_landing_leaves_no_file(destination, out):
    one = landing(destination, "b.txt", with_signature=True)
    one.write([b"abc"])
    one.discard()
    one.discard()
    assert names(out) == []


PART, OTHER = ".sft-0123456789abcdef.part", ".sft-fedcba9876543210.part"


@pytest.mark.parametrize(("days", "left"), [(6.9, True), (7.1, False)])
def test_a_part_whose_process_died_goes_a_week_later_whatever_its_date(out, days, left):
    (out / "a").mkdir(parents=True)
    for name in (PART, PART.replace(".part", ".minisig.part")):
        (out / "a" / name).write_bytes(b"half")
        os.utime(out / "a" / name, (1000, 1000))
    destination = Destination(out, now=lambda: time.time() + days * 86400)
    land(destination, "a", "b.txt")
    destination.close()
    assert (out / "a" / PART).exists() == left
    assert len(names(out / "a")) == (3 if left else 1)


def test_what_only_looks_like_an_old_part_stays(out, tmp_path):
    out.mkdir()
    kept = [".sft-notes.part", "sft-0123456789abcdef.part", ".sft-0123456789abcdef.part.txt"]
    for name in kept:
        (out / name).write_bytes(b"mine")
    (out / PART).symlink_to(tmp_path / "elsewhere")
    (out / OTHER).write_bytes(b"mine")
    os.link(out / OTHER, out / "second name")
    (out / ".sft-00112233445566aa.part").mkdir()
    before = names(out)
    destination = Destination(out, now=lambda: time.time() + 30 * 86400)
    destination.release(destination.folder(()))
    destination.close()
    assert names(out) == before


def test_discarding_what_is_finished_keeps_it(destination, out):
    one = landing(destination, "b.txt")
    one.finish(dated_at=0, executable=False, signature=b"")
    one.discard()
    assert names(out) == ["b.txt"]


def test_a_planted_link_is_never_followed(destination, out, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (out / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalFileError):
        landing(destination, "a", "b.txt")
    assert names(tmp_path / "elsewhere") == []


def bound_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


ODD = {
    "folder": os.mkdir,
    "pipe": os.mkfifo,
    "socket": bound_socket,
    "link": lambda path: Path(path).symlink_to("target"),
    "dead link": lambda path: Path(path).symlink_to("nothing"),
}


@pytest.mark.parametrize("name", ["b.txt", "b.txt.minisig"])
@pytest.mark.parametrize("odd", ODD)
def test_nothing_but_a_regular_file_is_ever_replaced(destination, out, odd, name, monkeypatch):
    monkeypatch.chdir(out)  # a socket's path is short
    for path in ("target", *{"b.txt", "b.txt.minisig"} - {name}):
        (out / path).write_bytes(b"mine")
    ODD[odd](name)
    before = {path: path.lstat() for path in out.iterdir()}
    with pytest.raises(LocalExistsError):
        landing(destination, "b.txt", with_signature=True)
    one = landing(destination, "b.txt", existing=ConflictPolicy.FORCE, with_signature=True)
    one.write([b"abc"])
    with pytest.raises(LocalFileError) as caught:
        one.finish(dated_at=1000, executable=False, signature=SIGNATURE)
    assert caught.value.values["path"] == str(out / name)
    one.discard()
    assert {path: path.lstat() for path in out.iterdir()} == before


def test_only_the_file_that_was_seen_is_replaced(destination, out):
    local = out / "b.txt"
    local.write_bytes(b"old")
    seen = seen_as(str(local), "b.txt", local.lstat())
    meant = {"existing": ConflictPolicy.FORCE, "replaces": seen}
    for edit in (lambda: local.write_bytes(b"my edit"), lambda: another(out).replace(local)):
        one = PartFile(destination, ["b.txt"], size=3, with_signature=False, **meant)
        one.write([b"new"])
        edit()
        with pytest.raises(LocalChangedError):
            one.finish(dated_at=1000, executable=False, signature=b"")
        one.discard()
    assert (local.read_bytes(), names(out)) == (b"old", ["b.txt"])
    local.unlink()
    one = PartFile(destination, ["b.txt"], size=3, with_signature=False, **meant)
    one.finish(dated_at=1000, executable=False, signature=b"")  # of what is gone nothing is lost
    assert names(out) == ["b.txt"]
    meant["replaces"] = seen_as(str(local), "b.txt", local.lstat())
    one = PartFile(destination, ["b.txt"], size=3, with_signature=False, **meant)
    one.write([b"new"])
    one.finish(dated_at=1000, executable=False, signature=b"")
    assert local.read_bytes() == b"new"


def another(folder):
    (folder / "other").write_bytes(b"old")
    return folder / "other"


@pytest.mark.parametrize("part", ["..", ".", "a/b", "", "con", "a:b", "x\u202etxt"])
def test_a_name_that_is_none_here_is_refused_wherever_it_stands(destination, out, part):
    for parts in ((part,), (part, "b.txt")):
        with pytest.raises(NameNotAllowedError):
            landing(destination, *parts)
    assert names(out.parent) == ["out"]


def test_a_name_that_somebody_takes_meanwhile_is_not_replaced(destination, out):
    one = landing(destination, "b.txt")
    (out / "b.txt").write_bytes(b"mine")
    with pytest.raises(LocalExistsError):
        one.finish(dated_at=0, executable=False, signature=b"")
    one.discard()
    assert (out / "b.txt").read_bytes() == b"mine"
    assert names(out) == ["b.txt"]


def test_keep_both_finds_the_next_free_number(destination, out):
    for expected in ("b.txt", "b (2).txt", "b (3).txt"):
        assert land(destination, "b.txt", existing=ConflictPolicy.KEEP_BOTH)[0] == out / expected


def test_keep_both_keeps_file_and_signature_together(destination, out):
    (out / "b (2).txt.minisig").write_bytes(b"mine")
    (out / "b.txt").write_bytes(b"mine")
    options = {"existing": ConflictPolicy.KEEP_BOTH, "with_signature": True}
    placed = land(destination, "b.txt", **options)
    assert placed == (out / "b (3).txt", out / "b (3).txt.minisig")
    assert placed[1].read_bytes() == SIGNATURE
    assert names(out) == ["b (2).txt.minisig", "b (3).txt", "b (3).txt.minisig", "b.txt"]


def test_a_taken_name_of_the_signature_refuses_both(destination, out):
    (out / "b.txt.minisig").write_bytes(b"mine")
    with pytest.raises(LocalExistsError):
        landing(destination, "b.txt", with_signature=True)
    assert names(out) == ["b.txt.minisig"]


def test_a_folder_is_never_replaced(destination, out):
    (out / "b.txt").mkdir()
    one = landing(destination, "b.txt", existing=ConflictPolicy.FORCE)
    with pytest.raises(LocalFileError):
        one.finish(dated_at=0, executable=False, signature=b"")
    one.discard()
    assert names(out) == ["b.txt"]


def test_a_file_in_the_way_of_a_folder_is_said(destination, out):
    (out / "a").write_bytes(b"mine")
    with pytest.raises(LocalFileError):
        landing(destination, "a", "b.txt")


def test_room_is_taken_before_the_first_byte(destination, out):
    with pytest.raises(LocalDiskFullError):
        landing(destination, "b.txt", size=1 << 60)
    assert names(out) == []


def test_a_disk_that_fills_up_is_said_and_nothing_stays(destination, out, monkeypatch):
    one = landing(destination, "b.txt")

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LocalDiskFullError):
        one.write([b"abc"])
    one.discard()
    assert names(out) == []


def test_a_date_that_cannot_be_is_no_reason_to_lose_the_file(destination, out):
    one = landing(destination, "b.txt")
    one.finish(dated_at=1 << 62, executable=False, signature=b"")
    assert names(out) == ["b.txt"]


def test_an_unusable_destination_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocalFileError):
        Destination(tmp_path / "file")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plan.pdf", "plan (2).pdf"),
        ("README", "README (2)"),
        (".hidden", ".hidden (2)"),
        ("a.tar.gz", "a.tar (2).gz"),
        ("x." + "y" * 40, "x." + "y" * 40 + " (2)"),
    ],
)
def test_a_copy_is_numbered_before_its_ending(name, expected):
    assert numbered(name, 2) == expected


def test_a_numbered_name_still_is_a_name():
    assert len(numbered("\u00e4" * 125 + ".txt", 10).encode()) <= 255


@pytest.mark.parametrize(("size", "listed", "taken"), [(5, 5, 5), (5, 0, 0), (9, 5, 5), (300, 300, 250)])
def test_no_more_room_is_taken_than_was_listed_nor_than_a_share_of_it(destination, monkeypatch, size, listed, taken):
    reserved = []
    monkeypatch.setattr(durable, "free_bytes", lambda _: 1000)
    monkeypatch.setattr(durable, "reserve", lambda _, amount: reserved.append(amount))
    PartFile(
        destination, ["a"], size=size, listed_size=listed, existing=ConflictPolicy.REFUSE, with_signature=False
    ).discard()
    assert reserved == [taken]
