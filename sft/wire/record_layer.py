"""One end of the line: which state it is in, which frame it takes or sends next, under which key.

Rules. A frame is opened, then its type is held against the table of ``states``, and only then is it handed on. A state in
which nothing may arrive refuses the first byte. Faults of the owner change nothing; after a fault of the peer the owner
calls ``kill``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sft.errors import (
    DecryptionFailedError,
    FrameForgedError,
    HandshakeFailedError,
    LocalProtocolError,
    RemoteProtocolError,
)
from sft.limits import EARLY_REKEYS
from sft.wire.channel import Opener, Sealer
from sft.wire.framing import Framer
from sft.wire.states import FrameType, Side, State, Way, frame_limit, steps


class Frame(NamedTuple):
    """A frame that was allowed: its plaintext (type ‖ body; a hello's whole bytes), and its bytes on the wire."""

    kind: FrameType
    plaintext: bytes
    size_bytes: int


class RecordLayer:
    """State, framing and keys of one end."""

    __slots__ = ("_expected_hello", "_opener", "_receives", "_sealer", "_sends", "framer", "side", "state", "welcomed")

    def __init__(self, side: Side) -> None:
        self.side: Final = side
        self.framer: Final = Framer()
        self.welcomed = False
        self._expected_hello = FrameType.CLIENT_HELLO if side is Side.SERVER else FrameType.SERVER_HELLO
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None
        self.state = State.START
        self._sends: Mapping[int, State] = {}
        self._receives: Mapping[int, State] = {}
        self._enter(State.START)

    def set_keys(self, sending: bytes, receiving: bytes) -> None:
        """Seal and open from here on."""
        self._sealer = Sealer(sending)
        self._opener = Opener(receiving)

    def allow_rekey(self) -> None:
        """Take one more early rekey frame: a second has passed."""
        if self._opener is not None:
            self._opener.early_left = min(EARLY_REKEYS, self._opener.early_left + 1)

    def kill(self) -> None:
        """Allow nothing any more, and forget the keys."""
        self._enter(State.DEAD)
        self._sealer = self._opener = None

    def require_alive(self) -> None:
        """Raise LocalProtocolError after a fault of the peer."""
        if self.state is State.DEAD:
            raise LocalProtocolError("the connection is dead")

    # -- out ------------------------------------------------------------------------------------------

    def sends(self, kind: FrameType) -> bool:
        """Return whether a frame of this type may go out now."""
        return kind in self._sends

    def require(self, kind: FrameType) -> None:
        """Raise LocalProtocolError unless a frame of this type may go out now."""
        self.require_alive()
        if kind not in self._sends:
            raise LocalProtocolError(f"a {self.side} sends no {kind.name} in state {self.state}")

    def send_hello(self, kind: FrameType) -> None:
        """Enter that a hello, which is not sealed, goes out."""
        self.require(kind)
        self._enter(self._sends[kind])

    def seal(self, kind: FrameType, plaintext: bytes) -> bytes:
        """Make the frame of a plaintext that begins with its type."""
        self.require(kind)
        sealed = self._keyed_sealer().seal(plaintext)
        then = self._sends[kind]
        if then is not self.state:
            self._enter(then)
        return sealed

    def rekey(self) -> bytes:
        self.require(FrameType.REKEY)
        return self._keyed_sealer().rekey()

    # -- in -------------------------------------------------------------------------------------------

    def next_frame(self) -> Frame | None:
        """Take the next whole frame of what was fed, if any; RemoteProtocolError if size, place or type is wrong."""
        if not self.framer.has_bytes:
            return None
        if not self._receives:
            raise RemoteProtocolError(f"bytes in state {self.state}")
        whole = self.framer.next_frame(frame_limit(self.state))
        if whole is None:
            return None
        if self._opener is None:
            kind, plaintext = self._expected_hello, whole
        else:
            plaintext = self._open(self._opener, whole)
            kind = _kind_of(plaintext)
        then = self._receives.get(kind)
        if then is None:
            raise RemoteProtocolError(f"{kind.name} in state {self.state}")
        if then is not self.state:
            self._enter(then)
        return Frame(kind, plaintext, len(whole))

    def _open(self, opener: Opener, box: bytes) -> bytes:
        try:
            return opener.open(box)
        except DecryptionFailedError as fault:
            kind = FrameForgedError if self.welcomed else HandshakeFailedError
            raise kind("a frame does not open") from fault

    def _keyed_sealer(self) -> Sealer:
        if self._sealer is None:
            raise LocalProtocolError("there are no keys yet")
        return self._sealer

    def _enter(self, state: State) -> None:
        self.state = state
        self._sends = steps(self.side, state, Way.SENDS)
        self._receives = steps(self.side, state, Way.RECEIVES)


def _kind_of(plaintext: bytes) -> FrameType:
    # No state in which frames are sealed allows a hello.
    try:
        return FrameType(plaintext[0])
    except (IndexError, ValueError) as fault:
        raise RemoteProtocolError("a frame of no known type") from fault
