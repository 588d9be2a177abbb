"""The log of the servers: structured, escaped, and without a secret; conftest looks at the whole run's once more."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from sft.errors import REQUEST_ERRORS
from sft.limits import LIMITED_LINES_PER_CAUSE, LOGGED_TEXT
from sft.model.access import Role
from sft.wire import messages as m
from tests.integration.server_fixture import (
    ALL_LINES,
    SECRETS,
    RawUpload,
    ServerFixture,
    content,
    leaks,
    on_reactor,
    until,
)

CANARY = b"a canary that only the content holds"
# event key=value …, or a line of a traceback behind its reference
LINE = re.compile(r'[a-z-]+( [a-z_]+=("(\\"|[^"])*"|[^ "=]+))*|  [2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4} .*')


def raw_session(server: ServerFixture) -> int:
    (session,) = [each for each in server.here.sessions.all() if each.describe().user == "max"]
    return session.session_id


@pytest.mark.every_run
def test_the_search_finds_what_it_looks_for():
    secrets = {"a": bytes(range(32)), "b": b"plain words", "c": bytes(range(100, 132))}
    assert leaks([f"x key={bytes(range(32)).hex()}", "says plain words"], secrets) == {"a", "b"}


@on_reactor
@pytest.mark.every_run
async def test_lines_are_structured_and_names_are_escaped(server: ServerFixture):
    raw = await server.raw("ada")
    evil = "plan a=b é.txt"
    assert isinstance(await raw.ask(m.MakeFolder, path=evil), m.Done)
    # Names that could forge a line are refused, and do not come to the log as they are.
    for bad in ("a\nb", "a\x1b[31m", "\u202egnp"):
        assert (await raw.ask(m.MakeFolder, path=bad)).code in REQUEST_ERRORS
    await raw.ask(m.DisableUser, name="x\ny")
    made = [line for line in server.lines if line.startswith("folder-made ")]
    assert any('by=ada path="plan a=b é.txt" folder_ids=1' in line for line in made), made
    for line in server.lines:
        assert LINE.fullmatch(line), line
        assert line.isprintable(), line


@on_reactor
async def test_every_act_has_a_line_and_what_changed_nothing_has_none(server: ServerFixture):
    ada, operator = await server.raw("ada"), await server.operator()
    await server.put("ada", "a", b"x", ada)
    stored = await server.put("ada", "a", b"x", ada)
    assert stored.stored.unchanged
    await operator.ask(m.ChangeRole, name="max", role=Role.GUEST)
    await operator.ask(m.ChangeRole, name="max", role=Role.GUEST)
    await ada.ask(m.Delete, path="a")
    await until(lambda: any("file-trashed" in line for line in server.lines), "the last line")
    told = [line.split(" ", 1)[0] for line in server.lines]
    assert [told.count(each) for each in ("file-committed", "role-changed", "file-trashed")] == [1, 1, 1]
    (changed,) = [line for line in server.lines if line.startswith("role-changed")]
    assert changed.endswith("by=operator user_id=2 name=max before=maintainer role=guest"), changed
    (settings,) = [line for line in server.lines if line.startswith("settings-changed")]
    assert "by=operator address=" in settings


@on_reactor
async def test_damage_that_a_reader_meets_is_one_warning_with_path_version_and_object(server: ServerFixture):
    raw = await server.raw("max")
    for path in ("large.bin", "small.bin"):
        await server.put("max", path, content(300_000 if path == "large.bin" else 20_000), raw)
    for stored in server.objects():
        stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    objects = {path.name for path in server.objects()}
    for path in ("large.bin", "small.bin"):
        request_id = raw.begin(m.GetFile, path=path, version=0, window=8)
        await raw.when(lambda: any(isinstance(each, m.Refusal) for each in raw.answers(request_id)))  # noqa: B023
        met = f"content-damaged what={path} session={raw_session(server)} by=max request=GetFile"
        assert [line for line in server.lines if line.startswith(met)]
        await until(lambda: [line for line in server.log.warnings if f"path={path}" in line], "the warning")  # noqa: B023
        (said,) = [line for line in server.log.warnings if f"path={path}" in line]
        told = dict(word.split("=", 1) for word in said.split() if "=" in word)
        assert said.startswith("damage-found ")
        assert told["version"] == "1"
        assert told["object"] in objects
        assert 'problem="' in said
    # Met again, and read by a check, it is told no more.
    again = raw.begin(m.GetFile, path="large.bin", version=0, window=8)
    await raw.when(lambda: any(isinstance(each, m.Refusal) for each in raw.answers(again)))
    assert len((await server.check()).faults) == 2
    assert len([line for line in server.log.warnings if line.startswith("damage-found")]) == 2
    found = [line for line in server.log.warnings if line.startswith("job-fault job=check what=")]
    assert len(found) == 2, server.log.warnings


@on_reactor
async def test_a_changed_row_and_a_full_disk_are_warnings(server: ServerFixture):
    raw = await server.raw("max")
    await server.put("max", "a", b"x", raw)
    with closing(sqlite3.connect(server.home.database)) as database, database:
        database.execute("UPDATE files SET owner_id = 1")
    assert (await raw.ask(m.ShowFile, path="a")).code == "RECORD_FORGED"
    (said,) = server.log.warnings
    assert said.startswith("record-forged what=a session="), said
    assert re.search(r'by=max request=ShowFile why="the row \S+ of files was changed outside the server"', said), said
    server.here.storage.vault._backend._room._free = lambda: 0
    begun = m.BeginUpload
    full = await raw.ask(begun, path="c", file_id=bytes(16), version=1, size=100_000, window=1, upload_id=bytes(16))
    assert full.code == "SERVER_FULL"
    assert server.log.warnings[1].startswith("server-full what=SERVER_FULL "), server.log.warnings
    assert "by=max request=BeginUpload path=c version=1" in server.log.warnings[1]


@on_reactor
async def test_a_refusal_is_a_line_and_a_flood_of_them_ten_and_a_number(server: ServerFixture):
    gus, max_ = await server.raw("gus"), await server.raw("max")
    assert (await gus.ask(m.MakeFolder, path="x")).code == "ROLE_FORBIDS"
    assert (await gus.ask(m.ShowFile, path="gone")).code == "NOT_FOUND"
    (forbidden,) = server.log.warnings
    assert forbidden.startswith("request-refused by=gus session="), forbidden
    assert forbidden.endswith("code=ROLE_FORBIDS request=MakeFolder path=x")
    for number in range(100):
        await gus.ask(m.ShowFile, path=f"{number}{'y' * 240}")
    assert (await max_.ask(m.ShowFile, path="gone")).code == "NOT_FOUND"
    told = [line for line in server.lines if line.startswith("request-refused ")]
    assert len([line for line in told if "by=gus" in line]) == LIMITED_LINES_PER_CAUSE
    assert len([line for line in told if "by=max" in line]) == 1, "a flood hides nobody else's"
    assert max(map(len, told)) < LOGGED_TEXT + 200
    server.here.stop_limited_logs()
    assert server.lines[-1] == "refusals by=gus lines_left_out=92"


@on_reactor
async def test_room_is_said_at_the_start(server: ServerFixture):
    (said,) = [line for line in server.lines if line.startswith(("room ", "room-low "))]
    assert re.fullmatch(r'room(-low)? free="[0-9.]+ [KMGT]?i?B" free_bytes=[0-9]+', said), said


@on_reactor
@pytest.mark.every_run
async def test_no_line_of_any_server_so_far_holds_a_secret(server: ServerFixture):
    # Whatever else ran, this did: contents, signatures, joins, refusals, faults.
    raw = await server.raw("max")
    await server.put("max", "small", CANARY, raw)
    large = content(300_000) + CANARY
    await server.put("max", "large", large, raw)
    forged = RawUpload(raw, server.people["mia"], "forged", large).begin()
    await forged.whole()
    session = await server.session("ada")
    await server.enroll("late", Role.GUEST, session)
    raw.abort()
    await until(lambda: any("session-end" in line for line in server.lines))
    assert len(ALL_LINES) > 10
    assert len(SECRETS) >= 10
    secrets = {**SECRETS, "content": CANARY, "large content": content(300_000)[:16]}
    secrets["signature"] = server.people["max"].sign("small", CANARY).split(b"\n")[1][:40]
    assert leaks(ALL_LINES, secrets) == set()
