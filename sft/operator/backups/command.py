"""``sftd backup``: one run, from the leaf that says so to the manifest; and what it says of it.

    folder taken → the vault's copy lock → BACKUP_TAKEN in the log → the copying, on a thread → the server told of its end

Rules. The command reads the home's files itself, as the user whose they are: what serves the network needs no way to the
backups, and a busy server shares its interpreter with no copying. It is the first to yield: to every program on the
computer's processors, and to a rate where one is given. The folder is on another disk, or it is no backup.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, TypedDict

from twisted.internet.defer import Deferred

from sft.cli.usage import FAULTS_STATUS
from sft.errors import ClientError, HomeError, UsageError
from sft.model.names import safe
from sft.model.text import count_text, counted, size_text, utc_time
from sft.operator.backups.copy_pace import CopyPace
from sft.operator.backups.folder import BackupFolder, StoredSnapshot
from sft.operator.backups.home_files import HomeFiles, files_digest, read_home_files
from sft.operator.backups.taking import NO_SIDECAR, TakenBackup, Taking
from sft.operator.control import PATIENCE_SECONDS, PAUSE_SECONDS, Command
from sft.operator.home import Home
from sft.vault.copy_lock import CopyLock
from sft.vault.keyring import sealed_epoch
from sft.vault.keyring_file import load_keyring
from sft.wire import messages as m

NICENESS: Final = 19


class SnapshotJson(TypedDict):
    """A backup that is whole."""

    name: str
    taken: str
    server: str
    log: str
    size: int
    epoch: int
    objects: int
    bytes: int
    lacking: int


class BackupJson(TypedDict):
    """A backup that was taken, and what that took."""

    folder: str
    snapshot: SnapshotJson
    copied: int
    copied_again: int
    written: int
    given_up: int
    removed: int
    faults: list[dict[str, str]]


def snapshot_document(snapshot: StoredSnapshot) -> SnapshotJson:
    """Say of a backup which log head and which master key it is of."""
    manifest = snapshot.manifest
    head = manifest.checkpoint
    return SnapshotJson(
        name=snapshot.name,
        taken=utc_time(manifest.taken_at),
        server=manifest.server,
        log=head.origin.text(),
        size=head.size,
        epoch=manifest.epoch,
        objects=manifest.objects,
        bytes=manifest.database_bytes + manifest.object_bytes,
        lacking=manifest.lacking,
    )


async def backup(command: Command) -> int:
    """Take a backup; status 7 where something could not be copied whole."""
    home = command.home
    path = Path(command.options["dir"])
    _require_elsewhere(home, path)
    folder, ended = BackupFolder(path), threading.Event()
    try:
        taken = await _take(command, folder, ended)
    finally:
        ended.set()
    return _report(command, folder, taken)


async def _take(command: Command, folder: BackupFolder, ended: threading.Event) -> TakenBackup:
    session, home, options = command.session, command.home, command.options
    held = ExitStack()
    try:
        await session.pool.run(held.enter_context, folder.writing(session.server_id))
        await _hold_still(command, held)
        epoch = sealed_epoch(await session.pool.run(load_keyring, home.keyring))
        with folder.acting("cannot be taken: the home's settings cannot be read", "Look at whose they are, then again"):
            files = read_home_files(home)
        digest = files_digest(files, server=session.server_name, taken_at=int(command.now))
        begun = await session.request(m.BeginBackup, m.BackupBegun, epoch=epoch, settings=digest)
    except BaseException:
        held.close()
        raise
    taking = Taking(
        home,
        folder,
        server=session.server_name,
        server_id=session.server_id,
        files=HomeFiles(files, begun.mac),
        keep=options["keep"],
        each=CopyPace(options["limit"], time.monotonic, ended.wait).each,
        progress=command.console.drawing(objects_line),
    )

    def run() -> TakenBackup:
        # Also where nobody waits for it any more: the locks go when the last byte was written.
        with held:
            yield_to_others()
            return taking.run(int(command.now))

    taken = await session.pool.run(run)
    try:
        await session.request(
            m.EndBackup, m.Done, objects=taken.snapshot.manifest.objects, copied=taken.copied, size=taken.written_bytes
        )
    except ClientError:  # it ended meanwhile: the backup is whole all the same
        command.console.warn("The server has ended meanwhile: it does not know of this backup.")
    return taken


async def _hold_still(command: Command, held: ExitStack) -> None:
    """Have nothing destroyed and no key changed until ``held`` ends: what destroys lets go soon, a change of keys does not."""
    lock, reactor = CopyLock(command.home.vault), command.session.reactor
    until = reactor.seconds() + PATIENCE_SECONDS
    while True:
        attempt = ExitStack()
        if attempt.enter_context(lock.copying()):
            held.push(attempt)
            return
        attempt.close()
        if reactor.seconds() > until:
            raise HomeError(
                home=str(command.home.path),
                problem="its keys are being changed, or another backup is being taken",
                remedy="Wait until that has ended, then again",
            )
        waited: Deferred[None] = Deferred()
        reactor.callLater(PAUSE_SECONDS, waited.callback, None)
        await waited


def _require_elsewhere(home: Home, path: Path) -> None:
    """Refuse a folder within what is copied: it would be lost with it, and grow by itself."""
    for root in (home.path, home.data):
        if path.resolve().is_relative_to(root.resolve()):
            raise UsageError(
                problem=f"{safe(str(path))} is within {safe(str(root))}", remedy="Name a folder on another disk"
            )


def yield_to_others() -> None:
    """Let every other program on this computer have the processors first; on Linux a thread alone can do that."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def objects_line(done: int, of: int) -> str:
    """Say how many objects are done."""
    return f"{count_text(done)} of {count_text(of)} objects"


def _report(command: Command, folder: BackupFolder, taken: TakenBackup) -> int:
    console, snapshot = command.console, snapshot_document(taken.snapshot)
    faults = [
        {"what": f"object {object_id.hex()}", "problem": problem} for object_id, problem in taken.lacking + taken.faults
    ]
    document = BackupJson(
        folder=str(folder.path),
        snapshot=snapshot,
        copied=taken.copied,
        copied_again=taken.copied_again,
        written=taken.written_bytes,
        given_up=taken.given_up,
        removed=taken.removed,
        faults=faults,
    )
    lines = [f"{console.mark('✗')} {each['what']}: {safe(each['problem'])}" for each in faults]
    lines.append(
        f"{snapshot['name']} in {safe(str(folder.path))}: {size_text(snapshot['bytes'])}, written "
        f"{size_text(taken.written_bytes)}; {counted(snapshot['objects'], 'object')}, {count_text(taken.copied)} of them new"
    )
    lines.append(
        f"Log {safe(snapshot['log'])}, its head at {count_text(snapshot['size'])}. It opens with master key "
        f"{snapshot['epoch']} alone, which is not in it."
    )
    if taken.copied_again:
        lines.append(
            f"{counted(taken.copied_again, 'object')} had been lost or cut in the folder, and copied again: look at its disk"
        )
    if taken.lacking:
        lines.append(command.typed("Lacking is what could not be copied whole: sftd vault check names the files."))
    if any(problem == NO_SIDECAR for _, problem in taken.faults):
        lines.append(command.typed("Sidecars are written anew by sftd vault check, and in the next backup then."))
    console.show(document, *lines)
    return FAULTS_STATUS if faults else 0
