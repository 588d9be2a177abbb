"""`sft put`: store files, folders or standard input.

Rules. What cannot be stored is known before the first byte moves, where that can be known, and never keeps the rest from being
stored. The same bytes again by the same author are there already: a retry is no conflict.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from sft.cli.again import ReconnectingSession
from sft.cli.completing import files_here
from sft.cli.completing import folders as folders_there
from sft.cli.expiry import expiry_option, expiry_text
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common
from sft.cli.progress import showing
from sft.cli.transfer_options import choosing
from sft.cli.transfer_report import TransferReport, resumption_document, skipped_documents
from sft.client.api.files import list_page, make_folder, show_file
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, put_all
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.expiries import set_expiries
from sft.client.transfers.foresee import foresee_folders_there, foresee_put
from sft.client.transfers.plan import PutItem, PutPlan, plan_put
from sft.client.transfers.progress import Report, TransferStage
from sft.crypto.digests import digest_text
from sft.errors import (
    FolderInTheWayError,
    NameNotAllowedError,
    NotFoundError,
    PinChangedError,
    SftError,
    SignerUnknownError,
    UsageError,
)
from sft.model.names import parse_path, safe
from sft.model.records import Stored
from sft.model.text import count_text, duration_text, local_time, rate_text, sentence, shell_line, size_text, utc_time

EMPTY: Final = dict.fromkeys(("version", "size", "digest", "log", "receipt", "expires_at", "expiry_error"), None)


@click.command("put")
@click.argument("paths", shell_complete=files_here, nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--to", metavar="FOLDER", shell_complete=folders_there, default="", help="The folder on the server to store in."
)
@click.option(
    "--as", "as_path", metavar="PATH", shell_complete=folders_there, help="The whole path on the server, for one file."
)
@click.option("--replace", is_flag=True, help="Store a new version of what is there.")
@click.option(
    "--if-version", type=click.IntRange(min=1), metavar="N", help="Replace version N, no other, whoever signed it."
)
@click.option(
    "--expires", callback=expiry_option, metavar="7d", help="Have them go to the trash by themselves after 12h, 7d, 2w."
)
@click.option("--safe-names", is_flag=True, help="Store a:b.txt as a_b.txt.")
@choosing
@common
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    to: str,
    as_path: str | None,
    if_version: int | None,
    expires: int | None,
    *,
    replace: bool,
    safe_names: bool,
    exclude: tuple[str, ...],
    dry_run: bool,
    jobs: int | None,
    limit: int | None,
) -> int:
    """Upload files, whole folders, or standard input (-, with --as).

    Links, sockets and devices in folders are named, stay behind, and make the status 1; what --exclude fits does not.
    """
    if as_path is not None and (to or len(paths) > 1):
        raise UsageError(problem="--as names one file, whole", remedy="Use --to FOLDER for several")
    if as_path is not None and as_path.endswith("/") and not Path(paths[0]).is_dir():
        raise UsageError(problem="--as names a file, and that ends in /", remedy="Into a folder: --to FOLDER")
    _require_sources(paths, to=to, as_path=as_path)
    as_for_cp = as_path is None and _ends_as_for_cp(paths, to=to)
    replace = replace and if_version is None  # which replaces that version and no other
    plan = plan_put(
        paths, to=to, as_path=as_path, safe_names=safe_names, excludes=Excludes(exclude), own=invocation.state.data
    )
    whole = bool(plan.folders) or len(plan.items) + len(plan.refused) != len(paths)
    report = TransferReport(invocation, "stored", "Not stored", EMPTY, whole=whole and not dry_run)
    report.skipped = plan.skipped
    for refused in plan.refused:
        report.failed(refused.name, refused.error)
    results: list[PutResult] = []

    async def store(session: Session) -> None:
        nonlocal results
        await _require_no_folder_there(session, paths, plan, to=to)
        report.hint = await _remark_on_folder(session, paths) if as_for_cp else ""
        report.server = session.server_name
        session.limit(limit)
        for folder in plan.folders:
            try:
                await make_folder(session, folder)
            except SftError as error:
                report.failed(folder, error)
            else:
                report.empty_folders.append(folder)
        totals = [item.size for item in plan.items]

        async def move(session: Session, items: Sequence[PutItem], report: Report) -> list[PutResult]:
            return await put_all(session, items, replace=replace, if_version=if_version, jobs=jobs, report=report)

        async with ReconnectingSession(invocation, session) as reconnecting:
            with showing(invocation, _title(paths, plan.items), totals) as shown:
                results = await reconnecting.move(plan.items, move, shown.report)
            report.seconds = shown.seconds
            if replace and invocation.prompts.possible and reconnecting.session.alive:
                results = await ask_of_unknown(reconnecting.session, results, invocation.prompts.agrees, invocation.now)
        await _take_results(report, reconnecting.session, results, expires)

    async def foresee(session: Session) -> None:
        await _require_no_folder_there(session, paths, plan, to=to)
        report.hint = await _remark_on_folder(session, paths) if as_for_cp else ""
        report.server = session.server_name
        foreseen = await foresee_put(session, plan.items, replace=replace, if_version=if_version)
        for item, what in zip(plan.items, foreseen, strict=True):
            source = "-" if item.source is None else str(item.source)
            report.foreseen("store", source, item.path, what, item.size)
        for refused in await foresee_folders_there(session, plan.folders):
            report.failed(refused.name, refused.error)

    if plan.items or plan.folders:
        invocation.talk(foresee if dry_run else store)
    more = {"skipped": skipped_documents(plan.skipped), "excluded": plan.excluded}
    if dry_run:
        return report.finish_dry(*remarks(plan, []), **more)
    until = [f"There {_until(report.expires_at, invocation.now)}."] if report.expires_at else []
    return report.finish(*remarks(plan, results), *until, **more)


async def _take_results(
    report: TransferReport, session: Session, results: Sequence[PutResult], expires: int | None
) -> None:
    """Have what is there expire, if it is to; then report what became of everything."""
    refused: dict[str, SftError] = {}
    expires_at = None if expires is None else int(report.invocation.now) + expires
    if expires is not None:
        stored = [result.stored.path for result in results if result.stored is not None]
        refused = dict(await set_expiries(session, stored, expires_at))
    for result in results:
        expiring = result.stored is not None and result.stored.path not in refused
        add_result(report, result, expires_at if expiring else None)
        report.expires_at = expires_at if expiring else report.expires_at
    for path, refusal in refused.items():
        report.unexpiring(path, refusal, next_step=_expire_line(path, expires or 0))


def _require_sources(paths: Sequence[str], *, to: str, as_path: str | None) -> None:
    """Refuse a folder of the server as the last word, as with cp and scp: it ends in / and is not here."""
    *sources, last = paths
    if sources and not to and as_path is None and last.endswith("/") and not os.path.lexists(last):
        raise _meant_as_target(sources, last)


async def _require_no_folder_there(session: Session, paths: Sequence[str], plan: PutPlan, *, to: str) -> None:
    """Refuse as ``_require_sources`` what is not here, and is a folder there; before anything is stored."""
    *sources, last = paths
    if not sources or to or last not in {refused.name for refused in plan.refused}:
        return
    with contextlib.suppress(NameNotAllowedError, NotFoundError, FolderInTheWayError):
        await list_page(session, parse_path(last), "")
        raise _meant_as_target(sources, last)


def _ends_as_for_cp(paths: Sequence[str], *, to: str) -> bool:
    """Say whether cp and scp would take the last word for the target: it ends in /, and files stand before it."""
    *sources, last = paths
    return bool(sources) and not to and last.endswith("/") and not any(Path(source).is_dir() for source in sources)


async def _remark_on_folder(session: Session, paths: Sequence[str]) -> str:
    """Return what to type if the last word was meant as the folder of that name there; "" where there is none.

    It is here too, so it is stored beside the files before it, as was asked for.
    """
    *sources, last = paths
    with contextlib.suppress(NameNotAllowedError, NotFoundError, FolderInTheWayError):
        await list_page(session, parse_path(last.rstrip("/")), "")
        return f"Meant as the folder there? {_into(sources, last)}"
    return ""


def _meant_as_target(sources: Sequence[str], last: str) -> UsageError:
    return UsageError(
        problem=f"{safe(last)} is not here; a folder of the server goes after --to", remedy=_into(sources, last)
    )


def _expire_line(path: str, seconds: int) -> str:
    return shell_line(["sft", "expire", path, "--in", expiry_text(seconds)])


def _into(sources: Sequence[str], last: str) -> str:
    return shell_line(["sft", "put", *sources, "--to", last.strip("/")])


async def ask_of_unknown(
    session: Session, results: Sequence[PutResult], agrees: Callable[[str], bool], now: float
) -> list[PutResult]:
    """Ask about each version that nobody can be held to whether it is replaced all the same, and replace those."""
    decided = []
    for result in results:
        outcome = result
        # What came from a pipe is read once.
        if result.item.source is not None and isinstance(result.error, (SignerUnknownError, PinChangedError)):
            version = (await show_file(session, result.item.path)).version.number
            if agrees(f"{sentence(result.error, now=now)} Replace version {version} all the same?"):
                (outcome,) = await put_all(session, [result.item], if_version=version)
        decided.append(outcome)
    return decided


def _title(paths: Sequence[str], items: Sequence[PutItem]) -> str:
    if len(items) == 1:
        return items[0].path.rpartition("/")[2]
    return Path(paths[0]).resolve().name if len(paths) == 1 else f"{count_text(len(items))} files"


def add_result(report: TransferReport, result: PutResult, expires_at: int | None = None) -> None:
    """Take what became of an item.

    Args:
        expires_at: what its expiry was set to, that of unchanged content too; None where none was.
    """
    source = "-" if result.item.source is None else str(result.item.source)
    if result.error is not None:
        report.failed(source, result.error, path=result.item.path, resumption=result.resumption)
        return
    stored = result.stored
    if stored is None:
        raise TypeError("a put that did not fail stored something")
    size = 0 if result.stage is TransferStage.UNCHANGED else stored.size
    report.unchanged += result.stage is TransferStage.UNCHANGED
    report.done(
        lambda: {
            **_document(source, result, stored),
            "expires_at": None if expires_at is None else utc_time(expires_at),
        },
        lambda: [*_row(result, stored), *([] if expires_at is None else [_until(expires_at, report.invocation.now)])],
        size,
    )


def _document(source: str, result: PutResult, stored: Stored) -> Document:
    return {
        "source": source,
        "path": stored.path,
        "result": result.stage.value,
        "version": stored.version,
        "size": stored.size,
        "digest": digest_text(stored.digest),
        "log": result.leaf,
        "receipt": None if result.receipt is None else str(result.receipt),
        **resumption_document(result.resumption),
    }


def _until(expires_at: int, now: float) -> str:
    return f"until {local_time(expires_at, now=now)}"


def _row(result: PutResult, stored: Stored) -> list[str]:
    row = [f"{result.stage.value:9} {safe(stored.path)} ", f"v{stored.version}"]
    if result.stage is TransferStage.UNCHANGED:
        return row
    size, seconds = stored.size, result.seconds
    row += [size_text(size), duration_text(seconds)]
    row += [rate_text(size - result.resumption.resumed_bytes, seconds)] if size else []
    row += [] if result.leaf is None else [f"log {count_text(result.leaf)}"]
    return row + ([] if result.receipt else ["(no room here for its receipt)"])


def remarks(plan: PutPlan, results: Sequence[PutResult]) -> list[str]:
    """Return what there is to say of what was not stored, on purpose, and of what has no receipt here."""
    bare = sum(result.stage is TransferStage.STORED and result.receipt is None for result in results)
    said = []
    if plan.excluded:
        said.append(f"{count_text(plan.excluded)} excluded.")
    if bare:
        said.append(f"No room here for {count_text(bare)} {'receipt' if bare == 1 else 'receipts'}.")
    return said
