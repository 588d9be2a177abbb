"""What a file's signature is worth, by the order of the log: never by a clock.

    the key is not the user's           UNKNOWN
    c < start, or c ≥ end               BAD
    cut-off ≤ c < end                   SUSPECT: it may be the thief's
    c < cut-off                         VALID, and the key was stolen later
    otherwise                           VALID

c is the index of the leaf that committed the version; start, end and cut-off stand in the slot of the user whom the comment
names.

Rules. That the signature itself holds is checked before (``sft.crypto.signatures``), that slot and version stand under a
checkpoint too (``sft.ledger.current``). Only VALID is taken; a note is said and refuses nothing. That a file was moved or its
owner changed says the file's own slot.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from sft.ledger.slots import SlotKey, UserSlot
from sft.model.records import UserState


class SignatureVerdict(Enum):
    """What a signature that holds is worth."""

    VALID = "valid"
    BAD = "bad"  # made before the key was the user's, or after
    SUSPECT = "suspect"
    UNKNOWN = "unknown"


class VerdictNote(Enum):
    """What a reader is told beside a verdict."""

    KEY_STOLEN_LATER = "key stolen later"
    KEY_RETIRED_SINCE = "key retired since"
    USER_REMOVED_SINCE = "user removed since"


class Judgement(Struct, frozen=True):
    """A verdict with its notes, which only a valid one has."""

    verdict: SignatureVerdict
    notes: tuple[VerdictNote, ...] = ()


def judge_signature(signer: UserSlot, public_key: bytes, commit: int) -> Judgement:
    """Judge a signature that holds.

    Args:
        signer: slot of the user whom the signed comment names.
        public_key: that made the signature, all 42 bytes.
        commit: index of the leaf that committed the version.
    """
    key = signer.key(public_key)
    if key is None:
        return Judgement(SignatureVerdict.UNKNOWN)
    verdict = _verdict(key, commit)
    if verdict is not SignatureVerdict.VALID:
        return Judgement(verdict)
    notes = []
    if key.cut_off is not None:
        notes.append(VerdictNote.KEY_STOLEN_LATER)
    elif key.end is not None:
        notes.append(VerdictNote.KEY_RETIRED_SINCE)
    if signer.state is UserState.REMOVED:
        notes.append(VerdictNote.USER_REMOVED_SINCE)
    return Judgement(SignatureVerdict.VALID, tuple(notes))


def _verdict(key: SlotKey, commit: int) -> SignatureVerdict:
    if commit < key.start or (key.end is not None and commit >= key.end):
        return SignatureVerdict.BAD
    if key.cut_off is not None and commit >= key.cut_off:
        return SignatureVerdict.SUSPECT
    return SignatureVerdict.VALID
