"""Files that survive: created alone, written whole, synced, renamed without replacing, found without following links.

Rules. A name below a folder is one component and is used relative to an open folder, so that nobody who can rename folders
or plant links in between can lead a write elsewhere. What is created is for its owner alone, whatever the umask. After a
failed sync the file's fate is unknown: the caller gives up on it and never syncs again. Every fault is an OSError, which the
caller turns into words of its own. POSIX only; what Linux or macOS alone has, has a way that works elsewhere. On a system
without descriptors of folders (Windows) the module is there, so that what stands on it can be loaded, and opens nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

# Windows lacks these flags. It has no folder that could be opened either, so that none is ever used without them.
OPENS_FOLDERS: Final = hasattr(os, "O_DIRECTORY") and os.open in os.supports_dir_fd
_CLOSE_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # opening a FIFO that somebody planted must not hang
_FOLDER_FLAGS: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _CLOSE_ON_EXEC
_NEW_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK | _CLOSE_ON_EXEC
_READ_FLAGS: Final = os.O_RDONLY | _NO_LINK | _NO_WAIT | _CLOSE_ON_EXEC
_WRITE_FLAGS: Final = os.O_RDWR | _NO_LINK | _NO_WAIT | _CLOSE_ON_EXEC
_RENAME_NOREPLACE: Final = 1
_FALLOC_FL_KEEP_SIZE: Final = 1
# What a kernel or file system says that lacks a call.
_LACKING: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOTTY})
_TEMPORARY_BYTES: Final = 8

_PRIVATE_MASK: Final = 0o077
_umask_lock: Final = threading.Lock()

_libc: Final = ctypes.CDLL(None, use_errno=True) if OPENS_FOLDERS else None
_renameat2: Final = getattr(_libc, "renameat2", None)
_syncfs: Final = getattr(_libc, "syncfs", None)
_fallocate: Final = getattr(_libc, "fallocate64", None) or getattr(_libc, "fallocate", None)


def open_folder(path: str | os.PathLike[str], *below: str, make: bool = False) -> int:
    """Open a folder, and folders below it one by one.

    Args:
        path: a folder that the caller trusts: links in it are the caller's own and are followed.
        below: names under it, of which none may be a link.
        make: make those of ``below`` that are missing.

    Returns:
        A descriptor, which the caller closes.

    Raises:
        OSError: ELOOP or ENOTDIR for a link or a file in the way.
    """
    _require_folders(path)
    folder_fd = os.open(path, _FOLDER_FLAGS)
    for name in below:
        try:
            next_fd = sub_folder(folder_fd, name, make=make)
        finally:
            os.close(folder_fd)
        folder_fd = next_fd
    return folder_fd


@contextlib.contextmanager
def opened_folder(path: str | os.PathLike[str], *below: str, make: bool = False) -> Iterator[int]:
    """Have a folder open within the block, as ``open_folder`` opens it."""
    folder_fd = open_folder(path, *below, make=make)
    try:
        yield folder_fd
    finally:
        os.close(folder_fd)


def sub_folder(folder_fd: int, name: str, *, make: bool = False, mode: int = PRIVATE_FOLDER) -> int:
    """Open one folder below an open one, never through a link; make it if asked, for its owner alone unless told."""
    _require_component(name)
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, mode, dir_fd=folder_fd)
            sync_folder(folder_fd)
    return os.open(name, _FOLDER_FLAGS | _NO_LINK, dir_fd=folder_fd)


def make_private_folder(path: str | os.PathLike[str], *, exist_ok: bool = True) -> None:
    """Make a folder that only its owner can enter, and its parents; an existing one is closed to others.

    Raises:
        FileExistsError: it is there, and ``exist_ok`` is False.
        NotADirectoryError: something else, or a link, has the name.
        PermissionError: it belongs to another user.
    """
    _require_folders(path)
    folder = Path(path)
    if not folder.parent.exists():
        make_private_folder(folder.parent)
    try:
        folder.mkdir(PRIVATE_FOLDER)
    except FileExistsError:
        if not exist_ok:
            raise
    try:
        folder_fd = os.open(folder, _FOLDER_FLAGS | _NO_LINK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
        raise
    try:
        found = os.fstat(folder_fd)
        if found.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "belongs to another user", str(folder))
        if stat.S_IMODE(found.st_mode) != PRIVATE_FOLDER:
            os.fchmod(folder_fd, PRIVATE_FOLDER)
        sync_folder(folder_fd)
    finally:
        os.close(folder_fd)
    _sync_path(folder.parent)


def umask() -> int:
    """Return what this process's umask takes from files that are a person's own.

    It can be asked for by setting it alone; meanwhile it is one under which everything is for its owner alone.
    """
    with _umask_lock:
        mask = os.umask(_PRIVATE_MASK)
        os.umask(mask)
    return mask


def create_new(folder_fd: int, name: str, mode: int = PRIVATE_FILE) -> int:
    """Create a file to read and write; FileExistsError if the name is taken, be it by a link that leads nowhere."""
    _require_component(name)
    file_fd = os.open(name, _NEW_FLAGS, mode, dir_fd=folder_fd)
    try:
        os.fchmod(file_fd, mode)
    except BaseException:
        os.close(file_fd)
        raise
    return file_fd


@contextlib.contextmanager
def locked_folder(path: str | os.PathLike[str], *, alone: bool) -> Iterator[bool]:
    """Try to have a folder's advisory lock within the block, and do not wait: False where another has it, in any process.

    Args:
        alone: nobody else has it then; otherwise others may who do not ask that. It ends with the process that has it.
    """
    with opened_folder(path) as folder_fd:
        try:
            fcntl.flock(folder_fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def write_all(file_fd: int, data: bytes | memoryview) -> None:
    """Write all of the data, however little a call takes."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(file_fd, rest) :]


def write_new(folder_fd: int, name: str, data: bytes, mode: int = PRIVATE_FILE, *, sync: bool = True) -> None:
    """Create a file with this content and sync it; nothing is left of it on a fault. The caller syncs the folder."""
    file_fd = create_new(folder_fd, name, mode)
    try:
        write_all(file_fd, data)
        if sync:
            sync_file(file_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder_fd)
        raise
    finally:
        os.close(file_fd)


def open_regular(folder_fd: int, name: str, *, writing: bool = False) -> int:
    """Open a file that is there, never through a link; OSError (EINVAL) for anything but a regular file."""
    _require_component(name)
    file_fd = os.open(name, _WRITE_FLAGS if writing else _READ_FLAGS, dir_fd=folder_fd)
    if not stat.S_ISREG(os.fstat(file_fd).st_mode):
        os.close(file_fd)
        raise OSError(errno.EINVAL, "not a regular file", name)
    return file_fd


def read_regular(folder_fd: int, name: str, at_most: int) -> bytes:
    """Read a whole small file, never through a link; OSError (EFBIG) when it holds more than ``at_most`` bytes."""
    with open(open_regular(folder_fd, name), "rb", buffering=0) as file:
        data = bytearray()
        while piece := file.read(at_most + 1 - len(data)):
            data += piece
    if len(data) > at_most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), name)
    return bytes(data)


def sync_file(file_fd: int) -> None:
    """Wait until a file's content is on the disk."""
    _reach_medium(file_fd, os.fsync)


def write_in_place(file_fd: int, data: bytes, place: int) -> None:
    """Write all of the data over what stands at a place of a file, and wait until it is on the disk.

    A fault may leave any part of it: whoever reads it must be able to tell.
    """
    rest = memoryview(data)
    while rest:
        written = os.pwrite(file_fd, rest, place)
        rest, place = rest[written:], place + written
    # Without the file's times: on some disks half of what it costs.
    _reach_medium(file_fd, getattr(os, "fdatasync", os.fsync))


def sync_folder(folder_fd: int) -> None:
    """Wait until a folder's names are on the disk."""
    _reach_medium(folder_fd, os.fsync)


def sync_file_system(folder_fd: int) -> bool:
    """Wait until all that was written to a folder's file system is on the disk; False where the system cannot do that."""
    if _syncfs is None:
        return False
    if _syncfs(folder_fd) == 0:
        return True
    code = ctypes.get_errno()
    if code in _LACKING:
        return False
    raise OSError(code, os.strerror(code))


def rename_no_replace(folder_fd: int, name: str, to_folder_fd: int, to_name: str) -> None:
    """Rename a file, never over something. The caller syncs both folders.

    A folder likewise; but where the system cannot do that in one step, only the caller's own lock keeps an empty folder from
    appearing under the final name meanwhile, to be replaced.

    Raises:
        FileExistsError: the final name is taken.
    """
    _require_component(name)
    _require_component(to_name)
    if _renameat2 is not None:
        arguments = (folder_fd, os.fsencode(name), to_folder_fd, os.fsencode(to_name))
        if _renameat2(*arguments, _RENAME_NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code not in _LACKING:
            raise OSError(code, os.strerror(code), to_name)
    if stat.S_ISDIR(os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_mode):
        _rename_folder(folder_fd, name, to_folder_fd, to_name)
    else:
        _link_and_unlink(folder_fd, name, to_folder_fd, to_name)


def replace_file(folder_fd: int, name: str, data: bytes, mode: int = PRIVATE_FILE, *, sync: bool = True) -> None:
    """Replace the content under a name: after any fault the old content or the new is there, whole.

    Args:
        sync: wait for the disk; without, only a fault of the program is met so, not one of the computer.
    """
    _require_component(name)
    temporary = f".{secrets.token_hex(_TEMPORARY_BYTES)}.part"
    write_new(folder_fd, temporary, data, mode, sync=sync)
    try:
        os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder_fd)
        raise
    if sync:
        sync_folder(folder_fd)


def replace_files(folder_fd: int, names: Iterable[str], data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace the content under several names by the same one, written once where files can have several names.

    Nothing waits for the disk: only a fault of the program is met so, not one of the computer.
    """
    first, *others = dict.fromkeys(names)
    replace_file(folder_fd, first, data, mode, sync=False)
    for name in others:
        _require_component(name)
        try:
            os.link(first, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
        except OSError:  # the name is taken; or a file system without links, or no more of them
            replace_file(folder_fd, name, data, mode, sync=False)


def remove_file(folder_fd: int, name: str) -> None:
    """Unlink a name, durably."""
    _require_component(name)
    os.unlink(name, dir_fd=folder_fd)
    sync_folder(folder_fd)


def reserve(file_fd: int, size_bytes: int) -> None:
    """Take the room for a file's whole content now; its size stays what it is.

    Where the file system cannot reserve, there must at least be that much room at this moment.

    Raises:
        OSError: ENOSPC.
    """
    if size_bytes <= 0:
        return
    if _fallocate is not None:
        zero, size = ctypes.c_int64(0), ctypes.c_int64(size_bytes)
        if _fallocate(file_fd, _FALLOC_FL_KEEP_SIZE, zero, size) == 0:
            return
        code = ctypes.get_errno()
        if code not in _LACKING:
            raise OSError(code, os.strerror(code))
    if free_bytes(file_fd) < size_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def free_bytes(fd: int) -> int:
    """Return how much room an ordinary user has on the file system of an open file or folder."""
    found = os.fstatvfs(fd)
    return found.f_bavail * found.f_frsize


def _require_folders(path: str | os.PathLike[str]) -> None:
    if not OPENS_FOLDERS:
        raise OSError(errno.ENOTSUP, "this system opens no folder by descriptor", str(path))


def _reach_medium(fd: int, sync: Callable[[int], None]) -> None:
    """Wait until what was written is on the medium, not only in the disk's own memory.

    That is what fsync means on Linux. On macOS it hands over to the disk and returns (fsync(2) there): F_FULLFSYNC waits.
    Where a file system has no such call, nothing was begun, and fsync is all that there is. Any other fault is one of the disk.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None or fcntl is None:
        sync(fd)
        return
    try:
        fcntl.fcntl(fd, full)
    except OSError as error:
        if error.errno not in _LACKING:
            raise
        sync(fd)


def _link_and_unlink(folder_fd: int, name: str, to_folder_fd: int, to_name: str) -> None:
    # A crash in between leaves both names of one file: recovery removes the temporary one.
    os.link(name, to_name, src_dir_fd=folder_fd, dst_dir_fd=to_folder_fd, follow_symlinks=False)
    os.unlink(name, dir_fd=folder_fd)


def _rename_folder(folder_fd: int, name: str, to_folder_fd: int, to_name: str) -> None:
    # No folder can be linked. Renaming fails over anything but an empty folder.
    with contextlib.suppress(FileNotFoundError):
        os.stat(to_name, dir_fd=to_folder_fd, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), to_name)
    os.rename(name, to_name, src_dir_fd=folder_fd, dst_dir_fd=to_folder_fd)


def _require_component(name: str) -> None:
    if not name or name in {".", ".."} or "/" in name or "\0" in name:
        raise ValueError("a name below a folder is one component")


def _sync_path(folder: Path) -> None:
    # A parent that cannot be opened for reading is not ours, and its names are not ours to make durable.
    with contextlib.suppress(PermissionError):
        folder_fd = os.open(folder, _FOLDER_FLAGS)
        try:
            sync_folder(folder_fd)
        finally:
            os.close(folder_fd)
