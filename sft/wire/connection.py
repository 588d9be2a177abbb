"""One end of a connection, without I/O: bytes in, events out; calls in, bytes out.

It knows no socket, clock or thread, and one owner uses it at a time. The order of steps stands in ``states``, frames and
keys are the ``line``'s, the login is the ``handshake``'s, the grammar of requests that of ``exchanges``; here they meet.

    connection = Connection.client(pinned_key, Claim.login("ada", key.public), key)
    transport.write(connection.data_to_send())
    for event in connection.receive(data): …            then again data_to_send(), until Welcomed
    transport.write(connection.send(ShowSelf(connection.next_request_id)))

Rules. After a fault of the peer the connection is DEAD for good: nothing more is delivered, not even what came before it
in the same call, and every call raises LocalProtocolError. A fault of the owner (LocalProtocolError out of a sending
call) changes nothing, and the connection goes on. What is returned must be written in the order in which it was asked
for.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import Final

from sft.crypto.keys import Entropy, InvitationKey, ServerKey, ServerPublic, SigningKey
from sft.crypto.sealing import TAG_BYTES
from sft.errors import LocalProtocolError, RemoteProtocolError, RequestError, StreamTruncatedError
from sft.limits import CHUNK_BYTES, EARLY_FRAME_BYTES, FRAME_BYTES, REQUESTS_IN_FLIGHT
from sft.wire.events import (
    DataReceived,
    Event,
    LoginRefused,
    LoginRequested,
    MessageReceived,
    PeerClosed,
    ServerProved,
    Welcomed,
)
from sft.wire.framing import HEADER_BYTES
from sft.wire.handshake import ClientHandshake, ServerHandshake
from sft.wire.login import Claim, Welcome, decode_refusal, decode_welcome, encode_refusal, encode_welcome
from sft.wire.messages import Message, encode
from sft.wire.record_layer import Frame, RecordLayer
from sft.wire.requests_in_flight import RequestsInFlight
from sft.wire.states import FrameType, Side, State
from sft.wire.versions import VERSIONS, ProtocolVersion

_MESSAGE: Final = bytes([FrameType.MESSAGE])
_CLOSE: Final = bytes([FrameType.CLOSE])
_DATA_HEAD: Final = struct.Struct(">BI")  # type, request id
DATA_FRAME_BYTES: Final = HEADER_BYTES + TAG_BYTES + _DATA_HEAD.size + CHUNK_BYTES  # on the wire
_EOF_IS_FINE: Final = frozenset({State.PEER_CLOSED, State.CLOSED})


class Connection:
    """One end of a connection; made by ``client`` or ``server``."""

    __slots__ = (
        "_handshake", "_outgoing", "_records", "_requests", "_speaks", "data_frames", "greeted", "successions", "version"
    )  # fmt: skip

    def __init__(self, side: Side, handshake: ClientHandshake | ServerHandshake) -> None:
        self.greeted = False  # server: a well-formed hello came
        self.version = 0  # the protocol's on this connection, once the hellos have agreed on one
        self.successions: tuple[str, ...] = ()  # client: the notes that came with the server's key
        self._speaks = handshake.version
        self.data_frames = 0  # of transfers, both ways
        self._records = RecordLayer(side)
        self._handshake: ClientHandshake | ServerHandshake | None = handshake  # until M5
        self._requests = RequestsInFlight()
        self._outgoing: list[bytes] = []

    @classmethod
    def client(
        cls,
        server_key: ServerPublic,
        claim: Claim,
        signing_key: SigningKey | None = None,
        invitation: InvitationKey | None = None,
        *,
        server_id: bytes | None = None,
        entropy: Entropy = os.urandom,
        versions: Sequence[ProtocolVersion] = VERSIONS,
    ) -> Connection:
        """Make a client's end; M1 is in ``data_to_send()`` at once.

        Args:
            server_key: the pinned key of the server.
            claim: who the client says it is.
            signing_key: the user's key, which the claim names; None for the operator.
            invitation: for a claim to join.
            server_id: pinned beside the key; without it no key is taken for the pinned one's successor.
            entropy: source of random bytes.
            versions: to offer, the best first.

        Raises:
            LocalProtocolError: claim and keys do not fit one another.
        """
        handshake = ClientHandshake(
            server_key, claim, signing_key, invitation, entropy, server_id=server_id, versions=versions
        )
        connection = cls(Side.CLIENT, handshake)
        connection._records.send_hello(FrameType.CLIENT_HELLO)
        connection._outgoing.append(handshake.hello)
        return connection

    @classmethod
    def server(
        cls,
        server_key: ServerKey,
        *,
        operator_allowed: bool = False,
        successions: Sequence[str] = (),
        entropy: Entropy = os.urandom,
        versions: Sequence[ProtocolVersion] = VERSIONS,
    ) -> Connection:
        """Make a server's end.

        Args:
            server_key: the server's identity.
            operator_allowed: this is the control socket, whose peer the caller has checked.
            successions: notes that say which keys this one followed, oldest first.
            entropy: source of random bytes.
            versions: that may be chosen.
        """
        handshake = ServerHandshake(
            server_key, entropy, operator_allowed=operator_allowed, successions=successions, versions=versions
        )
        return cls(Side.SERVER, handshake)

    # -- what the owner may look at -----------------------------------------------------------------

    @property
    def side(self) -> Side:
        return self._records.side

    @property
    def state(self) -> State:
        return self._records.state

    @property
    def established(self) -> bool:
        """Both sides know who the other is, and no rule was broken."""
        return self._records.welcomed and not self.dead

    @property
    def dead(self) -> bool:
        """The peer broke a rule; only the transport is left to be ended."""
        return self._records.state is State.DEAD

    @property
    def may_speak(self) -> bool:
        """The peer takes what this side sends: False for a client whose server has closed."""
        return self.side is Side.SERVER or self.state is not State.PEER_CLOSED

    @property
    def may_request(self) -> bool:
        """Client: one more request may go out now."""
        return self._records.sends(FrameType.MESSAGE) and self._requests.count < REQUESTS_IN_FLIGHT

    @property
    def next_request_id(self) -> int:
        """The id that the client's next request must carry."""
        return self._requests.next_id

    @property
    def in_frame(self) -> bool:
        """A frame has arrived in part."""
        return self._records.framer.bytes_in_frame > 0

    @property
    def bytes_received(self) -> int:
        return self._records.framer.bytes_fed

    @property
    def frames_received(self) -> int:
        """All whole frames since the beginning."""
        return self._records.framer.frames_taken

    # -- in -------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[Event]:
        """Take what the transport received, cut as it may be; after a RemoteProtocolError the connection is dead."""
        self._records.require_alive()
        events: list[Event] = []
        try:
            self._records.framer.feed(data)
            while (frame := self._records.next_frame()) is not None:
                self._take(frame, events)
        except LocalProtocolError as fault:  # a rule that both sides keep, broken by the peer
            self._records.kill()
            raise RemoteProtocolError(fault.detail) from fault
        except BaseException:
            self._records.kill()
            raise
        return events

    def receive_eof(self) -> None:
        """Take the end of the stream; StreamTruncatedError without a peer's close or a refused login before."""
        self._records.require_alive()
        if self.state not in _EOF_IS_FINE:
            state = self.state
            self._records.kill()
            raise StreamTruncatedError(f"end of stream in state {state}")

    def allow_rekey(self) -> None:
        """Take one more rekey frame that comes before 64 KiB were sent under a key: once a second."""
        self._records.allow_rekey()

    # -- out ------------------------------------------------------------------------------------------

    def data_to_send(self) -> bytes:
        """Take the handshake's bytes that wait to be written."""
        self._records.require_alive()
        waiting = b"".join(self._outgoing)
        self._outgoing.clear()
        return waiting

    def welcome(self, welcome: Welcome) -> bytes:
        sealed = self._answer_login(FrameType.WELCOME, encode_welcome(welcome))
        self._records.welcomed = True
        return sealed

    def refuse(self, error: RequestError) -> bytes:
        """Server: refuse who asked, with code, values and reference; nothing can follow."""
        return self._answer_login(FrameType.LOGIN_REFUSED, encode_refusal(error))

    def send(self, message: Message) -> bytes:
        """Make the frame of a message; LocalProtocolError: not this side's, not now, or too large for a frame."""
        self._records.require(FrameType.MESSAGE)
        codec = self._speaks.codec
        if type(message) not in (codec.client_messages if self.side is Side.CLIENT else codec.server_messages):
            raise LocalProtocolError(f"a {self.side} sends no {type(message).__name__}")
        body = encode(message)
        if self.side is Side.CLIENT:
            self._requests.client_sends(message)
        else:
            self._requests.server_sends(message)
        return self._records.seal(FrameType.MESSAGE, _MESSAGE + body)

    def send_data(self, request_id: int, chunk: bytes, last: bool) -> bytes:  # noqa: FBT001 - reads well
        """Make the frame of a chunk: 65,536 bytes, fewer only if last, none only for an empty file.

        Raises:
            LocalProtocolError: another size, or no transfer of this id is to be sent.
        """
        self.data_frames += 1
        kind = FrameType.LAST_DATA if last else FrameType.DATA
        self._records.require(kind)
        if self.side is Side.CLIENT:
            self._requests.client_sends_data(request_id, len(chunk), last=last)
        else:
            self._requests.server_sends_data(request_id, len(chunk), last=last)
        return self._records.seal(kind, _DATA_HEAD.pack(kind, request_id) + chunk)

    def rekey(self) -> bytes:
        """Turn the ratchet of what this side sends; hourly, beside the turn at 1 GiB."""
        return self._records.rekey()

    def close(self) -> bytes:
        """Announce the authenticated end: a stream that ends without it was cut."""
        return self._records.seal(FrameType.CLOSE, _CLOSE)

    # -- frames -----------------------------------------------------------------------------------------

    def _take(self, frame: Frame, events: list[Event]) -> None:
        if frame.kind is FrameType.MESSAGE:
            self._take_message(frame, events)
        elif frame.kind in {FrameType.DATA, FrameType.LAST_DATA}:
            self._take_data(frame, events)
        elif frame.kind is FrameType.CLOSE:
            if frame.plaintext != _CLOSE:
                raise RemoteProtocolError("a close with a body")
            events.append(PeerClosed())
        elif isinstance(self._handshake, ServerHandshake):
            self._take_from_client(self._handshake, frame, events)
        elif isinstance(self._handshake, ClientHandshake):
            self._take_from_server(self._handshake, frame, events)

    def _take_message(self, frame: Frame, events: list[Event]) -> None:
        body = frame.plaintext[1:]
        if self.side is Side.CLIENT:
            said = self._speaks.codec.from_server(body)
            self._requests.server_sends(said)
            events.append(MessageReceived(said, frame.size_bytes))
            return
        asked = self._speaks.codec.from_client(body)
        self._requests.client_sends(asked)
        if self.state is not State.CLOSING:
            events.append(MessageReceived(asked, frame.size_bytes))

    def _take_data(self, frame: Frame, events: list[Event]) -> None:
        if len(frame.plaintext) < _DATA_HEAD.size:
            raise RemoteProtocolError("data without a request id")
        self.data_frames += 1
        _, request_id = _DATA_HEAD.unpack_from(frame.plaintext)
        chunk = frame.plaintext[_DATA_HEAD.size :]
        last = frame.kind is FrameType.LAST_DATA
        if self.side is Side.CLIENT:
            self._requests.server_sends_data(request_id, len(chunk), last=last)
        else:
            self._requests.client_sends_data(request_id, len(chunk), last=last)
            if self.state is State.CLOSING:
                return
        events.append(DataReceived(request_id, chunk, last))

    # -- the handshake's frames ---------------------------------------------------------------------------

    def _take_from_client(self, handshake: ServerHandshake, frame: Frame, events: list[Event]) -> None:
        if frame.kind is FrameType.LOGIN:
            events.append(LoginRequested(handshake.take_login(frame.plaintext)))
            return
        m2_frame, keys = handshake.answer(frame.plaintext)
        self.greeted = True
        self._speak(handshake.version)
        self._records.send_hello(FrameType.SERVER_HELLO)
        self._records.set_keys(sending=keys.server_to_client, receiving=keys.client_to_server)
        self._outgoing.append(m2_frame)
        self._outgoing.append(self._records.seal(FrameType.SERVER_PROOF, handshake.proof()))

    def _take_from_server(self, handshake: ClientHandshake, frame: Frame, events: list[Event]) -> None:
        if frame.kind is FrameType.SERVER_HELLO:
            keys = handshake.take_answer(frame.plaintext)
            self._speak(handshake.version)
            self._records.set_keys(sending=keys.client_to_server, receiving=keys.server_to_client)
        elif frame.kind is FrameType.SERVER_PROOF:
            m4 = handshake.take_proof(frame.plaintext)
            self._outgoing.append(self._records.seal(FrameType.LOGIN, m4))
            self.successions = handshake.successions
            events.append(ServerProved(handshake.server))
        elif frame.kind is FrameType.WELCOME:
            welcome = decode_welcome(frame.plaintext)
            handshake.check_welcome(welcome)
            self._handshake = None
            self._records.welcomed = True
            events.append(Welcomed(welcome))
        else:
            self._handshake = None
            events.append(LoginRefused(*decode_refusal(frame.plaintext)))

    def _speak(self, version: ProtocolVersion) -> None:
        self.version = version.number
        self._speaks = version
        self._requests = RequestsInFlight(version.codec.answers)

    def _answer_login(self, kind: FrameType, plaintext: bytes) -> bytes:
        if TAG_BYTES + len(plaintext) > (FRAME_BYTES if kind is FrameType.WELCOME else EARLY_FRAME_BYTES):
            raise LocalProtocolError(f"a {kind.name} of {len(plaintext)} bytes fits no frame")
        sealed = self._records.seal(kind, plaintext)
        self._handshake = None
        return sealed
