"""Small files by the dozen at the client: each is judged by itself, whatever a server says of the others."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred

from sft import durable
from sft.client.transfers import small_gets
from sft.client.transfers.batch import get_all, put_all, verify_all
from sft.client.transfers.grouping import GET_GROUP_BYTES, PUT_GROUP_BYTES, got_bytes, groups_of, put_bytes
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import plan_get
from sft.client.transfers.progress import TransferStage
from sft.crypto.notes import verify_receipts
from sft.crypto.signatures import FileSignature
from sft.errors import (
    InternalError,
    LocalExistsError,
    LocalFileError,
    NotAsListedError,
    ReceiptBadError,
    RemoteProtocolError,
    RoleForbidsError,
    SignatureBadError,
    SourceChangedError,
)
from sft.limits import BATCH_FILES, CHUNK_BYTES, FILES_ANSWER_BYTES, SMALL_FILE_BYTES
from sft.wire.messages import (
    MESSAGE_BYTES,
    BeginUpload,
    FilesContent,
    FilesStored,
    GetFile,
    GetFiles,
    PutFiles,
    Refusal,
    ShowFile,
    StoredFile,
)
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY
from tests.unit.client.test_transfers_in_memory import content_of, get, got_item, item, leftovers, local, put, stored

FILES = [f"f{n}" for n in range(5)]


def sources(tmp_path, names=FILES):
    return [item(local(tmp_path, name.encode() * 10, name), f"docs/{name}") for name in names]


def sent(server, kind):
    return [message for message in server.received if isinstance(message, kind)]


# -- groups -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bytes_of", "most", "fewer"), [(put_bytes, PUT_GROUP_BYTES, 10), (got_bytes, GET_GROUP_BYTES, 7)]
)
def test_groups_keep_the_order_and_fit_what_holds_them(bytes_of, most, fewer):
    sizes = [1, 60_000, 60_000, 30_000, 30_000, 5, *[0] * 200]
    groups = [*groups_of(enumerate(sizes), lambda each: bytes_of("a/b", each[1]), most)]
    assert [each for group in groups for each in group] == [*enumerate(sizes)]
    assert max(map(len, groups)) == BATCH_FILES
    for group in groups:
        assert len(group) == 1 or sum(bytes_of("a/b", size) for _, size in group) <= most
    assert len(groups) < fewer
    assert PUT_GROUP_BYTES < MESSAGE_BYTES
    assert GET_GROUP_BYTES < FILES_ANSWER_BYTES


# -- to the server ------------------------------------------------------------------------------------------


def test_small_files_go_in_one_request_and_share_one_receipt(server, session, tmp_path):
    results = put(server, session, *sources(tmp_path))
    assert [result.stage for result in results] == [TransferStage.STORED] * 5
    (request,) = sent(server, PutFiles)
    assert [file.path for file in request.files] == [result.item.path for result in results]
    texts = {result.receipt.read_text() for result in results}
    (text,) = texts
    assert [line.name for line in verify_receipts(session.server_key, text)] == [r.item.path for r in results]
    assert len({result.receipt for result in results}) == 5, "each is found by its own name"
    assert {result.receipt.stat().st_mode & 0o777 for result in results} == {0o600}


def test_a_receipt_is_kept_where_files_have_one_name_only(server, session, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    results = put(server, session, *sources(tmp_path))
    assert len({result.receipt.read_text() for result in results}) == 1
    assert len({result.receipt.stat().st_ino for result in results}) == 5


def test_what_one_file_meets_is_its_own_error(server, session, tmp_path):
    stored(server, b"another's", "docs/f1")
    items = sources(tmp_path)
    items[3].source.unlink()
    results = put(server, session, *items)
    assert [result.stage.value for result in results] == ["stored", "failed", "stored", "failed", "stored"]
    assert [result.error and result.error.code for result in results] == [None, "EXISTS", None, "LOCAL_FILE", None]
    assert server.files["docs/f1"][1] == b"another's"


def test_a_refusal_of_the_request_is_one_of_each(server, session, tmp_path):
    error = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="eva")
    server.refuse = {PutFiles: error}
    results = put(server, session, *sources(tmp_path))
    assert {type(result.error) for result in results} == {RoleForbidsError}


@pytest.mark.parametrize("lie", ["a line is missing", "a line is of another content", "none", "another server's"])
def test_what_the_receipt_does_not_acknowledge_is_not_stored(server, session, tmp_path, lie):
    from sft.crypto.keys import ServerKey
    from sft.crypto.notes import sign_receipts
    from tests.unit.client.memory_server import SERVER_KEY

    def lying(message):
        if isinstance(message, FilesStored):
            lines = [*verify_receipts(SERVER_KEY.public, message.receipt)]
            key = SERVER_KEY
            if lie == "a line is missing":
                del lines[2]
            elif lie == "a line is of another content":
                lines[2] = replace(lines[2], digest=bytes(64))
            elif lie == "another server's":
                key = ServerKey.from_seed(bytes(32))
            text = "" if lie == "none" else sign_receipts(key, lines)
            message = msgspec.structs.replace(message, receipt=text)
        send(message)

    send, server.send = server.send, lying
    results = put(server, session, *sources(tmp_path))
    bad = {2} if lie.startswith("a line") else {0, 1, 2, 3, 4}
    for number, result in enumerate(results):
        assert isinstance(result.error, ReceiptBadError) == (number in bad), number
        assert (result.receipt is None) == (number in bad)
    kept = leftovers(tmp_path / "state") if (tmp_path / "state").exists() else []
    assert len([name for name in kept if name.endswith(".1")]) in {0, 5 - len(bad)}


@pytest.mark.parametrize("count", [0, 4, 6])
def test_another_number_of_results_breaks_the_protocol(server, session, tmp_path, count):
    server._put_files = lambda m: server.send(FilesStored(id=m.id, results=(StoredFile(1),) * count))
    with pytest.raises(RemoteProtocolError):
        put(server, session, *sources(tmp_path))


def test_results_in_another_order_are_believed_by_the_receipt_alone(server, session, tmp_path):
    stored(server, b"another's", "docs/f1")

    def swapped(message):
        if isinstance(message, FilesStored):
            first, second, *others = message.results
            message = msgspec.structs.replace(message, results=(second, first, *others))
        send(message)

    send, server.send = server.send, swapped
    results = put(server, session, *sources(tmp_path))
    assert results[0].error.code == "EXISTS"
    assert isinstance(results[1].error, ReceiptBadError), "no line acknowledges it"
    assert [result.error for result in results[2:]] == [None] * 3


def test_a_retry_after_a_lost_answer_is_no_conflict(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    results = put(server, session, *items)
    assert [result.stage for result in results] == [TransferStage.UNCHANGED] * 5
    assert all(result.receipt is not None for result in results)


def test_the_same_bytes_of_another_author_are_not_ours(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    stored(server, b"f1" * 10, "docs/f1", key=MALLORY_KEY)
    results = put(server, session, *items)
    assert [result.error is None for result in results] == [True, False, True, True, True]


def test_a_source_that_changes_while_it_is_read_is_never_sent(server, session, tmp_path, monkeypatch):
    items = sources(tmp_path)
    read = os.read

    def touching(fd, size):
        data = read(fd, size)
        if data == b"f2" * 10:
            os.utime(items[2].source, ns=(1, 1))
        return data

    monkeypatch.setattr(os, "read", touching)
    results = put(server, session, *items)
    assert isinstance(results[2].error, SourceChangedError)
    (request,) = sent(server, PutFiles)
    assert [file.path for file in request.files] == ["docs/f0", "docs/f1", "docs/f3", "docs/f4"]


def test_one_that_grew_since_it_was_planned_goes_by_itself(server, session, tmp_path):
    items = sources(tmp_path)
    items[1].source.write_bytes(content_of(SMALL_FILE_BYTES + 1))
    for number in (2, 3):
        items[number].source.write_bytes(content_of(SMALL_FILE_BYTES))
    results = put(server, session, *items)
    assert [result.stage for result in results] == [TransferStage.STORED] * 5
    assert [message.path for message in sent(server, BeginUpload)] == ["docs/f1"]
    assert len(sent(server, PutFiles)) == 2, "and what does not fit beside the others"


# -- from the server ----------------------------------------------------------------------------------------


def have(server, names=FILES):
    for number, name in enumerate(names):
        stored(server, name.encode() * 10, f"docs/{name}", file_id=number.to_bytes(16, "big"))
    return [got_item(f"docs/{name}", len(name) * 10) for name in names]


def test_small_files_come_in_one_answer(server, session, tmp_path):
    results = get(server, session, tmp_path, *have(server))
    assert [result.stage for result in results] == [TransferStage.VERIFIED] * 5
    assert len(sent(server, GetFiles)) == 1
    assert [result.local.read_bytes() for result in results] == [name.encode() * 10 for name in FILES]
    assert leftovers(tmp_path / "out") == FILES


def test_what_does_not_fit_the_answer_is_asked_for_again(server, session, tmp_path):
    server.answered_at_once = 2
    results = get(server, session, tmp_path, *have(server))
    assert [result.stage for result in results] == [TransferStage.VERIFIED] * 5
    assert [len(message.files) for message in sent(server, GetFiles)] == [5, 3, 1]


def test_one_bad_signature_among_many_keeps_its_bytes_from_the_disk(server, session, tmp_path, monkeypatch):
    items = have(server)
    server.change = lambda file, content: (file, b"forged" * 3 + b"xx" if file.path == "docs/f2" else content)
    written = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(bytes(data)) or write(fd, data))
    results = get(server, session, tmp_path, *items)
    assert isinstance(results[2].error, SignatureBadError)
    assert [result.error for n, result in enumerate(results) if n != 2] == [None] * 4
    assert leftovers(tmp_path / "out") == ["f0", "f1", "f3", "f4"]
    assert not any(b"forged" in data for data in written)


@pytest.mark.parametrize("size", [20, 3 * CHUNK_BYTES])
def test_a_signature_that_is_kept_is_one_that_stock_minisign_accepts(server, session, tmp_path, size):
    content = content_of(size)
    stored(server, content, "docs/f0")
    file, _ = server.files["docs/f0"]
    good = FileSignature.parse(file.version.signature)
    first = bytes(63) + b"\x01"
    once = FileSignature(good.key_id, first, good.comment, ADA_KEY._sign(first + good.comment.encode()))
    version = msgspec.structs.replace(file.version, signature=once.encode())
    server.files["docs/f0"] = (msgspec.structs.replace(file, version=version), content)
    wanted = got_item("docs/f0", size)
    (kept,) = get(server, session, tmp_path, wanted, with_signature=True)
    assert isinstance(kept.error, SignatureBadError)
    assert leftovers(tmp_path / "out") == []
    (checked,) = server.run(verify_all(session, [wanted]))
    assert isinstance(checked.error, SignatureBadError)
    (got,) = get(server, session, tmp_path, wanted)
    assert got.local.read_bytes() == content, "its author signed these bytes all the same"


def test_files_in_another_order_are_not_those_that_were_asked_for(server, session, tmp_path):
    def swapped(message):
        if isinstance(message, FilesContent):
            first, second, *others = message.results
            message = msgspec.structs.replace(message, results=(second, first, *others))
        send(message)

    send, server.send = server.send, swapped
    results = get(server, session, tmp_path, *have(server))
    assert [type(result.error) for result in results[:2]] == [NotAsListedError] * 2
    assert leftovers(tmp_path / "out") == ["f2", "f3", "f4"]


def test_an_answer_in_several_frames_is_one(server, session, tmp_path):
    items = have(server)
    whole = server.send

    def split(message):
        if not isinstance(message, FilesContent):
            return whole(message)
        first, *rest = message.results
        whole(FilesContent(message.id, (), message.evidence, more=True))
        whole(FilesContent(message.id, (first,), more=True))
        return whole(FilesContent(message.id, tuple(rest)))

    server.send = split
    results = get(server, session, tmp_path, *items)
    assert [result.error for result in results] == [None] * len(items)
    assert len(sent(server, GetFiles)) == 1


def test_what_is_refused_amid_an_answer_is_refused_whole(server, session, tmp_path):
    items = have(server)
    whole = server.send

    def cut(message):
        if not isinstance(message, FilesContent):
            return whole(message)
        whole(FilesContent(message.id, message.results[:1], message.evidence, more=True))
        return whole(Refusal.of(message.id, InternalError(ref="AAAA-AAAA")))

    server.send = cut
    results = get(server, session, tmp_path, *items)
    assert [type(result.error) for result in results] == [InternalError] * len(items)
    assert leftovers(tmp_path / "out") == []


def test_what_is_too_large_to_come_with_others_is_got_by_itself(server, session, tmp_path):
    items = have(server)
    content = content_of(SMALL_FILE_BYTES + 1)
    stored(server, content, "docs/f1", file_id=(1).to_bytes(16, "big"))
    results = get(server, session, tmp_path, items[0], got_item("docs/f1", 0), items[2])
    assert [result.error for result in results] == [None] * 3
    assert results[1].local.read_bytes() == content
    assert [message.path for message in sent(server, GetFile)] == ["docs/f1"]


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        (ConflictPolicy.REFUSE, {"f1": b"mine", "f1 (2)": None}),
        (ConflictPolicy.FORCE, {"f1": b"f1" * 10, "f1 (2)": None}),
        (ConflictPolicy.KEEP_BOTH, {"f1": b"mine", "f1 (2)": b"f1" * 10}),
    ],
)
def test_a_taken_name_is_one_files_affair(server, session, tmp_path, existing, expected):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f1").write_bytes(b"mine")
    results = get(server, session, tmp_path, *have(server), existing=existing)
    refused = existing is ConflictPolicy.REFUSE
    assert isinstance(results[1].error, LocalExistsError) == refused
    assert [result.error for n, result in enumerate(results) if n != 1] == [None] * 4
    for name, content in expected.items():
        path = tmp_path / "out" / name
        assert (path.read_bytes() if path.exists() else None) == content


def test_each_file_is_synced_before_one_has_its_name_and_its_folder_once_after_all(
    server, session, tmp_path, monkeypatch
):
    steps = []
    sync_file, rename, sync_folder = durable.sync_file, durable.rename_no_replace, durable.sync_folder

    def name_of(fd):
        return Path(f"/proc/self/fd/{fd}").readlink().name

    monkeypatch.setattr(durable, "sync_file", lambda fd: steps.append("file") or sync_file(fd))
    monkeypatch.setattr(durable, "sync_folder", lambda fd: steps.append(name_of(fd)) or sync_folder(fd))
    monkeypatch.setattr(durable, "rename_no_replace", lambda *names: steps.append(f"name {names[3]}") or rename(*names))
    (tmp_path / "out").mkdir()
    get(server, session, tmp_path, *have(server))
    landed = steps[steps.index("file") :]
    assert landed[:11] == ["file"] * 5 + [f"name {name}" for name in FILES] + ["out"]
    assert landed.count("out") == 1


@pytest.mark.parametrize("step", ["write_all", "sync_file", "rename_no_replace"])
@pytest.mark.parametrize("with_signature", [False, True])
def test_what_the_disk_does_not_take_is_one_files_affair_and_leaves_nothing(
    server, session, tmp_path, monkeypatch, step, with_signature
):
    (tmp_path / "out").mkdir()
    act, calls = getattr(durable, step), []

    def failing_once(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError(5, "input and output")
        return act(*arguments)

    monkeypatch.setattr(durable, step, failing_once)
    results = get(server, session, tmp_path, *have(server), with_signature=with_signature)
    assert isinstance(results[0].error, LocalFileError)
    assert [result.error for result in results[1:]] == [None] * 4
    assert [result.local.read_bytes() for result in results[1:]] == [name.encode() * 10 for name in FILES[1:]]
    kept = FILES[1:] if not with_signature else [name + end for name in FILES[1:] for end in ("", ".minisig")]
    assert leftovers(tmp_path / "out") == kept


def test_a_folder_that_cannot_be_synced_is_an_error_of_each_file_in_it(server, session, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    sync_folder = durable.sync_folder

    def failing(fd):
        if Path(f"/proc/self/fd/{fd}").readlink().name == "out":
            raise OSError(5, "input and output")
        sync_folder(fd)

    monkeypatch.setattr(durable, "sync_folder", failing)
    results = get(server, session, tmp_path, *have(server))
    assert {type(result.error) for result in results} == {LocalFileError}


def test_getting_the_same_again_reads_what_is_here_and_asks_for_no_content(server, session, tmp_path):
    items = have(server)
    listed = [
        replace(
            each, digest=server.files[each.path][0].version.digest, file_id=server.files[each.path][0].id, version=1
        )
        for each in items
    ]
    get(server, session, tmp_path, *listed)
    (tmp_path / "out" / "f3").write_bytes(b"x" * 20)
    server.received.clear()
    results = get(server, session, tmp_path, *listed)
    assert [result.stage.value for result in results] == ["unchanged", "unchanged", "unchanged", "failed", "unchanged"]
    assert sent(server, GetFiles) == [], "what is in the way is seen before it is fetched"


def test_cancelling_in_the_middle_of_many_leaves_no_part(server, session, tmp_path):
    server.hold = True
    ended = []
    running = Deferred.fromCoroutine(get_all(session, have(server), to=tmp_path / "out"))
    running.addBoth(ended.append)
    server.pump()
    running.cancel()
    server.hold = False
    for message in list(server.received):
        server.answer(message)
    server.pump()
    assert ended
    assert leftovers(tmp_path / "out") == []


def test_progress_has_a_first_and_a_last_step_for_each(server, session, tmp_path):
    steps = []
    server.run(put_all(session, sources(tmp_path), report=steps.append))
    for number in range(5):
        stages = [step.stage for step in steps if step.index == number]
        assert (stages[0], stages[-1]) == (TransferStage.SENDING, TransferStage.STORED)
    steps.clear()
    get(server, session, tmp_path, *have(server), report=steps.append)
    for number in range(5):
        stages = [step.stage for step in steps if step.index == number]
        assert stages == [TransferStage.RECEIVING, TransferStage.VERIFYING, TransferStage.VERIFIED]
    assert not sent(server, ShowFile)


@pytest.mark.parametrize("same", [True, False])
def test_what_another_get_has_brought_meanwhile_is_judged_once_more(server, session, tmp_path, monkeypatch, same):
    stored(server, b"abc")
    judge_over = small_gets.judge_over

    def judged(*arguments, **options):
        (tmp_path / "out" / "a.bin").write_bytes(b"abc" if same else b"xyz")
        return judge_over(*arguments, **options)

    monkeypatch.setattr(small_gets, "judge_over", judged)
    plan = server.run(plan_get(session, ["docs/a.bin"]))
    (result,) = get(server, session, tmp_path, *plan.items)
    if same:
        assert (result.stage, result.local) == (TransferStage.UNCHANGED, tmp_path / "out" / "a.bin")
    else:
        assert isinstance(result.error, LocalExistsError)
    assert leftovers(tmp_path / "out") == ["a.bin"]
