"""Of a full disk only what could still fit is asked for."""

from __future__ import annotations

import msgspec
import pytest

from sft.client.transfers import batch
from sft.client.transfers.batch import put_all
from sft.client.transfers.no_room import NoRoom
from sft.errors import LocalDiskFullError, NotFoundError, ServerFullError
from sft.limits import SMALL_FILE_BYTES
from sft.wire.messages import BeginUpload, PutFiles
from tests.unit.client.test_transfers_in_memory import item, local


def test_what_is_no_smaller_than_what_had_no_room_is_not_tried():
    full = NoRoom()
    assert full.refusal(10) is None
    full.note(NotFoundError(what="file", name="a"), 1)
    full.note(None, 1)
    assert full.refusal(10) is None
    first, smaller = ServerFullError(size_bytes=10), LocalDiskFullError(path="b")
    full.note(first, 10)
    assert (full.refusal(10), full.refusal(11), full.refusal(9)) == (first, first, None)
    full.note(smaller, 5)
    full.note(ServerFullError(size_bytes=7), 7)
    assert (full.refusal(7), full.refusal(5), full.refusal(4)) == (smaller, smaller, None)
    assert full.refusal(None) is None, "nobody knows how long a pipe is"


@pytest.mark.parametrize("size", [100, SMALL_FILE_BYTES + 1], ids=["small", "large"])
def test_a_full_server_is_asked_for_the_first_and_for_what_is_smaller(server, session, tmp_path, monkeypatch, size):
    monkeypatch.setattr(batch, "GROUPS_AT_ONCE", 1)
    monkeypatch.setattr(batch, "LARGE_AT_ONCE", 1)
    monkeypatch.setattr(batch, "PUT_GROUP_BYTES", 1)  # one file a group
    server.refuse[PutFiles if size <= SMALL_FILE_BYTES else BeginUpload] = ServerFullError(size_bytes=size)
    files = [item(local(tmp_path, b"x" * (size + n), name=f"f{n}")) for n in range(6)]
    files = [msgspec.structs.replace(each, path=f"docs/{n}") for n, each in enumerate(files)]
    results = server.run(put_all(session, files))
    assert [type(result.error) for result in results] == [ServerFullError] * 6
    assert len([each for each in server.received if isinstance(each, PutFiles | BeginUpload)]) == 1


def test_results_of_a_group_of_which_some_are_not_tried_are_in_its_order(server, session, tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "GROUPS_AT_ONCE", 1)
    monkeypatch.setattr(batch, "PUT_GROUP_BYTES", 2_800)  # the first alone, for its long path; then both others
    server.refuse[PutFiles] = ServerFullError(size_bytes=600)
    sizes = {f"docs/{'long' * 25}": 600, "docs/small": 50, "docs/large": 600}
    files = [
        msgspec.structs.replace(item(local(tmp_path, b"x" * size, name=f"f{n}")), path=path)
        for n, (path, size) in enumerate(sizes.items())
    ]
    results = server.run(put_all(session, files))
    assert [result.item.path for result in results] == list(sizes)
    assert [len(each.files) for each in server.received if isinstance(each, PutFiles)] == [1, 1]
