"""A replay finds what any one leaf, slot, record or statement says wrongly, and nothing in a log that holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sft.ledger.leaves import LeafKind, LogLeaf, StateRoot
from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.replay import FINDINGS_KEPT, Replay, ReplayedLog
from tests.unit.ledger.written_log import WrittenLog, begun, by_ada, grown, json_bytes, slot, stated

RENAMED = {"file": b"", "version": 0, "old": "a", "new": "b"}


def replayed(log: WrittenLog, heads: dict[int, bytes] | None = None, *, records: bool = True) -> ReplayedLog:
    replay = Replay({len(log.entries): log.tree.root()} if heads is None else heads)
    for entry, record in zip(log.entries, log.records, strict=True):
        replay.add(entry, record if records else None)
    return replay.end()


def problems(done: ReplayedLog) -> list[str]:
    return [f"{each.leaf}: {each.problem}" for each in done.findings]


def moved(**change: Any) -> WrittenLog:
    """A log in which ada signed to move a folder, said otherwise where a change says so."""
    log = begun()
    statement, text = stated("move", RENAMED, **change)
    facts = by_ada(folder_id=2, old="a", new="b", statement=statement)
    log.add(LeafKind.FOLDER_MOVED, facts, personal={"statement_text": text})
    return log


@pytest.mark.parametrize("leaves", [2, 255, 256, 257, 700])
def test_a_log_that_holds_has_no_finding(leaves):
    log = grown(leaves)
    done = replayed(log, {leaves: log.tree.root(), 1: root_at(log, 1)})
    assert problems(done) == []
    assert (done.size, done.root, done.users, done.records) == (leaves, log.tree.root(), 1, leaves)
    assert done.files == 1 + sum(LogLeaf.decode(each).kind is LeafKind.FILE_COMMITTED for each in log.entries)
    assert done.statements == 1


def root_at(log: WrittenLog, size: int) -> bytes:
    prefix = WrittenLog()
    prefix.entries = log.entries[:size]
    return prefix.tree.root()


def restarted(**said: Any) -> WrittenLog:
    """A log that a restart cuts at three leaves, said otherwise where told."""
    log = grown(3)
    facts = {
        "epoch": 2,
        "size": 3,
        "root": log.tree.root().hex(),
        "origin": "acme/sft/00/1",
        "reason": "why",
        "known": "",
    }
    log.add(LeafKind.LOG_RESTARTED, facts | said)
    return log


def problems_of_epoch(log: WrittenLog, epoch: int) -> list[str]:
    replay = Replay(epoch=epoch)
    for entry, record in zip(log.entries, log.records, strict=True):
        replay.add(entry, record)
    return problems(replay.end())


def test_a_restart_that_was_one_is_no_finding():
    log = restarted()
    assert problems_of_epoch(log, 2) == []
    facts = {"epoch": 5, "size": 4, "root": log.tree.root().hex()}
    log.add(LeafKind.LOG_RESTARTED, facts)
    assert problems_of_epoch(log, 5) == []


@pytest.mark.parametrize("said", [{"size": 2}, {"size": None}, {"root": bytes(32).hex()}, {"root": None}])
def test_a_restart_that_says_it_cut_elsewhere_is_found(said):
    assert problems_of_epoch(restarted(**said), 2) == ["3: it says that the log was cut elsewhere than where it stands"]


def test_a_restart_that_was_made_up_is_found():
    """It would excuse that somebody was shown another log: the log goes on with its name, or has the epoch twice."""
    assert problems_of_epoch(restarted(), 1) == ["None: its name is of epoch 1, and its leaves are of epoch 2"]
    log = restarted()
    log.add(LeafKind.LOG_RESTARTED, {"epoch": 2, "size": 4, "root": log.tree.root().hex()})
    assert problems_of_epoch(log, 2) == ["4: it begins epoch 2 after epoch 2"]
    assert problems_of_epoch(restarted(epoch=1), 1) == ["3: it begins epoch 1 after epoch 1"]
    assert problems_of_epoch(grown(3), 2) == ["None: its name is of epoch 2, and its leaves are of epoch 1"]


def test_without_records_roots_and_slots_are_still_held():
    done = replayed(grown(300), records=False)
    assert problems(done) == []
    assert (done.records, done.statements) == (0, 0)


@pytest.mark.parametrize("size", [1, 256, 299, 300])
def test_a_checkpoint_of_another_root_is_found_at_its_size(size):
    done = replayed(grown(300), {size: slot("another")})
    assert problems(done) == [f"None: its root at {size} leaves is not the one that a checkpoint says"]


def test_a_log_that_ends_before_a_checkpoint_is_found():
    assert problems(replayed(grown(5), {9: slot("root")})) == ["None: it ends at 5 leaves, and a checkpoint says 9"]


def test_leaves_in_another_order_are_found_by_state_and_root():
    log = grown(20)
    root = log.tree.root()
    log.entries[10:12] = reversed(log.entries[10:12])
    log.records[10:12] = reversed(log.records[10:12])
    found = problems(replayed(log, {20: root}))
    assert any("its root at 20 leaves" in each for each in found)
    assert any(each.startswith("10: ") and "states after it" in each for each in found)


def changed(log: WrittenLog, number: int, change: Callable[[LogLeaf], LogLeaf]) -> WrittenLog:
    log.entries[number] = change(LogLeaf.decode(log.entries[number])).encode()
    return log


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("field", ["size", "root"])
def test_a_leaf_that_names_another_state_is_found(kind, field):
    def lying(leaf: LogLeaf) -> LogLeaf:
        roots = list(leaf.state_roots)
        roots[kind] = replace(roots[kind], **{field: 77 if field == "size" else slot("other")})
        return replace(leaf, state_roots=tuple(roots))

    tree = ["users", "files"][kind]
    found = problems(replayed(changed(grown(20), 12, lying), {}))
    assert found == [f"12: the state of {tree} after it is another than it says; states after it were not looked at"]


def test_a_slot_that_leaves_out_one_is_found():
    def skipping(leaf: LogLeaf) -> LogLeaf:
        return replace(leaf, slots=tuple(replace(each, number=each.number + 1) for each in leaf.slots))

    (found,) = problems(replayed(changed(grown(20), 19, skipping), {}))
    assert found.startswith("19: its slots do not follow those before it")


def test_a_leaf_without_a_state_root_is_found():
    (found,) = problems(
        replayed(changed(grown(9), 8, lambda leaf: replace(leaf, state_roots=leaf.state_roots[:1])), {})
    )
    assert found.startswith("8: its slots do not follow")


def test_a_tree_that_is_not_known_here_is_no_fault():
    def joined(leaf: LogLeaf) -> LogLeaf:
        slots = (*leaf.slots, replace(leaf.slots[0], tree=9, number=4))
        return replace(leaf, slots=slots, state_roots=(*leaf.state_roots, StateRoot(9, 5, slot("names"))))

    assert problems(replayed(changed(grown(9), 8, joined), {})) == []


def test_bytes_that_are_no_leaf_are_found():
    log = grown(9)
    log.entries[4] = b"\x07" + log.entries[4][1:]
    assert problems(replayed(log, {}, records=False)) == [
        "4: it is no leaf (a leaf of version 7); states after it were not looked at"
    ]


@pytest.mark.parametrize("part", ["facts", "personal"])
def test_a_record_that_is_not_its_leafs_is_found(part):
    log = begun()
    record = log.records[1]
    other = RecordPart(getattr(record, part).salt, b"{}")
    log.records[1] = replace(record, **{part: other})
    (found,) = problems(replayed(log))
    assert found.startswith("1: its record is not the leaf's")


def test_an_erased_part_is_counted_and_no_fault():
    log = begun()
    log.records[1] = log.records[1].erased()
    done = replayed(log)
    assert (problems(done), done.erased, done.statements) == ([], 1, 1)


def test_a_clock_that_was_set_back_is_noted_and_no_fault():
    log = begun()
    log.time -= 1000
    log.add(LeafKind.SETTINGS_CHANGED)
    assert (problems(done := replayed(log)), done.steps_back) == ([], 1)


def test_a_record_that_cannot_be_read_is_found():
    log = begun()
    log.add(LeafKind.SETTINGS_CHANGED)
    part = RecordPart(bytes(16), b"no json")
    log.records[2] = LeafRecord(part)
    log = changed(log, 2, lambda leaf: replace(leaf, facts=log.records[2].facts_hash()))
    (found,) = problems(replayed(log))
    assert found.startswith("2: its record cannot be read")


def test_a_file_that_is_given_a_second_slot_is_found():
    log = begun()
    for number in (1, 2):
        log.add(LeafKind.FILE_COMMITTED, by_ada(file_id="07" * 16), files={number: "a"})
    assert problems(replayed(log)) == [f"3: file {'07' * 16} was there already: it has a second slot"]


def test_a_new_file_without_a_slot_is_found():
    log = begun()
    log.add(LeafKind.FILE_COMMITTED, by_ada(file_id="07" * 16), files={0: "a"})
    assert problems(replayed(log)) == [f"2: file {'07' * 16} is new, and no slot begins"]


@pytest.mark.parametrize("user_id", [1, 3])
def test_a_user_with_another_slot_than_their_id_is_found(user_id):
    log = begun()
    log.add(LeafKind.USER_JOINED, {"user_id": user_id}, users={1: "ivo"})
    assert problems(replayed(log)) == [f"2: it begins the slots of users [1], and its facts say [{user_id - 1}]"]


def test_a_user_that_nobody_joined_is_found():
    log = begun()
    log.add(LeafKind.ROLE_CHANGED, by_ada(user_id=2), users={1: "mallory"})
    assert problems(replayed(log)) == ["2: it begins the slots of users [1], and its facts say []"]


def test_a_key_that_becomes_another_is_found():
    log = begun()
    log.add(LeafKind.KEY_ADDED, by_ada(user_id=1, key_id=1, public_key="00" * 42))
    assert problems(replayed(log)) == ["2: key 1 is another than it was"]


# -- statements --------------------------------------------------------------------------------------------


def test_a_statement_that_holds_is_counted():
    done = replayed(moved(nonce=2))
    assert (problems(done), done.statements) == ([], 2)


@pytest.mark.parametrize(
    "kind", [LeafKind.FILE_MOVED, LeafKind.FOLDER_MOVED, LeafKind.OWNER_CHANGED, LeafKind.FOLDER_OWNER_CHANGED]
)
@pytest.mark.parametrize("facts", [{}, {"by": {"key": 1, "user": 1}}], ids=["the operator's", "somebody's"])
def test_what_people_alone_may_do_and_nobody_signed_is_found(kind, facts):
    log = begun()
    log.add(kind, {**facts, "file_id": "11" * 16, "old": "a", "new": "b"})
    assert problems(replayed(log)) == ["2: something was moved or handed over, and nobody signed that"]


def given_folder(to: int = 2) -> WrittenLog:
    """A log in which ada signed that folder 7 is another's."""
    log = begun()
    for user_id, name in ((2, "max"), (3, "mia")):
        log.add(LeafKind.USER_JOINED, {"user_id": user_id}, users={user_id - 1: name})
    statement, text = stated("owner", {"file": b"", "version": 0, "path": "d", "owner": "max"}, nonce=2)
    facts = by_ada(folder_id=7, path="d", owner_id=to, statement=statement)
    log.add(LeafKind.FOLDER_OWNER_CHANGED, facts, personal={"statement_text": text})
    return log


@pytest.mark.parametrize(
    ("facts", "removals", "decided"),
    [
        ({"folder_id": 7, "files_to": 2}, [], True),
        ({"folder_id": 7, "files_to": 3}, [], False),
        ({"folder_id": 8, "files_to": 2}, [], False),
        ({"folder_id": 7, "user_id": 2, "files_to": 3}, [], False),
        ({"folder_id": 7, "files_to": 3}, [(2, 3)], True),
        ({"folder_id": 7, "files_to": 2}, [(2, 3)], False),
        ({"user_id": 2, "files_to": 3}, [(2, 3)], True),
        ({"user_id": 2, "files_to": 1}, [(2, 3), (3, 1)], True),
        ({"user_id": 2, "files_to": 3}, [(2, 3), (3, 1)], False),
        ({"user_id": 2, "files_to": 3}, [], False),
        ({}, [], False),
    ],
)
def test_a_hand_over_that_nobody_decided_is_found(facts, removals, decided):
    log = given_folder()
    for user_id, heir in removals:
        log.add(LeafKind.USER_REMOVED, {"user_id": user_id, "files_to": heir}, users={user_id - 1: "gone"})
    log.add(LeafKind.HANDED_OVER, {**facts, "files": [], "folder_ids": []})
    found = problems(replayed(log))
    said = f"{5 + len(removals)}: files were handed over to user {facts.get('files_to')}, and nobody decided that"
    assert found == ([] if decided else [said])


def test_a_statement_to_another_server_is_found():
    (found,) = problems(replayed(moved(nonce=2, server_id=bytes(32))))
    assert found.endswith("it was given to another server")


def test_a_statement_of_another_user_is_found():
    (found,) = problems(replayed(moved(nonce=2, user=2)))
    assert found.endswith("it is user 2's")


def test_a_statement_that_stands_for_a_second_act_is_found():
    assert problems(replayed(moved(nonce=1))) == [
        "None: a statement stands for two acts: its nonce is 0000000000000001"
    ]


def test_a_statement_by_a_key_that_was_never_registered_is_found():
    log = begun()
    statement, text = stated("move", RENAMED, nonce=2)
    facts = {"by": {"key": 2, "user": 1}, "statement": statement}
    log.add(LeafKind.FOLDER_MOVED, facts, personal={"statement_text": text})
    (found,) = problems(replayed(log))
    assert found == "2: the statement of user 1 does not hold: key 2 was never registered as theirs"


def test_a_statement_by_the_key_of_another_user_is_found():
    log = begun()
    log.add(LeafKind.USER_JOINED, {"user_id": 2}, users={1: "ivo"})
    statement, text = stated("move", RENAMED, nonce=2, user=2)
    facts = {"by": {"key": 1, "user": 2}, "statement": statement}
    log.add(LeafKind.FOLDER_MOVED, facts, personal={"statement_text": text})
    (found,) = problems(replayed(log))
    assert found.endswith("key 1 was never registered as theirs")


@pytest.mark.parametrize(
    ("cut_off", "ended", "stay"), [(3, [1], [2, 3]), (3, [1, 2], [3]), (3, [1, 3, 2], []), (4, [1], [])]
)
def test_a_key_that_a_stolen_one_vouched_for_and_that_stays_is_found(cut_off: int, ended: list[int], stay: list[int]):
    """Directly, and by a key that it vouched for."""
    log = begun()
    log.add(LeafKind.KEY_ADDED, by_ada(user_id=1, key_id=4, public_key="04" * 42))
    by_second = {"by": {"key": 2, "user": 1}}
    log.add(LeafKind.KEY_ADDED, by_ada(user_id=1, key_id=2, public_key="02" * 42))
    log.add(
        LeafKind.KEY_ROTATED, {**by_second, "user_id": 1, "key_id": 3, "public_key": "03" * 42, "ended_key_ids": [2]}
    )
    log.add(LeafKind.KEY_ENDED, by_ada(user_id=1, ended_key_ids=ended, cut_off=cut_off))
    found = problems(replayed(log))
    assert [(each.split()[2], each.startswith("5: key")) for each in found] == [(str(key), True) for key in stay]


def test_a_statement_by_a_key_that_had_ended_is_found():
    log = begun()
    for nonce in (2, 3):
        statement, text = stated("key-rotate", {"key": bytes(42), "device": "new"}, nonce=nonce)
        facts = by_ada(user_id=1, key_id=nonce, public_key=bytes([nonce] * 42).hex(), ended_key_ids=[1])
        log.add(LeafKind.KEY_ROTATED, {**facts, "statement": statement}, personal={"statement_text": text})
    assert problems(replayed(log)) == ["3: the statement of user 1 does not hold: key 1 had ended"]


@pytest.mark.parametrize("kind", [LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED])
def test_a_file_that_a_key_stores_after_it_ended_is_found(kind):
    log = begun()
    log.add(LeafKind.KEY_ENDED, by_ada(user_id=1, ended_key_ids=[1]))
    log.add(kind, by_ada(file_id="0f" * 16), files={1: "late"})
    assert problems(replayed(log)) == ["3: key 1 had ended, and stores a file"]


def test_a_statement_of_another_act_is_found():
    log = begun()
    statement, text = stated("move", RENAMED, nonce=2)
    log.add(LeafKind.USER_REMOVED, by_ada(statement=statement), personal={"statement_text": text})
    (found,) = problems(replayed(log))
    assert found.endswith("it asks for move, and the leaf tells of user_removed")


@pytest.mark.parametrize("text_kept", [True, False])
def test_a_signature_that_does_not_hold_is_found(text_kept):
    log = begun()
    statement, text = stated("move", RENAMED, nonce=2)
    lines = statement.split("\n")
    lines[3] = lines[3].translate(str.maketrans("AB", "BA"))
    facts = by_ada(statement="\n".join(lines))
    log.add(LeafKind.FOLDER_MOVED, facts, personal={"statement_text": text} if text_kept else None)
    (found,) = problems(replayed(log))
    assert found.startswith("2: the statement of user 1 does not hold")


def test_a_text_that_was_not_signed_is_found():
    log = begun()
    statement, _ = stated("move", RENAMED, nonce=2)
    _, other = stated("move", {**RENAMED, "new": "c"}, nonce=2)
    log.add(LeafKind.FOLDER_MOVED, by_ada(statement=statement), personal={"statement_text": other})
    (found,) = problems(replayed(log))
    assert found.endswith("it says something else")


@pytest.mark.parametrize("text_kept", [True, False])
@pytest.mark.parametrize("purged", ["11", "22"])
def test_a_statement_over_another_file_than_the_leaf_tells_of_is_found(purged, text_kept):
    """A server that destroys another file than the one whose destruction somebody signed."""
    log = begun()
    fields = {"file": b"\x11" * 16, "version": 2, "folder": 0, "files": 0, "folders": 0, "trashed_at": 9, "path": "a"}
    statement, text = stated("destroy", fields, nonce=2)
    facts = by_ada(file_id=purged * 16, version=2, trashed_at=9, path="a", statement=statement)
    log.add(LeafKind.FILE_PURGE_BEGUN, facts, personal={"statement_text": text} if text_kept else None)
    found = problems(replayed(log))
    assert len(found) == (purged == "22")
    assert all(each.startswith("2: the statement of user 1 does not hold") for each in found)


def test_findings_beyond_the_first_are_counted():
    replay = Replay()
    for number in range(FINDINGS_KEPT + 5):
        replay.note(number, "something")
    done = replay.end()
    assert (len(done.findings), done.more_findings) == (FINDINGS_KEPT, 5)


def test_facts_are_read_as_json_bytes_with_any_other_name_in_them():
    log = begun()
    log.add(LeafKind.SETTINGS_CHANGED, {"name": "acme", "limits": [1, 2]})
    assert log.records[2].facts.body == json_bytes({"name": "acme", "limits": [1, 2]})
    assert problems(replayed(log)) == []
