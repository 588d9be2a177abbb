"""Where campaigns put what they make: in memory, or on a disk; and what kind of a machine it is."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterable
from pathlib import Path

MEMORY = Path("/dev/shm")
IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
# No file system of these keeps what fsync was told of where only this machine has it.
NO_DISK = IN_MEMORY | {"proc", "sysfs", "overlay", "nfs", "nfs4", "cifs", "fuse", "9p", "virtiofs", "unknown"}


def file_system(path: Path) -> str:
    """Name the file system that a folder lies on."""
    best = ("", "unknown")
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            if path.resolve().is_relative_to(place) and len(place) >= len(best[0]):
                best = (place, kind)
    return best[1]


def free_bytes(path: Path) -> int:
    """Read how much room a folder has for people without privileges; 0 where there is no such folder."""
    with contextlib.suppress(OSError):
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize
    return 0


def roomy_folder(needed: int) -> Path | None:
    """Choose memory where it has the room, for speed of disks is not what is compared."""
    return MEMORY if file_system(MEMORY) in IN_MEMORY and free_bytes(MEMORY) > needed else None


def disk_folder(needed: int, wanted: Iterable[Path] = ()) -> Path | None:
    """Choose the first of some folders that lies on a disk of this machine, may be written and has the room."""
    for folder in (*wanted, Path.cwd(), Path.home(), Path("/var/tmp")):
        if file_system(folder) not in NO_DISK and os.access(folder, os.W_OK) and free_bytes(folder) > needed:
            return folder
    return None


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """Say what kind of a machine this is."""
    model = platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = usable_cores()
    return (
        f"{cores} core{'s' if cores != 1 else ''} of {model}, {gib:.0f} GiB, {platform.system()} "
        f"{platform.release().partition('-')[0]}, Python {platform.python_version()}"
    )
