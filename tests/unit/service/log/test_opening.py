"""A start from blocks and leaves: whatever the blocks are as of, it comes to what was; what leads elsewhere is refused."""

from __future__ import annotations

import pytest

from sft.errors import LogDamagedError
from sft.ledger.checkpoints import Checkpoint, open_checkpoint
from sft.ledger.tiles import TILE_WIDTH
from sft.model.access import Role
from sft.service import accounts, folders
from sft.service.log.opening import LoadedLog, load_log
from sft.store.ledger import blocks_from, ledger_row, tiles_at
from tests.unit.service.service_fixture import ADA, MAX, SERVER_KEY, ServiceFixture

REDO = 20


def kept_head(services: ServiceFixture) -> Checkpoint:
    return open_checkpoint(services.log.kept[-1], services.log.signer.origin(1), SERVER_KEY.public)


def loaded(services: ServiceFixture) -> LoadedLog:
    with services.readers.reading() as reading:
        return load_log(reading, kept_head(services))


@pytest.fixture
def busy(services: ServiceFixture) -> ServiceFixture:
    """Services of a log that has had more leaves than a start replays."""
    services.log.appending._blocks._redo_leaves = REDO
    for number in range(3 * REDO):
        services.put(MAX, f"{number % 40}", b"%d" % number) if number < 40 else services.act(
            accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "mia", (Role.GUEST, Role.MAINTAINER)[number % 2])
        )
    return services


def require_same(services: ServiceFixture, log: LoadedLog) -> None:
    ledger = services.log.ledger
    assert log.state.tree == ledger.tree
    assert log.state.last_leaf == ledger.last_leaf
    assert (log.state.users.root(), log.state.files.root()) == (ledger.users.root(), ledger.files.root())


def test_a_start_replays_what_its_blocks_lack(busy: ServiceFixture) -> None:
    with busy.readers.reading() as reading:
        row = ledger_row(reading)
        assert [(each.kind, each.number) for each in blocks_from(reading, 2, 0, 9)] == [(2, 0)]
        (block,) = blocks_from(reading, 2, 0, 9)
    assert 0 < row.redo <= row.size - 1
    assert row.size - row.redo <= REDO + 2
    assert 0 < len(block.hashes) <= 32 * busy.log.ledger.files.size
    log = loaded(busy)
    require_same(busy, log)
    # From there on alone: else it was made of all leaves, for the blocks led elsewhere.
    assert log.blocks.plan([], row.size, row.size).redo == row.redo


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM state_blocks",
        "DELETE FROM state_blocks WHERE kind = 2",
        "UPDATE state_blocks SET hashes = zeroblob(length(hashes))",
        "UPDATE state_blocks SET number = 1000000000000",
        "UPDATE state_blocks SET hashes = x'00'",
    ],
)
def test_blocks_that_are_lost_or_changed_are_made_of_all_leaves(busy: ServiceFixture, statement: str) -> None:
    busy.tamper(statement)
    require_same(busy, loaded(busy))


def test_a_leaf_of_another_state_is_refused(busy: ServiceFixture) -> None:
    """As a server would leave it that hashes what it never wrote: every MAC holds, and the log's root too."""
    log = busy.log
    draft = log.ledger.users.draft({0: bytes(32)})
    log.ledger.users.apply(draft)
    busy.put(MAX, "after")
    with pytest.raises(LogDamagedError) as refused:
        loaded(busy)
    assert "do not lead to the state" in str(refused.value.values["problem"])


@pytest.mark.long
def test_a_log_of_more_than_a_tile_keeps_full_tiles_alone(services: ServiceFixture) -> None:
    size = services.log.ledger.head.size
    while size < 2 * TILE_WIDTH + 3:
        made = [folders.MakeFolderInput(MAX.caller, f"{size}-{each}") for each in range(40)]
        services.act_each(folders.make_folder, *made)
        size += len(made)
    assert size == services.log.ledger.head.size
    with services.readers.reading() as reading:
        tiles = tiles_at(reading, [(0, 0), (0, 1), (0, 2), (1, 0)])
    assert {key: len(hashes) // 32 for key, hashes in tiles.items()} == {(0, 0): 256, (0, 1): 256, (1, 0): 2}
    require_same(services, loaded(services))
    services.tamper("UPDATE log_tiles SET hashes = zeroblob(64) WHERE level = 1")
    with pytest.raises(LogDamagedError):
        loaded(services)
    services.tamper("DELETE FROM log_tiles")
    with pytest.raises(LogDamagedError):
        loaded(services)
