"""Downloads that were cut off: what is gone on with, what is proved before, and what begins again."""

from __future__ import annotations

import base64
import errno
import json
import os
import random
import time

import msgspec
import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft import durable
from sft.client.transfers import download, download_resume
from sft.client.transfers.batch import get_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem
from sft.client.transfers.progress import Resumption, TransferStage
from sft.client.transfers.unfinished import downloads_of
from sft.crypto.digests import blake2b_512
from sft.errors import (
    ConnectionLostError,
    ContentDamagedError,
    LocalDiskFullError,
    LocalExistsError,
    NotAsListedError,
    RoleForbidsError,
    SignatureBadError,
    TransferEndedError,
)
from sft.limits import CHUNK_BYTES, KEPT_SECONDS
from sft.wire.messages import GetFile, ShowFile
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

    @property
    def record_path(self):
        folder = self.state.path("downloads") / self.profile.server_id.hex()[:32]
        (path,) = folder.glob("*.json")
        return path

    @property
    def part_path(self):
        (part,) = self.out.glob(".sft-*.part")
        return part

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


# -- whole, and no place for it ---------------------------------------------------------------------------------


def appears(here, monkeypatch, name="a.bin", content=b"somebody's"):
    """Have somebody make a file of that name while the last bytes come."""
    verified = download.judge_over

    def judged(*arguments, **options):
        (here.out / name).write_bytes(content)
        return verified(*arguments, **options)

    monkeypatch.setattr(download, "judge_over", judged)
    result = here.get(with_signature=name.endswith("minisig"))
    monkeypatch.setattr(download, "judge_over", verified)
    here.renew()
    return result


@pytest.mark.parametrize("policy", [ConflictPolicy.FORCE, ConflictPolicy.KEEP_BOTH])
def test_what_is_whole_when_its_name_is_taken_is_placed_later_and_no_byte_moves_again(here, monkeypatch, policy):
    assert isinstance(appears(here, monkeypatch).error, LocalExistsError)
    assert here.local.read_bytes() == b"somebody's"
    assert here.record.done == SIZE
    still = here.get()
    assert isinstance(still.error, LocalExistsError)
    result = here.get(existing=policy)
    assert result.stage is TransferStage.VERIFIED
    assert result.resumption == Resumption(SIZE, 0)
    assert not [message for message in here.server.received if isinstance(message, GetFile)]
    assert here.proved() == SIZE
    assert result.local.read_bytes() == CONTENT
    assert here.names() == (["a.bin"] if policy is ConflictPolicy.FORCE else ["a (2).bin", "a.bin"])
    assert result.local.stat().st_mtime == here.comment.mtime
    assert not here.records


def test_what_another_get_of_the_same_has_brought_meanwhile_is_here(here, monkeypatch):
    assert appears(here, monkeypatch, content=CONTENT).stage is TransferStage.UNCHANGED
    assert here.names() == ["a.bin"]
    assert not here.records


def test_what_is_whole_gets_its_signature_when_it_is_placed(here, monkeypatch):
    assert isinstance(appears(here, monkeypatch, "a.bin.minisig").error, LocalExistsError)
    assert here.names() == [here.part().name, "a.bin.minisig"]
    result = here.get(existing=ConflictPolicy.FORCE, with_signature=True)
    assert result.signature.read_text().startswith("untrusted comment: ")
    assert here.names() == ["a.bin", "a.bin.minisig"]


def test_what_is_whole_is_judged_when_it_is_placed(here, monkeypatch):
    appears(here, monkeypatch)
    here.server.refuse[ShowFile] = FORBIDDEN
    assert isinstance(here.get(existing=ConflictPolicy.FORCE).error, RoleForbidsError)
    assert here.record.done == SIZE
    here.renew()
    file, content = here.server.files["a.bin"]
    stored(here.server, b"another", "b.bin", file_id=b"another file's i")
    signature = here.server.files["b.bin"][0].version.signature
    here.server.files["a.bin"] = (
        msgspec.structs.replace(file, version=msgspec.structs.replace(file.version, signature=signature)), content
    )  # fmt: skip
    assert isinstance(here.get(existing=ConflictPolicy.FORCE).error, SignatureBadError)
    assert here.local.read_bytes() == b"somebody's"
    assert here.names() == ["a.bin"]
    assert not here.records


def test_another_whole_that_a_record_vouches_for_begins_again(here, monkeypatch):
    appears(here, monkeypatch)
    other = random.Random(2).randbytes(SIZE)
    with here.part().open("r+b") as file:
        file.write(other)
    records = downloads_of(here.state, here.profile.server_id)
    held = records.hold(here.record)
    held.save(prefix=blake2b_512(other).digest())
    held.let_go()
    result = here.get(existing=ConflictPolicy.FORCE)
    assert here.why() == ["the part here was changed"]
    assert result.stage is TransferStage.VERIFIED
    assert here.is_whole()


def test_a_connection_that_is_lost_behind_the_last_byte_costs_none(here, monkeypatch):
    def lose(*_, **__):
        raise ConnectionLostError

    verified = download.judge_over
    monkeypatch.setattr(download, "judge_over", lose)
    assert isinstance(here.get().error, ConnectionLostError)
    monkeypatch.setattr(download, "judge_over", verified)
    here.renew()
    assert here.get(here.running_session.carried_over).resumption.resumed_bytes == SIZE
    assert here.is_whole()


def test_what_waits_is_gone_on_with_as_it_is_asked_for_now(here):
    carried_over = here.cut_off(13)
    here.local.write_bytes(b"somebody's")
    result = here.get(carried_over, existing=ConflictPolicy.FORCE)
    assert result.resumption.resumed_bytes == 13 * CHUNK_BYTES
    assert here.is_whole()


def test_what_is_asked_for_now_is_what_a_later_run_goes_on_with(here):
    here.die(25)
    here.stops_after = 13
    here.begin(existing=ConflictPolicy.FORCE, with_signature=True)
    assert (here.record.existing, here.record.with_signature) == (ConflictPolicy.FORCE, True)


def fill(here, monkeypatch, after):
    """Have the disk be full after so many bytes more."""
    write, left = durable.write_all, [after]

    def full(file, data):
        left[0] -= len(data)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "full")
        write(file, data)

    monkeypatch.setattr(durable, "write_all", full)
    result = here.get()
    monkeypatch.setattr(durable, "write_all", write)
    here.renew()
    return result


def test_a_full_disk_in_a_resumed_get_keeps_what_is_marked(here, monkeypatch):
    here.die(15)
    mark = here.record.done
    assert isinstance(fill(here, monkeypatch, 17 * CHUNK_BYTES).error, LocalDiskFullError)
    noted = here.record.done
    assert mark + SEGMENT <= noted <= mark + 17 * CHUNK_BYTES
    assert here.get().resumption.resumed_bytes == noted
    assert here.is_whole()


def test_a_disk_that_is_full_before_the_first_mark_is_left_no_fuller(here, monkeypatch):
    assert isinstance(fill(here, monkeypatch, 3 * CHUNK_BYTES).error, LocalDiskFullError)
    assert here.names() == []
    assert not here.records


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


def others_may_write(_, part, __):
    part.chmod(0o666)


@pytest.mark.parametrize("spoil", [others_may_write, shorter, linked_twice, replaced, a_link, a_folder, a_pipe, gone])
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


def test_a_part_that_others_may_read_is_gone_on_with(here):
    here.die(25)
    here.part().chmod(0o755)
    assert here.get().resumption.resumed_bytes > 0
    assert here.local.stat().st_mode & 0o777 == 0o666 & ~durable.umask()
    assert here.is_whole()


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


# -- a wrong record -------------------------------------------------------------------------------------------


def edit(here, **changes):
    """Write a record as no run of ours leaves it."""
    path = here.record_path
    said = json.loads(path.read_bytes())
    said["downloads"][0] |= changes
    path.write_text(json.dumps(said))


HOSTILE = {
    "id": ["0" * 32, "../../x", ""],
    "server_id": [base64.b64encode(bytes(32)).decode(), 7],
    "path": ["../a.bin", "/a.bin", "b\0", "", "\ud800", 5],
    "version": [-1, 2**40, 10**30, "1", True],
    "file_id": ["", base64.b64encode(bytes(17)).decode(), "?"],
    "local": ["/etc/cron.d/evil", "../a.bin", "a.bin", "", "/a\0", "/\ud800", "{out}/b.bin", "{out}/../out/a.bin",
              "{out}/link/a.bin"],
    "dev": [-1, 2**64, None],
    "ino": [-1, 2**70, "x"],
    "size": [-1, 0, 1, 2**63, 1.5, SIZE + 1],
    "done": [-1, 7, SIZE + 5, 2**62, 1e300, "all"],
    "saved_at": [-1, 2**62, 10**40, "now"],
    "digest": ["", base64.b64encode(bytes(64)).decode()],
    "prefix": ["", base64.b64encode(bytes(64)).decode(), base64.b64encode(bytes(65)).decode()],
    "newest": [3], "with_signature": ["no"], "existing": ["replace all", 1],
}  # fmt: skip
EDITS = [(field, number) for field, values in HOSTILE.items() for number in range(len(values))]


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("field", "number"), EDITS)
@pytest.mark.sampled(7)
def test_no_edited_record_leads_a_write_elsewhere_or_stays(here, tmp_path, field, number):
    here.die(25)
    (tmp_path / "elsewhere").mkdir()
    (here.out / "link").symlink_to(tmp_path / "elsewhere")
    value = HOSTILE[field][number]
    edit(here, **{field: value.replace("{out}", str(here.out)) if isinstance(value, str) else value})
    part, record = here.part_path, here.record_path
    outside = {path: content for path, content in everything(tmp_path).items() if path.parts[0] != "out"}
    result = here.get()
    assert result.stage is TransferStage.VERIFIED
    assert here.local.read_bytes() == CONTENT
    assert {*here.names()} <= {"a.bin", "link", part.name}
    assert list((tmp_path / "elsewhere").iterdir()) == []
    if record.exists():  # it is none: it waits for its week
        assert not here.records
        assert {
            path: content for path, content in everything(tmp_path).items() if path.parts[0] != "out"
        }.items() >= outside.items()
        here.now = here.now + 2 * KEPT_SECONDS + record.stat().st_mtime
        downloads_of(here.state, here.profile.server_id).drop_expired(here.now)
    assert not record.exists()
    assert not list(record.parent.iterdir())
    keeps_its_place = field not in {"local", "dev", "ino", "id"}
    assert not (keeps_its_place and part.exists())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"format": 9, "downloads": []}', b"\xff" * 100, b"[" * 100_000]
)
def test_what_is_no_record_goes_after_its_week(here, content):
    here.die(25)
    record, records = here.record_path, downloads_of(here.state, here.profile.server_id)
    record.write_bytes(content)
    (record.parent / "left.json.lock").touch()
    (record.parent / ("0" * 32 + ".json")).symlink_to("/etc/passwd")
    os.utime(record, (here.now, here.now))
    assert here.get().stage is TransferStage.VERIFIED
    before = len(list(record.parent.iterdir()))
    records.drop_expired(here.now + KEPT_SECONDS - 1)
    assert (records.all(), len(list(record.parent.iterdir()))) == ([], before)
    records.drop_expired(time.time() + KEPT_SECONDS + 1)
    assert list(record.parent.iterdir()) == []


@pytest.mark.parametrize("jump", [-3 * KEPT_SECONDS, 3 * KEPT_SECONDS])
def test_a_clock_that_jumps_loses_no_part_that_is_at_work_and_keeps_none_for_ever(here, jump):
    here.now = 10 * KEPT_SECONDS
    here.stops_after = 13
    here.begin()
    records = downloads_of(here.state, here.profile.server_id)
    records.drop_expired(here.now + jump)
    assert len(records.all()) == 1
    here.parts[-1]._held.let_go()
    records.drop_expired(here.now + jump)
    assert records.all() == []
    assert here.names() == []


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
    here.begin(existing=ConflictPolicy.FORCE, with_signature=True)
    record = here.record
    assert (record.existing, record.with_signature, record.newest) == (
        ConflictPolicy.FORCE, True, True,
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
