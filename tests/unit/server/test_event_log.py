from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from sft.model.access import Caller, Role, operator_caller
from sft.model.events import DomainEvent, FilesPurged, InvitationMade, ObjectsDestroyed
from sft.server.event_log import EventLog, line


def test_a_line_is_an_event_and_its_values():
    assert line("login", {"user": "ada", "session": 3}) == "login user=ada session=3"


def test_values_with_blanks_are_quoted_and_escaped():
    assert line("act", {"path": 'a b"c'}) == 'act path="a b\\"c"'
    assert line("act", {"path": "a=b", "who": "!~[]"}) == 'act path="a=b" who=!~[]'
    assert line("act", {"path": ""}) == 'act path=""'
    assert line("act", {"what": "x \\"}) == 'act what="x \\\\"', (
        "a backslash does not escape the quote that ends a value"
    )
    assert line("act", {"what": "\\"}) == 'act what="\\\\"'


def test_a_peers_value_cannot_begin_a_new_line_or_color_a_terminal():
    shown = line("act", {"path": "x\nlogin user=eva\x1b[31m\u202e"})
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def lines_of(*events: DomainEvent) -> list[str]:
    told = []
    EventLog(Logger(namespace="test", observer=told.append)).tell(events)
    return [event["line"] for event in told]


def test_an_event_is_a_line_without_bytes():
    ada = Caller(1, 1, "ada", Role.ADMIN, 7)
    made = InvitationMade(by=ada, invitation_id=3, public_key=b"k" * 32, role=Role.GUEST, name=None, expires_at=9)
    purged = FilesPurged(by=operator_caller(), files=(b"a", b"b"), versions=5, size=0)
    assert lines_of(made, purged) == [
        "invitation-made session=7 by=ada invitation_id=3 role=guest expires_at=9",
        "files-purged by=operator files=2 versions=5 size=0",
    ]


def test_steps_of_maintenance_have_no_line():
    assert lines_of(ObjectsDestroyed(by=operator_caller(), object_ids=(b"a",))) == []


def test_a_fault_is_logged_under_the_reference_that_it_returns_and_without_variables():
    events = []
    event_log = EventLog(Logger(namespace="test", observer=events.append))
    secret = "canary-of-a-variable"
    try:
        raise ValueError(len(secret))
    except ValueError:
        reference = event_log.fault("fault", Failure(), session=1)
    texts = [event["line"] for event in events]
    assert any(reference in text and "ValueError" in text for text in texts)
    assert not any(secret in text for text in texts if "secret =" not in text)
