"""A folder with a log, checked at a computer that may have seen its heads; and the files of it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.client.log_folder import LogFolder
from sft.client.log_verify import read_signed, verify_folder, verify_server
from sft.crypto.keys import ServerKey
from sft.crypto.signed_note import server_note_key
from sft.errors import LocalFileError
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.published import LogWriter
from sft.ledger.replay import Replay
from sft.ledger.tree import LogTree
from tests.unit.client.test_api_log import ServedLog
from tests.unit.ledger.written_log import grown

SERVER = ServerKey.from_seed(bytes(range(32)))
ORIGIN = Origin.of_server("files.example.org", SERVER.public.server_id(), 1)
KEYS = [server_note_key(SERVER.public, ORIGIN.text())]
LOG = grown(300)


def checkpoint(size: int) -> Checkpoint:
    tree, _ = LogTree().append([leaf_hash(each) for each in LOG.entries[:size]])
    return Checkpoint(ORIGIN, size, tree.root())


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    folder = LogFolder(tmp_path / "a" / "log")
    folder.make()
    writer = LogWriter(folder, None)
    for entry, record in zip(LOG.entries, LOG.records, strict=True):
        writer.add(entry, record)
    writer.end(checkpoint(300), sign_checkpoint(SERVER, checkpoint(300)))
    return folder


def problems(verified) -> list[str]:
    return [each.problem for each in verified.replayed.findings]


def test_it_holds_and_goes_on_what_was_seen(folder):
    told = []
    kept = [checkpoint(7), checkpoint(300), replace(checkpoint(9), origin=replace(ORIGIN, epoch=2))]
    verified = verify_folder(folder, KEYS, kept, lambda done, total: told.append((done, total)))
    assert (problems(verified), verified.heads, verified.replayed.size) == ([], 2, 300)
    assert verified.checkpoint == read_signed(folder) == checkpoint(300)


@pytest.mark.parametrize("size", [7, 300])
def test_a_log_that_does_not_go_on_what_was_seen_is_found(folder, size):
    verified = verify_folder(folder, KEYS, [replace(checkpoint(size), root=bytes(32))])
    assert len(problems(verified)) == 1
    assert f"root at {size} leaves" in problems(verified)[0]


def test_a_log_that_was_exported_before_what_was_seen_holds_as_far_as_it_goes(folder):
    kept = [checkpoint(7), replace(checkpoint(300), size=350), replace(checkpoint(300), size=400)]
    verified = verify_folder(folder, KEYS, kept)
    assert (problems(verified), verified.heads, verified.seen) == ([], 1, 400)
    assert verify_folder(folder, KEYS, [checkpoint(300)]).seen == 0


@pytest.mark.parametrize("keys", [[], [server_note_key(ServerKey.from_seed(bytes(32)).public, ORIGIN.text())]])
def test_a_checkpoint_of_nobody_known_is_found(folder, keys):
    (problem,) = problems(verify_folder(folder, keys))
    assert problem.startswith("its checkpoint is not signed by the key of this log")


def test_a_bundle_that_is_gone_is_found(folder):
    (folder.path / "tile" / "entries" / "000").unlink()
    found = problems(verify_folder(folder, KEYS))
    assert found[0] == "tile/entries/000 is missing"
    assert any("it ends at 0 leaves" in each for each in found)


def test_a_record_that_was_exchanged_is_found(folder):
    addendum = next(path for path in (folder.path / "addenda").rglob("*") if path.is_file())
    addendum.write_bytes(b"another")
    assert problems(verify_folder(folder, KEYS)) == ["an addendum of another digest"]


def test_a_folder_without_a_log_is_said_so(tmp_path):
    for text in (None, b"no checkpoint\n\n", b"\xff"):
        if text is not None:
            (tmp_path / "checkpoint").write_bytes(text)
        with pytest.raises(LocalFileError):
            read_signed(LogFolder(tmp_path))
    with pytest.raises(LocalFileError):
        read_signed(LogFolder(tmp_path / "nothing"))


def test_what_is_written_is_closed_to_others_and_no_link_is_followed(folder, tmp_path):
    for path in folder.path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    tile = folder.path / "tile" / "0"
    tile.rename(tmp_path / "elsewhere")
    tile.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalFileError):
        folder.read("tile/0/000", 1 << 20)
    with pytest.raises(LocalFileError):
        folder.write("tile/0/001", b"")
    with pytest.raises(LocalFileError):
        folder.read("checkpoint", 10)


# -- the server's -------------------------------------------------------------------------------------------


def test_all_that_a_server_shows_is_replayed():
    served = ServedLog(grown(300), followed=True)
    verified = asyncio.run(verify_server(served, [checkpoint(7)]))
    assert (problems(verified), verified.heads, verified.replayed.size) == ([], 1, 300)


def test_a_replay_gives_way_every_few_leaves_so_that_a_key_is_answered(monkeypatch):
    turns, replayed, add = [], [], Replay.add

    def counted(replay, *leaf):
        add(replay, *leaf)
        replayed.append(replay.size)

    async def give_way():
        turns.append(len(replayed))

    monkeypatch.setattr(Replay, "add", counted)
    verified = asyncio.run(verify_server(ServedLog(grown(300), followed=True), give_way=give_way))
    assert (problems(verified), verified.replayed.size) == ([], 300)
    assert max(after - before for before, after in pairwise([0, *turns, len(replayed)])) <= 8, "a page is a hundred"


def test_what_comes_meanwhile_is_not_looked_at():
    served = ServedLog(grown(150), followed=True)
    grew = []

    def change(page):
        if not grew:
            grew.append(True)
            served.grow()
        return page

    served.change = change
    verified = asyncio.run(verify_server(served))
    assert (problems(verified), verified.replayed.size) == ([], 150)


def test_a_server_that_does_not_go_on_what_was_seen_is_found():
    served = ServedLog(grown(20))
    assert problems(asyncio.run(verify_server(served, [replace(checkpoint(7), root=bytes(32))]))) == [
        "its root at 7 leaves is not the one that a checkpoint says"
    ]


def test_a_server_that_shows_no_more_before_its_head_is_found():
    served = ServedLog(grown(20))
    served.change = lambda page: replace(page, leaves=(), proof=(), next=0, more=False)
    assert problems(asyncio.run(verify_server(served))) == ["it ends at 0 leaves, and a checkpoint says 20"]
