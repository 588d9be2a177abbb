"""What --dry-run says is what the run does: every case is foreseen, then done, over the same server and the same computer."""

from __future__ import annotations

import itertools
import os
import stat

import msgspec
import pytest

from sft.client.transfers.foresee import foresee_get, foresee_put
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem, VersionSeen, plan_get
from sft.client.transfers.progress import TransferStage
from sft.client.transfers.same import (
    GetAsked,
    NameTaken,
    PutAsked,
    Step,
    VersionThere,
    get_step,
    put_step,
    same_content,
)
from sft.crypto.digests import digest_text
from sft.errors import ChangedSinceError, ExistsError, LocalExistsError, NotFoundError, OlderVersionError, SftError
from sft.limits import CHUNK_BYTES
from sft.wire.messages import BeginUpload, GetFile, GetFiles, MakeFolder, PutFiles
from tests.unit.client.memory_server import MALLORY_KEY
from tests.unit.client.test_transfers_in_memory import BY_MAX, content_of, get, item, local, put, stored

COUNT = 20  # as many as make a folder be listed
MOVING = (PutFiles, BeginUpload, GetFiles, GetFile, MakeFolder)


def what_of(outcome):
    return outcome.code if isinstance(outcome, SftError) else outcome


# -- put ---------------------------------------------------------------------------------------------------

THERE = [
    "nothing",
    "ours",
    "ours, no receipt",
    "another of its size",
    "another size",
    "max's",
    "forged",
    "second",
    "older",
]
HOW = [
    {}, {"replace": True}, {"if_version": 1}, {"if_version": 3}, {"replaces": VersionSeen("docs/a.bin", 1)},
    {"replaces": VersionSeen("docs/a.bin", 1, digest_text(bytes(64)))},
]  # fmt: skip


def arranged(server, session, tmp_path, there, content):
    """Have something there where a content is to be put."""
    other = bytes(len(content))
    mine = item(local(tmp_path, content, "mine"))
    if there == "ours":
        put(server, session, mine)
    elif there == "ours, no receipt":
        put(server, session, mine)[0].receipt.unlink()
    elif there == "another of its size":
        put(server, session, item(local(tmp_path, other, "other")))
    elif there == "another size":
        put(server, session, item(local(tmp_path, b"x", "other")))
    elif there == "max's":
        stored(server, content, **BY_MAX)
        server.compares = False  # only an author's own content is there already
    elif there == "forged":
        stored(server, content, key=MALLORY_KEY)
        server.compares = False
    elif there == "second":
        put(server, session, item(local(tmp_path, other, "other")))
        put(server, session, mine, replace=True)
    elif there == "older":
        put(server, session, mine)
        first = server.files["docs/a.bin"]
        put(server, session, item(local(tmp_path, other, "other")), replace=True)
        server.files["docs/a.bin"] = first
    server.received.clear()
    return mine


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("how", HOW, ids=str)
@pytest.mark.parametrize("there", THERE)
@pytest.mark.sampled(7)
def test_a_put_does_what_was_foreseen(server, session, tmp_path, there, how, size):
    mine = arranged(server, session, tmp_path, there, content_of(size))
    options = {**how}
    mine = PutItem(mine.source, mine.path, mine.size, replaces=options.pop("replaces", None))
    before = {path: file.version.number for path, (file, _) in server.files.items()}
    (foreseen,) = server.run(foresee_put(session, [mine], **options))
    assert {path: file.version.number for path, (file, _) in server.files.items()} == before
    assert not [message for message in server.received if isinstance(message, MOVING)]
    (result,) = put(server, session, mine, **options)
    done = {
        TransferStage.UNCHANGED: Step.SAME,
        TransferStage.STORED: Step.REPLACE if before else Step.NEW,
        TransferStage.FAILED: result.error,
    }[result.stage]
    assert what_of(foreseen) == what_of(done)


def test_a_folder_is_foreseen_by_its_listing_and_twenty_cost_no_request_each(server, session, tmp_path):
    (tmp_path / "docs").mkdir()
    items = [item(local(tmp_path / "docs", b"%d" % n * 5, f"f{n:02}"), f"docs/f{n:02}") for n in range(COUNT)]
    put(server, session, *items[:-1])
    server.received.clear()
    foreseen = server.run(foresee_put(session, items))
    assert foreseen == [Step.SAME] * (COUNT - 1) + [Step.NEW]
    assert {type(message).__name__ for message in server.received} == {"ListFolder", "ShowFiles"}
    assert sum(type(message).__name__ == "ShowFiles" for message in server.received) == 1


def test_what_has_the_name_otherwise_is_in_the_way(server, session, tmp_path):
    for path in ("docs/Name", "docs/folder/x", "docs/file"):
        stored(server, b"x", path, file_id=path.encode().rjust(16)[:16])
    source = local(tmp_path, b"x", "mine")
    wanted = ["docs/name", "docs/folder", "docs/file/below/x", "DOCS/y", "docs/free", "new/z"]
    foreseen = server.run(foresee_put(session, [item(source, path) for path in wanted]))
    assert [what_of(each) for each in foreseen] == [
        "NAME_CLASH", "NAME_IN_USE", "NAME_IN_USE", "NAME_CLASH", Step.NEW, Step.NEW,
    ]  # fmt: skip


def test_a_source_that_cannot_be_sent_is_foreseen(server, session, tmp_path):
    source = local(tmp_path, b"x", "mine")
    gone = item(source)
    source.unlink()
    (foreseen,) = server.run(foresee_put(session, [gone]))
    assert what_of(foreseen) == "LOCAL_FILE"


def test_an_older_version_of_ours_is_not_said_to_be_there(server, session, tmp_path):
    mine = arranged(server, session, tmp_path, "older", b"mine")
    (result,) = put(server, session, mine)
    assert isinstance(result.error, OlderVersionError)


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
def test_a_retry_after_a_lost_answer_is_no_conflict_whatever_version_was_named(server, session, tmp_path, size):
    mine = arranged(server, session, tmp_path, "second", content_of(size))
    (result,) = put(server, session, mine, if_version=1)
    assert (result.error, result.stage, result.stored.version) == (None, TransferStage.UNCHANGED, 2)


# -- get ---------------------------------------------------------------------------------------------------

HERE = [
    "nothing",
    "same",
    "another of its size",
    "another size",
    "folder",
    "link",
    "pipe",
    "signature",
    "both",
    "above",
    "odd beside",
]
MOVED = [False, True]


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("existing", ConflictPolicy)
@pytest.mark.parametrize("with_signature", [False, True])
@pytest.mark.parametrize("moved", MOVED)
@pytest.mark.parametrize("here", HERE)
@pytest.mark.sampled(11)
def test_a_get_does_what_was_foreseen(server, session, tmp_path, here, moved, with_signature, existing, size):
    content = content_of(size)
    stored(server, content, "docs/b" if moved else "docs/a.bin")
    if moved:
        server.moved("docs/b", "docs/a.bin")
    file, _ = server.files["docs/a.bin"]
    out = tmp_path / "out"
    (out / "docs").mkdir(parents=True)
    target = out / "docs" / "a.bin"
    if here in {"same", "both"}:
        target.write_bytes(content)
    if here in {"signature", "both"}:
        target.with_name("a.bin.minisig").write_bytes(file.version.signature)
    if here == "another of its size":
        target.write_bytes(bytes(size))
    elif here == "another size":
        target.write_bytes(b"")
    elif here == "folder":
        target.mkdir()
    elif here == "link":
        (tmp_path / "elsewhere").write_bytes(content)
        target.symlink_to(tmp_path / "elsewhere")
    elif here == "pipe":
        os.mkfifo(target)
    elif here == "odd beside":
        os.mkfifo(target.with_name("a.bin.minisig"))
    elif here == "above":
        (out / "docs").rmdir()
        (out / "docs").write_bytes(b"in the way")
    before, kind = sorted(out.rglob("*")), kind_of(target)
    plan = server.run(plan_get(session, ["docs"], with_signature=with_signature))
    (foreseen,) = server.run(foresee_get(session, plan.items, GetAsked(out, existing, with_signature)))
    assert sorted(out.rglob("*")) == before
    existed = target.exists()
    (result,) = get(server, session, tmp_path, *plan.items, existing=existing, with_signature=with_signature)
    done = {
        TransferStage.UNCHANGED: Step.SAME,
        TransferStage.VERIFIED: Step.REPLACE if existed and result.local == target else Step.NEW,
        TransferStage.FAILED: result.error,
    }[result.stage]
    assert what_of(foreseen) == what_of(done)
    assert kind in {None, stat.S_IFREG, kind_of(target)}  # what is no regular file stays


def kind_of(path):
    return stat.S_IFMT(path.lstat().st_mode) if os.path.lexists(path) else None


# -- the rules ----------------------------------------------------------------------------------------------

SEVEN = VersionThere(2, "ada", 7, 10, b"d" * 64, 5000)


@pytest.mark.parametrize(
    ("asked", "there", "facts", "expected"),
    [
        ({}, None, {}, Step.NEW),
        ({"if_version": 2}, None, {}, NotFoundError),
        ({}, SEVEN, {}, Step.READ),
        ({}, SEVEN, {"same": True}, Step.PROVE),
        ({}, SEVEN, {"same": True, "proved": True}, Step.SAME),
        ({}, SEVEN, {"same": True, "proved": False}, ExistsError),
        ({}, SEVEN, {"same": False}, ExistsError),
        ({"if_version": 1}, SEVEN, {"same": True, "proved": True}, Step.SAME),
        ({"replace": True}, SEVEN, {"same": False}, Step.JUDGE),
        ({"replace": True}, SEVEN, {"same": False, "judged": True}, Step.REPLACE),
        ({"if_version": 1}, SEVEN, {"same": False, "judged": True}, ChangedSinceError),
        ({"replaces": VersionSeen("a", 2, digest_text(b"e" * 64))}, SEVEN, {"same": False, "judged": True}, ChangedSinceError),
        ({"replaces": VersionSeen("a", 2, digest_text(b"d" * 64))}, SEVEN, {"same": False, "judged": True}, Step.REPLACE),
    ],
)  # fmt: skip
def test_what_comes_next_of_a_put(asked, there, facts, expected):
    def step(author_id=7, size=10):
        return put_step(PutAsked("a", **asked), there, author_id, size, **facts)

    if isinstance(expected, Step):
        assert step() is expected
    else:
        with pytest.raises(expected):
            step()
    if there is not None and not facts and not asked:
        for other in ({"author_id": 8}, {"size": 11}):
            with pytest.raises(ExistsError):
                step(**other)
        assert step(size=None) is Step.READ, "a pipe"


def test_nothing_is_the_same_unread_and_unproved():
    for looks, same, proved, judged in itertools.product(
        [False, True], [None, False, True], [None, False, True], [False, True]
    ):
        try:
            step = put_step(PutAsked("a", replace=looks), SEVEN, 7, 10, same=same, proved=proved, judged=judged)
        except ExistsError:
            continue
        assert (step is Step.SAME) == (same is True and proved is True)


def test_a_refusal_names_a_version_only_where_all_of_it_fits():
    values = {**msgspec.structs.asdict(SEVEN), "digest": digest_text(SEVEN.digest), "path": "a"}
    assert VersionThere.refused_by(values) == SEVEN
    for lie in ({"digest": "x"}, {"version": "2"}, {"size": None}):
        assert VersionThere.refused_by({**values, **lie}) is None
    assert VersionThere.refused_by({"path": "a"}) is None


def test_one_date_is_one_content_only_where_that_is_said(server):
    stored(server, b"12345")
    version = server.files["docs/a.bin"][0].version
    assert same_content(version, 4, known=True, dated_at=version.dated_at) is False
    assert same_content(version, 5, known=None, dated_at=None) is None
    assert same_content(version, 5, known=None, dated_at=version.dated_at) is True
    assert same_content(version, 5, known=False, dated_at=version.dated_at) is False


def test_a_listed_file_without_a_digest_is_in_the_way_of_itself(tmp_path):
    listed = GetItem("a", ("a",), 5)
    with pytest.raises(LocalExistsError):
        get_step(GetAsked(tmp_path), listed, NameTaken("a", 5))
    assert (
        get_step(GetAsked(tmp_path), msgspec.structs.replace(listed, digest=bytes(64)), NameTaken("a", 5)) is Step.READ
    )
