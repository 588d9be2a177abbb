"""What this computer knows of the signature of a file whose bytes it has not read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sft.client.session import Session
from sft.client.trust import SignatureState, judge
from sft.errors import PinChangedError, SftError, SignatureBadError, SignerUnknownError
from sft.model.records import File

MARKS = {
    SignatureState.SIGNED: "·",
    SignatureState.VERIFIED: "✓",
    SignatureState.UNKNOWN: "?",
    SignatureState.BAD: "✗",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, and what is wrong if something is."""

    state: SignatureState
    error: SftError | None = None


async def known_of(session: Session, file: File) -> Known:
    """Check a file's signature over the digest that the server states.

    What holds is "signed", not "verified": whether the stored bytes have that digest is known when they were read.
    """
    await session.meet_author(file)
    version = file.version
    try:
        judge(
            file,
            version.digest,
            version.size,
            session.pins.people,
            server_id=session.server_id,
            server_name=session.server_name,
        )
    except SignatureBadError as error:
        return Known(SignatureState.BAD, error)
    except (SignerUnknownError, PinChangedError) as error:
        return Known(SignatureState.UNKNOWN, error)
    return Known(SignatureState.SIGNED)


async def states_of(session: Session, files: Iterable[File]) -> list[SignatureState]:
    """Check the signatures of a listing that carries them."""
    return [(await known_of(session, file)).state for file in files]
