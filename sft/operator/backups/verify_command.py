"""``sftd restore DIR --verify``: a backup read whole where it lies, as a restore would verify it, and put back nowhere.

    keyring opened → database, of its pages by digest, into a folder for the time → rows, head, every leaf of the log
                   → every content in the folder: tags, digest, signature, sidecar

Rules. Nothing is written into the folder of backups, and nothing of the home is touched: a server may serve it. The folder for
the time is closed to others, and goes at the end, also where a signal ends this. Reading yields to every other program.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path
from typing import TypedDict

from sft.cli.console import Console
from sft.cli.run import interruptible
from sft.cli.usage import FAULTS_STATUS
from sft.model.names import safe
from sft.model.records import VaultReport
from sft.model.text import count_text, counted, size_text
from sft.operator.backups.command import SnapshotJson, snapshot_document, yield_to_others
from sft.operator.backups.copy_pace import CopyPace
from sft.operator.backups.folder import BackupFolder, StoredSnapshot
from sft.operator.backups.restoring import Restoring
from sft.operator.home import Home
from sft.vault.keyring import Keyring
from sft.vault.object_directory import OBJECTS, SIDECAR_SUFFIX


class VerifiedJson(TypedDict):
    """A backup that was read whole."""

    folder: str
    snapshot: SnapshotJson
    files: int
    versions: int
    bytes: int
    faults: list[dict[str, str]]
    more_faults: int


def verify(
    console: Console, folder: BackupFolder, snapshot: StoredSnapshot, keyring: Keyring, limit: int | None
) -> int:
    """Read a backup whole; return the exit status: 7 where something does not hold.

    Args:
        limit: bytes of content a second at most.

    Raises:
        Interrupted: SIGINT or SIGTERM came.
        BackupError, StoreError, VaultError: its database, log or head do not hold.
    """
    yield_to_others()
    # SIGTERM would end the process, and leave the database of the backup in the folder for the time.
    with interruptible(), tempfile.TemporaryDirectory(prefix="sft-verify-") as scratch:
        home = Home(Path(scratch), data=Path(scratch) / "data")
        home.data.mkdir(mode=0o700)
        pace = CopyPace(limit, time.monotonic, threading.Event().wait).each
        restoring = Restoring(home, folder, snapshot, keyring, checked=console.drawing(_how_far))
        report = restoring.look(pace)
    return _say(console, folder, snapshot, report)


def _how_far(versions: int, size_bytes: int) -> str:
    return f"verified: {counted(versions, 'version')}, {size_text(size_bytes)}"


def _say(console: Console, folder: BackupFolder, snapshot: StoredSnapshot, report: VaultReport) -> int:
    faults = len(report.faults) + report.more_faults
    document = VerifiedJson(
        folder=str(folder.path),
        snapshot=snapshot_document(snapshot),
        files=report.files,
        versions=report.versions,
        bytes=report.bytes_checked,
        faults=[{"what": each.what, "problem": each.problem} for each in report.faults],
        more_faults=report.more_faults,
    )
    lines = [f"{console.mark('✗')} {safe(each.what)}: {safe(each.problem)}" for each in report.faults]
    if report.more_faults:
        lines.append(f"  and {count_text(report.more_faults)} more")
    lines.append(
        f"{snapshot.name} in {safe(str(folder.path))}: {counted(report.files, 'file')}, "
        f"{counted(report.versions, 'version')}, {size_text(report.bytes_checked)} read and verified: "
        f"{counted(faults, 'fault') if faults else 'clean'}"
    )
    objects, bare = safe(str(folder.vault / OBJECTS)), report.sidecars_lacking
    if faults > bare:
        lines.append(
            "Take a backup into another folder now: sftd backup DIR. Where this one's disk is sound, the next run copies an "
            f"object again whose file you removed in {objects}"
        )
    if bare:
        lines.append(
            f"Of {counted(bare, 'content')} the sidecar alone does not hold. Remove its file, where one is there, "
            f"{objects}/FIRST_TWO_DIGITS/OBJECT{SIDECAR_SUFFIX}: the next run copies it, and leaves the content"
        )
    console.show(document, *lines)
    return FAULTS_STATUS if faults else 0
