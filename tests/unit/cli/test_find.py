from __future__ import annotations

import json

import pytest

from sft.model.records import Folder, Page
from sft.wire.messages import NamesFound, SearchNames
from tests.unit.cli.cli_fixture import pin_of_ada, signed_file

CONTRACT = signed_file(size=911_360, dated_at=1_777_398_000)
OLD = signed_file("old/Contract.txt", size=10, dated_at=1_777_398_000)


@pytest.fixture
def searched(cli):
    """A server on which a folder and two files are called contracts."""
    pages = {"": Page((Folder("contracts", 2, 0, 0),), (), "1"), "1": Page((), (CONTRACT, OLD))}
    cli.answers[SearchNames] = lambda request: NamesFound(request.id, pages[request.cursor])
    cli.people = {1: pin_of_ada()}
    return cli


def test_a_table_with_whole_paths_on_a_terminal(searched):
    assert searched.run("find", "contract", terminal=True).lines == [
        "    contracts/                   2 files",
        "·   finance/2026/contract.pdf    890 KiB  v1  ada  28 Apr 17:40",
        "·   old/Contract.txt             10 B     v1  ada  28 Apr 17:40",
    ]


def test_fields_elsewhere(searched):
    folder, first, second = searched.run("find", "contract").lines
    assert folder == "folder\t\t\t\t\tcontracts/"
    assert [line.split("\t")[0] for line in (first, second)] == ["signed", "signed"]
    assert [line.split("\t")[5] for line in (first, second)] == [CONTRACT.path, OLD.path]


def test_a_pattern_fits_the_whole_name(searched):
    other = signed_file("old/abc.txt", size=10)
    searched.answers[SearchNames] = lambda request: NamesFound(request.id, Page((), (OLD, other)))
    assert [each["path"] for each in json.loads(searched.run("find", "c*.txt", "--json").out)] == [OLD.path]


def test_nothing_found_is_no_failure_and_said(searched):
    searched.answers[SearchNames] = lambda request: NamesFound(request.id, Page((), ()))
    ran = searched.run("find", "zebra")
    assert (ran.status, ran.out) == (0, "")
    assert "No name holds zebra." in ran.err
    assert searched.run("find", "zebra", "--json").out == "[]\n"


def test_no_letter_is_a_fault_of_usage(searched):
    ran = searched.run("find", "*")
    assert ran.status == 2
    assert "There is no letter to look for" in ran.err
