"""By whose key a leaf's statement is: the user's whom it names, for this server, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sft.client.logged import LogLine
from sft.client.logged_statement import SignedBy, signed_by
from sft.crypto.comment import NO_HEAD
from sft.crypto.signatures import sign_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.records import LeafRecord, RecordPart
from sft.model.access import Role
from sft.model.records import DeviceKey, User, UserState
from tests.fakes.memory_service import key_of, public_of

SERVER = bytes(range(32))
NOW = 1_777_822_271


def user(*keys: str) -> User:
    held = tuple(
        DeviceKey(id=n, public_key=key_of(key).public.encode(), device="laptop", added_at=0)
        for n, key in enumerate(keys, 1)
    )
    return User(id=7, name="ada", role=Role.ADMIN, state=UserState.ACTIVE, created_at=0, keys=held)


def statement(key: str = "ada", *, server: bytes = SERVER, user_id: int = 7) -> tuple[str, str]:
    """Sign that gus is to be disabled; give the signature and the text."""
    comment = StatementComment(act="disable", server_id=server, user=user_id, ts=NOW - 5, nonce=bytes(8), head=NO_HEAD)
    said = ActStatement(comment, {"name": "gus"})
    return sign_statement(key_of(key), said).encode().decode(), said.text()


def line(
    signature: str, text: str | None, kind: LeafKind = LeafKind.USER_DISABLED, told: Mapping[str, object] | None = None
) -> LogLine:
    facts = {"by": {"key": 1, "user": 7}, "statement": signature, **(told or {})}
    personal = None if text is None else RecordPart(bytes(16), json.dumps({"statement_text": text}).encode())
    record = LeafRecord(RecordPart(bytes(16), json.dumps(facts).encode()), personal)
    leaf = LogLeaf(
        kind=kind, time=NOW, state_roots=(StateRoot(1, 1, bytes(32)),),
        facts=record.facts_hash(), personal=record.personal_hash(),
    )  # fmt: skip
    return LogLine.of(90, leaf, record)


def test_it_is_by_any_key_of_the_user():
    words = public_of("ada").words()
    assert signed_by(line(*statement()), user("old ada", "ada"), SERVER) == SignedBy(
        "ada", words, whole=True, at=NOW - 5
    )


def test_without_its_text_it_says_act_and_time_alone():
    signature, _ = statement()
    found = signed_by(line(signature, None), user("ada"), SERVER)
    assert (found.words, found.whole, found.at) == (public_of("ada").words(), False, NOW - 5)


def test_it_holds_under_nobody_elses_key():
    assert signed_by(line(*statement("mallory")), user("ada"), SERVER).words == ""
    assert signed_by(line(*statement()), user(), SERVER).words == ""


def test_another_server_another_user_or_another_text_does_not_count():
    signature, text = statement()
    for told in (
        line(*statement(server=bytes(32))),
        line(*statement(user_id=8)),
        line(signature, text.replace("gus", "eva")),
        line(signature.replace("disable", "enable"), None),
        line("", None),
        line("four\nlines\nof\nnothing\n", None),
    ):
        found = signed_by(told, user("ada"), SERVER)
        assert (found.words, found.whole, found.at) == ("", False, None)


def test_it_counts_for_the_very_thing_that_the_leaf_tells_of():
    comment = StatementComment(act="destroy", server_id=SERVER, user=7, ts=NOW, nonce=bytes(8), head=NO_HEAD)
    fields = {"file": b"1" * 16, "version": 2, "folder": 0, "files": 0, "folders": 0, "trashed_at": 9, "path": "a"}
    said = ActStatement(comment, fields)
    signature = sign_statement(key_of("ada"), said).encode().decode()
    told = {"file_id": (b"1" * 16).hex(), "version": 2, "trashed_at": 9, "path": "a"}
    for text in (said.text(), None):
        purged = line(signature, text, LeafKind.FILE_PURGE_BEGUN, told)
        assert signed_by(purged, user("ada"), SERVER).words == public_of("ada").words()
        for other in (
            {"file_id": (b"2" * 16).hex()},
            {"version": 1},
            {"trashed_at": 8},
            {"path": "b"},
            {"version": "x"},
        ):
            purged = line(signature, text, LeafKind.FILE_PURGE_BEGUN, {**told, **other})
            assert signed_by(purged, user("ada"), SERVER).words == "", other
