"""A download is in the log before its first byte leaves, and as received with the reader's word alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from sft.crypto.statement import ReceivedVersion
from sft.errors import ServerFullError
from sft.ledger.leaves import LeafKind
from sft.limits import CHUNK_BYTES
from sft.model.records import File, FileSeen
from sft.server import said_begun
from sft.service.act_statement import AskedAct
from sft.store.ledger import LeafFilter, leaves_about, ledger_row
from sft.wire import messages as m
from sft.wire.events import DataReceived
from tests.fakes.signed_acts import statement_of
from tests.integration.server_fixture import Raw, ServerFixture, content, on_reactor, until, writer_held

LARGE = content(3 * CHUNK_BYTES)


def downloads(server: ServerFixture, kind: LeafKind = LeafKind.DOWNLOAD_BEGUN) -> list[dict[str, Any]]:
    """Read what the log says of downloads."""
    with server.here.readers.reading() as reading:
        size = ledger_row(reading).size
        rows = leaves_about(reading, LeafFilter(kinds=(kind,)), 0, size, 100, newest_first=False)
    return [json.loads(row.facts) for row in rows]


async def stored(server: ServerFixture) -> list[File]:
    await server.put("max", "small", b"small")
    await server.put("max", "large", LARGE)
    raw = await server.raw("max")
    return [(await raw.ask(m.ShowFile, path=path)).file for path in ("small", "large")]


def begin(raw: Raw, path: str) -> int:
    if path == "small":
        return raw.begin(m.GetFiles, files=(m.WantedFile("small"), m.WantedFile("none")))
    return raw.begin(m.GetFile, path="large", version=0, first_chunk=0, window=1)


@pytest.mark.parametrize("path", ["small", "large"])
@on_reactor
@pytest.mark.every_run
async def test_nothing_leaves_before_it_is_committed_that_it_does(server: ServerFixture, path: str):
    files = {file.path: file for file in await stored(server)}
    raw = await server.raw("gus")
    with writer_held(server) as held:
        request = begin(raw, path)
        await held.queued(1)
        await raw.barrier()
        assert raw.answers(request) == []
        assert not raw.inbox_has(DataReceived)
        assert downloads(server) == []
    await raw.answer(request)
    (said,) = downloads(server)
    assert said["versions"] == [[files[path].id.hex(), 1]]
    assert said["by"]["user"] == server.people["gus"].user_id


@on_reactor
async def test_who_vanishes_has_begun(server: ServerFixture):
    await stored(server)
    raw = await server.raw("gus")
    with writer_held(server) as held:
        begin(raw, "large")
        await held.queued(1)
        raw.abort()
    await until(lambda: len(downloads(server)) == 1, "the leaf of a download of whom nobody hears more")


@pytest.mark.parametrize("path", ["small", "large"])
@on_reactor
async def test_what_cannot_be_logged_does_not_leave(server: ServerFixture, path: str, monkeypatch: Any):
    await stored(server)
    raw = await server.raw("gus")

    def full(_transaction: Any, _items: Any) -> Any:
        raise ServerFullError(size_bytes=0)

    monkeypatch.setattr(said_begun, "begin_downloads", full)
    answer = await raw.answer(begin(raw, path))
    assert isinstance(answer, m.Refusal)
    assert not raw.inbox_has(DataReceived)


@on_reactor
async def test_what_goes_on_says_from_where(server: ServerFixture):
    await stored(server)
    raw = await server.raw("gus")
    assert await server.get(raw, "large", first_chunk=2) == LARGE[2 * CHUNK_BYTES :]
    assert [said["first_chunk"] for said in downloads(server)] == [2]


def statement(server: ServerFixture, name: str, *files: File, digest: bytes | None = None) -> bytes:
    person = server.people[name]
    received = tuple(ReceivedVersion(each.id, 1, digest or each.version.digest) for each in files)
    said = AskedAct("received", {"versions": received})
    return statement_of(person.key, server.server_key.server_id(), person.user_id, said)


async def confirm(raw: Raw, signature: bytes, *files: File) -> Any:
    versions = tuple(FileSeen(each.id, each.version.number) for each in files)
    return await raw.ask(m.ConfirmReceived, versions=versions, statement=signature)


@on_reactor
async def test_a_reader_says_what_they_received_and_nobody_else_can(server: ServerFixture):
    small, large = await stored(server)
    raw = await server.raw("gus")
    assert await server.get(raw, "large") == LARGE
    for signature, files in (
        (statement(server, "gus", small), (small,)),  # not downloaded
        (statement(server, "gus", small), (large,)),  # of another file
        (statement(server, "mia", large), (large,)),  # another's word
        (statement(server, "gus", large, digest=bytes(64)), (large,)),  # of another content
        (statement(server, "gus", large), (replace(large, version=replace(large.version, number=2)),)),
    ):
        assert isinstance(await confirm(raw, signature, *files), m.Refusal)
    assert downloads(server, LeafKind.DOWNLOAD_RECEIVED) == []
    good = statement(server, "gus", large)
    assert (await confirm(raw, good, large)).changed
    assert not (await confirm(raw, good, large)).changed
    (said,) = downloads(server, LeafKind.DOWNLOAD_RECEIVED)
    assert (said["versions"], said["statement"]) == ([[large.id.hex(), 1]], good.decode())
    readers = (await (await server.raw("max")).ask(m.ListReaders, path="large")).page.readers
    assert {each.name: each.received_leaf is not None for each in readers if each.version} == {"gus": True}
    assert (await server.check()).faults == ()
