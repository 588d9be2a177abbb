from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from sft.limits import LOG_LINE_CHARACTERS
from sft.model.access import Caller, Role, operator_caller
from sft.model.events import DomainEvent, FileCommitted, FileReplaced, FilesPurged, InvitationMade, ObjectsDestroyed
from sft.server.event_log import EventLog, line, lines


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


def committed(by: Caller, path: str) -> FileCommitted:
    return FileCommitted(by=by, file_id=b"f" * 16, path=path, size=5, digest=b"d" * 64)


def test_files_that_one_session_committed_together_share_a_line_that_names_each():
    ada, max_ = Caller(1, 1, "ada", Role.ADMIN, 7), Caller(2, 2, "max", Role.MAINTAINER, 8)
    again = FileReplaced(by=ada, file_id=b"f" * 16, path="a", version=2, size=6, digest=b"e" * 64, prev=b"d" * 64)
    assert lines_of(
        committed(ada, "a"), committed(ada, "b c"), again, again, committed(max_, "d"), committed(ada, "e")
    ) == [
        'file-committed session=7 by=ada path=a size=5 path="b c" size=5',
        "file-replaced session=7 by=ada path=a version=2 size=6 path=a version=2 size=6",
        "file-committed session=8 by=max path=d size=5",
        "file-committed session=7 by=ada path=e size=5",
    ]


def test_everything_else_has_a_line_of_its_own():
    ada = Caller(1, 1, "ada", Role.ADMIN, 7)
    made = [
        InvitationMade(by=ada, invitation_id=n, public_key=b"", role=Role.GUEST, name=None, expires_at=9)
        for n in (1, 2)
    ]
    assert len(lines_of(*made)) == 2


def test_a_path_forges_no_other_file_of_its_line():
    (told,) = lines_of(
        committed(Caller(1, 1, "ada", Role.ADMIN, 7), 'a" size=9 path=b'),
        committed(Caller(1, 1, "ada", Role.ADMIN, 7), "b"),
    )
    assert told == 'file-committed session=7 by=ada path="a\\" size=9 path=b" size=5 path=b size=5'


def test_what_is_too_long_for_a_line_goes_on_in_another_that_says_whose_it_is():
    longest = LOG_LINE_CHARACTERS // 2
    each = [{"path": letter * longest} for letter in "abc"] + [{"path": "d"}, {"path": "e" * 2 * longest}]
    both = list(lines("getting", {"by": "ada"}, each))
    told = [said for said, _ in both]
    assert [values for _, within in both for values in within] == each
    assert [one.split(" ", 2)[:2] for one in told] == [["getting", "by=ada"]] * 4
    assert [one.count("path=") for one in told] == [1, 1, 2, 1]
    assert "".join(told).count("path=") == len(each)


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
