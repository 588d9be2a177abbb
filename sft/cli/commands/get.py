"""`sft get`: files, whole folders and patterns, each verified before it has its name here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from msgspec.structs import replace

from sft.cli.again import ReconnectingSession
from sft.cli.completing import files_here, folders_here, paths
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common
from sft.cli.progress import showing
from sft.cli.transfer_options import choosing
from sft.cli.transfer_report import TransferReport, resumption_document
from sft.client.api.tree import has_pattern
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, get_all
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.foresee import foresee_folders_here, foresee_get
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, GetPlan, plan_get
from sft.client.transfers.progress import Report, TransferStage
from sft.client.transfers.same import GetAsked
from sft.crypto.digests import digest_text
from sft.errors import NotFoundError, UsageError
from sft.model.names import safe
from sft.model.records import File
from sft.model.text import count_text, shell_line, shell_word, shown_name, size_text

EMPTY: Final = dict.fromkeys(
    ("local", "signature_file", "signed_as", "author", "version", "size", "digest", "log"), None
)


@click.command("get")
@click.argument("names", shell_complete=paths, nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--to", metavar="DIR", shell_complete=folders_here, help="The folder on this computer; this one, unless told."
)
@click.option(
    "--as",
    "as_file",
    metavar="FILE",
    shell_complete=files_here,
    help="The whole name here, for one file; - for standard output.",
)
@click.option("--version", type=click.IntRange(min=1), help="This version of one file; sft info NAME lists them.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--keep-both", is_flag=True, help="Keep what is there, and store beside it.")
@click.option("--with-signature", is_flag=True, help="Also write NAME.minisig.")
@choosing
@common
def command(
    invocation: Invocation,
    names: tuple[str, ...],
    to: str | None,
    as_file: str | None,
    version: int | None,
    *,
    force: bool,
    keep_both: bool,
    with_signature: bool,
    exclude: tuple[str, ...],
    dry_run: bool,
    jobs: int | None,
    limit: int | None,
) -> int:
    """Download files, whole folders or what fits a pattern; each is verified before it appears under its name."""
    if force and keep_both:
        raise UsageError(problem="--force and --keep-both contradict each other", remedy="Use one of them")
    to_output = as_file == "-"
    excludes = Excludes(exclude)
    _require_one_place(invocation, names, to, as_file)
    existing = ConflictPolicy.FORCE if force else ConflictPolicy.KEEP_BOTH if keep_both else ConflictPolicy.REFUSE

    async def fetch(session: Session) -> TransferReport:
        session.limit(limit)
        plan = await plan_get(session, names, version=version or 0, with_signature=with_signature, excludes=excludes)
        if version is not None or as_file is not None:
            _require_one_file(plan, "--version" if version is not None else "--as", newest=version is None)
        if as_file is not None:
            plan.items = [replace(item, parts=(Path(as_file).name,)) for item in plan.items]
        if to is None and as_file is None:
            _require_names_there(names, plan)
        whole = bool(plan.folders) or any(len(item.parts) > 1 for item in plan.items)
        outcome = TransferReport(invocation, "verified", "Not got", EMPTY, whole=whole and not dry_run, here="here")
        outcome.excluded = plan.excluded
        outcome.hint = _remark_on_name(names, plan)
        outcome.server = session.server_name
        for refused in plan.refused:
            outcome.failed(refused.name, refused.error)
        if dry_run:
            asked = GetAsked(place, existing, with_signature)
            for item, what in zip(plan.items, await foresee_get(session, plan.items, asked), strict=True):
                outcome.foreseen("get", item.path, item.path, what, item.size)
            for refused in await session.pool.run(foresee_folders_here, place, plan.folders):
                outcome.failed(refused.name, refused.error)
        elif plan.items or plan.folders:
            totals = [item.size for item in plan.items]

            unmade = await get_all(session, [], to=place, folders=plan.folders) if plan.folders else []
            outcome.empty_folders = _made(plan, unmade)

            async def move(session: Session, items: Sequence[GetItem], report: Report) -> list[GetResult]:
                return await get_all(
                    session,
                    items,
                    to=place,
                    existing=existing,
                    with_signature=with_signature,
                    keep_parts=not to_output,
                    jobs=jobs,
                    report=report,
                    on_unconfirmed=outcome.unconfirmed,
                )

            async with ReconnectingSession(invocation, session) as reconnecting:
                with showing(invocation, _title(names, plan.items), totals, keeps=not to_output) as shown:
                    results = await reconnecting.move(plan.items, move, shown.report)
            outcome.seconds = shown.seconds
            for result in results:
                add_result(outcome, result)
            for result in unmade:
                if result.error is not None:
                    outcome.failed(str(place.joinpath(*result.item.parts)), result.error)
            if to_output:
                _write_out(invocation, results)
        return outcome

    if dry_run:
        place = Path(to or ".") if as_file is None else Path(as_file).parent
        report = invocation.talk(fetch)
        return report.finish_dry(*_remarks(report), excluded=report.excluded)
    if not to_output:
        place = Path(to or ".") if as_file is None else Path(as_file).parent
        report = invocation.talk(fetch)
        return report.finish(*_remarks(report), excluded=report.excluded)
    from tempfile import TemporaryDirectory

    # Nobody reads a byte of it before all of it was verified.
    with TemporaryDirectory(prefix="sft-") as folder:
        place = Path(folder)
        return invocation.talk(fetch).finish_aside()


def _remarks(report: TransferReport) -> list[str]:
    return [f"{count_text(report.excluded)} excluded."] if report.excluded else []


def _require_one_place(invocation: Invocation, names: Sequence[str], to: str | None, as_file: str | None) -> None:
    if to == "-":
        raise UsageError(problem="--to names a folder", remedy="To standard output: --as -")
    if as_file is None:
        is_file = to and len(names) == 1 and not to.endswith("/") and not Path(to).exists()
        if to and is_file and Path(to).suffix and Path(to).suffix == Path(names[0]).suffix:
            quoted = shell_word(to)
            raise UsageError(
                problem=f"--to names a folder, and {safe(to)} looks like a file",
                remedy=f"The file: --as {quoted}; a folder of that name: --to {quoted}/",
            )
        return
    if to is not None or len(names) != 1 or has_pattern(names[0]):
        raise UsageError(problem="--as is for one file, and without --to", remedy="Several: --to DIR")
    if (as_file != "-" and not Path(as_file).name) or as_file.endswith("/"):
        raise UsageError(problem="--as names a file", remedy="A folder: --to DIR")
    if as_file == "-" and invocation.console.json:
        raise UsageError(problem="Standard output is either the file or --json", remedy="Use one of them")


def _made(plan: GetPlan, unmade: Sequence[GetResult]) -> list[str]:
    """Return the folders that were made for themselves, by their paths here."""
    failed = {result.item.parts for result in unmade}
    return ["/".join(parts) for parts in plan.folders if parts not in failed]


def _require_names_there(names: Sequence[str], plan: GetPlan) -> None:
    """Refuse a folder of this computer as the last word, as with cp and scp: it is not there, and ends in / or is here.

    A name of a file here is told beside what is done: the rest is got all the same.
    """
    *sources, last = names
    absent = {refused.name for refused in plan.refused if isinstance(refused.error, NotFoundError)}
    if not sources or absent != {last} or has_pattern(last):
        return
    if last.endswith("/") or Path(last).is_dir():
        raise UsageError(
            problem=f"{safe(last)} is not on the server; a folder here goes after --to",
            remedy=shell_line(["sft", "get", *sources, "--to", last]),
        )


def _remark_on_name(names: Sequence[str], plan: GetPlan) -> str:
    """Return what to type if the second of two names was meant as that of the file here; "" if it was not."""
    if len(names) != 2 or len(plan.items) != 1 or plan.folders or [each.name for each in plan.refused] != [names[1]]:  # noqa: PLR2004
        return ""
    return f"Meant as its name here? {shell_line(['sft', 'get', names[0], '--as', names[1]])}"


def _require_one_file(plan: GetPlan, option: str, *, newest: bool) -> None:
    if plan.folders or len(plan.items) > 1 or any(len(i.parts) > 1 or i.newest != newest for i in plan.items):
        raise UsageError(problem=f"{option} is for one file", remedy="Name that file")


def _write_out(invocation: Invocation, results: Sequence[GetResult]) -> None:
    for result in results:
        if result.local is not None:
            with result.local.open("rb") as file:
                invocation.console.write_file(file)


def _title(names: Sequence[str], items: Sequence[GetItem]) -> str:
    if len(items) == 1:
        return items[0].parts[-1]
    return names[0] if len(names) == 1 else f"{count_text(len(items))} files"


def add_result(report: TransferReport, result: GetResult) -> None:
    if result.error is not None:
        report.failed(result.item.path, result.error, path=result.item.path, resumption=result.resumption)
        return
    if result.file is None or result.local is None:
        raise TypeError("a get that did not fail has a file and a place")
    file, local, verdict = result.file, result.local, result.verdict
    if verdict is not None and verdict.moved_to is not None:
        report.moved(file.path, verdict)
    moved_bytes = file.version.size - result.resumption.resumed_bytes
    report.unchanged += result.stage is TransferStage.UNCHANGED
    report.done(
        lambda: _document(result, file, local),
        lambda: _row(result, file, local),
        0 if result.stage is TransferStage.UNCHANGED else moved_bytes,
    )


def _document(result: GetResult, file: File, local: Path) -> Document:
    version = file.version
    return {
        "source": file.path,
        "path": file.path,
        "result": result.stage.value,
        "local": str(local),
        "signature_file": None if result.signature is None else str(result.signature),
        "signed_as": version.signed_name,
        "author": version.author,
        "version": version.number,
        "size": version.size,
        "digest": digest_text(version.digest),
        "log": None if result.verdict is None else result.verdict.leaf,
        **resumption_document(result.resumption),
    }


def _row(result: GetResult, file: File, local: Path) -> list[str]:
    version, verdict = file.version, result.verdict
    row = [
        f"{result.stage.value:9} {safe(local_text(local))}",
        f"v{version.number}",
        size_text(version.size),
        f"signed by {shown_name(version.author)}",
    ]
    if verdict is not None and verdict.moved_to is not None:
        by = f", moved here by {shown_name(verdict.moved_by)}" if verdict.moved_by else ""
        row.append(f"as {shown_name(verdict.signed_name)}{by}")
    if verdict is not None and verdict.leaf is not None:
        row.append(f"log {count_text(verdict.leaf)}")
        row += [said.removesuffix(".") for said in verdict.said_of_key()]
    return row


def local_text(path: Path) -> str:
    """Return a path of this computer so that it is seen to be one."""
    text = str(path)
    return text if path.is_absolute() or text.startswith(".") or "/" in text else f"./{text}"
