"""What the chain of trust of a version is made of, asked of its server and of this computer."""

from __future__ import annotations

from sft.client.api.files import show_proved
from sft.client.proved import ProvedFile, ProvedState
from sft.client.receipts import held_receipt
from sft.client.session import Session
from sft.client.trust import known_of, prove_file, require_key, require_newest
from sft.client.trust_chain import ChainFacts, ServerPin
from sft.client.witnessed import LogStanding, log_standing
from sft.crypto.keys import ServerPublic
from sft.crypto.notes import Receipt
from sft.errors import (
    OlderVersionError,
    PinChangedError,
    PolicyError,
    SftError,
    SignatureInvalidError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.model.records import File


async def chain_facts(session: Session, path: str, version: int = 0) -> ChainFacts:
    """Ask for one version of a file, its proof and its author, and look at what is kept here; 0 is the newest.

    Raises:
        NotFoundError: there is no such version.
        LedgerError: the server does not prove what it says; nothing of it is used any more.
    """
    file, evidence = await show_proved(session, path, version)
    state = prove_file(session, evidence, file)
    (known,) = await known_of(session, [file], state, newest=version == 0)
    key_error, age_error = await session.pool.run(_other_faults, session, file, state.file(file), state, version == 0)
    await session.keep_head()  # what is said of the log is of the head that proved this
    profile = session.profile
    receipt, fault = await session.pool.run(_receipt, session, file)
    return ChainFacts(
        file=file,
        known=known,
        server=ServerPin(session.server_name, session.server_key.words(), profile.pinned_at, len(profile.earlier_keys)),
        pin=session.pins.people.get(file.version.author_id),
        standing=await session.pool.run(_standing, session),
        receipt=receipt,
        receipt_fault=fault,
        is_newest=version == 0,
        key_error=key_error,
        age_error=age_error,
    )


def _other_faults(
    session: Session,
    file: File,
    proved: ProvedFile,
    state: ProvedState,
    newest: bool,  # noqa: FBT001
) -> tuple[SftError | None, OlderVersionError | None]:
    """Look at the key and at the log whatever the signature is (blocks): a verdict ends at the first thing that is wrong."""
    state.require_place(proved, session.versions_seen.place(file.id))
    key_error: SftError | None = None
    age_error: OlderVersionError | None = None
    try:
        require_key(session, file, proved)
    except (SignerUnknownError, PinChangedError, SignerKeyEndedError, SignerKeyStolenError) as error:
        key_error = error
    try:
        if newest:
            require_newest(session, file, None, proved)
    except OlderVersionError as error:
        age_error = error
    return key_error, age_error


def _receipt(session: Session, file: File) -> tuple[Receipt | None, str]:
    """Look at the receipt that is kept here (blocks), and say what is wrong with it."""
    keys = [session.server_key, *map(ServerPublic, session.profile.earlier_keys)]
    try:
        return held_receipt(session.state, session.server_id, keys, file), ""
    except SignatureInvalidError as error:
        return None, error.detail
    except SftError:
        return None, "it cannot be read"


def _standing(session: Session) -> LogStanding | None:
    try:
        return log_standing(session.state, session.server_id, now=session.clock())
    except PolicyError:
        return None  # `sft whoami` says so; a chain does not hang on it
