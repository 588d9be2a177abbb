"""``sftd file`` and ``vault``: what is stored, and whether it holds."""

from __future__ import annotations

from pathlib import Path

from sft.cli.json_output import (
    deleted_document,
    file_details_document,
    file_document,
    vault_document,
    vault_status_document,
)
from sft.cli.people_output import words_of
from sft.cli.usage import FAULTS_STATUS
from sft.client.api import files
from sft.client.trust import unread_sentence
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.model.names import safe
from sft.model.records import File, LastCheck, VaultReport
from sft.model.text import count_text, counted, local_time, size_text, utc_time
from sft.operator.control import Command
from sft.operator.next_steps import OF_NOTES
from sft.wire import messages as m


async def list_files(command: Command) -> int:
    """Show all files, in order of creation."""
    found: list[File] = []
    after = 0
    while True:
        page = await command.session.request(m.FindFiles, m.FilesFound, after=after)
        found += page.files
        after = page.next
        if not after:
            break
    if command.console.json:
        command.console.document([file_document(each) for each in found])
        return 0
    command.console.table(
        [
            (
                safe(each.path),
                size_text(each.version.size),
                f"v{each.version.number}",
                safe(each.owner),
                local_time(each.version.stored_at, now=command.now),
            )
            for each in found
        ],
        head=("path", "size", "version", "owner", "stored"),
        right=(1,),
        fields=[
            (
                safe(each.path),
                str(each.version.size),
                str(each.version.number),
                safe(each.owner),
                utc_time(each.version.stored_at),
            )
            for each in found
        ],
    )
    return 0


async def show(command: Command) -> int:
    file = await files.show_file(command.session, command.options["path"].strip("/"))
    version, now = file.version, command.now
    key = PublicKey.decode_or_none(version.public_key)
    stored, dated = (local_time(t, now=now) for t in (version.stored_at, version.dated_at))
    author, owner = safe(version.author), safe(file.owner)
    command.console.show(
        file_details_document(file, unread_sentence(version.author)),
        f"{safe(file.path)}  {size_text(version.size)}  v{version.number}",
        f"stored {stored}, dated {dated}",
        f"signed by {author} as {safe(version.signed_name)}; owner {owner}",
        f"key {words_of(key)}{'' if key is None else f'  {key.text()}'}",
        digest_text(version.digest),
    )
    return 0


async def delete(command: Command) -> int:
    path, recursive = command.options["path"].strip("/"), bool(command.options["recursive"])
    done = await files.delete(command.session, path, recursive=recursive)
    until = local_time(done.trash_ends_at, now=command.now)
    command.console.show(deleted_document(done), f"{safe(done.path)} is in the trash until {until}")
    return 0


# -- the vault ------------------------------------------------------------------------------------


async def check(command: Command) -> int:
    """Read every row and look at every object, or read it whole; status 7 where something does not hold."""
    options = command.options
    done = await command.session.request(
        m.CheckVault,
        m.VaultChecked,
        read_data=options["read_data"],
        rate=options["limit"] or 0,
        afresh=options["afresh"],
    )
    report = done.report
    counts = f"{counted(report.files, 'file')}, {counted(report.versions, 'version')}"
    read = f", {size_text(report.bytes_checked)}" if options["read_data"] else "; no content was read (--read-data)"
    return _report(command, report, f"checked: {counts}{read}")


async def status(command: Command) -> int:
    """Show what is stored, what is free and for how long, and when all of it was read last."""
    found = (await command.session.request(m.ShowVault, m.VaultShown)).status
    growth, days = found.daily_growth_bytes, found.days_until_full
    grows = "not known yet: it is noted once a day" if growth is None else f"{_signed(growth)} a day"
    lasts = "" if days is None else f", full in {counted(days, 'day')}"
    lines = [
        f"current         {size_text(found.current_bytes)}",
        f"older versions  {size_text(found.older_bytes)}",
        f"trash           {size_text(found.trash_bytes)}",
        f"free            {size_text(found.free_bytes)}",
        f"growth          {grows}{lasts}",
        f"damaged         {count_text(found.damaged)}{'' if not found.damaged else ' (sftd log show --act damage)'}",
        f"last check      {_read(command, found.check)}",
        f"last scrub      {_read(command, found.scrub)}",
    ]
    command.console.show(vault_status_document(found), *lines)
    return 0


def _signed(size_bytes: int) -> str:
    return f"-{size_text(-size_bytes)}" if size_bytes < 0 else size_text(size_bytes)


def _read(command: Command, walk: LastCheck) -> str:
    """Say when all contents were read, and how far the reading is that is under way."""
    said = "never"
    if walk.ended_at is not None:
        faults = counted(walk.ended_faults, "fault") if walk.ended_faults else "clean"
        when = local_time(walk.ended_at, now=command.now)
        said = f"{when}: {counted(walk.ended_versions, 'version')}, {size_text(walk.ended_bytes)}, {faults}"
    if walk.began_at is None:
        return said
    since = local_time(walk.began_at, now=command.now)
    return f"{said}; one that began {since} has read {size_text(walk.bytes_read)}"


async def rotate(command: Command) -> int:
    reencrypt = bool(command.options["reencrypt"])
    done = await command.session.request(m.RotateMasterKey, m.VaultChecked, reencrypt=reencrypt)
    status = _report(command, done.report, f"sealed anew: {counted(done.report.versions, 'version')}")
    if status == 0:
        command.console.result(
            "Keep a copy of the new master key away from this disk; the old one opens nothing here any more."
        )
        command.console.result(
            "A backup from before opens with the old key alone: keep the two together, by their date."
        )
    return status


async def rebuild(command: Command) -> int:
    """Give rows to objects that none names; status 7 where one stays without."""
    export_to = _whole(command.options["export"])
    report = (await command.session.request(m.RebuildVault, m.VaultChecked, export_to=export_to)).report
    counts = (
        f"{counted(report.files, 'file')}, {counted(report.versions, 'version')}, {size_text(report.bytes_checked)}"
    )
    return _report(command, report, f"put into the index: {counts}")


def _whole(folder: str) -> str:
    """Return a folder's path as whoever works elsewhere finds it."""
    return str(Path(folder).absolute()) if folder else ""


async def collect(command: Command) -> int:
    is_right = command.options["clock_is_right"]
    done = await command.session.request(m.CollectTrash, m.VaultChecked, clock_is_right=is_right)
    report = done.report
    counts = (
        f"{counted(report.files, 'file')}, {counted(report.versions, 'version')}, {size_text(report.bytes_checked)}"
    )
    return _report(command, report, f"destroyed: {counts}")


def sidecar_lines(report: VaultReport) -> list[str]:
    """Say what became of sidecars that did not hold, and what to do about those that could not be written anew."""
    lines = list[str]()
    if report.sidecars_written:
        lines.append(
            f"written anew, so that sftd vault rebuild would find all contents: {counted(report.sidecars_written, 'sidecar')}"
        )
    if report.sidecars_lacking:
        lines.append(
            f"{counted(report.sidecars_lacking, 'content')} without a sidecar would be lost to sftd vault rebuild. Make room "
            "on the vault's disk, or mend it; then again: sftd vault check. Until then have a backup: sftd backup DIR"
        )
    return lines


def _report(command: Command, report: VaultReport, done: str) -> int:
    console = command.console
    mark = console.mark("✗")
    lines = [f"{mark} {safe(each.what)}: {safe(each.problem)}" for each in report.faults]
    if report.more_faults:
        lines.append(f"  and {count_text(report.more_faults)} more")
    for note in report.notes:
        step = OF_NOTES.get(note.about)
        lines.append(safe(note.text) if step is None else f"{safe(note.text)}. {command.typed(step)}")
    lines += map(command.typed, sidecar_lines(report))
    faults = len(report.faults) + report.more_faults
    lines.append(f"{done}: {counted(faults, 'fault') if faults else 'clean'}")
    console.show(vault_document(report), *lines)
    return FAULTS_STATUS if report.faults else 0
