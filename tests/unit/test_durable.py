"""Files that survive, and links and names that attack."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft import durable


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    folder_fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield folder_fd
    os.close(folder_fd)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Inodes in the order in which they were synced."""
    inodes: list[int] = []
    fsync = os.fsync

    def recorded(fd: int) -> None:
        inodes.append(os.fstat(fd).st_ino)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", recorded)
    return inodes


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


ODD_NAMES = ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\0b"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_below_a_folder_is_one_component(folder: int, name: str) -> None:
    with pytest.raises(ValueError, match="one component"):
        durable.create_new(folder, name)
    with pytest.raises(ValueError, match="one component"):
        durable.sub_folder(folder, name, make=True)
    with pytest.raises(ValueError, match="one component"):
        durable.open_regular(folder, name)
    with pytest.raises(ValueError, match="one component"):
        durable.replace_file(folder, name, b"")
    with pytest.raises(ValueError, match="one component"):
        durable.replace_files(folder, ["x", name], b"")
    with pytest.raises(ValueError, match="one component"):
        durable.remove_file(folder, name)
    with pytest.raises(ValueError, match="one component"):
        durable.rename_no_replace(folder, name, folder, "x")
    with pytest.raises(ValueError, match="one component"):
        durable.rename_no_replace(folder, "x", folder, name)


def test_new_files_are_for_their_owner_alone(folder: int, tmp_path: Path, umask: int) -> None:
    durable.write_new(folder, "a", b"content")
    assert mode_of(tmp_path / "a") == 0o600
    assert (tmp_path / "a").read_bytes() == b"content"
    durable.replace_file(folder, "a", b"other")
    assert mode_of(tmp_path / "a") == 0o600
    durable.write_new(folder, "for-all", b"", 0o644)
    assert mode_of(tmp_path / "for-all") == 0o644


def test_a_taken_name_is_never_written_to(folder: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "to-file").symlink_to(tmp_path / "file")
    for name in ("file", "link", "to-file"):
        with pytest.raises(FileExistsError):
            durable.write_new(folder, name, b"mine")
    assert (tmp_path / "file").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_nothing_is_left_of_a_write_that_failed(folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="broken disk"):
        durable.write_new(folder, "a", b"content")
    (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(OSError, match="broken disk"):
        durable.replace_file(folder, "b", b"new")
    assert sorted(os.listdir(tmp_path)) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"old"


def test_everything_is_written_however_little_a_call_takes(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:3])))
    durable.write_new(folder, "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_new_file_is_synced_before_it_is_told(folder: int, tmp_path: Path, synced: list[int]) -> None:
    durable.write_new(folder, "a", b"content")
    assert synced == [(tmp_path / "a").stat().st_ino]


def test_a_replacement_syncs_the_file_and_then_its_folder(folder: int, tmp_path: Path, synced: list[int]) -> None:
    durable.replace_file(folder, "a", b"content")
    assert synced == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]
    assert os.listdir(tmp_path) == ["a"]


def test_a_replacement_replaces_a_link_and_not_what_it_leads_to(folder: int, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    durable.replace_file(folder, "link", b"mine")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("links", [True, False])
def test_several_names_get_one_content_also_those_that_are_taken(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "b").write_bytes(b"old")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    durable.replace_files(folder, ["a", "b", "c", "d", "a"], b"new")
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "d"]
    for name in "abcd":
        assert (tmp_path / name).read_bytes() == b"new"
        assert not (tmp_path / name).is_symlink()
        assert mode_of(tmp_path / name) == 0o600
    assert ((tmp_path / "a").stat().st_ino == (tmp_path / "d").stat().st_ino) == links


@pytest.fixture(params=["renameat2", "link and unlink"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "link and unlink":
        monkeypatch.setattr(durable, "_renameat2", None)
    return str(request.param)


def test_a_rename_never_replaces(folder: int, tmp_path: Path, way: str) -> None:
    (tmp_path / "part").write_bytes(b"new")
    (tmp_path / "file").write_bytes(b"precious")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("file", "dangling", "folder"):
        with pytest.raises(FileExistsError):
            durable.rename_no_replace(folder, "part", folder, name)
    assert (tmp_path / "file").read_bytes() == b"precious"
    durable.rename_no_replace(folder, "part", folder, "free")
    assert (tmp_path / "free").read_bytes() == b"new"
    assert not (tmp_path / "part").exists()
    with pytest.raises(FileNotFoundError):
        durable.rename_no_replace(folder, "part", folder, "again")


def test_a_rename_goes_to_the_open_folder_wherever_its_name_leads_now(tmp_path: Path, way: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "part").write_bytes(b"new")
    from_fd, to_fd = durable.open_folder(tmp_path, "a"), durable.open_folder(tmp_path, "b")
    (tmp_path / "b").rename(tmp_path / "moved")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    durable.rename_no_replace(from_fd, "part", to_fd, "file")
    assert (tmp_path / "moved" / "file").read_bytes() == b"new"
    os.close(from_fd)
    os.close(to_fd)


@pytest.mark.parametrize("lacking", [errno.ENOSYS, errno.EINVAL])
def test_a_kernel_without_the_call_is_no_fault(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: int
) -> None:
    monkeypatch.setattr(durable, "_renameat2", lambda *_: -1)
    monkeypatch.setattr(durable.ctypes, "get_errno", lambda: lacking)
    (tmp_path / "part").write_bytes(b"new")
    durable.rename_no_replace(folder, "part", folder, "file")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_no_link_is_followed_below_the_trusted_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "file").write_bytes(b"")
    for below in (("link",), ("link", "deeper"), ("file",)):
        for make in (False, True):
            with pytest.raises(NotADirectoryError):
                durable.open_folder(tmp_path / "in", *below, make=make)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_the_trusted_folder_itself_may_be_reached_by_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folder_fd = durable.open_folder(tmp_path / "link", "a", "b", make=True)
    assert os.fstat(folder_fd).st_ino == (tmp_path / "real" / "a" / "b").stat().st_ino
    os.close(folder_fd)


def test_folders_are_made_private_and_synced(tmp_path: Path, umask: int, synced: list[int]) -> None:
    os.umask(0o022)  # an umask of 0o777 would keep mkdir's folder shut for its owner too, on the way down
    os.close(durable.open_folder(tmp_path, "a", "b", make=True))
    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "a" / "b") == 0o700
    assert synced == [tmp_path.stat().st_ino, (tmp_path / "a").stat().st_ino]
    with pytest.raises(FileNotFoundError):
        durable.open_folder(tmp_path, "missing")


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / "link").symlink_to("/")
    with pytest.raises(NotADirectoryError):
        durable.open_folder(tmp_path, "link", "etc")
    with pytest.raises(FileNotFoundError):
        durable.open_folder(tmp_path, "a", "b")
    durable.make_private_folder(tmp_path / "p")
    folder_fd = durable.open_folder(tmp_path)
    with pytest.raises(OSError, match="not a regular file"):
        durable.read_regular(folder_fd, "p", 1)
    os.close(folder_fd)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_private_folder_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    durable.make_private_folder(tmp_path / "home" / "deep")
    assert mode_of(tmp_path / "home") == 0o700
    assert mode_of(tmp_path / "home" / "deep") == 0o700


def test_a_private_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    with pytest.raises(FileExistsError):
        durable.make_private_folder(tmp_path / "home", exist_ok=False)
    assert mode_of(tmp_path / "home") == 0o755
    durable.make_private_folder(tmp_path / "home")
    assert mode_of(tmp_path / "home") == 0o700


def test_a_private_folder_is_no_link_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    (tmp_path / "file").write_bytes(b"")
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError):
            durable.make_private_folder(tmp_path / name)
    assert mode_of(tmp_path / "open") == 0o755


def test_a_private_folder_belongs_to_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError):
        durable.make_private_folder(tmp_path / "theirs")
    assert mode_of(tmp_path / "theirs") == 0o755


def test_only_regular_files_are_read_and_nothing_hangs(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    assert durable.read_regular(folder, "file", 7) == b"content"
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(OSError, match=r"symbolic links") as caught:
        durable.read_regular(folder, "link", 7)
    assert caught.value.errno == errno.ELOOP
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(OSError, match="not a regular file"):
            durable.read_regular(folder, name, 7)
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # a socket's whole path may be too long for its address
        listener.bind("socket")
        with pytest.raises(OSError, match="No such device"):
            durable.read_regular(folder, "socket", 7)


def test_a_file_over_the_bound_is_not_read(folder: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content!")
    with pytest.raises(OSError, match="File too large"):
        durable.read_regular(folder, "file", 7)
    os.truncate(tmp_path / "file", 1 << 40)
    with pytest.raises(OSError, match="File too large"):
        durable.read_regular(folder, "file", 7)


def test_removing_is_synced(folder: int, tmp_path: Path, synced: list[int]) -> None:
    (tmp_path / "file").write_bytes(b"")
    durable.remove_file(folder, "file")
    assert synced == [tmp_path.stat().st_ino]
    assert os.listdir(tmp_path) == []


def test_reserving_takes_room_and_leaves_the_size(folder: int, tmp_path: Path) -> None:
    file_fd = durable.create_new(folder, "a")
    durable.reserve(file_fd, 1 << 20)
    found = os.fstat(file_fd)
    assert found.st_size == 0
    assert found.st_blocks * 512 >= 1 << 20
    durable.reserve(file_fd, 0)
    os.close(file_fd)


def test_reserving_more_than_there_is_is_refused(folder: int) -> None:
    file_fd = durable.create_new(folder, "a")
    with pytest.raises(OSError, match=r"No space left|File too large"):
        durable.reserve(file_fd, 1 << 62)
    os.close(file_fd)


def test_where_nothing_can_be_reserved_there_must_be_room(folder: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_fallocate", None)
    file_fd = durable.create_new(folder, "a")
    durable.reserve(file_fd, 1)
    with pytest.raises(OSError, match="No space left"):
        durable.reserve(file_fd, durable.free_bytes(folder) + (1 << 40))
    os.close(file_fd)
