"""What is typed into the filter of the log is understood, or said in words not to be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sft.errors import UsageError
from sft.ledger.acts import ACTS
from sft.model.text import sentence
from tui.screens.activity_filter import LogFilter, parse

NOW = 1_777_822_271.0  # Sun 3 May 2026 15:31:11 UTC


def at(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("", LogFilter()),
        ("  plan  PDF ", LogFilter(words=("plan", "pdf"))),
        ("user:ada", LogFilter(user="ada")),
        ('file:"/press kit/logo.svg" ', LogFilter(file="press kit/logo.svg")),
        ('file:"/press kit', LogFilter(file="press kit")),
        ("act:move", LogFilter(kinds=tuple(int(kind) for kind in ACTS["move"]))),
        ("ACT:Dow", LogFilter(kinds=tuple(int(kind) for kind in ACTS["download"]))),
        ("since:today", LogFilter(since=at(2026, 5, 3))),
        ("since:yesterday until:today", LogFilter(since=at(2026, 5, 2), until=at(2026, 5, 3))),
        ("since:2026-04-28", LogFilter(since=at(2026, 4, 28))),
        ("since:3d", LogFilter(since=int(NOW) - 3 * 86_400)),
        ("since:99999d", LogFilter(since=0)),
        ("until:12h draft", LogFilter(until=int(NOW) - 12 * 3600, words=("draft",))),
        ("user:ada act:role gus", LogFilter(user="ada", kinds=(4,), words=("gus",))),
    ],
)
def test_it_is_understood(text, typed):
    assert parse(text, NOW, UTC) == typed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("person:ada", "person: is no part of a filter."),
        ("user:", "user: says nothing."),
        ("user:ada user:eva", "user: is said twice."),
        ("act:fly", "That is no act of the log."),
        ("since:soon", "since: takes no such date."),
        ("since:2026-13-40", "since: takes no such date."),
    ],
)
def test_what_means_nothing_is_said_so(text, words):
    with pytest.raises(UsageError) as refused:
        parse(text, NOW, UTC)
    assert sentence(refused.value, now=NOW) == words
    assert refused.value.values["remedy"]
