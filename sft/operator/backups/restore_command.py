"""``sftd restore``: a backup into an empty home, verified, and told what it is: of when, how far its log goes, what is lacking.

Rules. No server runs there, and none can start before this has ended well. The home's own files that are there already (a
master key above all, which no backup has) stay as they are.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypedDict

from msgspec.structs import replace

from sft.cli.console import Console
from sft.cli.usage import FAULTS_STATUS
from sft.errors import BackupError, HomeError, MasterKeyError, VaultError
from sft.model.names import safe
from sft.model.records import Fault, VaultReport
from sft.model.text import count_text, counted, local_time, shell_name, size_text, utc_time
from sft.operator.backups import home_files
from sft.operator.backups.command import SnapshotJson, objects_line, snapshot_document
from sft.operator.backups.folder import BackupFolder, StoredSnapshot
from sft.operator.backups.restored_key import chosen_source, parameters_apart, parameters_put
from sft.operator.backups.restoring import Restored, Restoring
from sft.operator.backups.verify_command import verify
from sft.operator.bootstrap import master_key_source
from sft.operator.files import sidecar_lines
from sft.operator.home import Home, HomeLock
from sft.operator.log_restart import parse_reason
from sft.store.revision import needed_revision
from sft.vault.keyring import Keyring
from sft.vault.master_key import open_keyring

_UNPUBLISHED: Final = (
    "Nothing was put back. With --despite-faults what holds is; sftd restore DIR --list names older snapshots"
)


class RestoredJson(TypedDict):
    """A backup that was put back: the log as it goes on, the leaves that it keeps, and what was read and verified."""

    home: str
    snapshot: SnapshotJson
    published: bool
    log: str
    before: str
    kept: int
    files: int
    versions: int
    bytes: int
    faults: list[dict[str, str]]
    more_faults: int


def restore(home: Home, options: Any) -> int:
    """Put a backup back; return the exit status: 7 where something does not hold."""
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    folder = BackupFolder(Path(options["dir"]).absolute())
    with folder.reading():
        if options["list"]:
            return _list(console, folder)
        snapshot = _chosen(folder, options["snapshot"])
        _require_known(folder, snapshot)
        if options["verify"]:
            return verify(console, folder, snapshot, its_keyring(home, folder, snapshot, options), options["limit"])
        taken = utc_time(snapshot.manifest.taken_at)
        reason = parse_reason(options["reason"] or f"restored from the backup of {taken}")
        home.make()
        with closing(_Locked(home)):
            return _restore(console, home, folder, snapshot, options, reason)


class _Locked:
    def __init__(self, home: Home) -> None:
        self._lock = HomeLock(home)
        if not self._lock.take():
            raise HomeError(home=str(home.path), problem="a server runs on it", remedy="Name another --home")

    def close(self) -> None:
        self._lock.drop()


def _restore(
    console: Console, home: Home, folder: BackupFolder, snapshot: StoredSnapshot, options: Any, reason: str
) -> int:
    home.require_empty()
    flags = _flags(options)
    manifest = snapshot.manifest
    with parameters_put(home, manifest.files):
        keyring = _opened(home, folder, snapshot, chosen_source(home, folder, manifest.files, flags))
        changed = not home_files.are_its_own(manifest, keyring)
        if changed and not options["despite_faults"]:
            folder.refuse(
                f"the settings in its snapshot {snapshot.name} are not those that its server had: somebody changed them",
                "Restore another one; or everything but these: sftd restore DIR --despite-faults",
            )
    if not changed:
        home_files.put_files(home, manifest.files)
    home.remember(flags)
    home = home.again()
    restoring = Restoring(
        home.begin_restoring(),
        folder,
        snapshot,
        keyring,
        progress=console.drawing(objects_line),
        checked=console.drawing(lambda count, size: f"verified: {count_text(count)} versions, {size_text(size)}"),
    )
    restoring.copy()
    restored = restoring.verify(reason, nothing_since=options["nothing_since"])
    if changed:
        fault = Fault("the settings", "are not those that its server had, and were left out")
        restored = replace(restored, report=replace(restored.report, faults=(fault, *restored.report.faults)))
    report = restored.report
    published = not report.faults or bool(options["despite_faults"])
    if published:
        home.keep_server_key(restored.server_point)
        home.publish(home.restoring)
    _say(console, home, snapshot, restored, published=published)
    return FAULTS_STATUS if report.faults else 0


def _flags(options: Any) -> dict[str, Any]:
    return {name: options[name] for name in ("data", "master_key") if options[name]}


def its_keyring(home: Home, folder: BackupFolder, snapshot: StoredSnapshot, options: Any) -> Keyring:
    """Open the keyring of a backup that is only read: nothing of the home is touched, or need be there."""
    files = snapshot.manifest.files
    source = chosen_source(home, folder, files, _flags(options))
    with parameters_apart(home, files) as parameters:
        return _opened(home, folder, snapshot, source, parameters)


def _opened(
    home: Home, folder: BackupFolder, snapshot: StoredSnapshot, source: str, parameters: Path | None = None
) -> Keyring:
    """Open the keyring of a backup; BackupError where it cannot be that."""
    manifest = snapshot.manifest
    try:
        keyring, _ = open_keyring(manifest.keyring, master_key_source(home, source, parameters=parameters).candidates())
    except MasterKeyError as error:
        folder.refuse(
            f"the master key that was given does not open it ({error.values.get('problem', error.values.get('path'))})",
            f"Give number {manifest.epoch}, that of {utc_time(manifest.taken_at)}: sftd restore DIR --master-key file:PATH",
        )
    except VaultError as error:
        folder.refuse(f"in its snapshot {snapshot.name} {error.values['problem']}", "Restore another one")
    if keyring.server_id != manifest.server_id:
        folder.refuse("its keyring is of another server", "Restore another one: sftd restore DIR --list")
    return keyring


def _chosen(folder: BackupFolder, name: str | None) -> StoredSnapshot:
    if name:
        return folder.snapshot(name)
    names = folder.names()
    if not names:
        folder.refuse("no backup in it is whole", "Take one: sftd backup DIR")
    return folder.snapshot(names[-1])


def _require_known(folder: BackupFolder, snapshot: StoredSnapshot) -> None:
    """Refuse a backup of a later version of the database before hours of copying; an older one is brought up to date."""
    schema, needed = snapshot.manifest.schema, needed_revision()
    if schema > needed:
        folder.refuse(
            f"the database in its snapshot {snapshot.name} has version {schema}, and this program knows those up to {needed}",
            f"Restore with sft {snapshot.manifest.program}, which took it, or a later one",
        )


def _list(console: Console, folder: BackupFolder) -> int:
    found, damaged = list[SnapshotJson](), list[BackupError]()
    for name in folder.names():
        try:
            found.append(snapshot_document(folder.snapshot(name)))
        except BackupError as error:
            damaged.append(error)
    for fault in damaged:
        console.warn(f"{console.mark('✗')} {safe(str(fault.values['problem']))}: {safe(str(fault.values['remedy']))}")
    status = FAULTS_STATUS if damaged else 0
    if console.json:
        console.document(found)
        return status
    console.table(
        [
            (
                safe(each["name"]),
                size_text(each["bytes"]),
                count_text(each["objects"]),
                str(each["epoch"]),
                f"{safe(each['log'])} {count_text(each['size'])}",
                count_text(each["lacking"]) if each["lacking"] else "",
            )
            for each in found
        ],
        head=("snapshot", "size", "objects", "master key", "log", "lacking"),
        right=(1, 2, 3),
        fields=[tuple(safe(str(value)) for value in each.values()) for each in found],
    )
    return status


def _say(console: Console, home: Home, snapshot: StoredSnapshot, restored: Restored, *, published: bool) -> None:
    report, manifest = restored.report, snapshot.manifest
    document = RestoredJson(
        home=str(home.path),
        snapshot=snapshot_document(snapshot),
        published=published,
        log=restored.after.origin.text(),
        before=restored.before.origin.text(),
        kept=restored.before.size,
        files=report.files,
        versions=report.versions,
        bytes=report.bytes_checked,
        faults=[{"what": each.what, "problem": each.problem} for each in report.faults],
        more_faults=report.more_faults,
    )
    lines = [f"{console.mark('✗')} {safe(each.what)}: {safe(each.problem)}" for each in report.faults]
    lines += sidecar_lines(report)
    lines.append(
        f"{safe(manifest.server)} as it was on {local_time(manifest.taken_at, now=time.time())}: {_counts(report)}"
    )
    if not published:
        console.show(document, *lines, _UNPUBLISHED)
        return
    if restored.after.origin != restored.before.origin:
        lines += [
            "This is an older state: what came later is not here, and the log says so to everybody.",
            f"The log goes on as {restored.after.origin.text()} from leaf {count_text(restored.after.size)}.",
            "Every client stops until its person types the server's name (sft servers trust NAME); tell them why, yourself.",
            "The server that this was taken from must never serve again. Witnesses need the log's new key: sftd log key",
        ]
    lines.append(f"Start it: sftd --home {shell_name(str(home.path))} serve")
    console.show(document, *lines)


def _counts(report: VaultReport) -> str:
    faults = len(report.faults) + report.more_faults
    return (
        f"{counted(report.files, 'file')}, {counted(report.versions, 'version')}, {size_text(report.bytes_checked)} read "
        f"and verified: {counted(faults, 'fault') if faults else 'clean'}"
    )
