"""Transfers of the world: real files of this computer in and out, progress as the real ones tell it, at a speed of choice.

Rules. A get writes under a hidden name and renames without replacing, as the real one does. A brake holds every transfer at a
part of its way until it is let go, so that what runs can be looked at.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sft.client.os_errors import translating_os_errors
from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.part_file import ConflictPolicy, numbered
from sft.client.transfers.plan import GetItem, GetPlan, PutItem, Refused
from sft.client.transfers.progress import Report, Reporter, TransferStage
from sft.client.trust import SignatureState, Verdict
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.keys import PublicKey
from sft.errors import (
    LocalExistsError,
    NotFoundError,
    SftError,
    SignatureBadError,
    SignerUnknownError,
)
from sft.limits import MIB
from sft.model.access import Permission
from sft.model.names import local_name, split_path
from sft.model.records import File, Stored, User
from tui.memory.shelves import exists, require, require_right
from tui.memory.world import World

_STEP: Final = MIB


@dataclass
class Brake:
    """Holds transfers at a part of their way.

    Args:
        at: 0 to 1; None holds nothing.
        seconds_per_mib: how slow they are.
    """

    at: float | None = None
    seconds_per_mib: float = 0.0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def steps(self, size: int) -> AsyncIterator[int]:
        """Give how far a transfer is, step by step."""
        done = 0
        while done < size:
            step = min(max(_STEP, size // 64), size - done)
            if self.at is not None and not self.released.is_set() and done + step > self.at * size:
                yield int(self.at * size)
                await self.released.wait()
            done += step
            yield done
            await asyncio.sleep(self.seconds_per_mib * step / MIB)


async def put(
    world: World,
    caller: User,
    items: Sequence[PutItem],
    folders: Sequence[str],
    brake: Brake,
    report: Report | None,
    *,
    replace: bool,
) -> list[PutResult]:
    """Store files."""
    for folder in folders:
        world.add_folder(folder)
    results = []
    for index, item in enumerate(items):
        reporter = Reporter(report, index, item.path, item.size)
        try:
            stored = await _put_one(world, caller, item, brake, reporter, replace=replace)
        except SftError as error:
            reporter(TransferStage.FAILED)
            results.append(PutResult(item, TransferStage.FAILED, None, None, error, 0.0))
            continue
        stage = TransferStage.UNCHANGED if stored.unchanged else TransferStage.STORED
        reporter(stage)
        receipt = Path("receipts") / f"{index}.{stored.version}"
        results.append(PutResult(item, stage, stored, receipt, None, 0.1))
    return results


async def _put_one(
    world: World, caller: User, item: PutItem, brake: Brake, reporter: Reporter, *, replace: bool
) -> Stored:
    require(world, caller, Permission.FILE_WRITE)
    source = item.source
    if source is None:
        raise NotFoundError(what="file", name=item.path, see="ls")
    size = item.size or 0
    with translating_os_errors(source):
        content = await asyncio.to_thread(source.read_bytes) if size <= 64 * MIB else None
        dated_at = int(source.stat().st_mtime)
    kept = world.files.get(item.path)
    if kept is not None:
        version = kept.versions[-1]
        if content is not None and kept.content == content and version.author_id == caller.id:
            return Stored(item.path, version.number, version.size, version.digest, "", True)
        if not replace:
            raise exists(world, item.path)
        require_right(world, caller, Permission.FILE_WRITE, kept, "replace")
    reporter(TransferStage.SENDING, 0)
    async for done in brake.steps(size):
        reporter(TransferStage.SENDING, done)
    reporter(TransferStage.STORING)
    kept = world.add_file(
        item.path, caller, size=size, content=content, dated_at=dated_at, stored_at=int(world.now)
    )
    version = kept.versions[-1]
    return Stored(item.path, version.number, version.size, version.digest, "")


def plan_get(world: World, names: Sequence[str], version: int) -> GetPlan:
    """Settle what is fetched."""
    plan = GetPlan()
    for name in names:
        above = split_path(name)[0]
        files: list[File] = []
        try:
            files.append(world.file(name, version))
        except NotFoundError as missing:
            if name not in world.folders:
                plan.refused.append(Refused(name, missing))
                continue
            files.extend(world.below(name))
        for file in files:
            below = file.path.removeprefix(f"{above}/") if above else file.path
            try:
                parts = tuple(local_name(part) for part in below.split("/"))
            except SftError as error:
                plan.refused.append(Refused(file.path, error))
                continue
            plan.items.append(
                GetItem(file.path, parts, file.version.size, version, file.version.digest)
            )
    return plan


async def get(
    world: World,
    items: Sequence[GetItem],
    to: Path | None,
    folders: Sequence[tuple[str, ...]],
    existing: ConflictPolicy,
    brake: Brake,
    report: Report | None,
) -> list[GetResult]:
    """Get files into a folder; into none to judge them only."""
    for parts in folders:
        if to is not None:
            to.joinpath(*parts).mkdir(parents=True, exist_ok=True)
    results = []
    for index, item in enumerate(items):
        reporter = Reporter(report, index, item.path, item.size)
        try:
            file, verdict, local = await _get_one(world, item, to, existing, brake, reporter)
        except SftError as error:
            reporter(TransferStage.FAILED)
            results.append(GetResult(item, TransferStage.FAILED, error=error))
            continue
        reporter(TransferStage.VERIFIED)
        results.append(GetResult(item, TransferStage.VERIFIED, file, verdict, local))
    return results


async def _get_one(
    world: World,
    item: GetItem,
    to: Path | None,
    existing: ConflictPolicy,
    brake: Brake,
    reporter: Reporter,
) -> tuple[File, Verdict, Path | None]:
    file = world.file(item.path, item.version)
    final = None if to is None else to.joinpath(*item.parts)
    if final is not None and existing is ConflictPolicy.REFUSE and _is_there(final):
        raise LocalExistsError(path=str(final))
    reporter(TransferStage.RECEIVING, 0)
    async for done in brake.steps(file.version.size):
        reporter(TransferStage.RECEIVING, done)
    reporter(TransferStage.VERIFYING)
    kept = world.files.get(item.path)
    error = judgment(world, file)
    if error is not None:
        raise error
    if final is not None:
        content = kept.content if kept is not None else None
        final = await asyncio.to_thread(_land, final, content, file, existing)
    return file, verdict_of(world, file), final


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def judgment(world: World, file: File) -> SftError | None:
    """Say what is wrong with a file's bytes or signature."""
    kept = world.files.get(file.path)
    if kept is not None and kept.bad:
        return SignatureBadError(path=file.path, author=file.version.author)
    if file.path in world.unknown_signers:
        return SignerUnknownError(path=file.path, author=file.version.author, server=world.name)
    return None


def verdict_of(world: World, file: File) -> Verdict:
    """Give the good verdict on a file."""
    version = file.version
    author = world.user_by_id(version.author_id)
    return Verdict(
        state=SignatureState.VERIFIED,
        author=version.author,
        signed_name=version.signed_name,
        version=version.number,
        moved_to=None if version.signed_name == file.path else file.path,
        words=PublicKey.decode(version.public_key).words(),
        first_seen_at=author.created_at,
        comment=FileComment(
            server_id=world.key.public.server_id(), file_id=file.id, version=version.number,
            size=version.size, mtime=version.dated_at, name=version.signed_name,
            user=version.author_id, prev=None if version.number == 1 else bytes(64),
            ts=version.stored_at, head=NO_HEAD,
        ),
        signature=b"",
    )  # fmt: skip


def _land(final: Path, content: bytes | None, file: File, existing: ConflictPolicy) -> Path:
    with translating_os_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        candidates = [final.name]
        if existing is ConflictPolicy.KEEP_BOTH:
            candidates += [numbered(final.name, n) for n in range(2, 100)]
        for name in candidates:
            try:
                with (final.parent / name).open("xb") as out:
                    out.write(content if content is not None else b"")
                    if content is None:
                        out.truncate(file.version.size)
            except FileExistsError:
                continue
            os.utime(final.parent / name, (file.version.dated_at, file.version.dated_at))
            return final.parent / name
    raise LocalExistsError(path=str(final))
