"""Every act that people sign is refused without its statement, and with one that says anything else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

import sft.service
from sft.crypto.keys import InvitationKey, SigningKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ACTS, ActStatement
from sft.errors import LoginRefusedError, SignatureRefusedError
from sft.ledger.facts import Facts
from sft.ledger.stated_facts import require_said
from sft.model.access import Role
from sft.model.events import StatedEvent
from sft.model.quotas import NO_LIMIT
from sft.model.records import FileSeen, KeyEnd, TrashSeen
from sft.service import (
    accounts,
    destroying,
    expiry,
    folders,
    invitations,
    key_resets,
    keys,
    login,
    owners,
    quota_changes,
    receiving,
    settings,
    trash,
)
from sft.service.act_statement import AskedAct
from sft.service.files import show_file
from sft.service.log.events import facts_of, line_of
from sft.service.maintenance import old_versions, purging, rebuild
from sft.service.use_case import USE_CASES
from tests.fakes.signed_acts import statement_of
from tests.unit.service.service_fixture import (
    ADA,
    MAX,
    NOW,
    OPERATOR,
    PEOPLE,
    SERVER_ID,
    Person,
    ServiceFixture,
    file_id_of,
    signature_of,
)

for _module in pkgutil.walk_packages(sft.service.__path__, "sft.service."):
    importlib.import_module(_module.name)

SECOND = SigningKey.from_seed(b"2" * 32, b"2" * 8)
EVA = SigningKey.from_seed(b"e" * 32, b"e" * 8)
POINT = InvitationKey.from_seed(bytes(32)).point
OTHER_POINT = InvitationKey.from_seed(b"\1" * 32).point
SEEN = FileSeen(file_id_of("d/a"), 1)
GONE = TrashSeen(NOW, FileSeen(file_id_of("gone"), 1))
OF_TRASH: list[dict[str, Any]] = [
    {"path": "d/a"},
    *(
        {"seen": replace(GONE, **other)}
        for other in (
            {"file": FileSeen(file_id_of("gone"), 2)},
            {"file": SEEN},
            {"file": None},
            {"trashed_at": NOW + 1},
            {"folder_id": 1},
            {"files": 1},
            {"folders": 1},
        )
    ),
]

# Of each act: who does it, its input, and inputs that say something else.
Case = tuple[Callable[..., Any], Any, list[dict[str, Any]]]
CASES: dict[str, Case] = {
    "join": (login.join, login.JoinInput("eva", EVA.public.encode(), "laptop"), [{"name": "ева"}, {"device": "phone"}]),
    "invite": (
        invitations.make,
        invitations.MakeInvitationInput(ADA.caller, POINT, Role.GUEST, "eva", 3600),
        [{"public_key": OTHER_POINT}, {"role": Role.ADMIN}, {"name": "ivo"}, {"name": None}, {"seconds": 0}],
    ),
    "withdraw": (invitations.withdraw, invitations.WithdrawInvitationInput(ADA.caller, 1), [{"invitation_id": 2}]),
    "add": (
        accounts.add_user,
        accounts.AddUserInput(ADA.caller, "eva", Role.GUEST, EVA.public.encode(), "laptop"),
        [{"name": "ivo"}, {"role": Role.ADMIN}, {"public_key": b"Ed" + bytes(40)}, {"device": ""}],
    ),
    "role": (
        accounts.change_role,
        accounts.ChangeRoleInput(ADA.caller, "gus", Role.MAINTAINER),
        [{"name": "GUS"}, {"role": Role.ADMIN}],
    ),
    "key-reset-link": (
        key_resets.offer_reset,
        key_resets.OfferResetInput(ADA.caller, "gus", POINT, KeyEnd.COMPROMISED, 1),
        [{"name": "mia"}, {"public_key": OTHER_POINT}, {"cut_off": 2}, {"reason": KeyEnd.RETIRED, "cut_off": 0}],
    ),
    "disable": (accounts.disable, accounts.DisableInput(ADA.caller, "gus"), [{"name": "mia"}]),
    "enable": (accounts.enable, accounts.EnableInput(ADA.caller, "mia"), [{"name": "gus"}]),
    "quota": (
        quota_changes.change_quota,
        quota_changes.ChangeQuotaInput(ADA.caller, "gus", 50, None),
        [{"name": "mia"}, {"size_bytes": None}, {"size_bytes": 51}, {"files": NO_LIMIT}],
    ),
    "remove": (
        accounts.remove,
        accounts.RemoveUserInput(ADA.caller, "gus", "max"),
        [{"name": "mia"}, {"files_to": ""}, {"files_to": "mia"}],
    ),
    "key-add": (
        keys.add_key,
        keys.AddKeyInput(MAX.caller, EVA.public.encode(), "phone"),
        [{"public_key": b"Ed" + bytes(40)}, {"device": "tablet"}],
    ),
    "key-rotate": (
        keys.rotate_key,
        keys.RotateKeyInput(MAX.caller, EVA.public.encode(), "phone"),
        [{"public_key": b"Ed" + bytes(40)}, {"device": "tablet"}],
    ),
    "key-revoke": (
        keys.revoke_key,
        keys.RevokeKeyInput(MAX.caller, SECOND.public.encode(), KeyEnd.RETIRED),
        [{"public_key": MAX.public_key}, {"reason": KeyEnd.COMPROMISED}, {"cut_off": 8}],
    ),
    "key-reset": (
        keys.reset_key,
        keys.ResetKeyInput(ADA.caller, "gus", EVA.public.encode(), "phone", KeyEnd.COMPROMISED, 1),
        [
            {"name": "mia"},
            {"public_key": b"Ed" + bytes(40)},
            {"device": "tablet"},
            {"reason": KeyEnd.RETIRED},
            {"cut_off": 8},
        ],
    ),
    "make-folder": (folders.make_folder, folders.MakeFolderInput(MAX.caller, "new"), [{"path": "newer"}]),
    "move": (
        folders.move,
        folders.MoveInput(MAX.caller, "d/a", "d/b", SEEN),
        [{"old": "d/c"}, {"new": "d/c"}, {"seen": None}, {"seen": replace(SEEN, version=2)}],
    ),
    "delete": (
        trash.delete,
        trash.Deletion(MAX.caller, "d/a", recursive=True, seen=SEEN),
        [{"path": "d"}, {"recursive": False}, {"seen": None}, {"seen": replace(SEEN, file_id=bytes(16))}],
    ),
    "owner": (
        owners.change_owner,
        owners.ChangeOwnerInput(MAX.caller, "d/a", "mia", SEEN),
        [{"path": "d"}, {"owner": "ada"}, {"seen": None}, {"seen": replace(SEEN, version=2)}],
    ),
    "destroy": (destroying.destroy_trashed, destroying.TrashDestruction(MAX.caller, "gone", GONE), OF_TRASH),
    "destroy-version": (
        destroying.destroy_version,
        destroying.VersionDestruction(MAX.caller, "twice", file_id_of("twice"), 1),
        [{"path": "d/a"}, {"version": 2}, {"file_id": bytes(16)}],
    ),
    "expire": (
        expiry.set_expiry,
        expiry.Expiry(MAX.caller, "d/a", file_id_of("d/a"), NOW + 60),
        [{"path": "gone"}, {"file_id": bytes(16)}, {"expires_at": NOW + 61}, {"expires_at": None}],
    ),
    "restore": (trash.restore, trash.Restoration(MAX.caller, "gone", GONE), OF_TRASH),
}
SIGNED_ELSEWHERE = {"received"}


@pytest.fixture(autouse=True)
def story(services: ServiceFixture) -> None:
    """What the acts of the table are about."""
    services.add_key(MAX, SECOND)
    settings_change = settings.SettingsChange(registration=settings.Registration.OPEN)
    services.act(settings.change_settings, settings_change)
    for seed in (b"\2", b"\3"):
        point = InvitationKey.from_seed(seed * 32).point
        services.act(invitations.make, invitations.MakeInvitationInput(ADA.caller, point))
    for path in ("d/a", "gone"):
        services.put(MAX, path)
    services.put(MAX, "twice")
    services.replace(MAX, "twice", b"other", services.ask(show_file, MAX, path="twice"))
    services.act(trash.delete, trash.Deletion(MAX.caller, "gone"))
    services.events.clear()


def signer(item: Any) -> Person:
    caller = getattr(item, "caller", None)
    return Person(ADA.caller, EVA) if caller is None else next(p for p in (ADA, MAX) if p.caller == caller)


def statement(item: Any, said: AskedAct | None = None, key: SigningKey | None = None, **changes: Any) -> bytes:
    who = signer(item)
    return statement_of(key or who.key, SERVER_ID, who.id, said or item.asked, **changes)


def refused(services: ServiceFixture, act: str, item: Any) -> str:
    with services.reading() as reading:
        before = reading.rows.sum_holds()
    function = CASES[act][0]
    (outcome,) = services.act_each(function, item, sign=False)
    assert isinstance(outcome, SignatureRefusedError), outcome
    assert services.events == []
    with services.reading() as reading:
        assert reading.rows.sum_holds() == before
    return str(outcome.values["problem"])


def test_every_act_that_people_sign_is_in_the_table() -> None:
    stated = {function for function, case in USE_CASES.items() if issubclass_any(case.logs)}
    # A first start's; what the server does by itself, or its operator has it do; and what is signed over digests that the
    # act looks up (``test_receiving``).
    not_signed = {
        invitations.first_admin,
        old_versions.destroy_old,
        purging.begin_purges,
        rebuild.enlist,
        receiving.confirm_received,
    }
    assert {function for function, _, _ in CASES.values()} == stated - not_signed
    assert set(CASES) == ACTS.keys() - SIGNED_ELSEWHERE
    assert all(item.asked.act == act for act, (_, item, _) in CASES.items())


def issubclass_any(kinds: Any) -> bool:
    return any(issubclass(kind, StatedEvent) for kind in kinds or ())


@pytest.mark.parametrize("act", CASES)
def test_the_statement_is_kept_with_what_happened(services: ServiceFixture, act: str) -> None:
    function, item, _ = CASES[act]
    if act == "enable":
        services.change_user(next(p for p in PEOPLE if p.caller.name == item.name), state="disabled")
    said = statement(item)
    (outcome,) = services.act_each(function, replace(item, statement=said), sign=False)
    assert not isinstance(outcome, Exception), outcome
    event: Any = services.events[0]
    assert event.statement == said
    kept = ActStatement.parse(event.statement_text.decode())
    verify_statement(signer(item).key.public, kept, FileSignature.parse(event.statement))
    assert (kept.comment.act, kept.fields) == (act, item.asked.fields)
    # Whoever replays the log finds the same in its facts, also where the text was erased.
    kind, facts = line_of(event).kind, Facts.decode(facts_of(event))
    for text in (event.statement_text.decode(), ""):
        require_said(kind, facts, signer(item).key.public, FileSignature.parse(said), kept.comment, text)


@pytest.mark.parametrize("act", CASES)
def test_one_that_is_missing_or_cannot_be_read_is_refused(services: ServiceFixture, act: str) -> None:
    item = CASES[act][1]
    assert refused(services, act, item) == "it carries no statement"
    of_a_file = signature_of(MAX, "d/a", b"content")
    good = statement(item)
    for wrong in (b"x", of_a_file, good[:-1], good.replace(b"\tnonce", b"\tonce"), good + b"\n"):
        assert refused(services, act, replace(item, statement=wrong)) == "it carries no statement that can be read"


@pytest.mark.parametrize("act", CASES)
def test_one_with_other_fields_is_refused(services: ServiceFixture, act: str) -> None:
    _, item, changes = CASES[act]
    for change in changes:
        problem = refused(services, act, replace(item, statement=statement(replace(item, **change))))
        assert problem == "it says something else, or is not signed with the key of this session", change


@pytest.mark.parametrize("act", CASES)
def test_one_of_any_other_act_is_refused(services: ServiceFixture, act: str) -> None:
    item = CASES[act][1]
    for other in sorted(ACTS.keys() - {act}):
        if other in CASES:
            said = CASES[other][1].asked
            wrong = statement_of(signer(item).key, SERVER_ID, signer(item).id, said)
            assert refused(services, act, replace(item, statement=wrong)) == "its act is another", other
        # Nor with the right name in the comment over the text of another.
        if other != "join":
            good = FileSignature.parse(statement(item))
            mixed = replace(good, comment=good.comment.replace(f"act:{act}", f"act:{other}"))
            refused(services, act, replace(item, statement=mixed.encode()))


@pytest.mark.parametrize("act", CASES)
def test_one_of_another_server_or_user_is_refused(services: ServiceFixture, act: str) -> None:
    item = CASES[act][1]
    changes: list[tuple[str, Any]] = [("server_id", bytes(32))]
    if act != "join":
        changes.append(("user", 3))
    for name, value in changes:
        wrong = replace(item, statement=statement(item, **{name: value}))
        assert refused(services, act, wrong) == f"its {name.removesuffix('_id')} is another"


@pytest.mark.parametrize("act", CASES)
def test_one_of_another_key_is_refused(services: ServiceFixture, act: str) -> None:
    item = CASES[act][1]
    other = SigningKey.from_seed(b"o" * 32, signer(item).key.public.key_id)
    problem = refused(services, act, replace(item, statement=statement(item, key=other)))
    assert problem == "it says something else, or is not signed with the key of this session"


def test_the_key_is_that_of_the_session(services: ServiceFixture) -> None:
    """A second key of the same person signs for its own sessions alone, and one that has ended for none."""
    phone = services.add_key(MAX, SigningKey.from_seed(b"p" * 32, b"p" * 8))
    item = CASES["make-folder"][1]
    refused(services, "make-folder", replace(item, statement=statement(item, key=phone.key)))
    by_phone = replace(item, caller=phone.caller)
    said = statement_of(phone.key, SERVER_ID, MAX.id, item.asked)
    services.act_each(folders.make_folder, replace(by_phone, statement=said), sign=False)
    assert len(services.events) == 1
    services.end_key(MAX)
    ended = replace(item, path="newer")
    outcomes = services.act_each(folders.make_folder, replace(ended, statement=statement(ended)), sign=False)
    assert isinstance(outcomes[0], LoginRefusedError)


def test_a_moment_is_a_date_and_no_more_is_asked_of_it(services: ServiceFixture) -> None:
    item = CASES["make-folder"][1]
    problem = refused(services, "make-folder", replace(item, statement=statement(item, ts=2**40 + 1)))
    assert problem == "its date is out of range"
    services.act_each(folders.make_folder, replace(item, statement=statement(item, ts=0)), sign=False)
    assert len(services.events) == 1


def test_the_operator_signs_nothing(services: ServiceFixture) -> None:
    services.act_each(trash.delete, trash.Deletion(OPERATOR, "d/a"), sign=False)
    (event,) = services.events
    assert isinstance(event, StatedEvent)
    assert (event.statement, event.statement_text) == (b"", b"")


def test_what_follows_from_an_act_has_no_statement_of_its_own(services: ServiceFixture) -> None:
    services.change_user(MAX, role="admin")
    invitation = invitations.MakeInvitationInput(replace(MAX.caller, role=Role.ADMIN), POINT)
    services.act(invitations.make, invitation)
    services.events.clear()
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "max"))
    disabled, withdrawn = services.events
    assert isinstance(disabled, StatedEvent)
    assert isinstance(withdrawn, StatedEvent)
    assert disabled.statement
    assert not withdrawn.statement
