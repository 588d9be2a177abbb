"""The log on standard output: its two forms, and its levels."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure

from sft.limits import LOG_JSON_BYTES
from sft.model.access import Caller, Role
from sft.model.events import FileCommitted
from sft.operator.log_stream import LOGGED, standard_output
from sft.server.event_log import EventLog

ADA = Caller(1, 1, "ada", Role.ADMIN, 7)


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    yield io.StringIO()
    LOGGED.change("text", "info")


@pytest.fixture
def log(out: io.StringIO) -> EventLog:
    return EventLog(Logger(namespace="sft", observer=LogPublisher(standard_output(out))))


def documents(out: io.StringIO) -> list[dict[str, Any]]:
    """Take what was written so far, without times."""
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(each.pop("time").endswith("Z") for each in found)
    out.seek(0)
    out.truncate()
    return found


def test_a_line_is_an_object_with_what_it_says_by_name(log, out):
    LOGGED.change("json", "info")
    log.note("login", user='a "b"\n', session=3)
    log.warn("room-low", free_bytes=7)  # noqa: G010 - our own
    assert documents(out) == [
        {"level": "info", "event": "login", "user": 'a "b"\n', "session": 3},
        {"level": "warning", "event": "room-low", "free_bytes": 7},
    ]


def committed(path: str) -> FileCommitted:
    return FileCommitted(by=ADA, file_id=b"f" * 16, path=path, size=5, digest=b"d" * 64)


ODD = [
    "two\nlines", "\r",
    'a "quote" \\', "\u202eexe.txt", "\ud800 half", "\u2028\u2029\x85", "\x00\x1b[2J", "x" * 255, "\uffff", "\x7f",
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_whatever_a_name_has_its_line_is_one_and_an_object_of_plain_ascii(log, out, odd):
    LOGGED.change("json", "info")
    log.note("login", user=odd, session=3)
    log.tell([committed(odd)])
    log.tell([committed(odd), committed("b")])
    Logger(namespace="other", observer=LogPublisher(standard_output(out))).warn("{odd}", odd=odd)
    written = out.getvalue()
    assert written.isascii()
    assert (written.count("\n"), len(written.splitlines())) == (4, 4)
    found = documents(out)
    assert [found[0]["user"], found[1]["path"], found[2]["items"][0]["path"]] == [odd] * 3


def test_what_shares_a_line_stands_in_it_by_item_and_what_is_too_long_in_several(log, out):
    LOGGED.change("json", "info")
    log.tell([committed("a")])
    log.tell([committed("a"), committed("b")])
    head = {"level": "info", "event": "file-committed", "session": 7, "by": "ada"}
    assert documents(out) == [
        {**head, "path": "a", "size": 5},
        {**head, "items": [{"path": "a", "size": 5}, {"path": "b", "size": 5}]},
    ]
    paths = [f"{number}{'ü' * 300}" for number in range(40)]
    log.tell([committed(path) for path in paths])
    assert all(len(line) <= LOG_JSON_BYTES for line in out.getvalue().splitlines())
    assert [item["path"] for each in documents(out) for item in each["items"]] == paths


def test_a_fault_is_one_object_with_its_traceback(log, out):
    LOGGED.change("json", "info")
    try:
        raise ValueError("x")
    except ValueError:
        reference = log.fault("fault", Failure(), session=1)
    (said,) = documents(out)
    assert (said["level"], said["ref"], said["session"], said["error"]) == ("error", reference, 1, "ValueError")
    assert any("ValueError" in row for row in said["traceback"])


def test_what_others_say_is_an_object_too(out):
    LOGGED.change("json", "info")
    logger = Logger(namespace="twisted.web", observer=LogPublisher(standard_output(out)))
    logger.info("everyday")
    logger.warn("odd {what}", what=1)  # noqa: G010 - the name in Twisted
    logger.failure("broken", Failure(ValueError("x")))
    odd, broken = documents(out)
    assert odd == {"level": "warning", "event": "log", "from": "twisted.web", "message": "odd 1"}
    assert (broken["level"], broken["traceback"][-1]) == ("error", "Failure: builtins.ValueError: x")


@pytest.mark.parametrize(("level", "told"), [("info", 3), ("warning", 2), ("error", 1)])
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_below_the_level_is_not_written_and_the_next_line_follows_a_change(log, out, form, level, told):
    LOGGED.change(form, "error")
    log.note("a")
    assert out.getvalue() == ""
    LOGGED.change(form, level)
    log.note("a")
    log.warn("b")  # noqa: G010 - our own
    try:
        raise ValueError("x")
    except ValueError:
        log.fault("c", Failure())
    lines = [
        line for line in out.getvalue().splitlines() if form == "json" or line.rstrip()[-1] in "ab" or " c ref=" in line
    ]
    assert len(lines) == told
