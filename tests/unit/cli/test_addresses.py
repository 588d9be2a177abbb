from __future__ import annotations

from pathlib import Path

import pytest

from sft.cli.addresses import Addresses, parse_addresses
from sft.errors import NameNotAllowedError, UsageError


@pytest.mark.parametrize(
    ("source", "target", "means"),
    [
        ("photos", ":a/photos", Addresses(True, None, Path("photos"), "a/photos")),
        ("photos", "acme:/a/", Addresses(True, "acme", Path("photos"), "a")),
        ("acme:", "photos", Addresses(False, "acme", Path("photos"), "")),
        (":a", "/x/y:z", Addresses(False, None, Path("/x/y:z"), "a")),
        ("./a:b", ":c", Addresses(True, None, Path("a:b"), "c")),
    ],
)
def test_the_colon_marks_the_servers_side(source, target, means):
    assert parse_addresses(source, target, "sft sync") == means


@pytest.mark.parametrize(("source", "target"), [("a", "b"), (":a", ":b"), ("x:a", "y:b"), ("", ":b"), (":b", "")])
def test_what_can_be_read_two_ways_is_refused(source, target):
    with pytest.raises(UsageError):
        parse_addresses(source, target, "sft sync")


def test_who_marks_neither_is_shown_both_ways():
    with pytest.raises(UsageError) as refused:
        parse_addresses("my photos", "a", "sft sync")
    assert refused.value.values["remedy"] == (
        "To the server: sft sync 'my photos' :a; from it: sft sync ':my photos' a"
    )  # fmt: skip


def test_what_is_no_name_on_a_server_is_refused():
    with pytest.raises(NameNotAllowedError):
        parse_addresses("a", ":b/c:d", "sft sync")


@pytest.mark.parametrize(("typed", "folder"), [(":b//c/", "b/c"), (":./b/./c", "b/c"), (":.", ""), (":/", "")])
def test_more_slashes_and_dots_than_it_takes_do_no_harm(typed: str, folder: str):
    assert parse_addresses("a", typed, "sft sync").folder == folder


def test_a_folder_of_the_server_is_named_from_its_root():
    with pytest.raises(UsageError) as refused:
        parse_addresses("a", ":b/../../c d", "sft sync")
    assert refused.value.values["remedy"] == "This one: ':c d'"
