"""What a transfer needs of the session that it belongs to, and a session of its transfers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import RequestError
from sft.model.access import Caller
from sft.model.evidence import Evidence, LoggedPage, ProvedLeaf
from sft.server.shares import Share
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.reading import UnderHead
from sft.service.storage import FileStorage
from sft.transport.credit import CreditPool
from sft.transport.outbox import Outbox
from sft.wire.messages import Message

R = TypeVar("R")


class TransferSession(Protocol):
    """The session's side."""

    read_ahead_credit: CreditPool  # what was read for it and not sent
    public_key: bytes  # the one that logged in, minisign's 42 bytes
    storage: FileStorage  # with the server key that it was shown

    @property
    def session_id(self) -> int: ...

    @property
    def alive(self) -> bool:
        """Whether its peer may still be told something; any thread may ask."""

    @property
    def share(self) -> Share:
        """Give what its person holds."""

    @property
    def caller(self) -> Caller: ...

    @property
    def outbox(self) -> Outbox: ...

    def read(self, query: Callable[..., R], **fields: Any) -> Deferred[R]:
        """Run a use case for the caller, when it is the person's turn."""

    async def proved(self, read: Callable[[EvidenceBuilder | None], Awaitable[R]]) -> tuple[R, Evidence | None]:
        """Read what an answer says, with what proves it; both are to be sent at once. The operator is proved nothing."""

    @property
    def proof_bytes(self) -> int:
        """What the last leaf takes of an answer that is proved."""

    async def under_head(self, read: Callable[[], Awaitable[UnderHead]]) -> LoggedPage | ProvedLeaf:
        """Read what is of the log itself, under the head that is told with it; it is to be sent at once."""

    async def require_seen(self, statement: bytes) -> None:
        """Refuse a statement that names a head that is not this log's."""

    async def catch_up_with_log(self) -> None:
        """Tell a newer head of the log before something is done, where that takes long."""

    def follow_log(self) -> None:
        """Tell the newest head of the log, before the answer to what was done."""

    def answer_room(self) -> Deferred[None]:
        """Wait until an answer of any size can be held: ``answer_sent`` ends it."""

    def answer_sent(self) -> None: ...

    def send(self, message: Message) -> None:
        """Send a message; nothing after the end."""

    def refuse(self, request_id: int, failure: Failure, **about: object) -> None:
        """Answer with a refusal, and log it with what it is about; what is unexpected gets a reference."""

    def refusal_of(self, failure: Failure, **values: object) -> RequestError:
        """Return what refuses; what is unexpected is logged, with values beside it, and gets a reference."""

    def transfer_over(self, request_id: int) -> None:
        """Forget a transfer: nothing more comes for it, in either direction."""


class Transfer(Protocol):
    """The transfer's side."""

    path: str

    def cancel(self, *, keep: bool) -> None:
        """End because the peer says so."""

    def interrupt(self, error: RequestError) -> None:
        """End because the server says so."""

    def abandon(self) -> None:
        """End because the connection is gone."""
