"""Making the index again of what lies beside objects: what comes back, what does not, and that nobody is let in by it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sft.errors import LoginRefusedError
from sft.model.access import Role
from sft.model.records import UserState, VaultReport
from sft.service import accounts
from sft.service.caller import reload_caller
from sft.service.files import show_file
from sft.service.maintenance.check import check
from sft.service.maintenance.rebuild import DEVICE, rebuild
from sft.service.storage import FileStorage
from sft.store.database import Database
from sft.store.row_types import DeviceKeyRow, FileRow, UserRow, VersionRow
from sft.store.statements import rows_of
from tests.unit.service.service_fixture import (
    ADA,
    MAX,
    MIA,
    OPERATOR,
    SERVER_KEY,
    Person,
    ServiceFixture,
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


def run(services: ServiceFixture) -> VaultReport:
    return services.ask(rebuild, OPERATOR, context=services.job_context)()


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
    assert "2 people were made again" in report.notes[0]
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
    assert set(faults) == {"small version 2", "taken version 1", "cut version 1", f"object {bare.object_id.hex()}"}
    assert "nothing lies beside it" in faults[f"object {bare.object_id.hex()}"]
    assert set(services.vault.ids()) == before
    assert services.get(ADA, "taken") == b"since"


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
