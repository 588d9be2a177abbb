"""Answering the requests that are no streams: by their routes, one answer each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from sft.errors import NotFoundError, RequestError
from sft.limits import ENDORSEMENT_BYTES, FILES_ANSWER_BYTES, FRAME_BYTES, KEYS_MOST, KIB, VOUCHED_KEYS_MOST
from sft.model.access import Permission
from sft.model.records import File, VaultReport
from sft.server.context import ServerContext
from sft.server.hook_feed import SHOWN_MOST
from sft.server.identity import follow_keyring
from sft.server.jobs import RunningJob
from sft.server.proofs import fitting, provable
from sft.server.routes import FOUND, ROUTES, ActRoute, JobRoute, LiveRoute, LogRoute, ProvedRoute, ReadRoute, joined
from sft.server.small_files import send_files, store_files
from sft.server.transfer import TransferSession
from sft.service import uploads
from sft.service.files import show_file, show_files
from sft.service.log.evidence import EvidenceBuilder
from sft.service.maintenance import growth
from sft.service.pending import receipt_again
from sft.service.rights import require_permission
from sft.wire.messages import (
    ANSWERS,
    FileShown,
    FilesShown,
    FindUpload,
    GetFiles,
    HookTested,
    PutFiles,
    RefusedFile,
    Reply,
    Request,
    ShowFile,
    ShowFiles,
    ShownFile,
    ShowVault,
    TestHook,
    UploadFound,
    UserShown,
    VaultChecked,
    VaultShown,
    fits,
)

# An act's answer is a record with its signature at most; a read's may fill a frame.
ACT_ANSWER_BYTES: Final = 2 * KIB
USER_ANSWER_BYTES: Final = VOUCHED_KEYS_MOST * ENDORSEMENT_BYTES + KEYS_MOST * (KIB // 4)  # a person with every key
STORED_BYTES: Final = KIB // 2  # of one file of several: its line of the receipt, or its refusal


def answer_bytes(message: Request) -> int:
    """Say how much the answer to a request may take."""
    if isinstance(message, PutFiles):
        # A line of the receipt has the path, percent-encoded at worst.
        lines = sum(STORED_BYTES + 3 * len(each.path.encode()) for each in message.files)
        return min(lines, FRAME_BYTES)
    if isinstance(message, GetFiles):
        return min(len(message.files) * FRAME_BYTES, FILES_ANSWER_BYTES)
    if not isinstance(ROUTES[type(message)], ActRoute):
        return FRAME_BYTES
    return USER_ANSWER_BYTES if UserShown in ANSWERS[type(message)] else ACT_ANSWER_BYTES


async def answer(context: ServerContext, session: TransferSession, message: Request) -> None:
    """Do what a request asks and send its answer; RequestError is the rule that refused."""
    if isinstance(message, PutFiles):
        await session.catch_up_with_log()
        stored = await session.share.act(len(message.files), store_files, context, session, message)
        session.follow_log()
        session.send(stored)
        return
    if isinstance(message, GetFiles):
        await send_files(context, session, message)
        return
    if isinstance(message, ShowFile) and message.receipt:
        session.send(await _file_with_receipt(session, message))
        return
    if steps := _STEPS.get(type(message)):
        session.send(await steps(context, session, message))
        return
    route = ROUTES[type(message)]
    if isinstance(route, ActRoute):
        if statement := getattr(message, "statement", b""):
            await session.require_seen(statement)
        await session.catch_up_with_log()
        done = await session.share.act(1, context.act, route.use_case, route.item(session.caller, message))
        session.follow_log()
        session.send(route.reply(message.id, done))
    elif isinstance(route, ReadRoute):
        fields = {name: getattr(message, name) for name in route.fields}
        found = await session.read(route.use_case, **fields)
        session.send(route.reply(message.id, found))
    elif isinstance(route, LogRoute):
        of_log = route.fields(message) | {"ledger": context.ledger}
        shown = await session.under_head(lambda: session.read(route.use_case, **of_log))
        session.send(route.reply(message.id, shown))
    elif isinstance(route, ProvedRoute):
        fields = {name: getattr(message, name) for name in route.fields}
        found, evidence = await session.proved(lambda builder: session.read(route.use_case, builder=builder, **fields))
        session.send(fitting(route.reply(message.id, found, evidence)))
    elif isinstance(route, JobRoute):
        session.send(await _maintain(context, session, route, message))
    elif isinstance(route, LiveRoute):
        live = route.fields(context, message)
        live |= {FOUND: await session.read(route.use_case, **live)}
        reply: Reply = route.reply(context, message, live)
        session.send(reply)
        route.after(context, session.caller, message, live)


async def _upload_found(context: ServerContext, session: TransferSession, message: FindUpload) -> UploadFound:
    """Say where an upload goes on; a connection that still has it loses it, so that this stays true."""
    name = session.caller.user_id or 0, message.upload_id
    await session.read(require_permission, permission=Permission.FILE_WRITE)
    await context.resumable_uploads.free(name)
    alive = context.resumable_uploads.parked(name)
    found = await session.read(uploads.find, upload_id=message.upload_id, alive=alive)
    return UploadFound(message.id, found.chunks, found.expires_at)


async def _file_with_receipt(session: TransferSession, message: ShowFile) -> FileShown:
    """Show a file and, to its author, acknowledge it once more: who lost the receipt has no other way to it."""
    file, evidence = await session.proved(
        lambda builder: session.read(show_file, path=message.path, version=message.version, builder=builder)
    )
    is_author = file.version.author_id == session.caller.user_id
    return fitting(FileShown(message.id, file, receipt_again(session.storage, file) if is_author else "", evidence))


async def _files_shown(_context: ServerContext, session: TransferSession, message: ShowFiles) -> FilesShown:
    """Show the first so many of the files that fit one frame together with what proves them."""
    paths = message.paths[: provable(message.paths)]
    while True:

        def read(builder: EvidenceBuilder | None, paths: Sequence[str] = paths) -> Awaitable[list[File | RequestError]]:
            return session.read(show_files, paths=paths, builder=builder)

        found, evidence = await session.proved(read)
        results = tuple(RefusedFile.of(each) if isinstance(each, RequestError) else ShownFile(each) for each in found)
        answer = FilesShown(message.id, results, evidence)
        if fits(answer) or len(paths) == 1:
            return fitting(answer)
        paths = paths[: len(paths) // 2]


async def _vault_shown(context: ServerContext, session: TransferSession, message: ShowVault) -> VaultShown:
    """Add up what is stored, which may take some seconds of a thread, and say it."""
    await session.read(require_permission, permission=Permission.VAULT_MANAGE)
    sums, free_bytes = await context.pool.run(growth.add_up, context.job_context)
    return VaultShown(message.id, await session.read(growth.show_vault, sums=sums, free_bytes=free_bytes))


async def _hook_tested(context: ServerContext, session: TransferSession, message: TestHook) -> HookTested:
    """Try a hook, and say what became of that: it may take the hook's time."""
    await session.read(require_permission, permission=Permission.SERVER_MANAGE)
    if context.hooks is None:
        raise NotFoundError(what="hook", name=message.hook)
    return HookTested(message.id, (await context.hooks.try_out(message.hook))[:SHOWN_MOST])


async def _maintain(
    context: ServerContext, session: TransferSession, route: JobRoute, message: Request
) -> VaultChecked:
    # Before anything is gathered for the jobs: whoever may not ask learns nothing of how the server is set up.
    await session.read(require_permission, permission=Permission.VAULT_MANAGE)
    reports: list[VaultReport] = []
    for use_case, fields in route.jobs(context, message):
        running = RunningJob(
            context,
            use_case.__name__,
            session.caller.name,
            session.send,
            wanted=(lambda: session.alive) if route.ends_with_session else (lambda: True),
            rate=route.rate(message),
        )
        work = await session.read(use_case, context=running.job_context, **fields)
        try:
            reports.append(await running.run(work))
        finally:
            await follow_keyring(context)
    return joined(message.id, reports, apart=route.apart)


_STEPS: Final[Mapping[type[Request], Callable[[ServerContext, TransferSession, Any], Awaitable[Reply]]]] = {
    FindUpload: _upload_found,
    ShowFiles: _files_shown,
    ShowVault: _vault_shown,
    TestHook: _hook_tested,
}
