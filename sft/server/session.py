"""One session at the server: login, then requests to their routes and frames to their transfers.

Rules. No rule about users or files stands here: services decide, on other threads, and read again
what decides inside their transactions. Every request is answered exactly once; an unexpected
exception is logged under a reference, answered as an internal error, and the session goes on
(before login it ends).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.errors import (
    ConnectionLostError,
    InternalError,
    LoginRefusedError,
    ProtocolError,
    RecordForgedError,
    RemoteProtocolError,
    RequestError,
    RightsChangedError,
    ServerBusyError,
    SftError,
    TooLargeError,
    TooManySessionsError,
    TransferEndedError,
)
from sft.limits import ANSWER_BYTES, CHUNK_BYTES, READ_AHEAD_CHUNKS
from sft.model.access import OPERATOR, Caller, Permission, Role, allows, operator_caller
from sft.model.events import UserJoined
from sft.model.evidence import Evidence, LoggedPage, ProvedLeaf
from sft.model.quota_events import QuotaNear
from sft.model.records import SessionInfo, UserState
from sft.server.context import ServerContext
from sft.server.dispatch import answer, answer_bytes
from sft.server.downloads import DownloadFlow
from sft.server.proofs import READ_AGAIN, SessionProofs, ShownLog, show_log
from sft.server.refusal_log import asked_of, log_refusal
from sft.server.room import Room
from sft.server.shares import Share
from sft.server.transfer import Transfer
from sft.server.uploads import UploadFlow
from sft.service import login
from sft.service.act_statement import require_seen_of
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.reading import UnderHead
from sft.service.use_case import as_refusal
from sft.transport.credit import CreditPool
from sft.transport.outbox import Outbox
from sft.transport.protocol import WireProtocol
from sft.wire.events import DataReceived, Event, LoginRequested, MessageReceived
from sft.wire.handshake import Claim, Welcome
from sft.wire.messages import BeginUpload, Cancel, CommitUpload, Credit, GetFile, Message, Notice, Refusal, Request

R = TypeVar("R")

_OF_QUOTA: Final = ("percent", "files", "size_bytes", "quota_files", "quota_bytes")


class ServerSession:
    """The owner of a connection at the server.

    Args:
        address: where the peer is, for the log and the list of sessions.
        source: what admission counts it as.
    """

    link: WireProtocol

    def __init__(self, context: ServerContext, address: str, source: str) -> None:
        self._context = context
        self.storage = context.storage
        self._address = address
        self._source = source
        self.operator_uid: int | None = None  # on the control socket: whom the kernel vouches for
        self.login_refused = False
        self.session_id = context.sessions.number()
        self.read_ahead_credit = CreditPool(READ_AHEAD_CHUNKS)
        self._caller: Caller | None = None
        self._proofs: SessionProofs | None = None  # none for the operator
        self._share: Share | None = None
        self._room = Room(ANSWER_BYTES, lambda: self.link.outbox.waiting_bytes)
        self._since = 0
        self._ended_why = ""  # for the event log, where this end ends it
        self.public_key = b""
        self._uploads: dict[int, UploadFlow] = {}
        self._downloads: dict[int, DownloadFlow] = {}
        self._answering = 0

    # -- the connection calls these --------------------------------------------------------------------------

    def connected(self) -> None:
        """Note that the transport is up: nothing is known of the peer yet."""

    def received(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, MessageReceived):
            self._message(event.message, event.size_bytes)
        elif isinstance(event, LoginRequested):
            Deferred.fromCoroutine(self._login(event.claim)).addErrback(self._login_failed)

    def ended(self, reason: SftError | None) -> None:
        context = self._context
        context.sessions.remove(self)
        context.counts.connection_over(*self.moved_bytes)
        context.shares.unsent(self, 0)
        self._room.close(ConnectionLostError())
        for transfer in self._transfers():
            transfer.abandon()
        if self._share is not None:
            context.shares.leave(self._share)
        if self._caller is not None:
            why = self._ended_why or ("closed" if reason is None else reason.detail or reason.code)
            context.event_log.note("session-end", session=self.session_id, user=self._caller.name, why=why)

    def busy(self) -> bool:
        return self._answering > 0 or any(upload.committing for upload in self._uploads.values())

    def has_work(self) -> bool:
        open_uploads = any(not upload.draining for upload in self._uploads.values())
        return bool(self._answering or open_uploads or self._downloads)

    @property
    def alive(self) -> bool:
        return self.link.alive

    # -- transfers call these ----------------------------------------------------------------------------

    @property
    def caller(self) -> Caller:
        if self._caller is None:
            raise LoginRefusedError(server=self._context.info.name)
        return self._caller

    @property
    def share(self) -> Share:
        if self._share is None:
            raise LoginRefusedError(server=self._context.info.name)
        return self._share

    @property
    def outbox(self) -> Outbox:
        return self.link.outbox

    def read(self, query: Callable[..., R], **fields: Any) -> Deferred[R]:
        if self.caller.operator:
            return self._context.read_apart(query, self.caller, **fields)
        return self.share.read(self._context.read, query, self.caller, **fields)

    async def proved(self, read: Callable[[EvidenceBuilder | None], Awaitable[R]]) -> tuple[R, Evidence | None]:
        return (await read(None), None) if self._proofs is None else await self._proofs.proved(read)

    @property
    def proof_bytes(self) -> int:
        return 0 if self._proofs is None else self._proofs.leaf_bytes

    async def under_head(self, read: Callable[[], Awaitable[UnderHead]]) -> LoggedPage | ProvedLeaf:
        return (await read()).answer if self._proofs is None else await self._proofs.under_head(read)

    async def require_seen(self, statement: bytes) -> None:
        if self._proofs is not None:
            await self._proofs.require_seen(statement)

    async def catch_up_with_log(self) -> None:
        if self._proofs is not None:
            await self._proofs.catch_up()

    def follow_log(self) -> None:
        if self._proofs is not None:
            self._proofs.follow()

    def answer_room(self) -> Deferred[None]:
        return self._room.take(CHUNK_BYTES)

    def answer_sent(self) -> None:
        self._room.give_back(CHUNK_BYTES)

    def send(self, message: Message) -> None:
        self.link.send(message)

    def refuse(self, request_id: int, failure: Failure, **about: object) -> None:
        if isinstance(failure.value, ProtocolError):
            self.link.fail(failure.value)
            return
        error = self.refusal_of(failure, request=request_id)
        log_refusal(self._context, self.caller, error, **about)
        if self.link.alive:
            self.send(Refusal.of(request_id, error))

    def refusal_of(self, failure: Failure, **values: object) -> RequestError:
        refusal = as_refusal(_error_of(failure))
        if refusal is None:
            reference = self._context.event_log.fault("fault", failure, session=self.session_id, **values)
            return InternalError(ref=reference)
        return refusal

    def transfer_over(self, request_id: int) -> None:
        self._uploads.pop(request_id, None)
        if self._downloads.pop(request_id, None) is not None:
            self.share.end_download()

    # -- what its peer does not take -------------------------------------------------------------------------

    def _unsent_changed(self) -> None:
        self._context.shares.unsent(self, self.link.unsent_bytes)
        self._room.look()

    def too_full(self) -> None:
        self.link.fail(RemoteProtocolError("it takes least of what it asked for, and memory is short"))

    # -- the registry of sessions calls these --------------------------------------------------------------

    @property
    def user_id(self) -> int | None:
        return self._caller.user_id if self._caller else None

    @property
    def key_id(self) -> int | None:
        return self._caller.key_id if self._caller else None

    @property
    def moved_bytes(self) -> tuple[int, int]:
        return self.link.received_bytes, self.link.outbox.sent_bytes

    def describe(self) -> SessionInfo:
        caller = self.caller
        doing = [f"storing {each.path}" for each in self._uploads.values()]
        doing += [f"getting {each.path}" for each in self._downloads.values()]
        shown = doing[0][:255] if doing else ""
        return SessionInfo(
            self.session_id, caller.name, str(caller.role), self._address, self._since, shown, *self.moved_bytes
        )

    def role_changed(self, role: Role, by: str) -> None:
        self._caller = msgspec.structs.replace(self.caller, role=role)
        self.send(Notice("role", {"role": str(role), "by": by}))
        if not allows(role, Permission.FILE_WRITE):
            for upload in list(self._uploads.values()):
                upload.interrupt(RightsChangedError(problem=f"{by} made you a {role}"))

    def locked_out(self, state: UserState, by: str) -> None:
        self._interrupt_all(RightsChangedError(problem=f"{by} {state} your account"))
        self._say_farewell(str(state), by)

    def key_ended(self, by: str) -> None:
        self._interrupt_all(RightsChangedError(problem=f"{by} ended the key of this device"))
        self._say_farewell("key", by)

    def user_joined(self, event: UserJoined) -> None:
        if allows(self.caller.role, Permission.INVITATION_MANAGE) and not self.caller.operator:
            values: dict[str, str | int] = {"name": event.name, "role": str(event.role)}
            if event.invitation_id is not None:
                values["invitation"] = event.invitation_id
            self.send(Notice("joined", values))

    def quota_near(self, event: QuotaNear) -> None:
        """Tell whose quota it is; of that of all together, who may change quotas."""
        for_admins = event.user_id is None and allows(self.caller.role, Permission.USER_MANAGE)
        if not self.caller.operator and (for_admins or event.user_id == self.user_id):
            values: dict[str, str | int] = {"whose": "everybody" if event.user_id is None else "yours"}
            for name in _OF_QUOTA:
                if (value := getattr(event, name)) is not None:
                    values[name] = value
            self.send(Notice("quota", values))

    def kick(self, by: str) -> None:
        whom = "the operator" if by == OPERATOR else by
        self._interrupt_all(TransferEndedError(problem=f"{whom} ended your session"))
        self._say_farewell("kicked", by)

    def stop(self) -> None:
        self._interrupt_all(TransferEndedError(problem="the server stops"))
        self._ended_why = "the server stops"
        self.link.close()

    def _say_farewell(self, why: str, by: str) -> None:
        self._ended_why = f"{'key ended' if why == 'key' else why} by {by}"
        self.send(Notice("ended", {"why": why, "by": by}))
        self.link.close()

    def _interrupt_all(self, error: RequestError) -> None:
        for transfer in self._transfers():
            transfer.interrupt(error)

    def _transfers(self) -> list[Transfer]:
        return [*self._uploads.values(), *self._downloads.values()]

    # -- login -------------------------------------------------------------------------------------------

    async def _login(self, claim: Claim) -> None:
        context = self._context
        caller, shown = await _identify(context, claim, self.session_id)
        if not self.link.alive:
            return
        self._share = context.shares.join(caller, context.info.name)
        self._caller = caller
        self._since = int(context.clock())
        self.public_key = claim.public_key or b""
        context.sessions.add(self)
        context.counts.logins += int(not caller.operator)
        info = msgspec.structs.replace(context.info, public_key=self.storage.server_key.public.point)
        welcome = Welcome(caller.user_id or 0, claim.user_name, str(caller.role), info)
        if shown is not None:
            self._proofs = SessionProofs(context, self.session_id, shown.head, self.send)
            welcome = msgspec.structs.replace(
                welcome,
                head=shown.head.note,
                consistency=shown.consistency,
                evidence=shown.evidence,
                cosigned=shown.cosigned,
                cosigned_consistency=shown.cosigned_consistency,
            )
            self._note_newer(claim, shown.head.size)
        self.link.outbox.write(self.link.connection.welcome(welcome))
        self.link.logged_in()
        self.link.on_unsent = self._unsent_changed
        who = {"uid": self.operator_uid} if caller.operator else {"user": caller.name, "id": caller.user_id}
        context.event_log.note(claim.kind, session=self.session_id, address=self._address, **who)

    def _note_newer(self, claim: Claim, size: int) -> None:
        """Tell the operator of somebody who has seen more of the log than there is.

        It is said by whoever logs in, and shown by nobody: so it stops nothing here, or anybody could stop the server. The
        client, which has the head, goes no further.
        """
        claimed = max(claim.log_sizes, default=0)
        if claimed > size:
            what = f"the log that {claim.user_name} has seen"
            self._context.damage.note(
                "log-behind", what, warning=True, address=self._address, claimed=claimed, size=size
            )

    def _login_failed(self, failure: Failure) -> None:
        refusal = as_refusal(_error_of(failure))
        if refusal is None:
            reference = self._context.event_log.fault("login-fault", failure, address=self._address)
            self.link.fail(RemoteProtocolError(f"fault {reference} before login"))
            return
        context = self._context
        if isinstance(refusal, RecordForgedError):
            context.damage.note("record-forged", str(refusal.values["what"]), warning=True, address=self._address)
        context.strangers.note("login-refused", self._source, address=self._address, code=refusal.code)
        context.last_refusals.of_stranger(self._source, "login", refusal.code)
        # Who proved a key and found no place has done nothing wrong.
        self.login_refused = not isinstance(refusal, TooManySessionsError | ServerBusyError)
        if self.login_refused:
            context.login_failures.count(self._source)
            context.counts.logins_refused += 1
        self.link.hang_up_after(self.link.connection.refuse(refusal))

    # -- requests ------------------------------------------------------------------------------------------

    def _message(self, message: Message, size_bytes: int) -> None:
        if isinstance(message, Credit):
            download = self._downloads.get(message.id)
            if download is not None:
                download.credit(message.chunks)
        elif isinstance(message, CommitUpload):
            upload = self._uploads.get(message.id)
            if upload is not None:
                upload.commit(message)
        elif isinstance(message, Cancel):
            transfer = self._uploads.get(message.id) or self._downloads.get(message.id)
            if transfer is not None:
                transfer.cancel(keep=message.keep)
        elif isinstance(message, BeginUpload | GetFile):
            self._open_transfer(message)
        elif isinstance(message, Request):
            self._answering += 1
            self.share.requested(self.link, size_bytes)
            answered = Deferred.fromCoroutine(self._answer(message))
            answered.addErrback(lambda failure: self.refuse(message.id, failure, **asked_of(message)))
            began = self._context.reactor.seconds()
            answered.addBoth(lambda _: self._answered(message, size_bytes, began))

    async def _answer(self, message: Request) -> None:
        """Answer once the answer can be held: of one who takes none, the next are not begun."""
        room_bytes = answer_bytes(message)
        try:
            await self._room.take(room_bytes)
        except ConnectionLostError:
            return  # the session ended while this waited: there is nobody to answer
        try:
            await answer(self._context, self, message)
        finally:
            self._room.give_back(room_bytes)

    def _answered(self, message: Request, size_bytes: int, began: float) -> None:
        self._context.counts.answered(type(message).__name__, self._context.reactor.seconds() - began)
        self._answering -= 1
        self.share.answered(size_bytes)

    def _data(self, event: DataReceived) -> None:
        upload = self._uploads.get(event.request_id)
        if upload is not None:
            upload.data(event.chunk, last=event.last)

    def _open_transfer(self, message: BeginUpload | GetFile) -> None:
        if isinstance(message, BeginUpload):
            # A refused one has a flow all the same: what is in flight for it is counted until it ends.
            self._uploads[message.id] = UploadFlow(self._context, self, message)
            return
        try:
            self.share.begin_download()
        except TooLargeError as error:
            self.refuse(message.id, Failure(error), **asked_of(message))
        else:
            self._downloads[message.id] = DownloadFlow(self._context, self, message)


async def _identify(context: ServerContext, claim: Claim, session_id: int) -> tuple[Caller, ShownLog | None]:
    """Find the caller behind a claim, and what proves that; a join registers first. RequestError says why nobody is let in."""
    if claim.kind == "operator":
        return operator_caller(session_id), None
    key = claim.public_key or b""
    if claim.kind == "join":
        joining = login.JoinInput(claim.user_name, key, claim.device, claim.invitation, session_id, claim.statement)
        await context.entry_pool.run(require_seen_of, context.ledger, claim.statement)
        await context.act(login.join, joining)
    # Whoever is locked out while this reads is no live session yet, and would not hear of it: so read again then.
    unproved = 0
    while unproved < READ_AGAIN:
        changes = context.sessions.changes_of_all
        cosigned = None if context.witnessing is None else context.witnessing.cosigned
        builder = EvidenceBuilder()
        caller = await context.read_apart(login.login, login.LoginInput(claim.user_name, key, session_id), builder)
        shown = await context.entry_pool.run(show_log, context.ledger, builder, claim.log_sizes, cosigned)
        if shown is None:
            unproved += 1
        elif context.sessions.changes_of_all == changes:
            return caller, shown
    # Rows that were put back as they were: the log has this user otherwise.
    raise RecordForgedError("the log has this user otherwise", what=claim.user_name)


def _error_of(failure: Failure) -> BaseException:
    return failure.value if failure.value is not None else RuntimeError("a failure without an error")
