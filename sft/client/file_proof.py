"""The proof of a file for somebody without an account: the leaf that stored it, as ``sft.ledger.file_proof`` has it."""

from __future__ import annotations

from sft.client.api.leaves import show_proof
from sft.client.session import Session
from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.errors import CryptoError, LogProofError
from sft.ledger.file_proof import VERSION, LoggedFile, StoredLeaf, check_file_proof
from sft.ledger.proof_file import ProofFile
from sft.ledger.records import SALT_BYTES
from sft.model.records import File
from sft.wire.messages import ReadRecord, RecordShown


async def prove_stored(session: Session, file: File) -> tuple[str, LoggedFile]:
    """Ask for the proof that the log tells of a version, and check it as whoever gets it will.

    Args:
        file: with its signature, which was verified.

    Returns:
        The text of a proof file, and what it shows.

    Raises:
        LogProofError: what the server gives does not show it; nothing of it is to be given to anybody.
    """
    number = file.version.leaf
    proved, _ = await show_proof(session, number)
    part = (await session.request(ReadRecord, RecordShown, number=number)).part or b""
    try:
        said = StoredLeaf(
            VERSION,
            proved.leaf,
            part[:SALT_BYTES],
            part[SALT_BYTES:],
            session.server_key.point,
            session.connection.successions,
        )
        text = ProofFile(number, proved.inclusion, proved.head, said.encode()).encode()
        comment = FileComment.parse(FileSignature.parse(file.version.signature).comment)
        return text, check_file_proof(text, comment)
    except (CryptoError, ValueError) as fault:
        what = f"that its log tells of {file.path}"
        raise LogProofError(str(fault), server=session.server_name, what=what, profile=session.profile.name) from fault
