"""Uploads that were cut off: what is gone on with, what is read again, and what begins again."""

from __future__ import annotations

import os
import random

import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft.client.transfers import upload_resume, upload_stream
from sft.client.transfers.batch import put_all
from sft.client.transfers.plan import PutItem
from sft.client.transfers.progress import Resumption, TransferStage
from sft.client.transfers.unfinished import uploads_of
from sft.errors import (
    ConnectionLostError,
    RemoteProtocolError,
    RoleForbidsError,
    SourceChangedError,
    TransferEndedError,
    UploadGoneError,
)
from sft.limits import CHUNK_BYTES, KEPT_SECONDS
from sft.wire.messages import BeginUpload, FindUpload
from tests.unit.client import memory_server as memory
from tests.unit.client.test_transfers_in_memory import stored

SEGMENT_CHUNKS = 24
SIZE = 160 * CHUNK_BYTES + 5
CONTENT = random.Random(3).randbytes(SIZE)


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch):
    monkeypatch.setattr(upload_resume, "SEGMENT_BYTES", SEGMENT_CHUNKS * CHUNK_BYTES)
    monkeypatch.setattr(upload_stream, "SEGMENT_CHUNKS", SEGMENT_CHUNKS)


class Here:
    """A computer that sends a file, again and again, to a server in memory."""

    def __init__(self, state, profile, folder):
        self.state, self.profile = state, profile
        self.local = folder / "a.bin"
        self.local.write_bytes(CONTENT)
        self.now = 4000.0
        self.steps = []
        self.server = memory.MemoryServer()
        self.runs = []

    def session(self, carried_over=None):
        return memory.session_of(self.server, self.state, self.profile, lambda: self.now, carried_over)

    def begin(self, carried_over=None, **options):
        self.steps.clear()
        self.running_session = self.session(carried_over)
        ended = []
        item = PutItem(self.local, "docs/a.bin", self.local.stat().st_size)
        running = Deferred.fromCoroutine(put_all(self.running_session, [item], report=self.steps.append, **options))
        running.addBoth(ended.append)
        self.server.pump()
        self.runs.append((running, self.server))
        return running, ended

    def put(self, carried_over=None, **options):
        _, ended = self.begin(carried_over, **options)
        (result,) = ended[0]
        return result

    def cut_off(self, chunks, carried_over=None, *, server_dies=False, **options):
        """Lose the connection when the server has so many chunks; gives what waits in the process."""
        self.server.takes = chunks
        _, ended = self.begin(carried_over, **options)
        assert not ended
        self.server.lose()
        (result,) = ended[0]
        assert isinstance(result.error, ConnectionLostError)
        self.renew(server_dies=server_dies)
        return self.running_session.carried_over

    def die(self, chunks, *, server_dies=False, **options):
        """Die when the server has so many chunks: only what the disk has is left."""
        self.cut_off(chunks, server_dies=server_dies, **options).leave()

    def renew(self, *, server_dies=False):
        before, self.server = self.server, memory.MemoryServer(log=self.server.log)
        self.server.files = before.files
        for upload_id, chunks in before.parked.items():
            kept = len(chunks) // SEGMENT_CHUNKS * SEGMENT_CHUNKS if server_dies else len(chunks)
            if kept:
                self.server.parked[upload_id] = chunks[:kept]

    def end(self):
        for running, server in self.runs:
            if not server.lost:
                running.cancel()
                server.pump()

    @property
    def records(self):
        return uploads_of(self.state, self.profile.server_id).all()

    @property
    def record(self):
        (record,) = self.records
        return record

    def begun(self):
        return [message for message in self.server.received if isinstance(message, BeginUpload)]

    def why(self):
        return [step.why for step in self.steps if step.stage is TransferStage.RESTARTED]

    def proved(self):
        return max((step.done_bytes for step in self.steps if step.stage is TransferStage.PROVING), default=0)

    def is_stored(self, content=CONTENT):
        return self.server.files["docs/a.bin"][1] == content and not self.records


@pytest.fixture
def here(state, profile, tmp_path):
    here = Here(state, profile, tmp_path)
    yield here
    here.end()


def had(here):
    (chunks,) = here.server.parked.values()
    return len(chunks)


def test_it_is_noted_before_its_first_byte_leaves(here):
    here.server.hold = True
    here.begin()
    (begun,) = here.begun()
    assert here.record.id == begun.upload_id.hex()
    assert (here.record.path, here.record.local) == ("docs/a.bin", str(here.local))


def test_a_lost_connection_alone_makes_nothing_be_read_again(here, monkeypatch):
    carried_over = here.cut_off(50)
    chunks = had(here)
    read, count = os.read, []
    monkeypatch.setattr(os, "read", lambda fd, size: (data := read(fd, size), count.append(len(data)))[0])
    result = here.put(carried_over)
    (begun,) = here.begun()
    assert begun.resume.chunks == chunks
    assert here.proved() == 0
    assert sum(size for size in count if size >= CHUNK_BYTES) <= SIZE - chunks * CHUNK_BYTES
    assert result.stage is TransferStage.STORED
    assert result.resumption.resumed_bytes == chunks * CHUNK_BYTES
    assert 0 <= result.resumption.sent_again_bytes <= 32 * CHUNK_BYTES
    assert here.is_stored()


def test_where_the_server_died_nothing_is_read_again_either(here):
    carried_over = here.cut_off(60, server_dies=True)
    result = here.put(carried_over)
    assert here.begun()[0].resume.chunks % SEGMENT_CHUNKS == 0
    assert here.proved() == 0
    assert result.resumption.sent_again_bytes > 0
    assert here.is_stored()


@pytest.mark.parametrize("server_dies", [False, True])
def test_who_died_reads_the_source_again_up_to_where_the_server_is(here, server_dies):
    here.die(60, server_dies=server_dies)
    chunks = had(here)
    result = here.put()
    assert here.begun()[0].resume.chunks == chunks
    assert here.proved() == chunks * CHUNK_BYTES
    assert result.resumption.resumed_bytes == chunks * CHUNK_BYTES
    assert here.is_stored()


def test_lost_again_and_again_it_is_stored_in_the_end(here):
    carried_over = None
    for number, chunks in enumerate((9, 40, 41, 100, 140)):
        carried_over = here.cut_off(chunks, carried_over, server_dies=number % 2 == 1)
    assert here.put(carried_over).stage is TransferStage.STORED
    assert here.is_stored()


def test_what_a_person_stopped_is_kept_there(here):
    here.server.takes = 50
    running, ended = here.begin()
    running.cancel()
    here.server.pump()
    assert ended[0].check(CancelledError)
    here.renew()
    assert here.put().resumption.resumed_bytes > 0
    assert here.is_stored()


def test_all_of_it_may_be_there_already(here):
    here.server.takes = 161
    here.server.answer_commit = here.server._commit_upload
    here.server._commit_upload = lambda _: None
    _, ended = here.begin()
    assert not ended
    here.server.lose()
    here.renew()
    result = here.put(here.running_session.carried_over)
    assert here.begun()[0].resume.chunks == 161
    assert result.resumption == Resumption(SIZE, 0)
    assert here.is_stored()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("who", ["connection", "client"])
def test_stored_without_an_answer_it_is_found_there(here, replace, who):
    answer = here.server.send
    here.server.send = lambda message: None if type(message).__name__ == "FileStored" else answer(message)
    _, ended = here.begin(replace=replace)
    assert not ended
    here.server.lose()
    here.renew()
    carried_over = here.running_session.carried_over
    if who == "client":
        carried_over.leave()
    assert here.put(carried_over, replace=replace).stage is TransferStage.UNCHANGED
    assert here.is_stored()


def changed(path):
    with path.open("r+b") as file:
        file.write(b"?")


def other_date(path):
    os.utime(path, ns=(5, 5))


def replaced(path):
    spare = path.with_name("spare")
    spare.write_bytes(CONTENT)
    os.utime(spare, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    spare.replace(path)


def longer(path):
    with path.open("ab") as file:
        file.write(b"?")


@pytest.mark.parametrize("change", [changed, other_date, replaced, longer])
@pytest.mark.parametrize("who", ["connection", "client"])
@pytest.mark.sampled(4)
def test_a_source_that_changed_begins_again(here, change, who):
    carried_over = here.cut_off(60)
    if who == "client":
        carried_over.leave()
    change(here.local)
    result = here.put(carried_over)
    assert here.why() == ["the source changed"]
    (begun,) = here.begun()
    assert begun.resume is None
    assert result.resumption.resumed_bytes == 0
    assert here.is_stored(here.local.read_bytes())


def test_what_the_server_keeps_no_more_begins_again(here):
    here.die(60)
    here.server.parked.clear()
    result = here.put()
    assert here.why() == ["the server keeps nothing of it"]
    assert here.begun()[0].resume is None
    assert result.stage is TransferStage.STORED
    assert here.is_stored()


@pytest.mark.parametrize("who", ["connection", "client"])
def test_what_the_server_has_otherwise_begins_again(here, who):
    carried_over = here.cut_off(60)
    if who == "client":
        carried_over.leave()
    (upload_id,) = here.server.parked
    here.server.parked[upload_id] = [bytes(CHUNK_BYTES) for _ in here.server.parked[upload_id]]
    result = here.put(carried_over)
    assert here.why() == ["it has another content"]
    first, second = here.begun()
    assert first.resume is not None
    assert second.resume is None
    assert second.upload_id != first.upload_id
    assert result.resumption.resumed_bytes == 0
    assert here.is_stored()


def test_what_is_gone_between_asking_and_going_on_begins_again(here):
    here.die(60)
    find = here.server._find_upload

    def find_and_lose(message):
        find(message)
        here.server.parked.clear()

    here.server._find_upload = find_and_lose
    refused = here.server._refuse
    here.server._refuse = lambda request, _: refused(request, UploadGoneError())
    assert here.put().stage is TransferStage.STORED
    assert here.why() == ["the server keeps nothing of it"]
    assert here.is_stored()


def test_a_server_that_has_more_than_there_is_breaks_the_protocol(here):
    here.die(60)
    (upload_id,) = here.server.parked
    here.server.parked[upload_id] = [b""] * 162
    assert isinstance(here.put().error, RemoteProtocolError)
    assert here.records


def test_a_version_that_replaces_goes_on_as_that_version(here):
    stored(here.server, b"first", "docs/a.bin")
    here.die(60, replace=True)
    assert here.put(replace=True).stored.version == 2
    assert here.begun()[0].resume is not None
    assert here.is_stored()


def test_another_version_before_it_begins_again(here):
    stored(here.server, b"first", "docs/a.bin")
    here.die(60, replace=True)
    stored(here.server, b"second", "docs/a.bin", version=2, prev=bytes(64))
    assert here.put(replace=True).stored.version == 3
    assert here.why() == ["another version is there now"]
    assert here.begun()[0].resume is None


def test_a_file_of_one_segment_leaves_no_note(here, monkeypatch):
    monkeypatch.setattr(upload_resume, "SEGMENT_BYTES", SIZE)
    here.cut_off(60)
    assert here.records == []


def test_an_upload_that_another_process_works_on_is_left_alone(here):
    here.server.takes = 60
    here.begin()
    busy = here.record
    here.renew()
    assert here.put().stage is TransferStage.STORED
    assert not [message for message in here.server.received if isinstance(message, FindUpload)]
    assert here.records == [busy]


@pytest.mark.parametrize("is_kept", [True, False])
def test_after_a_refusal_the_server_says_what_it_has(here, is_kept):
    here.server.takes = 60
    _, ended = here.begin()
    (request,) = here.server.open
    error = TransferEndedError(problem="x") if is_kept else None
    if error is None:
        here.local.write_bytes(CONTENT[:-CHUNK_BYTES])
        here.server.takes = None
        here.server.send(memory.Credit(id=request, chunks=8))
    else:
        here.server.open.pop(request)
        here.server._refuse(request, error)
    here.server.pump()
    assert isinstance(ended[0][0].error, TransferEndedError if is_kept else SourceChangedError)
    assert bool(here.records) is is_kept


def test_a_refusal_to_say_is_told_and_nothing_forgotten(here):
    here.die(60)
    here.server.refuse[FindUpload] = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="")
    assert isinstance(here.put().error, RoleForbidsError)
    assert len(here.records) == 1


def test_what_nobody_went_on_with_for_a_week_is_forgotten(here):
    here.die(60)
    here.now += KEPT_SECONDS
    here.put()
    assert here.begun()[0].resume is None
    assert here.is_stored()


def test_how_far_it_is_is_noted_meanwhile(here):
    here.die(150)
    assert 0 < here.record.done <= 150 * CHUNK_BYTES
    assert here.record.done % CHUNK_BYTES == 0


def test_no_descriptor_stays_open(here):
    before = os.listdir("/proc/self/fd")
    here.die(60)
    here.put()
    here.server.files.clear()
    here.die(60)
    changed(here.local)
    here.put()
    assert os.listdir("/proc/self/fd") == before
