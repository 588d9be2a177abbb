"""What a put or a get would do, for --dry-run: by the same rules and facts, and nothing is sent, fetched or made.

Rules. What is there is found by folder, and asked for by name where a folder is too large to list. What is proved on the way,
a signature or a receipt, is kept as by any other look at the server. What nobody can know beforehand is not foreseen:
what comes from a pipe, whether fetched bytes fit their signature, room on a disk, and rights at the server.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from sft import durable
from sft.client.api.files import show_file, show_proved
from sft.client.concurrency import finish_even_if_cancelled, gather_limited
from sft.client.os_errors import describe_os_error
from sft.client.session import Session
from sft.client.transfers.batch import keep_seen
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.here_already import look_here
from sft.client.transfers.local_tree import Refused
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.same import GetAsked, PutAsked, Step, VersionThere, put_step
from sft.client.transfers.sources import FileSource
from sft.client.transfers.there_already import (
    There,
    found_there,
    look_there,
    proved_ours,
    reads_as,
    require_replaceable,
)
from sft.client.trust import prove_file
from sft.errors import FolderInTheWayError, NotFoundError, SftError
from sft.model.names import split_path
from sft.model.records import File

_AT_ONCE: Final = 8

Foreseen = Step | SftError
"""What would become of an item: Step.NEW, REPLACE or SAME; or why nothing would."""


async def foresee_put(
    session: Session,
    items: Sequence[PutItem],
    *,
    replace: bool = False,
    if_version: int | None = None,
    there: There | None = None,
) -> list[Foreseen]:
    """Say what ``put_all`` would do.

    Args:
        there: what is there, where all of it was listed just now.
    """
    digests = DigestCache(session.state, session.clock)
    if there is None:
        there = await _all_there(session, [item.path for item in items])
    known = await found_there(session, items, there, digests)

    async def foresee(number: int) -> None:
        item = items[number]
        asked = PutAsked(item.path, replace, if_version, item.replaces)
        try:
            foreseen[number] = await _put(session, item, asked, there.at(item.path), digests)
        except SftError as error:
            foreseen[number] = error

    foreseen: list[Foreseen] = [Step.SAME] * len(items)
    await gather_limited(_AT_ONCE, [number for number in range(len(items)) if number not in known], foresee)
    await finish_even_if_cancelled(session.pool.run(keep_seen, session, digests))
    return await finish_even_if_cancelled(session.pool.run(_opened, items, foreseen))


async def _put(session: Session, item: PutItem, asked: PutAsked, file: File | None, digests: DigestCache) -> Step:
    pool = session.pool
    there = None if file is None else VersionThere.of(file)
    step_of = partial(put_step, asked, there, session.user_id, item.size)
    step = step_of()
    if file is None or there is None:
        return step
    if step is Step.READ:
        same = await finish_even_if_cancelled(pool.run(reads_as, item, file.version.digest, digests))
        step = step_of(same=same)
    if step is Step.PROVE:
        ours = await proved_ours(session, item.path, there, file.version.size, file.version.digest)
        step = step_of(same=True, proved=ours is not None)
    if step is Step.JUDGE:
        shown, evidence = await show_proved(session, item.path)
        await require_replaceable(session, asked, shown, prove_file(session, evidence, shown))
        step = step_of(same=False, judged=True)
    return step


async def foresee_folders_there(session: Session, folders: Sequence[str]) -> list[Refused]:
    """Return what of these empty folders could not be made at the server."""
    there = await _all_there(session, folders)
    refused: list[Refused] = []
    for folder in folders:
        try:
            if not there.has_folder(folder) and there.at(folder) is not None:
                raise FolderInTheWayError(path=folder, what="file")
        except SftError as error:
            refused.append(Refused(folder, error))
    return refused


def _opened(items: Sequence[PutItem], foreseen: list[Foreseen]) -> list[Foreseen]:
    """See whether what would be sent can be (blocks)."""
    for number, item in enumerate(items):
        if foreseen[number] in {Step.NEW, Step.REPLACE} and item.source is not None:
            try:
                FileSource(item.source, follow=item.follow, identity=item.identity).close()
            except SftError as error:
                foreseen[number] = error
    return foreseen


async def _all_there(session: Session, paths: Sequence[str]) -> There:
    """Find what is at all these paths, and what is in their way."""
    there = await look_there(session, paths, few=1)
    if there.missing - {""}:
        # What has the name of a folder that is missing, in another case or as a file, is in the way.
        above = await _all_there(session, sorted(there.missing - {""}))
        for folder in there.missing - {""}:
            try:
                if above.at(folder) is not None:
                    raise FolderInTheWayError(path=folder, what="file")
            except SftError as error:
                there.refused[folder] = error

    async def show(path: str) -> None:
        try:
            there.add([await show_file(session, path)])
        except NotFoundError:
            pass
        except SftError as error:
            there.refused[path] = error

    unseen = [path for path in paths if path not in there.files and split_path(path)[0] not in there.whole]
    await gather_limited(_AT_ONCE, unseen, show)
    return there


async def foresee_get(session: Session, items: Sequence[GetItem], asked: GetAsked) -> list[Foreseen]:
    """Say what ``get_all`` would do."""
    digests = DigestCache(session.state, session.clock)
    found = await look_here(session, items, asked, digests)
    await finish_even_if_cancelled(session.pool.run(keep_seen, session, digests))
    return [here if isinstance(here, Step | SftError) else Step.SAME for here in found]


def foresee_folders_here(top: Path, folders: Sequence[Sequence[str]]) -> list[Refused]:
    """Return what of these empty folders could not be made below one of this computer (blocks)."""
    refused: list[Refused] = []
    for parts in folders:
        try:
            os.close(durable.open_folder(top, *parts))
        except FileNotFoundError:
            continue
        except OSError as error:
            where = top.joinpath(*parts)
            refused.append(Refused(str(where), describe_os_error(error, where)))
    return refused
