"""A file and its signature, judged without any server; and the proof that a server's log tells of it.

Rules. Blocks. What holds is said, and what could not be asked here too: no server is heard, so nothing is known of keys
that were stolen since, of newer versions or of moves. A key id leads to candidates, never to a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sft.client.os_errors import translating_os_errors
from sft.client.pins import Pin, pinned_everywhere
from sft.client.profiles import Profiles
from sft.client.state import StateFolder
from sft.client.transfers.sources import FileSource
from sft.client.trust_words import HOLDS_CONTENT, pinned_key, signed_as
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import PublicKey
from sft.crypto.note_keys import NoteKey
from sft.crypto.signatures import FileSignature, verify_plain
from sft.errors import (
    CryptoError,
    LocalFileError,
    LocalSignatureBadError,
    NotShownError,
    SignatureInvalidError,
    SignatureMissingError,
    SignerNotPinnedError,
)
from sft.ledger.file_proof import LoggedFile, check_file_proof
from sft.limits import COMMENT_BYTES, KIB, NOTE_BYTES
from sft.model.names import safe
from sft.model.text import count_text

_BATCH_CHUNKS: Final = 64
_SIGNATURE_BYTES: Final = COMMENT_BYTES + KIB


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """A signature that holds.

    Args:
        signer: whose key it is, as pinned here; None where only ``key`` was given.
        server: the server that the key was pinned for.
        comment: what was signed beside the content; None for a file signed by another tool.
        foreign_comment: that tool's comment, escaped.
        logged: where the log tells of the file, by the proof that was given.
        holds, not_asked: sentences.
    """

    state: str
    signer: str | None
    server: str | None
    key: PublicKey
    comment: FileComment | None
    foreign_comment: str
    digest: bytes
    size: int
    holds: list[str]
    not_asked: list[str]
    logged: LoggedFile | None = None


def verify_offline(
    state: StateFolder,
    file: Path,
    *,
    signature: Path | None = None,
    key: PublicKey | None = None,
    proof: Path | None = None,
    log: NoteKey | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> OfflineVerdict:
    """Judge a file by its signature and the keys that this computer knows (blocks).

    Args:
        signature: FILE.minisig unless given.
        key: the one to hold it to; else those pinned here.
        proof: that a log tells of the file, as ``sft proof`` wrote it.
        log: the log's key; else the one that follows from the server that the signature names.
        progress: told bytes done and bytes in all, on this thread.

    Raises:
        LocalSignatureBadError: file and signature do not fit.
        SignatureInvalidError: that is no signature.
        SignatureMissingError: there is no file of it.
        SignerNotPinnedError: no key pinned here made it.
        NotShownError: the proof does not hold, or is of something else.
        SourceChangedError, LocalFileError: file or signature cannot be read.
    """
    signed = _read_signature(signature or file.with_name(f"{file.name}.minisig"))
    candidates: list[tuple[PublicKey, Pin | None, bytes]] = (
        [(key, None, b"")] if key is not None else [*_candidates(state, signed.key_id)]
    )
    if not candidates:
        raise SignerNotPinnedError(path=str(file))
    digest, size = digest_of(file, progress)
    for public, pin, server_id in candidates:
        try:
            text = verify_plain(public, digest, signed)
        except SignatureInvalidError:
            continue
        verdict = _verdict(state, public, pin, server_id, text, digest, size)
        return verdict if proof is None else _logged(verdict, file, proof, log)
    public, pin, _ = candidates[0]
    raise LocalSignatureBadError(path=str(file), author=public.text() if pin is None else pin.name)


def _verdict(
    state: StateFolder, public: PublicKey, pin: Pin | None, server_id: bytes, text: str, digest: bytes, size: int
) -> OfflineVerdict:
    servers = {one.server_id: one.server_name for one in Profiles(state).all()}
    comment, foreign = _comment(text)
    holds = [HOLDS_CONTENT]
    not_asked = ["Whether the key was stolen or retired since."]
    if pin is None:
        holds.append(f"It was signed with {public.text()} ({public.words()}).")
        not_asked.insert(0, "Whose key that is.")
    else:
        holds.append(pinned_key(pin.name))
    if comment is not None and comment.digest != digest:
        raise LocalSignatureBadError(
            "signed as another content", path=comment.name, author="" if pin is None else pin.name
        )
    if comment is None:
        not_asked.append("A server, name and version: it was signed by another tool.")
    else:
        server = servers.get(comment.server_id, comment.server_id.hex()[:16])
        holds.append(signed_as(comment.name, comment.version, server))
        not_asked.append("Whether there is a newer version, or it was moved or deleted.")
        if pin is not None and comment.server_id != server_id:
            not_asked.append("That server: the key was pinned for another one.")
        elif pin is not None and comment.user != pin.user_id:
            raise LocalSignatureBadError("signed as another user", path=comment.name, author=pin.name)
    return OfflineVerdict(
        state="verified",
        signer=None if pin is None else pin.name,
        server=servers.get(server_id),
        key=public,
        comment=comment,
        foreign_comment=foreign,
        digest=digest,
        size=size,
        holds=holds,
        not_asked=not_asked,
    )


def _logged(verdict: OfflineVerdict, file: Path, proof: Path, log: NoteKey | None) -> OfflineVerdict:
    """Add what a proof shows."""
    if verdict.comment is None:
        raise NotShownError(
            path=str(file), evidence=str(proof), problem="another tool signed it, as no file of a server"
        )
    try:
        logged = check_file_proof(read_text(proof), verdict.comment, log=log)
    except CryptoError as error:
        raise NotShownError(error.detail, path=str(file), evidence=str(proof), problem=error.detail) from error
    at, size = count_text(logged.index), count_text(logged.size)
    holds = [f"It was logged by {logged.origin.host} at {at}, in its log {logged.origin.text()} of {size} entries."]
    not_asked = ["Whether others are shown the same log: nobody who cosigns it was asked."]
    if log is None:
        holds.append("The log's key is the server's that the signature names.")
    return replace(verdict, logged=logged, holds=verdict.holds + holds, not_asked=verdict.not_asked + not_asked)


def _comment(text: str) -> tuple[FileComment | None, str]:
    try:
        return FileComment.parse(text), ""
    except SignatureInvalidError:
        return None, safe(text)


def _candidates(state: StateFolder, key_id: bytes) -> Iterator[tuple[PublicKey, Pin | None, bytes]]:
    for server_id, pins in pinned_everywhere(state, Profiles(state).all()):
        for pin in pins:
            for encoded in pin.keys:
                public = PublicKey.decode(encoded)
                if public.key_id == key_id:
                    yield public, pin, server_id


def _read_signature(path: Path) -> FileSignature:
    try:
        with translating_os_errors(path), path.open("rb") as opened:
            data = opened.read(_SIGNATURE_BYTES)
    except LocalFileError as error:
        if path.exists():
            raise
        raise SignatureMissingError(path=str(path)) from error
    return FileSignature.parse(data)


def read_text(path: Path) -> str:
    """Read a receipt or proof (blocks); LocalFileError if it cannot be read or is too long for one."""
    with translating_os_errors(path), path.open("rb") as opened:
        data = opened.read(NOTE_BYTES + 1)
    try:
        if len(data) <= NOTE_BYTES:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise LocalFileError(
        path=str(path), problem="is no receipt and no proof", remedy="Give the file that was written for it"
    )


def digest_of(path: Path, progress: Callable[[int, int], None] | None = None) -> tuple[bytes, int]:
    """Read a file of this computer (blocks): BLAKE2b-512 and size of its content."""
    source = FileSource(path)
    try:
        running, last, done = blake2b_512(), False, 0
        while not last:
            chunks, last = source.fetch(_BATCH_CHUNKS)
            for chunk in chunks:
                running.update(chunk)
                done += len(chunk)
            if progress is not None:
                progress(done, source.size)
        source.require_unchanged()
    finally:
        source.close()
    return running.digest(), done
