"""Random stories of acts, in groups: what is in memory is what a start loads, what rows say, and what every proof leads to."""

from __future__ import annotations

import os
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sft.errors import RequestError
from sft.ledger.checkpoints import open_checkpoint
from sft.ledger.current import check_last_leaf, check_slots, follow
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import StateTreeKind
from sft.ledger.proofs import verify_inclusion
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.replay import Replay
from sft.model.access import Role
from sft.model.evidence import ProvedSlot
from sft.service import accounts, commits, folders, trash
from sft.service.files import show_file
from sft.service.log.events import line_of
from sft.service.log.slots import SlotRecords
from sft.service.maintenance import hand_overs, purging
from sft.store.database import Database
from sft.store.ledger import leaf_at, leaves_from, ledger_row
from sft.store.row_types import FileRow, FolderRow, UserRow
from sft.store.schema import FileModel, FolderModel, UserModel
from sft.store.statements import rows_of
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import ADA, MAX, MIA, OPERATOR, SERVER_KEY, LogSteps, ServiceFixture, reset
from tests.unit.service.test_events import EXAMPLES

PATHS = ["a", "b", "d/a", "d/b", "d/e/a", "e/a"]
FOLDERS = ["d", "d/e", "e", "f/g/h"]
GIVEN_UP = TypeError("the group is given up")


def proved_rows(services: ServiceFixture) -> list[ProvedSlot]:
    """Make the record of every row that has a slot, as a reader does."""
    with services.readers.reading() as reading:
        records = SlotRecords(reading)
        users = reading.rows.all(rows_of(UserRow, order_by=[UserModel.id]))
        folder_rows = reading.rows.all(rows_of(FolderRow, order_by=[FolderModel.id]))
        files = reading.rows.all(rows_of(FileRow, order_by=[FileModel.id]))
        found = [
            ProvedSlot(StateTreeKind.USERS, user.id - 1, record)
            for user, record in zip(users, records.users(users), strict=True)
        ]
        for rows, made in ((folder_rows, records.folders(folder_rows)), (files, records.files(files))):
            found += [ProvedSlot(StateTreeKind.FILES, row.slot, record) for row, record in zip(rows, made, strict=True)]
    return found


def require_whole(services: ServiceFixture, log: LogSteps) -> None:
    """Demand that memory is what a start loads and what the rows say."""
    ledger = log.ledger
    again, _ = log.opened()
    assert (again.head.size, again.head.root) == (ledger.head.size, ledger.head.root)
    assert again.last_leaf == ledger.last_leaf
    for ours, loaded in ((ledger.users, again.users), (ledger.files, again.files)):
        assert list(ours.blocks()) == list(loaded.blocks())
    slots = proved_rows(services)
    proved = ledger.prove_slots(slots)
    assert proved is not None, "a row whose slot says something else"
    checkpoint = open_checkpoint(proved.head.note, log.signer.origin(1), SERVER_KEY.public)
    assert (checkpoint.size, checkpoint.root) == (ledger.head.size, ledger.head.root)
    leaf = check_last_leaf(checkpoint, proved.evidence.leaf, proved.evidence.inclusion)
    for proof in proved.evidence.proofs:
        tree = StateTreeKind(proof.tree)
        check_slots(leaf, tree, {each.number: each.record for each in slots if each.tree == tree}, proof.hashes)
    with services.readers.reading() as reading:
        row = ledger_row(reading)
    assert (row.size, row.users, row.files) == (checkpoint.size, ledger.users.size, ledger.files.size)


def require_each_leaf(services: ServiceFixture, log: LogSteps) -> None:
    """Demand that the whole log replays without a finding, and that every leaf is proved to be in it."""
    head = log.ledger.head
    with services.readers.reading() as reading:
        rows = leaves_from(reading, 0, 1 << 20)
    replay = Replay({head.size: head.root})
    for row in rows:
        personal = row.personal_salt and RecordPart(row.personal_salt, row.personal)
        replay.add(row.entry, LeafRecord(RecordPart(row.facts_salt, row.facts), personal))
        proved = log.ledger.prove_leaf(row.number)
        verify_inclusion(leaf_hash(row.entry), row.number, proved.head.size, proved.proof, head.root)
    replayed = replay.end()
    assert replayed.findings == ()
    assert (replayed.users, replayed.files) == (log.ledger.users.size, log.ledger.files.size)


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
def test_every_act_that_is_a_leaf_gives_its_leaf_and_the_state_follows(services: ServiceFixture, function: Any) -> None:
    EXAMPLES[function](services)
    log = services.log
    leaves = [event for event in services.events if event.leaf]
    with services.readers.reading() as reading:
        before = ledger_row(reading).size - len(leaves)
        kinds = [leaf_at(reading, before + place).kind for place in range(len(leaves))]
    assert kinds == [line_of(event).kind for event in leaves]
    require_each_leaf(services, log)


_numbers = count()


def _act(services: ServiceFixture, draw: Any) -> tuple[Any, list[Any]]:
    """Draw an act with a few inputs."""
    kind = draw(st.sampled_from(["put", "put", "put", "replace", "move", "delete", "restore", "folder", "role", "off"]))
    paths = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True))
    other = draw(st.sampled_from([*PATHS, *FOLDERS]))
    match kind:
        case "put":
            return commits.commit, [services.pend(MAX, each, b"x", file_id=os.urandom(16)) for each in paths]
        case "replace":
            return commits.commit, _replaced(services, paths)
        case "move":
            return folders.move, [folders.MoveInput(ADA.caller, other, f"m{next(_numbers)}")]
        case "delete":
            return trash.delete, [trash.Deletion(ADA.caller, each, recursive=True) for each in (*paths, other)]
        case "restore":
            return trash.restore, [
                trash.Restoration(ADA.caller, each, services.seen_in_trash(ADA.caller, each))
                for each in (*paths, other)
            ]
        case "folder":
            return folders.make_folder, [folders.MakeFolderInput(MAX.caller, each) for each in (other, "f/g/h")]
        case "role":
            roles = (Role.GUEST, Role.MAINTAINER)
            return accounts.change_role, [accounts.ChangeRoleInput(ADA.caller, "mia", each) for each in roles]
        case _:
            return accounts.disable, [accounts.DisableInput(ADA.caller, "mia")]


def _replaced(services: ServiceFixture, paths: list[str]) -> list[Any]:
    pending = []
    for path in paths:
        try:
            seen = services.ask(show_file, ADA, path=path)
        except RequestError:
            continue
        content = b"%d" % next(_numbers)
        pending.append(services.pend(
            MAX, path, content, file_id=seen.id, version=seen.version.number + 1, prev=seen.version.digest
        ))  # fmt: skip
    return pending


def _group(services: ServiceFixture, acts: list[tuple[Any, list[Any]]], *, fails: bool) -> None:
    """Run acts as one group of the writer's; one that fails leaves nothing."""
    services.now += 1
    try:
        with services.log.transaction(services.now) as transaction:
            for act, inputs in acts:
                act(transaction, [services.signed(each) for each in inputs])
            if fails:
                services.log.appending.before_commit(transaction, transaction.events)
                raise GIVEN_UP
    except TypeError as given_up:
        if given_up is not GIVEN_UP:
            raise


def _purge_all(services: ServiceFixture) -> None:
    services.now += 1
    with services.readers.reading() as reading:
        ids = tuple(row.id for row in reading.rows.all(rows_of(FileRow)) if row.state == "trashed")
        gone = tuple(row.id for row in reading.rows.all(rows_of(FolderRow)) if row.state == "trashed")
    services.act(purging.purge, purging.PurgeInput(OPERATOR, services.now, ids))
    services.act(purging.begin_purges, purging.PurgeFoldersInput(OPERATOR, services.now, gone))
    services.ask(purging.collect, OPERATOR, context=services.job_context, until=services.now)()


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_in_memory_is_what_a_start_loads_after_any_story(
    data: st.DataObject, tmp_path: Any, shared_database: Database, service_template: Any
) -> None:
    reset(shared_database, service_template)
    services = ServiceFixture(tmp_path, shared_database, MemoryBackend())
    heads = [services.log.ledger.head]
    for _ in range(data.draw(st.integers(2, 6))):
        acts = [_act(services, data.draw) for _ in range(data.draw(st.integers(1, 4)))]
        fails = data.draw(st.booleans()) and data.draw(st.booleans())
        before = services.log.ledger.head
        _group(services, acts, fails=fails)
        assert not fails or services.log.ledger.head == before
        heads.append(services.log.ledger.head)
        if data.draw(st.integers(0, 5)) == 0:
            _purge_all(services)
        require_whole(services, services.log)
    require_each_leaf(services, services.log)
    origin, newest = services.log.signer.origin(1), services.log.ledger.head
    now = open_checkpoint(newest.note, origin, SERVER_KEY.public)
    for head in heads:
        kept = open_checkpoint(head.note, origin, SERVER_KEY.public)
        follow(kept, now, services.log.ledger.consistency(kept.size))


def test_a_hand_over_and_a_purge_change_slots_with_leaves_of_their_own(services: ServiceFixture) -> None:
    for number in range(3):
        services.put(MAX, f"d/{number}")
    services.act(trash.delete, trash.Deletion(MAX.caller, "d/0"))
    services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max", files_to="mia"))
    services.ask(hand_overs.hand_over_all, OPERATOR, context=services.job_context)()
    require_whole(services, services.log)
    with services.readers.reading() as reading:
        owners = {row.owner_id for row in reading.rows.all(rows_of(FileRow))}
    assert owners == {MIA.id}
    _purge_all(services)
    require_whole(services, services.log)
    require_each_leaf(services, services.log)
