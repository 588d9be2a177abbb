"""`sft resume`: what was not finished with this server: go on with it, list it, or forget it.

Rules. Each goes on as it was asked for, and is proved as by the same command again. What another process works on is left to
it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from sft.cli.again import ReconnectingSession, renumbered
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common
from sft.cli.progress import showing
from sft.cli.transfer_report import TransferReport, resumption_document
from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, PutResult, get_all, put_all
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import Report, TransferStage
from sft.client.transfers.unfinished import DownloadRecord, Records, UploadRecord, downloads_of, uploads_of
from sft.crypto.digests import digest_text
from sft.errors import SftError, UsageError
from sft.model.names import safe
from sft.model.text import count_text, day_text, part_text, size_text, utc_time

EMPTY: Final = dict.fromkeys(("direction", "version", "size", "digest"), None)

Unfinished = DownloadRecord | UploadRecord


@click.command("resume")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "only_list", is_flag=True, help="Show what is unfinished, and until when it is kept.")
@click.option("--drop", is_flag=True, help="Forget it, and delete what is here of it.")
@common
def command(invocation: Invocation, names: tuple[str, ...], *, only_list: bool, drop: bool) -> int:
    """Go on with every put and get that was cut off, or with those that are named by a path here or there, or lie below it."""
    if only_list and drop:
        raise UsageError(problem="--list and --drop contradict each other", remedy="Use one of them")
    profile = invocation.profile()
    server_id = profile.server_id
    downloads, uploads = downloads_of(invocation.state, server_id), uploads_of(invocation.state, server_id)
    for kind in (downloads, uploads):
        kind.drop_expired(invocation.now)
    found: list[Unfinished] = [*downloads.all(), *uploads.all()]
    chosen = _chosen(sorted(found, key=lambda record: record.saved_at), names)
    if drop:
        chosen = [record for record in chosen if _dropped(invocation, record)]
    if only_list or drop:
        _show(invocation, chosen, "Forgotten" if drop else "Unfinished")
        return 0
    report = TransferReport(invocation, "moved", "Not moved", EMPTY, whole=False)
    report.server = profile.server_name
    free = [record for record in chosen if not _is_busy(invocation, record)]
    if len(free) < len(chosen):
        invocation.console.note(f"{count_text(len(chosen) - len(free))} at work in another sft.")
    if not free:
        invocation.console.note("Nothing to go on with.")
        return report.finish()

    async def go_on(session: Session) -> None:
        async with ReconnectingSession(invocation, session) as reconnecting:
            with showing(invocation, _title(free), [record.size for record in free]) as shown:
                for number, record in enumerate(free):
                    await _one(invocation, reconnecting, record, report, renumbered(shown.report, [number]))
            report.seconds = shown.seconds

    invocation.talk(go_on)
    return report.finish()


def _chosen(found: Sequence[Unfinished], names: Sequence[str]) -> list[Unfinished]:
    if not names:
        return list(found)
    chosen: dict[str, Unfinished] = {}
    for name in names:
        there, here = unicodedata.normalize("NFC", name.strip("/")), os.path.abspath(name)  # noqa: PTH100 - also of ..
        fits = [
            record for record in found if _is_at(record.path, there) or _is_at(os.path.normpath(record.local), here)
        ]
        if not fits:
            raise UsageError(problem=f"Nothing unfinished is called {safe(name)}", remedy="See: sft resume --list")
        chosen |= {record.id: record for record in fits}
    return list(chosen.values())


def _is_at(path: str, name: str) -> bool:
    """Whether a name is a path's, or that of a folder above it."""
    return bool(name) and (path == name or path.startswith(f"{name}/"))


def _records_of(invocation: Invocation, record: Unfinished) -> Records[Any]:
    of = downloads_of if isinstance(record, DownloadRecord) else uploads_of
    return of(invocation.state, record.server_id)


def _dropped(invocation: Invocation, record: Unfinished) -> bool:
    return _records_of(invocation, record).drop(record)


def _is_busy(invocation: Invocation, record: Unfinished) -> bool:
    held = _records_of(invocation, record).hold(record)
    if held is not None:
        held.let_go()
    return held is None


def _show(invocation: Invocation, records: Sequence[Unfinished], word: str) -> None:
    console, now = invocation.console, invocation.now
    if console.json:
        console.document([_document(record) for record in records])
        return
    rows = [
        [
            _direction(record),
            safe(record.path),
            f"{100 * record.done // record.size} %",
            part_text(record.done, record.size),
            f"until {day_text(record.expires_at, now)}",
            safe(record.local),
        ]
        for record in records
    ]
    fields = [
        [
            _direction(record),
            safe(record.path),
            str(record.done),
            str(record.size),
            utc_time(record.expires_at),
            safe(record.local),
        ]
        for record in records
    ]
    head = ("", "path", "done", "of", "until", "here") if rows else ()
    console.table(rows, head=head, fields=fields)
    if not rows:
        console.note(f"{word}: nothing.")


def _document(record: Unfinished) -> Document:
    return {
        "direction": _direction(record),
        "path": record.path,
        "local": record.local,
        "version": record.version,
        "size": record.size,
        "done_bytes": record.done,
        "kept_until": utc_time(record.expires_at),
    }


def _direction(record: Unfinished) -> str:
    return "get" if isinstance(record, DownloadRecord) else "put"


def _title(records: Sequence[Unfinished]) -> str:
    return Path(records[0].local).name if len(records) == 1 else f"{count_text(len(records))} files"


async def _one(
    invocation: Invocation, reconnecting: ReconnectingSession, record: Unfinished, report: TransferReport, shown: Report
) -> None:
    try:
        if isinstance(record, DownloadRecord):
            result: GetResult | PutResult = await _get(reconnecting, record, shown)
        else:
            result = await _put(reconnecting, record, shown)
    except SftError as error:
        report.failed(record.local, error, path=record.path, direction=_direction(record))
        return
    moved = result.resumption
    if result.error is not None:
        report.failed(record.local, result.error, path=record.path, resumption=moved, direction=_direction(record))
        return
    version, size, digest = _now(result)
    if isinstance(record, UploadRecord) and size != record.size:
        # Perhaps so small now that it went whole, and nobody looked for what had begun.
        invocation.console.note(f"{safe(record.local)} has changed since: it was sent from its beginning.")
        _dropped(invocation, record)
    document = {
        "direction": _direction(record),
        "source": record.local,
        "path": record.path,
        "result": result.stage.value,
        "version": version,
        "size": size,
        "digest": digest_text(digest),
        **resumption_document(moved),
    }
    row = [f"{result.stage.value:9} {safe(record.path)}", f"v{version}", size_text(size)]
    report.done(lambda: document, lambda: row, 0 if result.stage is TransferStage.UNCHANGED else size)


def _now(result: GetResult | PutResult) -> tuple[int, int, bytes]:
    """Return version, size and digest of what was moved."""
    if isinstance(result, PutResult) and result.stored is not None:
        return result.stored.version, result.stored.size, result.stored.digest
    if isinstance(result, GetResult) and result.file is not None:
        version = result.file.version
        return version.number, version.size, version.digest
    raise TypeError("what did not fail has moved")


async def _get(reconnecting: ReconnectingSession, record: DownloadRecord, shown: Report) -> GetResult:
    file = await show_file(reconnecting.session, record.path, 0 if record.newest else record.version)
    local, version = Path(record.local), file.version
    item = GetItem(
        file.path, (local.name,), version.size, version.number, version.digest, file.id, newest=record.newest,
        author=version.author, dated_at=version.dated_at, replaces=record.replaces,
    )  # fmt: skip

    async def move(session: Session, items: Sequence[GetItem], report: Report) -> list[GetResult]:
        return await get_all(
            session, items, to=local.parent, existing=record.existing, with_signature=record.with_signature,
            report=report,
        )  # fmt: skip

    (result,) = await reconnecting.move([item], move, shown)
    return result


async def _put(reconnecting: ReconnectingSession, record: UploadRecord, shown: Report) -> PutResult:
    item = PutItem(Path(record.local), record.path, record.size, replaces=record.replaces)

    async def move(session: Session, items: Sequence[PutItem], report: Report) -> list[PutResult]:
        return await put_all(session, items, replace=record.replace, if_version=record.if_version, report=report)

    (result,) = await reconnecting.move([item], move, shown)
    return result
