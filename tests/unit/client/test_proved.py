"""What an answer proves, in every way that it may lie: nothing is believed but slots under the head."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from sft.client.log_follower import LogFollower
from sft.client.proved import ProvedState
from sft.crypto.comment import FileComment
from sft.crypto.keys import ServerKey
from sft.crypto.signatures import sign_file
from sft.errors import LocalProtocolError, LogProofError
from sft.ledger.slots import FileSlot, FileState, FolderSlot, FolderState, LostVersions, decode_slot, encode_slot
from sft.model.access import Role
from sft.model.evidence import ProvedVersion
from sft.model.records import DeviceKey, File, FileVersion, KeyEnd, User, UserState
from tests.unit.client.log_in_memory import FILES, USERS, LogInMemory
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, MAX_KEY
from tests.unit.ledger.stored import versions_root

KEY = ServerKey.from_seed(bytes(range(32)))
ONE, TWO = b"1" * 16, b"2" * 16
PATH = "docs/2026/plan.pdf"
ADA = ADA_KEY.public.encode()


def digest(number):
    return hashlib.blake2b(bytes([number])).digest()


def file_of(log, file_id=ONE, path=PATH, number=1, **fields):
    """A file and one of its versions as a server describes it truly."""
    version = log.versions[log.places[file_id]][number - 1]
    comment = FileComment(
        server_id=KEY.public.server_id(), file_id=file_id, version=number, size=version.size, digest=version.digest,
        mtime=0, name=path, user=7, prev=None if number == 1 else digest(number - 1), ts=1,
    )  # fmt: skip
    said = {
        "number": number, "author_id": 7, "author": "ada", "public_key": ADA, "size": version.size, "digest": version.digest,
        "dated_at": 0, "stored_at": 1000, "signed_name": path, "leaf": version.commit,
        "signature": sign_file(ADA_KEY, comment).encode(),
    }  # fmt: skip
    whole = {"id": file_id, "path": path, "owner_id": 7, "owner": "ada"}
    for name, value in fields.items():
        (said if name in said else whole)[name] = value
    return File(**whole, version=FileVersion(**said))


@pytest.fixture
def log():
    log = LogInMemory(KEY)
    log.user(8, "max", MAX_KEY.public.encode())
    log.user(7, "ada", ADA)
    log.file(TWO, "other", 8, 1, digest(9), 9)
    for number in (1, 2, 3):
        log.file(ONE, PATH, 7, number, digest(number), number)
    return log


def proved(log, evidence, what="it"):
    view = LogFollower("acme", KEY.public.server_id(), [], lambda error, _: error)
    view.begin(KEY.public, log.note(), ())
    return ProvedState(view, None if evidence is None else view.hold(evidence), what)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_file_its_path_version_and_signer_stand_under_the_head(log, number):
    file = file_of(log, number=number)
    found = proved(log, log.evidence_of(file)).file(file)
    assert (found.number, found.version.number, found.signer.id) == (log.places[ONE], number, 7)
    assert found.version == log.versions[log.places[ONE]][number - 1]


def test_many_files_are_proved_together(log):
    files = [file_of(log, number=3)]
    for number in range(20):
        file_id = bytes([number]) * 16
        log.file(file_id, f"docs/{number}", 7, 1, digest(number), 5)
        files.append(file_of(log, file_id, f"docs/{number}"))
    state = proved(log, log.evidence_of(*files))
    assert [state.file(file).slot.id for file in files] == [file.id for file in files]


FILE_LIES = {
    "another id": {"id": TWO},
    "another path": {"path": "docs/plan.pdf"},
    "another name": {"path": "docs/2026/plans.pdf"},
    "the top": {"path": "plan.pdf"},
    "another owner": {"owner_id": 8},
    "another digest": {"digest": digest(7)},
    "another size": {"size": 7},
    "another leaf": {"leaf": 1},
    "an older version without proof": {"number": 2},
    "another author": {"author_id": 8},
    "no such author": {"author_id": 9},
    "another name of the author": {"author": "eve"},
    "in the trash": {"trashed_at": 5},
}


@pytest.mark.parametrize("lie", FILE_LIES)
def test_what_a_server_says_of_a_file_is_what_the_log_has(log, lie):
    """The evidence is the true one: nothing but the words beside it is changed."""
    file = file_of(log, number=3)
    state = proved(log, log.evidence_of(file, file_of(log, TWO, "other")))
    said = file_of(log, **{"number": 3, **FILE_LIES[lie]})
    with pytest.raises(LogProofError) as caught:
        state.file(said)
    assert caught.value.values["what"] == "it"


def changed(log, place, **fields):
    """Let a slot say something else, in the log too."""
    slot = decode_slot(log.records[FILES][place])
    log.put(FILES, place, msgspec.structs.replace(slot, **fields))


@pytest.mark.parametrize("epoch", [1, 2])
def test_versions_are_lost_in_a_log_that_was_begun_again_and_in_no_other(epoch):
    log = LogInMemory(KEY, epoch=epoch)
    log.user(8, "max", MAX_KEY.public.encode())
    log.user(7, "ada", ADA)
    for number in (1, 2, 3):
        log.file(ONE, PATH, 7, number, digest(number), number)
    place = log.places[ONE]
    kept = log.versions[place][1:]
    changed(log, place, versions_kept=2, versions_root=versions_root(kept), versions_lost=(LostVersions(1, 1),))
    file, older = file_of(log, number=3), file_of(log, number=2)
    proof = ProvedVersion(place, 2, (kept[1].hash(),))
    answer = msgspec.structs.replace(log.evidence_of(file), versions=(proof,))
    state = proved(log, answer)
    if epoch == 1:
        with pytest.raises(LogProofError, match="never begun again"):
            state.file(file)
        return
    assert state.file(file).version.number == 3
    assert state.file(older).version == kept[0]
    first = file_of(log, number=1)
    lying = msgspec.structs.replace(answer, versions=(ProvedVersion(place, 1, proof.inclusion),))
    with pytest.raises(LogProofError, match="version 1 was lost"):
        proved(log, lying).file(first)


SLOT_LIES = {
    "in the trash": {"state": FileState.TRASHED, "folder": None, "trashed_from": PATH},
    "purged": {"state": FileState.PURGED, "folder": None, "name": ""},
    "in another folder": {"folder": 0},
    "under another name": {"name": "plans.pdf"},
    "of another id": {"id": TWO},
    "of another owner": {"owner": 8},
}


@pytest.mark.parametrize("lie", SLOT_LIES)
def test_a_file_is_what_its_slot_says_now(log, lie):
    file = file_of(log, number=3)
    changed(log, log.places[ONE], **SLOT_LIES[lie])
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": FolderState.TRASHED, "parent": None, "trashed_from": "docs"},
        {"state": FolderState.PURGING, "parent": None},
        {"name": "papers"},
    ],
)
@pytest.mark.parametrize("folder", ["docs", "docs/2026"])
def test_a_file_lies_where_the_chain_of_its_folders_leads(log, fields, folder):
    file = file_of(log, number=3)
    changed(log, log.folders[folder], **fields)
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file)


def test_folders_in_a_circle_end(log):
    file = file_of(log, number=3)
    changed(log, log.folders["docs"], parent=log.folders["docs/2026"])
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file)


def test_a_file_in_the_trash_does_not_lie_where_it_lay(log):
    """The server says itself that it is deleted: what is asked for by that name is another file, or none."""
    file = file_of(log, number=3, trashed_at=5)
    changed(log, log.places[ONE], state=FileState.TRASHED, folder=None, trashed_from=PATH)
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file)


def without(evidence, tree, number):
    return msgspec.structs.replace(
        evidence, slots=tuple(each for each in evidence.slots if (each.tree, each.number) != (tree, number))
    )


def with_record(evidence, tree, number, record):
    slots = [
        msgspec.structs.replace(each, record=record) if (each.tree, each.number) == (tree, number) else each
        for each in evidence.slots
    ]
    return msgspec.structs.replace(evidence, slots=tuple(slots))


def renamed(log, place):
    return encode_slot(msgspec.structs.replace(decode_slot(log.records[FILES][place]), name="x"))


EVIDENCE_LIES = {
    "nothing": lambda _log, _true: None,
    "no slots": lambda _log, true: msgspec.structs.replace(true, slots=()),
    "no proofs": lambda _log, true: msgspec.structs.replace(true, proofs=()),
    "no slot of the file": lambda log, true: without(true, FILES, log.places[ONE]),
    "no slot of a folder": lambda log, true: without(true, FILES, log.folders["docs"]),
    "no slot of the signer": lambda _log, true: without(true, USERS, 6),
    "another record": lambda log, true: with_record(
        true, FILES, log.places[ONE], renamed(log, log.places[ONE])
    ),
    "a record that is none": lambda log, true: with_record(true, FILES, log.places[ONE], b"x"),
    "another user's record": lambda log, true: with_record(true, USERS, 6, log.records[USERS][7]),
    "a slot twice": lambda _log, true: msgspec.structs.replace(true, slots=(*true.slots, true.slots[0])),
    "a proof cut short": lambda _log, true: msgspec.structs.replace(
        true, proofs=(msgspec.structs.replace(true.proofs[0], hashes=true.proofs[0].hashes[:-1]), *true.proofs[1:])
    ),
    "a proof too many": lambda _log, true: msgspec.structs.replace(true, proofs=(*true.proofs, true.proofs[0])),
    "proofs the other way round": lambda _log, true: msgspec.structs.replace(
        true, proofs=tuple(msgspec.structs.replace(each, tree=3 - each.tree) for each in true.proofs)
    ),
    "slots of the other tree": lambda _log, true: msgspec.structs.replace(
        true, slots=tuple(msgspec.structs.replace(each, tree=3 - each.tree) for each in true.slots)
    ),
}  # fmt: skip


@pytest.mark.parametrize("lie", EVIDENCE_LIES)
def test_what_does_not_prove_an_answer_ends_the_session(log, lie):
    file = file_of(log, number=3)
    with pytest.raises(LogProofError):
        proved(log, EVIDENCE_LIES[lie](log, log.evidence_of(file))).file(file)


def test_a_slot_of_before_is_refused_under_the_head_of_now(log):
    """A rollback of one file: the record that stood there, with the proof of now for all else."""
    place = log.places[ONE]
    before = log.records[FILES][place]
    log.file(ONE, PATH, 7, 4, digest(4), 4)
    old = file_of(log, number=3)
    with pytest.raises(LogProofError):
        proved(log, with_record(log.evidence_of(old), FILES, place, before)).file(old)


@pytest.mark.parametrize("lie", ["none", "cut", "another"])
def test_an_older_version_is_proved_among_those_of_its_file(log, lie):
    file = file_of(log, number=1)
    true = log.evidence_of(file)
    (entry,) = true.versions
    lies = {
        "none": (),
        "cut": (msgspec.structs.replace(entry, inclusion=entry.inclusion[:-1]),),
        "another": (msgspec.structs.replace(entry, file=log.places[TWO]),),
    }
    with pytest.raises(LogProofError):
        proved(log, msgspec.structs.replace(true, versions=lies[lie])).file(file)


@pytest.mark.parametrize("fields", [{"digest": digest(7)}, {"size": 8}, {"leaf": 3}])
def test_an_older_version_is_the_one_that_was_committed(log, fields):
    file = file_of(log, number=1)
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file_of(log, number=1, **fields))


def test_a_second_slot_of_one_file_is_caught(log):
    file = file_of(log, number=3)
    state = proved(log, log.evidence_of(file))
    found = state.file(file)
    state.require_place(found, 0)
    state.require_place(found, log.places[ONE])
    with pytest.raises(LogProofError):
        state.require_place(found, log.places[ONE] + 1)


def test_one_file_in_two_slots_is_caught_within_an_answer_too(log):
    file = file_of(log, number=3)
    changed(log, log.places[TWO], id=ONE)
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file, file_of(log, TWO, "other")))


def test_what_is_not_held_when_it_came_proves_nothing(log):
    view = LogFollower("acme", KEY.public.server_id(), [], lambda error, _: error)
    view.begin(KEY.public, log.note(), ())
    with pytest.raises(LocalProtocolError):
        ProvedState(view, log.evidence(), "it")


def person(**fields):
    said = {
        "id": 7, "name": "ada", "role": Role.MAINTAINER, "state": UserState.ACTIVE, "created_at": 0,
        "keys": (DeviceKey(1, ADA, "laptop", 0),),
    }  # fmt: skip
    return User(**{**said, **fields})


def test_a_person_is_what_the_slot_says(log):
    state = proved(log, log.evidence([(USERS, 6)]))
    assert state.require_user(person()).id == 7


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 8},
        {"id": 9},
        {"name": "eve"},
        {"role": Role.ADMIN},
        {"state": UserState.DISABLED},
        {"keys": ()},
        {"keys": (DeviceKey(1, MALLORY_KEY.public.encode(), "laptop", 0),)},
        {"keys": (DeviceKey(1, ADA, "laptop", 0), DeviceKey(2, MALLORY_KEY.public.encode(), "desktop", 0))},
        {"keys": (DeviceKey(1, ADA, "laptop", 0, 5),)},
        {"keys": (DeviceKey(1, ADA, "laptop", 0, None, 1),)},
        {"keys": (DeviceKey(1, ADA, "laptop", 0, 5, 0, 9, None, KeyEnd.RETIRED),)},
        {"keys": (DeviceKey(1, ADA, "laptop", 0, None, 0, None, 3),)},
    ],
)
def test_a_person_who_is_another_in_the_registry_is_refused(log, fields):
    state = proved(log, log.evidence([(USERS, 6)]))
    with pytest.raises(LogProofError):
        state.require_user(person(**fields))


def test_a_folder_does_not_pass_for_a_file_nor_the_reverse(log):
    place = log.folders["docs"]
    slot = decode_slot(log.records[FILES][log.places[ONE]])
    assert isinstance(decode_slot(log.records[FILES][place]), FolderSlot)
    assert isinstance(slot, FileSlot)
    log.put(FILES, place, msgspec.structs.replace(slot, id=TWO))
    file = file_of(log, number=3)
    with pytest.raises(LogProofError):
        proved(log, log.evidence_of(file)).file(file)
