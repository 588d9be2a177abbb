"""Quotas over the wire: of many uploads at once exactly what fits is stored; who is near one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sft.client.api.files import list_folder
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, put_all
from sft.client.transfers.plan import PutItem
from sft.errors import QuotaBytesError
from sft.model.policy import ServerPolicy
from sft.model.quotas import Usage
from sft.store.figures import user_figures
from sft.store.recount import recounted_total, recounted_users, user_ids
from sft.store.totals import total_owned
from sft.wire import messages as m
from tests.integration.server_fixture import RawUpload, ServerFixture, content, in_parallel, on_reactor, until

SMALL, LARGE = 3_000, 300_000
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
