"""`sft get`: files, whole folders and patterns, each verified before it has its name here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.cli.progress import showing
from sft.cli.transfer_report import TransferReport
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, get_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, plan_get
from sft.crypto.digests import digest_text
from sft.errors import UsageError
from sft.model.names import safe
from sft.model.text import count_text, shown_name, size_text

EMPTY: Final = dict.fromkeys(("local", "signature_file", "signed_as", "author", "version", "size", "digest"), None)


@click.command("get")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--to", metavar="DIR", default=".", help="The folder on this computer; this one, unless told.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--keep-both", is_flag=True, help="Keep what is there, and store beside it.")
@click.option("--with-signature", is_flag=True, help="Also write NAME.minisig.")
@click.option("--accept-moved", is_flag=True, help="Also what was signed under another name; a script has to say so.")
@common
def command(
    invocation: Invocation,
    names: tuple[str, ...],
    to: str,
    *,
    force: bool,
    keep_both: bool,
    with_signature: bool,
    accept_moved: bool,
) -> int:
    """Get files, folders (whole) or what fits a pattern, verified."""
    if force and keep_both:
        raise UsageError(problem="--force and --keep-both contradict each other", remedy="Use one of them")
    existing = ConflictPolicy.FORCE if force else ConflictPolicy.KEEP_BOTH if keep_both else ConflictPolicy.REFUSE

    # A person sees what was moved and judges it; a script says beforehand that it is all the same to it.
    accept_moved = accept_moved or (invocation.on_terminal and not invocation.console.json)

    async def fetch(session: Session) -> TransferReport:
        plan = await plan_get(session, names, with_signature=with_signature)
        whole = bool(plan.folders) or any(len(item.parts) > 1 for item in plan.items)
        outcome = TransferReport(invocation, "verified", "Not got", EMPTY, whole=whole)
        outcome.server = session.server_name
        for refused in plan.refused:
            outcome.failed(refused.name, refused.error)
        if plan.items or plan.folders:
            totals = [item.size for item in plan.items]
            with showing(invocation, _title(names, plan.items), totals) as shown:
                results = await get_all(
                    session,
                    plan.items,
                    to=Path(to),
                    folders=plan.folders,
                    existing=existing,
                    with_signature=with_signature,
                    accept_moved=accept_moved,
                    report=shown.report,
                )
            outcome.seconds = shown.seconds
            for result in results:
                add_result(outcome, result)
        return outcome

    return invocation.talk(fetch).finish()


def _title(names: Sequence[str], items: Sequence[GetItem]) -> str:
    if len(items) == 1:
        return items[0].parts[-1]
    return names[0] if len(names) == 1 else f"{count_text(len(items))} files"


def add_result(report: TransferReport, result: GetResult) -> None:
    if result.error is not None:
        report.failed(result.item.path, result.error, path=result.item.path)
        return
    if result.file is None or result.verdict is None or result.local is None:
        raise TypeError("a get that did not fail has a file, a verdict and a place")
    file, version = result.file, result.file.version
    document = {
        "source": file.path,
        "path": file.path,
        "result": result.stage.value,
        "local": str(result.local),
        "signature_file": None if result.signature is None else str(result.signature),
        "signed_as": version.signed_name,
        "author": version.author,
        "version": version.number,
        "size": version.size,
        "digest": digest_text(version.digest),
    }
    row = [
        f"{result.stage.value:9} {safe(local_text(result.local))}",
        f"v{version.number}",
        size_text(version.size),
        f"signed by {shown_name(version.author)}",
    ]
    if result.verdict.moved_to is not None:
        row.append(f"as {shown_name(result.verdict.signed_name)}")
        report.moved(file.path, result.verdict)
    report.done(document, row, version.size)


def local_text(path: Path) -> str:
    """Return a path of this computer so that it is seen to be one."""
    text = str(path)
    return text if path.is_absolute() or text.startswith(".") or "/" in text else f"./{text}"
