"""Downloads that were cut off: what is gone on with, what is proved before, and what begins again."""

from __future__ import annotations

import os
import random

import msgspec
import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft.client.transfers import download_resume
from sft.client.transfers.batch import get_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Resumption, TransferStage
from sft.client.transfers.unfinished import downloads_of
from sft.crypto.digests import blake2b_512
from sft.errors import (
    ConnectionLostError,
    ContentDamagedError,
    NotAsListedError,
    RoleForbidsError,
    SignatureBadError,
    TransferEndedError,
)
from sft.limits import CHUNK_BYTES, KEPT_SECONDS
from sft.wire.messages import GetFile
from tests.unit.client import memory_server as memory
from tests.unit.client.test_transfers_in_memory import stored

SEGMENT = 10 * CHUNK_BYTES
SIZE = 40 * CHUNK_BYTES + 5
CONTENT = random.Random(1).randbytes(SIZE)


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch):
    monkeypatch.setattr(download_resume, "SEGMENT_BYTES", SEGMENT)


class Here:
    """A computer that gets a file, again and again, from a server in memory."""

    def __init__(self, state, profile, folder):
        self.state, self.profile, self.out = state, profile, folder / "out"
        self.local = self.out / "a.bin"
        self.now = 4000.0
        self.steps = []
        self.stops_after = None
        self.parts = []
        self.runs = []
        self.come("a.bin", CONTENT)

    def come(self, path, content):
        """Have the server, a new one, hold this."""
        self.server = memory.MemoryServer()
        self.comment = stored(self.server, content, path)
        server = self.server
        flow = server._flow

        def stop(request_id, chunks):
            for _ in range(chunks):
                if self.stops_after == 0:
                    return
                if self.stops_after is not None:
                    self.stops_after -= 1
                flow(request_id, 1)

        server._flow = stop

    def session(self, carried_over=None):
        return memory.session_of(self.server, self.state, self.profile, lambda: self.now, carried_over)

    def item(self, **changes):
        file, _ = self.server.files["a.bin"]
        version = file.version
        item = GetItem("a.bin", ("a.bin",), version.size, version.number, version.digest, file.id)
        return msgspec.structs.replace(item, **changes)

    def begin(self, carried_over=None, **options):
        """Begin a get; its results come into a list."""
        self.steps.clear()
        self.running_session = self.session(carried_over)
        ended = []
        running = Deferred.fromCoroutine(
            get_all(self.running_session, [self.item()], to=self.out, report=self.steps.append, **options)
        )
        running.addBoth(ended.append)
        self.server.pump()
        self.runs.append((running, self.server))
        return running, ended

    def end(self):
        """Let nothing go on behind the next test."""
        self.stops_after = 0
        for running, server in self.runs:
            if not server.lost:
                running.cancel()
                server.pump()

    def get(self, carried_over=None, **options):
        _, ended = self.begin(carried_over, **options)
        (result,) = ended[0]
        return result

    def cut_off(self, chunks, carried_over=None):
        """Lose the connection after so many chunks; gives what waits in the process."""
        self.stops_after = chunks
        _, ended = self.begin(carried_over)
        assert not ended
        self.server.lose()
        (result,) = ended[0]
        assert isinstance(result.error, ConnectionLostError)
        self.stops_after = None
        self.renew()
        return self.running_session.carried_over

    def die(self, chunks):
        """Die after so many chunks: nothing of this process goes on, and the system lets its locks go."""
        self.stops_after = chunks
        self.begin()
        self.stops_after = None
        self.parts[-1]._held.let_go()
        self.renew()

    def renew(self):
        """Have the same files on a new line."""
        files = self.server.files
        self.come("a.bin", CONTENT)
        self.server.files = files

    @property
    def record(self):
        (record,) = downloads_of(self.state, self.profile.server_id).all()
        return record

    @property
    def records(self):
        return downloads_of(self.state, self.profile.server_id).all()

    @property
    def first_chunk(self):
        return next(m.first_chunk for m in self.server.received if isinstance(m, GetFile))

    def names(self):
        return sorted(path.name for path in self.out.iterdir())

    def part(self):
        return self.out / f".sft-{self.record.id}.part"

    def why(self):
        return [step.why for step in self.steps if step.stage is TransferStage.RESTARTED]

    def proved(self):
        return max((step.done_bytes for step in self.steps if step.stage is TransferStage.PROVING), default=0)

    def is_whole(self):
        return self.names() == ["a.bin"] and self.local.read_bytes() == CONTENT and not self.records


@pytest.fixture
def here(state, profile, tmp_path, monkeypatch):
    here = Here(state, profile, tmp_path)

    class Noted(download_resume.ResumablePart):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            here.parts.append(self)

    monkeypatch.setattr(download_resume, "ResumablePart", Noted)
    yield here
    here.end()


def test_after_a_death_it_goes_on_from_the_last_mark(here):
    here.die(25)
    assert here.record.done == 16 * CHUNK_BYTES
    assert here.record.prefix == blake2b_512(CONTENT[: here.record.done]).digest()
    mark = here.record.done
    result = here.get()
    assert result.stage is TransferStage.VERIFIED
    assert here.first_chunk * CHUNK_BYTES == mark
    assert here.proved() == mark
    assert result.resumption == Resumption(mark, 25 * CHUNK_BYTES - mark)
    assert here.is_whole()


def test_the_part_is_on_the_disk_before_its_mark_says_so(here, monkeypatch):
    fsync, synced = os.fsync, []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_size) or fsync(fd))
    seen = []
    write = here.state.__class__.write

    def noted(state, name, data, *, sync=True):
        if name.startswith("downloads/"):
            seen.append((msgspec.json.decode(data)["downloads"][0]["done"], max(synced, default=0)))
        return write(state, name, data, sync=sync)

    monkeypatch.setattr(here.state.__class__, "write", noted)
    here.get()
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert len(seen) > 2
    assert all(on_disk >= done for done, on_disk in seen)


def test_a_lost_connection_alone_makes_nothing_be_read_again(here):
    carried_over = here.cut_off(13)
    part = here.part()
    assert part.stat().st_size == 13 * CHUNK_BYTES
    result = here.get(carried_over)
    assert here.first_chunk == 13
    assert here.proved() == 0
    assert result.resumption == Resumption(13 * CHUNK_BYTES, 0)
    assert here.is_whole()


def test_lost_again_and_again_it_is_whole_in_the_end(here):
    carried_over = None
    for chunks in (3, 1, 6, 5, 2):
        carried_over = here.cut_off(chunks, carried_over)
    result = here.get(carried_over)
    assert here.first_chunk == 17
    assert result.resumption.resumed_bytes == 17 * CHUNK_BYTES
    assert here.is_whole()


def test_what_waits_when_the_process_ends_is_gone_on_with_to_the_chunk(here):
    here.cut_off(13).leave()
    assert here.record.done == 13 * CHUNK_BYTES
    assert here.get().resumption.resumed_bytes == 13 * CHUNK_BYTES
    assert here.is_whole()


def test_what_a_person_stopped_is_kept(here):
    here.stops_after = 13
    running, ended = here.begin()
    running.cancel()
    here.server.pump()
    assert ended[0].check(CancelledError)
    here.stops_after = None
    here.renew()
    assert here.record.done == 13 * CHUNK_BYTES
    assert here.get().resumption.resumed_bytes == 13 * CHUNK_BYTES
    assert here.is_whole()


def test_a_file_of_one_segment_leaves_nothing(here, monkeypatch):
    monkeypatch.setattr(download_resume, "SEGMENT_BYTES", SIZE)
    here.stops_after = 13
    running, _ = here.begin()
    running.cancel()
    here.server.pump()
    assert here.names() == []
    assert here.records == []


FORBIDDEN = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="")


@pytest.mark.parametrize("error", [ContentDamagedError(path="a.bin"), FORBIDDEN], ids=["damaged", "forbidden"])
def test_a_refusal_keeps_what_it_says_nothing_against(here, error):
    here.die(25)
    here.server.refuse[GetFile] = error
    assert here.get().error is not None
    assert bool(here.records) is isinstance(error, RoleForbidsError)
    assert here.names() == ([f".sft-{here.record.id}.part"] if here.records else [])


def test_a_server_that_stops_leaves_it_to_be_gone_on_with(here):
    here.stops_after = 13
    _, ended = here.begin()
    (request,) = here.server.flowing
    here.server._refuse(request, TransferEndedError(problem="the server stops"))
    here.server.pump()
    assert isinstance(ended[0][0].error, TransferEndedError)
    assert here.record.done == 13 * CHUNK_BYTES


def test_what_did_not_hold_is_never_kept(here):
    here.server.change = lambda file, content: (file, content[:-1] + b"?")
    result = here.get()
    assert isinstance(result.error, SignatureBadError)
    assert here.names() == []
    assert here.records == []


# -- a wrong part ---------------------------------------------------------------------------------------------


def test_a_wrong_beginning_of_the_right_size_is_never_mixed_in(here):
    """The trap of OpenSSH's reget: it goes on after any prefix and ends well, with a file of two contents."""
    here.die(25)
    part = here.part()
    wrong = bytearray(part.read_bytes())
    wrong[70_000] ^= 1
    with part.open("r+b") as file:
        file.write(wrong)
    result = here.get()
    assert here.first_chunk == 0
    assert here.why() == ["the part here was changed"]
    assert result.resumption.resumed_bytes == 0
    assert here.is_whole()


def test_what_was_changed_beyond_the_mark_is_cut_off(here):
    here.die(25)
    mark = here.record.done
    with here.part().open("r+b") as file:
        file.seek(mark)
        file.write(b"?" * SIZE)
    assert here.get().resumption.resumed_bytes == mark
    assert here.is_whole()


def shorter(here, part, _):
    os.truncate(part, here.record.done - 1)


def linked_twice(_, part, other):
    os.link(part, other)


def replaced(_, part, __):
    content = part.read_bytes()
    spare = part.with_name("spare")
    spare.write_bytes(content)
    spare.replace(part)


def a_link(_, part, other):
    part.rename(other)
    part.symlink_to(other)


def a_folder(_, part, __):
    part.unlink()
    part.mkdir()


def a_pipe(_, part, __):
    part.unlink()
    os.mkfifo(part)


def gone(_, part, __):
    part.unlink()


@pytest.mark.parametrize("spoil", [shorter, linked_twice, replaced, a_link, a_folder, a_pipe, gone])
def test_what_is_not_the_part_that_was_left_is_not_gone_on_with(here, tmp_path, spoil):
    here.die(25)
    other = tmp_path / "other"
    spoil(here, here.part(), other)
    before = other.read_bytes() if other.exists() else None
    result = here.get()
    assert result.stage is TransferStage.VERIFIED
    assert here.first_chunk == 0
    assert here.why() == ["the part here was changed"]
    assert here.local.read_bytes() == CONTENT
    assert (other.read_bytes() if other.exists() else None) == before
    assert not here.records


def test_a_part_of_somebody_else_is_not_gone_on_with(here, monkeypatch):
    here.die(25)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    monkeypatch.setattr(here.state.__class__, "_require_ours", lambda *_: None)
    here.get()
    assert here.first_chunk == 0


@pytest.mark.parametrize("spoil", [linked_twice, gone])
def test_a_part_that_was_changed_while_it_waited_for_a_connection_is_not_gone_on_with(here, tmp_path, spoil):
    carried_over = here.cut_off(13)
    spoil(here, here.part(), tmp_path / "other")
    assert here.get(carried_over).stage is TransferStage.VERIFIED
    assert here.first_chunk == 0
    assert here.why() == ["the part here was changed"]
    assert here.local.read_bytes() == CONTENT


@pytest.mark.parametrize("lost", ["connection", "client"])
def test_another_version_begins_again(here, lost):
    carried_over = here.cut_off(13) if lost == "connection" else here.die(25)
    mark = 13 * CHUNK_BYTES if lost == "connection" else here.record.done
    other = random.Random(2).randbytes(SIZE)
    stored(here.server, other, "a.bin", version=2, prev=bytes(64))
    result = here.get(carried_over)
    assert here.first_chunk == 0
    assert here.why() == ["another version is there now"]
    assert result.resumption.sent_again_bytes == mark
    assert here.local.read_bytes() == other
    assert here.names() == ["a.bin"]
    assert not here.records


def test_a_server_that_announces_another_content_than_was_listed_is_not_gone_on_with(here):
    here.die(25)
    other = random.Random(2).randbytes(SIZE)

    def change(file, _):
        version = msgspec.structs.replace(file.version, digest=blake2b_512(other).digest())
        return msgspec.structs.replace(file, version=version), other

    here.server.change = change
    assert isinstance(here.get().error, NotAsListedError)
    assert here.names() == []


def test_a_server_that_goes_on_with_other_bytes_is_found_out(here):
    here.die(25)
    here.server.change = lambda file, content: (file, content[:-100] + bytes(100))
    assert isinstance(here.get().error, SignatureBadError)
    assert here.names() == []
    assert here.records == []


def test_a_part_that_another_process_works_on_is_left_alone(here):
    here.stops_after = 13
    here.begin()
    busy = here.part().name
    here.stops_after = None
    here.renew()
    assert here.get().stage is TransferStage.VERIFIED
    assert here.first_chunk == 0
    assert here.names() == [busy, "a.bin"]


def test_a_record_of_another_place_is_left_alone(here):
    here.die(25)
    (result,) = here.server.run(get_all(here.session(), [here.item()], to=here.out.with_name("elsewhere")))
    assert result.resumption.resumed_bytes == 0
    assert len(here.records) == 1


def test_a_record_that_has_gone_is_nobodys(here):
    here.die(25)
    records, record = downloads_of(here.state, here.profile.server_id), here.record
    (folder,) = here.state.path("downloads").iterdir()
    (folder / f"{record.id}.json").unlink()
    assert records.hold(record) is None
    assert not [each for each in folder.iterdir() if each.suffix == ".lock"]


def test_what_no_transfer_was_noted_as_is_no_record(here):
    here.die(25)
    record = here.record
    (folder,) = here.state.path("downloads").iterdir()
    text = (folder / f"{record.id}.json").read_text()
    for name in ("notes", "0123456789ABCDEF"):
        (folder / f"{name}.json").write_text(text.replace(record.id, name))
    assert here.records == [record]


@pytest.mark.parametrize("is_other", [False, True])
def test_what_nobody_went_on_with_for_a_week_is_removed(here, is_other):
    here.die(25)
    part = here.part()
    if is_other:
        part.unlink()
        part.write_bytes(b"mine")
        held = part.read_bytes()
    here.now += KEPT_SECONDS
    assert here.get().resumption.resumed_bytes == 0
    assert here.first_chunk == 0
    assert not here.records
    assert (part.read_bytes() == held) if is_other else not part.exists()


def test_a_day_before_that_it_is_gone_on_with(here):
    here.die(25)
    here.now += KEPT_SECONDS - 1
    assert here.get().resumption.resumed_bytes > 0


def test_where_nothing_can_be_noted_it_is_got_all_the_same(here):
    here.state.path("downloads").parent.mkdir(parents=True, exist_ok=True)
    here.state.path("downloads").write_text("in the way")
    assert here.get().stage is TransferStage.VERIFIED
    assert here.local.read_bytes() == CONTENT


def test_what_goes_away_with_its_folder_is_not_noted(here):
    here.stops_after = 13
    running, _ = here.begin(keep_parts=False)
    running.cancel()
    here.server.pump()
    assert here.names() == []
    assert here.records == []


def test_how_it_was_asked_for_is_noted(here):
    here.stops_after = 13
    here.begin(existing=ConflictPolicy.FORCE, with_signature=True, accept_moved=True)
    record = here.record
    assert (record.existing, record.with_signature, record.accept_moved, record.newest) == (
        ConflictPolicy.FORCE, True, True, True,
    )  # fmt: skip
    assert record.local == str(here.local)


def test_no_descriptor_stays_open(here):
    before = os.listdir("/proc/self/fd")
    here.cut_off(13).leave()
    here.get()
    here.local.unlink()
    here.cut_off(13).leave()
    os.truncate(here.part(), 0)
    here.get()
    assert os.listdir("/proc/self/fd") == before
