"""The same put or get again: what is there, or here, is found by listing and reading, and by what was proved before."""

from __future__ import annotations

import os

import msgspec
import pytest
from msgspec.structs import replace

from sft.client.transfers import digest_cache, there_already
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_file import seen_as
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import plan_get
from sft.client.transfers.progress import TransferStage
from sft.client.versions_seen import VersionsSeen
from sft.crypto.digests import blake2b_512
from sft.errors import LogProofError, RoleForbidsError
from sft.ledger.slots import FileState, KeyEnd, SlotKey, decode_slot
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES
from sft.wire.messages import BeginUpload, GetFile, GetFiles, ListFolder, PutFiles, ShowFile, ShowFiles
from tests.unit.client.log_in_memory import FILES
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY
from tests.unit.client.test_transfers_in_memory import BY_MAX, content_of, get, item, local, put, stored

COUNT = 20
ASKING = (PutFiles, BeginUpload, GetFiles, GetFile, ShowFile)


def sources(tmp_path, count=COUNT, folder="docs"):
    (tmp_path / folder).mkdir(exist_ok=True)
    items = [item(local(tmp_path / folder, b"%d" % n * 5, f"f{n:02}"), f"{folder}/f{n:02}") for n in range(count)]
    large = local(tmp_path / folder, content_of(2 * CHUNK_BYTES), "large")
    return [*items, item(large, f"{folder}/large")]


def asked(server, *kinds):
    return [message for message in server.received if isinstance(message, kinds or ASKING)]


def failing(results):
    return [number for number, result in enumerate(results) if result.error is not None]


# -- put ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"replace": True}], ids=str)
def test_what_was_put_is_found_by_listing_and_nothing_is_sent(server, session, tmp_path, how):
    items = sources(tmp_path)
    first = put(server, session, *items)
    server.received.clear()
    steps = []
    results = put(server, session, *items, report=steps.append, **how)
    assert not asked(server)
    assert [len(message.paths) for message in asked(server, ShowFiles)] == [COUNT + 1], (
        "the log has them, in one answer"
    )
    assert {message.path for message in asked(server, ListFolder)} == {"docs"}
    assert [result.stage for result in results] == [TransferStage.UNCHANGED] * (COUNT + 1)
    assert [result.receipt for result in results] == [result.receipt for result in first]
    assert [result.stored.digest for result in results] == [result.stored.digest for result in first]
    assert sorted(step.index for step in steps if step.stage is TransferStage.UNCHANGED) == [*range(COUNT + 1)]


def test_what_changed_here_is_sent(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    os.truncate(items[3].source, 0)
    items[3].source.write_bytes(b"other" * 1)
    server.received.clear()
    results = put(server, session, *items)
    assert failing(results) == [3]
    assert results[3].error.code == "EXISTS"
    assert [[file.path for file in message.files] for message in asked(server, PutFiles)] == [["docs/f03"]]


def test_what_lies_here_is_read_and_not_believed_by_its_date(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    before = items[3].source.stat()
    items[3].source.write_bytes(b"3333X")
    os.utime(items[3].source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert failing(put(server, session, *items)) == [3]


def test_without_its_receipt_it_is_acknowledged_anew(server, session, tmp_path):
    items = sources(tmp_path)
    first = put(server, session, *items)
    first[5].receipt.unlink()
    server.received.clear()
    results = put(server, session, *items)
    assert [message.path for message in asked(server, ShowFile)] == ["docs/f05"]
    assert results[5].stage is TransferStage.UNCHANGED
    assert results[5].receipt.exists()


@pytest.mark.parametrize("what", ["another key", "another author", "another version"])
def test_a_listing_alone_does_not_say_what_is_there(server, session, tmp_path, what):
    items = sources(tmp_path)
    put(server, session, *items)
    file, content = server.files["docs/f07"]
    if what == "another key":
        stored(server, content, "docs/f07", key=MALLORY_KEY)
    elif what == "another author":
        stored(server, content, "docs/f07", **BY_MAX)
    else:
        version = msgspec.structs.replace(file.version, number=2)
        server.files["docs/f07"] = (msgspec.structs.replace(file, version=version), content)
    server.received.clear()
    results = put(server, session, *items)
    assert failing(results) == [7]
    assert [[each.path for each in message.files] for message in asked(server, PutFiles)] == [["docs/f07"]]


def gone(server, _path, place):
    """The file was deleted, and is listed and shown all the same."""
    slot = decode_slot(server.log.records[FILES][place])
    server.log.put(FILES, place, replace(slot, state=FileState.TRASHED, folder=None, trashed_from="docs/f07"))


def newer(server, path, place):
    """A newer version is in the log; the one before is listed and shown as the newest, with its own proof."""
    file, _ = server.files[path]
    server.log.file(file.id, path, 7, 2, blake2b_512(b"newer").digest(), 5)


def elsewhere(server, _path, place):
    """The file was moved away, and another lies there: what is listed has the name no more."""
    server.log.move(server.files["docs/f07"][0].id, "docs/f07", "docs/other")


def stolen(server, _path, _place):
    """The key had been stolen when this was stored, as the log says since."""
    log = server.log
    key = SlotKey(ADA_KEY.public.encode(), 0, end=log.size, cut_off=0, reason=KeyEnd.COMPROMISED)
    log.user(7, "ada", key)


@pytest.mark.parametrize("change", [gone, newer, elsewhere, stolen])
@pytest.mark.parametrize("way", ["put", "get"])
def test_what_the_log_has_otherwise_is_not_said_to_be_there_whatever_is_listed(server, session, tmp_path, change, way):
    items = sources(tmp_path)
    put(server, session, *items)
    if way == "get":
        assert failing(again(server, session, tmp_path)) == []
    change(server, "docs/f07", server.log.places[server.files["docs/f07"][0].id])
    session.log.begun_at = server.log.size  # as of whoever comes later

    def run():
        return put(server, session, *items) if way == "put" else again(server, session, tmp_path)

    if change in {gone, elsewhere}:
        with pytest.raises(LogProofError):
            run()
        assert isinstance(session.log.failed, LogProofError)
    else:
        results = run()
        assert 7 in failing(results)
        assert results[7].stage is TransferStage.FAILED


def test_what_was_replaced_since_it_was_listed_is_no_more_there(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    listed, file = dict(server.files), server.files["docs/f07"][0]
    show = server._show_files

    def replaced_first(message):
        stored(server, b"newer", "docs/f07", file_id=file.id, version=2, prev=file.version.digest, **BY_MAX)
        show(message)

    server._show_files = replaced_first
    results = put(server, session, *items)
    assert failing(results) == [7]
    assert results[7].error.code == "EXISTS"
    assert server.files.keys() == listed.keys()


def test_what_this_computer_has_forgotten_to_have_judged_is_judged_anew(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    session.state.path(session.versions_seen._name).unlink()
    session.versions_seen = VersionsSeen(session.state, session.server_id)
    server.received.clear()
    results = put(server, session, *items)
    assert {result.stage for result in results} == {TransferStage.UNCHANGED}
    assert len(asked(server, ShowFile)) == COUNT + 1


def test_a_folder_that_is_shown_in_parts_is_asked_for_to_its_end(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    server.answered_at_once = 8
    server.received.clear()
    results = put(server, session, *items)
    assert [len(message.paths) for message in asked(server, ShowFiles)] == [21, 13, 5]
    assert {result.stage for result in results} == {TransferStage.UNCHANGED}


def test_few_files_are_not_worth_a_listing(server, session, tmp_path):
    items = sources(tmp_path, count=3)
    put(server, session, *items)
    put(server, session, *items)
    assert not asked(server, ListFolder)


@pytest.mark.long
def test_a_folder_of_many_others_is_listed_only_so_far(server, session, tmp_path, monkeypatch):
    monkeypatch.setattr(there_already, "_ENTRIES_MORE", 10)
    for number in range(500):
        stored(server, b"x", f"docs/a{number:03}")
    items = sources(tmp_path)
    put(server, session, *items)
    assert len(asked(server, ListFolder)) == (4 * (COUNT + 1) + 10) / 2, "a page of this server has two entries"


def test_a_listing_that_is_refused_changes_nothing(server, session, tmp_path):
    error = RoleForbidsError(role="guest", act="x", name="a", needed="admin", admins="eva")
    server.refuse = {ListFolder: error}
    results = put(server, session, *sources(tmp_path))
    assert [result.stage for result in results] == [TransferStage.STORED] * (COUNT + 1)


def test_a_file_that_is_another_since_the_walk_is_not_read(server, session, tmp_path):
    items = sources(tmp_path)
    put(server, session, *items)
    found = items[2].source.stat()
    other = replace(items[2], follow=False, identity=(found.st_dev, found.st_ino + 1))
    results = put(server, session, *[*items[:2], other, *items[3:]])
    assert failing(results) == [2]


# -- get -----------------------------------------------------------------------------------------------------


def here(server, session, tmp_path):
    """Get a folder, and give the plan of getting it again."""
    for number in range(COUNT):
        stored(server, b"%d" % number * 5, f"docs/f{number:02}", file_id=number.to_bytes(16, "big"))
    stored(server, content_of(2 * CHUNK_BYTES), "docs/large", file_id=bytes(15) + b"L")
    plan = server.run(plan_get(session, ["docs"]))
    first = get(server, session, tmp_path, *plan.items)
    assert failing(first) == []
    server.received.clear()
    return plan.items


def again(server, session, tmp_path, items=None, **options):
    items = items or server.run(plan_get(session, ["docs"])).items
    server.received.clear()
    return get(server, session, tmp_path, *items, **options)


def test_what_was_got_is_known_again_by_what_the_log_has_without_a_request_each(server, session, tmp_path):
    items = here(server, session, tmp_path)
    results = again(server, session, tmp_path, items)
    assert {type(message) for message in server.received} == {ShowFiles}
    assert sum(len(message.paths) for message in server.received) == COUNT + 1
    assert [result.stage for result in results] == [TransferStage.UNCHANGED] * (COUNT + 1)
    assert all(result.file is not None and result.local.exists() for result in results)


def test_what_changed_here_is_in_the_way(server, session, tmp_path):
    items = here(server, session, tmp_path)
    (tmp_path / "out" / "docs" / "f04").write_bytes(b"XXXXX")
    results = again(server, session, tmp_path, items)
    assert failing(results) == [4]


@pytest.mark.parametrize("existing", [ConflictPolicy.FORCE, ConflictPolicy.KEEP_BOTH])
def test_what_is_replaced_or_kept_beside_is_got(server, session, tmp_path, existing):
    items = here(server, session, tmp_path)
    results = again(server, session, tmp_path, items, existing=existing)
    assert [result.stage for result in results] == [TransferStage.VERIFIED] * (COUNT + 1)


@pytest.mark.parametrize("what", ["moved", "another version", "another key", "another name of its author", "signature"])
def test_what_was_not_judged_just_so_is_judged(server, session, tmp_path, what):
    here(server, session, tmp_path)
    file, content = server.files["docs/f06"]
    version, options = file.version, {}
    if what == "moved":
        version = msgspec.structs.replace(version, signed_name="docs/g")
    elif what == "another version":
        version = msgspec.structs.replace(version, number=7)
    elif what == "another key":
        version = msgspec.structs.replace(version, public_key=MALLORY_KEY.public.encode())
    elif what == "another name of its author":
        version = msgspec.structs.replace(version, author="eve")
    else:
        options = {"with_signature": True}
        (tmp_path / "out/docs/f06.minisig").write_bytes(b"another")
    server.files["docs/f06"] = (msgspec.structs.replace(file, version=version), content)
    results = again(server, session, tmp_path, **options)
    assert "docs/f06" in [message.path for message in asked(server, ShowFile)]
    assert 6 in failing(results)


def test_a_signature_that_is_wanted_and_missing_is_written_beside_what_is_here(server, session, tmp_path):
    here(server, session, tmp_path)
    results = again(server, session, tmp_path, with_signature=True)
    assert not failing(results)
    assert {result.stage for result in results} == {TransferStage.UNCHANGED}
    for result in results:
        assert result.signature.read_bytes() == server.files[result.item.path][0].version.signature


def misremembered(session, *paths):
    """Keep another digest of files than theirs."""
    digests = DigestCache(session.state, lambda: 2**33)
    for path in paths:
        digests.note(seen_as("", "", path.lstat()), bytes(64))
    digests.save()


@pytest.mark.parametrize("size", [5, SMALL_FILE_BYTES + 5])
def test_a_wrong_record_of_what_lies_here_refuses_nothing_and_is_mended(server, session, tmp_path, size, monkeypatch):
    monkeypatch.setattr(digest_cache, "_RACE_NS", -(2**62))
    source = local(tmp_path, content_of(size))
    sent = item(source)
    put(server, session, sent)
    plan = server.run(plan_get(session, ["docs/a.bin"]))
    get(server, session, tmp_path, *plan.items)
    got = tmp_path / "out" / "a.bin"
    misremembered(session, source, got)
    for _ in range(2):
        assert put(server, session, sent)[0].stage is TransferStage.UNCHANGED
        assert get(server, session, tmp_path, *plan.items)[0].stage is TransferStage.UNCHANGED
    digests = DigestCache(session.state, lambda: 2**33)
    digest = blake2b_512(content_of(size)).digest()
    assert [digests.is_known_as(seen_as("", "", path.lstat()), digest) for path in (source, got)] == [True, True]
