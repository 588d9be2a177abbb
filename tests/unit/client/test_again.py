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
from sft.crypto.digests import blake2b_512
from sft.errors import RoleForbidsError
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES
from sft.wire.messages import BeginUpload, GetFile, GetFiles, ListFolder, PutFiles, ShowFile
from tests.unit.client.memory_server import MALLORY_KEY
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


def test_few_files_are_not_worth_a_listing(server, session, tmp_path):
    items = sources(tmp_path, count=3)
    put(server, session, *items)
    put(server, session, *items)
    assert not asked(server, ListFolder)


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


def test_what_was_got_is_known_again_without_a_request(server, session, tmp_path):
    items = here(server, session, tmp_path)
    results = again(server, session, tmp_path, items)
    assert server.received == []
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
    server.files["docs/f06"] = (msgspec.structs.replace(file, version=version), content)
    results = again(server, session, tmp_path, **options)
    assert "docs/f06" in [message.path for message in asked(server, ShowFile)]
    assert 6 in failing(results)


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
