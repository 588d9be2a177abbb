"""Answering the requests that are no streams: by their routes, one answer each."""

from __future__ import annotations

from functools import partial
from typing import Final

from twisted.internet.defer import Deferred

from sft.limits import FRAME_BYTES, KIB
from sft.model.access import Permission
from sft.model.records import Stored, VaultReport
from sft.server.context import ServerContext
from sft.server.identity import follow_keyring
from sft.server.jobs import RunningJob
from sft.server.routes import ROUTES, ActRoute, JobRoute, LiveRoute, ReadRoute, joined
from sft.server.transfer import TransferSession
from sft.server.uploads import commit_pending, write_small
from sft.service.files import show_file
from sft.service.pending import Pending, put_small, receipt_again
from sft.service.rights import require_permission
from sft.vault.objects import fits_inline
from sft.wire.messages import FileShown, FileStored, PutSmall, Reply, Request, ShowFile, VaultChecked

# An act's answer is a record with its signature at most; a read's may fill a frame.
ACT_ANSWER_BYTES: Final = 2 * KIB


def answer_bytes(message: Request) -> int:
    """Say how much the answer to a request may take."""
    small = isinstance(message, PutSmall) or isinstance(ROUTES[type(message)], ActRoute)
    return ACT_ANSWER_BYTES if small else FRAME_BYTES


async def answer(context: ServerContext, session: TransferSession, message: Request) -> None:
    """Do what a request asks and send its answer; RequestError is the rule that refused."""
    if isinstance(message, PutSmall):
        session.send(FileStored(message.id, await session.share.act(_put_small, context, session, message)))
        return
    if isinstance(message, ShowFile) and message.receipt:
        session.send(await _file_with_receipt(session, message))
        return
    route = ROUTES[type(message)]
    if isinstance(route, ActRoute):
        done = await session.share.act(context.act, route.use_case, route.item(session.caller, message))
        session.send(route.reply(message.id, done))
    elif isinstance(route, ReadRoute):
        fields = {name: getattr(message, name) for name in route.fields}
        found = await session.read(route.use_case, **fields)
        session.send(route.reply(message.id, found))
    elif isinstance(route, JobRoute):
        session.send(await _maintain(context, session, route, message))
    elif isinstance(route, LiveRoute):
        live = route.fields(context, message)
        await session.read(route.use_case, **live)
        reply: Reply = route.reply(context, message, live)
        session.send(reply)
        route.after(context, session.caller, message, live)


async def _file_with_receipt(session: TransferSession, message: ShowFile) -> FileShown:
    """Show a file and, to its author, acknowledge it once more: who lost the receipt has no other way to it."""
    file = await session.read(show_file, path=message.path, version=message.version)
    is_author = file.version.author_id == session.caller.user_id
    return FileShown(message.id, file, receipt_again(session.storage, file) if is_author else "")


async def _maintain(
    context: ServerContext, session: TransferSession, route: JobRoute, message: Request
) -> VaultChecked:
    # Before anything is gathered for the jobs: whoever may not ask learns nothing of how the server is set up.
    await session.read(require_permission, permission=Permission.VAULT_MANAGE)
    reports: list[VaultReport] = []
    for use_case, fields in route.jobs(context, message):
        running = RunningJob(context, use_case.__name__, session.caller.name, session.send)
        work = await session.read(use_case, context=running.job_context, **fields)
        try:
            reports.append(await running.run(work))
        finally:
            await follow_keyring(context)
    return joined(message.id, reports)


def _put_small(context: ServerContext, session: TransferSession, message: PutSmall) -> Deferred[Stored]:
    return Deferred.fromCoroutine(_store_small(context, session, message))


async def _store_small(context: ServerContext, session: TransferSession, message: PutSmall) -> Stored:
    prepare = partial(
        put_small,
        session.storage,
        session.caller,
        session.public_key,
        path=message.path,
        signature=message.signature,
        content=message.content,
    )
    on_reactor = fits_inline(len(message.content)) and not context.pool.crypto_in_pool
    prepared = prepare() if on_reactor else await context.pool.run(prepare)
    pending = prepared if isinstance(prepared, Pending) else await write_small(context, prepared)
    return await commit_pending(context, pending)
