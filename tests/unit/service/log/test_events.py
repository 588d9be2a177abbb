"""Every event that is a leaf has its line, and a record in two parts that hide what they should."""

from __future__ import annotations

import json

import msgspec
import pytest

from sft.model import check_events, ending_events, events, owner_events, quota_events
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import (
    DomainEvent,
    FileMoved,
    FilesPurged,
    HandedOver,
    InvitationMade,
    StatedEvent,
    UserAdded,
    UserJoined,
)
from sft.service.log.events import EVENT_LINES, Subjects, facts_of, personal_of, subjects_of

MAX = Caller(2, 7, "max", Role.MAINTAINER, session_id=99)

KINDS = [
    kind
    for module in (events, check_events, ending_events, owner_events, quota_events)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, DomainEvent) and kind not in {DomainEvent, StatedEvent}
]


def test_every_event_that_is_a_leaf_has_a_line_and_no_other() -> None:
    assert set(EVENT_LINES) == {kind for kind in KINDS if kind.leaf}


@pytest.mark.parametrize("kind", EVENT_LINES, ids=lambda kind: kind.__name__)
def test_a_line_names_fields_that_there_are(kind: type[DomainEvent]) -> None:
    line = EVENT_LINES[kind]
    named = {*line.personal, line.user, line.file, line.files, line.folder, line.folders} - {None}
    assert named <= set(kind.__struct_fields__)
    # What says who somebody is, or what their devices are called, can be erased.
    people = {"name", "device"} & set(kind.__struct_fields__)
    assert people <= set(line.personal) or kind in {events.ServerPrepared, events.SettingsChanged}


def joined(by: Caller) -> UserJoined:
    return UserJoined(
        by=by, user_id=2, name="Müller", role=Role.GUEST, key_id=7, public_key=b"k", device="phone", invitation_id=None
    )


def test_a_record_is_canonical_json_in_two_parts() -> None:
    facts, personal = facts_of(joined(MAX)), personal_of(joined(MAX))
    assert facts == b'{"by":{"key":7,"user":2},"key_id":7,"public_key":"6b","role":"guest","user_id":2}'
    assert personal == '{"device":"phone","name":"Müller"}'.encode()
    for part in (facts, personal):
        again = json.dumps(json.loads(part), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert again.encode() == part


def test_the_operator_is_nobody_in_the_facts() -> None:
    moved = FileMoved(by=operator_caller(5), file_id=b"\1" * 16, old="a", new="b/c")
    assert facts_of(moved) == b'{"file_id":"01010101010101010101010101010101","new":"b/c","old":"a"}'
    assert personal_of(moved) is None


def test_an_invitation_for_nobody_by_name_has_no_personal_part() -> None:
    made = InvitationMade(by=MAX, invitation_id=1, public_key=b"", role=Role.GUEST, name=None, expires_at=1)
    assert personal_of(made) is None
    assert personal_of(msgspec.structs.replace(made, name="eva")) == b'{"name":"eva"}'


def test_a_statement_stands_in_the_facts_as_it_was_signed_and_its_text_can_be_erased() -> None:
    said = "untrusted comment: x\nRWQ\ntrusted comment: sft:1\tact:move\nabc\n"
    moved = FileMoved(by=MAX, file_id=b"\1" * 16, old="a", new="b", statement=said.encode(), statement_text=b"of Eva")
    assert json.loads(facts_of(moved))["statement"] == said
    assert b"Eva" not in facts_of(moved)
    assert personal_of(moved) == b'{"statement_text":"of Eva"}'


def test_subjects_are_who_and_what_an_event_is_about() -> None:
    assert subjects_of(joined(MAX)) == Subjects(users=(2,))
    given = HandedOver(by=MAX, user_id=3, files_to=1, files=(b"a", b"b"), folder_ids=(4,))
    assert subjects_of(given) == Subjects(users=(3,), files=(b"a", b"b"), folders=(4,))
    assert subjects_of(FilesPurged(by=MAX, files=(b"a",), versions=1, size=1)) == Subjects(files=(b"a",))
    assert EVENT_LINES[UserAdded].kind is EVENT_LINES[UserJoined].kind
