"""Making the index again of what lies beside objects: what comes back, what does not, and that nobody is let in by it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_file
from sft.errors import BadRequestError, LoginRefusedError, NotFoundError, ObjectUnreadableError
from sft.ledger.slots import FileSlot, LostVersions, SlotVersion
from sft.limits import LOST_VERSIONS_RANGES
from sft.model.access import Role
from sft.model.policy import ServerPolicy
from sft.model.records import NoteAbout, UserState, VaultReport
from sft.service import accounts, commits
from sft.service.author_signature import Signed
from sft.service.caller import reload_caller
from sft.service.files import show_file
from sft.service.folders import MakeFolderInput, MoveInput, make_folder, move
from sft.service.log.evidence import EvidenceBuilder
from sft.service.maintenance.adopting import DEVICE
from sft.service.maintenance.check import check
from sft.service.maintenance.old_versions import destroy_old_versions
from sft.service.maintenance.rebuild import rebuild
from sft.service.storage import FileStorage
from sft.service.trash import Deletion, delete
from sft.service.version_tree import lost_versions
from sft.store.database import Database
from sft.store.files import versions_of_file
from sft.store.row_types import DeviceKeyRow, FileRow, UserRow, VersionRow
from sft.store.statements import rows_of
from tests.unit.service.log.test_evidence import Checked
from tests.unit.service.service_fixture import (
    ADA,
    MAX,
    MIA,
    NOW,
    OPERATOR,
    SERVER_KEY,
    Person,
    ServiceFixture,
    digest_of,
    person,
    reset,
)

BIG = 70_000
EVA = person(5, "eva", Role.MAINTAINER)
IVO = person(6, "ivo", Role.MAINTAINER)

PutBack = Callable[[], None]


@pytest.fixture
def put_back(services: ServiceFixture, database: Database, service_template: Path) -> PutBack:
    """Puts the database back to where there were four people and no file; the vault stays."""

    def back() -> None:
        reset(database, service_template)
        services._log = None
        services.storage = FileStorage(services.vault, SERVER_KEY, services.log.ledger)

    return back


def run(services: ServiceFixture, export_to: Path | str = "") -> VaultReport:
    return services.ask(rebuild, OPERATOR, context=services.job_context, export_to=str(export_to))()


def checked(services: ServiceFixture) -> tuple[str, ...]:
    return tuple(
        f"{each.what}: {each.problem}" for each in services.ask(check, OPERATOR, context=services.job_context)().faults
    )


def rows(services: ServiceFixture, kind: Any) -> list[Any]:
    with services.reading() as reading:
        return reading.rows.all(rows_of(kind))


def store(services: ServiceFixture, who: Person, path: str, **changes: Any) -> bytes:
    content = os.urandom(BIG)
    services.commit(services.stream(who, path, content, **changes))
    return content


def store_again(services: ServiceFixture, who: Person, path: str) -> bytes:
    seen = services.ask(show_file, who, path=path)
    return store(services, who, path, file_id=seen.id, version=seen.version.number + 1, prev=seen.version.digest)


def join(services: ServiceFixture, *people: Person) -> None:
    for each in people:
        added = accounts.AddUserInput(OPERATOR, each.caller.name, each.caller.role, each.public_key)
        services.act(accounts.add_user, added)


def test_versions_come_back_with_their_signatures_in_order(services: ServiceFixture, put_back: PutBack) -> None:
    first, second = store(services, MAX, "d/e/film"), store_again(services, MAX, "d/e/film")
    other = store(services, MIA, "plan")
    before = {
        (row.number, row.digest, row.signature, row.object_id, row.signed_name) for row in rows(services, VersionRow)
    }
    put_back()
    assert len(checked(services)) == 3, "nobody knows the objects"
    report = run(services)
    assert (report.files, report.versions, report.bytes_checked, report.faults) == (2, 3, 3 * BIG, ())
    after = {
        (row.number, row.digest, row.signature, row.object_id, row.signed_name) for row in rows(services, VersionRow)
    }
    assert after == before
    assert checked(services) == ()
    assert services.get(MAX, "d/e/film", 1) == first
    assert services.get(MAX, "d/e/film") == second
    assert services.get(MIA, "plan") == other
    assert {row.owner_id for row in rows(services, FileRow)} == {MAX.id, MIA.id}
    assert run(services) == VaultReport(files=0, versions=0, bytes_checked=0), "again there is nothing to do"


def test_who_is_made_again_is_a_guest_who_is_locked_out(services: ServiceFixture, put_back: PutBack) -> None:
    join(services, EVA, IVO)
    content = store(services, IVO, "a")
    put_back()
    report = run(services)
    assert report.faults == ()
    assert "2 people were made again" in report.notes[0].text
    eva, ivo = rows(services, UserRow)[4:]
    assert (eva.name, ivo.name, ivo.role, ivo.state) == ("unknown-5", "ivo", Role.GUEST, UserState.DISABLED)
    assert eva.state == UserState.DISABLED
    keys = [key for key in rows(services, DeviceKeyRow) if key.user_id > 4]
    assert [key.device for key in keys] == [DEVICE, DEVICE]
    assert keys[0].public_key != EVA.public_key, "a key that nobody has"
    with services.reading() as reading, pytest.raises(LoginRefusedError):
        reload_caller(reading, IVO.caller)
    assert checked(services) == ()
    download_of = rows(services, VersionRow)[0]
    assert download_of.author_id == IVO.id
    assert content


def test_somebody_with_several_keys_has_all_of_them(services: ServiceFixture, put_back: PutBack) -> None:
    join(services, EVA)
    store(services, EVA, "a")
    phone = services.add_key(EVA, person(9, "eva", Role.MAINTAINER).key)
    store(services, phone, "b")
    put_back()
    assert run(services).faults == ()
    keys = {key.public_key for key in rows(services, DeviceKeyRow) if key.user_id == EVA.id}
    assert keys == {EVA.public_key, phone.public_key}
    assert checked(services) == ()


def test_no_key_comes_back_to_somebody_who_is_let_in(services: ServiceFixture, put_back: PutBack) -> None:
    """What signed it may have been stolen, and ended, since the copy was made."""
    phone = services.add_key(MAX, person(9, "max", Role.MAINTAINER).key)
    store(services, phone, "a")
    put_back()
    (fault,) = run(services).faults
    assert "is not known here by this key" in fault.problem
    assert rows(services, FileRow) == []
    assert len([key for key in rows(services, DeviceKeyRow) if key.user_id == MAX.id]) == 1


def test_somebody_else_who_joined_since_keeps_the_place(services: ServiceFixture, put_back: PutBack) -> None:
    join(services, EVA)
    store(services, EVA, "a")
    put_back()
    join(services, Person(EVA.caller, IVO.key))
    (fault,) = run(services).faults
    assert "is not known here by this key" in fault.problem


def test_what_cannot_come_back_is_named_and_stays(services: ServiceFixture, put_back: PutBack) -> None:
    services.put(MAX, "small", b"in the database alone")
    store_again(services, MAX, "small")
    store(services, MAX, "taken")
    cut = services.stream(MAX, "cut", os.urandom(BIG))
    services.commit(cut)
    bare = services.stream(MAX, "bare", os.urandom(BIG))
    services.commit(bare)
    shelf = services.backend.shelf
    shelf.objects[cut.object_id] = shelf.objects[cut.object_id][:-1]
    del shelf.sidecars[bare.object_id]
    put_back()
    services.put(ADA, "taken", b"since")
    before = set(services.vault.ids())
    faults = {each.what: each.problem for each in run(services).faults}
    assert set(faults) == {"taken version 1", "cut version 1", f"object {bare.object_id.hex()}"}
    assert "nothing lies beside it" in faults[f"object {bare.object_id.hex()}"]
    assert set(services.vault.ids()) == before
    assert services.get(ADA, "taken") == b"since"


def test_what_the_system_does_not_let_be_read_is_named_and_the_rest_comes_back(
    services: ServiceFixture, put_back: PutBack, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = "one", "two", "three"
    uploads = [services.stream(MAX, path, os.urandom(BIG)) for path in paths]
    for each in uploads:
        services.commit(each)
    put_back()
    backend = services.backend
    read_sidecar, open_ = backend.read_sidecar, backend.open

    def refused(read: Callable[..., Any], shut: bytes) -> Callable[..., Any]:
        def reading(object_id: bytes, *more: Any) -> Any:
            if object_id == shut:
                raise ObjectUnreadableError(problem="it could not be read")
            return read(object_id, *more)

        return reading

    monkeypatch.setattr(backend, "read_sidecar", refused(read_sidecar, uploads[0].object_id))
    monkeypatch.setattr(backend, "open", refused(open_, uploads[1].object_id))
    report = run(services)
    assert {each.what for each in report.faults} == {f"object {uploads[0].object_id.hex()}", "two version 1"}
    assert (report.files, report.versions) == (1, 1)


def numbers(services: ServiceFixture, path: str) -> list[int]:
    with services.reading() as reading:
        (file,) = [row for row in rows(services, FileRow) if row.folded == path.rpartition("/")[2]]
        return [row.number for row in versions_of_file(reading, file.id)]


def proved(services: ServiceFixture, path: str, version: int) -> FileSlot:
    """Show a version with what proves it, and hold that to the file's slot as a client does."""
    builder = EvidenceBuilder()
    shown = services.ask(show_file, MAX, path=path, version=version, builder=builder).version
    found = Checked(services, builder)
    (slot,) = [slot for slot in found.slots.values() if isinstance(slot, FileSlot)]
    said = SlotVersion(shown.number, shown.leaf, shown.digest, shown.size)
    if version != slot.newest.number:
        (proof,) = found.evidence.versions
        slot.check_version(said, proof.inclusion)
    else:
        assert slot.newest == said
    return slot


def destroy_all_but(services: ServiceFixture, kept: int) -> None:
    services.database.policy = ServerPolicy(versions_kept=kept)
    services.ask(destroy_old_versions, OPERATOR, context=services.job_context)()


def test_a_file_whose_oldest_contents_were_destroyed_comes_back_with_the_others(
    services: ServiceFixture, put_back: PutBack
) -> None:
    store(services, MAX, "film")
    contents = {number: store_again(services, MAX, "film") for number in range(2, 13)}
    destroy_all_but(services, 5)
    put_back()
    report = run(services)
    assert (report.files, report.versions, report.faults) == (1, 5, ())
    (file,) = rows(services, FileRow)
    assert (file.newest, file.contents_kept, lost_versions(file)) == (12, 5, (LostVersions(1, 7),))
    assert numbers(services, "film") == [8, 9, 10, 11, 12]
    assert checked(services) == ()
    for number in range(8, 13):
        assert services.get(MAX, "film", number) == contents[number]
        slot = proved(services, "film", number)
        assert (slot.newest.number, slot.versions_kept, slot.versions_lost) == (12, 5, (LostVersions(1, 7),))
    with pytest.raises(NotFoundError):
        services.ask(show_file, MAX, path="film", version=7)
    # It goes on as any file: replaced, its oldest contents destroyed, proved, and made again once more.
    newer = {number: store_again(services, MAX, "film") for number in range(13, 16)}
    destroy_all_but(services, 2)
    assert [row.destroyed_at is None for row in rows(services, VersionRow)] == [False] * 6 + [True] * 2
    for number in (8, 13, 14, 15):
        proved(services, "film", number)
    assert checked(services) == ()
    put_back()
    assert run(services).versions == 2
    assert numbers(services, "film") == [14, 15]
    assert services.get(MAX, "film") == newer[15]
    assert checked(services) == ()


def test_what_lay_in_the_database_or_was_destroyed_between_others_counts_as_lost(
    services: ServiceFixture, put_back: PutBack
) -> None:
    first = store(services, MAX, "d/plan")
    services.replace(MAX, "d/plan", b"small", services.ask(show_file, MAX, path="d/plan"))
    third = store_again(services, MAX, "d/plan")
    services.replace(MAX, "d/plan", b"small", services.ask(show_file, MAX, path="d/plan"))
    services.replace(MAX, "d/plan", b"also", services.ask(show_file, MAX, path="d/plan"))
    sixth = store_again(services, MAX, "d/plan")
    put_back()
    assert run(services).faults == ()
    assert numbers(services, "plan") == [1, 3, 6]
    assert [services.get(MAX, "d/plan", number) for number in (1, 3, 6)] == [first, third, sixth]
    lost = (LostVersions(2, 2), LostVersions(4, 5))
    assert {proved(services, "d/plan", number).versions_lost for number in (1, 3, 6)} == {lost}
    destroy_all_but(services, 1)
    assert [row.destroyed_at is None for row in rows(services, VersionRow)] == [False, False, True]
    assert checked(services) == ()


def test_a_file_lies_where_its_newest_version_was_signed_to(
    services: ServiceFixture, put_back: PutBack, tmp_path: Path
) -> None:
    before = store(services, MAX, "old/name")
    services.act(make_folder, MakeFolderInput(MAX.caller, "new"))
    services.act(move, MoveInput(MAX.caller, "old/name", "new/name"))
    after = store_again(services, MAX, "new/name")
    put_back()
    report = run(services, tmp_path / "left")
    (fault,) = report.faults
    assert (fault.what, "another place than the newest" in fault.problem) == ("old/name version 1", True)
    assert services.get(MAX, "new/name") == after
    left = tmp_path / "left" / "max" / "old" / "name"
    assert before in [path.read_bytes() for path in left.iterdir()]


def test_of_two_files_at_one_path_the_one_that_was_signed_last_has_it(
    services: ServiceFixture, put_back: PutBack
) -> None:
    ids = sorted(os.urandom(16) for _ in range(2))
    for file_id, later in ((ids[0], 0), (ids[1], 60), (os.urandom(16), 30)):
        content = store(services, MAX, "a", file_id=file_id, ts=NOW + later)
        services.act(delete, Deletion(MAX.caller, "a", recursive=False))
        if later == 60:
            newest = content
    put_back()
    assert [each.what for each in run(services).faults] == ["a version 1"] * 2
    assert services.get(MAX, "a") == newest


def test_no_quota_keeps_out_what_was_stored_here(services: ServiceFixture, put_back: PutBack) -> None:
    content = store(services, MAX, "a")
    put_back()
    services.database.policy = ServerPolicy(quota_bytes=1, quota_files=0, file_bytes=1)
    assert run(services).faults == ()
    assert services.get(MAX, "a") == content


def test_what_has_no_place_is_written_to_files_that_stock_minisign_knows(
    services: ServiceFixture, put_back: PutBack, tmp_path: Path
) -> None:
    content = store(services, MAX, "d/taken")
    cut = services.stream(MAX, "cut", os.urandom(BIG))
    services.commit(cut)
    put_back()
    services.put(ADA, "d/taken", b"since")
    shelf = services.backend.shelf
    sealed = shelf.objects[cut.object_id]
    shelf.objects[cut.object_id] = sealed[:-1] + bytes([sealed[-1] ^ 1])
    services.put(ADA, "cut", b"since")
    assert run(services).notes[0].about == NoteAbout.WITHOUT_PLACE
    folder = tmp_path / "left"
    place = folder / "max" / "d" / "taken"
    place.mkdir(parents=True)
    known = services.vault.quarantine
    with pytest.MonkeyPatch.context() as patch:  # killed before it was put aside: that is done by the next
        patch.setattr(services.vault, "quarantine", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(services, folder)
    assert services.vault.quarantine == known
    report = run(services, folder)
    assert {each.what for each in report.faults} == {
        "d/taken version 1", "cut version 1", f"object {cut.object_id.hex()}",
    }  # fmt: skip
    found = {path.suffix: path for path in place.iterdir()}
    assert sorted(found) == ["", ".minisig", ".pub"]
    assert found[""].read_bytes() == content
    assert not list((folder / "max" / "cut").iterdir())
    signature = FileSignature.parse(found[".minisig"].read_bytes())
    said = verify_file(PublicKey.parse(found[".pub"].read_text()), digest_of(content), signature)
    assert (said.name, said.version, said.user) == ("d/taken", 1, MAX.id)
    assert found[""].stat().st_mode & 0o777 == 0o600
    assert "1 content without a place" in report.notes[0].text
    assert list(services.vault.ids()) == [cut.object_id], "what was written is put aside, what is damaged stays"
    assert services.vault.quarantine_figures()[0] >= 1
    with pytest.raises(BadRequestError):
        run(services, "not/whole")


def test_what_cannot_be_written_is_said(services: ServiceFixture, put_back: PutBack, tmp_path: Path) -> None:
    store(services, MAX, "taken")
    put_back()
    services.put(ADA, "taken", b"since")
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "max").symlink_to(tmp_path)
    faults = run(services, tmp_path / "left").faults
    assert ["cannot be written" in each.problem for each in faults] == [False, True]
    assert not (tmp_path / "taken").exists(), "never through a link"


def test_more_ranges_than_a_slot_takes_are_refused() -> None:
    lost = b""
    for number in range(LOST_VERSIONS_RANGES):
        lost = commits._lost(_signed_as(2 * number + 2), 2 * number, lost)
    with pytest.raises(BadRequestError):
        commits._lost(_signed_as(2 * LOST_VERSIONS_RANGES + 2), 2 * LOST_VERSIONS_RANGES, lost)
    assert commits._lost(_signed_as(2 * LOST_VERSIONS_RANGES + 1), 2 * LOST_VERSIONS_RANGES, lost) == lost


def _signed_as(version: int) -> Signed:
    return Signed(b"", version, 0, b"", 0, "", 1, None, b"")


def test_a_changed_sidecar_makes_nothing(services: ServiceFixture, put_back: PutBack) -> None:
    store(services, MAX, "a")
    (object_id,) = services.backend.shelf.sidecars
    sealed = services.backend.shelf.sidecars[object_id]
    services.backend.shelf.sidecars[object_id] = sealed[:-1] + bytes([sealed[-1] ^ 1])
    put_back()
    (fault,) = run(services).faults
    assert fault.what == f"object {object_id.hex()}"
    assert rows(services, FileRow) == []


def test_after_a_rotation_and_a_reencryption_the_sidecars_serve_yet(
    services: ServiceFixture, put_back: PutBack
) -> None:
    from sft.service.maintenance.rotation import reencrypt

    content = store(services, MAX, "a")
    services.ask(reencrypt, OPERATOR, context=services.job_context)()
    put_back()
    assert run(services).versions == 1
    assert services.get(MAX, "a") == content


@pytest.mark.parametrize("seed", range(8))
def test_a_rebuild_that_was_killed_is_finished_by_the_next(
    services: ServiceFixture, put_back: PutBack, seed: int
) -> None:
    join(services, EVA, IVO)
    contents = {f"d/{n}": store(services, (MAX, IVO)[n % 2], f"d/{n}") for n in range(6)}
    put_back()
    assert services.killed_after(seed, rebuild)
    assert run(services).faults == ()
    assert checked(services) == ()
    assert {row.name for row in rows(services, FileRow)} == {path.rpartition("/")[2] for path in contents}
    assert len(rows(services, UserRow)) == 6
