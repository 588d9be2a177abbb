"""Uploads that were cut off, and go on: over the same server, and over its next start."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sft.crypto.digests import blake2b_512
from sft.limits import CHUNK_BYTES, OPEN_UPLOADS, PARKED_SECONDS, SEGMENT_BYTES, SEGMENT_CHUNKS, WORKING_SECONDS
from sft.model.access import Role
from sft.server.jobs import WORKING
from sft.service import uploads
from sft.service.open_uploads import note_segments, open_uploads
from sft.service.upload import Upload
from sft.service.upload_life import Ending
from sft.vault.layout import sealed_size
from sft.wire import messages as m
from tests.integration.server_fixture import RawUpload, ServerFixture, content, on_reactor, until

LARGE = content(SEGMENT_BYTES + 20 * CHUNK_BYTES + 5)
CHUNKS = -(-len(LARGE) // CHUNK_BYTES)


def point(chunks: int, data: bytes = LARGE) -> m.ResumePoint:
    return m.ResumePoint(chunks, blake2b_512(data[: chunks * CHUNK_BYTES]).digest())


async def begun(server: ServerFixture, name: str = "max", **fields: Any) -> RawUpload:
    return RawUpload(await server.raw(name), server.people[name], "big", LARGE, **fields).begin()


def taken(server: ServerFixture, path: str) -> int:
    """Count the chunks that the server has worked off of what uploads to a path."""
    flows = [flow for session in server.here.sessions.all() for flow in session._uploads.values()]
    return sum(flow._upload.chunks for flow in flows if flow._upload is not None and flow.path == path)


async def cut(
    server: ServerFixture, chunks: int, path: str = "big", *, stopped: bool = False, name: str = "max"
) -> RawUpload:
    """Send so much, and lose the connection once the server has worked it off, or stop; come back when it is parked."""
    upload = RawUpload(await server.raw(name), server.people[name], path, LARGE).begin()
    await upload.send(chunks)

    await until(lambda: taken(server, path) == chunks, "all of it is taken")
    if stopped:
        upload.cancel(keep=True)
    else:
        upload.raw.abort()
    named = server.people[name].user_id, upload.upload_id
    await until(lambda: named in server.here.resumable_uploads._parked, "it is parked")
    return upload


async def again(server: ServerFixture, upload: RawUpload, resume: m.ResumePoint | None, name: str = "max") -> RawUpload:
    new = RawUpload(
        await server.raw(name), server.people[name], "big", LARGE, file_id=upload.file_id, upload_id=upload.upload_id
    )
    return new.begin(resume=resume)


async def found(server: ServerFixture, upload: RawUpload, name: str = "max") -> Any:
    raw = await server.raw(name)
    answer = await raw.ask(m.FindUpload, upload_id=upload.upload_id)
    raw.abort()
    return answer


async def stored(server: ServerFixture, upload: RawUpload) -> None:
    """Send the rest, and have the vault's check read all of it."""
    answer = await upload.whole()
    assert isinstance(answer, m.FileStored), answer
    await server.clean()


async def goes_on(server: ServerFixture, upload: RawUpload, chunks: int = 5) -> None:
    """Lose the connection a chunk later: it went on where it was cut, and there it can again."""
    resumed = await again(server, upload, point(chunks))
    await resumed.send(1)
    await until(lambda: taken(server, "big") == chunks + 1, "one more is taken")
    resumed.raw.abort()
    assert (await found(server, upload)).chunks == chunks + 1


@on_reactor
@pytest.mark.every_run
async def test_an_upload_that_nobody_keeps_is_begun_anew(server: ServerFixture):
    raw = await server.raw("max")
    assert (await raw.ask(m.FindUpload, upload_id=bytes(16))).code == "UPLOAD_GONE"
    upload = RawUpload(raw, server.people["max"], "big", LARGE)
    assert (await upload.begin(resume=point(2)).answer()).code == "UPLOAD_GONE"
    upload.cancel()
    anew = RawUpload(raw, server.people["max"], "big", LARGE).begin()
    await anew.send(1)
    await until(lambda: taken(server, "big") == 1, "it is begun")


@pytest.mark.parametrize(
    "chunks", [SEGMENT_CHUNKS + 3, *(pytest.param(each, marks=pytest.mark.long) for each in (5, CHUNKS))]
)
@on_reactor
async def test_a_lost_connection_goes_on_at_its_very_chunk(server: ServerFixture, chunks: int):
    upload = await cut(server, chunks)
    kept = server.here.resumable_uploads
    assert (await found(server, upload)).chunks == chunks
    resumed = await again(server, upload, point(chunks))
    await stored(server, resumed)
    assert await server.get(await server.raw("gus"), "big") == LARGE
    assert resumed.sent == CHUNKS
    assert not kept._parked
    assert not kept._held


@pytest.mark.parametrize("crash", [True, False])
@on_reactor
async def test_a_start_goes_on_behind_the_finished_segments(server: ServerFixture, crash: bool):
    upload = await cut(server, SEGMENT_CHUNKS + 3)
    await server.halt(crash=crash)
    await server.start()
    assert not server.incoming()
    assert (await found(server, upload)).chunks == SEGMENT_CHUNKS
    await stored(server, await again(server, upload, point(SEGMENT_CHUNKS)))


@on_reactor
@pytest.mark.every_run
async def test_an_orderly_stop_in_the_middle_keeps_what_is_finished(server: ServerFixture):
    upload = await begun(server)
    await upload.send(SEGMENT_CHUNKS + 3)
    await until(server.objects, "a segment is finished")
    await server.halt(drain_seconds=0)
    await server.start()
    assert (await found(server, upload)).chunks == SEGMENT_CHUNKS
    await stored(server, await again(server, upload, point(SEGMENT_CHUNKS)))


@on_reactor
async def test_what_is_parked_too_long_is_reduced_to_its_segments(server: ServerFixture):
    upload = await cut(server, SEGMENT_CHUNKS + 3)
    kept = server.here.resumable_uploads
    (name,) = kept._parked
    assert kept._parked[name][1].getTime() - server.here.reactor.seconds() <= PARKED_SECONDS
    await until(lambda: not kept._held, "its connection has let go of it")
    kept._over(name)
    await until(lambda: not server.incoming(), "it is reduced")
    assert (await found(server, upload)).chunks == SEGMENT_CHUNKS
    await stored(server, await again(server, upload, point(SEGMENT_CHUNKS)))


@pytest.mark.parametrize("wrong", [point(4), point(6), m.ResumePoint(5, bytes(64))], ids=["less", "more", "other"])
@on_reactor
async def test_another_point_is_refused_and_takes_nothing_away(server: ServerFixture, wrong: m.ResumePoint):
    upload = await cut(server, 5)
    refused = await again(server, upload, wrong)
    assert (await refused.answer()).code == "RESUME_REFUSED"
    refused.cancel()
    await goes_on(server, upload)


@on_reactor
async def test_what_a_rule_refuses_in_the_middle_is_not_kept(server: ServerFixture):
    raw = await server.raw("max")
    upload = RawUpload(raw, server.people["max"], "big", LARGE).begin(size=len(LARGE) - 1)
    assert (await upload.whole()).code == "BAD_REQUEST"
    named = server.people["max"].user_id, upload.upload_id
    await until(lambda: named not in server.here.resumable_uploads._held, "it is over")
    assert (await found(server, upload)).code == "UPLOAD_GONE"
    assert not server.objects()


@on_reactor
@pytest.mark.every_run
async def test_another_person_finds_nothing(server: ServerFixture):
    upload = await cut(server, 5)
    assert (await found(server, upload, "mia")).code == "UPLOAD_GONE"
    assert (await (await again(server, upload, point(5), "mia")).answer()).code == "UPLOAD_GONE"
    await goes_on(server, upload)


@on_reactor
async def test_who_asks_for_an_upload_takes_it_from_the_connection_that_has_it(server: ServerFixture):
    upload = await begun(server)
    await upload.admitted()
    await upload.send(5)
    answer = await found(server, upload)
    assert 1 <= answer.chunks <= 5
    assert (await upload.answer()).code == "INTERRUPTED"
    await goes_on(server, upload, answer.chunks)


@on_reactor
async def test_an_upload_that_is_begun_anew_or_cancelled_leaves_nothing_of_the_old_one(server: ServerFixture):
    upload = await cut(server, SEGMENT_CHUNKS + 3)
    anew = await again(server, upload, None)
    await anew.admitted()
    assert len(server.open_uploads()) == 1
    await anew.send(3)
    anew.cancel()
    await anew.answer()
    await server.clean()
    assert server.objects() == []
    assert (await found(server, upload)).code == "UPLOAD_GONE"


@on_reactor
async def test_what_a_person_stopped_goes_on_while_its_connection_lives(server: ServerFixture):
    upload = await cut(server, 5, stopped=True)
    assert isinstance(await upload.answer(), m.Done)
    assert (await found(server, upload)).chunks == 5
    await goes_on(server, upload)


@on_reactor
async def test_a_role_that_was_taken_ends_a_resuming(server: ServerFixture):
    upload = await cut(server, 5)
    operator = await server.operator()
    await operator.ask(m.ChangeRole, name="max", role=Role.GUEST)
    assert (await found(server, upload)).code == "ROLE_FORBIDS"
    assert (await (await again(server, upload, point(5))).answer()).code == "ROLE_FORBIDS"
    await operator.ask(m.ChangeRole, name="max", role=Role.MAINTAINER)
    await goes_on(server, upload)


@on_reactor
async def test_a_master_key_that_was_rotated_between_opens_what_was_kept(server: ServerFixture):
    upload = await cut(server, SEGMENT_CHUNKS + 3)
    kept = server.here.resumable_uploads
    await until(lambda: not kept._held, "its connection has let go of it")
    kept._over(next(iter(kept._parked)))
    operator = await server.operator()
    assert (await operator.ask(m.RotateMasterKey)).report.faults == ()
    assert not server.here.storage.vault.keyring.rotating
    await stored(server, await again(server, upload, point(SEGMENT_CHUNKS)))


@on_reactor
async def test_one_upload_more_than_a_person_may_have_ends_the_oldest_kept_one(server: ServerFixture):
    first = await cut(server, 3)
    others = [await cut(server, 1, f"big {number}") for number in range(OPEN_UPLOADS - 1)]
    assert len(server.here.resumable_uploads._parked) == OPEN_UPLOADS
    assert (await found(server, first)).chunks == 3
    newest = RawUpload(await server.raw("max"), server.people["max"], "newest", LARGE).begin()
    await newest.admitted()
    gone = [(await found(server, each)).code for each in [first, *others] if await is_gone(server, each)]
    assert gone == ["UPLOAD_GONE"]


async def is_gone(server: ServerFixture, upload: RawUpload, name: str = "max") -> bool:
    return isinstance(await found(server, upload, name), m.Refusal)


SEALED = sealed_size(SEGMENT_BYTES)


def disk_of(server: ServerFixture, monkeypatch: pytest.MonkeyPatch, segments: float) -> None:
    """Let the vault's disk hold so many segments."""
    total = int(segments * SEALED)
    free = lambda: total - sum(each.stat().st_size for each in server.objects())
    monkeypatch.setattr(server.here.storage.vault._backend, "free_bytes", free)


async def kept(server: ServerFixture, path: str) -> RawUpload:
    """One segment of an upload, and its connection gone."""
    return await cut(server, SEGMENT_CHUNKS + 1, path)


async def left(server: ServerFixture, path: str, name: str = "max") -> RawUpload:
    """One segment of an upload, as a process leaves it that dies."""
    upload, here = RawUpload(await server.raw(name), server.people[name], path, LARGE), server.here
    caller = next(each.caller for each in here.sessions.all() if each.caller.user_id == upload.person.user_id)
    said = {"file_id": upload.file_id, "version": 1, "size": len(LARGE), "upload_id": upload.upload_id}
    with here.readers.reading() as reading:
        writing = uploads.begin(reading, caller, storage=here.storage, path=path, **said)
    await here.act(open_uploads, writing.announcement)
    writing.start()
    writing.append(writing.seal(upload.chunks[:SEGMENT_CHUNKS], last=False))
    await here.act(note_segments, writing.settle())
    writing.note(1)
    writing.end(Ending.ENDED)
    return upload


async def gone(server: ServerFixture, those: list[RawUpload]) -> int:
    """Count those that are kept no more: which is the oldest of one second, nobody can tell."""
    return sum([await is_gone(server, each) for each in those])


@on_reactor
async def test_a_new_upload_without_room_ends_the_persons_own_oldest_kept_one_alone(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    theirs = await left(server, "c", "mia")
    mine = [await left(server, path) for path in ("a", "b")]
    disk_of(server, monkeypatch, 3 + 2.5)
    large = RawUpload(await server.raw("max"), server.people["max"], "new", bytes(3 * SEGMENT_BYTES))
    await large.begin().admitted()
    assert await gone(server, mine) == 1
    assert not await is_gone(server, theirs, "mia")


@on_reactor
async def test_no_kept_upload_ends_for_one_that_has_no_room_all_the_same(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    mine = [await left(server, path) for path in ("a", "b")]
    disk_of(server, monkeypatch, 2 + 2)
    larger = RawUpload(await server.raw("max"), server.people["max"], "new", bytes(4 * SEGMENT_BYTES + 1))
    assert (await larger.begin().answer()).code == "SERVER_FULL"
    assert await gone(server, mine) == 0


@on_reactor
async def test_what_one_person_has_kept_takes_no_more_than_what_is_free_but_for_the_newest(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    disk_of(server, monkeypatch, 5)
    mine = [await left(server, "a"), await kept(server, "b")]
    assert await gone(server, mine) == 0
    mine.append(await kept(server, "c"))
    await until(lambda: len(server.objects()) == 2, "the oldest is gone")
    assert await gone(server, mine) == 1
    disk_of(server, monkeypatch, 2)
    mine.append(await kept(server, "d"))
    await until(lambda: len(server.objects()) == 1, "the others are gone")
    assert await gone(server, mine) == 3


@pytest.mark.parametrize(
    ("segments", "each_takes"), [(2, WORKING_SECONDS), pytest.param(3, WORKING_SECONDS - 1, marks=pytest.mark.long)]
)
@on_reactor
async def test_who_goes_on_hears_of_a_server_that_reads_long_what_it_kept(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch, segments: int, each_takes: float
):
    large = content(segments * SEGMENT_BYTES + 5)
    raw = await server.raw("max")
    upload = RawUpload(raw, server.people["max"], "big", large).begin()
    await upload.send(segments * SEGMENT_CHUNKS)
    await until(lambda: [row.segments for row in server.upload_rows()] == [segments], "all segments are noted")
    await server.halt(crash=True)
    await server.start()
    now = [0.0]
    recall = Upload.recall

    def slow(each: Upload) -> bool:
        now[0] += each_takes
        return recall(each)

    monkeypatch.setattr(Upload, "recall", slow)
    monkeypatch.setattr(server.here, "reactor", SecondsOf(server.here.reactor, now))
    new = RawUpload(
        await server.raw("max"), server.people["max"], "big", large, file_id=upload.file_id, upload_id=upload.upload_id
    )
    new.begin(resume=point(segments * SEGMENT_CHUNKS, large))
    assert isinstance(await new.whole(), m.FileStored)
    said = [each for each in new.raw.notices if each.kind == WORKING]
    assert said == [m.Notice(WORKING, {"bytes": (segments - 1) * SEGMENT_BYTES})]


class SecondsOf:
    """A reactor with another clock."""

    def __init__(self, reactor: Any, now: list[float]) -> None:
        self._reactor = reactor
        self._now = now

    def seconds(self) -> float:
        return self._now[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


@on_reactor
async def test_a_slow_disk_that_syncs_uploads_leaves_threads_to_small_files(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    person, disk = server.people["max"], threading.Event()
    settle, at_work = Upload.settle, []

    def slow(each: Upload) -> Any:
        at_work.append(each.path)
        assert disk.wait(60)
        return settle(each)

    monkeypatch.setattr(Upload, "settle", slow)
    turns, in_turn = server.here.settling_turns, set()
    run = turns.run

    def noted(session_id: int, *step: Any) -> Any:
        in_turn.add(session_id)
        return run(session_id, *step)

    monkeypatch.setattr(turns, "run", noted)
    others = [
        RawUpload(await server.raw("max"), person, f"big {number}", LARGE).begin()
        for number in range(server.here.pool.threads // 2 + 1)
    ]
    try:
        for each in others:
            await each.send(SEGMENT_CHUNKS + 1)
        await until(lambda: len(at_work) == server.here.pool.threads // 2, "half of the threads sync")
        await until(lambda: len(in_turn) == len(others), "each session has its own turn")
        await upload_of_one_segment(server)
        assert len(at_work) == server.here.pool.threads // 2
    finally:
        disk.set()


async def upload_of_one_segment(server: ServerFixture) -> None:
    """Something that needs a thread of the pool, and syncs nothing."""
    small = RawUpload(await server.raw("mia"), server.people["mia"], "small", content(CHUNK_BYTES + 1)).begin()
    await small.send(1)

    def taken() -> bool:
        flows = [flow for each in server.here.sessions.all() for flow in each._uploads.values()]
        return any(flow.path == "small" and flow._upload is not None and flow._upload.chunks for flow in flows)

    await until(taken, "its first chunk is taken")
