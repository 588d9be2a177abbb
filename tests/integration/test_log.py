"""The log of the servers: structured, escaped, and without a secret; conftest looks at the whole run's once more."""

from __future__ import annotations

import re

from sft.errors import REQUEST_ERRORS
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


def test_the_search_finds_what_it_looks_for():
    secrets = {"a": bytes(range(32)), "b": b"plain words", "c": bytes(range(100, 132))}
    assert leaks([f"x key={bytes(range(32)).hex()}", "says plain words"], secrets) == {"a", "b"}


@on_reactor
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
