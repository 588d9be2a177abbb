"""Transfers that end in every way but the good one leave nothing; those beside them go on."""

from __future__ import annotations

import pytest

from sft.client.api import files
from sft.client.connecting import log_in_again
from sft.client.transfers.batch import verify_all
from sft.client.transfers.plan import GetItem
from sft.errors import DatabaseBusyError, OlderVersionError, OutcomeUnknownError, SftError, VaultError
from sft.limits import CHUNK_BYTES, OPEN_UPLOADS, PERSON_REQUEST_BYTES, REQUESTS_IN_FLIGHT, UPLOAD_SILENT_SECONDS
from sft.model.records import SessionInfo
from sft.service import commits
from sft.wire import messages as m
from sft.wire.states import FrameType
from tests.integration.server_fixture import (
    Raw,
    RawUpload,
    ServerFixture,
    alone,
    content,
    on_reactor,
    until,
    writer_held,
)
from tests.loop import Timed

LARGE = content(1_200_000)


async def _begun(server: ServerFixture, name: str = "max", path: str = "big", **fields) -> RawUpload:
    return RawUpload(await server.raw(name), server.people[name], path, LARGE, **fields).begin()


async def _at_stage(server: ServerFixture, stage: str) -> RawUpload:
    """Bring an upload to a stage of its life."""
    upload = await _begun(server)
    if stage == "begun":
        return upload
    await upload.admitted()
    if stage == "first data":
        await upload.send(1)
    elif stage == "half":
        await upload.send(10)
    elif stage == "all data":
        await upload.send()
    elif stage == "committed":
        await upload.send()
        upload.commit()
    return upload


STAGES = ["begun", "admitted", "first data", "half", "all data"]


@pytest.mark.parametrize("stage", STAGES)
@on_reactor
async def test_a_cancelled_upload_leaves_nothing_and_the_session_goes_on(server: ServerFixture, stage: str):
    upload = await _at_stage(server, stage)
    upload.cancel()
    assert await upload.answer() == m.Done(upload.id, changed=False)
    await upload.raw.barrier()
    assert len(upload.raw.answers(upload.id)) == 1
    await server.clean()
    assert server.objects() == []
    # The same session stores the same file.
    upload = RawUpload(upload.raw, upload.person, "big", LARGE).begin()
    assert isinstance(await upload.whole(), m.FileStored)
    assert await server.get(upload.raw, "big") == LARGE


@on_reactor
async def test_a_cancel_that_comes_after_the_commit_means_nothing(server: ServerFixture):
    upload = await _at_stage(server, "all data")
    upload.commit()
    upload.cancel()
    assert isinstance(await upload.answer(), m.FileStored)
    await upload.raw.barrier()
    assert await server.get(upload.raw, "big") == LARGE
    upload.cancel()
    await upload.raw.barrier()


@pytest.mark.parametrize("stage", [*STAGES, "committed"])
@on_reactor
async def test_a_connection_that_is_lost_leaves_no_object_without_a_row(server: ServerFixture, stage: str):
    upload = await _at_stage(server, stage)
    upload.raw.abort()
    await until(lambda: not server.here.sessions.all(), "the session is over")
    await server.clean()
    reader = await server.raw("gus")
    if stage == "committed":  # absent or complete, never partial
        shown = await reader.ask(m.ShowFile, path="big")
        assert len(server.objects()) == isinstance(shown, m.FileShown)
    else:
        assert (await reader.ask(m.ShowFile, path="big")).code == "NOT_FOUND"
        assert server.objects() == []


@pytest.mark.parametrize(
    ("fault", "code", "left"),
    [(DatabaseBusyError(), "DATABASE_BUSY", 0), (OutcomeUnknownError(problem="no answer"), "INTERNAL", 1)],
    ids=["certain", "unknown"],
)
@on_reactor
@pytest.mark.every_run
async def test_a_commit_that_certainly_failed_leaves_no_object(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch, fault: SftError, code: str, left: int
):
    upload = await _at_stage(server, "all data")
    submit = server.here.writer.submit

    def fail(_transaction, _items):
        raise fault

    def submitted(act, item, **options):
        return submit(fail if act is commits.commit else act, item, **options)

    monkeypatch.setattr(server.here.writer, "submit", submitted)
    upload.commit()
    assert (await upload.answer()).code == code
    assert (len(server.objects()), len(server.open_uploads())) == (left, left)


@on_reactor
async def test_an_object_that_cannot_be_removed_changes_no_answer(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    first, again = [await _at_stage(server, "all data") for _ in range(2)]
    first.commit()
    assert isinstance(await first.answer(), m.FileStored)

    def remove(_object_id):
        raise VaultError(problem="it cannot be removed")

    monkeypatch.setattr(server.here.storage.vault, "remove", remove)
    again.commit()
    assert (await again.answer()).stored.unchanged
    assert len(server.objects()) == 2  # the next start removes one


@on_reactor
@pytest.mark.every_run
async def test_a_refused_upload_drains_and_is_answered_once(server: ServerFixture):
    raw = await server.raw("gus")
    upload = RawUpload(raw, server.people["gus"], "no", LARGE).begin()
    for chunk in upload.chunks[:8]:
        raw.send_data(upload.id, chunk)
    assert (await upload.answer()).code == "ROLE_FORBIDS"
    listing = await raw.ask(m.ListFolder, path="")
    assert listing.page.files == ()
    # What only drains is no work: a sender that never ends it is idle.
    await until(lambda: not server.here.sessions.all()[0].has_work(), "the session is idle")
    upload.cancel()
    await raw.barrier()
    assert len(raw.answers(upload.id)) == 1
    await server.clean()


@on_reactor
@pytest.mark.every_run
async def test_begin_data_and_commit_in_one_flight(server: ServerFixture):
    raw = await server.raw("max")
    data = content(3 * CHUNK_BYTES + 5)
    upload = RawUpload(raw, server.people["max"], "flight", data).begin()
    for number, chunk in enumerate(upload.chunks):
        raw.send_data(upload.id, chunk, last=number == 3)
    upload.commit()
    assert isinstance(await upload.answer(), m.FileStored)
    refused = RawUpload(raw, server.people["max"], "flight", data).begin()
    for number, chunk in enumerate(refused.chunks):
        raw.send_data(refused.id, chunk, last=number == 3)
    refused.commit()
    assert (await refused.answer()).code == "EXISTS"
    await raw.barrier()
    assert not server.here.sessions.all()[0].has_work()
    await server.clean()


SIZES = [0, 1, 60 * 1024, 60 * 1024 + 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1]
SIZES += [8 * CHUNK_BYTES, 8 * CHUNK_BYTES + 1, 40 * CHUNK_BYTES]


@on_reactor
async def test_every_size_and_every_window_comes_back_whole_with_and_without_a_known_size(server: ServerFixture):
    raw = await server.raw("max")
    for number, size in enumerate(SIZES):
        data = content(size)
        for window in (1, 8, 32):
            for known in (True, False):
                path = f"{size}-{window}-{known}"
                upload = RawUpload(raw, server.people["max"], path, data, window=window)
                upload.begin(size=size if known else None)
                assert isinstance(await upload.whole(), m.FileStored), path
        assert await server.get(raw, path) == data, number
    await server.clean()


@pytest.mark.parametrize("announced", [10, len(LARGE) - 1, len(LARGE) + 1, 10**9])
@on_reactor
async def test_another_size_than_announced_is_refused(server: ServerFixture, announced: int):
    raw = await server.raw("max")
    upload = RawUpload(raw, server.people["max"], "lies", LARGE)
    upload.begin(size=announced)
    assert (await upload.whole()).code == "BAD_REQUEST"
    await server.clean()
    assert server.objects() == []


FORGED_SMALL = [{"user": 999}, {"name": "other"}, {"size": 6}, {"server_id": bytes(32)}]
# Of a small file these stand in its signature alone; a large one announced them.
FORGED_LARGE = [*FORGED_SMALL, {"file_id": bytes(16)}, {"version": 2, "prev": bytes(64)}]


@pytest.mark.parametrize(
    ("changes", "data"), [(each, b"small") for each in FORGED_SMALL] + [(each, LARGE) for each in FORGED_LARGE]
)
@on_reactor
async def test_what_does_not_fit_its_signature_is_refused(server: ServerFixture, changes, data):
    raw = await server.raw("max")
    person = server.people["max"]
    if data is LARGE:
        upload = RawUpload(raw, person, "forged", data).begin()
        await upload.send()
        upload.commit(**changes)
        answer = await upload.answer()
    else:
        signature = person.sign("forged", data, **changes)
        answer = await raw.put("forged", signature, data)
    assert answer.code == "SIGNATURE_REFUSED"
    await server.clean()
    assert server.objects() == []


@on_reactor
@pytest.mark.every_run
async def test_a_file_signed_by_another_than_the_sessions_key_is_refused(server: ServerFixture):
    raw = await server.raw("max")
    other = server.people["mia"]
    data = b"by mia, sent by max"
    for user in (other.user_id, server.people["max"].user_id):
        signature = other.sign("stolen", data, user=user)
        answer = await raw.put("stolen", signature, data)
        assert answer.code == "SIGNATURE_REFUSED"
        upload = RawUpload(raw, other, "stolen", LARGE).begin()
        await upload.send()
        upload.commit(user=user)
        assert (await upload.answer()).code == "SIGNATURE_REFUSED"
    await server.clean()


# -- downloads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("received", [0, 1, 8])
@on_reactor
async def test_a_cancelled_download_stops_and_is_answered_once(server: ServerFixture, received: int):
    await server.put("max", "big", LARGE)
    raw = await server.raw("gus")
    request_id = raw.begin(m.GetFile, path="big", version=0, window=max(1, received))
    if received:
        await raw.when(lambda: len(raw.data.get(request_id, [])) == received)
    raw.tell(m.Cancel(id=request_id))
    await raw.when(lambda: m.Done(request_id, changed=False) in raw.answers(request_id))
    raw.tell(m.Credit(id=request_id, chunks=8))  # crossed with the answer: means nothing
    raw.tell(m.Cancel(id=request_id))
    await raw.barrier()
    assert len(raw.data.get(request_id, [])) == max(1, received) or received == 0
    assert not server.here.sessions.all()[0].has_work()
    assert await server.get(raw, "big") == LARGE


@pytest.mark.parametrize("first", [1, 15, len(LARGE) // CHUNK_BYTES])
@on_reactor
async def test_a_download_begins_at_any_chunk(server: ServerFixture, first: int):
    await server.put("max", "big", LARGE)
    raw = await server.raw("gus")
    begins = await raw.answer(raw.begin(m.GetFile, path="big", version=0, window=1))
    assert await server.get(raw, "big", first_chunk=first) == LARGE[first * CHUNK_BYTES :]
    assert raw.answers(raw.connection.next_request_id - 1)[0].file == begins.file


@pytest.mark.parametrize("path", ["big", "small", "empty"])
@on_reactor
async def test_a_download_from_a_chunk_that_is_not_there_is_refused(server: ServerFixture, path: str):
    data = {"big": LARGE, "small": b"x", "empty": b""}[path]
    await server.put("max", path, data)
    raw = await server.raw("gus")
    first = max(1, -(-len(data) // CHUNK_BYTES))
    refusal = await raw.ask(m.GetFile, path=path, version=0, window=8, first_chunk=first)
    assert (refusal.code, refusal.values["path"]) == ("RESUME_REFUSED", path)


@on_reactor
@pytest.mark.every_run
async def test_a_lost_connection_ends_its_downloads(server: ServerFixture):
    await server.put("max", "big", LARGE)
    raw = await server.raw("gus")
    request_id = raw.begin(m.GetFile, path="big", version=0, window=2)
    await raw.when(lambda: len(raw.data.get(request_id, [])) == 2)
    raw.abort()
    await until(lambda: len(server.here.sessions.all()) == 1, "the session is over")
    await server.clean()


# -- credit and grammar ---------------------------------------------------------------------------------


async def _ended(raw: Raw, server: ServerFixture, why: str) -> None:
    """The server cut this connection, said why in its log, and serves the others."""
    await raw.until_gone()
    await until(
        lambda: any("session-end" in line and why in line for line in server.lines), f"{why!r} in {server.lines[-3:]}"
    )
    assert isinstance(await (await server.raw("gus")).ask(m.ShowSelf), m.SelfShown)
    await server.clean()


@on_reactor
@pytest.mark.every_run
async def test_data_beyond_its_credit_ends_the_connection(server: ServerFixture):
    upload = await _begun(server, window=8)
    for _ in range(8 + 64):  # more than any grant may have allowed
        if not upload.raw.gone:
            upload.raw.send_data(upload.id, bytes(CHUNK_BYTES))
    await _ended(upload.raw, server, "credit")


@pytest.mark.parametrize("early", [True, False])
@on_reactor
async def test_more_credit_than_a_transfer_may_hold_ends_the_connection(server: ServerFixture, early: bool):
    await server.put("max", "big", content(6_000_000))
    raw = await server.raw("gus")
    request_id = raw.begin(m.GetFile, path="big", version=0, window=1)
    if not early:
        await raw.when(lambda: raw.data.get(request_id))
    for _ in range(8):
        raw.tell(m.Credit(id=request_id, chunks=32))
    await _ended(raw, server, "credit")


@on_reactor
async def test_data_for_an_id_never_begun_ends_the_connection(server: ServerFixture):
    raw = await server.raw("max")
    raw.link.outbox.write(
        raw.connection._records.seal(FrameType.LAST_DATA, bytes([FrameType.LAST_DATA]) + (77).to_bytes(4, "big") + b"x")
    )
    await _ended(raw, server, "no open upload")


def _send_unchecked(raw: Raw, message: m.Message) -> None:
    body = bytes([FrameType.MESSAGE]) + m.encode(message)
    raw.link.outbox.write(raw.connection._records.seal(FrameType.MESSAGE, body))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (m.ShowSelf(5), "request 5 after 0"),
        (m.CommitUpload(1, bytes(64), b""), "commit of 1"),
        (m.Cancel(9), "never begun"),
        (m.Credit(9, 1), "never begun"),
        (m.Done(1), "not a message of a client"),
        (m.Notice("role", {}), "not a message of a client"),
    ],
)
@on_reactor
async def test_a_message_out_of_its_place_ends_the_connection(server: ServerFixture, message, why: str):
    raw = await server.raw("max")
    _send_unchecked(raw, message)
    await _ended(raw, server, why)


@on_reactor
async def test_more_than_128_requests_in_flight_end_the_connection_and_128_do_not(server: ServerFixture):
    raw, other = await server.raw("max"), await server.raw("ada")
    with writer_held(server):
        ids = [raw.begin(m.MakeFolder, path=f"f{n}") for n in range(REQUESTS_IN_FLIGHT)]
        for number in range(REQUESTS_IN_FLIGHT + 1):
            _send_unchecked(other, m.MakeFolder(number + 1, f"g{number}"))
        await other.until_gone()
    for request_id in ids:
        assert isinstance(await raw.answer(request_id), m.Done)
    assert any("requests in flight" in line for line in server.lines)


@on_reactor
async def test_more_transfers_than_one_session_may_open_are_refused_each(server: ServerFixture):
    raw = await server.raw("max")
    uploads = [RawUpload(raw, server.people["max"], f"u{n}", LARGE).begin() for n in range(OPEN_UPLOADS + 2)]
    for upload in uploads[OPEN_UPLOADS:]:
        assert (await upload.answer()).code == "TOO_LARGE"
        raw.send_data(upload.id, upload.chunks[0])
    for upload in uploads:
        upload.cancel()
    await raw.barrier()
    await server.clean()


@on_reactor
async def test_what_waits_for_the_writer_is_bounded_for_each_person(server: ServerFixture):
    raw = await server.raw("max")
    data = content(60 * 1024)
    person = server.people["max"]
    (session,) = server.here.sessions.all()
    with writer_held(server):
        ids = [raw.begin_put(f"p{n}", person.sign(f"p{n}", data), data) for n in range(REQUESTS_IN_FLIGHT)]
        await until(lambda: session.link._held_for == {"person"}, "the session is held")
        assert server.here.shares.request_bytes < PERSON_REQUEST_BYTES + 2 * 262_144
    for request_id in ids:
        assert isinstance(alone(await raw.answer(request_id)), m.FileStored)
    assert not session.link._held_for
    assert server.here.shares.request_bytes == 0


class _Somebody:
    def __init__(self, number: int) -> None:
        self.session_id = number
        self.user_id = None

    def describe(self) -> SessionInfo:
        return SessionInfo(self.session_id, "é" * 32, "guest", "192.0.2.7:1", 1, "x" * 255)

    def busy(self) -> bool:
        return False


@on_reactor
async def test_more_sessions_than_a_frame_holds_are_listed_as_far_as_they_fit(server: ServerFixture):
    operator = await server.operator()
    crowd = [_Somebody(1000 + number) for number in range(600)]
    for each in crowd:
        server.here.sessions.add(each)
    answer = await operator.ask(m.ListSessions)
    for each in crowd:
        server.here.sessions.remove(each)
    assert isinstance(answer, m.SessionList)
    assert len(answer.sessions) > 100


# -- side by side ------------------------------------------------------------------------------------------


@on_reactor
async def test_a_listing_is_answered_while_a_large_upload_runs_on_the_same_session(server: ServerFixture):
    raw = await server.raw("max")
    await server.put("max", "there", b"already", raw)
    upload = RawUpload(raw, server.people["max"], "big", content(4_000_000)).begin()
    await upload.admitted()
    listings = 0
    while upload.sent < len(upload.chunks):
        await upload.send(4)
        answer = await raw.ask(m.ListFolder, path="")
        assert [file.path for file in answer.page.files] == ["there"]
        listings += 1
    assert listings >= 15
    upload.commit()
    assert isinstance(await upload.answer(), m.FileStored)


@on_reactor
async def test_whoever_does_not_read_holds_up_nobody_else(server: ServerFixture):
    await server.put("max", "big", content(6_000_000))
    stuck, other = await server.raw("gus"), await server.raw("mia")
    stuck.link.pause_reading("a test")
    for _ in range(4):
        request_id = stuck.begin(m.GetFile, path="big", version=0, window=8)
        stuck.tell(m.Credit(id=request_id, chunks=24))
    assert await server.get(other, "big") == await server.get(other, "big")
    assert isinstance(await server.put("mia", "hers", LARGE, other), m.FileStored)
    (session,) = [each for each in server.here.sessions.all() if each.describe().user == "gus"]
    held = sum(len(lane._outflow._ready) for lane in session._downloads.values() if lane._outflow)
    assert held <= 4 * 17, "a batch ready and one in work for each transfer, and no more"
    stuck.link.resume_reading("a test")
    await stuck.when(lambda: len(stuck.data.get(request_id, [])) >= 24)


@on_reactor
async def test_an_upload_that_gets_no_byte_for_ten_minutes_ends_and_each_byte_begins_them_anew(server: ServerFixture):
    raw = await server.raw("max")
    timed = Timed()
    server.here.reactor = timed
    upload = RawUpload(raw, server.people["max"], "slow", content(CHUNK_BYTES * 3)).begin()
    await upload.admitted()
    (deadline,) = timed.clock.getDelayedCalls()
    timed.clock.advance(UPLOAD_SILENT_SECONDS - 1)
    await upload.send(1)
    await until(lambda: deadline.getTime() > UPLOAD_SILENT_SECONDS, "a byte came")
    timed.clock.advance(UPLOAD_SILENT_SECONDS - 1)
    assert not upload.answered
    timed.clock.advance(1)
    await raw.when(lambda: upload.answered)
    (refusal,) = raw.answers(upload.id)
    assert refusal.code == "INTERRUPTED"
    assert refusal.values["problem"] == "nothing of it came for 10 minutes"
    assert timed.clock.getDelayedCalls() == []
    raw.abort()
    await server.clean()


@on_reactor
async def test_what_was_listed_before_a_connection_was_lost_may_be_asked_for_after_it(server: ServerFixture):
    await server.put("max", "plan", b"one")
    session = await server.session("gus")
    (listed,) = (await files.list_page(session, ""))[0].files
    version = listed.version
    item = GetItem("plan", ("plan",), version.size, version=1, digest=version.digest, file_id=listed.id, listed=listed)
    await server.put("max", "plan", b"two", version=2, file_id=listed.id, prev=version.digest)
    session.abort()
    async with await log_in_again(session.connection.reactor, session) as again:
        (result,) = await verify_all(again, [item])
    assert result.error is None
    async with await server.session("gus") as fresh:
        (result,) = await verify_all(fresh, [item])
    assert isinstance(result.error, OlderVersionError), "who is shown it by a server of today is lied to"
