"""The steps of the handshake, one class a side: what goes out, what must come in, which keys follow.

    M1 →   both ephemeral keys                    ClientHandshake.hello
    M2 ←   session key, ML-KEM ciphertext; TH1    ServerHandshake.answer, ClientHandshake.take_answer
    M3 ←   the server's signature over TH1; TH2   ServerHandshake.proof, ClientHandshake.take_proof
    M4 →   the claim, signed over TH2             ClientHandshake.take_proof, ServerHandshake.take_login
    M5 ←   welcome or refusal                     ClientHandshake.check_welcome

Rules. The server delivers a new SecretBox key for this session by a SealedBox to a key that the client made for this
attempt, and the ML-KEM secret goes in beside it: forward secrecy, and none of it rests on a long-term key. SealedBox has
no sender, so trust begins with M3: before it the client says nothing that identifies anybody. The traffic keys depend on
the whole transcript. A server whose key is another one than the pinned is believed where the pinned key itself says that
this one follows it, and only for the server id that was pinned beside it. Every fault of the peer is a RemoteProtocolError
that says nothing of which step of which check it was. Specification: PROTOCOL.md §5 and §6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sft.crypto.kdf import TrafficKeys, traffic_keys
from sft.crypto.kem import EphemeralKem, encapsulate
from sft.crypto.keys import KEY_BYTES, Entropy, InvitationKey, ServerKey, ServerPublic, SigningKey
from sft.crypto.sealing import EphemeralBox, deliver_session_key
from sft.crypto.signatures import sign_server_hello, verify_server_hello
from sft.crypto.succession import SUCCESSIONS_MOST, leads_to
from sft.errors import (
    DecryptionFailedError,
    HandshakeFailedError,
    KeyExchangeError,
    KeyFormatError,
    LocalProtocolError,
    ServerKeyMismatchError,
    SignatureInvalidError,
    VersionUnknownError,
)
from sft.model.access import OPERATOR
from sft.wire.framing import frame
from sft.wire.hello import (
    ML_KEM_768,
    RANDOM_BYTES,
    X25519,
    ClientHello,
    ServerHello,
    ServerProof,
    first_transcript,
    second_transcript,
)
from sft.wire.login import Claim, Welcome, sign_claim, verify_claim
from sft.wire.versions import VERSIONS, ProtocolVersion

__all__ = ["Claim", "ClientHandshake", "ServerHandshake", "Welcome", "peer_faults"]


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
        server_id: pinned beside the key; without it no key is taken for the pinned one's successor.
        versions: to offer, the best first.

    Raises:
        LocalProtocolError: claim and keys do not fit one another.
    """

    __slots__ = (
        "_box", "_claim", "_invitation", "_kem", "_key", "_m1", "_server_id", "_th1", "_versions", "server", "successions",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        server: ServerPublic,
        claim: Claim,
        key: SigningKey | None,
        invitation: InvitationKey | None,
        entropy: Entropy,
        *,
        server_id: bytes | None = None,
        versions: Sequence[ProtocolVersion] = VERSIONS,
    ) -> None:
        try:
            claim.require_form()
        except HandshakeFailedError as fault:
            raise LocalProtocolError(fault.detail) from fault
        held = (key and key.public.encode(), invitation and invitation.point)
        if held != (claim.public_key, claim.invitation):
            raise LocalProtocolError("the claim is for other keys than those that would sign it")
        self.server = server  # the pinned one; from M3 on, the one that follows it
        self.version = versions[0]  # from M2 on, the one of this connection
        self.successions: tuple[str, ...] = ()  # from M3 on, the notes that came with the server's key
        self._versions = {version.number: version for version in versions}
        self._server_id = server_id
        self._claim = claim
        self._key = key
        self._invitation = invitation
        random = entropy(RANDOM_BYTES)
        self._box = EphemeralBox.generate(entropy)
        self._kem = EphemeralKem.generate(entropy)
        shares = {X25519: self._box.public, ML_KEM_768: self._kem.public}
        self._m1 = frame(ClientHello(tuple(self._versions), random, shares).encode())
        self._th1 = b""

    @property
    def hello(self) -> bytes:
        return self._m1

    def take_answer(self, m2: bytes) -> TrafficKeys:
        """Read M2 and forget both ephemeral secrets.

        Raises:
            VersionUnknownError: a version that was not offered; the rest was not looked at.
            HandshakeFailedError: it is no M2, or not for these keys.
        """
        number = ServerHello.version_of(m2)
        if number not in self._versions:
            raise VersionUnknownError(theirs=str(number), ours=_listed(self._versions))
        self.version = self._versions[number]
        hello = ServerHello.decode(m2)
        with peer_faults():
            kem_secret = self._kem.receive(hello.kem_ciphertext)
            session_key = self._box.receive(hello.sealed_key)
        self._th1 = first_transcript(self._m1, frame(m2))
        return traffic_keys(number, self._th1, kem_secret, session_key)

    def take_proof(self, m3: bytes) -> bytes:
        """Check M3's plaintext against the pinned key; ``server`` is then the key that was shown.

        Returns:
            M4's plaintext, the first that says who the client is.

        Raises:
            ServerKeyMismatchError: the server has another key than the pinned one, which does not say that it follows.
            HandshakeFailedError: the signature does not hold.
        """
        proof = ServerProof.decode(m3)
        notes = proof.successions if self._server_id is not None else ()
        if not leads_to(notes, self._server_id or b"", self.server, proof.server):
            raise ServerKeyMismatchError(
                "the server shows another key than the pinned one",
                shown=proof.server.words(),
                shown_key=proof.server.point.hex(),
                transcript=self._th1.hex(),
                signature=proof.signature.hex(),
            )
        with peer_faults():
            verify_server_hello(proof.server, self._th1, proof.signature)
        self.server, self.successions = proof.server, notes
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
        successions: notes that say which keys this one followed, oldest first; the newest of them are told.
        versions: that may be chosen.
    """

    __slots__ = ("_entropy", "_key", "_operator_allowed", "_successions", "_th1", "_th2", "_versions", "version")

    def __init__(
        self,
        key: ServerKey,
        entropy: Entropy,
        *,
        operator_allowed: bool,
        successions: Sequence[str] = (),
        versions: Sequence[ProtocolVersion] = VERSIONS,
    ) -> None:
        self.version = versions[0]  # from M1 on, the one of this connection
        self._versions = {version.number: version for version in versions}
        self._key = key
        self._successions = tuple(successions[-SUCCESSIONS_MOST:])
        self._operator_allowed = operator_allowed
        self._entropy = entropy
        self._th1 = b""
        self._th2 = b""

    def answer(self, m1: bytes) -> tuple[bytes, TrafficKeys]:
        """Read M1; return M2's frame and the keys.

        Raises:
            VersionUnknownError: no version in common.
            HandshakeFailedError: it is no M1, or its keys cannot be used.
        """
        hello = ClientHello.decode(m1)
        number = next((number for number in hello.versions if number in self._versions), None)
        if number is None:
            raise VersionUnknownError(theirs=_listed(hello.versions), ours=_listed(self._versions))
        self.version = self._versions[number]
        if not hello.shares.keys() >= set(self.version.groups):
            raise HandshakeFailedError(f"a hello without the key shares of version {number}")
        random = self._entropy(RANDOM_BYTES)
        session_key = self._entropy(KEY_BYTES)
        with peer_faults():
            sealed_key = deliver_session_key(hello.shares[X25519], session_key)
            kem_secret, ciphertext = encapsulate(hello.shares[ML_KEM_768])
        m2 = frame(ServerHello(number, random, sealed_key, ciphertext).encode())
        self._th1 = first_transcript(frame(m1), m2)
        return m2, traffic_keys(number, self._th1, kem_secret, session_key)

    def proof(self) -> bytes:
        signature = sign_server_hello(self._key, self._th1)
        m3 = ServerProof(self._key.public, signature, self._successions).encode()
        self._th2 = second_transcript(self._th1, m3)
        return m3

    def take_login(self, m4: bytes) -> Claim:
        """Read M4's plaintext and check its signatures; HandshakeFailedError: malformed or not signed, whichever."""
        with peer_faults():
            return verify_claim(m4, self._th2, operator_allowed=self._operator_allowed)


def _listed(versions: Iterable[int]) -> str:
    return ", ".join(map(str, list(versions)[:8]))
