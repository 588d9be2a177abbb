from __future__ import annotations

import os
import stat

import pytest

from sft.vault.disk import RealDisk

PIECES = [b"abc", b"", b"d", b"efgh"]
WHOLE = b"".join(PIECES)


@pytest.fixture
def folder(tmp_path):
    opened = os.open(tmp_path, os.O_RDONLY)
    yield opened
    os.close(opened)


@pytest.fixture
def file(folder):
    opened = RealDisk().create(folder, "file")
    yield opened
    os.close(opened)


@pytest.mark.parametrize("taken", range(1, len(WHOLE) + 1))
def test_all_is_written_however_little_the_system_takes(file, tmp_path, monkeypatch, taken):
    monkeypatch.setattr(os, "writev", lambda fd, pieces: os.write(fd, b"".join(pieces)[:taken]))
    RealDisk().write(file, PIECES)
    RealDisk().write(file, PIECES)
    assert (tmp_path / "file").read_bytes() == WHOLE * 2


def test_more_pieces_than_a_system_takes_at_once_are_written(file, tmp_path):
    pieces = [b"%d," % number for number in range(3000)]
    RealDisk().write(file, pieces)
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)


def test_a_file_is_made_where_none_is(folder, file, tmp_path):
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        RealDisk().create(folder, "file")


def test_a_rename_never_replaces(folder, tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).write_bytes(name.encode())
    with pytest.raises(FileExistsError):
        RealDisk().rename(folder, "new", folder, "old")
    assert (tmp_path / "old").read_bytes() == b"old"
    RealDisk().rename(folder, "old", folder, "other")
    RealDisk().unlink(folder, "other")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_overwriting_follows_no_link_and_makes_no_file(folder, tmp_path):
    (tmp_path / "outside").write_bytes(b"outside")
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="link"):
        RealDisk().overwrite(folder, "link")
    with pytest.raises(FileNotFoundError):
        RealDisk().overwrite(folder, "absent")
    RealDisk().overwrite(folder, "outside")
    assert (tmp_path / "outside").read_bytes() == bytes(7)


def test_all_is_overwritten_however_little_the_system_takes(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(WHOLE)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    RealDisk().overwrite(folder, "file")
    assert (tmp_path / "file").read_bytes() == bytes(len(WHOLE))


def test_a_folder_is_made_once_and_opened_again(folder, tmp_path):
    before = os.umask(0)
    try:
        for _ in range(2):
            os.close(RealDisk().make_folder(folder, "made"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(tmp_path / "made")
    with pytest.raises(OSError, match="link"):
        RealDisk().make_folder(folder, "link")
