"""Downloads and uploads over a line whose server has a log: what it does not prove is not kept, and ends the session."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.heads import Head
from sft.client.transfers.progress import TransferStage
from sft.crypto.comment import NO_HEAD, FileComment
from sft.crypto.signatures import FileSignature
from sft.errors import (
    LogForkedError,
    LogProofError,
    LogWentBackError,
    OlderVersionError,
    ReceiptBadError,
    SignerKeyEndedError,
    SignerKeyStolenError,
    SignerUnknownError,
)
from sft.ledger.slots import KeyEnd, SlotKey
from sft.ledger.verdicts import VerdictNote
from sft.limits import CHUNK_BYTES
from sft.model.records import UserState
from tests.unit.client import memory_server as memory
from tests.unit.client.log_in_memory import LogInMemory
from tests.unit.client.test_transfers_in_memory import BY_MAX, got_item, item, leftovers, local, put, stored
from tests.unit.client.test_transfers_in_memory import get as get_items

SIZES = (10, 3 * CHUNK_BYTES)
MAX = memory.MAX_KEY.public.encode()


@pytest.fixture
def log():
    return LogInMemory(memory.SERVER_KEY)


@pytest.fixture
def server(log):
    return memory.MemoryServer(log=log)


def get(server, session, tmp_path, *items, **options):
    return get_items(server, session, tmp_path, *(items or [got_item()]), **options)


@pytest.mark.parametrize("size", SIZES)
def test_what_the_log_proves_is_kept_and_says_where_it_stands(server, session, tmp_path, size, log):
    stored(server, bytes(size), **BY_MAX)
    leaf = log.size - 1
    (result,) = get(server, session, tmp_path)
    assert (result.stage, result.error) == (TransferStage.VERIFIED, None)
    assert (result.verdict.leaf, result.verdict.notes) == (leaf, ())
    assert session.versions_seen.place(bytes(16)) == log.places[bytes(16)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "lie",
    [
        lambda _: None,
        lambda true: msgspec.structs.replace(true, proofs=()),
        lambda true: msgspec.structs.replace(true, leaf=true.leaf[:-1] + b"x"),
    ],
)
def test_what_is_not_proved_is_not_kept_and_nothing_is_asked_any_more(server, session, tmp_path, size, lie):
    stored(server, bytes(size), **BY_MAX)
    stored(server, bytes(size), "docs/b.bin", file_id=bytes([1]) * 16, **BY_MAX)
    server.run(session.pin_authors([server.files["docs/a.bin"][0]]))
    server.prove = lie
    (result,) = get(server, session, tmp_path)
    assert isinstance(result.error, LogProofError)
    assert leftovers(tmp_path / "out") == []
    asked = len(server.received)
    (result,) = get(server, session, tmp_path, got_item("docs/b.bin"))
    assert isinstance(result.error, LogProofError)
    assert [type(m).__name__ for m in server.received[asked:]] == []


def test_a_file_that_the_log_has_elsewhere_is_not_believed_and_one_that_was_moved_there_is(
    server, session, tmp_path, log
):
    comment = stored(server, b"content", "docs/old.bin")
    server.moved("docs/old.bin", "new.bin")
    place = log.places[comment.file_id]
    (result,) = get(server, session, tmp_path, got_item("new.bin"))
    assert result.error is None
    assert result.verdict.moved_to == "new.bin"
    assert "Signed as docs/old.bin; ada moved it to new.bin." in result.verdict.sentence()
    log.versions[place].pop()
    log.file(comment.file_id, "elsewhere.bin", 7, 1, comment.digest, comment.size)
    (result,) = get(server, session, tmp_path, got_item("new.bin"), to="again")
    assert isinstance(result.error, LogProofError)


VERDICTS = [
    (lambda leaf: SlotKey(MAX, 0, leaf, None, KeyEnd.RETIRED), SignerKeyEndedError),
    (lambda leaf: SlotKey(MAX, leaf + 1), SignerKeyEndedError),
    (lambda leaf: SlotKey(MAX, 0, leaf + 9, leaf, KeyEnd.COMPROMISED), SignerKeyStolenError),
    (lambda leaf: SlotKey(MAX, 0, leaf + 9, leaf + 1, KeyEnd.COMPROMISED), VerdictNote.KEY_STOLEN_LATER),
    (lambda leaf: SlotKey(MAX, 0, leaf + 1, None, KeyEnd.RETIRED), VerdictNote.KEY_RETIRED_SINCE),
    (lambda _: SlotKey(memory.MALLORY_KEY.public.encode(), 0), SignerUnknownError),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("key", "told"), VERDICTS)
def test_a_signature_is_judged_by_the_order_of_the_log(server, session, tmp_path, size, log, key, told):
    stored(server, bytes(size), **BY_MAX)
    server.run(session.pin_authors([server.files["docs/a.bin"][0]]))
    log.user(8, "max", key(log.size - 1))
    (result,) = get(server, session, tmp_path)
    if isinstance(told, VerdictNote):
        assert result.verdict.notes == (told,)
        assert "max" in result.verdict.sentence().partition("signed them.")[2]
    else:
        assert type(result.error) is told
        assert leftovers(tmp_path / "out") == []


def test_a_removed_author_is_said(server, session, tmp_path, log):
    stored(server, b"content", **BY_MAX)
    log.user(8, "max", MAX, state=UserState.REMOVED)
    server.users[8] = msgspec.structs.replace(server.users[8], state=UserState.REMOVED)
    (result,) = get(server, session, tmp_path)
    assert result.verdict.notes == (VerdictNote.USER_REMOVED_SINCE,)
    assert result.verdict.sentence().endswith("max's account was removed since.")


def replaced_by_max(server, number, content):
    before = server.files["docs/a.bin"][0].version.digest if number > 1 else None
    stored(server, content, version=number, prev=before, **BY_MAX)
    return server.files["docs/a.bin"]


def test_an_older_version_is_shown_as_the_newest_to_nobody(server, session, tmp_path):
    first = replaced_by_max(server, 1, b"one")
    replaced_by_max(server, 2, b"two")
    server.files["docs/a.bin"] = first
    (result,) = get(server, session, tmp_path)
    assert isinstance(result.error, OlderVersionError)
    assert result.error.values["seen"] == 2
    older = msgspec.structs.replace(got_item(), version=1, newest=False)
    (result,) = get(server, session, tmp_path, older)
    assert (result.error, result.file.version.number) == (None, 1)


def test_one_that_was_listed_before_it_was_replaced_is_no_alarm_and_one_that_was_listed_after_is(
    server, session, tmp_path, log, state, profile
):
    first = replaced_by_max(server, 1, b"one")
    replaced_by_max(server, 2, b"two")
    server.files["docs/a.bin"] = first
    listed = msgspec.structs.replace(got_item(), version=1)
    (result,) = get(server, session, tmp_path, listed)
    assert result.error is None  # this session began before both
    later = memory.session_of(another(server, log), state, profile, lambda: 4000)
    (result,) = get(later_server(later), later, tmp_path, listed, to="later")
    assert isinstance(result.error, OlderVersionError)


def another(server, log):
    """A server that goes on with the files and the log of another, as the next session meets it."""
    users = log.user
    log.user = lambda *_, **__: None
    later = memory.MemoryServer(log=log)
    log.user = users
    later.files = server.files
    later.connection.server_in_memory = later
    return later


def later_server(session):
    return session.connection.server_in_memory


# -- heads ----------------------------------------------------------------------------------------------


def test_what_is_stored_names_the_newest_head_that_was_seen(server, session, tmp_path, log):
    put(server, session, item(local(tmp_path, b"one")))
    at = log.size - 1
    put(server, session, item(local(tmp_path, b"two", "b"), "docs/b"))
    comments = [
        FileComment.parse(FileSignature.parse(file.version.signature).comment) for file, _ in server.files.values()
    ]
    assert comments[0].head != NO_HEAD
    assert comments[1].head == log.checkpoint(at + 1).head_text()
    assert session.head_text == log.checkpoint().head_text()


def test_a_head_that_an_author_saw_and_this_log_has_not_ends_the_session(server, session, tmp_path, log):
    fork = LogInMemory(memory.SERVER_KEY)
    while fork.size < 3:
        fork.append(time=9)
    while log.size < 6:
        log.append()
    stored(server, b"content", head=fork.checkpoint().head_text(), **BY_MAX)
    (result,) = get(server, session, tmp_path)
    assert isinstance(result.error, LogForkedError)
    assert result.error.values["witness"] == "max"
    assert leftovers(tmp_path / "out") == []


def test_heads_that_authors_saw_are_proved_with_the_answer(server, session, tmp_path, log):
    head = log.checkpoint(2).head_text()
    stored(server, b"content", head=head, **BY_MAX)
    assert get(server, session, tmp_path)[0].error is None


def test_a_head_of_the_server_that_goes_back_ends_the_connection_and_everything_on_it(server, session, tmp_path, log):
    stored(server, b"content", **BY_MAX)
    log.hashes = log.hashes[:2]
    server.told = 1
    (result,) = get(server, session, tmp_path)
    assert isinstance(result.error, LogWentBackError)
    assert not session.alive
    with pytest.raises(LogWentBackError):
        server.run(session.connection.acquire_slot())


def test_the_head_of_the_end_is_kept_for_the_next_session(server, session, tmp_path, log, state, profile):
    put(server, session, item(local(tmp_path, b"one")))
    server.run(session.keep_head())
    from sft.client.heads import Heads

    assert Heads(state, profile.server_id).read() == [Head(log.checkpoint(), log.note())]


def test_a_file_that_is_in_another_slot_than_before_ends_the_session(server, session, tmp_path, log):
    stored(server, b"content", **BY_MAX)
    file = server.files["docs/a.bin"][0]
    session.versions_seen.note(file.id, 1, file.version.digest, "docs/a.bin", log.places[file.id] + 5)
    (result,) = get(server, session, tmp_path)
    assert isinstance(result.error, LogProofError)
    assert leftovers(tmp_path / "out") == []


@pytest.mark.parametrize("size", [5, 3 * CHUNK_BYTES])
def test_a_receipt_is_for_what_is_in_the_log_that_was_shown(server, session, tmp_path, size, log):
    server.receipt_lies = {"leaf": log.size + 5}
    (result,) = put(server, session, item(local(tmp_path, bytes(size))))
    assert isinstance(result.error, ReceiptBadError)
    assert result.receipt is None
    server.receipt_lies = {}
    (result,) = put(server, session, item(local(tmp_path, bytes(size + 1), "b"), "docs/b"))
    assert result.error is None


def test_a_person_whom_the_log_has_otherwise_is_not_learned(server, session, tmp_path):
    stored(server, b"content", **BY_MAX)
    dict.__setitem__(server.users, 8, memory.user(8, "max", memory.MALLORY_KEY))  # which the log has not
    with pytest.raises(LogProofError):
        get(server, session, tmp_path)
    assert 8 not in session.pins.people
    assert leftovers(tmp_path / "out") == []
