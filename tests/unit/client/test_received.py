"""What came and was verified is confirmed, signed; nothing else is, and nothing rests on it."""

from __future__ import annotations

import pytest

from sft.client.transfers import received
from sft.client.transfers.batch import get_all, verify_all
from sft.client.transfers.progress import TransferStage
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ActStatement, ReceivedVersion, StatementComment
from sft.errors import BadRequestError
from sft.limits import CHUNK_BYTES
from sft.wire.messages import ConfirmReceived
from tests.unit.client.memory_server import ADA_KEY
from tests.unit.client.test_transfers_in_memory import got_item, stored

NAMES = [f"docs/f{n}" for n in range(5)]
BIG = b"b" * (2 * CHUNK_BYTES)


def keep(server, content, path):
    stored(server, content, path, file_id=blake2b_512(path.encode()).digest()[:16])


def getting(server, session, tmp_path, names=NAMES, **options):
    told = []
    items = [got_item(name, len(server.files[name][1])) for name in names]
    results = server.run(
        get_all(session, items, to=tmp_path / "got", on_unconfirmed=lambda *what: told.append(what), **options)
    )
    return results, told


def said_of(server):
    """Check every statement; the versions of each."""
    found = []
    for _, message in server.confirmed:
        signature = FileSignature.parse(message.statement)
        comment = StatementComment.parse(signature.comment)
        versions = tuple(
            ReceivedVersion(file.id, file.version.number, file.version.digest)
            for each in message.versions
            for file, _ in server.files.values()
            if (file.id, file.version.number) == (each.file_id, each.version)
        )
        verify_statement(ADA_KEY.public, ActStatement(comment, {"versions": versions}), signature)
        assert (comment.act, comment.user) == ("received", 7)
        found.append([each.file_id for each in versions])
    return found


def test_all_that_came_is_one_statement(server, session, tmp_path):
    for name in NAMES:
        keep(server, name.encode(), name)
    keep(server, BIG, "docs/big")
    results, told = getting(server, session, tmp_path, [*NAMES, "docs/big"])
    assert {result.stage for result in results} == {TransferStage.VERIFIED}
    (said,) = said_of(server)
    assert sorted(said) == sorted(result.file.id for result in results)
    assert told == []


def test_as_many_as_go_together_go_before_the_end(server, session, tmp_path, monkeypatch):
    monkeypatch.setattr(received, "RECEIVED_AT_ONCE", 2)
    for name in NAMES:
        keep(server, name.encode(), name)
    getting(server, session, tmp_path)
    assert [len(said) for said in said_of(server)] == [2, 2, 1]


def test_what_is_here_already_is_not_confirmed_again(server, session, tmp_path):
    keep(server, b"a", NAMES[0])
    getting(server, session, tmp_path, NAMES[:1])
    getting(server, session, tmp_path, NAMES[:1])
    assert len(server.confirmed) == 1


@pytest.mark.parametrize("content", [b"good", BIG], ids=["small", "large"])
def test_what_does_not_verify_was_not_received(server, session, tmp_path, content):
    keep(server, content, "docs/bad")
    keep(server, b"good", NAMES[0])
    bad = server.files["docs/bad"][0].id
    server.change = lambda file, found: (file, b"x" * len(found) if file.id == bad else found)
    results, _ = getting(server, session, tmp_path, ["docs/bad", NAMES[0]])
    assert [result.stage for result in results] == [TransferStage.FAILED, TransferStage.VERIFIED]
    assert said_of(server) == [[results[1].file.id]]


def test_what_was_verified_without_keeping_it_was_received(server, session):
    keep(server, b"a", NAMES[0])
    server.run(verify_all(session, [got_item(NAMES[0], 1)]))
    assert len(said_of(server)) == 1


def test_a_get_stands_whatever_becomes_of_its_confirmation(server, session, tmp_path):
    for name in NAMES:
        keep(server, name.encode(), name)
    server.refuse = {ConfirmReceived: BadRequestError(problem="a version that is gone")}
    results, told = getting(server, session, tmp_path)
    assert {result.stage for result in results} == {TransferStage.VERIFIED}
    ((count, error),) = told
    assert (count, error.code) == (5, "BAD_REQUEST")
    assert server.confirmed == []
