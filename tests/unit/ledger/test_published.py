"""A log in C2SP's files: whole, added to, and cut off on the way; read again, nothing else is taken for it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from sft.crypto.keys import ServerKey
from sft.errors import LedgerFormatError, ProofInvalidError
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint, sign_checkpoint
from sft.ledger.leaves import LogLeaf
from sft.ledger.proofs import prove_inclusion, verify_inclusion
from sft.ledger.published import LogWriter, read_checkpoint, read_leaves, read_tree
from sft.ledger.records import addendum_path
from sft.ledger.replay import Replay
from sft.ledger.tiles import tile_path, tile_width
from sft.ledger.tree import LogTree
from tests.unit.ledger.kept_files import KeptFiles
from tests.unit.ledger.stored import nodes_of
from tests.unit.ledger.written_log import WrittenLog, grown

SERVER = ServerKey.from_seed(bytes(range(32)))
ORIGIN = Origin.of_server("files.example.org", SERVER.public.server_id(), 1)
LOG = grown(700)
SIZES = [1, 2, 255, 256, 257, 300, 512, 700]


def checkpoint(size: int, log: WrittenLog = LOG) -> Checkpoint:
    tree, _ = LogTree().append([sha256(b"\x00" + each).digest() for each in log.entries[:size]])
    return Checkpoint(ORIGIN, size, tree.root())


def publish(
    files: KeptFiles, size: int, before: Checkpoint | None = None, *, log: WrittenLog = LOG, records: bool = True
) -> None:
    writer = LogWriter(files, before)
    for number in range(writer.next_leaf, size):
        writer.add(log.entries[number], log.records[number] if records else None)
    head = checkpoint(size, log)
    writer.end(head, sign_checkpoint(SERVER, head))


def opened(files: KeptFiles) -> Checkpoint:
    note = read_checkpoint(files)
    assert note is not None
    return open_checkpoint(note, ORIGIN, SERVER.public)


def problems(files: KeptFiles) -> list[str]:
    head = opened(files)
    replay = Replay({head.size: head.root})
    for leaf in read_leaves(files, head.size):
        if leaf.problem:
            replay.note(replay.size, leaf.problem)
        replay.add(leaf.entry, leaf.record)
    return [each.problem for each in replay.end().findings]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read_again(size):
    files = KeptFiles()
    publish(files, size)
    leaves = list(read_leaves(files, size))
    assert [each.entry for each in leaves] == LOG.entries[:size]
    assert [each.record for each in leaves] == LOG.records[:size]
    assert read_tree(files, opened(files)).root() == checkpoint(size).root
    assert problems(files) == []


@pytest.mark.parametrize("size", SIZES)
def test_its_tiles_prove_every_leaf(size):
    files = KeptFiles()
    publish(files, size)

    def tile(level: int, index: int) -> bytes:
        return files.files[tile_path(level, index, tile_width(size, level, index))]

    node = nodes_of(size, tile)
    for index in {0, size // 2, size - 1}:
        proof = prove_inclusion(index, size, node)
        verify_inclusion(sha256(b"\x00" + LOG.entries[index]).digest(), index, size, proof, checkpoint(size).root)


@pytest.mark.parametrize("before", SIZES[:-1])
def test_what_came_since_is_added_and_full_tiles_are_not_written_again(before):
    files = KeptFiles()
    publish(files, before)
    full = {path for path in files.files if path.startswith("tile/") and ".p/" not in path}
    files.written.clear()
    publish(files, 700, opened(files))
    assert full.isdisjoint(files.written)
    assert problems(files) == []
    whole = KeptFiles()
    publish(whole, 700)
    assert files.files.items() >= whole.files.items()


def test_nothing_that_came_since_writes_the_checkpoint_alone():
    files = KeptFiles()
    publish(files, 512)
    files.written.clear()
    publish(files, 512, opened(files))
    assert [path for path in files.written if not path.startswith("tile/1/")] == ["checkpoint"]


def test_the_checkpoint_is_written_last_when_all_else_is_on_the_disk():
    files = KeptFiles()
    publish(files, 300)
    assert files.written[-1] == "checkpoint"
    assert files.settled == [len(files.written) - 1, len(files.written)]


@pytest.mark.parametrize("writes", range(0, 450, 37))
@pytest.mark.sampled(4)
def test_an_export_that_was_cut_off_leaves_the_one_before(writes):
    class Cut(KeptFiles):
        def write(self, path: str, data: bytes) -> None:
            if len(self.written) == writes:
                raise OSError("full")
            super().write(path, data)

    whole = KeptFiles()
    publish(whole, 300)
    files = Cut()
    files.files = dict(whole.files)
    with pytest.raises(OSError, match="full"):
        publish(files, 700, opened(files))
    assert opened(files).size == 300
    assert problems(files) == []
    again = KeptFiles()
    again.files = files.files
    publish(again, 700, opened(again))
    assert problems(again) == []


def test_a_partial_tile_may_be_gone_where_the_full_one_is_there():
    files = KeptFiles()
    publish(files, 300)
    old = opened(files)
    publish(files, 700, old)
    for path in [path for path in files.files if ".p/44" in path]:
        del files.files[path]
    assert [each.entry for each in read_leaves(files, 300)] == LOG.entries[:300]
    assert read_tree(files, old).size == 300


def test_records_can_be_left_out():
    files = KeptFiles()
    publish(files, 300, records=False)
    assert not any(path.startswith("addenda/") for path in files.files)
    assert problems(files) == []


def test_leaves_of_another_log_get_no_checkpoint():
    files = KeptFiles()
    other = grown(300)
    other.entries[7] = other.entries[8]
    writer = LogWriter(files, None)
    for entry in other.entries:
        writer.add(entry)
    head = checkpoint(300)
    with pytest.raises(ProofInvalidError, match="do not lead"):
        writer.end(head, sign_checkpoint(SERVER, head))
    assert "checkpoint" not in files.files


def test_nothing_is_added_to_files_that_do_not_hold_together():
    files = KeptFiles()
    publish(files, 300)
    path = tile_path(0, 1, 44)
    files.files[path] = bytes(32) + files.files[path][32:]
    with pytest.raises(ProofInvalidError, match="do not lead"):
        LogWriter(files, checkpoint(300))


@pytest.mark.parametrize("change", ["missing", "cut", "longer"])
def test_a_bundle_of_another_shape_is_refused(change):
    files = KeptFiles()
    publish(files, 256)
    path = "tile/entries/000"
    data = files.files.pop(path)
    if change != "missing":
        files.files[path] = data[:-1] if change == "cut" else data
    size = 257 if change == "longer" else 256
    with pytest.raises(ProofInvalidError):
        list(read_leaves(files, size))


def test_an_addendum_that_is_not_what_its_name_says_is_found():
    files = KeptFiles()
    publish(files, 2)
    leaf = LogLeaf.decode(LOG.entries[1])
    files.files[addendum_path(leaf.facts)] += b" "
    assert problems(files) == ["an addendum of another digest"]


def test_a_part_does_not_pass_for_the_other():
    files = KeptFiles()
    publish(files, 2)
    leaf = LogLeaf.decode(LOG.entries[1])
    assert leaf.personal is not None
    swapped = LogLeaf(
        kind=leaf.kind, time=leaf.time, slots=leaf.slots, state_roots=leaf.state_roots, facts=leaf.personal
    )
    with pytest.raises(LedgerFormatError, match="no part"):
        LOG.records[1].of_addenda(swapped, lambda digest: files.files.get(addendum_path(digest)))


def test_an_erased_part_is_no_problem():
    files = KeptFiles()
    publish(files, 2)
    leaf = LogLeaf.decode(LOG.entries[1])
    assert leaf.personal is not None
    del files.files[addendum_path(leaf.personal)]
    assert list(read_leaves(files, 2))[1].record == LOG.records[1].erased()
    assert problems(files) == []


def test_a_checkpoint_that_is_no_text_is_refused():
    files = KeptFiles()
    files.files["checkpoint"] = b"\xff"
    with pytest.raises(LedgerFormatError):
        read_checkpoint(files)
    assert read_checkpoint(KeptFiles()) is None
