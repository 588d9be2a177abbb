"""What the functions of this package need of a session: to ask, and to know whom."""

from __future__ import annotations

from typing import Protocol, TypeVar

from sft.crypto.keys import ServerPublic
from sft.wire.messages import Reply, Request

R = TypeVar("R", bound=Reply)


class Requester(Protocol):
    """A logged-in connection, of a user or of the operator."""

    @property
    def server_key(self) -> ServerPublic:
        """The key that the server proved."""

    @property
    def server_name(self) -> str:
        """How the server calls itself."""

    @property
    def address(self) -> str:
        """Where it was reached; empty at the control socket."""

    async def request(
        self, kind: type[Request], reply: type[R] | tuple[type[R], ...], /, **fields: object
    ) -> R:
        """Ask, and wait for the answer.

        Args:
            kind: the request; ``fields`` are its fields but the id.
            reply: what answers it.

        Raises:
            RequestError: the server refused.
            ConnectionLostError: the line broke before the answer.
        """
