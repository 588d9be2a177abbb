"""What this computer knows of the signature of a file whose bytes it has not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sft.client.session import Session
from sft.client.trust import SignatureState, judge
from sft.errors import PinChangedError, SftError, SignatureBadError, SignerUnknownError
from sft.model.records import File


@dataclass(frozen=True, slots=True)
class Known:
    """What is known, and what is wrong if something is."""

    state: SignatureState
    error: SftError | None = None


async def known_of(session: Session, files: Sequence[File]) -> list[Known]:
    """Check the signatures of files over the digests that the server states, on the pool: many take long.

    What holds is "signed", not "verified": whether the stored bytes have that digest is known when they were read.
    """
    for file in files:
        await session.pin_author(file)
    return await session.pool.run(lambda: [_known(session, file) for file in files])


def _known(session: Session, file: File) -> Known:
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
