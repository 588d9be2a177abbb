"""Lines of a log in a file: all of them, or no file."""

from __future__ import annotations

import json
import os

import pytest

from sft.client.api.log import LogLines
from sft.client.log_export import export_lines
from sft.client.logged import LogLine
from sft.errors import ConnectionLostError, LocalFileError
from sft.ledger.checkpoints import Checkpoint, Origin
from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.records import LeafRecord, RecordPart

HEAD = Checkpoint(Origin.of_server("acme", bytes(32), 1), 5, bytes(32))


class InlinePool:
    async def run(self, function, *args):
        return function(*args)


class Names:
    def name(self, user_id):
        return "operator" if user_id is None else f"user\u202e {user_id}"

    def path(self, line):
        return line.path


def line(number: int) -> LogLine:
    record = LeafRecord(RecordPart(bytes(16), b'{"by":{"key":1,"user":7},"path":"a/%d"}' % number))
    leaf = LogLeaf(
        kind=LeafKind.FILE_DELETED, time=60, state_roots=(StateRoot(1, 1, bytes(32)),), facts=record.facts_hash()
    )
    return LogLine.of(number, leaf, record)


def reading(pages: list[list[int]], *, fault: Exception | None = None):
    asked = []

    async def read(start: int) -> LogLines:
        asked.append(start)
        if len(asked) > len(pages):
            raise fault
        numbers = pages[len(asked) - 1]
        more = len(asked) < len(pages) or fault is not None
        return LogLines([line(number) for number in numbers], HEAD, "", (numbers or [start])[-1] + 1, more)

    return read, asked


async def test_every_page_is_written_one_object_a_line(tmp_path):
    read, asked = reading([[0, 1], [], [4]])
    told = []
    path = tmp_path / "log.jsonl"
    assert await export_lines(InlinePool(), read, Names(), path, report=told.append) == 3
    data = path.read_bytes()
    assert data.isascii()
    found = [json.loads(each) for each in data.splitlines()]
    assert [(one["number"], one["actor"], one["path"]) for one in found] == [
        (0, "user\u202e 7", "a/0"),
        (1, "user\u202e 7", "a/1"),
        (4, "user\u202e 7", "a/4"),
    ]
    assert asked == [0, 2, 3]
    assert told == [2, 2, 3]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_what_does_not_fit_is_left_out(tmp_path):
    read, _ = reading([[0, 1, 2]])
    path = tmp_path / "log.jsonl"
    assert await export_lines(InlinePool(), read, Names(), path, fits=lambda each: each.number == 1) == 1
    assert [json.loads(each)["number"] for each in path.read_bytes().splitlines()] == [1]


async def test_what_ends_before_its_time_leaves_no_file(tmp_path):
    read, _ = reading([[0]], fault=ConnectionLostError())
    with pytest.raises(ConnectionLostError):
        await export_lines(InlinePool(), read, Names(), tmp_path / "log.jsonl")
    assert os.listdir(tmp_path) == []


async def test_no_file_is_written_over(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"mine")
    read, asked = reading([[0]])
    with pytest.raises(LocalFileError) as refused:
        await export_lines(InlinePool(), read, Names(), path)
    assert refused.value.values["problem"] == "is here already"
    assert (path.read_bytes(), asked) == (b"mine", [])


async def test_a_folder_that_is_not_there_is_said_so(tmp_path):
    read, _ = reading([[0]])
    with pytest.raises(LocalFileError):
        await export_lines(InlinePool(), read, Names(), tmp_path / "nowhere" / "log.jsonl")
