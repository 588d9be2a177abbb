"""Whatever is registered begins with the same two steps: who asks, and may they?"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Sequence

import pytest
from msgspec import Struct
from msgspec.structs import replace

import sft.service
from sft.errors import (
    InternalError,
    LoginRefusedError,
    NotFoundError,
    OperatorOnlyError,
    RecordForgedError,
    RequestError,
    RoleForbidsError,
    RowForgedError,
    StoreError,
)
from sft.model.access import Caller, Permission, Role
from sft.model.events import DomainEvent, FolderMade, RoleChanged, UserJoined
from sft.service.use_case import USE_CASES, UseCase, act, as_refusal, batch_act, entry, query
from sft.store.row_types import SettingRow, UserRow
from sft.store.rows import ReadTransaction, Transaction
from sft.store.schema import SettingModel, UserModel
from sft.store.statements import rows_of
from sft.store.users import write_users
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, OPERATOR, ServiceFixture


class Note(Struct, frozen=True):
    caller: Caller
    text: str


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    before = dict(USE_CASES)
    yield
    USE_CASES.clear()
    USE_CASES.update(before)


def made(item: Note) -> DomainEvent:
    return FolderMade(by=item.caller, path=item.text, folder_ids=())


def write(transaction: Transaction, text: str) -> None:
    transaction.rows.insert([SettingRow(text, b"")])


def written(services: ServiceFixture) -> set[str]:
    with services.reading() as reading:
        return {row.name for row in reading.rows.all(rows_of(SettingRow, SettingModel.value == b""))}


def kinds_of(outcomes: Sequence[object]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def test_a_read_gets_the_caller_that_rules_now(services: ServiceFixture) -> None:
    @query(Permission.FILE_WRITE)
    def show(reading: ReadTransaction, caller: Caller, *, path: str) -> tuple[Caller, str]:
        return caller, path

    stale = replace(MAX.caller, name="old", role=Role.GUEST)
    assert services.ask(show, stale, path="x") == (MAX.caller, "x")
    with pytest.raises(RoleForbidsError):
        services.ask(show, replace(GUS.caller, role=Role.ADMIN), path="x")
    services.change_user(MAX, state="disabled")
    with pytest.raises(LoginRefusedError):
        services.ask(show, MAX, path="x")


def test_an_act_is_refused_one_by_one_and_writes_nothing_then(services: ServiceFixture) -> None:
    @act(Permission.FILE_WRITE, logs=(FolderMade,))
    def note(transaction: Transaction, item: Note) -> str:
        write(transaction, item.text)
        transaction.log(made(item))
        if item.text == "bad":
            raise NotFoundError(what="file", name="x")
        return f"{item.caller.name} {item.caller.role}: {item.text}"

    stale = replace(MAX.caller, role=Role.ADMIN)
    items = [Note(stale, "a"), Note(GUS.caller, "b"), Note(ADA.caller, "bad"), Note(ADA.caller, "c")]
    outcomes = services.act_each(note, *items)
    assert outcomes[0] == "max maintainer: a"
    assert kinds_of(outcomes) == [str, RoleForbidsError, NotFoundError, str]
    assert written(services) == {"a", "c"}
    assert services.events == [made(Note(MAX.caller, "a")), made(Note(ADA.caller, "c"))]


def test_an_act_is_judged_by_what_those_before_it_changed(services: ServiceFixture) -> None:
    @act(Permission.ROLE_CHANGE, logs=(RoleChanged,))
    def demote(transaction: Transaction, item: Note) -> str:
        row = transaction.rows.one(rows_of(UserRow, UserModel.name == item.text))
        assert row is not None
        write_users(transaction, [replace(row, role="guest")])
        before, role = Role(row.role), Role.GUEST
        transaction.log(RoleChanged(by=item.caller, user_id=row.id, name=row.name, before=before, role=role))
        return item.text

    services.change_user(MIA, role="admin")
    mia = replace(MIA.caller, role=Role.ADMIN)
    outcomes = services.act_each(demote, Note(ADA.caller, "mia"), Note(mia, "ada"))
    assert kinds_of(outcomes) == [str, RoleForbidsError]


def test_a_batch_gets_what_passed_and_its_answers_stand_where_they_belong(services: ServiceFixture) -> None:
    lists: list[list[Note]] = []

    @batch_act(Permission.FILE_WRITE, logs=())
    def note(transaction: Transaction, items: Sequence[Note]) -> list[str | RequestError]:
        lists.append(list(items))
        return [NotFoundError(what="file", name="x") if item.text == "bad" else item.text for item in items]

    services.change_user(MIA, state="removed")
    items = [
        Note(GUS.caller, "a"),
        Note(replace(MAX.caller, role=Role.GUEST), "b"),
        Note(MIA.caller, "c"),
        Note(ADA.caller, "bad"),
        Note(OPERATOR, "d"),
        Note(ADA.caller, "e"),
    ]
    outcomes = services.act_each(note, *items)
    assert kinds_of(outcomes) == [RoleForbidsError, str, LoginRefusedError, NotFoundError, RoleForbidsError, str]
    assert [outcomes[1], outcomes[5]] == ["b", "e"]
    assert lists == [[Note(MAX.caller, "b"), Note(ADA.caller, "bad"), Note(ADA.caller, "e")]]


def test_a_batch_that_nobody_may_is_not_begun(services: ServiceFixture) -> None:
    @batch_act(Permission.FILE_WRITE, logs=())
    def note(transaction: Transaction, items: Sequence[Note]) -> list[str]:
        raise AssertionError

    assert kinds_of(services.act_each(note, Note(GUS.caller, "a"))) == [RoleForbidsError]


def test_a_forged_caller_is_a_fault_and_no_refusal(services: ServiceFixture) -> None:
    # The writer then runs each input alone, so that only the forged one meets it.
    @act(Permission.FILE_WRITE, logs=(FolderMade,))
    def note(transaction: Transaction, item: Note) -> str:
        return item.text

    services.tamper("UPDATE users SET role = 'admin' WHERE id = 4")
    with pytest.raises(RowForgedError):
        services.act_each(note, Note(GUS.caller, "a"))


def test_what_is_registered_says_how() -> None:
    @act(Permission.VAULT_MANAGE, logs=(FolderMade,))
    def note(transaction: Transaction, item: Note) -> str:
        """Take a note."""
        return item.text

    assert USE_CASES[note] == UseCase(
        f"{__name__}.test_what_is_registered_says_how.<locals>.note", Permission.VAULT_MANAGE, (FolderMade,)
    )
    assert inspect.getdoc(note) == "Take a note."


def test_an_entry_asks_for_no_caller_and_is_undone_when_it_refuses(services: ServiceFixture) -> None:
    @entry(logs=(UserJoined,))
    def enter(transaction: Transaction, text: str) -> str:
        write(transaction, text)
        transaction.log(made(Note(MAX.caller, text)))
        if text == "bad":
            raise NotFoundError(what="file", name="x")
        return text

    with services.transaction() as transaction:
        assert kinds_of(enter(transaction, ["a", "bad"])) == [str, NotFoundError]
        assert transaction.events == [made(Note(MAX.caller, "a"))]
    assert written(services) == {"a"}
    assert USE_CASES[enter].permission is None


def test_the_operators_own_are_refused_to_everybody_else(services: ServiceFixture) -> None:
    @query(Permission.VAULT_MANAGE)
    def keys(reading: ReadTransaction, caller: Caller) -> str:
        return caller.name

    assert services.ask(keys, OPERATOR) == "operator"
    with pytest.raises(OperatorOnlyError):
        services.ask(keys, ADA)


def test_faults_are_told_from_refusals() -> None:
    refusal = NotFoundError(what="file", name="x")
    assert as_refusal(refusal) is refusal
    forged = as_refusal(RowForgedError("users", "3"))
    assert isinstance(forged, RecordForgedError)
    assert forged.values == {"what": "users 3"}
    for fault in (StoreError(problem="x"), KeyError("x"), MemoryError()):
        assert as_refusal(fault) is None
    assert as_refusal(InternalError()) is not None


def test_every_role_meets_every_registered_use_case(services: ServiceFixture) -> None:
    """A stranger to the permission is refused before the use case's own code: nothing else was given to it."""
    for module in pkgutil.walk_packages(sft.service.__path__, "sft.service."):
        importlib.import_module(module.name)
    from sft.model.access import allows

    callers = [ADA.caller, MAX.caller, GUS.caller, OPERATOR]
    assert len(USE_CASES) > 20
    entries = {case.name for case in USE_CASES.values() if case.permission is None}
    assert entries == {"sft.service.login.join"}
    for function, case in USE_CASES.items():
        for caller in callers:
            if case.permission is None or allows(caller.role, case.permission):
                continue
            if case.logs is None:
                with pytest.raises((RoleForbidsError, OperatorOnlyError)):
                    services.ask(function, caller)
            else:
                (outcome,) = services.act_each(function, Note(caller, "x"))
                assert isinstance(outcome, RoleForbidsError | OperatorOnlyError), case.name
