"""Every act on files obeys the table of rights: one case of each outcome; every role × ownership is in tests/integration."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    NotFoundError,
    NotYoursError,
    OperatorOnlyError,
    RoleForbidsError,
)
from sft.limits import FRAME_BYTES
from sft.model.access import Caller
from sft.service import destroying, downloads, expiry, files, folders, open_uploads, trash, uploads
from sft.service.commits import commit
from sft.service.maintenance import check, purging, rotation
from sft.service.use_case import USE_CASES
from sft.vault.master_key import FileMasterKey
from sft.vault.master_key_store import MasterKeyStore
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    MAX,
    MIA,
    OPERATOR,
    Person,
    ServiceFixture,
    digest_of,
    file_id_of,
)

YES, OWNER = "yes", "owner"
Act = Callable[[ServiceFixture, Person, Caller, Person], Any]


def caller_of(who: Person | None) -> Caller:
    return OPERATOR if who is None else who.caller


def put(services: ServiceFixture, who: Person, _caller: Caller, _owner: Person) -> Any:
    return services.put(who, "new", b"x")


def put_large(services: ServiceFixture, who: Person, _caller: Caller, _owner: Person) -> Any:
    return services.commit(services.stream(who, "new", bytes(30_000)))


def replace(services: ServiceFixture, who: Person, _caller: Caller, _owner: Person) -> Any:
    changes = {"file_id": file_id_of("d/a"), "version": 2, "prev": digest_of(b"content")}
    return services.put(who, "d/a", b"x", **changes)


def replace_large(services: ServiceFixture, who: Person, _caller: Caller, _owner: Person) -> Any:
    changes = {"file_id": file_id_of("d/a"), "version": 2, "prev": digest_of(b"content")}
    return services.commit(services.stream(who, "d/a", bytes(30_000), **changes))


def get(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(downloads.begin, caller, storage=services.storage, path="d/a").whole()


def get_many(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    (found,) = services.ask(
        downloads.begin_many, caller, storage=services.storage, files=[("d/a", 0)], room_bytes=FRAME_BYTES
    )
    if isinstance(found, Exception):
        raise found
    return found.whole()


def show(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(files.show_file, caller, path="d/a")


def show_many(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    (found,) = services.ask(files.show_files, caller, paths=["d/a"], builder=None)
    if isinstance(found, Exception):
        raise found
    return found


def listing(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(files.list_folder, caller, path="d")


def find(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(files.find_files, caller)


def list_trash(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(files.list_trash, caller)


def make_folder(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(folders.make_folder, folders.MakeFolderInput(caller, "new"))


def rename(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(folders.move, folders.MoveInput(caller, "d/a", "d/b"))


def rename_folder(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(folders.move, folders.MoveInput(caller, "d", "e"))


def delete(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(trash.delete, trash.Deletion(caller, "d/a"))


def delete_folder(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(trash.delete, trash.Deletion(caller, "d", recursive=True))


def restore(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    with contextlib.suppress(NotFoundError):  # asked for a second time
        services.act(trash.delete, trash.Deletion(ADA.caller, "d/a"))
    return services.act(trash.restore, trash.Restoration(caller, "d/a", services.seen_in_trash(caller, "d/a")))


def restore_folder(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    with contextlib.suppress(NotFoundError):  # asked for a second time
        services.act(trash.delete, trash.Deletion(ADA.caller, "d", recursive=True))
    return services.act(trash.restore, trash.Restoration(caller, "d", services.seen_in_trash(caller, "d")))


def restore_out_of_folder(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    with contextlib.suppress(NotFoundError):  # asked for a second time
        services.act(trash.delete, trash.Deletion(ADA.caller, "d", recursive=True))
    return services.act(trash.restore, trash.Restoration(caller, "d/a", services.seen_in_trash(caller, "d/a")))


def destroy_trashed(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    with contextlib.suppress(NotFoundError):  # asked for a second time
        services.act(trash.delete, trash.Deletion(ADA.caller, "d/a"))
    return services.act(
        destroying.destroy_trashed, destroying.TrashDestruction(caller, "d/a", services.seen_in_trash(caller, "d/a"))
    )


def destroy_version(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    with contextlib.suppress(ChangedSinceError):  # asked for a second time
        changes = {"file_id": file_id_of("d/a"), "version": 2, "prev": digest_of(b"content")}
        services.put(ADA, "d/a", b"x", **changes)
    item = destroying.VersionDestruction(caller, "d/a", file_id_of("d/a"), 1)
    return services.act(destroying.destroy_version, item)


def set_expiry(services: ServiceFixture, _who: Person, caller: Caller, owner: Person) -> Any:
    item = expiry.Expiry(caller, "d/a", file_id_of("d/a"), services.now + 60)
    return services.act(expiry.set_expiry, item)


def check_vault(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.ask(check.check, caller, context=services.job_context)


def collect(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    parts = {"context": services.job_context}
    return services.ask(purging.collect, caller, **parts)


def purge(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    return services.act(purging.purge, purging.PurgeInput(caller, services.now, (1,)))


def rotate(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    parts = {"context": services.job_context}
    source = FileMasterKey(services.keyring_path.with_name("master.key"))
    if not source.path.exists():  # each person of the table asks of one home
        source.create()
    master_keys = MasterKeyStore(services.keyring_path, source)
    return services.ask(rotation.rotate, caller, **parts, master_keys=master_keys)


def reencrypt(services: ServiceFixture, _who: Person, caller: Caller, _owner: Person) -> Any:
    parts = {"context": services.job_context}
    return services.ask(rotation.reencrypt, caller, **parts)


# Of whose file: own and another's for an admin, own and another's for a maintainer, own (from a time as maintainer)
# and another's for a guest, another's for the operator; None where it cannot be asked.
TABLE: list[tuple[Act, str]] = [
    (put, "yes yes yes yes role role none"),
    (put_large, "yes yes yes yes role role none"),
    (replace, "yes yes yes owner role role none"),
    (replace_large, "yes yes yes owner role role none"),
    (get, "yes yes yes yes yes yes role"),
    (get_many, "yes yes yes yes yes yes role"),
    (show, "yes yes yes yes yes yes yes"),
    (show_many, "yes yes yes yes yes yes yes"),
    (listing, "yes yes yes yes yes yes yes"),
    (find, "yes yes yes yes yes yes yes"),
    (list_trash, "yes yes yes yes role role yes"),
    (make_folder, "yes yes yes yes role role role"),
    (rename, "yes yes yes owner role role role"),
    (rename_folder, "yes yes yes owner role role role"),
    (delete, "yes yes yes owner role role yes"),
    (delete_folder, "yes yes yes owner role role yes"),
    (restore, "yes yes yes owner role role yes"),
    (restore_folder, "yes yes yes owner role role yes"),
    (restore_out_of_folder, "yes yes yes owner role role yes"),
    (destroy_trashed, "yes yes yes owner role role yes"),
    (destroy_version, "yes yes yes owner role role yes"),
    (set_expiry, "yes yes yes owner role role yes"),
    (check_vault, "role role role role role role yes"),
    (collect, "role role role role role role yes"),
    (purge, "role role role role role role yes"),
    (rotate, "role role role role role role yes"),
    (reencrypt, "role role role role role role yes"),
]
# One guest is the owner of a file: stored as a maintainer, then demoted.
COLUMNS: list[tuple[Person | None, Person]] = [
    (ADA, ADA), (ADA, MAX), (MAX, MAX), (MAX, MIA), (GUS, GUS), (GUS, MAX), (None, MAX),
]  # fmt: skip


def first_of_each(row: str) -> dict[str, int]:
    """Name the first column of each outcome of a row."""
    outcomes = row.split()
    return {outcome: outcomes.index(outcome) for outcome in outcomes if outcome != "none"}


CASES = [
    pytest.param(act, *COLUMNS[column], outcome, id=f"{act.__name__}-{outcome}")
    for act, row in TABLE
    for outcome, column in first_of_each(row).items()
]


@pytest.mark.parametrize(("act", "who", "owner", "outcome"), CASES)
def test_the_table_holds(services: ServiceFixture, act: Act, who: Person | None, owner: Person, outcome: str) -> None:
    if owner is GUS:
        services.change_user(GUS, role="maintainer")
    services.put(owner, "d/a", b"content")
    if owner is GUS:
        services.change_user(GUS, role="guest")
    if outcome == YES:
        act(services, who or ADA, caller_of(who), owner)
        return
    error = NotYoursError if outcome == OWNER else (RoleForbidsError, OperatorOnlyError)
    with pytest.raises(error):
        act(services, who or ADA, caller_of(who), owner)
    if who is not None:
        # A client's word on its own role counts for nothing.
        boastful = Person(Caller(who.id, who.id, "x", ADA.caller.role), who.key)
        with pytest.raises(error):
            act(services, boastful, boastful.caller, owner)
    if act not in {restore, restore_folder, restore_out_of_folder, destroy_trashed, destroy_version}:
        assert services.get(ADA, "d/a") == b"content"


def test_the_operator_stores_nothing(services: ServiceFixture) -> None:
    fields = {"storage": services.storage, "path": "a", "file_id": bytes(16), "version": 1, "size": 1}
    with pytest.raises((RoleForbidsError, OperatorOnlyError)):
        services.ask(uploads.begin, OPERATOR, **fields)
    from sft.service.pending import put_small

    with pytest.raises(BadRequestError):
        put_small(services.storage, OPERATOR, b"", path="a", signature=b"", content=b"")


def test_every_use_case_of_files_is_in_the_table() -> None:
    modules = {check, destroying, downloads, expiry, files, folders, open_uploads, rotation, trash, purging, uploads}
    names = {module.__name__ for module in modules} | {"sft.service.commits"}
    registered = {case.name for case in USE_CASES.values() if case.name.rsplit(".", 1)[0] in names}
    acted = {
        uploads.begin, commit, downloads.begin, downloads.begin_many, files.show_file, files.show_files,
        files.list_folder, files.find_files,
        files.list_trash, folders.make_folder, folders.move, trash.delete, trash.restore, purging.purge,
        expiry.set_expiry, destroying.destroy_trashed, destroying.destroy_version, check.check, purging.collect,
        rotation.rotate, rotation.reencrypt,
    }  # fmt: skip
    # Steps of the operator's jobs: that nobody else may do one, test_use_case asks.
    steps = {rotation.take_keys, rotation.end_rotation, rotation.swap}
    steps |= {purging.finish_destroying, purging.begin_purges, purging.purge_folders, purging.end_purges}
    steps |= {open_uploads.open_uploads, open_uploads.end_uploads, open_uploads.note_segments}
    steps |= {
        open_uploads.give_up_uploads,
        open_uploads.grow_uploads,
        uploads.in_the_way,
        rotation.take_upload_keys,
        uploads.kept_of_user,
    }
    # Of nobody's upload but one's own.
    steps |= {uploads.find, open_uploads.resume_upload}
    assert registered == {USE_CASES[function].name for function in acted | steps}
