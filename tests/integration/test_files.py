"""Files as people use them, by the client library: stored, already there, replaced, moved, deleted, restored."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft import durable
from sft.client.api import files, people, trash
from sft.client.joining import join
from sft.client.session import Session
from sft.client.transfers.batch import get_all, put_all, verify_all
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem, plan_get, plan_put
from sft.client.transfers.progress import TransferStage
from sft.crypto.signatures import FileSignature
from sft.errors import (
    ChangedSinceError,
    ConnectionLostError,
    ExistsError,
    InviteUsedError,
    LocalExistsError,
    LocalFileError,
    NotFoundError,
    NotYoursError,
    RightsChangedError,
    RoleForbidsError,
)
from sft.limits import SEGMENT_BYTES
from sft.model.access import Role
from sft.wire.messages import ChangeRole, FileShown, KickSession, ListSessions, ShowFile
from tests.integration.server_fixture import ServerFixture, content, nobody_to_ask, on_reactor, until

SMALL, LARGE = b"small content", content(700_000)


async def _put(session: Session, source: Path, path: str, **how):
    (result,) = await put_all(session, [PutItem(source, path, source.stat().st_size)], **how)
    if result.error is not None:
        raise result.error
    return result


async def _get(session: Session, path: str, to: Path, **how):
    (result,) = await get_all(session, [GetItem(path, (path.rpartition("/")[2],), 0)], to=to, **how)
    if result.error is not None:
        raise result.error
    return result


async def _back(session: Session, path: str):
    return await trash.restore(session, path, trash.trash_seen(await trash.show_trashed(session, path)))


@pytest.fixture(params=[SMALL, LARGE, b""], ids=["small", "large", "empty"])
def source(request, tmp_path):
    path = tmp_path / "source"
    path.write_bytes(request.param)
    return path


@on_reactor
@pytest.mark.every_run
async def test_what_is_stored_comes_back_verified_with_receipt_and_signature(
    server: ServerFixture, source: Path, tmp_path: Path
):
    author, reader = await server.session("max"), await server.session("gus")
    stored = await _put(author, source, "docs/a b")
    assert stored.stage is TransferStage.STORED
    assert stored.receipt is not None
    assert stored.receipt.is_file()
    got = await _get(reader, "docs/a b", tmp_path / "out", with_signature=True)
    assert got.stage is TransferStage.VERIFIED
    assert got.local.read_bytes() == source.read_bytes()
    assert got.local.stat().st_mode & 0o777 == 0o666 & ~durable.umask()
    assert got.verdict.author == "max"
    assert FileSignature.parse(got.signature.read_bytes()).encode() == got.verdict.signature
    (checked,) = await verify_all(reader, [GetItem("docs/a b", ("x",), 0)])
    assert (checked.stage, checked.local) == (TransferStage.VERIFIED, None)


@on_reactor
async def test_the_same_content_again_is_already_there(server: ServerFixture, source: Path):
    author = await server.session("max")
    first = await _put(author, source, "f")
    objects = server.objects()
    for how in ({}, {"replace": True}, {"if_version": 1}):
        again = await _put(author, source, "f", **how)
        assert again.stage is TransferStage.UNCHANGED, how
        assert again.stored.version == first.stored.version == 1
    await server.clean()
    assert server.objects() == objects


@on_reactor
async def test_a_receipt_is_given_again_to_its_author_alone(server: ServerFixture, source: Path):
    author = await server.session("max")
    first = await _put(author, source, "f")
    file, again, _ = await files.show_with_receipt(author, "f")
    assert again == first.stored.receipt
    assert file.version.number == 1
    assert (await files.show_with_receipt(await server.session("ada"), "f"))[1] == ""
    assert (await author.request(ShowFile, FileShown, path="f")).receipt == ""


@on_reactor
async def test_other_content_or_another_author_is_a_conflict(server: ServerFixture, source: Path):
    author, other = await server.session("max"), await server.session("ada")
    await _put(author, source, "f")
    with pytest.raises(ExistsError):
        await _put(other, source, "f")
    # Of the same length: only the digest tells it.
    data = source.read_bytes()
    source.write_bytes(bytes(len(data)) if data else b"now longer")
    with pytest.raises(ExistsError) as refusal:
        await _put(author, source, "f")
    assert refusal.value.values["author"] == "max"
    await server.clean()


@on_reactor
async def test_replacing_makes_a_version_and_a_stale_one_is_refused(
    server: ServerFixture, source: Path, tmp_path: Path
):
    author, admin = await server.session("max"), await server.session("ada")
    await _put(author, source, "f")
    source.write_bytes(content(150_000, 2))
    assert (await _put(author, source, "f", replace=True)).stored.version == 2
    source.write_bytes(content(150_000, 3))
    with pytest.raises(ChangedSinceError):
        await _put(author, source, "f", if_version=1)
    assert (await _put(admin, source, "f", if_version=2)).stored.version == 3
    with pytest.raises(NotYoursError):
        await _put(await server.session("mia"), source, "f", replace=True)
    got = await _get(await server.session("gus"), "f", tmp_path / "out")
    assert (got.file.version.number, got.file.version.author, got.file.owner) == (3, "ada", "max")
    with pytest.raises(NotFoundError):
        await _put(author, source, "not there", if_version=1)


@on_reactor
async def test_the_trash_and_back(server: ServerFixture, source: Path, tmp_path: Path):
    author, other, admin = [await server.session(name) for name in ("max", "mia", "ada")]
    await _put(author, source, "docs/f")
    before = await files.show_file(author, "docs/f")
    with pytest.raises(NotYoursError):
        await files.delete(other, "docs/f")
    gone = await files.delete(author, "docs/f")
    assert gone.files == 1
    with pytest.raises(NotFoundError):
        await _get(author, "docs/f", tmp_path / "out")
    assert [file.path for file in await trash.list_trash(author)] == ["docs/f"]
    assert await trash.list_trash(other) == []
    with pytest.raises(NotYoursError):
        await _back(other, "docs/f")
    back = await _back(admin, "docs/f")
    assert (back.id, back.owner, back.version.number) == (before.id, "max", 1)
    got = await _get(other, "docs/f", tmp_path / "out")
    assert got.local.read_bytes() == source.read_bytes()
    await server.clean()


@on_reactor
async def test_a_name_that_is_taken_again_keeps_the_deleted_one_in_the_trash(server: ServerFixture, source: Path):
    author = await server.session("max")
    await _put(author, source, "f")
    await files.delete(author, "f")
    source.write_bytes(b"another")
    await _put(author, source, "f")
    with pytest.raises(ExistsError):
        await _back(author, "f")


@on_reactor
async def test_a_moved_file_still_verifies_and_says_where_it_was_signed(
    server: ServerFixture, source: Path, tmp_path: Path
):
    author = await server.session("max")
    await _put(author, source, "f")
    await files.make_folder(author, "new")
    moved = await files.move(author, "f", "new/g")
    assert moved is not None
    reader = await server.session("gus")
    got = await _get(reader, "new/g", tmp_path / "out")  # the log has that it lies there
    assert (got.verdict.signed_name, got.verdict.moved_to) == ("f", "new/g")
    assert await files.move(author, "new", "newer") is None
    await _get(await server.session("gus"), "newer/g", tmp_path / "out2")


@on_reactor
@pytest.mark.every_run
async def test_a_whole_folder_goes_up_and_down(server: ServerFixture, tmp_path: Path):
    tree = tmp_path / "tree"
    for number in range(40):
        path = tree / f"sub{number % 4}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(number * 3000, number))
    (tree / "empty").mkdir()
    author, reader = await server.session("max"), await server.session("gus")
    plan = plan_put([str(tree)], to="here")
    results = await put_all(author, plan.items, folders=plan.folders)
    assert [result.stage for result in results] == [TransferStage.STORED] * 40
    wanted = await plan_get(reader, ["here"])
    out = tmp_path / "out"
    results = await get_all(reader, wanted.items, to=out, folders=wanted.folders)
    assert [result.stage for result in results] == [TransferStage.VERIFIED] * 40
    (got,) = list(out.rglob("sub0"))
    for path in tree.rglob("f*"):
        assert (got.parent / path.relative_to(tree)).read_bytes() == path.read_bytes()
    assert (got.parent / "empty").is_dir()
    assert not list(out.rglob("*.part"))


@on_reactor
async def test_what_is_there_on_this_computer_is_not_overwritten(server: ServerFixture, source: Path, tmp_path: Path):
    author, out = await server.session("max"), tmp_path / "out"
    await _put(author, source, "f")
    await _get(author, "f", out)
    (out / "f").write_bytes(b"mine")
    with pytest.raises(LocalExistsError):
        await _get(author, "f", out)
    assert (out / "f").read_bytes() == b"mine"
    both = await _get(author, "f", out, existing=ConflictPolicy.KEEP_BOTH)
    assert both.local.read_bytes() == source.read_bytes()
    assert (out / "f").read_bytes() == b"mine"
    await _get(author, "f", out, existing=ConflictPolicy.FORCE)
    assert (out / "f").read_bytes() == source.read_bytes()
    assert not list(out.glob("*.part"))


@pytest.mark.parametrize("direction", ["put", "get"])
@on_reactor
async def test_an_interrupted_transfer_leaves_nothing_on_either_side(
    server: ServerFixture, tmp_path: Path, direction: str
):
    source, out = tmp_path / "source", tmp_path / "out"
    source.write_bytes(content(SEGMENT_BYTES - 1))  # of a larger one a whole segment stays, to go on from
    session = await server.session("max")
    operator = await server.operator()
    if direction == "get":
        await _put(session, source, "f")
        running = Deferred.fromCoroutine(_get(session, "f", out))
        begun = "getting f"
    else:
        running = Deferred.fromCoroutine(_put(session, source, "f"))
        begun = "storing f"
    doing = ""
    while doing != begun:
        sessions = (await operator.ask(ListSessions)).sessions
        (doing,) = [each.doing for each in sessions if each.user == "max"]
        assert not running.called, "it was over before it could be interrupted"
    running.cancel()
    with pytest.raises(CancelledError):
        await running
    assert not list(out.glob("*")) if out.exists() else True
    if direction == "put":
        with pytest.raises(NotFoundError):
            await files.show_file(session, "f")
    # The session goes on.
    small = tmp_path / "small"
    small.write_bytes(SMALL)
    await _put(session, small, "after")
    await server.clean()


@on_reactor
@pytest.mark.every_run
async def test_a_demoted_client_is_told_in_the_middle_of_a_transfer(server: ServerFixture, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(content(20_000_000))
    notices = []
    session = await server.session("max", on_notice=notices.append)
    operator = await server.operator()
    running = Deferred.fromCoroutine(_put(session, source, "f"))
    await until(server.incoming, "it lies in the vault's incoming")
    await operator.ask(ChangeRole, name="max", role=Role.GUEST)
    with pytest.raises((RightsChangedError, RoleForbidsError)):
        await running
    assert [notice.kind for notice in notices] == ["role"]
    await server.clean()
    assert server.objects() == []


@on_reactor
async def test_missing_and_unreadable_sources_fail_alone(server: ServerFixture, tmp_path: Path):
    good, missing = tmp_path / "good", tmp_path / "missing"
    good.write_bytes(SMALL)
    session = await server.session("max")
    items = [PutItem(missing, "a", 1), PutItem(good, "b", len(SMALL)), PutItem(tmp_path, "c", 1)]
    results = await put_all(session, items)
    assert [result.stage for result in results] == [TransferStage.FAILED, TransferStage.STORED, TransferStage.FAILED]
    assert isinstance(results[0].error, LocalFileError)


@on_reactor
async def test_the_end_of_the_server_is_a_lost_connection(server: ServerFixture, tmp_path: Path):
    session = await server.session("max")
    operator = await server.operator()
    (number,) = [each.id for each in (await operator.ask(ListSessions)).sessions if each.user == "max"]
    await operator.ask(KickSession, session_id=number)
    await until(lambda: not session.alive, "the session is over")
    with pytest.raises(ConnectionLostError):
        await people.show_self(session)


@on_reactor
async def test_an_invitation_works_once_and_again_only_for_whom_it_made(server: ServerFixture):
    admin = await server.session("ada")
    link, _ = await people.invite(admin, role=Role.GUEST, name=None, seconds=60)
    from twisted.internet import reactor

    def joining(folder: str, name: str):
        state = server.state_of(folder)
        return join(
            reactor, state, link, user_name=name, device="d", passphrase=None,
            ask=nobody_to_ask, pool=server.pool,
        )  # fmt: skip

    first = await joining("one", "neu")
    again = await joining("one", "neu")
    assert first.user.id == again.user.id
    with pytest.raises(InviteUsedError):
        await joining("two", "other")
