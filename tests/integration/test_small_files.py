"""Small files by the dozen at a real server: what holds of a file that goes alone holds of each of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from sft.crypto.notes import verify_receipts
from sft.errors import DatabaseBusyError, OutcomeUnknownError, SftError
from sft.limits import BATCH_FILES, EVIDENCE_SLOTS, FRAME_BYTES, KIB, OPEN_DOWNLOADS, SMALL_FILE_BYTES
from sft.service import commits, downloads
from sft.wire import messages as m
from sft.wire.messages import MESSAGE_BYTES
from tests.integration.server_fixture import Person, Raw, ServerFixture, content, on_reactor, until, writer_held

IN_A_FILE = 20 * KIB  # too large for the database


def _signed(person: Person, path: str, data: bytes, **changes: Any) -> m.SmallPut:
    return m.SmallPut(path, person.sign(path, data, **changes), data)


async def _put(raw: Raw, *files: m.SmallPut) -> m.FilesStored:
    answer = await raw.ask(m.PutFiles, files=files)
    assert isinstance(answer, m.FilesStored), answer
    return answer


async def _frames(raw: Raw, *files: m.WantedFile) -> list[m.FilesContent]:
    """Ask for files, and return the frames of the answer."""
    asked = raw.begin(m.GetFiles, files=files)
    await raw.answer(asked)
    frames = raw.answers(asked)
    assert all(isinstance(each, m.FilesContent) for each in frames), frames
    assert [each.more for each in frames] == [True] * (len(frames) - 1) + [False]
    assert [each.evidence is not None for each in frames] == [True] + [False] * (len(frames) - 1)
    return frames


async def _get(raw: Raw, *paths: str) -> list[Any]:
    frames = await _frames(raw, *(m.WantedFile(path) for path in paths))
    results = [each for frame in frames for each in frame.results]
    return [each.content if isinstance(each, m.FileContent) else each.code for each in results]


def _codes(answer: m.FilesStored) -> list[str]:
    return [each.code if isinstance(each, m.RefusedFile) else "" for each in answer.results]


def _stored(server: ServerFixture, answer: m.FilesStored) -> list[str]:
    if not answer.receipt:
        return []
    return [line.name for line in verify_receipts(server.server_key, answer.receipt)]


def _change(server: ServerFixture, statement: str, *values: object) -> None:
    """Change the database outside the server, as whoever has its disk can."""
    with closing(sqlite3.connect(server.home.database)) as database:
        assert database.execute(statement, values).rowcount
        database.commit()


# -- to the server ------------------------------------------------------------------------------------------


@on_reactor
@pytest.mark.every_run
async def test_each_file_of_a_request_is_judged_by_itself(server: ServerFixture):
    await server.put("mia", "docs/hers", b"hers")
    raw, max_, mia = await server.raw("max"), server.people["max"], server.people["mia"]
    answer = await _put(
        raw,
        _signed(max_, "docs/a", b"a"),
        m.SmallPut("docs/forged", max_.sign("docs/forged", b"signed"), b"other bytes"),
        _signed(max_, "docs/hers", b"mine"),
        _signed(max_, "docs/large", content(IN_A_FILE)),
        _signed(max_, "bad:name", b"x"),
        _signed(mia, "docs/by mia", b"x"),
        _signed(max_, "docs/moved", b"x", name="docs/other"),
        _signed(max_, "docs/a", b"another"),
        _signed(max_, "docs/z", b"z"),
    )
    assert _codes(answer) == [
        "", "SIGNATURE_REFUSED", "EXISTS", "", "NAME_NOT_ALLOWED", "SIGNATURE_REFUSED", "SIGNATURE_REFUSED", "EXISTS", "",
    ]  # fmt: skip
    assert _stored(server, answer) == ["docs/a", "docs/large", "docs/z"]
    assert await _get(raw, "docs/a", "docs/hers", "docs/large", "docs/z", "docs/forged") == [
        b"a", b"hers", content(IN_A_FILE), b"z", "NOT_FOUND",
    ]  # fmt: skip
    assert len(server.objects()) == 1
    await server.clean()


@on_reactor
async def test_the_same_file_twice_in_a_request_is_stored_once(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    file = _signed(person, "twice", content(IN_A_FILE))
    answer = await _put(raw, file, file, _signed(person, "twice", content(IN_A_FILE)))
    assert [each.unchanged for each in answer.results] == [False, True, True]
    assert _stored(server, answer) == ["twice"]
    again = await _put(raw, file)
    assert again.results == (m.StoredFile(1, unchanged=True),), "a retry is no conflict"
    assert len(server.objects()) == 1
    await server.clean()


@on_reactor
async def test_as_many_as_a_request_may_have_are_stored_and_no_more_are_taken(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    files = [_signed(person, f"f{n:02}", b"%d" % n) for n in range(BATCH_FILES)]
    answer = await _put(raw, *files)
    assert _stored(server, answer) == [file.path for file in files]
    got: list[Any] = []
    while len(got) < len(files):
        got += await _get(raw, *(file.path for file in files[len(got) :]))
    assert got == [file.content for file in files]
    raw.begin(m.PutFiles, files=(*files, files[0]))
    await raw.until_gone()


@on_reactor
async def test_the_commit_of_each_reads_role_and_key_again(server: ServerFixture):
    raw, person, operator = await server.raw("max"), server.people["max"], await server.operator()
    files = [_signed(person, f"late{n}", content(size)) for n, size in enumerate((10, IN_A_FILE, 10))]
    with writer_held(server) as held:
        changing = operator.begin(m.ChangeRole, name="max", role="guest")
        await held.queued(1)
        asked = raw.begin(m.PutFiles, files=tuple(files))
        await held.queued(2)  # the row that announces the one that lies in a file
    await operator.answer(changing)
    assert _codes(await raw.answer(asked)) == ["ROLE_FORBIDS"] * 3
    assert server.objects() == []
    await server.clean()


def _judging_fails(monkeypatch: pytest.MonkeyPatch, path: str, fault: Exception) -> None:
    judge = commits.CommitGroup.judge

    def fails(group, pending):
        if pending.path == path:
            raise fault
        return judge(group, pending)

    monkeypatch.setattr(commits.CommitGroup, "judge", fails)


@on_reactor
async def test_a_fault_in_the_commit_of_one_is_its_refusal_alone(server: ServerFixture, monkeypatch):
    _judging_fails(monkeypatch, "b", ZeroDivisionError())
    raw, person = await server.raw("max"), server.people["max"]
    answer = await _put(raw, *(_signed(person, path, b"x") for path in "abc"))
    assert _codes(answer) == ["", "INTERNAL", ""]
    assert _stored(server, answer) == ["a", "c"]
    (reference,) = [each.ref for each in answer.results if isinstance(each, m.RefusedFile)]
    assert any(reference in line and "ZeroDivisionError" in line for line in server.lines)
    await server.clean()


@pytest.mark.parametrize(
    ("fault", "left"),
    [(DatabaseBusyError(), 1), (OutcomeUnknownError(problem="no answer"), 2)],
    ids=["certain", "unknown"],
)
@on_reactor
async def test_the_object_of_one_whose_commit_certainly_failed_goes_alone(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch, fault: SftError, left: int
):
    _judging_fails(monkeypatch, "b", fault)
    raw, person = await server.raw("max"), server.people["max"]
    answer = await _put(raw, *(_signed(person, path, content(IN_A_FILE)) for path in "ab"))
    assert _stored(server, answer) == ["a"]
    assert (len(server.objects()), len(server.open_uploads())) == (left, left - 1)


@on_reactor
async def test_a_damaged_row_refuses_the_put_that_meets_it_alone(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    await _put(raw, *(_signed(person, path, b"before") for path in "abc"))
    _change(server, "UPDATE files SET owner_id = 1 WHERE name = 'b'")
    answer = await _put(raw, *(_signed(person, path, b"after") for path in ("a", "b", "new")))
    assert _codes(answer) == ["EXISTS", "RECORD_FORGED", ""]
    assert _stored(server, answer) == ["new"]


@on_reactor
async def test_a_full_vault_refuses_what_lies_in_files_alone(server: ServerFixture, monkeypatch):
    from sft.errors import VaultFullError
    from sft.vault.vault import Vault

    def full(*_, **__):
        raise VaultFullError(problem="no room")

    monkeypatch.setattr(Vault, "begin", full)
    raw, person = await server.raw("max"), server.people["max"]
    files = [_signed(person, f"f{n}", content(size)) for n, size in enumerate((10, IN_A_FILE, 20))]
    answer = await _put(raw, *files)
    assert _codes(answer) == ["", "SERVER_FULL", ""]
    await server.clean()


@on_reactor
async def test_many_refusals_fit_the_answer(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    folder = "/".join(["é" * 100] * 4)
    await _put(raw, *(_signed(person, f"{folder}/{n}", b"") for n in range(12)))
    signature = person.sign("elsewhere", b"")
    files = tuple(m.SmallPut(f"{folder}/{n}" if n % 2 else "x:" * 200, signature, b"") for n in range(40))
    assert all(_codes(await _put(raw, *files)))


@on_reactor
async def test_acts_of_one_person_wait_for_room_by_their_files(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    with writer_held(server) as held:
        asked = [
            raw.begin(m.PutFiles, files=tuple(_signed(person, f"{a}-{n}", b"") for n in range(50))) for a in range(3)
        ]
        await held.queued(100)
        await raw.barrier()
        assert held.count() == 100, "the third waits: 150 would be more than two groups"
    for request_id in asked:
        assert _codes(await raw.answer(request_id)) == [""] * 50


# -- from the server ----------------------------------------------------------------------------------------


@on_reactor
async def test_the_first_so_many_that_an_answer_holds_are_answered_in_several_frames(server: ServerFixture):
    raw = await server.raw("max")
    for number in range(7):
        await server.put("max", f"f{number}", content(30_000, number), raw)
    asked = [f"f{number}" for number in range(7)]
    held = [content(30_000, n) for n in range(6)]
    assert await _get(raw, *asked) == held
    assert await _get(raw, "missing", *asked) == ["NOT_FOUND", *held]
    frames = await _frames(raw, *map(m.WantedFile, asked))
    assert [len(each.results) for each in frames] == [2, 2, 2]
    got = [line for line in server.lines if line.startswith("getting ")]
    assert len(got) == 3, "one line a request"


@on_reactor
async def test_what_takes_more_than_a_frame_to_prove_is_answered_for_fewer_files(server: ServerFixture):
    raw = await server.raw("max")
    paths = [f"{n:02}{'d' * 250}/{'f' * 250}" for n in range(BATCH_FILES)]
    for path in paths:  # each by itself: a head of its own is in each signature
        await server.put("max", path, b"x", raw)
    got = await _get(raw, *paths)
    assert 1 < len(got) < BATCH_FILES
    assert set(got) == {b"x"}
    while len(got) < BATCH_FILES:
        got += await _get(raw, *paths[len(got) :])
    assert got == [b"x"] * BATCH_FILES


@on_reactor
async def test_files_in_more_folders_than_an_answer_proves_are_answered_a_few_at_a_time(
    server: ServerFixture, monkeypatch
):
    raw = await server.raw("max")
    paths = [f"{n:02}{'/d' * 100}/f" for n in range(12)]
    assert EVIDENCE_SLOTS < 12 * 101
    for path in paths:
        await raw.ask(m.MakeFolder, path=path.rpartition("/")[0])
        await server.put("max", path, b"x", raw)
    looked_up = []
    begin_many = downloads.begin_many

    def counted(*args: Any, files: Any, **fields: Any) -> Any:
        looked_up.append(len(files))
        return begin_many(*args, files=files, **fields)

    monkeypatch.setattr(downloads, "begin_many", counted)
    got = await _get(raw, *paths)
    assert 1 < len(got) < len(paths)
    assert looked_up[0] < len(paths), "those that cannot be answered are not looked up"
    got += await _get(raw, *paths[len(got) :])
    assert got == [b"x"] * len(paths)
    shown = await raw.ask(m.ShowFiles, paths=tuple(paths))
    assert isinstance(shown, m.FilesShown), shown
    assert 1 <= len(shown.results) < len(paths)
    assert all(isinstance(each, m.ShownFile) for each in shown.results)


@on_reactor
async def test_what_leaves_together_is_one_leaf_of_the_log(server: ServerFixture):
    raw = await server.raw("max")
    for number in range(6):
        await server.put("max", f"f{number}", content(30_000, number), raw)
    before = server.here.ledger.head.size
    assert len(await _frames(raw, *(m.WantedFile(f"f{number}") for number in range(6)))) > 1
    assert server.here.ledger.head.size == before + 1


@on_reactor
async def test_what_is_not_small_is_sent_to_be_got_by_itself(server: ServerFixture):
    raw = await server.raw("max")
    large, long = "large", "/".join(["é" * 125] * 4)
    await server.put("max", large, content(SMALL_FILE_BYTES + 1), raw)
    await server.put("max", "small", b"x", raw)
    assert await _get(raw, large, "small") == ["NOT_SMALL", b"x"]
    lines = len(server.lines)
    assert await _get(raw, large) == ["NOT_SMALL"]
    assert not [line for line in server.lines[lines:] if "NOT_SMALL" in line], "that is no refusal worth a line"
    # With the longest path the record does not fit beside the largest content.
    await server.put("max", long, content(SMALL_FILE_BYTES), raw)
    assert await _get(raw, long) == ["NOT_SMALL"]
    assert await server.get(raw, long) == content(SMALL_FILE_BYTES)


@on_reactor
async def test_versions_are_given_as_they_are_asked_for(server: ServerFixture):
    raw = await server.raw("max")
    await server.put("max", "a", b"one", raw, file_id=bytes(16))
    from sft.crypto.digests import blake2b_512

    await server.put("max", "a", b"two", raw, file_id=bytes(16), version=2, prev=blake2b_512(b"one").digest())
    asked = tuple(m.WantedFile("a", version) for version in (0, 1, 2, 3))
    (answer,) = await _frames(raw, *asked)
    *found, missing = answer.results
    assert [(each.content, each.file.version.number) for each in found] == [(b"two", 2), (b"one", 1), (b"two", 2)]
    assert missing.code == "NO_VERSION"


@on_reactor
@pytest.mark.every_run
async def test_a_damaged_row_or_object_refuses_its_own_file_alone(server: ServerFixture):
    raw, person = await server.raw("max"), server.people["max"]
    files = [_signed(person, path, b"in the database") for path in "abcd"]
    await _put(raw, *files, _signed(person, "e", content(IN_A_FILE)))
    _change(server, "UPDATE versions SET digest = zeroblob(64) WHERE file = (SELECT id FROM files WHERE name = 'b')")
    assert await _get(raw, *"abc") == [b"in the database", "RECORD_FORGED", b"in the database"]
    named = "(SELECT object_id FROM versions JOIN files ON files.id = file WHERE name = ?)"
    _change(server, "DELETE FROM small_objects WHERE object_id = :named".replace(":named", named), "c")
    _change(
        server, "UPDATE small_objects SET sealed = zeroblob(9) WHERE object_id = :named".replace(":named", named), "d"
    )
    (path,) = server.objects()
    path.write_bytes(path.read_bytes()[:-1])
    assert await _get(raw, *"acde") == [b"in the database", *["CONTENT_DAMAGED"] * 3]
    assert [line for line in server.lines if line.startswith("content-damaged") and "GetFiles" in line]
    await until(lambda: len([each for each in server.log.warnings if each.startswith("damage-found")]) == 3, "warnings")


@on_reactor
async def test_rights_that_change_meanwhile_refuse_the_whole_answer(server: ServerFixture, monkeypatch):
    from sft.server import small_files

    await server.put("ada", "a", content(IN_A_FILE))
    raw, operator = await server.raw("max"), await server.operator()
    contents = small_files._contents
    held: list[Any] = []

    def slow(found):
        held.append(None)
        while len(held) < 2:  # until the test lets it go on
            gate.wait(0.01)
        return contents(found)

    import threading

    gate = threading.Event()
    monkeypatch.setattr(small_files, "_contents", slow)
    asked = raw.begin(m.GetFiles, files=(m.WantedFile("a"),))
    await until(lambda: held, "it reads")
    await operator.ask(m.ChangeRole, name="max", role="guest")
    held.append(None)
    assert (await raw.answer(asked)).code == "RIGHTS_CHANGED"


@on_reactor
async def test_a_request_of_several_counts_as_one_download(server: ServerFixture):
    await server.put("ada", "a", b"x")
    raw = await server.raw("max")
    (session,) = [each for each in server.here.sessions.all() if each.describe().user == "max"]
    for _ in range(OPEN_DOWNLOADS):
        session.share.begin_download()
    assert (await raw.ask(m.GetFiles, files=(m.WantedFile("a"),))).code == "TOO_LARGE"
    session.share.end_download()
    assert await _get(raw, "a") == [b"x"]
    assert session.share.downloads == OPEN_DOWNLOADS - 1


@on_reactor
async def test_the_files_that_were_got_together_stand_in_one_line_of_the_log(server: ServerFixture):
    raw = await server.raw("max")
    for path in ("a", "b"):
        await server.put("max", path, b"x", raw)
    await _get(raw, "a", "missing", "b")
    (got,) = [line for line in server.lines if line.startswith("getting ")]
    (session,) = [each.session_id for each in server.here.sessions.all() if each.describe().user == "max"]
    assert got.startswith(f"getting session={session} by=max path=a version=1 size=1 path=b version=1 size=1")
    assert [line for line in server.lines if "path=missing" in line and "request=GetFiles" in line]


@pytest.mark.every_run
def test_a_frame_holds_what_a_request_may_have():
    assert FRAME_BYTES > MESSAGE_BYTES > BATCH_FILES * KIB


# -- where it is done -----------------------------------------------------------------------------------------


@on_reactor
async def test_what_computes_goes_on_its_lane_and_what_waits_for_a_disk_does_not(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    raw, max_, pool = await server.raw("max"), server.people["max"], server.here.pool
    lanes: list[str] = []

    def watched(name: str) -> None:
        lane = getattr(pool, name)

        def watching(*asked: Any) -> Any:
            lanes.append(name)
            return lane(*asked)

        monkeypatch.setattr(pool, name, watching)

    watched("run")
    watched("compute")
    steps = []
    for size in (1, IN_A_FILE):
        await _put(raw, _signed(max_, f"{size} a", content(size)), _signed(max_, f"{size} b", content(size)))
        steps.append(lanes.copy())
        lanes.clear()
        assert await _get(raw, f"{size} a", f"{size} b") == [content(size)] * 2
        steps.append(lanes.copy())
        lanes.clear()
    assert steps == [["compute"], [], ["compute", "run"], ["run"]]


@on_reactor
async def test_what_is_checked_at_once_is_committed_at_once(server: ServerFixture, monkeypatch: pytest.MonkeyPatch):
    raw, other, person = await server.raw("max"), await server.raw("mia"), server.people["max"]
    lane, waiting, groups = server.here.pool.compute, [], []

    def held(*asked: Any) -> Deferred[Any]:
        waiting.append((asked, Deferred()))
        return waiting[-1][1]

    monkeypatch.setattr(server.here.pool, "compute", held)
    server.here.watchers.append(lambda events: groups.append([event.path for event in events]))
    asked = [
        raw.begin(m.PutFiles, files=tuple(_signed(person, f"{folder}{n}", b"x") for n in range(2))) for folder in "ab"
    ]
    mia = tuple(_signed(server.people["mia"], f"c{n}", b"x") for n in range(2))
    hers = other.begin(m.PutFiles, files=mia)
    await until(lambda: len(waiting) == 3, "all of them are to be checked")
    for work, done in waiting:
        lane(*work).chainDeferred(done)
    for each in asked:
        assert len(_stored(server, await raw.answer(each))) == 2
    assert len(_stored(server, await other.answer(hers))) == 2
    assert [sorted(group) for group in groups] == [["a0", "a1", "b0", "b1", "c0", "c1"]]


@on_reactor
async def test_whose_files_all_fail_keep_no_other_from_its_commit(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    raw, other, person = await server.raw("max"), await server.raw("mia"), server.people["max"]
    lane, waiting = server.here.pool.compute, []

    def held(*asked: Any) -> Deferred[Any]:
        waiting.append((asked, Deferred()))
        return waiting[-1][1]

    monkeypatch.setattr(server.here.pool, "compute", held)
    passing = [
        raw.begin(m.PutFiles, files=tuple(_signed(person, f"{folder}{n}", b"x") for n in range(2))) for folder in "ab"
    ]
    signature = server.people["mia"].sign("elsewhere", b"")
    failing = other.begin(m.PutFiles, files=tuple(m.SmallPut(f"c{n}", signature, b"") for n in range(BATCH_FILES - 2)))
    await until(lambda: len(waiting) == 3, "all of them are to be checked")
    (first, first_done), *others = sorted(waiting, key=lambda each: each[0][0].args[1][0].path)
    for work, done in others:
        lane(*work).chainDeferred(done)
    assert all(_codes(await other.answer(failing)))
    assert len(_stored(server, await raw.answer(passing[1]))) == 2
    lane(*first).chainDeferred(first_done)
    assert len(_stored(server, await raw.answer(passing[0]))) == 2


@on_reactor
async def test_what_comes_from_a_disk_fills_a_group_too(server: ServerFixture, monkeypatch: pytest.MonkeyPatch):
    raw, person, waiting = await server.raw("max"), server.people["max"], []
    lane = server.here.pool.compute

    def held(*asked: Any) -> Deferred[Any]:
        waiting.append((asked, Deferred()))
        return waiting[-1][1]

    files = [_signed(person, f"f{n:02}", content(0 if n else IN_A_FILE)) for n in range(BATCH_FILES - 2)]
    with monkeypatch.context() as busy:
        busy.setattr(server.here.pool, "compute", held)
        checked = raw.begin(m.PutFiles, files=(_signed(person, "a", b"a"), _signed(person, "b", b"b")))
        await until(lambda: waiting, "it is to be checked")
    assert len(_stored(server, await _put(raw, *files))) == len(files)
    ((work, done),) = waiting
    lane(*work).chainDeferred(done)
    assert _stored(server, await raw.answer(checked)) == ["a", "b"]


@on_reactor
async def test_what_waits_for_a_disk_keeps_no_other_from_its_commit(
    server: ServerFixture, monkeypatch: pytest.MonkeyPatch
):
    raw, person, waiting = await server.raw("max"), server.people["max"], []
    run = server.here.pool.run

    def held(*asked: Any) -> Deferred[Any]:
        waiting.append((asked, Deferred()))
        return waiting[-1][1]

    with monkeypatch.context() as slow_disk:
        slow_disk.setattr(server.here.pool, "run", held)
        large = raw.begin(m.PutFiles, files=(_signed(person, "large", content(IN_A_FILE)), _signed(person, "a", b"a")))
        await until(lambda: waiting, "it is written")
        assert _stored(server, await _put(raw, _signed(person, "b", b"b"), _signed(person, "c", b"c"))) == ["b", "c"]
    ((work, done),) = waiting
    run(*work).chainDeferred(done)
    assert _stored(server, await raw.answer(large)) == ["large", "a"]
