from __future__ import annotations

import random
from collections import deque

import pytest

from sft.errors import LocalProtocolError
from sft.limits import CHUNK_BYTES, REQUESTS_IN_FLIGHT
from sft.model.evidence import Evidence
from sft.wire.messages import (
    ANSWERS,
    BeginUpload,
    Cancel,
    CommitUpload,
    Credit,
    Done,
    FileBegins,
    FilesContent,
    FilesStored,
    FileStored,
    FolderPage,
    GetFile,
    GetFiles,
    ListFolder,
    LogHead,
    Notice,
    PutFiles,
    Refusal,
    RefusedFile,
    Request,
    ResumePoint,
    ShowSelf,
    UserShown,
    WantedFile,
)
from sft.wire.requests_in_flight import RequestsInFlight
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, SERVER_MESSAGES
from tests.wire_pairs.values import sample

FULL = CHUNK_BYTES


class Data:
    def __init__(self, id: int, size_bytes: int, *, last: bool) -> None:  # noqa: A002
        self.id = id
        self.size_bytes = size_bytes
        self.last = last


def data(request_id: int, size_bytes: int = FULL) -> Data:
    return Data(request_id, size_bytes, last=False)


def last(request_id: int, size_bytes: int = 1) -> Data:
    return Data(request_id, size_bytes, last=True)


def apply(exchanges: RequestsInFlight, side: str, step: object) -> None:
    if isinstance(step, Data):
        send = exchanges.client_sends_data if side == "c" else exchanges.server_sends_data
        send(step.id, step.size_bytes, last=step.last)
    else:
        (exchanges.client_sends if side == "c" else exchanges.server_sends)(step)


def m(kind, request_id=1, **fields):
    return sample(kind, id=request_id, **fields)


BEGIN, COMMIT, GET = m(BeginUpload), m(CommitUpload), m(GetFile)
HEAD = LogHead("head", ())
CANCEL, CREDIT, REFUSED, DONE = m(Cancel), m(Credit, chunks=8), m(Refusal), m(Done)
RESUME = m(BeginUpload, size=3 * FULL + 1, resume=ResumePoint(3, bytes(64)))
RESUME_AT_END = m(BeginUpload, size=3 * FULL, resume=ResumePoint(3, bytes(64)))
GET_LATER = m(GetFile, first_chunk=1)
STORED, BEGINS = m(FileStored), m(FileBegins)
REFUSED_FILE = RefusedFile("NOT_FOUND", {})
GET_THREE = m(GetFiles, files=(WantedFile("a", 1),) * 3)


def content(files: int, *, more: bool = False, evidence: object = None) -> FilesContent:
    return FilesContent(1, (REFUSED_FILE,) * files, evidence, more)


LEGAL = {
    "one request, one answer": [("c", m(ListFolder)), ("s", m(FolderPage))],
    "a refusal": [("c", m(ListFolder)), ("s", REFUSED)],
    "answers in any order": [
        ("c", m(ShowSelf, 1)),
        ("c", m(PutFiles, 2)),
        ("s", m(FilesStored, 2)),
        ("s", m(Refusal, 1)),
    ],
    "upload in one flight": [("c", BEGIN), ("c", data(1)), ("s", CREDIT), ("c", last(1)), ("c", COMMIT), ("s", STORED)],
    "upload of a full last chunk": [("c", BEGIN), ("c", last(1, FULL)), ("c", COMMIT), ("s", STORED)],
    "upload of the empty file": [("c", BEGIN), ("c", last(1, 0)), ("c", COMMIT), ("s", STORED)],
    "upload refused at its end": [("c", BEGIN), ("c", last(1)), ("c", COMMIT), ("s", REFUSED)],
    "refused upload drains to its cancel": [
        ("c", BEGIN),
        ("s", REFUSED),
        ("c", data(1)),
        ("c", CANCEL),
        ("c", m(ShowSelf, 2)),
    ],
    "refused upload drains to its commit": [
        ("c", BEGIN),
        ("s", REFUSED),
        ("c", data(1)),
        ("c", last(1)),
        ("c", COMMIT),
    ],
    "cancelled upload": [("c", BEGIN), ("c", data(1)), ("c", CANCEL), ("s", DONE)],
    "cancelled upload that was refused": [("c", BEGIN), ("c", CANCEL), ("s", REFUSED)],
    "cancel after the last chunk": [("c", BEGIN), ("c", last(1)), ("c", CANCEL), ("s", DONE)],
    "cancel after commit means nothing": [("c", BEGIN), ("c", last(1)), ("c", COMMIT), ("c", CANCEL), ("s", STORED)],
    "resumed upload": [("c", RESUME), ("c", data(1)), ("c", last(1)), ("c", COMMIT), ("s", STORED)],
    "resumed after its last chunk": [("c", RESUME_AT_END), ("c", COMMIT), ("s", STORED)],
    "refused to resume after its last chunk": [("c", RESUME_AT_END), ("s", REFUSED), ("c", COMMIT)],
    "resumed after its last chunk, and cancelled": [("c", RESUME_AT_END), ("c", CANCEL), ("s", DONE)],
    "download from a later chunk": [("c", GET_LATER), ("s", BEGINS), ("s", last(1))],
    "download of a small file": [("c", GET), ("s", BEGINS), ("s", last(1))],
    "download": [("c", GET), ("s", BEGINS), ("s", data(1)), ("c", CREDIT), ("s", last(1))],
    "download refused in its middle": [("c", GET), ("s", BEGINS), ("s", data(1)), ("s", REFUSED)],
    "download cancelled": [("c", GET), ("s", BEGINS), ("c", CANCEL), ("s", data(1)), ("s", DONE)],
    "download cancelled before it began": [("c", GET), ("c", CANCEL), ("s", DONE)],
    "cancel crosses the last chunk": [("c", GET), ("s", BEGINS), ("s", last(1)), ("c", CANCEL)],
    "credit crosses the last chunk": [("c", GET), ("s", BEGINS), ("s", last(1)), ("c", CREDIT)],
    "cancel crosses a refusal": [("c", GET), ("s", REFUSED), ("c", CANCEL)],
    "cancel of what is no transfer": [("c", m(ListFolder)), ("c", CANCEL), ("s", m(FolderPage))],
    "files together": [("c", GET_THREE), ("s", content(3))],
    "files together, of which the rest is asked for again": [("c", GET_THREE), ("s", content(2))],
    "files together in several frames": [
        ("c", GET_THREE),
        ("s", content(0, more=True, evidence=sample(Evidence))),
        ("s", content(2, more=True)),
        ("c", m(ShowSelf, 2)),
        ("s", content(1)),
    ],
    "files together refused in their middle": [("c", GET_THREE), ("s", content(1, more=True)), ("s", REFUSED)],
    "a head of the log at any time": [("s", HEAD), ("c", BEGIN), ("s", HEAD), ("s", HEAD)],
    "a notice at any time": [("s", Notice("role", {})), ("c", BEGIN), ("s", Notice("role", {}))],
}

ILLEGAL = {
    "ids begin at 1": [("c", m(ShowSelf, 2))],
    "no id twice": [("c", m(ShowSelf, 1)), ("c", m(ShowSelf, 1))],
    "no id twice, even when answered": [("c", m(ListFolder, 1)), ("s", m(FolderPage, 1)), ("c", m(ListFolder, 1))],
    "no gaps": [("c", m(ShowSelf, 1)), ("c", m(ShowSelf, 3))],
    "answer to nothing": [("s", DONE)],
    "answered twice": [("c", m(ListFolder)), ("s", m(FolderPage)), ("s", m(FolderPage))],
    "refused twice": [("c", m(ListFolder)), ("s", REFUSED), ("s", REFUSED)],
    "answered to another request": [("c", m(ListFolder)), ("s", m(UserShown))],
    "data for an id never begun": [("c", data(1))],
    "data for what is no upload": [("c", m(ListFolder)), ("c", data(1))],
    "data for a download from the client": [("c", GET), ("c", data(1))],
    "data for an upload from the server": [("c", BEGIN), ("s", data(1))],
    "a short chunk that is not the last": [("c", BEGIN), ("c", data(1, FULL - 1))],
    "a long chunk": [("c", BEGIN), ("c", data(1, FULL + 1))],
    "a long last chunk": [("c", BEGIN), ("c", last(1, FULL + 1))],
    "an empty last chunk after others": [("c", BEGIN), ("c", data(1)), ("c", last(1, 0))],
    "data after the last": [("c", BEGIN), ("c", last(1)), ("c", data(1))],
    "two last chunks": [("c", BEGIN), ("c", last(1)), ("c", last(1))],
    "data after commit": [("c", BEGIN), ("c", last(1)), ("c", COMMIT), ("c", data(1))],
    "data after cancel": [("c", BEGIN), ("c", CANCEL), ("c", data(1))],
    "data after a refusal and cancel": [("c", BEGIN), ("s", REFUSED), ("c", CANCEL), ("c", data(1))],
    "commit without the last chunk": [("c", BEGIN), ("c", data(1)), ("c", COMMIT)],
    "commit after cancel": [("c", BEGIN), ("c", last(1)), ("c", CANCEL), ("c", COMMIT)],
    "commit twice": [("c", BEGIN), ("c", last(1)), ("c", COMMIT), ("c", COMMIT)],
    "commit of what is no upload": [("c", GET), ("c", COMMIT)],
    "commit of an id never begun": [("c", COMMIT)],
    "cancel of an id never begun": [("c", CANCEL)],
    "credit for an id never begun": [("c", CREDIT)],
    "credit for no upload": [("c", GET), ("s", CREDIT)],
    "credit for an answered upload": [("c", BEGIN), ("s", REFUSED), ("s", CREDIT)],
    "stored before commit": [("c", BEGIN), ("c", last(1)), ("s", STORED)],
    "stored after cancel": [("c", BEGIN), ("c", last(1)), ("c", CANCEL), ("s", STORED)],
    "done without cancel": [("c", BEGIN), ("s", DONE)],
    "done though committed": [("c", BEGIN), ("c", last(1)), ("c", COMMIT), ("c", CANCEL), ("s", DONE)],
    "download done without cancel": [("c", GET), ("s", BEGINS), ("s", DONE)],
    "download data before it begins": [("c", GET), ("s", data(1))],
    "download begins twice": [("c", GET), ("s", BEGINS), ("s", BEGINS)],
    "more files together than were asked for": [("c", GET_THREE), ("s", content(4))],
    "more files together in the end than were asked for": [
        ("c", GET_THREE),
        ("s", content(2, more=True)),
        ("s", content(2)),
    ],
    "files together after their last frame": [("c", GET_THREE), ("s", content(1)), ("s", content(1))],
    "no file at all": [("c", GET_THREE), ("s", content(0))],
    "no file to the end": [("c", GET_THREE), ("s", content(0, more=True)), ("s", content(0))],
    "an empty frame after the first": [("c", GET_THREE), ("s", content(1, more=True)), ("s", content(0, more=True))],
    "evidence after the first frame": [
        ("c", GET_THREE),
        ("s", content(1, more=True)),
        ("s", content(1, evidence=sample(Evidence))),
    ],
    "files together after the beginning of one": [("c", GET), ("s", BEGINS), ("s", m(FilesContent))],
    "download data after the last": [("c", GET), ("s", BEGINS), ("s", last(1)), ("s", data(1))],
    "refused after the last": [("c", GET), ("s", BEGINS), ("s", last(1)), ("s", REFUSED)],
    "download data after a refusal": [("c", GET), ("s", BEGINS), ("s", REFUSED), ("s", data(1))],
    "download data after done": [("c", GET), ("s", BEGINS), ("c", CANCEL), ("s", DONE), ("s", data(1))],
    "a short chunk of a download": [("c", GET), ("s", BEGINS), ("s", data(1, 5))],
    "resumed beyond its end": [("c", m(BeginUpload, size=FULL, resume=ResumePoint(2, bytes(64))))],
    "resumed empty": [("c", m(BeginUpload, size=0, resume=ResumePoint(1, bytes(64))))],
    "resumed without a size": [("c", m(BeginUpload, size=None, resume=ResumePoint(1, bytes(64))))],
    "an empty last chunk after a point": [("c", RESUME), ("c", last(1, 0))],
    "data after a point that is the end": [("c", RESUME_AT_END), ("c", data(1))],
    "a last chunk after a point that is the end": [("c", RESUME_AT_END), ("c", last(1))],
    "commit at a point that is not the end": [("c", RESUME), ("c", COMMIT)],
    "an empty last chunk of a download from a later one": [("c", GET_LATER), ("s", BEGINS), ("s", last(1, 0))],
    "a reply from a client": [("c", DONE)],
}


@pytest.mark.parametrize("steps", LEGAL.values(), ids=LEGAL)
def test_legal(steps):
    exchanges = RequestsInFlight()
    for side, step in steps:
        apply(exchanges, side, step)


@pytest.mark.parametrize("steps", ILLEGAL.values(), ids=ILLEGAL)
def test_illegal(steps):
    exchanges = RequestsInFlight()
    *before, (side, step) = steps
    for earlier_side, earlier in before:
        apply(exchanges, earlier_side, earlier)
    count, next_id = exchanges.count, exchanges.next_id
    with pytest.raises(LocalProtocolError):
        apply(exchanges, side, step)
    assert (exchanges.count, exchanges.next_id) == (count, next_id)


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.__name__)
def test_each_request_takes_its_own_answers_alone(kind):
    for reply in SERVER_MESSAGES - {Notice, LogHead, Credit}:
        exchanges = RequestsInFlight()
        exchanges.client_sends(m(kind))
        if kind is BeginUpload:
            exchanges.client_sends_data(1, 0, last=True)
            exchanges.client_sends(CANCEL if reply is Done else COMMIT)
        elif kind is GetFile and reply is Done:
            exchanges.client_sends(CANCEL)
        if reply in ANSWERS[kind] or reply is Refusal:
            exchanges.server_sends(m(reply))
        else:
            with pytest.raises(LocalProtocolError):
                exchanges.server_sends(m(reply))


def test_what_is_over_is_forgotten():
    for steps in (LEGAL["upload in one flight"], LEGAL["download"], LEGAL["a refusal"]):
        exchanges = RequestsInFlight()
        for side, step in steps:
            apply(exchanges, side, step)
        assert exchanges.count == 0


def test_a_refused_upload_is_in_flight_until_its_client_ended_it():
    exchanges = RequestsInFlight()
    exchanges.client_sends(BEGIN)
    exchanges.server_sends(REFUSED)
    assert exchanges.count == 1
    exchanges.client_sends(CANCEL)
    assert exchanges.count == 0


def test_requests_in_flight_are_bounded():
    exchanges = RequestsInFlight()
    for number in range(1, REQUESTS_IN_FLIGHT + 1):
        exchanges.client_sends(m(ListFolder, number))
    with pytest.raises(LocalProtocolError):
        exchanges.client_sends(m(ListFolder, exchanges.next_id))
    exchanges.server_sends(m(FolderPage, 5))
    exchanges.client_sends(m(ListFolder, exchanges.next_id))


def any_step(side: str, chance: random.Random, next_id: int) -> object:
    request_id = chance.randint(1, max(1, next_id - 1))
    if chance.random() < 0.3:
        size = chance.choice([0, 1, FULL])
        return Data(request_id, size, last=chance.random() < 0.5)
    kind = chance.choice(
        [BeginUpload, GetFile, BeginUpload, GetFile, CommitUpload, Cancel, Credit, ListFolder]
        if side == "c"
        else [FileStored, Done, FileBegins, Refusal, Credit, FolderPage, FileBegins]
    )
    fields = {}
    if kind is BeginUpload and chance.random() < 0.3:
        fields = {"size": 2 * FULL, "resume": ResumePoint(chance.randint(1, 3), bytes(64))}
    return m(kind, next_id if issubclass(kind, Request) else request_id, **fields)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.sampled(4)
def test_what_one_end_allows_the_other_accepts_however_frames_cross(seed):
    chance = random.Random(seed)
    accounts = {"c": RequestsInFlight(), "s": RequestsInFlight()}
    wires: dict[str, deque[object]] = {"c": deque(), "s": deque()}  # by sender
    sent = 0
    for _ in range(1200):
        side = chance.choice("cs")
        other = "s" if side == "c" else "c"
        if chance.random() < 0.5 and wires[other]:
            apply(accounts[side], other, wires[other].popleft())  # must not raise
            continue
        step = any_step(side, chance, accounts[side].next_id)
        try:
            apply(accounts[side], side, step)
        except LocalProtocolError:
            continue
        wires[side].append(step)
        sent += 1
    assert sent > 150


def test_only_requests_move_the_next_id():
    exchanges = RequestsInFlight()
    assert exchanges.next_id == 1
    exchanges.client_sends(BEGIN)
    for kind in CLIENT_MESSAGES & {Cancel, Credit}:
        exchanges.client_sends(m(kind, chunks=1) if kind is Credit else m(kind))
        assert exchanges.next_id == 2
