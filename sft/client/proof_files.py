"""A file, its signature and its proof, written to this computer for somebody who has no account.

Rules. The file is got and verified as by any get. Nothing is written over, unless that is asked for; a proof that lies here
already and shows the same stays.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from sft.client.file_proof import prove_stored
from sft.client.local_verify import read_text
from sft.client.os_errors import translating_os_errors
from sft.client.session import Session
from sft.client.transfers.batch import get_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import plan_get
from sft.client.transfers.progress import Report
from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.errors import CryptoError, LocalExistsError, LocalFileError, UsageError
from sft.ledger.file_proof import LoggedFile, check_file_proof
from sft.model.records import File


class WrittenProof(Struct, frozen=True):
    """What was written.

    Attributes:
        local, signature, proof: the three files.
        logged: what the proof shows.
        is_new: the proof did not lie here before.
    """

    file: File
    local: Path
    signature: Path
    proof: Path
    logged: LoggedFile
    is_new: bool


async def write_proof(
    session: Session, name: str, to: Path, *, force: bool = False, report: Report | None = None
) -> WrittenProof:
    """Get a file with its signature, and write its proof beside it.

    Args:
        to: the folder here.
        force: what is there is replaced.

    Raises:
        UsageError: that is not one file.
        LocalExistsError: something else has one of the names.
        LogProofError: the server gives no proof that holds; file and signature are here then.
    """
    plan = await plan_get(session, [name], with_signature=True)
    for refused in plan.refused:
        raise refused.error
    if plan.folders or len(plan.items) != 1:
        raise UsageError(problem="A proof is of one file", remedy="Name that file")
    existing = ConflictPolicy.FORCE if force else ConflictPolicy.REFUSE
    (got,) = await get_all(session, plan.items, to=to, existing=existing, with_signature=True, report=report)
    if got.error is not None:
        raise got.error
    if got.file is None:
        raise TypeError("a get that did not fail has a file")
    text, logged = await prove_stored(session, got.file)
    local = to / got.item.parts[-1]
    proof = local.with_name(f"{local.name}.sftproof")
    is_new = await session.pool.run(_write, proof, text, got.file, logged, force=force)
    signature = got.signature or local.with_name(f"{local.name}.minisig")
    return WrittenProof(got.file, got.local or local, signature, proof, logged, is_new)


def _write(proof: Path, text: str, file: File, logged: LoggedFile, *, force: bool) -> bool:
    """Write a proof, unless one that shows the same lies here; return whether it was written (blocks)."""
    if not force and _shows_the_same(proof, file, logged):
        return False
    with translating_os_errors(proof):
        try:
            with proof.open("w" if force else "x", encoding="utf-8") as opened:
                opened.write(text)
        except FileExistsError as error:
            raise LocalExistsError(path=str(proof)) from error
    return True


def _shows_the_same(proof: Path, file: File, logged: LoggedFile) -> bool:
    """Say whether a proof lies here already that shows the same of this very version, under whichever checkpoint."""
    try:
        comment = FileComment.parse(FileSignature.parse(file.version.signature).comment)
        shown = check_file_proof(read_text(proof), comment)
    except (LocalFileError, CryptoError):
        return False
    return (shown.origin, shown.index) == (logged.origin, logged.index)
