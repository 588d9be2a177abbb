"""The steps of the handshake, one class a side: what goes out, what must come in, which keys follow.

    M1 →   both ephemeral keys                    ClientHandshake.hello
    M2 ←   session key, ML-KEM ciphertext; TH1    ServerHandshake.answer, ClientHandshake.take_answer
    M3 ←   the server's signature over TH1; TH2   ServerHandshake.proof, ClientHandshake.take_proof
    M4 →   the claim, signed over TH2             ClientHandshake.take_proof, ServerHandshake.take_login
    M5 ←   welcome or refusal                     ClientHandshake.check_welcome

Rules. The server delivers a new SecretBox key for this session by a SealedBox to a key that the client made for this
attempt, and the ML-KEM secret goes in beside it: forward secrecy, and none of it rests on a long-term key. SealedBox has
no sender, so trust begins with M3: before it the client says nothing that identifies anybody. The traffic keys depend on
the whole transcript. Every fault of the peer is a RemoteProtocolError that says nothing of which step of which check it
was. Specification: PROTOCOL.md §5 and §6.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from sft.crypto.kdf import TrafficKeys, traffic_keys
from sft.crypto.kem import EphemeralKem, encapsulate
from sft.crypto.keys import KEY_BYTES, Entropy, InvitationKey, ServerKey, ServerPublic, SigningKey
from sft.crypto.sealing import EphemeralBox, deliver_session_key
from sft.crypto.signatures import sign_server_hello, verify_server_hello
from sft.errors import (
    DecryptionFailedError,
    HandshakeFailedError,
    KeyExchangeError,
    KeyFormatError,
    LocalProtocolError,
    ServerKeyMismatchError,
    SignatureInvalidError,
)
from sft.model.access import OPERATOR
from sft.wire.framing import frame
from sft.wire.hello import (
    RANDOM_BYTES,
    VERSION,
    VERSIONS,
    ClientHello,
    ServerHello,
    ServerProof,
    first_transcript,
    second_transcript,
)
from sft.wire.login import Claim, SessionLimits, Welcome, sign_claim, verify_claim

__all__ = ["VERSION", "Claim", "ClientHandshake", "ServerHandshake", "SessionLimits", "Welcome", "peer_faults"]


@contextmanager
def peer_faults() -> Iterator[None]:
    """Raise every fault of cryptography that a peer can cause as the one error of a handshake."""
    try:
        yield
    except (DecryptionFailedError, KeyExchangeError, KeyFormatError, SignatureInvalidError) as fault:
        raise HandshakeFailedError(f"{type(fault).__name__}: {fault}") from fault


class ClientHandshake:
    """The client's steps.

    Args:
        server: the pinned key.
        claim: who the client says it is.
        key: the user's; None for the operator.
        invitation: for a claim to join.
        entropy: 32 bytes for M1, then 32 and 64 for the two keys.

    Raises:
        LocalProtocolError: claim and keys do not fit one another.
    """

    __slots__ = ("_box", "_claim", "_invitation", "_kem", "_key", "_m1", "_th1", "server")

    def __init__(
        self,
        server: ServerPublic,
        claim: Claim,
        key: SigningKey | None,
        invitation: InvitationKey | None,
        entropy: Entropy,
    ) -> None:
        try:
            claim.require_form()
        except HandshakeFailedError as fault:
            raise LocalProtocolError(fault.detail) from fault
        held = (key and key.public.encode(), invitation and invitation.point)
        if held != (claim.public_key, claim.invitation):
            raise LocalProtocolError("the claim is for other keys than those that would sign it")
        self.server = server
        self._claim = claim
        self._key = key
        self._invitation = invitation
        random = entropy(RANDOM_BYTES)
        self._box = EphemeralBox.generate(entropy)
        self._kem = EphemeralKem.generate(entropy)
        self._m1 = frame(ClientHello(VERSIONS, random, self._box.public, self._kem.public).encode())
        self._th1 = b""

    @property
    def hello(self) -> bytes:
        return self._m1

    def take_answer(self, m2: bytes) -> TrafficKeys:
        """Read M2 and forget both ephemeral secrets; RemoteProtocolError if it is no M2, or not for these keys."""
        hello = ServerHello.decode(m2)
        with peer_faults():
            kem_secret = self._kem.receive(hello.kem_ciphertext)
            session_key = self._box.receive(hello.sealed_key)
        self._th1 = first_transcript(self._m1, frame(m2))
        return traffic_keys(self._th1, kem_secret, session_key)

    def take_proof(self, m3: bytes) -> bytes:
        """Check M3's plaintext against the pinned key.

        Returns:
            M4's plaintext, the first that says who the client is.

        Raises:
            ServerKeyMismatchError: the server has another key than the pinned one.
            HandshakeFailedError: the signature does not hold.
        """
        proof = ServerProof.decode(m3)
        if not hmac.compare_digest(proof.server.point, self.server.point):
            raise ServerKeyMismatchError(
                "the server shows another key than the pinned one",
                shown=proof.server.words(),
                shown_key=proof.server.point.hex(),
                transcript=self._th1.hex(),
                signature=proof.signature.hex(),
            )
        with peer_faults():
            verify_server_hello(self.server, self._th1, proof.signature)
        th2 = second_transcript(self._th1, m3)
        return sign_claim(self._claim, th2, self._key, self._invitation)

    def check_welcome(self, welcome: Welcome) -> None:
        """Make sure that the server let in who asked, and is the one that proved its key, or HandshakeFailedError."""
        if welcome.name != self._claim.user_name:
            raise HandshakeFailedError("welcomed under another name")
        if (welcome.role == OPERATOR) != (self._claim.kind == "operator"):
            raise HandshakeFailedError("welcomed as what it did not ask to be")
        if welcome.server.public_key != self.server.point:
            raise HandshakeFailedError("welcomed to another server")


class ServerHandshake:
    """The server's steps.

    Args:
        key: the server's identity.
        entropy: 32 bytes for M2, then 32 for the session key.
        operator_allowed: this is the control socket.
    """

    __slots__ = ("_entropy", "_key", "_operator_allowed", "_th1", "_th2")

    def __init__(self, key: ServerKey, entropy: Entropy, *, operator_allowed: bool) -> None:
        self._key = key
        self._operator_allowed = operator_allowed
        self._entropy = entropy
        self._th1 = b""
        self._th2 = b""

    def answer(self, m1: bytes) -> tuple[bytes, TrafficKeys]:
        """Read M1; return M2's frame and the keys. RemoteProtocolError if it is no M1, or its key cannot be used."""
        hello = ClientHello.decode(m1)
        random = self._entropy(RANDOM_BYTES)
        session_key = self._entropy(KEY_BYTES)
        with peer_faults():
            sealed_key = deliver_session_key(hello.box_key, session_key)
            kem_secret, ciphertext = encapsulate(hello.kem_key)
        m2 = frame(ServerHello(VERSION, random, sealed_key, ciphertext).encode())
        self._th1 = first_transcript(frame(m1), m2)
        return m2, traffic_keys(self._th1, kem_secret, session_key)

    def proof(self) -> bytes:
        signature = sign_server_hello(self._key, self._th1)
        m3 = ServerProof(self._key.public, signature).encode()
        self._th2 = second_transcript(self._th1, m3)
        return m3

    def take_login(self, m4: bytes) -> Claim:
        """Read M4's plaintext and check its signatures; HandshakeFailedError: malformed or not signed, whichever."""
        with peer_faults():
            return verify_claim(m4, self._th2, operator_allowed=self._operator_allowed)
