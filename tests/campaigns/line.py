"""A connection to a server as a measure wants it: no reactor, one thread, and it waits for what it asked.

Several threads may each have one of their own.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerPublic, SigningKey
from sft.crypto.signatures import sign_file
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import LoginRefused, MessageReceived, Welcomed
from sft.wire.handshake import Claim, Welcome
from tests.fakes.signed_acts import signed_request

PATIENCE_SECONDS = 900
READ_BYTES = 256 * 1024


class Line:
    """A logged-in connection.

    Args:
        to: host and port, or the path of the control socket.
        server: its key.
        name: of a person; empty for the operator.
        key: that person's.
    """

    def __init__(
        self, to: tuple[str, int] | Path, server: ServerPublic, name: str = "", key: SigningKey | None = None
    ) -> None:
        claim = Claim.operator() if key is None else Claim.login(name, key.public, "laptop")
        self._key = key
        self._wire = Connection.client(server, claim, key)
        self._socket = socket.socket(socket.AF_UNIX if isinstance(to, Path) else socket.AF_INET)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._arrived: dict[int, m.Reply] = {}
        try:
            self._socket.connect(str(to) if isinstance(to, Path) else to)
            self.welcome = self._welcomed()
        except BaseException:
            self._socket.close()
            raise

    def ask(self, kind: type[m.Request], /, **fields: Any) -> Any:
        """Send a request and wait for its answer; a refusal is one."""
        return self.answer(self.begin(kind, **fields))

    def begin(self, kind: type[m.Request], /, **fields: Any) -> int:
        """Send a request."""
        number = self._wire.next_request_id
        self._socket.sendall(self._wire.send(signed_request(kind(number, **fields), self._key, self.welcome)))
        return number

    def fileno(self) -> int:
        """Give the descriptor, to wait on many at once."""
        return self._socket.fileno()

    def take(self) -> list[m.Reply]:
        """Receive once; give the answers that have come."""
        self._receive()
        arrived = list(self._arrived.values())
        self._arrived.clear()
        return arrived

    def answer(self, number: int) -> m.Reply:
        """Wait for the answer to a request; they come in any order."""
        while number not in self._arrived:
            self._receive()
        return self._arrived.pop(number)

    def put(self, path: str, data: bytes) -> m.Reply:
        """Store a new small file."""
        return self.answer(self.begin_put(path, data))

    def begin_put(self, path: str, data: bytes) -> int:
        """Send what stores it."""
        if self._key is None:
            raise ValueError("the operator has no key to sign with")
        digest = blake2b_512(data).digest()
        comment = FileComment(
            server_id=self.welcome.server.server_id, file_id=os.urandom(16), version=1, size=len(data), digest=digest,
            mtime=int(time.time()), name=path, user=self.welcome.user_id, prev=None, ts=int(time.time()),
        )  # fmt: skip
        signature = sign_file(self._key, comment).encode()
        return self.begin(m.PutFiles, files=(m.SmallPut(path, signature, data),))

    def close(self) -> None:
        """Let it go."""
        self._socket.close()

    def _welcomed(self) -> Welcome:
        while True:
            for event in self._events():
                if isinstance(event, Welcomed):
                    return event.welcome
                if isinstance(event, LoginRefused):
                    raise ConnectionError(f"the server refuses: {event.code}")

    def _receive(self) -> None:
        for event in self._events():
            if isinstance(event, MessageReceived) and isinstance(event.message, m.Reply):
                self._arrived[event.message.id] = event.message

    def _events(self) -> list[Any]:
        self._socket.sendall(self._wire.data_to_send())
        said = self._socket.recv(READ_BYTES)
        if not said:
            raise ConnectionError("the server closed the connection")
        return list(self._wire.receive(said))
