"""What one person may hold of a server, whoever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sft.limits import (
    CHUNK_BYTES,
    MIB,
    OPEN_DOWNLOADS,
    OPEN_UPLOADS,
    READ_AHEAD_CHUNKS,
    REQUESTS_IN_FLIGHT,
    SESSIONS_PER_PERSON,
)
from sft.wire import messages as m
from sft.wire.connection import DATA_FRAME_BYTES
from sft.wire.events import LoginRefused, Welcomed
from tests.integration.server_fixture import RawUpload, ServerFixture, content, on_reactor, readers_held, until

LARGE = content(3_000_000)


def open_objects(server: ServerFixture) -> list[str]:
    """Name the objects of the vault that this process has open."""
    names = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            names.append(str(Path("/proc/self/fd", descriptor).readlink()))
        except FileNotFoundError:
            continue
    return [name for name in names if name.startswith(str(server.home.vault / "objects")) and Path(name).is_file()]


@on_reactor
@pytest.mark.every_run
async def test_one_person_has_eight_sessions_and_keeps_nobody_out(server: ServerFixture):
    held = [await server.raw("gus") for _ in range(SESSIONS_PER_PERSON)]
    ninth = await server.raw("gus")
    (refused,) = [event for event in ninth.inbox if isinstance(event, LoginRefused)]
    assert (refused.code, refused.values["limit"]) == ("TOO_MANY_SESSIONS", SESSIONS_PER_PERSON)
    assert isinstance(await (await server.raw("ada")).ask(m.ShowSelf), m.SelfShown)
    held[0].abort()
    await until(lambda: len(server.here.sessions.all()) == SESSIONS_PER_PERSON, "one is gone")
    assert isinstance(await (await server.raw("gus")).ask(m.ShowSelf), m.SelfShown)


@on_reactor
async def test_readers_that_are_all_at_work_keep_neither_a_login_nor_the_operator_waiting(server: ServerFixture):
    gus, operator = await server.raw("gus"), await server.operator()
    with readers_held(server):
        waiting = [gus.begin(m.ListUsers) for _ in range(60)]
        assert (await server.raw("ada")).inbox_has(Welcomed)
        assert isinstance(await operator.ask(m.ListUsers), m.UserList)
        sessions = (await operator.ask(m.ListSessions)).sessions
        assert {each.user for each in sessions} >= {"ada", "gus"}
        assert isinstance(await operator.ask(m.DisableUser, name="gus"), m.UserShown)
        await gus.until_gone()
    assert not any(isinstance(answer, m.UserList) for each in waiting for answer in gus.answers(each))


@on_reactor
async def test_transfers_are_counted_over_all_sessions_of_a_person(server: ServerFixture):
    await server.put("ada", "large", LARGE)
    first, second = await server.raw("max"), await server.raw("max")
    uploads = [RawUpload(first, server.people["max"], f"u{n}", LARGE).begin() for n in range(OPEN_UPLOADS)]
    await until(lambda: server.here.shares.uploads == OPEN_UPLOADS, "all have begun")
    over = RawUpload(second, server.people["max"], "over", LARGE).begin()
    assert (await over.answer()).code == "TOO_LARGE"
    for number in range(OPEN_DOWNLOADS):
        session = first if number % 2 else second
        await session.answer(session.begin(m.GetFile, path="large", version=0, window=1))
    assert (await second.ask(m.GetFile, path="large", version=0, window=1)).code == "TOO_LARGE"
    ada = await server.raw("ada")
    assert isinstance(await ada.ask(m.GetFile, path="large", version=0, window=1), m.FileBegins)
    for upload in uploads:
        upload.cancel()
    await first.barrier()
    await until(lambda: server.here.shares.uploads == 0, "all are over")
    again = RawUpload(second, server.people["max"], "again", LARGE).begin()
    assert isinstance(await again.whole(), m.FileStored)


@on_reactor
async def test_a_download_without_credit_holds_no_descriptor(server: ServerFixture):
    await server.put("ada", "large", LARGE)
    raw = await server.raw("gus")
    ids = [raw.begin(m.GetFile, path="large", version=0, window=2) for _ in range(OPEN_DOWNLOADS)]
    for request_id in ids:
        await raw.when(lambda: len(raw.data.get(request_id, [])) == 2)  # noqa: B023 - called at once
    await until(lambda: not open_objects(server), "nothing is open")
    raw.tell(m.Credit(id=ids[0], chunks=2))
    await raw.when(lambda: len(raw.data[ids[0]]) == 4)
    assert b"".join(raw.data[ids[0]]) == LARGE[: 4 * CHUNK_BYTES]


@on_reactor
async def test_a_session_that_does_not_read_costs_a_mebibyte_at_most(server: ServerFixture):
    ada = await server.raw("ada")
    await server.put("ada", "large", LARGE, ada)
    for number in range(60):
        await server.put("ada", f"docs/small {number}", content(50_000, number), ada)
    raw = await server.raw("gus")
    (session,) = [each for each in server.here.sessions.all() if each.describe().user == "gus"]
    raw.link.pause_reading("the test reads nothing")
    files = [raw.begin(m.GetFile, path="large", version=0, window=8) for _ in range(OPEN_DOWNLOADS - 8)]
    small = [raw.begin(m.GetFiles, files=(m.WantedFile(f"docs/small {n % 60}"),)) for n in range(8)]
    lists = [
        raw.begin(m.ListFolder, path="docs", signatures=True)
        for _ in range(REQUESTS_IN_FLIGHT - len(files) - len(small))
    ]
    await until(lambda: session.link.outbox.waiting_bytes, "its transport is full")
    context = server.here
    await until(lambda: not (context.pool.busy or context.reading_pool.busy), "nothing more is in work")
    assert session.link.outbox.waiting_bytes
    held = session.link.unsent_bytes + CHUNK_BYTES + (READ_AHEAD_CHUNKS - session.read_ahead_credit.left) * CHUNK_BYTES
    assert held > DATA_FRAME_BYTES
    assert held <= MIB
    assert not open_objects(server)
    # Others are served, and whoever reads again gets everything.
    assert isinstance(await ada.ask(m.ShowSelf), m.SelfShown)
    raw.link.resume_reading("the test reads nothing")
    for request_id in lists:
        assert isinstance(await raw.answer(request_id), m.FolderPage)
    for request_id in small:
        (result,) = (await raw.answer(request_id)).results
        assert len(result.content) == 50_000
    for request_id in files:
        await raw.when(lambda: len(raw.data.get(request_id, [])) == 8)  # noqa: B023 - called at once
        assert b"".join(raw.data.pop(request_id)) == LARGE[: 8 * CHUNK_BYTES]


@on_reactor
async def test_downloads_that_wait_when_their_session_ends_are_no_fault_of_the_server(server: ServerFixture):
    ada = await server.raw("ada")
    for number in range(60):
        await server.put("ada", f"docs/small {number}", content(50_000, number), ada)
    raw = await server.raw("gus")
    (session,) = [each for each in server.here.sessions.all() if each.describe().user == "gus"]
    raw.link.pause_reading("the test reads nothing")
    for number in range(OPEN_DOWNLOADS):
        raw.begin(m.GetFiles, files=(m.WantedFile(f"docs/small {number % 60}"),))
    await until(lambda: session.link.outbox.waiting_bytes, "its transport is full")
    await until(lambda: not (server.here.pool.busy or server.here.reading_pool.busy), "nothing more is in work")
    raw.abort()
    await until(lambda: session not in server.here.sessions.all(), "the session ends")
    assert not [line for line in server.lines if "ConnectionLostError" in line], server.lines


@on_reactor
async def test_a_download_goes_on_where_its_content_was_moved_to_another_object(server: ServerFixture):
    await server.put("ada", "large", LARGE)
    raw = await server.raw("gus")
    request_id = raw.begin(m.GetFile, path="large", version=0, window=8)
    await raw.when(lambda: len(raw.data.get(request_id, [])) == 8)
    before = server.objects()
    operator = await server.operator()
    done = await operator.ask(m.RotateMasterKey, reencrypt=True)
    assert isinstance(done, m.VaultChecked), done
    await until(lambda: not set(before) & set(server.objects()), "the old object is gone")
    raw.tell(m.Credit(id=request_id, chunks=24))
    await raw.when(lambda: len(raw.data[request_id]) == 32 or len(raw.answers(request_id)) > 1)
    assert len(raw.answers(request_id)) == 1, raw.answers(request_id)
    raw.tell(m.Credit(id=request_id, chunks=24))
    await raw.when(lambda: len(raw.data[request_id]) == 46)
    assert b"".join(raw.data[request_id]) == LARGE


@on_reactor
async def test_a_download_of_what_was_removed_ends_with_a_refusal(server: ServerFixture):
    await server.put("ada", "large", LARGE)
    raw = await server.raw("gus")
    request_id = raw.begin(m.GetFile, path="large", version=0, window=8)
    await raw.when(lambda: len(raw.data.get(request_id, [])) == 8)
    for path in server.objects():
        path.unlink()
    raw.tell(m.Credit(id=request_id, chunks=8))
    await raw.when(lambda: len(raw.answers(request_id)) == 2)
    assert raw.answers(request_id)[-1].code == "CONTENT_DAMAGED"
