"""Whose bytes these are: the verdict on a file, from what was read and what this computer has pinned.

Rules. ``judge`` is pure. A file is its author's only if the signature holds over the digest of the very bytes that were read,
the signed description is what the server says of the file, and the key is the one that this computer first saw for that person.
Without the log a move is the server's word: it is shown, never hidden, and that a version is the newest is held to what this
computer has seen. A verdict that is not good is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from sft.client.pins import Pin
from sft.client.session import Session
from sft.crypto.comment import FileComment
from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_comment, verify_file
from sft.errors import CryptoError, OlderVersionError, PinChangedError, SftError, SignatureBadError, SignerUnknownError
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

    def sentence(self) -> str:
        author = shown_name(self.author)
        holds = f"These bytes are {author}'s: content, name and version are as {author} signed them."
        if self.moved_to is None:
            return holds
        return f"{holds} Signed as {shown_name(self.signed_name)}; it is at {shown_name(self.moved_to)} now."


def unread_sentence(author: str) -> str:
    """Return what is known of a file whose content was not read here."""
    return f"Signed by {shown_name(author)}. Its content has not been checked on this computer."


class Known(Struct, frozen=True):
    """What is known of a signature without reading the file, and what is wrong if something is."""

    state: SignatureState
    error: SftError | None = None


async def known_of(session: Session, files: Sequence[File], *, newest: bool = True) -> list[Known]:
    """Check the signatures of files over the digests that the server states, on the pool: many take long.

    What holds is "signed", not "verified": whether the stored bytes have that digest is known when they were read.

    Args:
        newest: they are shown as the newest versions.
    """
    await session.pin_authors(files)

    def check() -> list[Known]:
        known = [_known(session, file, newest=newest) for file in files]
        session.versions_seen.flush()
        return known

    return await session.pool.run(check)


def _known(session: Session, file: File, *, newest: bool) -> Known:
    version = file.version
    try:
        judge_over(session, file, version.digest, version.size, both=False)
        if newest:
            require_newest(session, file)
    except SignatureBadError as error:
        return Known(SignatureState.BAD, error)
    except (SignerUnknownError, PinChangedError, OlderVersionError) as error:
        return Known(SignatureState.UNKNOWN, error)
    note_judged(session, file)
    return Known(SignatureState.SIGNED)


def require_newest(session: Session, file: File, seen: int | None = None) -> None:
    """Hold a version that is shown as the newest to what this computer has seen (blocks).

    Args:
        seen: by the time when it was asked for, where that is known; else by now. What is stored meanwhile is newer.

    Raises:
        OlderVersionError: it had seen a newer one.
    """
    version, seen = file.version.number, session.versions_seen.highest(file.id) if seen is None else seen
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
) -> Verdict:
    """Judge a file that was read to its end.

    Args:
        file: as the server describes it, with its whole signature.
        digest: BLAKE2b-512 of the bytes that were read.
        size: how many they were.
        pins: what this computer has seen of the server's people, by user id.
        both: hold to both of its signatures, as stock minisign does; one binds content and description for a reader who keeps
            neither.

    Raises:
        SignatureBadError: bytes, signature and description do not fit one another.
        SignerUnknownError: the key was never shown as its author's.
        PinChangedError: the author's key, or name, is not the one seen first.
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
    )


def judge_over(session: Session, file: File, digest: bytes, size: int, *, both: bool = True) -> Verdict:
    """Judge a file of a session's server, by what this computer has pinned of its people; otherwise as ``judge``."""
    return judge(
        file, digest, size, session.pins.people, server_id=session.server_id, server_name=session.server_name, both=both
    )


def require_pinned(file: File, pins: Mapping[int, Pin], server_name: str) -> Pin:
    """Return the pin of a file's author, as this computer knows the key that the server shows.

    Raises:
        SignerUnknownError: the key was never shown as its author's.
        PinChangedError: the author's key, or name, is not the one seen first.
    """
    version = file.version
    pin = pins.get(version.author_id)
    if pin is not None and (pin.name != version.author or _is_another_key(pin, version.public_key)):
        raise PinChangedError(author=version.author, server=server_name)
    if pin is None or version.public_key not in pin.keys:
        raise SignerUnknownError(path=file.path, author=version.author, server=server_name)
    return pin


def note_judged(session: Session, file: File) -> None:
    """Remember a version whose signature holds."""
    version = file.version
    session.versions_seen.note(file.id, version.number, version.digest, version.signed_name)


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


def _is_another_key(pin: Pin, public_key: bytes) -> bool:
    return public_key in pin.shown_later or (pin.is_own and public_key not in pin.keys)


def _bad(file: File, detail: str) -> SignatureBadError:
    return SignatureBadError(detail, path=file.path, author=file.version.author)
