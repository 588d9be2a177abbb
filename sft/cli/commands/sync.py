"""`sft sync`: make a folder of the server like one of this computer, or the other way round.

Rules. The source comes first, the colon marks the server's side. Only what differs moves. Nothing is deleted unless --delete
says so, a person agrees or --yes does, the number is within --max-delete, and all could be listed and named. What stands in the
way of something that comes goes first, the rest last, once everything went well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from sft.cli.addresses import Addresses, choose_server, parse_addresses, require_folder
from sft.cli.again import ReconnectingSession, renumbered
from sft.cli.invocation import Invocation
from sft.cli.options import common
from sft.cli.progress import showing
from sft.cli.sync_report import SyncReport
from sft.cli.transfer_options import choosing
from sft.client.session import Session
from sft.client.transfers.batch import GetResult, PutResult, get_all, put_all
from sft.client.transfers.compare import Surplus
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.foresee import Foreseen, foresee_folders_there, foresee_get, foresee_put
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import Report, TransferStage
from sft.client.transfers.same import GetAsked, Step
from sft.client.transfers.sync import Item, SyncOptions, SyncPlan, make_here, make_there, plan_down, plan_up
from sft.client.transfers.sync_delete import delete_here, delete_there
from sft.client.transfers.there_already import There
from sft.errors import SftError, TooManyDeletionsError, UsageError
from sft.model.names import join_path, safe
from sft.model.text import count_text, counted, size_text

MAX_DELETE: Final = 100  # a slip deletes no more; whoever means more says so
_SHOWN: Final = 10  # of what is to be deleted, in a question


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the options say."""

    addresses: Addresses
    options: SyncOptions
    max_delete: int | None
    yes: bool
    dry_run: bool
    jobs: int | None


@click.command("sync")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option(
    "--delete", is_flag=True, help="Delete at the target what the source has not; on the server it can be restored."
)
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option(
    "--max-delete",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Do nothing at all where more would be deleted, with status 5, of --dry-run too: {MAX_DELETE} unless told, none "
    "where the source holds no file.",
)
@click.option("--update", is_flag=True, help="Leave alone what is newer at the target.")
@click.option("--checksum", is_flag=True, help="Compare files of one size by content, whatever their dates.")
@choosing
@common
def command(
    invocation: Invocation,
    source: str,
    target: str,
    max_delete: int | None,
    *,
    delete: bool,
    yes: bool,
    update: bool,
    checksum: bool,
    exclude: tuple[str, ...],
    dry_run: bool,
    jobs: int | None,
    limit: int | None,
) -> int:
    """Make the folder TARGET like the folder SOURCE: what differs goes, nothing else does.

    One of them is the server's and has a colon: sft sync photos :finance/photos, or sft sync acme:finance/photos photos. Files
    are the same if size and date are, or size and content. What differs at the target is replaced: on the server the version
    before stays, here it does not. A renamed file is a new one. A file takes the place of a folder, or a folder that of a file,
    with --delete alone.
    """
    addresses = parse_addresses(source, target, "sft sync")
    choose_server(invocation, addresses.profile)
    if (yes or max_delete is not None) and not delete:
        raise UsageError(problem="--yes and --max-delete are about --delete", remedy="Add --delete, or leave them out")
    if delete and not (yes or dry_run or invocation.prompts.possible):
        raise UsageError(
            problem="Deleting is asked about first, and there is no terminal to ask on",
            remedy="The same command with --yes",
        )
    if addresses.up or os.path.lexists(addresses.local):
        require_folder(addresses.local)
    options = SyncOptions(Excludes(exclude), read_all=checksum, update=update, delete=delete)
    wish = _Wish(addresses, options, max_delete, yes, dry_run, jobs)
    report = SyncReport(invocation, up=addresses.up, dry_run=dry_run)

    async def sync(session: Session) -> Sequence[str]:
        report.server = session.server_name
        session.limit(limit)
        way = _up if addresses.up else _down
        return await way(invocation, session, report, wish)

    return report.finish(*invocation.talk(sync))


async def _up(invocation: Invocation, session: Session, report: SyncReport, wish: _Wish) -> Sequence[str]:
    top, base = wish.addresses.local, wish.addresses.folder
    plan = await plan_up(session, top, base, wish.options, _reading(invocation))
    _begin(invocation, report, plan, wish)
    if wish.dry_run:
        there = None
        if plan.target_exists:
            there = There()
            there.add([*plan.there.values()])
        else:  # something may be in its way
            plan.refused += await foresee_folders_there(session, plan.folders)
        free, behind = _by_place(plan)
        meant = [*free, *plan.replaced]
        for put, foreseen in zip(meant, await foresee_put(session, meant, there=there), strict=True):
            _foreseen(report, put, foreseen, "would store", str(put.source))
        for item in behind:
            report.changed("would store", item.path, str(item.source), size=item.size)
        return _foresee_deletions(report, plan)
    await _delete(session, report, plan, plan.first, delete_there)
    await make_there(session, plan)
    items = [*plan.fresh, *plan.replaced]

    async def move(session: Session, items: Sequence[PutItem], report: Report) -> list[PutResult]:
        return await put_all(session, items, jobs=wish.jobs, report=report)

    async with ReconnectingSession(invocation, session) as reconnecting:
        with showing(invocation, _title(wish), [item.size for item in items]) as shown:
            results = await reconnecting.move(items, move, shown.report)
        report.seconds = shown.seconds
        for result in results:
            _stored(report, result)
        return await _delete_rest(reconnecting.session, report, plan, delete_there)


async def _down(invocation: Invocation, session: Session, report: SyncReport, wish: _Wish) -> Sequence[str]:
    top, base = wish.addresses.local, wish.addresses.folder
    plan = await plan_down(session, base, top, wish.options, _reading(invocation))
    _begin(invocation, report, plan, wish)
    if wish.dry_run:
        free, behind = _by_place(plan)
        for fetched, existing in ((free, ConflictPolicy.REFUSE), (plan.replaced, ConflictPolicy.FORCE)):
            asked = GetAsked(top, existing)
            for get, foreseen in zip(fetched, await foresee_get(session, fetched, asked), strict=True):
                _foreseen(report, get, foreseen, "would get", str(asked.local(get)))
        for item in behind:
            report.changed("would get", item.path, str(top.joinpath(*item.parts)), size=item.size)
        return _foresee_deletions(report, plan)
    await _delete(session, report, plan, plan.first, delete_here)
    await session.pool.run(make_here, plan)
    totals = [item.size for item in [*plan.fresh, *plan.replaced]]
    async with ReconnectingSession(invocation, session) as reconnecting:
        with showing(invocation, _title(wish), totals) as shown:
            first = 0
            for items, existing, word in (
                (plan.fresh, ConflictPolicy.REFUSE, "got"),
                (plan.replaced, ConflictPolicy.FORCE, "replaced"),
            ):
                move = partial(_get, wish, existing)
                results = await reconnecting.move(
                    items, move, renumbered(shown.report, range(first, first + len(items)))
                )
                first += len(items)
                for result in results:
                    _got(report, result, word, top)
        report.seconds = shown.seconds
        return await _delete_rest(reconnecting.session, report, plan, delete_here)


async def _get(
    wish: _Wish, existing: ConflictPolicy, session: Session, items: Sequence[GetItem], report: Report
) -> list[GetResult]:
    return await get_all(
        session, items, to=wish.addresses.local, existing=existing, jobs=wish.jobs,
        report=report,
    )  # fmt: skip


def _begin(invocation: Invocation, report: SyncReport, plan: SyncPlan[Any], wish: _Wish) -> None:
    """Say what cannot go, and have what is to be deleted agreed to, before anything is done."""
    report.same, report.newer = plan.same, plan.newer
    report.skipped, report.excluded = plan.skipped, plan.excluded
    count = len(plan.surplus)
    if not count or plan.refused:
        return
    limit = wish.max_delete
    if limit is None:
        limit = MAX_DELETE if plan.source_files else 0
    if count > limit:
        refusal = TooManyDeletionsError(count=count, limit=limit, wanted=str(count))
        if not wish.dry_run:
            raise refusal
        report.refuse(refusal)
    elif not (wish.yes or wish.dry_run):
        paths = [*plan.surplus.files, *plan.surplus.folders]
        named = "".join(f"\n  {safe(path)}" for path in paths[:_SHOWN])
        more = f"\n  and {count_text(count - _SHOWN)} more" if count > _SHOWN else ""
        where = f"on {safe(report.server)}, to the trash" if wish.addresses.up else "here, for good"
        invocation.prompts.require_agreement(
            f"To be deleted {where}:{named}{more}\nDelete {count_text(count)}?", otherwise="Nothing was done."
        )


async def _delete_rest(
    session: Session, report: SyncReport, plan: SyncPlan[Any], act: Callable[..., Any]
) -> Sequence[str]:
    """Delete what stood in nothing's way, if everything before went well; say so if not."""
    for refused in plan.refused:
        report.failed(None, refused.name, refused.error)
    rest = plan.surplus.without(plan.first)
    if not rest:
        return ()
    if not report.all_went:
        more = "more " if plan.first else ""
        return [f"Nothing {more}was deleted, for not everything went."]
    await _delete(session, report, plan, rest, act)
    return ()


async def _delete(
    session: Session, report: SyncReport, plan: SyncPlan[Any], surplus: Surplus, act: Callable[..., Any]
) -> None:
    def done(below: str, error: SftError | None) -> None:
        path, local = join_path(plan.base, below), str(plan.top / below)
        if error is None:
            report.changed("deleted", path, local)
        else:
            report.failed(path, local, error)

    await act(session, plan, surplus, done)


def _foresee_deletions(report: SyncReport, plan: SyncPlan[Any]) -> Sequence[str]:
    """Foresee what ``_delete`` and ``_delete_rest`` do, after everything else was foreseen."""
    for refused in plan.refused:
        report.failed(None, refused.name, refused.error)
    goes = plan.surplus if report.all_went else plan.first
    for below in (*goes.files, *goes.folders):
        report.changed("would delete", join_path(plan.base, below), str(plan.top / below))
    if len(goes) == len(plan.surplus):
        return ()
    return [f"Nothing {'more ' if goes else ''}would be deleted, for not everything would go."]


def _by_place(plan: SyncPlan[Item]) -> tuple[list[Item], list[Item]]:
    """Tell what has its place from what comes to it once something has gone from there."""
    count = len(plan.fresh) - plan.after
    return plan.fresh[:count], plan.fresh[count:]


def _foreseen(report: SyncReport, item: PutItem | GetItem, what: Foreseen, new: str, local: str) -> None:
    if not isinstance(what, Step):
        report.failed(item.path, local, what)
    elif what is Step.SAME:
        report.same += 1
    else:
        report.changed(new if what is Step.NEW else "would replace", item.path, local, size=item.size)


def _stored(report: SyncReport, result: PutResult) -> None:
    item = result.item
    if result.error is not None:
        report.failed(item.path, str(item.source), result.error)
    elif result.stage is TransferStage.UNCHANGED:
        report.same += 1
    elif result.stored is not None:
        word = "stored" if item.replaces is None else "replaced"
        report.changed(word, item.path, str(item.source), version=result.stored.version, size=result.stored.size)


def _got(report: SyncReport, result: GetResult, word: str, top: Path) -> None:
    item = result.item
    local = str(top.joinpath(*item.parts))
    if result.error is not None:
        report.failed(item.path, local, result.error)
    elif result.stage is TransferStage.UNCHANGED:
        report.same += 1
    else:
        report.changed(word, item.path, local, version=item.version, size=item.size)
    if result.verdict is not None and result.verdict.moved_to is not None:
        report.moved(item.path, result.verdict)


def _reading(invocation: Invocation) -> Callable[[int, int], None]:
    def say(files: int, size: int) -> None:
        invocation.console.note(f"Reading {counted(files, 'file')} here to compare, {size_text(size)}")

    return say


def _title(wish: _Wish) -> str:
    return wish.addresses.local.resolve().name or "sync"
