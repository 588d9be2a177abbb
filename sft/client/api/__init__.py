"""Requests to a server and their answers, one function each.

files, people     what is asked of files and folders, of users, invitations and sessions
log, leaves       the server's log: pages of leaves that were proved, and one of them
tree              whole trees and patterns
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from sft.crypto.keys import ServerPublic
from sft.wire.messages import Reply, Request

if TYPE_CHECKING:
    from sft.client.log_follower import LogFollower

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

    @property
    def server_id(self) -> bytes:
        """Hash of the server's first key."""

    @property
    def log(self) -> LogFollower | None:
        """The log as the session is shown it; None for the operator, who is told its heads with the pages."""

    def sign_act(self, act: str, **fields: object) -> bytes:
        """Sign an act by its fields (``sft.crypto.statement.ACTS``); empty for the operator, who signs nothing."""

    async def request(self, kind: type[Request], reply: type[R] | tuple[type[R], ...], /, **fields: object) -> R:
        """Send a request and wait for its answer: see ``ServerConnection.request``."""
