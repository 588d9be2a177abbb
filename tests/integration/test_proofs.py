"""What a server proves beside its answers, over a real connection: checked by whoever believes nothing."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sft import durable
from sft.client.statements import sign_act
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.proofs import verify_consistency
from sft.ledger.slots import FileState
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES
from sft.model.access import Role, operator_caller
from sft.model.records import FileSeen
from sft.service import accounts, trash
from sft.service.log.evidence import EvidenceBuilder
from sft.service.log.ledger import Ledger
from sft.wire import messages as m
from sft.wire.login import Claim
from tests.integration.proofs import ToldLog
from tests.integration.raw import Raw
from tests.integration.server_fixture import RawUpload, ServerFixture, content, on_reactor, until

DOCS = "docs/plans/a"


async def _told(server: ServerFixture, name: str, claimed: tuple[Checkpoint, ...] = ()) -> tuple[Raw, ToldLog]:
    person = server.people[name]
    sizes = tuple(each.size for each in claimed)
    raw = await server.dial(Claim.login(name, person.key.public, "laptop", log_sizes=sizes), person.key)
    return raw, ToldLog(raw, server.server_key, person.server_id, claimed)


async def _replace(server: ServerFixture, raw: Raw, path: str, versions: int) -> None:
    file_id, prev = bytes(15) + b"\1", None
    for number in range(1, versions + 1):
        data = f"{path} {number}".encode()
        stored = (await server.put("max", path, data, raw, file_id=file_id, version=number, prev=prev)).stored
        prev = stored.digest


@on_reactor
@pytest.mark.every_run
async def test_a_login_is_shown_the_log_and_who_it_is(server: ServerFixture):
    for name, role in (("ada", Role.ADMIN), ("max", Role.MAINTAINER), ("gus", Role.GUEST)):
        raw, log = await _told(server, name)
        assert log.head.size == server.here.ledger.head.size
        assert log.welcome is not None
        me = log.welcome.user(server.people[name].user_id)
        assert (me.name, me.role) == (name, role)
        assert me.key(server.people[name].key.public.encode()) is not None
        assert raw.welcome.consistency == ()


@on_reactor
async def test_a_login_goes_on_every_head_that_is_claimed(server: ServerFixture):
    _, first = await _told(server, "max")
    heads = [first.head]
    for number in range(3):
        raw, log = await _told(server, "max", tuple(heads))
        assert log.head.size == heads[-1].size
        await server.put("max", f"{number}", b"x", raw)
        heads.append(log.head)
        assert heads[-1].size == heads[-2].size + 1


@on_reactor
async def test_a_login_that_has_seen_more_than_there_is_gets_the_head_and_the_operator_a_warning(server: ServerFixture):
    _, first = await _told(server, "max")
    person, size = server.people["max"], first.head.size
    claim = Claim.login("max", person.key.public, "laptop", log_sizes=(size, size + 7, size - 1))
    raw = await server.dial(claim, person.key)
    log = ToldLog(raw, server.server_key, person.server_id, claimed=None)
    assert log.head.size == size
    assert [bool(each) for each in raw.welcome.consistency] == [False, False, True]
    (line,) = [line for line in server.lines if line.startswith("log-behind ")]
    assert f"claimed={size + 7} size={size}" in line
    assert "max" in line
    # It goes on as before: anybody could say so.
    await server.put("max", "a", b"a", raw)
    assert log.head.size == size + 1


async def _put_seeing(server: ServerFixture, raw: Raw, path: str, data: bytes, head: str) -> Any:
    """Store a file whose author says to have seen a head."""
    person = server.people["max"]
    if len(data) <= SMALL_FILE_BYTES:
        return await server.put("max", path, data, raw, head=head)
    upload = RawUpload(raw, person, path, data).begin()
    await upload.send()
    upload.commit(head=head)
    return await upload.answer()


@on_reactor
@pytest.mark.every_run
async def test_what_is_signed_over_a_head_of_another_log_is_refused(server: ServerFixture):
    raw, log = await _told(server, "max")
    head = log.head
    epoch = head.origin.epoch
    wrong = {
        "another root": f"{epoch}.{head.size}:{bytes(32).hex()}",
        "not there yet": f"{epoch}.{head.size + 1}:{head.root.hex()}",
        "another epoch": f"{epoch + 1}.{head.size}:{head.root.hex()}",
        "no leaf": f"{epoch}.0:{bytes(32).hex()}",
    }
    for what, said in wrong.items():
        for data in (b"small", content(CHUNK_BYTES)):
            refused = await _put_seeing(server, raw, what, data, said)
            assert refused.code == "SIGNATURE_REFUSED", what
            assert "has not had" in refused.values["problem"]
    assert log.head.size == head.size
    right = f"{epoch}.{head.size}:{head.root.hex()}"
    for path, data in (("small", b"small"), ("large", content(CHUNK_BYTES))):
        stored = await _put_seeing(server, raw, path, data, right)
        assert isinstance(stored, m.FileStored), stored
        shown, proved = await log.ask(m.ShowFile, path=path, version=0)
        (seen,) = proved.evidence.seen
        assert seen.size == head.size
        verify_consistency(head.size, head.root, log.head.size, log.head.root, seen.consistency)
        assert right.encode() in shown.file.version.signature


@on_reactor
async def test_an_act_is_refused_whose_statement_names_a_head_of_another_log(server: ServerFixture):
    raw, log = await _told(server, "ada")
    person, head = server.people["ada"], log.head
    for root, answer in ((bytes(32), m.Refusal), (head.root, m.Done)):
        said = f"{head.origin.epoch}.{head.size}:{root.hex()}"
        statement = sign_act(
            person.key,
            "make-folder",
            {"path": "docs"},
            server_id=person.server_id,
            user_id=person.user_id,
            now=1_700_000_001,
            head=said,
        )
        made = await raw.ask(m.MakeFolder, path="docs", statement=statement)
        assert isinstance(made, answer), made
    assert log.head.size == head.size + 1


@on_reactor
async def test_many_small_files_are_proved_together(server: ServerFixture):
    raw, log = await _told(server, "max")
    paths = [f"docs/{number % 7}/{number:03}" for number in range(64)]
    for path in paths:
        assert isinstance(await server.put("max", path, content(300), raw), m.FileStored)
    got, proved = await log.ask(m.GetFiles, files=tuple(map(m.WantedFile, paths)))
    assert [each.file.path for each in got.results] == paths
    for each in got.results:
        proved.require(each.file)
    assert {slot.name for slot in proved.files.values()} >= {path.rpartition("/")[2] for path in paths}


@on_reactor
async def test_many_files_are_shown_with_one_proof_as_many_as_the_frame_holds(server: ServerFixture):
    raw, log = await _told(server, "max")
    paths = [f"{'long ' * 30}{number % 7}/{'name ' * 30}{number:03}" for number in range(64)]
    for path in paths:
        assert isinstance(await server.put("max", path, b"x", raw), m.FileStored)
    left, answers = [*paths[:60], "nobody's", *paths[60:63]], 0
    while left:
        shown, proved = await log.ask(m.ShowFiles, paths=tuple(left))
        assert len(shown.results) >= len(left) // 4
        for path, each in zip(left, shown.results, strict=False):
            if path == "nobody's":
                assert each.code == "NOT_FOUND"
            else:
                proved.require(each.file)
                assert (each.file.path, bool(each.file.version.signature)) == (path, True)
        left, answers = left[len(shown.results) :], answers + 1
    assert answers > 1


@on_reactor
async def test_a_small_file_that_does_not_fit_a_frame_with_its_proof_follows_it(server: ServerFixture):
    raw, log = await _told(server, "max")
    deep = "/".join("abcdefgh"[number % 8] for number in range(100))
    for path in (deep, "flat"):
        await server.put("max", path, content(SMALL_FILE_BYTES), raw)
    got, proved = await log.ask(m.GetFiles, files=(m.WantedFile(deep), m.WantedFile("flat")))
    first = raw.answers(got.id)[0]
    assert isinstance(first, m.FilesContent)
    assert (first.results, first.evidence is None) == ((), False)
    for each in got.results:
        proved.require(each.file)
    assert len(got.results) == 2


@on_reactor
async def test_a_file_in_as_many_folders_as_a_path_has_is_proved(server: ServerFixture):
    raw, log = await _told(server, "max")
    deepest = "/".join("a" * 512)
    await server.put("max", deepest, b"x", raw)
    shown, proved = await log.ask(m.ShowFile, path=deepest, version=0)
    proved.require(shown.file)


@on_reactor
async def test_the_operator_is_told_no_head(server: ServerFixture):
    await server.put("max", "a", b"a")
    raw = await server.operator()
    assert (raw.welcome.head, raw.welcome.evidence) == ("", None)
    shown = await raw.ask(m.ShowFile, path="a", version=0)
    assert shown.evidence is None
    assert isinstance(await raw.ask(m.DisableUser, name="gus"), m.UserShown)
    assert (await raw.ask(m.ListUsers)).evidence is None
    assert not any(isinstance(getattr(each, "message", None), m.LogHead) for each in raw.inbox)


@on_reactor
@pytest.mark.every_run
async def test_every_answer_about_files_is_proved_to_whoever_may_have_it(server: ServerFixture):
    large = content(2 * CHUNK_BYTES + 5)
    await server.put("max", DOCS, b"small")
    await server.put("max", "docs/b", large)
    await server.put("ada", "own", b"mine")
    for name in ("ada", "max", "gus"):
        _, log = await _told(server, name)
        for path in (DOCS, "docs/b", "own"):
            shown, proved = await log.ask(m.ShowFile, path=path, version=0)
            assert proved.require(shown.file).state is FileState.LIVE
            begun, proved = await log.ask(m.GetFile, path=path, version=0, window=8)
            proved.require(begun.file)
        wanted = tuple(m.WantedFile(path) for path in (DOCS, "own", "none"))
        got, proved = await log.ask(m.GetFiles, files=wanted)
        assert [type(each) for each in got.results] == [m.FileContent, m.FileContent, m.RefusedFile]
        for each in got.results[:2]:
            proved.require(each.file)


@on_reactor
async def test_people_are_proved(server: ServerFixture):
    raw, log = await _told(server, "ada")
    assert isinstance(await raw.ask(m.RemoveUser, name="mia"), m.UserShown)
    page, proved = await log.ask(m.ListUsers)
    assert {user.name for user in page.page.users} == {"ada", "max", "mia", "gus"}
    for user in page.page.users:
        slot = proved.user(user.id)
        assert (slot.name, slot.role, slot.state) == (user.name, user.role, user.state)
    for fields in ({"user_id": 0, "name": "mia"}, {"user_id": server.people["mia"].user_id}):
        shown, proved = await log.ask(m.ShowUser, **fields)
        assert proved.user(shown.user.id).state == "removed"


@on_reactor
async def test_an_older_version_is_proved_among_all_of_its_file(server: ServerFixture):
    raw, log = await _told(server, "max")
    await _replace(server, raw, DOCS, 5)
    for number in range(1, 6):
        shown, proved = await log.ask(m.ShowFile, path=DOCS, version=number)
        assert shown.file.version.number == number
        assert proved.require(shown.file).versions_kept == 5
    wanted = tuple(m.WantedFile(DOCS, number) for number in (2, 4))
    got, proved = await log.ask(m.GetFiles, files=wanted)
    for each in got.results:
        proved.require(each.file)


@on_reactor
@pytest.mark.every_run
async def test_an_act_is_in_the_log_before_it_is_answered(server: ServerFixture):
    raw, log = await _told(server, "ada")
    person = server.people["ada"]
    acts: list[tuple[type[m.Request], dict[str, Any]]] = [
        (m.MakeFolder, {"path": "new"}),
        (m.PutFiles, {"files": (m.SmallPut("new/a", person.sign("new/a", b"a"), b"a"),)}),
        (m.DisableUser, {"name": "gus"}),
        (m.Delete, {"path": "new", "recursive": True}),
    ]
    for kind, fields in acts:
        before = log.head.size
        answer = await raw.ask(kind, **fields)
        assert not isinstance(answer, m.Refusal), answer
        assert log.head.size > before, kind
    before = log.head.size
    await server.put("ada", "large", content(CHUNK_BYTES + 1), raw)
    assert log.head.size > before


@on_reactor
async def test_a_moved_file_is_proved_where_it_is(server: ServerFixture):
    raw, log = await _told(server, "max")
    await server.put("max", DOCS, b"a", raw)
    shown, _ = await log.ask(m.ShowFile, path=DOCS, version=0)
    seen = FileSeen(shown.file.id, 1)
    moved = await raw.ask(m.Move, old=DOCS, new="docs/b", seen=seen)
    assert isinstance(moved, m.FileShown), moved
    shown, proved = await log.ask(m.ShowFile, path="docs/b", version=0)
    assert proved.require(shown.file).name == "b"


@on_reactor
async def test_answers_side_by_side_are_each_under_the_head_that_was_told_last(server: ServerFixture):
    raw, log = await _told(server, "max")
    other = await server.raw("mia")
    await server.put("max", DOCS, b"a", raw)
    for turn in range(20):
        asked = [raw.begin(m.ShowFile, path=DOCS, version=0) for _ in range(8)]
        asked += [raw.begin(m.GetFiles, files=(m.WantedFile(DOCS),)) for _ in range(4)]
        await server.put("mia", f"mia/{turn}", b"x", other)
        await server.put("max", f"max/{turn}", b"x", raw)
        for each in asked:
            assert log.proved(await raw.answer(each)).files


@contextmanager
def done_before_the_first_proof(server: ServerFixture, monkeypatch, act, item) -> Iterator[list[int]]:
    """Have the operator do something between the reading of the next answer and its proof; count the proofs."""
    proofs: list[int] = []
    prove = EvidenceBuilder.prove

    def prove_late(builder, ledger):
        proofs.append(builder.log_size)
        if len(proofs) == 1:
            server.here.act_blocking(act, item)
        return prove(builder, ledger)

    with monkeypatch.context() as patched:
        patched.setattr(EvidenceBuilder, "prove", prove_late)
        yield proofs


@on_reactor
async def test_what_has_changed_since_it_was_read_is_read_again(server: ServerFixture, monkeypatch):
    _, log = await _told(server, "max")
    disabling = accounts.DisableInput(operator_caller(), "gus")
    with done_before_the_first_proof(server, monkeypatch, accounts.disable, disabling) as proofs:
        shown, proved = await log.ask(m.ShowUser, user_id=0, name="gus")
    assert len(proofs) == 2
    assert proofs[0] < proofs[1]
    assert (shown.user.state, proved.user(shown.user.id).state) == ("disabled", "disabled")


@on_reactor
@pytest.mark.parametrize(
    ("kind", "fields"),
    [(m.ShowFile, {"path": DOCS, "version": 0}), (m.GetFile, {"path": DOCS, "version": 0, "window": 1})],
)
async def test_a_file_that_goes_between_its_reading_and_its_proof_is_not_there(
    server: ServerFixture, monkeypatch, kind: type[m.Request], fields: dict[str, Any]
):
    raw = await server.raw("max")
    await server.put("max", DOCS, b"a", raw)
    deletion = trash.Deletion(operator_caller(), DOCS)
    with done_before_the_first_proof(server, monkeypatch, trash.delete, deletion) as proofs:
        assert (await raw.ask(kind, **fields)).code == "NOT_FOUND"
    assert len(proofs) == 1


@on_reactor
async def test_of_several_files_one_that_goes_is_refused_and_the_others_are_proved(server: ServerFixture, monkeypatch):
    raw, log = await _told(server, "max")
    await server.put("max", DOCS, b"a", raw)
    await server.put("max", "b", b"b", raw)
    deletion = trash.Deletion(operator_caller(), DOCS)
    with done_before_the_first_proof(server, monkeypatch, trash.delete, deletion):
        got, proved = await log.ask(m.GetFiles, files=(m.WantedFile(DOCS), m.WantedFile("b")))
    refused, there = got.results
    assert refused.code == "NOT_FOUND"
    proved.require(there.file)


@on_reactor
async def test_what_was_read_after_a_commit_waits_for_its_head(server: ServerFixture, monkeypatch):
    raw, log = await _told(server, "max")
    ledger, waited = server.here.ledger, []
    wait_for = type(ledger).wait_for

    def wait(self, size):
        waited.append(size)
        wait_for(self, size)

    monkeypatch.setattr(type(ledger), "wait_for", wait)
    await server.put("max", DOCS, b"a", raw)
    await log.ask(m.ShowFile, path=DOCS, version=0)
    assert waited == [log.head.size]


@on_reactor
@pytest.mark.every_run
async def test_what_was_committed_without_a_head_is_told_to_nobody(server: ServerFixture, monkeypatch):
    raw, log = await _told(server, "max")
    await server.put("max", "a", b"a", raw)
    head = log.head.size

    def full(_fd, _data, _offset):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(durable, "write_in_place", full)
    monkeypatch.setattr(Ledger.wait_for, "__defaults__", (0.0,))
    refused = await server.put("max", "b", b"b", raw)
    assert refused.code == "INTERNAL"
    # The server ends. Until it has, the rows are there, and nothing is said of them: no head has them.
    await until(lambda: server.fatal, "the writer's end is told")
    server.fatal.clear()
    for kind in (m.ShowFile, m.GetFile):
        fields = {"window": 1} if kind is m.GetFile else {}
        assert (await raw.ask(kind, path="b", version=0, **fields)).code == "INTERNAL"
    assert log.head.size == head
