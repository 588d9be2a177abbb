"""M4 and M5: who the client says it is, the signatures that make it so, and the server's answer.

Rules. A claim's form is checked before its signatures, its signatures before anything else is done with it; every fault
is one error, whichever it was. The user's signature is under the key that M4 carries: whether that key is known is for
the service to say, after the proof, so that names cannot be probed. An operator has no key: the connection's
constructor knows whether one may come. Layouts: PROTOCOL.md §6.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from sft.crypto.keys import InvitationKey, PublicKey, SigningKey
from sft.crypto.sealing import TAG_BYTES
from sft.crypto.signatures import (
    SIGNATURE_BYTES,
    sign_invitation,
    sign_join,
    sign_login,
    verify_invitation,
    verify_join,
    verify_login,
)
from sft.errors import HandshakeFailedError, LocalProtocolError, RequestError, Value
from sft.limits import FRAME_BYTES, JOIN_STATEMENT_BYTES, LOG_HEADS_KEPT
from sft.model.access import OPERATOR
from sft.model.decoding import decode_as
from sft.model.evidence import CosignedText, Evidence, HeadText, LogProof
from sft.model.records import Bytes32, Count, PersonName, PublicKeyBytes, ServerInfo, ShortText
from sft.wire.replies import REFUSAL_VALUES, clipped
from sft.wire.states import FrameType

_T = TypeVar("_T", bound=Struct)

LogSizes = Annotated[tuple[Count, ...], Meta(max_length=LOG_HEADS_KEPT)]

LOGIN_REFUSAL_TEXT: Final = 255

_LENGTH_BYTES: Final = 2
_LOGIN: Final = bytes([FrameType.LOGIN])
_WELCOME: Final = bytes([FrameType.WELCOME])
_REFUSED: Final = bytes([FrameType.LOGIN_REFUSED])


class Claim(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Who a client says it is: a user (login), one to be (join), or the operator.

    Attributes:
        log_sizes: of the heads of the server's log that the client keeps, or that its invitation names, rising: several where
            sessions ran side by side, of which neither was shown that the other's goes on its own.
        statement: of a joining, by the new key.
    """

    kind: Literal["login", "join", "operator"]
    user_name: PersonName
    public_key: PublicKeyBytes | None
    device: ShortText
    invitation: Bytes32 | None
    log_sizes: LogSizes = ()
    statement: Annotated[bytes, Meta(max_length=JOIN_STATEMENT_BYTES)] = b""

    @classmethod
    def login(cls, user_name: str, key: PublicKey, device: str = "", *, log_sizes: tuple[int, ...] = ()) -> Claim:
        """Claim to be a registered user."""
        return cls("login", user_name, key.encode(), device, None, log_sizes)

    @classmethod
    def join(
        cls,
        user_name: str,
        key: PublicKey,
        device: str,
        invitation: InvitationKey | None,
        *,
        log_sizes: tuple[int, ...] = (),
        statement: bytes = b"",
    ) -> Claim:
        """Claim an invitation for a name, a key and its device; None where registration is open."""
        point = None if invitation is None else invitation.point
        return cls("join", user_name, key.encode(), device, point, log_sizes, statement)

    @classmethod
    def operator(cls) -> Claim:
        """Claim to be the operator, at the control socket."""
        return cls("operator", OPERATOR, None, "", None)

    def require_form(self) -> None:
        """Make sure that the fields are those of the kind; HandshakeFailedError if they are not."""
        has_key, has_invitation = self.public_key is not None, self.invitation is not None
        if has_key != (self.kind != "operator") or (has_invitation and self.kind != "join"):
            raise HandshakeFailedError(f"not the fields of a {self.kind}")
        if (self.log_sizes and self.kind == "operator") or (self.statement and self.kind != "join"):
            raise HandshakeFailedError(f"a {self.kind} with sizes of the log or a statement")
        if self.kind == "operator" and self.user_name != OPERATOR:
            raise HandshakeFailedError("an operator with a name")


class Welcome(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """M5 of an accepted login: who the client is here. The operator has user id 0 and the role "operator".

    Attributes:
        head: the server's newest, as a signed note; the operator is told none.
        consistency: from each size that was claimed, in that order.
        evidence: the caller's own slot.
        cosigned: the newest checkpoint that is witnessed, as a signed note with its cosignatures; empty where none is.
        cosigned_consistency: from that to the head.
    """

    user_id: Count
    name: PersonName
    role: ShortText
    server: ServerInfo
    head: HeadText = ""
    consistency: Annotated[tuple[LogProof, ...], Meta(max_length=LOG_HEADS_KEPT)] = ()
    evidence: Evidence | None = None
    cosigned: CosignedText = ""
    cosigned_consistency: LogProof = ()


class RefusedLogin(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """M5 of a refused login: the code, the values of its words, the reference in the server's log."""

    code: Annotated[str, Meta(max_length=40)]
    values: Annotated[
        dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=LOGIN_REFUSAL_TEXT)] | int],
        Meta(max_length=REFUSAL_VALUES),
    ]
    ref: Annotated[str, Meta(max_length=40)] = ""


_encoder: Final = msgspec.msgpack.Encoder()


def sign_claim(claim: Claim, th2: bytes, key: SigningKey | None, invitation: InvitationKey | None) -> bytes:
    """Write M4's plaintext: the claim, then the signatures that its kind asks for."""
    encoded = _encode(claim)
    m4 = _LOGIN + len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded
    if invitation is not None:
        m4 += sign_invitation(invitation, th2, m4)
    if key is not None:
        sign = sign_login if claim.kind == "login" else sign_join
        m4 += sign(key, th2, m4)
    return m4


def verify_claim(plaintext: bytes, th2: bytes, *, operator_allowed: bool) -> Claim:
    """Read M4's plaintext and check every signature in it.

    Raises:
        HandshakeFailedError: another layout, or an operator where none may come.
        SignatureInvalidError, KeyFormatError: a key did not sign this.
    """
    start = 1 + _LENGTH_BYTES
    end = start + int.from_bytes(plaintext[1:start], "big")
    claim = _decode(Claim, plaintext[start:end])
    claim.require_form()
    signatures = plaintext[end:]
    expected = (claim.public_key is not None) + (claim.invitation is not None)
    if len(plaintext) < end or len(signatures) != expected * SIGNATURE_BYTES:
        raise HandshakeFailedError("not as many signatures as the claim asks for")
    if claim.public_key is None:
        if not operator_allowed:
            raise HandshakeFailedError("an operator, but not at the control socket")
        return claim
    key = PublicKey.decode(claim.public_key)
    signed, signature = plaintext[:-SIGNATURE_BYTES], plaintext[-SIGNATURE_BYTES:]
    if claim.kind == "login":
        verify_login(key, th2, signed, signature)
        return claim
    verify_join(key, th2, signed, signature)
    if claim.invitation is not None:
        verify_invitation(claim.invitation, th2, plaintext[:end], signed[end:])
    return claim


def encode_welcome(welcome: Welcome) -> bytes:
    """Write M5's plaintext of an accepted login; without cosignatures where they would not fit one frame with the rest."""
    whole = _WELCOME + _encode(welcome)
    if len(whole) <= FRAME_BYTES - TAG_BYTES or not welcome.cosigned:
        return whole
    return _WELCOME + _encode(replace(welcome, cosigned="", cosigned_consistency=()))


def encode_refusal(error: RequestError) -> bytes:
    """Write M5's plaintext of a refused login: code, values and reference, never the detail."""
    refusal = RefusedLogin(error.code, clipped(error.values, LOGIN_REFUSAL_TEXT), error.ref)
    return _REFUSED + _encode(refusal)


def decode_welcome(plaintext: bytes) -> Welcome:
    """Read M5's plaintext of an accepted login."""
    return _decode(Welcome, plaintext[1:])


def decode_refusal(plaintext: bytes) -> tuple[str, dict[str, Value], str]:
    """Read M5's plaintext of a refused login: code, values, reference."""
    refusal = _decode(RefusedLogin, plaintext[1:])
    return refusal.code, dict(refusal.values), refusal.ref


def _encode(value: Struct) -> bytes:
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise LocalProtocolError(f"cannot encode {type(value).__name__}") from error


def _decode(kind: type[_T], data: bytes) -> _T:
    try:
        return decode_as(kind, data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HandshakeFailedError("malformed") from error
