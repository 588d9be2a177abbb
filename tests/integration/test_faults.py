"""A database and a vault that somebody touched, a full disk, and faults of our own: what readers and the operator are told."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from sft.client.transfers.batch import get_all
from sft.client.transfers.plan import GetItem
from sft.errors import ContentDamagedError
from sft.limits import CHUNK_BYTES
from sft.wire import messages as m
from sft.wire.events import LoginRefused
from tests.integration.server_fixture import Raw, RawUpload, ServerFixture, content, on_reactor, until

LARGE = content(700_000)


def _change(server: ServerFixture, *statements: str) -> None:
    """Change the database outside the server, as whoever has its disk can."""
    with closing(sqlite3.connect(server.home.database)) as database:
        for statement in statements:
            database.execute(statement)
            assert database.total_changes or "ALTER" in statement, statement
        database.commit()


# -- rows ---------------------------------------------------------------------------------------------

FORGERIES = {
    "a role": (
        "UPDATE users SET role = 'admin' WHERE name = 'gus'",
        "gus", m.ShowSelf, {}, "users",
    ),
    "a state": (
        "UPDATE users SET state = 'disabled' WHERE name = 'gus'",
        "gus", m.ShowSelf, {}, "users",
    ),
    "a key": (
        "UPDATE device_keys SET device = 'mine' WHERE user_id = (SELECT id FROM users WHERE name = 'gus')",
        "gus", m.ShowSelf, {}, "device_keys",
    ),
    "an owner": (
        "UPDATE files SET owner_id = (SELECT id FROM users WHERE name = 'max')",
        "max", m.Delete, {"path": "docs/plan"}, "files",
    ),
    "a name": (
        "UPDATE files SET name = 'evil', folded = 'evil'",
        "gus", m.GetFile, {"path": "docs/evil", "version": 0, "window": 8}, "files",
    ),
    "a digest": (
        "UPDATE versions SET digest = zeroblob(64)",
        "gus", m.GetFile, {"path": "docs/plan", "version": 0, "window": 8}, "versions",
    ),
    "an author": (
        "UPDATE versions SET author_id = 1",
        "gus", m.ShowFile, {"path": "docs/plan"}, "versions",
    ),
    "a folder": (
        "UPDATE folders SET name = 'docx', folded = 'docx' WHERE name = 'docs'",
        "gus", m.ListFolder, {"path": ""}, "folders",
    ),
    "an invitation": (
        "UPDATE invitations SET role = 'admin' WHERE role = 'guest'",
        "ada", m.ListInvitations, {}, "invitations",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FORGERIES)
@on_reactor
async def test_a_row_changed_in_the_database_is_refused_and_named(server: ServerFixture, what: str):
    statement, name, kind, fields, table = FORGERIES[what]
    await server.put("mia", "docs/plan", b"hers")
    raw = await server.raw(name)
    _change(server, statement)
    answer = await raw.ask(kind, **fields)
    assert isinstance(answer, m.Refusal), answer
    assert answer.code == "RECORD_FORGED"
    named = answer.values["what"]
    assert named == fields.get("path") or named.startswith(f"{table} "), named
    faults = (await server.check()).faults
    assert any(table in fault.what and "changed outside" in fault.problem for fault in faults)
    if table in ("files", "versions"):
        assert any("plan" in fault.what or "docs/" in fault.what for fault in faults), faults


@on_reactor
@pytest.mark.every_run
async def test_a_role_given_in_the_database_gives_nothing(server: ServerFixture):
    _change(server, "UPDATE users SET role = 'admin' WHERE name = 'gus'")
    raw = await server.raw("gus")
    assert [event.code for event in raw.inbox if isinstance(event, LoginRefused)] == ["RECORD_FORGED"]


@on_reactor
async def test_a_policy_opened_in_the_database_lets_nobody_in(server: ServerFixture):
    from sft.crypto.keys import SigningKey
    from sft.wire.login import Claim

    _change(server, "UPDATE settings SET value = 'open' WHERE name = 'registration'")
    key = SigningKey.generate()
    claim = Claim("join", "thief", key.public.encode(), "laptop", None)
    raw = await server.dial(claim, key)
    assert [event.code for event in raw.inbox if isinstance(event, LoginRefused)] == ["RECORD_FORGED"]


# -- contents ---------------------------------------------------------------------------------------------


async def _get(raw: Raw, path: str):
    request_id = raw.begin(m.GetFile, path=path, version=0, window=8)
    await raw.answer(request_id)
    if isinstance(raw.answers(request_id)[0], m.FileBegins):
        raw.tell(m.Credit(id=request_id, chunks=24))
        await raw.when(lambda: len(raw.answers(request_id)) > 1)
    return raw.answers(request_id)[-1]


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGES = {
    "its header": lambda data: _flipped(data, 3),
    "its key": lambda data: _flipped(data, 60),
    "its first chunk": lambda data: _flipped(data, 500),
    "its last byte": lambda data: _flipped(data, len(data) - 1),
    "cut by a byte": lambda data: data[:-1],
    "cut at a chunk": lambda data: data[: -(len(data) % (CHUNK_BYTES + 16))],
    "longer": lambda data: data + b"\0",
    "repeated": lambda data: data + data[-(CHUNK_BYTES + 16) :],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("what", DAMAGES)
@on_reactor
async def test_a_damaged_object_is_refused_to_its_reader_and_named_by_the_check(
    server: ServerFixture, tmp_path, what: str
):
    await server.put("max", "docs/big", LARGE)
    await server.put("max", "docs/good", content(100_000))
    raw = await server.raw("gus")
    found = [path for path in server.objects() if path.stat().st_size > len(LARGE)]
    (path,) = found
    path.write_bytes(DAMAGES[what](path.read_bytes()))
    answer = await _get(raw, "docs/big")
    assert answer.code == "CONTENT_DAMAGED"
    assert answer.values["path"] == "docs/big"
    # With the client library: nothing lies there afterwards.
    session = await server.session("gus")
    item = GetItem("docs/big", ("big",), len(LARGE))
    (result,) = await get_all(session, [item], to=tmp_path / "out")
    assert isinstance(result.error, ContentDamagedError)
    assert list((tmp_path / "out").iterdir()) == []
    (fault,) = (await server.check()).faults
    assert fault.what == "docs/big version 1"
    assert await server.get(raw, "docs/good") == content(100_000)


@on_reactor
@pytest.mark.every_run
async def test_swapped_missing_and_strange_objects_are_refused_and_named(server: ServerFixture):
    for name in ("one", "two", "gone"):
        await server.put("max", name, content(300_000, len(name)))
    raw = await server.raw("gus")
    one, two, gone = server.objects()
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)
    gone.unlink()
    for name in ("one", "two", "gone"):
        assert (await _get(raw, name)).code == "CONTENT_DAMAGED"
    faults = {fault.what for fault in (await server.check()).faults}
    assert {"one version 1", "two version 1", "gone version 1"} <= faults


@on_reactor
async def test_small_contents_in_the_database_authenticate_themselves(server: ServerFixture):
    await server.put("max", "one", b"content of one")
    await server.put("max", "two", b"content of two")
    raw = await server.raw("gus")
    _change(server, "UPDATE small_objects SET sealed = (SELECT sealed FROM small_objects LIMIT 1)")
    answer = await raw.ask(m.GetFiles, files=(m.WantedFile("one"), m.WantedFile("two")))
    refused = [each for each in answer.results if isinstance(each, m.RefusedFile)]
    assert [each.code for each in refused] == ["CONTENT_DAMAGED"]
    (fault,) = (await server.check()).faults
    assert fault.what == f"{refused[0].values['path']} version 1"


# -- faults of our own ---------------------------------------------------------------------------------


@on_reactor
@pytest.mark.every_run
async def test_an_unexpected_fault_is_answered_with_a_reference_and_the_session_goes_on(server: ServerFixture):
    raw = await server.raw("ada")
    _change(server, "ALTER TABLE invitations RENAME TO elsewhere")
    answer = await raw.ask(m.ListInvitations)
    act = await raw.ask(m.WithdrawInvitation, invitation_id=1)
    for refusal in (answer, act):
        assert isinstance(refusal, m.Refusal)
        assert (refusal.code, refusal.values) == ("INTERNAL", {})
        assert any(line.startswith(f"fault ref={refusal.ref} ") for line in server.lines)
        assert any(line.startswith(f"  {refusal.ref} ") for line in server.lines), "its traceback"
    assert answer.ref != act.ref
    assert isinstance(await raw.ask(m.ShowSelf), m.SelfShown)
    assert isinstance(await raw.ask(m.MakeFolder, path="on"), m.Done)
    _change(server, "ALTER TABLE elsewhere RENAME TO invitations")
    assert isinstance(await raw.ask(m.ListInvitations), m.InvitationList)


@on_reactor
async def test_an_unexpected_fault_before_the_login_ends_the_connection_and_is_logged(server: ServerFixture):
    _change(server, "ALTER TABLE device_keys RENAME TO elsewhere")
    raw = await server.raw("ada")
    assert raw.gone
    assert raw.inbox_has(LoginRefused) is False
    assert any(line.startswith("login-fault ref=") for line in server.lines)
    _change(server, "ALTER TABLE elsewhere RENAME TO device_keys")
    assert isinstance(await (await server.raw("ada")).ask(m.ShowSelf), m.SelfShown)


# -- a full disk -------------------------------------------------------------------------------------------


@on_reactor
async def test_on_a_full_disk_getting_deleting_and_logging_in_go_on(server: ServerFixture):
    await server.put("max", "big", LARGE)
    room = server.here.storage.vault._backend._room
    floor, room._floor_bytes = room._floor_bytes, 1 << 60
    raw = await server.raw("max")
    large = RawUpload(raw, server.people["max"], "more", LARGE).begin()
    answer = await large.whole()
    assert (answer.code, answer.values) == ("SERVER_FULL", {"size_bytes": len(LARGE)})
    pipe = RawUpload(raw, server.people["max"], "pipe", LARGE).begin(size=None)
    assert (await pipe.whole()).code == "SERVER_FULL"
    assert (await server.put("max", "small", content(50_000), raw)).code == "SERVER_FULL"
    for upload in (large, pipe):
        if upload.sent < len(upload.chunks):
            upload.cancel()
    await raw.barrier()
    assert await server.get(raw, "big") == LARGE
    assert isinstance(await raw.ask(m.Delete, path="big"), m.FileDeleted)
    await server.clean()
    room._floor_bytes = floor
    assert isinstance(await server.put("max", "more", LARGE, raw), m.FileStored)


@on_reactor
async def test_an_announced_size_takes_no_room_and_one_that_cannot_fit_is_refused_at_once(server: ServerFixture):
    room = server.here.storage.vault._backend._room
    # A disk of its own size: that of the machine changes while others use it.
    room._free, room._floor_bytes = (lambda: 100_000_000), 95_000_000
    raw = await server.raw("max")
    first = RawUpload(raw, server.people["max"], "a", content(3_000_000)).begin()
    await first.admitted()
    second = RawUpload(raw, server.people["max"], "b", content(6_000_000)).begin()
    assert (await second.answer()).code == "SERVER_FULL"
    second.cancel()
    first.cancel()
    await first.answer()
    await until(lambda: room._promised_bytes == 0, "the promise is given back")
