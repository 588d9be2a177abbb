"""`sft put`: store files, folders or standard input.

Rules. What cannot be stored is known before the first byte moves, where that can be known, and never keeps the rest from being
stored. The same bytes again by the same author are there already: a retry is no conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.options import common, pass_invocation
from sft.cli.progress import showing
from sft.cli.transfer_report import TransferReport
from sft.client.api.files import make_folder
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, put_all
from sft.client.transfers.plan import PutPlan, plan_put
from sft.client.transfers.progress import TransferStage
from sft.crypto.digests import digest_text
from sft.errors import SftError, UsageError
from sft.model.names import safe
from sft.model.text import count_text, duration_text, rate_text, size_text


@click.command("put")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--to", metavar="FOLDER", default="", help="The folder on the server to store in.")
@click.option("--as", "as_path", metavar="PATH", help="The whole path on the server, for one file.")
@click.option("--replace", is_flag=True, help="Store a new version of what is there.")
@click.option(
    "--if-version", type=click.IntRange(min=1), metavar="N", help="Replace version N, no other."
)
@click.option("--safe-names", is_flag=True, help="Store a:b.txt as a_b.txt.")
@common
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    to: str,
    as_path: str | None,
    if_version: int | None,
    *,
    replace: bool,
    safe_names: bool,
) -> int:
    """Store files, folders (whole), or - for standard input (with --as)."""
    if as_path is not None and (to or len(paths) > 1):
        raise UsageError(problem="--as names one file, whole", remedy="Use --to FOLDER for several")
    if replace and if_version is not None:
        raise UsageError(problem="--if-version replaces already", remedy="Leave out --replace")
    plan = plan_put(paths, to=to, as_path=as_path, safe_names=safe_names)
    whole = bool(plan.folders) or len(plan.items) + len(plan.refused) != len(paths)
    outcome = _Put(invocation, plan, paths, whole=whole)
    for refused in plan.refused:
        outcome.refused(refused.name, refused.error)
    if plan.items or plan.folders:
        invocation.talk(
            lambda session: _store(session, outcome, replace=replace, if_version=if_version)
        )
    return outcome.told()


async def _store(session: Session, outcome: _Put, *, replace: bool, if_version: int | None) -> None:
    plan = outcome.plan
    outcome.server = session.server_name
    for folder in plan.folders:
        try:
            await make_folder(session, folder)
        except SftError as error:
            outcome.refused(folder, error)
    totals = [item.size for item in plan.items]
    with showing(outcome.invocation, outcome.title, totals) as shown:
        results = await put_all(
            session, plan.items, replace=replace, if_version=if_version, report=shown.report
        )
    outcome.seconds = shown.seconds
    for result in results:
        outcome.add(result)


class _Put(TransferReport):
    """What became of a put."""

    done_word = "stored"
    undone = "Not stored"

    def __init__(
        self, invocation: Invocation, plan: PutPlan, paths: Sequence[str], *, whole: bool
    ) -> None:
        super().__init__(invocation, whole=whole)
        self._paths = paths
        self.plan = plan
        self.unchanged = 0

    @property
    def title(self) -> str:
        """Name what is moved."""
        items = self.plan.items
        if len(items) == 1:
            return items[0].path.rpartition("/")[2]
        if len(self._paths) == 1:
            return Path(self._paths[0]).resolve().name
        return f"{count_text(len(items))} files"

    def add(self, result: PutResult) -> None:
        """Take the result of one item."""
        source = "-" if result.item.source is None else str(result.item.source)
        if result.error is not None:
            self.failed(source, result.error, path=result.item.path)
            return
        stored = result.stored
        if stored is None:
            raise TypeError("a put that did not fail stored something")
        unchanged = result.stage is TransferStage.UNCHANGED
        self.unchanged += unchanged
        document: Document = {
            "source": source,
            "path": stored.path,
            "result": result.stage.value,
            "version": stored.version,
            "size": stored.size,
            "digest": digest_text(stored.digest),
            "log": None,
            "receipt": None if result.receipt is None else str(result.receipt),
            "error": None,
        }
        row = [f"{result.stage.value:9} {safe(stored.path)} ", f"v{stored.version}"]
        if not unchanged:
            size, seconds = stored.size, result.seconds
            row += [size_text(size), duration_text(seconds)]
            row += [rate_text(size, seconds)] if size else []
            row += [] if result.receipt else ["(no room here for its receipt)"]
        self.done(document, row, 0 if unchanged else stored.size)

    def remarks(self) -> list[str]:
        """Say what was left out on purpose."""
        plan = self.plan
        said = []
        if self.unchanged:
            said.append(f"{count_text(self.unchanged)} there already.")
        if plan.links_skipped:
            noun = "link" if plan.links_skipped == 1 else "links"
            said.append(f"{count_text(plan.links_skipped)} {noun} skipped.")
        if plan.others_skipped:
            said.append(f"{count_text(plan.others_skipped)} sockets and devices skipped.")
        return said

    def more(self) -> dict[str, Any]:
        """Give the document's own fields."""
        return {
            "links_skipped": self.plan.links_skipped,
            "others_skipped": self.plan.others_skipped,
        }
