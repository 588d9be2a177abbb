"""Which requests are in flight, and which frames of a transfer may still come: the grammar that both ends share.

    client   request ids 1, 2, 3 …; upload: BeginUpload Data* LastData CommitUpload, or Cancel anywhere before CommitUpload
    server   one answer to each request; download: FileBegins Data* LastData, or a refusal anywhere before LastData;
             small files: FilesContent*, each but the last with ``more``

Both ends keep the same account and neither needs the other's clock: the client's half is judged by the order of the
client's frames alone, the server's half by its own frames and the requests before them. Frames that cross are legal:
Cancel and Credit for a request that is over are delivered and mean nothing; Data of an upload that was refused goes on
until its CommitUpload or Cancel.

Rules. At most 128 requests are in flight (not answered, or an upload not ended): so the account is bounded. A request is
answered once. Each Data is full; a LastData is empty only for the empty file. An upload that goes on after its
last chunk has no Data, and one of unknown size goes on nowhere. How many chunks may be sent is credit, and that is not
counted here. A rule that is broken raises LocalProtocolError and changes nothing; what came from the peer is
relabelled by the one door through which it came (``Connection.receive``).
"""

from __future__ import annotations

from collections.abc import Mapping

from sft.errors import LocalProtocolError
from sft.limits import CHUNK_BYTES, REQUESTS_IN_FLIGHT
from sft.wire.messages import (
    ANSWERS,
    BeginUpload,
    Cancel,
    CommitUpload,
    Credit,
    Done,
    FileBegins,
    FilesContent,
    FileStored,
    GetFile,
    GetFiles,
    Refusal,
)
from sft.wire.replies import Reply
from sft.wire.requests import Message, Request


class _Stream:
    """The Data frames of one transfer, in one direction."""

    __slots__ = ("_any", "ended")

    def __init__(self, *, any_before: bool = False, ended: bool = False) -> None:
        self._any = any_before
        self.ended = ended

    def add(self, size_bytes: int, *, last: bool) -> None:
        if self.ended:
            raise LocalProtocolError("data after the last")
        if not last and size_bytes != CHUNK_BYTES:
            raise LocalProtocolError(f"a chunk of {size_bytes} bytes that is not the last")
        if size_bytes > CHUNK_BYTES or (not size_bytes and self._any):
            raise LocalProtocolError(f"a last chunk of {size_bytes} bytes")
        self._any = True
        self.ended = last


class _Results:
    """The FilesContent frames of one answer: each file once at most, one at least."""

    __slots__ = ("_begun", "_left", "_most")

    def __init__(self, most: int) -> None:
        self._begun = False
        self._left = self._most = most

    def add(self, frame: FilesContent) -> None:
        if self._begun and frame.evidence is not None:
            raise LocalProtocolError("evidence after the first frame of an answer")
        if self._begun and not frame.results:
            raise LocalProtocolError("an empty frame after the first")
        if len(frame.results) > self._left:
            raise LocalProtocolError(f"more than {self._most} files for as many that were asked for")
        if not frame.more and not frame.results:
            raise LocalProtocolError("an answer without a file")
        self._begun = True
        self._left -= len(frame.results)


class _Exchange:
    """One request and all that belongs to it."""

    __slots__ = (
        "answered",
        "answers",
        "cancelled",
        "committed",
        "download",
        "first_chunk",
        "kind",
        "results",
        "upload",
    )

    def __init__(self, request: Request, answers: frozenset[type[Reply]]) -> None:
        self.kind = type(request)
        self.answers = answers
        self.answered = False
        self.committed = False
        self.cancelled = False
        # None again after Commit, Cancel
        self.upload = _stream_of(request) if isinstance(request, BeginUpload) else None
        self.download: _Stream | None = None  # there from FileBegins on
        self.first_chunk = request.first_chunk if isinstance(request, GetFile) else 0
        self.results = _Results(len(request.files)) if isinstance(request, GetFiles) else None

    @property
    def over(self) -> bool:
        return self.answered and self.upload is None

    def may_answer(self, kind: type[Reply]) -> bool:
        if kind not in self.answers:
            return False
        if self.kind not in {BeginUpload, GetFile}:
            return True
        if kind is Done:
            return self.cancelled
        return self.committed if kind is FileStored else self.download is None


def _stream_of(begin: BeginUpload) -> _Stream:
    """Return what may come of an upload: nothing more where all of it is there already."""
    if begin.resume is None:
        return _Stream()
    chunks = 0 if begin.size is None else -(-begin.size // CHUNK_BYTES)
    if begin.resume.chunks > chunks:
        raise LocalProtocolError(f"an upload of {chunks} chunks that goes on after {begin.resume.chunks}")
    return _Stream(any_before=True, ended=begin.resume.chunks == chunks)


class RequestsInFlight:
    """The account of one connection.

    Args:
        answers: what may answer each request, in the version that the connection speaks.
    """

    __slots__ = ("_answers", "_in_flight", "_last_id")

    def __init__(self, answers: Mapping[type[Request], frozenset[type[Reply]]] = ANSWERS) -> None:
        self._answers = answers
        self._last_id = 0
        self._in_flight: dict[int, _Exchange] = {}

    @property
    def next_id(self) -> int:
        """The id that the next request must carry."""
        return self._last_id + 1

    @property
    def count(self) -> int:
        return len(self._in_flight)

    def client_sends(self, message: Message) -> None:
        """Enter a message of the client; LocalProtocolError if it is not its turn."""
        if isinstance(message, Request):
            self._begin(message)
        elif isinstance(message, CommitUpload):
            exchange = self._in_flight.get(message.id)
            if exchange is None or exchange.upload is None or not exchange.upload.ended:
                raise LocalProtocolError(f"commit of {message.id}, which has not sent its last")
            exchange.upload = None
            exchange.committed = True
            self._settle(message.id, exchange)
        elif isinstance(message, Cancel | Credit):
            if message.id > self._last_id:
                raise LocalProtocolError(f"{type(message).__name__} of {message.id}: never begun")
            exchange = self._in_flight.get(message.id)
            if exchange is not None and isinstance(message, Cancel) and not exchange.committed:
                exchange.upload = None
                exchange.cancelled = True
                self._settle(message.id, exchange)
        else:
            raise LocalProtocolError(f"a client sends no {type(message).__name__}")

    def client_sends_data(self, request_id: int, size_bytes: int, *, last: bool) -> None:
        exchange = self._in_flight.get(request_id)
        if exchange is None or exchange.upload is None:
            raise LocalProtocolError(f"data for {request_id}, which is no open upload")
        exchange.upload.add(size_bytes, last=last)

    def server_sends(self, message: Message) -> None:
        if isinstance(message, Credit):
            if self._unanswered(message.id).kind is not BeginUpload:
                raise LocalProtocolError(f"credit for {message.id}, which is no upload")
        elif isinstance(message, Reply):
            self._answer(message)

    def server_sends_data(self, request_id: int, size_bytes: int, *, last: bool) -> None:
        """Enter a chunk of a download; the last one is the end of its answer."""
        exchange = self._unanswered(request_id)
        if exchange.download is None:
            raise LocalProtocolError(f"data for {request_id}, which has not begun")
        exchange.download.add(size_bytes, last=last)
        if last:
            exchange.answered = True
            self._settle(request_id, exchange)

    def _begin(self, request: Request) -> None:
        if request.id != self._last_id + 1:
            raise LocalProtocolError(f"request {request.id} after {self._last_id}")
        if len(self._in_flight) >= REQUESTS_IN_FLIGHT:
            raise LocalProtocolError(f"more than {REQUESTS_IN_FLIGHT} requests in flight")
        self._in_flight[request.id] = _Exchange(request, self._answers.get(type(request), frozenset()))
        self._last_id = request.id

    def _answer(self, reply: Reply) -> None:
        exchange = self._unanswered(reply.id)
        kind = type(reply)
        if kind is not Refusal and not exchange.may_answer(kind):
            raise LocalProtocolError(f"{kind.__name__} answers no {exchange.kind.__name__} here")
        if kind is FileBegins:
            exchange.download = _Stream(any_before=exchange.first_chunk > 0)
            return
        if isinstance(reply, FilesContent) and exchange.results is not None:
            exchange.results.add(reply)
            if reply.more:
                return
        exchange.answered = True
        self._settle(reply.id, exchange)

    def _unanswered(self, request_id: int) -> _Exchange:
        exchange = self._in_flight.get(request_id)
        if exchange is None or exchange.answered:
            raise LocalProtocolError(f"an answer to {request_id}, which awaits none")
        return exchange

    def _settle(self, request_id: int, exchange: _Exchange) -> None:
        if exchange.over:
            del self._in_flight[request_id]
