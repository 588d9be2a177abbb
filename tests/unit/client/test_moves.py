"""A file lies where somebody signed that it was moved to, each step of the way, or it is not delivered there."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.transfers.progress import TransferStage
from sft.crypto.digests import blake2b_512
from sft.errors import MoveUnsignedError
from sft.ledger.leaves import LeafKind
from sft.ledger.slots import KeyEnd, SlotKey, decode_slot
from sft.limits import CHUNK_BYTES
from sft.wire.messages import ReadLog, ShowUser
from tests.unit.client.log_in_memory import FILES, LINES_OF_A_PAGE
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, MAX_KEY, user
from tests.unit.client.test_transfers_in_memory import content_of, get, got_item, item, leftovers, local, put, stored

BY_MAX = {"by": MAX_KEY, "user_id": 8}
OTHER = {"file_id": b"another file's i"}


def verdict_of(server, session, tmp_path, path):
    (result,) = get(server, session, tmp_path, got_item(path))
    assert result.error is None, result.error
    return result.verdict


def refused(server, session, tmp_path, path):
    (result,) = get(server, session, tmp_path, got_item(path))
    assert isinstance(result.error, MoveUnsignedError), (result.error, result.stage)
    assert leftovers(tmp_path / "out") == []
    assert session.log.failed is None, "the log itself holds"
    return result.error


@pytest.mark.parametrize("size", [7, 3 * CHUNK_BYTES], ids=["small", "large"])
def test_whoever_moved_a_file_is_named(server, session, tmp_path, size):
    stored(server, content_of(size), "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", **BY_MAX)
    verdict = verdict_of(server, session, tmp_path, "new.bin")
    assert (verdict.signed_name, verdict.moved_to, verdict.moved_by) == ("docs/old.bin", "new.bin", "max")


@pytest.mark.parametrize("size", [7, 3 * CHUNK_BYTES], ids=["small", "large"])
def test_a_move_that_nobody_signed_delivers_nothing(server, session, tmp_path, size):
    stored(server, content_of(size), "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", signed=False)
    error = refused(server, session, tmp_path, "new.bin")
    assert (error.values["author"], error.values["signed_name"]) == ("ada", "docs/old.bin")


@pytest.mark.parametrize(
    "said",
    [{"file": b"another file's i"}, {"new": "other.bin"}, {"old": "docs/other.bin"}, {"file": b"", "version": 0}],
    ids=str,
)
def test_a_statement_of_another_move_is_none(server, session, tmp_path, said):
    stored(server, b"content", "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", **BY_MAX, said=said)
    refused(server, session, tmp_path, "new.bin")


def test_a_statement_by_another_key_is_none(server, session, tmp_path):
    stored(server, b"content", "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", MALLORY_KEY, 8)
    refused(server, session, tmp_path, "new.bin")


def test_a_key_that_is_shown_later_and_that_nobody_vouched_for_moves_nothing(server, session, tmp_path):
    stored(server, b"first", "by-max", author="max", key=MAX_KEY, user_id=8, **OTHER)
    verdict_of(server, session, tmp_path, "by-max")  # max is pinned
    (tmp_path / "out" / "by-max").unlink()
    server.users[8] = user(8, "max", MAX_KEY, MALLORY_KEY)
    stored(server, b"content", "docs/old.bin")
    server.moved("docs/old.bin", "new.bin", MALLORY_KEY, 8)
    refused(server, session, tmp_path, "new.bin")


@pytest.mark.parametrize("reason", [KeyEnd.RETIRED, KeyEnd.COMPROMISED])
def test_a_key_that_had_ended_or_was_stolen_when_it_moved_moves_nothing(server, session, tmp_path, reason):
    stored(server, b"content", "docs/old.bin")
    end, cut_off = server.log.size, server.log.size - 1 if reason is KeyEnd.COMPROMISED else None
    server.log.append()
    server.moved("docs/old.bin", "new.bin", **BY_MAX)
    server.log.user(8, "max", SlotKey(MAX_KEY.public.encode(), 0, end, cut_off, reason))
    shown = server.users[8]
    ended = msgspec.structs.replace(shown.keys[0], ended_at=4000, end_leaf=end, cut_off_leaf=cut_off, end_reason=reason)
    dict.__setitem__(server.users, 8, msgspec.structs.replace(shown, keys=(ended,)))
    refused(server, session, tmp_path, "new.bin")


def test_a_folder_takes_its_files_along_by_one_statement(server, session, tmp_path):
    for n in range(3):
        stored(server, b"%d" % n, f"docs/in/{n}", file_id=b"file %011d" % n)
    server.moved("docs/in", "kept/out", **BY_MAX)
    items = [got_item(f"kept/out/{n}") for n in range(3)]
    results = get(server, session, tmp_path, *items)
    assert {(result.stage, result.verdict.moved_by) for result in results} == {(TransferStage.VERIFIED, "max")}
    asked = [message for message in server.received if isinstance(message, ReadLog)]
    assert sum(message.file_id is None for message in asked) == 1, "the folders' moves are asked for once"


def test_a_folder_that_nobody_moved_takes_nothing_along(server, session, tmp_path):
    stored(server, b"content", "docs/in/a")
    server.moved("docs", "kept", signed=False)
    refused(server, session, tmp_path, "kept/in/a")


def test_every_step_of_the_way_is_signed(server, session, tmp_path):
    stored(server, b"content", "docs/a")
    server.moved("docs/a", "docs/b", **BY_MAX)
    server.moved("docs", "kept", ADA_KEY, 7)
    server.moved("kept/b", "c", **BY_MAX)
    verdict = verdict_of(server, session, tmp_path, "c")
    assert (verdict.signed_name, verdict.moved_by) == ("docs/a", "max")


@pytest.mark.parametrize("unsigned", [0, 1, 2])
def test_one_step_that_nobody_signed_is_enough(server, session, tmp_path, unsigned):
    stored(server, b"content", "docs/a")
    for number, (old, new) in enumerate((("docs/a", "docs/b"), ("docs", "kept"), ("kept/b", "c"))):
        server.moved(old, new, **BY_MAX, signed=number != unsigned)
    refused(server, session, tmp_path, "c")


def test_a_new_version_is_signed_where_it_lies(server, session, tmp_path):
    """What moved the version before has no say in it."""
    stored(server, b"content", "docs/a")
    server.moved("docs/a", "b", signed=False)
    stored(server, b"newer", "b", version=2, prev=blake2b_512(b"content").digest())
    assert verdict_of(server, session, tmp_path, "b").moved_to is None


def older(server, path, before):
    """Have a file's version of before be what is shown of it."""
    server.files[path] = (msgspec.structs.replace(before[0], path=path), before[1])
    return msgspec.structs.replace(got_item(path), version=before[0].version.number, newest=False)


def test_a_version_before_is_where_whoever_moved_a_later_one_put_the_file(server, session, tmp_path):
    stored(server, b"content", "docs/a")
    before = server.files["docs/a"]
    server.moved("docs/a", "b", **BY_MAX)
    stored(server, b"newer", "b", version=2, prev=blake2b_512(b"content").digest())
    stored(server, b"newest", "b", version=3, prev=blake2b_512(b"newer").digest())
    server.moved("b", "c", **BY_MAX)
    (result,) = get(server, session, tmp_path, older(server, "c", before))
    assert result.error is None, result.error
    assert (result.verdict.signed_name, result.verdict.moved_by) == ("docs/a", "max")


def test_a_statement_of_a_version_that_was_not_the_newest_any_more_is_none(server, session, tmp_path):
    """It moved the file once; shown again it is no second act."""
    stored(server, b"content", "docs/a")
    stored(server, b"newer", "docs/a", version=2, prev=blake2b_512(b"content").digest())
    server.moved("docs/a", "b", **BY_MAX, said={"version": 1})
    refused(server, session, tmp_path, "b")


def asked(server, kind, **fields):
    return [
        message
        for message in server.received
        if isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items())
    ]


def test_the_log_is_read_no_further_than_the_way_leads(server, session, tmp_path):
    """Others may move folders of theirs as often as they like."""
    stored(server, b"content", "docs/a")
    server.log.folder("other 0")
    for number in range(2 * LINES_OF_A_PAGE):
        server.log.move_folder(f"other {number}", f"other {number + 1}", 8, b"")
    server.moved("docs", "kept", **BY_MAX)
    assert verdict_of(server, session, tmp_path, "kept/a").moved_by == "max"
    folders = LeafKind.FOLDER_MOVED, LeafKind.FOLDER_DELETED, LeafKind.FOLDER_RESTORED
    assert len(asked(server, ReadLog, kinds=tuple(map(int, folders)))) == 1


def test_whoever_moved_many_files_is_asked_for_once(server, session, tmp_path):
    names = ["a", "b", "c"]
    for number, name in enumerate(names):
        stored(server, name.encode(), f"docs/{name}", file_id=bytes([number] * 16))
    server.moved("docs", "kept", **BY_MAX)
    results = get(server, session, tmp_path, *[got_item(f"kept/{name}") for name in names])
    assert [result.verdict.moved_by for result in results] == ["max"] * 3
    assert len(asked(server, ShowUser, user_id=8)) == 1


def test_of_many_files_only_those_are_asked_for_that_were_moved_by_themselves(server, session, tmp_path):
    names = [f"{number}" for number in range(20)]
    for number, name in enumerate(names):
        stored(server, name.encode(), f"docs/{name}", file_id=bytes([number] * 16))
    server.moved("docs/0", "docs/zero", **BY_MAX)
    server.moved("docs/1", "docs/one", signed=False)
    server.moved("docs", "kept", ADA_KEY, 7)
    moved = ["kept/zero", "kept/one", *(f"kept/{name}" for name in names[2:])]
    results = get(server, session, tmp_path, *[got_item(path) for path in moved])
    assert [result.verdict and result.verdict.moved_by for result in results] == ["ada", None, *["ada"] * 18]
    assert isinstance(results[1].error, MoveUnsignedError)
    assert {message.file_id for message in asked(server, ReadLog)} == {None, bytes(16), bytes([1] * 16)}


def test_where_others_moved_more_files_than_that_each_is_asked_for(server, session, tmp_path):
    for number in range(20):
        stored(server, b"content", f"docs/{number}", file_id=bytes([number] * 16))
    stored(server, b"theirs", "x0", file_id=b"another file's i")
    server.moved("docs/0", "docs/zero", **BY_MAX)
    for number in range(3 * LINES_OF_A_PAGE):
        server.moved(f"x{number}", f"x{number + 1}", **BY_MAX)
    server.moved("docs", "kept", **BY_MAX)
    moved = ["kept/zero", *(f"kept/{number}" for number in range(1, 20))]
    results = get(server, session, tmp_path, *[got_item(path) for path in moved])
    assert [result.error for result in results] == [None] * 20


def slipped(server, old, new):
    """Have a file lie elsewhere by a leaf that is called something else."""
    file, content = server.files.pop(old)
    server.files[new] = (msgspec.structs.replace(file, path=new), content)
    place = server.log.places[file.id]
    slot = msgspec.structs.replace(decode_slot(server.log.records[FILES][place]), name=new)
    server.log.put(FILES, place, slot)


def test_a_way_back_that_does_not_end_where_it_was_signed_is_none(server, session, tmp_path):
    stored(server, b"content", "a")
    slipped(server, "a", "x")
    server.moved("x", "b", **BY_MAX)
    refused(server, session, tmp_path, "b")


def test_what_was_moved_there_before_it_was_stored_is_not_there_now(server, session, tmp_path):
    """A statement of then moves nothing of now."""
    stored(server, b"content", "b")
    server.moved("b", "a", **BY_MAX)
    server.moved("a", "b", **BY_MAX)
    stored(server, b"newer", "b", version=2, prev=blake2b_512(b"content").digest())
    slipped(server, "b", "a")
    refused(server, session, tmp_path, "a")


def test_a_move_that_the_log_does_not_show_is_none(server, session, tmp_path):
    stored(server, b"content", "docs/a")
    server.moved("docs/a", "b", **BY_MAX)
    hidden = server.log.page
    server.log.page = lambda asked: msgspec.structs.replace(hidden(asked), leaves=(), proof=())
    refused(server, session, tmp_path, "b")


def test_what_was_refused_is_looked_at_again_and_what_was_signed_is_not(server, session, tmp_path):
    stored(server, b"content", "docs/a")
    server.moved("docs/a", "b", signed=False)
    refused(server, session, tmp_path, "b")
    server.moved("b", "docs/a", **BY_MAX)
    server.moved("docs/a", "b", **BY_MAX)
    verdict_of(server, session, tmp_path, "b")
    server.received.clear()
    (tmp_path / "out" / "b").unlink()
    verdict_of(server, session, tmp_path, "b")
    assert not [message for message in server.received if isinstance(message, ReadLog)]


def test_nothing_is_built_on_what_nobody_moved_there(server, session, tmp_path):
    stored(server, b"content", "docs/a", author="max", key=MAX_KEY, user_id=8)
    server.moved("docs/a", "b", signed=False)
    (result,) = put(server, session, item(local(tmp_path, b"mine"), "b"), replace=True)
    assert isinstance(result.error, MoveUnsignedError)
    assert server.files["b"][1] == b"content"
