"""Every act says what it did, by the events that it is registered with; one that did nothing says nothing."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import sft.service
from sft.crypto.keys import InvitationKey, SigningKey
from sft.errors import RequestError
from sft.limits import TRASH_SECONDS
from sft.model import events
from sft.model.access import Role
from sft.model.events import DomainEvent
from sft.service import accounts, commits, folders, invitations, login, settings, trash
from sft.service.files import show_file
from sft.service.maintenance import purging, rotation
from sft.service.use_case import USE_CASES
from sft.store.files import versions_of_file
from tests.unit.service.office import (
    ADA,
    GUS,
    KEYRING,
    MAX,
    MIA,
    OPERATOR,
    SERVER_KEY,
    Office,
)

for _module in pkgutil.walk_packages(sft.service.__path__, "sft.service."):
    importlib.import_module(_module.name)

ACTS = {function: case for function, case in USE_CASES.items() if case.logs is not None}
LARGE = bytes(100_000)
NEW_KEY = b"k" * 32


def key_of(number: int) -> bytes:
    return SigningKey.from_seed(bytes([number]) * 32, bytes([number]) * 8).public.encode()


def invite(office: Office) -> int:
    wanted = invitations.MakeInvitationInput(ADA.caller, InvitationKey.generate().point)
    return office.act(invitations.make, wanted).invitation.id


# Each does an act so that it says all that it can.


def _join(office: Office) -> None:
    office.act(
        settings.change_settings,
        settings.SettingsChange(registration=settings.Registration.OPEN),
    )
    office.act(login.join, login.JoinInput("eva", key_of(9), "laptop"))


def _add_user(office: Office) -> None:
    office.act(accounts.add_user, accounts.AddUserInput(ADA.caller, "eva", Role.GUEST, key_of(9)))


def _change_role(office: Office) -> None:
    office.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "max", Role.GUEST))


def _disable(office: Office) -> None:
    office.act(accounts.disable, accounts.UserInput(ADA.caller, "max"))


def _enable(office: Office) -> None:
    office.change_user(MAX, state="disabled")
    office.act(accounts.enable, accounts.UserInput(ADA.caller, "max"))


def _remove(office: Office) -> None:
    office.put(MAX, "a")
    office.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))


def _withdraw(office: Office) -> None:
    office.act(
        invitations.withdraw, invitations.WithdrawInvitationInput(ADA.caller, invite(office))
    )


def _first_admin(office: Office) -> None:
    office.change_user(ADA, state="disabled")
    office.act(invitations.first_admin, invitations.FirstAdmin(InvitationKey.generate().point))


def _prepare(office: Office) -> None:
    office.tamper("DELETE FROM settings")
    office.tamper("DELETE FROM folders")
    office.act(settings.prepare, settings.NewServer("x", "h:1", SERVER_KEY.public.point))


def _change_settings(office: Office) -> None:
    office.act(settings.change_settings, settings.SettingsChange(address="h:2"))


def _make_folder(office: Office) -> None:
    office.act(folders.make_folder, folders.MakeFolderInput(MAX.caller, "d/e"))


def _move(office: Office) -> None:
    office.put(MAX, "d/a")
    office.act(folders.move, folders.MoveInput(MAX.caller, "d/a", "d/b"))
    office.act(folders.move, folders.MoveInput(MAX.caller, "d", "e"))


def _delete(office: Office) -> None:
    for path in ("a", "d/a", "d/e/a"):
        office.put(MAX, path)
    office.act(trash.delete, trash.Deletion(MAX.caller, "a"))
    office.act(trash.delete, trash.Deletion(MAX.caller, "d", recursive=True))


def _restore(office: Office) -> None:
    _delete(office)
    office.act(trash.restore, trash.Restoration(MAX.caller, "d/a"))


def _purge(office: Office) -> None:
    office.commit(office.stream(MAX, "large", LARGE))
    office.act(trash.delete, trash.Deletion(MAX.caller, "large"))
    office.act(purging.purge, purging.PurgeInput(OPERATOR, office.now + TRASH_SECONDS))


def _end_purges(office: Office) -> None:
    _purge(office)
    (gone,) = office.vault.ids()
    office.act(purging.end_purges, purging.EndPurgesInput(OPERATOR, (gone,)))


def _commit(office: Office) -> None:
    office.put(MAX, "d/a", b"one")
    office.replace(MAX, "d/a", b"two", office.ask(show_file, MAX, path="d/a"))


def _note_epochs(office: Office) -> None:
    office.put(MAX, "a")
    with office.reading() as reading:
        rows = versions_of_file(reading, 1)
    office.vault.adopt(KEYRING.rotate(NEW_KEY))
    office.act(rotation.note_epochs, rotation.Rewrapped(OPERATOR, office.storage, tuple(rows)))


def _end_rotation(office: Office) -> None:
    _note_epochs(office)
    office.act(rotation.end_rotation, rotation.RotationEnd(OPERATOR, 2))


def _swap(office: Office) -> None:
    office.put(MAX, "a")
    with office.reading() as reading:
        (row,) = versions_of_file(reading, 1)
    office.act(rotation.swap, rotation.Swap(OPERATOR, office.storage, row, b"n" * 16, None))


EXAMPLES: dict[Any, Callable[[Office], Any]] = {
    login.join: _join,
    accounts.add_user: _add_user,
    accounts.change_role: _change_role,
    accounts.disable: _disable,
    accounts.enable: _enable,
    accounts.remove: _remove,
    invitations.make: invite,
    invitations.withdraw: _withdraw,
    invitations.first_admin: _first_admin,
    settings.prepare: _prepare,
    settings.change_settings: _change_settings,
    folders.make_folder: _make_folder,
    folders.move: _move,
    trash.delete: _delete,
    trash.restore: _restore,
    purging.purge: _purge,
    purging.end_purges: _end_purges,
    commits.commit: _commit,
    rotation.note_epochs: _note_epochs,
    rotation.end_rotation: _end_rotation,
    rotation.swap: _swap,
}


def test_every_act_has_an_example_and_declares_what_it_logs() -> None:
    assert set(EXAMPLES) == set(ACTS)
    assert all(case.logs for case in ACTS.values())


def test_every_event_is_some_acts() -> None:
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, DomainEvent) and kind is not DomainEvent
    }
    assert {kind for case in ACTS.values() for kind in case.logs or ()} == kinds


@pytest.mark.parametrize("function", EXAMPLES, ids=lambda function: function.__name__)
def test_an_act_logs_all_that_it_declares(office: Office, function: Any) -> None:
    # That it logs nothing else, and logs whenever it changes a row, the office looks at in every test.
    EXAMPLES[function](office)
    assert set(ACTS[function].logs or ()) <= {type(event) for event in office.events}


REPEATED: dict[str, Callable[[Office], Any]] = {
    "joining": _join,
    "adding a user": _add_user,
    "a role": _change_role,
    "disabling": _disable,
    "enabling": lambda office: office.act(accounts.enable, accounts.UserInput(ADA.caller, "max")),
    "removing": lambda office: office.act(
        accounts.remove, accounts.RemoveUserInput(ADA.caller, "max")
    ),
    "settings": _change_settings,
    "a folder": _make_folder,
    "moving to where it is": lambda office: office.act(
        folders.move, folders.MoveInput(MAX.caller, "there", "there")
    ),
    "the same bytes": lambda office: office.put(MAX, "there"),
    "purging": lambda office: office.act(purging.purge, purging.PurgeInput(OPERATOR, office.now)),
    "purges that have ended": lambda office: office.act(
        purging.end_purges, purging.EndPurgesInput(OPERATOR, (bytes(16),))
    ),
}


@pytest.mark.parametrize("what", REPEATED)
def test_what_is_so_already_is_not_told_again(office: Office, what: str) -> None:
    office.put(MAX, "there")
    REPEATED[what](office)
    office.events.clear()
    REPEATED[what](office)
    assert office.events == []


def test_a_withdrawn_or_known_invitation_is_not_told_again(office: Office) -> None:
    wanted = invitations.MakeInvitationInput(ADA.caller, InvitationKey.generate().point)
    made = office.act(invitations.make, wanted).invitation
    gone = invitations.WithdrawInvitationInput(ADA.caller, made.id)
    assert office.act(invitations.withdraw, gone)
    office.events.clear()
    office.act(invitations.make, wanted)
    assert not office.act(invitations.withdraw, gone)
    assert office.events == []


def test_a_refused_item_says_nothing_and_the_others_are_told_in_order(office: Office) -> None:
    items = [office.pend(GUS if n % 3 == 2 else MAX, f"f{n}", b"x") for n in range(9)]
    outcomes = office.act_each(commits.commit, *items)
    refused = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, RequestError)]
    assert refused == [2, 5, 8]
    told = [event.path for event in office.events if isinstance(event, events.FileCommitted)]
    assert told == [f"f{n}" for n in (0, 1, 3, 4, 6, 7)]


def test_events_carry_what_a_record_needs(office: Office) -> None:
    _commit(office)
    first, second = office.events
    seen = office.ask(show_file, MAX, path="d/a", version=1)
    now = office.ask(show_file, MAX, path="d/a")
    assert first == events.FileCommitted(
        by=MAX.caller, file_id=seen.id, path="d/a", size=3, digest=seen.version.digest
    )
    assert second == events.FileReplaced(
        by=MAX.caller,
        file_id=seen.id,
        path="d/a",
        version=2,
        size=3,
        digest=now.version.digest,
        prev=seen.version.digest,
    )
    office.events.clear()
    office.put(MIA, "d/e/b")
    office.act(trash.delete, trash.Deletion(ADA.caller, "d", recursive=True))
    deleted = office.events[-1]
    assert isinstance(deleted, events.FolderDeleted)
    assert (deleted.by, deleted.path, len(deleted.folders)) == (ADA.caller, "d", 2)
    assert set(deleted.files) == {seen.id, office.events[0].file_id}  # type: ignore[attr-defined]


def test_who_removes_somebody_says_to_whom_the_files_went(office: Office) -> None:
    _remove(office)
    assert office.events[-1] == events.UserRemoved(
        by=ADA.caller, user_id=MAX.id, name="max", files_to=ADA.id, files=1
    )
