"""Whose bytes these are: the verdict on a file, from what was read and what this computer has pinned.

Rules. ``judge`` is pure. A file is its author's only if the signature holds over the digest of the very bytes that were read,
the signed description is what the server says of the file, and the key is one that this computer knows for that person. Where
a file lies, which version it is and whose key that was when it was stored, the log proves (``sft.client.proved``), by its own
order and no clock. A verdict that is not good is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sft.client.pins import Pin
from sft.client.proved import ProvedFile, ProvedState
from sft.client.session import Session
from sft.client.trust_words import moved_by
from sft.client.versions_seen import NO_PLACE
from sft.crypto.comment import FileComment
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_comment, verify_file
from sft.errors import (
    CryptoError,
    KeyNotEndorsedError,
    OlderVersionError,
    OwnKeyUnknownError,
    PinChangedError,
    SftError,
    SignatureBadError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.ledger.verdicts import SignatureVerdict, VerdictNote, judge_signature
from sft.model.evidence import Evidence
from sft.model.records import File
from sft.model.text import shown_name


class SignatureState(StrEnum):
    """What this computer knows of a signature."""

    NOT_LOOKED_AT = "not looked at"
    SIGNED = "signed"  # it holds; the content was not read here
    VERIFIED = "verified"
    UNKNOWN = "unknown"
    BAD = "bad"


class Verdict(Struct, frozen=True):
    """A file that is its author's.

    Args:
        words: of the key that signed.
        first_seen_at: when this computer first saw that key.
        moved_to: where the file is now, if it was signed under another name.
        moved_by: who signed the last move, by name; empty where nothing was proved.
        proved: what the log has of it; None where nothing was proved.
        notes: what the log says of the key since.
    """

    state: SignatureState
    author: str
    signed_name: str
    version: int
    moved_to: str | None
    words: str
    first_seen_at: int
    comment: FileComment
    signature: bytes
    proved: ProvedFile | None = None
    notes: tuple[VerdictNote, ...] = ()
    moved_by: str = ""

    @property
    def leaf(self) -> int | None:
        """Index of the leaf that stored this version; None where nothing was proved."""
        return None if self.proved is None else self.proved.version.commit

    def sentence(self) -> str:
        said = [read_sentence(self.author)]
        if self.moved_to is not None:
            said.append(moved_by(self.signed_name, self.moved_by, self.moved_to))
        return " ".join([*said, *self.said_of_key()])

    def said_of_key(self) -> list[str]:
        """Say what the log has of the key since, a sentence each."""
        return [_SAID[note].format(author=shown_name(self.author)) for note in self.notes]


_SAID: Final = {
    VerdictNote.KEY_RETIRED_SINCE: "{author} has used another key since.",
    VerdictNote.USER_REMOVED_SINCE: "{author}'s account was removed since.",
    VerdictNote.KEY_STOLEN_LATER: "{author}'s key was stolen later; this was stored before, as the log proves.",
}


def unread_sentence(author: str) -> str:
    """Return what is known of a file whose content was not read here."""
    return f"Signed by {shown_name(author)}. Its content has not been checked on this computer."


def read_sentence(author: str) -> str:
    """Return what is known of a file whose content was read here."""
    who = shown_name(author)
    return f"These bytes are {who}'s: content, name and version are as {who} signed them."


class Known(Struct, frozen=True):
    """What is known of a signature without reading the file, and what is wrong if something is."""

    state: SignatureState
    error: SftError | None = None
    verdict: Verdict | None = None


async def learn_of(session: Session, files: Sequence[File]) -> None:
    """Ask for what the judging of proved files rests on beside them: their authors' keys, and who moved them."""
    await session.pin_authors(files)
    if any(session.moves.is_open(file) for file in files):
        from sft.client.moves import learn_moves  # with what reads the log: few files were moved

        await learn_moves(session, files)


async def known_of(
    session: Session, files: Sequence[File], state: ProvedState | None, *, newest: bool = True
) -> list[Known]:
    """Check the signatures of files over the digests that the server states, on the pool: many take long.

    What holds is "signed", and "verified" where this computer has read this very version: only then it is known that there were
    bytes with that digest.

    Args:
        state: what the answer proves that showed them; None for what is only listed.
        newest: they are shown as the newest versions.
    """
    await (session.pin_authors(files) if state is None else learn_of(session, files))

    def check() -> list[Known]:
        known = [_known(session, file, state, newest=newest) for file in files]
        session.versions_seen.flush()
        return known

    return await session.pool.run(check)


def _known(session: Session, file: File, state: ProvedState | None, *, newest: bool) -> Known:
    version = file.version
    try:
        verdict = judge_over(session, file, version.digest, version.size, state, both=False)
        if newest:
            require_newest(session, file, None, verdict.proved)
    except SignatureBadError as error:
        return Known(SignatureState.BAD, error)
    except (SignerUnknownError, PinChangedError, OlderVersionError) as error:
        return Known(SignatureState.UNKNOWN, error)
    note_judged(session, file, verdict.proved)
    version = file.version
    read = session.versions_seen.was_read(file.id, version.number, version.digest, version.signed_name)
    return Known(SignatureState.VERIFIED if read else SignatureState.SIGNED, verdict=verdict)


def prove(session: Session, evidence: Evidence | None, what: str) -> ProvedState:
    """Check what an answer proves.

    Args:
        what: the answer says, in words.

    Raises:
        LedgerError: it does not hold.
    """
    return ProvedState(session.log, evidence, what)


def prove_file(session: Session, evidence: Evidence | None, file: File) -> ProvedState:
    """Check what an answer about one file proves, as ``prove``."""
    return prove(session, evidence, f"what it says of {shown_name(file.path)}")


def require_newest(
    session: Session, file: File, seen: int | None, proved: ProvedFile | None, *, listed: bool = False
) -> None:
    """Hold a version that is shown as the newest to what this computer has seen and what the log has (blocks).

    Args:
        seen: by the time when it was asked for, where that is known; else by now. What is stored meanwhile is newer.
        listed: it was listed before it was asked for: what was stored after this session began may have come in between.

    Raises:
        OlderVersionError: there is a newer one.
    """
    version, seen = file.version.number, session.versions_seen.highest(file.id) if seen is None else seen
    if proved is not None and version < proved.slot.newest.number:
        newest = proved.slot.newest
        if not listed or newest.commit < session.log.begun_at:
            seen = max(seen, newest.number)
    if version < seen:
        raise OlderVersionError(
            server=session.server_name, path=file.path, version=version, seen=seen,
            remembered=session.versions_seen.path,
        )  # fmt: skip


def judge(
    file: File,
    digest: bytes,
    size: int,
    pins: Mapping[int, Pin],
    *,
    server_id: bytes,
    server_name: str,
    both: bool = True,
    proved: ProvedFile | None,
) -> Verdict:
    """Judge a file that was read to its end.

    Args:
        file: as the server describes it, with its whole signature.
        digest: BLAKE2b-512 of the bytes that were read.
        size: how many they were.
        pins: what this computer has seen of the server's people, by user id.
        both: hold to both of its signatures, as stock minisign does; one binds content and description for a reader who keeps
            neither.
        proved: what the log has of the file and its author; None for what is only listed.

    Raises:
        SignatureBadError: bytes, signature and description do not fit one another.
        SignerKeyEndedError, SignerKeyStolenError: it was stored when the key was not its author's alone.
        SignerUnknownError: the key was never shown as its author's.
        PinChangedError: the author's key, or name, is not one known here.
    """
    version = file.version
    try:
        signature = FileSignature.parse(version.signature)
        public = PublicKey.decode(version.public_key)
        comment = (verify_file if both else verify_comment)(public, digest, signature)
    except CryptoError as error:
        raise _bad(file, error.detail) from error
    # Each of these stands in the signed comment: a signature cannot be moved to another place.
    expected = {
        "server": (comment.server_id, server_id),
        "file": (comment.file_id, file.id),
        "version": (comment.version, version.number),
        "size": (comment.size, size),
        "stated size": (version.size, size),
        "digest": (version.digest, digest),
        "author": (comment.user, version.author_id),
        "name": (comment.name, version.signed_name),
        "date": (comment.mtime, version.dated_at),
    }
    for what, (signed, found) in expected.items():
        if signed != found:
            raise _bad(file, f"the {what} is not what was signed")
    pin = require_pinned(file, pins, server_name)
    notes = () if proved is None else _require_valid(file, proved, server_name)
    return Verdict(
        state=SignatureState.VERIFIED,
        author=pin.name,
        signed_name=comment.name,
        version=comment.version,
        moved_to=file.path if file.path != comment.name else None,
        words=public.words(),
        first_seen_at=pin.keys[version.public_key],
        comment=comment,
        signature=signature.encode(),
        proved=proved,
        notes=notes,
    )


def _require_valid(file: File, proved: ProvedFile, server_name: str) -> tuple[VerdictNote, ...]:
    """Hold the key that signed to the log's order, and return what there is to say of it."""
    version = file.version
    judgement = judge_signature(proved.signer, version.public_key, proved.version.commit)
    match judgement.verdict:
        case SignatureVerdict.VALID:
            return judgement.notes
        case SignatureVerdict.SUSPECT:
            raise SignerKeyStolenError(path=file.path, author=version.author)
        case SignatureVerdict.BAD:
            raise SignerKeyEndedError(path=file.path, author=version.author)
        case _:
            raise SignerUnknownError(path=file.path, author=version.author, server=server_name)


def judge_over(
    session: Session, file: File, digest: bytes, size: int, state: ProvedState | None, *, both: bool = True
) -> Verdict:
    """Judge a file of a session's server, by what this computer has pinned of its people; otherwise as ``judge``.

    Args:
        state: what the answer proves that it came with; None for what is only listed.

    Raises:
        MoveUnsignedError: nobody signed that it was moved to where it lies; ``learn_of`` has looked.
        LedgerError: the server does not prove what it says; nothing of it is used any more.
    """
    proved = None if state is None else state.file(file)
    verdict = judge(
        file, digest, size, session.pins.people,
        server_id=session.server_id, server_name=session.server_name, both=both, proved=proved,
    )  # fmt: skip
    if state is not None and proved is not None:
        state.require_one_log(verdict.comment.head, verdict.author)
        state.require_place(proved, session.versions_seen.place(file.id))
        if verdict.moved_to is not None:
            verdict = replace(verdict, moved_by=session.moves.require(file))
    return verdict


def require_key(session: Session, file: File, proved: ProvedFile) -> None:
    """Hold the key that the server shows to what is pinned here and to the log's order, whatever it signed.

    Raises:
        SignerUnknownError, PinChangedError: as ``require_pinned``.
        SignerKeyEndedError, SignerKeyStolenError: as ``judge``.
    """
    require_pinned(file, session.pins.people, session.server_name)
    _require_valid(file, proved, session.server_name)


def require_pinned(file: File, pins: Mapping[int, Pin], server_name: str) -> Pin:
    """Return the pin of a file's author, as this computer knows the key that the server shows.

    Raises:
        SignerUnknownError: the key was never shown as its author's.
        PinChangedError: the author's key, or name, is not the one seen first.
    """
    version = file.version
    pin = pins.get(version.author_id)
    if pin is not None and pin.name != version.author:
        raise PinChangedError(author=version.author, server=server_name)
    if pin is not None and version.public_key in pin.shown_later:
        raise _not_endorsed(pin, version.public_key, server_name)
    if pin is None or version.public_key not in pin.keys:
        raise SignerUnknownError(path=file.path, author=version.author, server=server_name)
    return pin


def note_judged(session: Session, file: File, proved: ProvedFile | None, *, read: bool = False) -> None:
    """Remember a version whose signature holds, and the place of its file in the log.

    Args:
        read: its content was read here, to its end.
    """
    version, place = file.version, NO_PLACE if proved is None else proved.number
    session.versions_seen.note(file.id, version.number, version.digest, version.signed_name, place, read=read)


def was_judged(session: Session, file: File) -> bool:
    """Return whether this computer has judged this very version before, under this name: it needs no signature again.

    What it is was signed by an author whose key was pinned, over this digest and name; that key is still the pinned one.
    """
    version = file.version
    if file.path != version.signed_name:
        return False
    if not session.versions_seen.knows(file.id, version.number, version.digest, version.signed_name):
        return False
    try:
        require_pinned(file, session.pins.people, session.server_name)
    except (SignerUnknownError, PinChangedError):
        return False
    return True


def prove_judged(session: Session, file: File, state: ProvedState, *, listed: bool) -> ProvedFile:
    """Hold a newest version that ``was_judged`` to what the log has now: its signature alone needs no second look.

    Raises:
        LedgerError: the server does not prove what it says.
        OlderVersionError, SignerKeyEndedError, SignerKeyStolenError, SignerUnknownError: as for what is judged.
    """
    proved = state.file(file)
    state.require_place(proved, session.versions_seen.place(file.id))
    require_newest(session, file, None, proved, listed=listed)
    _require_valid(file, proved, session.server_name)
    return proved


def words_of_key(public_key: bytes) -> str:
    """Return the words of a pinned key."""
    public = PublicKey.decode_or_none(public_key)
    return "" if public is None else public.words()


def _not_endorsed(pin: Pin, public_key: bytes, server_name: str) -> PinChangedError:
    """Return the error for a key that the registry shows, and none that is pinned vouched for."""
    seen, words = pin.shown_later[public_key], words_of_key(public_key)
    if pin.is_own:
        return OwnKeyUnknownError(server=server_name, added_at=seen, shown=words, name=pin.name)
    if not pin.keys:
        return PinChangedError(author=pin.name, server=server_name)
    newest = max(pin.keys, key=lambda key: pin.keys[key])
    return KeyNotEndorsedError(
        author=pin.name, server=server_name, added_at=seen, shown=words, pinned=words_of_key(newest)
    )


def _bad(file: File, detail: str) -> SignatureBadError:
    return SignatureBadError(detail, path=file.path, author=file.version.author)
