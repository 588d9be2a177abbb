"""What a commit decides, by what is there when it runs: each deciding thing changes between begin and commit."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import pytest

from sft.crypto.keys import SigningKey
from sft.crypto.notes import verify_receipts
from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    ExistsError,
    FolderInTheWayError,
    KeyRevokedError,
    LoginRefusedError,
    NameClashError,
    NotFoundError,
    NotYoursError,
    RequestError,
    RoleForbidsError,
    SignatureRefusedError,
    TransferEndedError,
)
from sft.model.access import Role
from sft.model.records import UserState
from sft.service import commits, folders, trash
from sft.service.files import list_folder, show_file
from sft.service.folders import MakeFolderInput, MoveInput
from sft.service.maintenance.recovery import Recovered, recover
from sft.service.pending import Pending
from sft.service.trash import Deletion
from sft.store.row_types import FileRow, SmallObjectRow, VersionRow
from sft.store.schema import FileModel
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    KEYRING,
    MAX,
    MIA,
    NOW,
    SERVER_KEY,
    Person,
    ServiceFixture,
    digest_of,
    file_id_of,
)

BIG = 40_000

# -- what is stored -----------------------------------------------------------------------------------


def test_a_first_version_is_stored_with_everything(services: ServiceFixture) -> None:
    stored = services.put(MAX, "F/Sub/Plan.pdf", b"content", mtime=-7)
    assert (stored.path, stored.version, stored.size) == ("F/Sub/Plan.pdf", 1, 7)
    assert not stored.unchanged
    shown = services.ask(show_file, GUS, path="F/Sub/Plan.pdf")
    assert (shown.owner, shown.version.author, shown.version.number) == ("max", "max", 1)
    assert (shown.version.dated_at, shown.version.stored_at) == (-7, NOW)
    assert shown.version.signed_name == "F/Sub/Plan.pdf"
    assert shown.version.public_key == MAX.public_key
    assert shown.version.digest == stored.digest == digest_of(b"content")


def test_the_receipt_says_what_was_stored(services: ServiceFixture) -> None:
    stored = services.put(MAX, "a", b"content")
    (receipt,) = verify_receipts(SERVER_KEY.public, stored.receipt)
    assert (receipt.file_id, receipt.version, receipt.size) == (file_id_of("a"), 1, 7)
    assert (receipt.digest, receipt.user, receipt.name) == (stored.digest, MAX.id, "a")
    assert receipt.stored_at == NOW
    (later,) = verify_receipts(SERVER_KEY.public, services.put(MAX, "b", b"content").receipt)
    shown = services.ask(show_file, MAX, path="a").version
    assert (receipt.leaf, later.leaf) == (shown.leaf, shown.leaf + 1)


def test_a_replace_keeps_the_owner_and_the_old_version(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    seen = services.ask(show_file, ADA, path="a")
    assert services.replace(ADA, "a", b"two", seen).version == 2
    shown = services.ask(show_file, GUS, path="a")
    assert (shown.owner, shown.version.author, shown.version.number) == ("max", "ada", 2)
    assert services.get(GUS, "a") == b"two"
    assert services.get(GUS, "a", version=1) == b"one"


@pytest.mark.parametrize("size", [7, BIG])
def test_the_same_bytes_by_the_same_author_are_there_already(services: ServiceFixture, size: int) -> None:
    content = os.urandom(size)
    (before_it,) = verify_receipts(SERVER_KEY.public, services.put(MAX, "a", content).receipt)
    services.now += 60
    before = list(services.vault.ids())
    again = services.put(MAX, "a", content, file_id=bytes(16))
    assert (again.version, again.unchanged) == (1, True)
    (receipt,) = verify_receipts(SERVER_KEY.public, again.receipt)
    assert receipt == before_it
    assert list(services.vault.ids()) == before
    assert not services.open_uploads()


def test_a_retry_of_a_replace_is_there_already(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    seen = services.ask(show_file, MAX, path="a")
    services.replace(MAX, "a", b"two", seen)
    again = services.replace(MAX, "a", b"two", seen)
    assert (again.version, again.unchanged) == (2, True)


def test_the_same_bytes_by_another_are_no_retry(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    with pytest.raises(ExistsError):
        services.put(MIA, "a", b"one")


def test_an_older_content_again_is_a_new_version(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    services.replace(MAX, "a", b"two", services.ask(show_file, MAX, path="a"))
    third = services.replace(MAX, "a", b"one", services.ask(show_file, MAX, path="a"))
    assert (third.version, third.unchanged) == (3, False)


# -- what changes between begin and commit -------------------------------------------------------------


def taken(who: Person, path: str, content: bytes = b"other") -> Callable[[ServiceFixture], object]:
    # Another file of another id at the place: what the race between two people is.
    return lambda services: services.put(who, path, content, file_id=os.urandom(16))


def folder_at(path: str) -> Callable[[ServiceFixture], object]:
    return lambda services: services.act(folders.make_folder, MakeFolderInput(ADA.caller, path))


def deleted(path: str) -> Callable[[ServiceFixture], object]:
    return lambda services: services.act(trash.delete, Deletion(ADA.caller, path))


def moved(old: str, new: str) -> Callable[[ServiceFixture], object]:
    return lambda services: services.act(folders.move, MoveInput(ADA.caller, old, new))


def owned_by(who: Person) -> Callable[[ServiceFixture], object]:
    def change(services: ServiceFixture) -> None:
        with services.transaction() as transaction:
            row = transaction.rows.one(rows_of(FileRow, FileModel.name == "old"))
            assert row is not None
            fields = {name: getattr(row, name) for name in row.__struct_fields__}
            transaction.rows.update([FileRow(**(fields | {"owner_id": who.id}))])

    return change


def replaced(who: Person) -> Callable[[ServiceFixture], object]:
    return lambda services: services.replace(who, "old", b"meanwhile", services.ask(show_file, who, path="old"))


NEW_FILE = [
    (lambda o: o.change_user(MAX, role=Role.GUEST), RoleForbidsError),
    (lambda o: o.change_user(MAX, state=UserState.DISABLED), LoginRefusedError),
    (lambda o: o.change_user(MAX, state=UserState.REMOVED), LoginRefusedError),
    (lambda o: o.end_key(MAX), KeyRevokedError),
    (taken(MIA, "d/new"), ExistsError),
    (taken(MAX, "d/new"), ExistsError),
    (taken(MIA, "d/NEW"), NameClashError),
    (taken(MIA, "d"), FolderInTheWayError),
    (taken(MIA, "D"), NameClashError),
    (folder_at("d/new"), FolderInTheWayError),
    (folder_at("d/New"), NameClashError),
    (folder_at("D"), NameClashError),
    (lambda o: o.put(MIA, "elsewhere", file_id=file_id_of("d/new")), BadRequestError),
]
REPLACE = [
    (lambda o: o.change_user(MAX, role=Role.GUEST), RoleForbidsError),
    (lambda o: o.change_user(MAX, state=UserState.DISABLED), LoginRefusedError),
    (lambda o: o.end_key(MAX), KeyRevokedError),
    (owned_by(MIA), NotYoursError),
    (replaced(ADA), ChangedSinceError),
    (replaced(MAX), ChangedSinceError),
    (deleted("old"), NotFoundError),
    (moved("old", "older"), NotFoundError),
    (lambda o: (deleted("old")(o), taken(MAX, "old")(o)), ChangedSinceError),
    (lambda o: (deleted("old")(o), folder_at("old")(o)), FolderInTheWayError),
]


@pytest.mark.parametrize(("meanwhile", "error"), NEW_FILE)
def test_a_new_file_is_judged_by_what_is_there_at_its_commit(
    services: ServiceFixture, meanwhile: Callable[[ServiceFixture], object], error: type[RequestError]
) -> None:
    item = services.stream(MAX, "d/new", bytes(BIG))
    meanwhile(services)
    with pytest.raises(error) as refused:
        services.commit(item)
    assert type(refused.value) is error
    nothing_of_it_is_left(services, item)


@pytest.mark.parametrize(("meanwhile", "error"), REPLACE)
def test_a_replace_is_judged_by_what_is_there_at_its_commit(
    services: ServiceFixture, meanwhile: Callable[[ServiceFixture], object], error: type[RequestError]
) -> None:
    services.put(MAX, "old", b"one")
    changes = {"version": 2, "prev": digest_of(b"one")}
    item = services.stream(MAX, "old", bytes(BIG), **changes)
    meanwhile(services)
    with pytest.raises(error) as refused:
        services.commit(item)
    assert type(refused.value) is error
    nothing_of_it_is_left(services, item)


def nothing_of_it_is_left(services: ServiceFixture, item: Pending) -> None:
    assert item.object_id not in services.vault.ids()
    assert not services.open_uploads()
    with services.readers.reading() as reading:
        versions = reading.rows.all(rows_of(VersionRow))
        assert item.object_id not in {row.object_id for row in versions}
        assert item.signed.digest not in {row.digest for row in versions}


def test_a_replace_of_a_handed_over_file_goes_on_for_its_new_owner(services: ServiceFixture) -> None:
    services.put(MAX, "old", b"one")
    owned_by(MIA)(services)
    services.replace(MIA, "old", b"two", services.ask(show_file, MIA, path="old"))
    assert services.get(GUS, "old") == b"two"


def test_a_new_role_counts_at_once(services: ServiceFixture) -> None:
    item = services.pend(GUS, "a", b"x")
    services.change_user(GUS, role=Role.MAINTAINER)
    assert services.commit(item).version == 1


def test_a_folder_that_appears_meanwhile_is_used(services: ServiceFixture) -> None:
    item = services.pend(MAX, "d/e/a", b"x")
    folder_at("d/e")(services)
    services.commit(item)
    (folder,) = services.ask(list_folder, GUS, path="").folders
    assert folder.path == "d"


def test_a_signature_by_another_key_of_the_same_user_is_refused(services: ServiceFixture) -> None:
    """The session's key decides, whatever the pending upload was checked under."""
    phone = services.add_key(MAX, SigningKey.from_seed(b"p" * 32, b"phone..."))
    item = services.pend(phone, "a", b"x")
    from msgspec.structs import replace

    swapped = replace(item, caller=MAX.caller)
    with pytest.raises(SignatureRefusedError):
        services.commit(swapped)
    assert services.commit(item).version == 1


@pytest.mark.parametrize("size", [10, BIG])
def test_a_key_under_an_older_master_key_moves_in_its_commit(services: ServiceFixture, size: int) -> None:
    """Its row would keep the old key for ever: nothing moves it after the rotation has passed."""
    item = services.stream(MAX, "a", bytes(size))
    services.vault.adopt(KEYRING.rotate(b"n" * 32))
    services.commit(item)
    services.vault.adopt(services.vault.keyring.retire())
    assert services.get(GUS, "a") == bytes(size)


@pytest.mark.parametrize("size", [10, BIG])
def test_an_object_under_a_retired_master_key_is_refused(services: ServiceFixture, size: int) -> None:
    item = services.stream(MAX, "a", bytes(size))
    services.vault.adopt(KEYRING.rotate(b"n" * 32).retire())
    with pytest.raises(TransferEndedError):
        services.commit(item)
    nothing_of_it_is_left(services, item)


# -- crashes ------------------------------------------------------------------------------------------


def test_a_crash_between_object_and_commit_leaves_nothing_but_its_row(disk_services: ServiceFixture) -> None:
    services = disk_services
    services.commit(services.stream(MAX, "kept", bytes(BIG)))
    lost = services.stream(MAX, "lost", bytes(BIG))
    # The process dies here: nobody commits, discards or settles.
    assert services.open_uploads() == [lost.object_id]
    assert recover(services.job_context) == Recovered(uploads=1)
    assert services.get(GUS, "kept") == bytes(BIG)
    assert lost.object_id not in services.vault.ids()
    assert recover(services.job_context) == Recovered()
    assert [file.path for file in services.ask(list_folder, GUS, path="").files] == ["kept"]


def test_a_crash_before_finish_leaves_nothing_visible(disk_services: ServiceFixture) -> None:
    services = disk_services
    upload = services.begin(MAX, "a", None)
    services.start(upload)
    upload.append(upload.seal([bytes(65_536)], last=False))
    assert not list(services.vault.ids())
    assert recover(services.job_context) == Recovered(uploads=1)
    assert not list(services.backend.leftovers())


def test_a_commit_that_is_rolled_back_stores_nothing_and_loses_nothing(services: ServiceFixture) -> None:
    item = services.stream(MAX, "a", bytes(BIG))
    with suppress(RuntimeError), services.transaction() as transaction:
        commits.commit(transaction, [item])
        raise RuntimeError
    with services.readers.reading() as reading:
        assert not reading.rows.all(rows_of(VersionRow))
    assert services.commit(item).version == 1
    assert services.get(GUS, "a") == bytes(BIG)


def test_small_contents_lie_sealed_in_the_database(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"the very secret content")
    with services.readers.reading() as reading:
        (row,) = reading.rows.all(rows_of(SmallObjectRow))
    assert b"secret" not in row.sealed
    assert b"secret" not in services.path.read_bytes()
