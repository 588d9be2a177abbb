"""What has the names here that files are to be fetched under, and whether it is those files, as their authors signed them.

Rules. ``same`` decides; here its facts are found. The listed digest finds a file; what is believed is the signature over the
digest of what lies here. No link below the destination is followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from sft import durable
from sft.client.api.files import show_proved
from sft.client.concurrency import gather_limited
from sft.client.os_errors import describe_os_error, translating_os_errors
from sft.client.session import Session
from sft.client.transfers.destination import Destination
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.download import DownloadResult, require_asked_for
from sft.client.transfers.local_file import LocalFile, seen_as
from sft.client.transfers.part_file import SIGNATURE_ENDING, ConflictPolicy, refusal_to_replace
from sft.client.transfers.plan import GetItem
from sft.client.transfers.proving import are_proved
from sft.client.transfers.same import GetAsked, NameTaken, Step, get_step
from sft.client.trust import judge_over, learn_of, note_judged, prove_file, require_newest, was_judged
from sft.errors import SftError, SourceChangedError
from sft.model.records import File

_AT_ONCE: Final = 8


Here = DownloadResult | SftError | Step
"""What is here already; why an item can be neither; or Step.NEW or Step.REPLACE: it is to be fetched."""


async def look_here(session: Session, items: Sequence[GetItem], asked: GetAsked, digests: DigestCache) -> list[Here]:
    """Find what is here already, judged as if it had just arrived.

    An error is as ``get_file`` raises it: the same bytes would be refused if they were got again.
    """
    found: list[Here] = await session.pool.run(_look_at_all, session, items, asked, digests)
    listed = [(n, here.file) for n, here in enumerate(found) if isinstance(here, DownloadResult)]
    proved = await are_proved(session, [file for _, file in listed], listed=True)
    for (number, _), holds in zip(listed, proved, strict=True):
        if not holds:
            found[number] = Step.PROVE
    await session.pool.run(
        _note_read, session, [file for (_, file), holds in zip(listed, proved, strict=True) if holds]
    )

    async def judge_one(number: int) -> None:
        item = items[number]
        try:
            result = await _judged(session, item, asked)
            taken = NameTaken(item.parts[-1], item.size)
            found[number] = result or get_step(asked, item, taken, same=True, proved=False)
        except SftError as error:
            found[number] = error

    await gather_limited(_AT_ONCE, [n for n, step in enumerate(found) if step is Step.PROVE], judge_one)
    return found


def _look_at_all(session: Session, items: Sequence[GetItem], asked: GetAsked, digests: DigestCache) -> list[Here]:
    found: list[Here] = []
    for above, group in groupby(items, key=lambda item: item.parts[:-1]):
        try:
            folder = durable.open_folder(asked.top, *above)
        except FileNotFoundError:
            found += [Step.NEW for _ in group]
            continue
        except OSError as error:
            found += [describe_os_error(error, asked.top.joinpath(*above)) for _ in group]
            continue
        try:
            found += [_look_at(session, folder, item, asked, digests) for item in group]
        finally:
            os.close(folder)
    return found


def _look_at(session: Session, folder: int, item: GetItem, asked: GetAsked, digests: DigestCache) -> Here:
    leaf = item.parts[-1]
    found, taken = _found(folder, leaf), None
    if isinstance(found, OSError):
        return describe_os_error(found, asked.local(item))
    if found is not None:
        taken = NameTaken(leaf, found.st_size if stat.S_ISREG(found.st_mode) else None)
    elif asked.with_signature and asked.existing is ConflictPolicy.REFUSE:
        taken = NameTaken(leaf + SIGNATURE_ENDING, None) if _found(folder, leaf + SIGNATURE_ENDING) else None
    if asked.existing is ConflictPolicy.FORCE and (refusal := _not_replaceable(folder, found, item, asked)) is not None:
        return refusal
    try:
        step = get_step(asked, item, taken)
        if step is Step.READ and isinstance(found, os.stat_result):
            same = _reads_as(folder, seen_as(leaf, "", found), item.digest, digests)
            step = get_step(asked, item, taken, same=same)
        if step is Step.PROVE and not asked.with_signature and item.listed and was_judged(session, item.listed):
            return DownloadResult(item.listed, None, asked.local(item), None)
    except SftError as error:
        return error
    return step


def _note_read(session: Session, files: Sequence[File]) -> None:
    """Remember of versions that were judged before that their content was read here."""
    for file in files:
        note_judged(session, file, None, read=True)


def _not_replaceable(folder: int, found: os.stat_result | None, item: GetItem, asked: GetAsked) -> SftError | None:
    local = asked.local(item)
    signature = local.with_name(local.name + SIGNATURE_ENDING)
    beside = _found(folder, signature.name) if asked.with_signature else None
    for there, path in ((found, local), (beside, signature)):
        if isinstance(there, OSError):
            return describe_os_error(there, path)
        if there is not None and (refusal := refusal_to_replace(there, path)) is not None:
            return refusal
    return None


def _found(folder: int, name: str) -> os.stat_result | OSError | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error


def _reads_as(folder: int, seen: LocalFile, digest: bytes, digests: DigestCache) -> bool:
    """Say whether what lies here has the listed digest, reading it unless it is known to; what cannot be read has not."""
    if digests.is_known_as(seen, digest):
        return True
    try:
        opened = durable.open_regular(folder, seen.source)
        try:
            return digests.read_open(seen, opened) == digest
        finally:
            os.close(opened)
    except (OSError, SourceChangedError):
        return False


async def _judged(session: Session, item: GetItem, asked: GetAsked) -> DownloadResult | None:
    """Judge what lies here, which has the listed digest; None where its signature is wanted and another lies beside it."""
    local = asked.local(item)
    file, evidence = await show_proved(session, item.path, item.version)
    require_asked_for(session, file, item)
    await learn_of(session, [file])
    state = prove_file(session, evidence, file)
    verdict = judge_over(session, file, item.digest, item.size, state, both=asked.with_signature)
    signature = local.with_name(f"{local.name}{SIGNATURE_ENDING}") if asked.with_signature else None

    def take_note() -> bool:
        if signature is not None and os.path.lexists(signature) and _content(signature) != verdict.signature:
            return False
        if item.newest:
            require_newest(session, file, item.seen, verdict.proved, listed=item.version != 0)
        note_judged(session, file, verdict.proved, read=True)
        return True

    same = await session.pool.run(take_note)
    return DownloadResult(file, verdict, local, signature) if same else None


def write_signatures(destination: Destination, items: Sequence[GetItem], found: Sequence[Here]) -> list[Here]:
    """Write the signatures that are wanted beside what is here already, and are not there (blocks).

    Returns:
        What was found; where a signature could not be written, why.
    """
    return [_with_signature(destination, item, here) for item, here in zip(items, found, strict=True)]


def _with_signature(destination: Destination, item: GetItem, here: Here) -> Here:
    if not isinstance(here, DownloadResult) or here.verdict is None or here.signature is None:
        return here
    if os.path.lexists(here.signature):
        return here
    try:
        folder = destination.folder(item.parts[:-1])
        try:
            with translating_os_errors(here.signature):
                data, mode = here.verdict.signature, 0o666 & ~destination.umask
                durable.write_new(folder, here.signature.name, data, mode)
                durable.sync_folder(folder)
        finally:
            destination.release(folder)
    except SftError as error:
        return error
    return here


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
