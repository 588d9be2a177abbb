"""Faults of the wire and of cryptography: nothing that a peer may soften by words."""

from __future__ import annotations

from sft.errors.root import SftError


class ProtocolError(SftError):
    """A rule of the protocol was broken."""

    code = "PROTOCOL"
    exit_status = 6
    sentence = "The other end does not speak this protocol."


class NotAServerError(ProtocolError):
    """What answers at an address speaks something else from its first byte on."""

    sentence = "{address} is not an sft server."


class LocalProtocolError(ProtocolError):
    """This side was asked for something that the protocol does not allow now: a bug."""

    code = SftError.code
    exit_status = 11
    sentence = SftError.sentence


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule; nothing more is read from it."""


class FrameForgedError(RemoteProtocolError):
    """A frame after login does not open: something changed, dropped or repeated it on the way."""


class FrameTooLargeError(RemoteProtocolError):
    """A frame's length is over the limit of the state that the connection is in."""


class HandshakeFailedError(RemoteProtocolError):
    """Key exchange, server signature or login did not hold."""


class ServerKeyMismatchError(HandshakeFailedError):
    """The server shows another key than the pinned one; nothing that identifies anybody was sent."""


class VersionUnknownError(RemoteProtocolError):
    """No protocol version in common."""

    code = "VERSION_UNKNOWN"
    sentence = "The server speaks another protocol ({theirs}) than this sft ({ours})."


class StreamTruncatedError(RemoteProtocolError):
    """The stream ended without the authenticated close."""

    code = "CONNECTION_LOST"
    sentence = "The connection broke; nothing partial is visible."


class CryptoError(SftError):
    """A key, box or signature does not hold."""

    code = "VERIFICATION"
    exit_status = 7
    sentence = "What was received does not hold. Nothing was kept."


class DecryptionFailedError(CryptoError):
    """A box was changed, or is for another key, place or length."""


class KeyExchangeError(CryptoError):
    """A public key or capsule of the key exchange is malformed or of low order."""


class SignatureInvalidError(CryptoError):
    """A signature, or the comment that it signs, does not hold."""

    code = "SIGNATURE_INVALID"
    sentence = "The signature does not hold."


class ProofInvalidError(CryptoError):
    """A proof, tile or bundle of a log does not hold, or does not show what it is given for."""

    code = "PROOF_INVALID"
    sentence = "The proof does not hold."


class LedgerFormatError(CryptoError):
    """A leaf, record or slot of the ledger is of another form, or not the one that its hash names."""


class CheckpointRefusedError(CryptoError):
    """A witness does not cosign a checkpoint.

    Args:
        status: of HTTP, as C2SP tlog-witness has it.
        said: what is answered; at 409 the size that was cosigned last.
    """

    def __init__(self, status: int = 400, said: str = "") -> None:
        super().__init__(f"{status}: {said}")
        self.status = status
        self.said = said


class KeyFormatError(CryptoError):
    """Bytes that should be a key are not one."""

    code = "KEY_FORMAT"
    exit_status = 8
    sentence = "That is not a minisign key."


class PolicyError(CryptoError):
    """A policy of witnesses is not written as one is."""

    code = "POLICY"
    exit_status = 2
    sentence = "The policy cannot be taken: line {line}: {problem}."


class PassphraseWrongError(CryptoError):
    """The passphrase does not open the key."""

    code = "PASSPHRASE_WRONG"
    exit_status = 8
    sentence = "That passphrase does not open the key."


class CryptoUnavailableError(CryptoError):
    """The libraries of this computer lack a primitive."""

    code = "CRYPTO_UNAVAILABLE"
    exit_status = 10
    sentence = "The cryptography library here has no ML-KEM-768."
