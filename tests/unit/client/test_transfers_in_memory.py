"""Uploads and downloads against a server in memory: what is signed, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import os
import random
import sys
import threading
from functools import lru_cache

import msgspec
import pytest
from twisted.internet.defer import CancelledError, Deferred

from sft import durable
from sft.client.pins import Pins
from sft.client.state import StateFolder
from sft.client.transfers import batch
from sft.client.transfers.batch import get_all, put_all, verify_all
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, PutItem, VersionSeen
from sft.client.transfers.progress import TransferStage
from sft.client.trust import SignatureState, known_of
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512, digest_text
from sft.crypto.keys import SigningKey
from sft.crypto.notes import verify_receipts
from sft.crypto.signatures import FileSignature, sign_file, verify_file
from sft.errors import (
    ChangedSinceError,
    ConnectionLostError,
    ExistsError,
    FolderInTheWayError,
    LocalExistsError,
    LocalFileError,
    LogProofError,
    NotAsListedError,
    OlderVersionError,
    OwnKeyUnknownError,
    PinChangedError,
    PipeLostError,
    ReceiptBadError,
    RoleForbidsError,
    ServerFullError,
    SignatureBadError,
    SignerUnknownError,
    SourceChangedError,
)
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES
from sft.wire.messages import BeginUpload, Cancel, CommitUpload, GetFile, GetFiles, PutFiles, ShowFiles, ShowUser
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, MAX_KEY, SERVER, digest_of, user

SIZES = [0, 1, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, CHUNK_BYTES, CHUNK_BYTES + 1, 40 * CHUNK_BYTES + 7]
MTIME = 1_600_000_000


@lru_cache(16)
def content_of(size):
    return random.Random(size).randbytes(size)


def local(tmp_path, content, name="a.bin", mtime=MTIME):
    path = tmp_path / name
    path.write_bytes(content)
    os.utime(path, ns=(mtime * 10**9, mtime * 10**9 + 5))
    return path


def item(path, target="docs/a.bin"):
    return PutItem(path, target, path.stat().st_size)


def put(server, session, *items, **options):
    return server.run(put_all(session, items, **options))


def get(server, session, tmp_path, *items, to="out", **options):
    return server.run(get_all(session, items, to=tmp_path / to, **options))


def got_item(path="docs/a.bin", size=0):
    return GetItem(path, tuple(path.split("/")[-1:]), size)


def stored(server, content, path="docs/a.bin", key=ADA_KEY, author="ada", user_id=7, **fields):
    """Have a file on the server that an author signed."""
    values = {
        "server_id": SERVER.server_id,
        "file_id": bytes(16),
        "version": 1,
        "size": len(content),
        "digest": digest_of(content),
        "mtime": MTIME,
        "name": path,
        "user": user_id,
        "prev": None,
        "ts": 4000,
    }
    comment = FileComment(**{**values, **fields})
    signature = sign_file(key, comment).encode()
    server.keep(path, content, comment, signature, author=author, key=key)
    return comment


class Recorded(StateFolder, frozen=True, kw_only=True):
    """A state that tells what is written."""

    written: list[str]

    def write(self, name, data, *, sync=True):
        self.written.append(name)
        return super().write(name, data, sync=sync)


BY_MAX = {"key": MAX_KEY, "author": "max", "user_id": 8}


def leftovers(folder):
    return sorted(p.name for p in folder.rglob("*")) if folder.exists() else []


# -- put -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_arrives_whole_and_signed_over_checked_fields(server, session, tmp_path, size):
    seen = server.log.checkpoint().head_text()
    content = content_of(size)
    path = local(tmp_path, content)
    (result,) = put(server, session, item(path))
    assert (result.stage, result.error) == (TransferStage.STORED, None)
    file, arrived = server.files["docs/a.bin"]
    assert arrived == content
    signature = FileSignature.parse(file.version.signature)
    comment = verify_file(ADA_KEY.public, blake2b_512(content).digest(), signature)
    assert comment == FileComment(
        server_id=SERVER.server_id,
        file_id=file.id,
        version=1,
        size=size,
        digest=blake2b_512(content).digest(),
        mtime=MTIME,
        name="docs/a.bin",
        user=7,
        prev=None,
        ts=4000,
        head=seen,
    )
    begun = [type(m) for m in server.received]
    assert begun == ([PutFiles] if size <= SMALL_FILE_BYTES else [BeginUpload, CommitUpload])


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
def test_the_receipt_is_kept_where_the_result_says(server, session, tmp_path, size):
    (result,) = put(server, session, item(local(tmp_path, content_of(size))))
    (receipt,) = verify_receipts(session.server_key, result.receipt.read_text())
    assert (receipt.size, receipt.name, receipt.version) == (size, "docs/a.bin", 1)
    assert result.receipt.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("field", ["version", "size", "digest", "name", "user", "file_id", "server_id"])
def test_a_receipt_for_something_else_is_no_receipt(server, session, tmp_path, monkeypatch, field):
    other = {
        "version": 2,
        "size": 6,
        "digest": bytes(64),
        "name": "docs/b.bin",
        "user": 8,
        "file_id": bytes(16),
        "server_id": bytes(32),
    }
    sign = memory_sign()

    def lie(key, receipts):
        (receipt,) = receipts
        fields = msgspec.structs.asdict(receipt)
        return sign(key, [type(receipt)(**{**fields, field: other[field]})])

    monkeypatch.setattr("tests.unit.client.memory_server.sign_receipts", lie)
    (result,) = put(server, session, item(local(tmp_path, b"hello")))
    assert isinstance(result.error, ReceiptBadError)
    assert result.receipt is None


def memory_sign():
    from tests.unit.client import memory_server

    return memory_server.sign_receipts


def test_a_source_that_is_written_while_it_is_read_is_never_signed(server, session, tmp_path):
    path = local(tmp_path, content_of(30 * CHUNK_BYTES))

    def touch(progress):
        if progress.stage is TransferStage.SENDING:
            os.utime(path, ns=(1, 1))

    (result,) = put(server, session, item(path), report=touch)
    assert isinstance(result.error, SourceChangedError)
    assert Cancel in map(type, server.received)
    assert CommitUpload not in map(type, server.received)


def test_a_source_that_shrinks_is_an_error(server, session, tmp_path):
    path = local(tmp_path, content_of(30 * CHUNK_BYTES))

    def cut(progress):
        if progress.stage is TransferStage.SENDING:
            os.truncate(path, CHUNK_BYTES)

    (result,) = put(server, session, item(path), report=cut)
    assert isinstance(result.error, SourceChangedError)
    assert server.files == {}


def test_a_refusal_in_the_middle_ends_the_sending_and_is_what_is_said(server, session, tmp_path):
    server.refuse[BeginUpload] = ServerFullError(size_bytes=1)
    (result,) = put(server, session, item(local(tmp_path, content_of(40 * CHUNK_BYTES))))
    assert isinstance(result.error, ServerFullError)
    assert [type(m) for m in server.received][-1] is Cancel
    # The line goes on.
    (other,) = put(server, session, item(local(tmp_path, b"x", "b"), "b"))
    assert other.stage is TransferStage.STORED


def test_one_that_fails_does_not_keep_the_others_from_being_stored(server, session, tmp_path):
    good, gone = local(tmp_path, b"x", "good"), local(tmp_path, b"y", "gone")
    items = [item(gone, "gone"), item(good, "good")]
    gone.unlink()
    first, second = put(server, session, *items)
    assert (first.stage, second.stage) == (TransferStage.FAILED, TransferStage.STORED)
    assert first.error.code == "LOCAL_FILE"


SMALL_AND_LARGE = pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])


@SMALL_AND_LARGE
@pytest.mark.parametrize("how", [{}, {"replace": True}], ids=str)
def test_the_same_again_is_there_already_and_is_acknowledged_anew(server, session, tmp_path, size, how):
    path = local(tmp_path, content_of(size))
    (first,) = put(server, session, item(path))
    first.receipt.unlink()
    server.received.clear()
    (result,) = put(server, session, item(path), **how)
    assert (result.stage, result.error, result.stored.version) == (TransferStage.UNCHANGED, None, 1)
    assert result.receipt == first.receipt
    (receipt,) = verify_receipts(session.server_key, result.receipt.read_text())
    assert receipt.file_id == server.files["docs/a.bin"][0].id
    assert not any(isinstance(message, CommitUpload) for message in server.received)


@SMALL_AND_LARGE
def test_what_was_read_is_noted_on_the_pool(server, session, tmp_path, monkeypatch, size):
    """It takes a lock under which others read and write a file."""
    working, noted, give = [], [], session.pool.run

    def work(function, *args, **kwargs):
        working.append(function)
        try:
            return function(*args, **kwargs)
        finally:
            working.pop()

    for way in ("run", "compute"):
        monkeypatch.setattr(session.pool, way, lambda *args, **kwargs: give(work, *args, **kwargs))
    monkeypatch.setattr(DigestCache, "note", lambda *_: noted.append(len(working)))
    for _ in ("sent", "compared"):
        put(server, session, item(local(tmp_path, content_of(size))))
    assert noted == [1, 1]


@SMALL_AND_LARGE
@pytest.mark.parametrize("how", [{}, {"replace": True}], ids=str)
def test_the_server_alone_does_not_say_what_is_there_already(server, session, tmp_path, size, how):
    """It shows a version as ours, with the bytes that we hold, which our key never signed."""
    path = local(tmp_path, content_of(size))
    stored(server, content_of(size), key=MALLORY_KEY)
    (result,) = put(server, session, item(path), **how)
    assert (result.stage, result.receipt) == (TransferStage.FAILED, None)
    assert result.error.exit_status in {5, 7}


@SMALL_AND_LARGE
def test_what_is_there_already_without_a_receipt_is_not_said_to_be_stored(server, session, tmp_path, size):
    path = local(tmp_path, content_of(size))
    put(server, session, item(path))
    server.receipt_lies = {"file_id": b"another file's i"}
    (result,) = put(server, session, item(path))
    assert isinstance(result.error, ReceiptBadError)


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"digest": bytes(64)}, LogProofError),
        ({"number": 41}, LogProofError),
        ({"signature": b""}, SignatureBadError),
        ({"size": 9}, LogProofError),
    ],
    ids=str,
)
@pytest.mark.parametrize("how", [{"replace": True}, {"if_version": 1}], ids=str)
def test_nothing_is_built_on_a_version_that_does_not_hold(server, session, tmp_path, lie, told, how):
    stored(server, b"first", **BY_MAX)
    file, content = server.files["docs/a.bin"]
    version = msgspec.structs.replace(file.version, **lie)
    server.files["docs/a.bin"] = (msgspec.structs.replace(file, version=version), content)
    (result,) = put(server, session, item(local(tmp_path, b"second")), **how)
    assert isinstance(result.error, told)
    assert [type(m) for m in server.received if not isinstance(m, ShowUser)] == [ShowFiles]


def test_what_an_unknown_key_signed_is_replaced_only_by_its_number(server, session, tmp_path):
    stored(server, b"first", **{**BY_MAX, "key": MALLORY_KEY})
    mine = item(local(tmp_path, b"second"))
    (result,) = put(server, session, mine, replace=True)
    assert isinstance(result.error, SignerUnknownError)
    assert server.files["docs/a.bin"][1] == b"first"
    (result,) = put(server, session, mine, if_version=1)
    assert (result.stage, result.stored.version) == (TransferStage.STORED, 2)


def test_nothing_is_built_on_an_older_version_than_was_seen(server, session, tmp_path):
    stored(server, b"third", version=3, prev=bytes(64), **BY_MAX)
    get(server, session, tmp_path, got_item())
    stored(server, b"second", version=2, prev=bytes(64), **BY_MAX)
    (result,) = put(server, session, item(local(tmp_path, b"mine")), replace=True)
    assert isinstance(result.error, OlderVersionError)


@pytest.mark.parametrize("size", [6, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("how", [{"replace": True}, {"if_version": 1}], ids=str)
def test_nothing_is_built_on_an_older_version_than_the_log_has(server, session, tmp_path, size, how):
    """The older one is proved to be kept, and shown as the newest: ours would take the place of what nobody here has seen."""
    stored(server, b"first", **BY_MAX)
    server.log.file(bytes(16), "docs/a.bin", 8, 2, blake2b_512(b"second").digest(), 6)
    session.log.begun_at = 0
    (result,) = put(server, session, item(local(tmp_path, content_of(size))), **how)
    assert isinstance(result.error, OlderVersionError)
    assert not [m for m in server.received if isinstance(m, PutFiles | BeginUpload)]


def test_equal_size_and_other_bytes_is_a_conflict(server, session, tmp_path):
    put(server, session, item(local(tmp_path, content_of(3 * CHUNK_BYTES))))
    other = bytes(3 * CHUNK_BYTES)
    (result,) = put(server, session, item(local(tmp_path, other)))
    assert isinstance(result.error, ExistsError)
    assert server.files["docs/a.bin"][1] != other


def test_the_same_bytes_by_another_author_are_a_conflict(server, session, tmp_path):
    content = content_of(3 * CHUNK_BYTES)
    stored(server, content, user_id=8, author="mallory", key=MALLORY_KEY)
    (result,) = put(server, session, item(local(tmp_path, content)))
    assert isinstance(result.error, ExistsError)


@pytest.mark.parametrize("size", [6, 3 * CHUNK_BYTES])
def test_a_replace_names_the_version_that_it_saw(server, session, tmp_path, size):
    put(server, session, item(local(tmp_path, b"first")))
    before = server.files["docs/a.bin"][0]
    (result,) = put(server, session, item(local(tmp_path, content_of(size))), replace=True)
    assert (result.stage, result.stored.version) == (TransferStage.STORED, 2)
    after = server.files["docs/a.bin"][0]
    assert after.id == before.id
    comment = FileComment.parse(FileSignature.parse(after.version.signature).comment)
    assert comment.prev == before.version.digest


def test_replace_of_what_is_not_there_stores_it(server, session, tmp_path):
    (result,) = put(server, session, item(local(tmp_path, b"x")), replace=True)
    assert (result.stage, result.stored.version) == (TransferStage.STORED, 1)


def test_another_version_than_the_one_named_is_not_replaced(server, session, tmp_path):
    put(server, session, item(local(tmp_path, b"first")))
    (result,) = put(server, session, item(local(tmp_path, b"second")), if_version=3)
    assert isinstance(result.error, ChangedSinceError)
    assert server.files["docs/a.bin"][1] == b"first"


def test_cancelling_a_put_tells_the_server_and_leaves_nothing(server, session, tmp_path):
    path = local(tmp_path, content_of(64 * CHUNK_BYTES))
    server.hold = True  # no credit: it stops in the middle
    ended = []
    running = Deferred.fromCoroutine(put_all(session, [item(path)]))
    running.addBoth(ended.append)
    server.pump()
    assert not ended
    running.cancel()
    server.pump()
    assert ended[0].check(CancelledError)
    assert type(server.received[-1]) is Cancel


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_are_begun_at_once_than_jobs_says(server, session, tmp_path, jobs):
    contents = [b"small", content_of(64 * CHUNK_BYTES), b"little", content_of(65 * CHUNK_BYTES), b"tiny"]
    paths = [local(tmp_path, content, f"f{n}") for n, content in enumerate(contents)]
    server.hold = True
    running = Deferred.fromCoroutine(put_all(session, [item(path, path.name) for path in paths], jobs=jobs))
    running.addErrback(lambda failure: failure.trap(CancelledError))
    server.pump()
    assert len(server.received) == jobs
    running.cancel()
    server.pump()


def test_a_line_that_breaks_fails_every_item_and_says_so(server, session, tmp_path):
    paths = [local(tmp_path, content_of(64 * CHUNK_BYTES + n), f"f{n}") for n in range(6)]
    server.hold = True
    ended = []
    items = [item(path, path.name) for path in paths]
    Deferred.fromCoroutine(put_all(session, items)).addBoth(ended.append)
    server.pump()
    server.lose()
    assert [type(result.error) for result in ended[0]] == [ConnectionLostError] * 6


def test_progress_goes_from_sending_over_storing_to_stored(server, session, tmp_path):
    seen = []
    path = local(tmp_path, content_of(3 * CHUNK_BYTES))
    put(server, session, item(path), report=seen.append)
    stages = [p.stage for p in seen]
    assert [s for n, s in enumerate(stages) if n == 0 or stages[n - 1] is not s] == [
        TransferStage.SENDING,
        TransferStage.STORING,
        TransferStage.STORED,
    ]
    assert seen[-1].done_bytes == seen[-1].total_bytes == 3 * CHUNK_BYTES


def test_folders_that_hold_nothing_are_made(server, session):
    assert put(server, session, folders=["docs/void"]) == []
    assert "docs/void" in server.folders


def test_a_folder_that_cannot_be_made_there_fails_alone(server, session, tmp_path, monkeypatch):
    make_folder = batch.make_folder

    async def refused(session, path):
        if path == "docs/taken":
            raise FolderInTheWayError(path=path, what="file")
        return await make_folder(session, path)

    monkeypatch.setattr(batch, "make_folder", refused)
    path = local(tmp_path, b"abc")
    good, failed = put(server, session, item(path), folders=["docs/taken", "docs/void"])
    assert (good.stage, failed.stage, failed.item.path) == (TransferStage.STORED, TransferStage.FAILED, "docs/taken")
    assert isinstance(failed.error, FolderInTheWayError)
    assert "docs/void" in server.folders


def test_a_folder_that_cannot_be_made_here_fails_alone(server, session, tmp_path):
    stored(server, b"abc")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "void").write_bytes(b"mine")
    folders = [("void",), ("void", "below"), ("other",)]
    good, *failed = get(server, session, tmp_path, got_item(size=3), folders=folders)
    assert (good.stage, good.local.read_bytes()) == (TransferStage.VERIFIED, b"abc")
    assert [(each.item.parts, each.stage, each.error.code) for each in failed] == [
        (parts, TransferStage.FAILED, "LOCAL_FILE") for parts in folders[:2]
    ]
    assert (tmp_path / "out" / "other").is_dir()


def test_nothing_is_forged_in_our_own_name(server, session, tmp_path):
    # A key that a server shows for ourselves is not believed: none that is here vouched for it.
    server.users[7] = user(7, "ada", ADA_KEY, MALLORY_KEY)
    stored(server, b"forged", key=MALLORY_KEY)
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, OwnKeyUnknownError)
    stored(server, b"ours")
    (result,) = get(server, session, tmp_path, got_item())
    assert result.verdict.author == "ada"
    assert leftovers(tmp_path / "out") == ["a.bin"]


# -- get -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_what_is_got_is_what_was_stored_dated_and_without_an_execute_bit(server, session, tmp_path, size):
    content = content_of(size)
    stored(server, content)
    (result,) = get(server, session, tmp_path, got_item(size=size))
    assert (result.stage, result.error) == (TransferStage.VERIFIED, None)
    assert result.local == tmp_path / "out" / "a.bin"
    assert result.local.read_bytes() == content
    found = result.local.stat()
    assert (found.st_mtime, found.st_mode & 0o777) == (MTIME, 0o666 & ~durable.umask())
    assert leftovers(tmp_path / "out") == ["a.bin"]
    assert result.verdict.author == "ada"


@pytest.mark.parametrize("size", [10, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("change", ["flipped", "shorter", "longer"])
def test_other_bytes_than_signed_are_never_kept(server, session, tmp_path, size, change):
    content = content_of(size)
    stored(server, content)
    lies = {"flipped": bytes([content[0] ^ 1]) + content[1:], "shorter": content[:-1], "longer": content + b"x"}
    server.change = lambda file, _: (file, lies[change])
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, SignatureBadError)
    assert leftovers(tmp_path / "out") == []
    # The line goes on.
    server.change = lambda file, content: (file, content)
    assert get(server, session, tmp_path, got_item())[0].stage is TransferStage.VERIFIED


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        ({"id": b"another file's i"}, LogProofError),
        ({"number": 2}, LogProofError),
        ({"author_id": 8}, LogProofError),
        ({"signed_name": "docs/b.bin"}, SignatureBadError),
        ({"dated_at": 5}, SignatureBadError),
        ({"digest": bytes(64)}, LogProofError),
        ({"public_key": MALLORY_KEY.public.encode()}, SignatureBadError),
        ({"signature": b"rubbish"}, SignatureBadError),
    ],
    ids=lambda lie: next(iter(lie)) if isinstance(lie, dict) else "",
)
def test_a_description_that_is_not_the_signed_one_is_refused(server, session, tmp_path, lie, told):
    server.users[8] = user(8, "mallory", MALLORY_KEY)
    stored(server, b"content")

    def describe(file, content):
        if "id" in lie:
            return msgspec.structs.replace(file, **lie), content
        version = msgspec.structs.replace(file.version, **lie)
        return msgspec.structs.replace(file, version=version), content

    server.change = describe
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, told)
    assert leftovers(tmp_path / "out") == []


def test_a_file_signed_for_another_server_is_refused(server, session, tmp_path):
    stored(server, b"content", server_id=bytes(32))
    assert isinstance(get(server, session, tmp_path, got_item())[0].error, SignatureBadError)


def test_another_file_than_the_one_asked_for_is_refused(server, session, tmp_path):
    stored(server, b"asked for", "docs/a.bin")
    stored(server, b"other", "docs/b.bin")
    server.change = lambda _file, _content: server.files["docs/b.bin"]
    assert isinstance(get(server, session, tmp_path, got_item())[0].error, NotAsListedError)
    assert leftovers(tmp_path / "out") == []


@pytest.mark.parametrize(
    "listed", [{"file_id": b"another file's i"}, {"version": 2}, {"size": 6}, {"digest": bytes(64)}], ids=str
)
def test_what_was_listed_must_arrive(server, session, tmp_path, listed):
    stored(server, b"content", version=1)
    true = {"file_id": bytes(16), "version": 1, "size": 7, "digest": blake2b_512(b"content").digest()}
    asked = msgspec.structs.replace(got_item(), **{**true, **listed})
    (result,) = get(server, session, tmp_path, asked)
    assert isinstance(result.error, NotAsListedError)
    assert leftovers(tmp_path / "out") == []
    honest = msgspec.structs.replace(got_item(), **true)
    assert get(server, session, tmp_path, honest)[0].error is None


def test_a_version_older_than_one_that_was_seen_is_not_the_newest(server, session, tmp_path):
    stored(server, b"new", version=3, prev=bytes(64))
    assert get(server, session, tmp_path, got_item())[0].error is None
    stored(server, b"old", version=2, prev=bytes(64))
    # Also for the next run.
    again = dataclasses.replace(session)
    (result,) = get(server, again, tmp_path, got_item(), to="later")
    assert isinstance(result.error, OlderVersionError)
    assert leftovers(tmp_path / "later") == []
    (known,) = server.run(known_of(again, [server.files["docs/a.bin"][0]], None))
    assert (known.state, type(known.error)) == (SignatureState.UNKNOWN, OlderVersionError)
    # Whoever asks for that very version gets it.
    asked = msgspec.structs.replace(got_item(), version=2, newest=False)
    assert get(server, again, tmp_path, asked, to="later")[0].error is None
    (known,) = server.run(known_of(again, [server.files["docs/a.bin"][0]], None, newest=False))
    assert known.state is SignatureState.SIGNED


@pytest.mark.parametrize("size", [7, 3 * CHUNK_BYTES], ids=["small", "large"])
def test_what_is_stored_while_a_get_runs_is_no_older_version(server, session, tmp_path, size):
    content = content_of(size)
    stored(server, content)
    listed = msgspec.structs.replace(
        got_item(size=size), file_id=bytes(16), version=1, digest=blake2b_512(content).digest()
    )

    def put_meanwhile(file, content):
        session.versions_seen.note(file.id, 2, bytes(64), file.path)
        return file, content

    server.change = put_meanwhile
    assert get(server, session, tmp_path, listed)[0].error is None
    # What was seen before the next one begins is held against it.
    (result,) = get(server, session, tmp_path, listed, to="later")
    assert isinstance(result.error, OlderVersionError)
    assert leftovers(tmp_path / "later") == []


def test_a_version_that_a_list_has_shown_or_we_have_stored_was_seen(server, session, tmp_path):
    stored(server, b"new", "docs/b.bin", version=3, file_id=b"b" * 16, prev=bytes(64))
    server.run(known_of(session, [server.files["docs/b.bin"][0]], None))
    put(server, session, item(local(tmp_path, b"mine")))
    again = dataclasses.replace(session).versions_seen
    assert again.highest(b"b" * 16) == 3
    assert again.highest(server.files["docs/a.bin"][0].id) == 1


def test_what_was_read_here_to_its_end_is_verified_in_every_later_run(server, session, tmp_path):
    stored(server, b"theirs", "docs/b.bin", file_id=b"b" * 16)
    put(server, session, item(local(tmp_path, b"mine")))
    theirs, mine = server.files["docs/b.bin"][0], server.files["docs/a.bin"][0]
    states = [known.state for known in server.run(known_of(dataclasses.replace(session), [theirs, mine], None))]
    assert states == [SignatureState.SIGNED, SignatureState.VERIFIED]
    assert get(server, session, tmp_path, got_item("docs/b.bin"))[0].error is None
    (known,) = server.run(known_of(dataclasses.replace(session), [theirs], None))
    assert known.state is SignatureState.VERIFIED
    stored(server, b"newer!", "docs/b.bin", version=2, file_id=b"b" * 16, prev=bytes(64))
    (known,) = server.run(known_of(dataclasses.replace(session), [server.files["docs/b.bin"][0]], None))
    assert known.state is SignatureState.SIGNED


def test_authors_of_a_list_are_pinned_in_one_rewrite(server, session, state):
    names = [f"docs/{number}" for number in range(5)]
    for user_id, name in enumerate(names, 20):
        key = SigningKey.from_seed(user_id.to_bytes(32, "big"), b"12345678")
        server.users[user_id] = user(user_id, f"u{user_id}", key)
        stored(server, b"content", name, key=key, author=f"u{user_id}", user_id=user_id)
    written = []
    session.state = Recorded(state.data, state.config, written=written)
    session.pins = Pins(session.state, session.server_id)
    files = [server.files[name][0] for name in names]
    assert {known.state for known in server.run(known_of(session, files, None))} == {SignatureState.SIGNED}
    assert [name for name in written if name.startswith("pins/")] == [f"pins/{session.server_id.hex()[:32]}.json"]


def test_a_key_that_the_registry_does_not_have_is_unknown(server, session, tmp_path):
    stored(server, b"content", **{**BY_MAX, "key": MALLORY_KEY})
    assert isinstance(get(server, session, tmp_path, got_item())[0].error, SignerUnknownError)
    assert leftovers(tmp_path / "out") == []


def test_an_author_that_the_registry_does_not_have_is_unknown(server, session, tmp_path):
    del server.users[8]
    stored(server, b"content", **BY_MAX)
    assert isinstance(get(server, session, tmp_path, got_item())[0].error, SignerUnknownError)


def test_a_key_that_is_shown_in_place_of_the_pinned_one_is_refused(server, session, tmp_path):
    stored(server, b"content", **BY_MAX)
    assert get(server, session, tmp_path, got_item())[0].stage is TransferStage.VERIFIED
    server.users[8] = user(8, "max", MALLORY_KEY)
    stored(server, b"evil", "docs/b.bin", **{**BY_MAX, "key": MALLORY_KEY})
    (result,) = get(server, session, tmp_path, got_item("docs/b.bin"))
    assert isinstance(result.error, PinChangedError)
    assert leftovers(tmp_path / "out") == ["a.bin"]


def test_a_stranger_who_takes_a_pinned_persons_name_is_refused(server, session, tmp_path):
    stored(server, b"content")
    get(server, session, tmp_path, got_item())
    server.users[9] = user(9, "Ada", MALLORY_KEY)
    stored(server, b"evil", "docs/b.bin", key=MALLORY_KEY, author="Ada", user_id=9)
    (result,) = get(server, session, tmp_path, got_item("docs/b.bin"))
    assert isinstance(result.error, PinChangedError)


def test_an_author_is_asked_for_once(server, session, tmp_path):
    for name in ("docs/a", "docs/b", "docs/c"):
        stored(server, b"content", name, **BY_MAX)
    get(server, session, tmp_path, *[got_item(n) for n in ("docs/a", "docs/b", "docs/c")])
    assert [type(m).__name__ for m in server.received].count("ShowUser") == 1


def test_a_moved_file_says_where_it_was_signed(server, session, tmp_path):
    stored(server, b"content", "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", MAX_KEY, 8)
    file, _ = server.files["new.bin"]
    (result,) = get(server, session, tmp_path, got_item("new.bin"))
    assert result.verdict.moved_to == "new.bin"
    assert "Signed as docs/old.bin; max moved it to new.bin." in result.verdict.sentence()
    same = msgspec.structs.replace(got_item("new.bin"), size=7, file_id=file.id, version=1, digest=file.version.digest)
    assert get(server, session, tmp_path, same)[0].stage is TransferStage.UNCHANGED


@pytest.mark.parametrize("size", [10, 3 * CHUNK_BYTES])
def test_a_name_that_is_taken_is_left_alone_unless_forced(server, session, tmp_path, size):
    content = content_of(size)
    stored(server, content)
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "a.bin"
    mine.write_bytes(b"mine")
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, LocalExistsError)
    assert mine.read_bytes() == b"mine"
    (result,) = get(server, session, tmp_path, got_item(), existing=ConflictPolicy.KEEP_BOTH)
    assert result.local.name == "a (2).bin"
    assert mine.read_bytes() == b"mine"
    (result,) = get(server, session, tmp_path, got_item(), existing=ConflictPolicy.FORCE)
    assert mine.read_bytes() == content
    assert leftovers(tmp_path / "out") == ["a (2).bin", "a.bin"]


def test_the_signature_is_written_beside_the_file_as_it_was_stored(server, session, tmp_path):
    stored(server, b"content")
    (result,) = get(server, session, tmp_path, got_item(), with_signature=True)
    assert result.signature == tmp_path / "out" / "a.bin.minisig"
    assert result.signature.read_bytes() == server.files["docs/a.bin"][0].version.signature


def test_verifying_keeps_nothing(server, session, tmp_path):
    stored(server, content_of(3 * CHUNK_BYTES))
    (result,) = server.run(verify_all(session, [got_item()]))
    assert (result.stage, result.local) == (TransferStage.VERIFIED, None)
    server.change = lambda file, content: (file, content[:-1] + b"?")
    (result,) = server.run(verify_all(session, [got_item()]))
    assert isinstance(result.error, SignatureBadError)


def test_cancelling_a_get_tells_the_server_and_leaves_nothing(server, session, tmp_path):
    stored(server, content_of(200 * CHUNK_BYTES))
    server._credit = lambda _: None  # it stops in the middle
    ended = []
    running = Deferred.fromCoroutine(get_all(session, [got_item()], to=tmp_path / "out"))
    running.addBoth(ended.append)
    server.pump()
    assert not ended
    assert len(leftovers(tmp_path / "out")) == 1
    running.cancel()
    server.pump()
    assert ended[0].check(CancelledError)
    assert type(server.received[-1]) is Cancel
    assert leftovers(tmp_path / "out") == []
    del server._credit
    assert get(server, session, tmp_path, got_item())[0].stage is TransferStage.VERIFIED


def test_a_download_that_loses_its_line_leaves_nothing(server, session, tmp_path):
    stored(server, content_of(200 * CHUNK_BYTES))
    server._credit = lambda _: None
    ended = []
    Deferred.fromCoroutine(get_all(session, [got_item()], to=tmp_path / "out")).addBoth(ended.append)
    server.pump()
    server.lose()
    (result,) = ended[0]
    assert isinstance(result.error, ConnectionLostError)
    assert leftovers(tmp_path / "out") == []


def test_a_refusal_in_the_middle_of_a_download_leaves_nothing(server, session, tmp_path):
    stored(server, content_of(200 * CHUNK_BYTES))

    def refuse(m):
        if server.flowing.pop(m.id, None) is not None:
            error = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="eva")
            server._refuse(m.id, error)

    server._credit = refuse
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, RoleForbidsError)
    assert leftovers(tmp_path / "out") == []


def test_small_ones_go_together_three_frames_to_an_answer_and_large_ones_four_at_once(server, session, tmp_path):
    for n in range(100):
        stored(server, content_of(4096), f"s{n}", file_id=b"small %10d" % n)
    for n in range(6):
        stored(server, content_of(100 * CHUNK_BYTES), f"l{n}", file_id=b"large %10d" % n)
    server.hold = True
    items = [got_item(f"s{n}", 4096) for n in range(100)]
    items += [got_item(f"l{n}", 100 * CHUNK_BYTES) for n in range(6)]
    ended = []
    Deferred.fromCoroutine(get_all(session, items, to=tmp_path / "out")).addBoth(ended.append)
    server.pump()
    assert len([m.path for m in server.received if isinstance(m, GetFile)]) == 4
    together = [len(m.files) for m in server.received if isinstance(m, GetFiles)]
    assert together == [34, 34, 32]
    server.hold = False
    for message in list(server.received):
        server.answer(message)
    server.pump()
    assert [r.item.path for r in ended[0]] == [i.path for i in items]
    assert {r.stage for r in ended[0]} == {TransferStage.VERIFIED}


def test_no_more_is_ever_written_than_was_announced(server, session, tmp_path, monkeypatch):
    content = content_of(3 * CHUNK_BYTES)
    stored(server, content)
    server.change = lambda file, _: (file, content + bytes(20 * CHUNK_BYTES))
    written = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(len(data)) or write(fd, data))
    (result,) = get(server, session, tmp_path, got_item())
    assert isinstance(result.error, SignatureBadError)
    assert sum(written) <= 3 * CHUNK_BYTES


@pytest.mark.parametrize(("size", "step"), [(10, "write"), (10, "sync"), (10, "place"), (3 * CHUNK_BYTES, "finish")])
def test_cancelling_while_the_final_name_is_given_waits_and_leaves_the_whole_file(
    server, session, tmp_path, size, step
):
    content = content_of(size)
    stored(server, content)
    ended = []
    running = Deferred.fromCoroutine(get_all(session, [got_item(size=size)], to=tmp_path / "out"))
    running.addBoth(ended.append)
    until_queued(server, step)
    running.cancel()
    assert ended == []
    assert queued(server) == [step]
    server.pump()
    assert ended[0].check(CancelledError)
    assert leftovers(tmp_path / "out") == ["a.bin"]
    assert (tmp_path / "out" / "a.bin").read_bytes() == content


def test_cancelling_a_put_of_a_silent_pipe_does_not_wait_for_it(server, session, monkeypatch):
    reading, writing = os.pipe()
    os.write(writing, content_of(2 * CHUNK_BYTES)[:60_000])
    monkeypatch.setattr(sys, "stdin", os.fdopen(reading, "rb", closefd=False))
    ended = []
    running = Deferred.fromCoroutine(put_all(session, [PutItem(None, "x", None)]))
    running.addBoth(ended.append)
    server.pool.step()
    reader = threading.Thread(target=server.pool.step)
    reader.start()
    running.cancel()
    reader.join(10)
    assert not reader.is_alive()
    assert ended[0].check(CancelledError)
    os.close(reading)
    os.close(writing)


def until_queued(server, name):
    """Let everything run until a function of that name waits for the pool."""
    for _ in range(1000):
        if any(getattr(waiting[1], "__name__", "") == name for waiting in server.pool.waiting):
            return
        server.pool.step()
        data = server.transport.value()
        server.transport.clear()
        for event in server.wire.receive(data) if data else ():
            server._take(event)
    pytest.fail(f"{name} is never called")


def queued(server):
    return [getattr(waiting[1], "__name__", "") for waiting in server.pool.waiting]


def test_a_file_that_is_read_is_not_closed_under_the_reader(server, session, tmp_path):
    ended = []
    running = Deferred.fromCoroutine(put_all(session, [item(local(tmp_path, b"hello"))]))
    running.addBoth(ended.append)
    until_queued(server, "read_all")
    running.cancel()
    assert ended == []
    server.pump()
    assert ended[0].check(CancelledError)


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
@pytest.mark.parametrize("refused", [False, True])
def test_no_descriptor_stays_open(server, session, tmp_path, size, refused):
    content = content_of(size)
    path = local(tmp_path, content)
    before = os.listdir("/proc/self/fd")
    if refused:
        error = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="eva")
        server.refuse = {BeginUpload: error, PutFiles: error}
    put(server, session, item(path))
    if refused:
        stored(server, b"\x00" * size)
        server.change = lambda file, _: (file, content)
    get(server, session, tmp_path, got_item())
    assert os.listdir("/proc/self/fd") == before


def test_cancelling_a_put_of_a_pipe_that_falls_silent_does_not_wait_for_it(server, session, monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(reading, "rb", closefd=False))
    ended = []
    writer = threading.Thread(target=os.write, args=(writing, content_of(2 * CHUNK_BYTES)))
    writer.start()
    running = Deferred.fromCoroutine(put_all(session, [PutItem(None, "x", None)]))
    running.addBoth(ended.append)
    until_queued(server, "_fetch")
    writer.join(10)
    reader = threading.Thread(target=server.pool.step, daemon=True)
    reader.start()
    running.cancel()
    reader.join(5)
    assert not reader.is_alive()
    server.pump()
    assert ended[0].check(CancelledError)
    assert type(server.received[-1]) is Cancel
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("size", [5, 40 * CHUNK_BYTES])
@pytest.mark.parametrize("read", [True, False])
def test_a_pipe_whose_connection_is_lost_is_gone_on_with_only_where_nothing_was_read(
    server, session, tmp_path, monkeypatch, size, read
):
    with local(tmp_path, content_of(size)).open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        ended = []
        server.hold = True
        asked = put_all(session, [PutItem(None, "x", None)], replace=not read)  # a replace looks before it reads
        Deferred.fromCoroutine(asked).addBoth(ended.append)
        server.pump()
        server.lose()
        ((result,),) = ended
        assert type(result.error) is (PipeLostError if read else ConnectionLostError)
        (result,) = put(server, session, PutItem(None, "x", None))
        assert type(result.error) is (LocalFileError if read else PipeLostError)


# -- what a person decided to replace --------------------------------------------------------------------------


def decided(path, version=1, digest=""):
    return msgspec.structs.replace(item(path), replaces=VersionSeen("docs/a.bin", version, digest))


def test_what_was_decided_to_be_replaced_is_that_version_alone(server, session, tmp_path):
    stored(server, b"first", **BY_MAX)
    first = digest_text(blake2b_512(b"first").digest())
    mine = local(tmp_path, b"mine")
    (result,) = put(server, session, decided(mine, digest=first))
    assert (result.stage, result.stored.version) == (TransferStage.STORED, 2)
    stored(server, b"third", version=3, prev=bytes(64), **BY_MAX)
    (result,) = put(server, session, decided(local(tmp_path, b"mine, later"), 2))
    assert isinstance(result.error, ChangedSinceError)
    assert server.files["docs/a.bin"][1] == b"third"


def test_another_file_that_has_taken_the_place_since_is_not_replaced(server, session, tmp_path):
    stored(server, b"another file", **BY_MAX)
    (result,) = put(server, session, decided(local(tmp_path, b"mine"), digest=digest_text(bytes(64))))
    assert isinstance(result.error, ChangedSinceError)
    assert server.files["docs/a.bin"][1] == b"another file"


def test_what_was_to_be_replaced_and_is_gone_is_stored_anew(server, session, tmp_path):
    (result,) = put(server, session, decided(local(tmp_path, b"mine"), 4))
    assert (result.stage, result.stored.version) == (TransferStage.STORED, 1)


def test_a_decision_to_replace_says_nothing_of_an_unknown_key(server, session, tmp_path):
    stored(server, b"first", **{**BY_MAX, "key": MALLORY_KEY})
    (result,) = put(server, session, decided(local(tmp_path, b"mine")))
    assert isinstance(result.error, SignerUnknownError)
