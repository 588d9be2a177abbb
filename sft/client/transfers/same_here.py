"""Whether a download is here already: the same bytes under its name, as their author signed them."""

from __future__ import annotations

import os
from pathlib import Path

from sft import durable
from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.transfers.download import DownloadResult, require_asked_for, require_unmoved
from sft.client.transfers.plan import GetItem
from sft.client.transfers.target import Target
from sft.client.trust import judge, require_newest
from sft.crypto.digests import blake2b_512
from sft.limits import MIB


async def found_here(session: Session, item: GetItem, place: Target, *, accept_moved: bool) -> DownloadResult | None:
    """Judge the file that has the name here as if it had just arrived; None where it holds other bytes, or is none.

    The listed digest finds it; what is believed is the signature over the digest of what lies here.

    Raises:
        SftError: as ``get_file``: the same bytes would be refused if they were got again.
    """
    digest = await session.pool.run(_digest, place, item) if item.digest else None
    if digest is None or digest != item.digest:
        return None
    file = await show_file(session, item.path, item.version)
    require_asked_for(session, file, item)
    await session.pin_authors([file])
    verdict = judge(
        file, digest, item.size, session.pins.people,
        server_id=session.server_id, server_name=session.server_name,
    )  # fmt: skip
    if not accept_moved:
        require_unmoved(verdict, file)
    local = place.destination.path.joinpath(*place.parts)
    signature = local.with_name(f"{local.name}.minisig") if place.with_signature else None

    def take_note() -> bool:
        if signature is not None and _content(signature) != verdict.signature:
            return False
        if item.newest:
            require_newest(session, file)
        session.versions_seen.note(file.id, file.version.number)
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
        state = blake2b_512()
        while block := os.read(file, MIB):
            state.update(block)
        return state.digest()
    except OSError:
        return None
    finally:
        os.close(file)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
