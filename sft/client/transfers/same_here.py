"""Whether a download is here already: the same bytes under its name, as their author signed them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sft import durable
from sft.client.api.files import show_file
from sft.client.concurrency import gather_limited
from sft.client.session import Session
from sft.client.transfers.download import DownloadResult, require_asked_for, require_unmoved
from sft.client.transfers.file_digest import read_digest
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem
from sft.client.transfers.target import Target
from sft.client.trust import judge_over, note_judged, require_newest, was_judged
from sft.errors import SftError

_AT_ONCE: Final = 8


async def found_here_of(
    session: Session, wanted: Sequence[tuple[GetItem, Target | None]], *, accept_moved: bool
) -> list[DownloadResult | SftError | None]:
    """Judge the files that have the names here as if they had just arrived; None where one holds other bytes, or is none.

    The listed digest finds it; what is believed is the signature over the digest of what lies here. An error is as
    ``get_file`` raises it: the same bytes would be refused if they were got again. Only where nothing is to be replaced.
    """
    asked = [
        (n, item, place) for n, (item, place) in enumerate(wanted) if place is not None and _may_be_here(item, place)
    ]
    found: list[DownloadResult | SftError | None] = [None] * len(wanted)
    if not asked:
        return found
    digests = await session.pool.run(lambda: [_digest(place, item) for _, item, place in asked])

    async def judge_one(each: tuple[int, GetItem, Target]) -> None:
        number, item, place = each
        try:
            found[number] = await _judged(session, item, place, accept_moved=accept_moved)
        except SftError as error:
            found[number] = error

    same = [each for each, digest in zip(asked, digests, strict=True) if digest == each[1].digest]
    await gather_limited(_AT_ONCE, same, judge_one)
    return found


def _may_be_here(item: GetItem, place: Target) -> bool:
    return bool(item.digest) and place.existing is ConflictPolicy.REFUSE


async def _judged(session: Session, item: GetItem, place: Target, *, accept_moved: bool) -> DownloadResult | None:
    digest = item.digest  # of what lies here
    if not place.with_signature and item.listed is not None and was_judged(session, item.listed):
        return DownloadResult(item.listed, None, place.destination.path.joinpath(*place.parts), None)
    file = await show_file(session, item.path, item.version)
    require_asked_for(session, file, item)
    await session.pin_authors([file])
    verdict = judge_over(session, file, digest, item.size, both=place.with_signature)
    if not accept_moved:
        require_unmoved(verdict, file)
    local = place.destination.path.joinpath(*place.parts)
    signature = local.with_name(f"{local.name}.minisig") if place.with_signature else None

    def take_note() -> bool:
        if signature is not None and _content(signature) != verdict.signature:
            return False
        if item.newest:
            require_newest(session, file)
        note_judged(session, file)
        return True

    same = await session.pool.run(take_note)
    return DownloadResult(file, verdict, local, signature) if same else None


def _digest(place: Target, item: GetItem) -> bytes | None:
    try:
        folder = durable.open_folder(place.destination.path, *place.parts[:-1])
    except OSError:
        return None
    try:
        file = durable.open_regular(folder, place.parts[-1])
    except OSError:
        return None
    finally:
        os.close(folder)
    try:
        if os.fstat(file).st_size != item.size:
            return None
        return read_digest(file)
    except OSError:
        return None
    finally:
        os.close(file)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
