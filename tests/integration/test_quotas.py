"""Quotas over the wire: of many uploads at once exactly what fits is stored; who is near one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sft.client.api.files import list_folder
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, put_all
from sft.client.transfers.plan import PutItem
from sft.errors import QuotaBytesError
from sft.limits import CHUNK_BYTES
from sft.model.policy import ServerPolicy
from sft.model.quotas import Usage
from sft.store.figures import user_figures
from sft.store.recount import recounted_total, recounted_users, user_ids
from sft.store.row_types import UploadRow
from sft.store.statements import rows_of
from sft.store.totals import total_owned
from sft.wire import messages as m
from tests.integration.server_fixture import RawUpload, ServerFixture, content, in_parallel, on_reactor, until

SMALL, LARGE, MIB = 3_000, 300_000, 1 << 20
AT_ONCE, FIT = 32, 10


def require_sums(server: ServerFixture, expected: Usage) -> None:
    """Require that what is kept is what is there, of each person and of all."""
    with server.here.readers.reading() as reading:
        people = user_ids(reading, 0, 1000)
        assert user_figures(reading, people) == recounted_users(reading, people)
        assert total_owned(reading) == recounted_total(reading) == expected


async def put(session: Session, folder: Path, size: int, names: list[str]) -> list[PutResult]:
    items = []
    for name in names:
        (folder / name).write_bytes(content(size, hash(name) % 1000))
        items.append(PutItem(folder / name, name, size))
    return await put_all(session, items)


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("whose", ["max", "all"])
@on_reactor
async def test_of_32_uploads_at_once_exactly_what_fits_is_stored(
    server: ServerFixture, tmp_path: Path, size: int, whose: str
):
    most = FIT * size + size - 1
    limits = {"quota_bytes": most} if whose == "max" else {"total_quota_bytes": most}
    server.here.readers.policy = ServerPolicy(**limits)
    # Of one person no more than 16 large ones are open at once, and a session has four of them under way.
    who = ["max"] if whose == "max" else ["max", "mia", "ada"]
    sessions = [await server.session(who[n % len(who)]) for n in range(3 * len(who))]
    names = [f"f{n}" for n in range(AT_ONCE)]
    begun = [put(session, tmp_path, size, names[n :: len(sessions)]) for n, session in enumerate(sessions)]
    results = [result for several in await in_parallel(begun) for result in several]
    failed = [result.error for result in results if result.error is not None]
    assert (len(results), len(failed)) == (AT_ONCE, AT_ONCE - FIT)
    assert all(isinstance(error, QuotaBytesError) for error in failed), failed
    page = await list_folder(sessions[0], "")
    assert sorted(file.path for file in page.files) == sorted(each.item.path for each in results if each.error is None)
    require_sums(server, Usage(FIT, FIT * size))
    await server.clean()


@on_reactor
async def test_a_refusal_comes_at_the_beginning_and_says_why(server: ServerFixture):
    server.here.readers.policy = ServerPolicy(quota_bytes=LARGE)
    upload = RawUpload(await server.raw("max"), server.people["max"], "big", content(LARGE + 1)).begin()
    answer = await upload.answer()
    assert isinstance(answer, m.Refusal)
    assert (answer.code, answer.values) == (
        "QUOTA_BYTES",
        {"path": "big", "owner": "max", "used_bytes": 0, "quota_bytes": LARGE, "admins": "ada"},
    )
    fits = RawUpload(upload.raw, upload.person, "fits", content(LARGE)).begin()
    await fits.admitted()
    beside = RawUpload(upload.raw, upload.person, "beside", content(100_000)).begin()
    refused = await beside.answer()
    assert isinstance(refused, m.Refusal)
    assert refused.values["used_bytes"] == LARGE  # all of it is reserved
    assert isinstance(await fits.whole(), m.FileStored)
    await server.clean()
    require_sums(server, Usage(1, LARGE))


async def open_rows(server: ServerFixture) -> list[UploadRow]:
    with server.here.readers.reading() as reading:
        return reading.rows.all(rows_of(UploadRow))


@on_reactor
async def test_what_comes_through_a_pipe_is_refused_as_soon_as_it_fits_no_more(server: ServerFixture):
    server.here.readers.policy = ServerPolicy(quota_bytes=MIB)
    upload = RawUpload(await server.raw("max"), server.people["max"], "pipe", content(8 * MIB)).begin(size=None)
    await upload.send()
    answer = await upload.answer()
    assert (answer.code, answer.values["quota_bytes"]) == ("QUOTA_BYTES", MIB)
    assert upload.sent * CHUNK_BYTES < 4 * MIB  # what is over and what was in flight, not all of it
    upload.cancel()
    await server.clean()
    assert await open_rows(server) == []
    require_sums(server, Usage())


@pytest.mark.parametrize("ended_by", ["cancel", "disconnect", "commit"])
@on_reactor
async def test_what_is_reserved_for_a_pipe_is_free_when_it_ends(server: ServerFixture, ended_by: str):
    server.here.readers.policy = ServerPolicy(quota_bytes=2 * MIB - 1)
    data = content(MIB + 1)
    upload = RawUpload(await server.raw("max"), server.people["max"], "pipe", data).begin(size=None)
    await upload.send(16)

    def reserved() -> int:
        with server.here.readers.reading() as reading:
            return sum(row.size for row in reading.rows.all(rows_of(UploadRow)))

    await until(lambda: reserved() >= MIB, "all that came is reserved")
    beside = RawUpload(await server.raw("max"), server.people["max"], "beside", content(MIB)).begin()
    assert (await beside.answer()).code == "QUOTA_BYTES"
    if ended_by == "commit":
        assert isinstance(await upload.whole(), m.FileStored)
        server.here.readers.policy = ServerPolicy(quota_bytes=len(data) + MIB)
    elif ended_by == "cancel":
        upload.cancel()
    else:
        upload.raw.abort()
    await until(lambda: reserved() == 0, "nothing is reserved")
    again = RawUpload(beside.raw, beside.person, "again", content(MIB)).begin()
    assert isinstance(await again.whole(), m.FileStored)
    await server.clean()


@on_reactor
async def test_of_32_pipes_at_once_exactly_what_fits_is_stored(server: ServerFixture):
    size = MIB + 1
    server.here.readers.policy = ServerPolicy(total_quota_bytes=FIT * size, quota_bytes=5 * size)
    people = ["max", "mia", "ada"]
    raws = [await server.raw(people[n % 3]) for n in range(9)]
    pipes = [
        RawUpload(raws[n % 9], server.people[people[n % 3]], f"pipe{n}", content(size, n)).begin(size=None)
        for n in range(AT_ONCE)
    ]

    async def one(pipe: RawUpload) -> object:
        answer = await pipe.whole()
        if isinstance(answer, m.Refusal):
            pipe.cancel()
        return answer

    answers = await in_parallel([one(pipe) for pipe in pipes])
    refused = {each.code for each in answers if isinstance(each, m.Refusal)}
    stored = sum(isinstance(each, m.FileStored) for each in answers)
    assert (refused, stored) == ({"QUOTA_BYTES"}, FIT)
    require_sums(server, Usage(stored, stored * size))
    await server.clean()
    assert await open_rows(server) == []


@on_reactor
async def test_whose_quota_it_is_and_who_can_give_more_are_told(server: ServerFixture):
    server.here.readers.policy = ServerPolicy(quota_bytes=1000, total_quota_files=1)
    owner, other, admin = [await server.raw(name) for name in ("max", "mia", "ada")]
    await server.put("max", "a", content(950))
    for raw in (owner, admin):
        await until(lambda: raw.notices, "the notice is there")  # noqa: B023 - awaited here
    said = {"percent": 95, "files": 1, "size_bytes": 950}
    assert owner.notices == [m.Notice("quota", {"whose": "yours", **said, "quota_bytes": 1000})]
    assert admin.notices == [m.Notice("quota", {"whose": "everybody", **said, "quota_files": 1})]
    await other.barrier()
    assert other.notices == []
    assert any(line.startswith("quota-near ") and "percent=95" in line for line in server.lines)
