"""A reset by a link: the keys end with the offer, and whoever has the link comes back once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sft.crypto.keys import InvitationKey
from sft.errors import (
    BadRequestError,
    CutOffError,
    InviteExpiredError,
    InviteUsedError,
    InviteWithdrawnError,
    KeyTakenError,
    LastKeyError,
    LoginRefusedError,
    NameReservedError,
    NotFoundError,
    RequestError,
)
from sft.limits import RESET_LINK_SECONDS
from sft.model.access import Caller, Role
from sft.model.events import KeyReset, KeyResetOffered
from sft.model.records import Invitation, InvitationState, KeyEnd
from sft.service import accounts, invitations, key_resets, keys, login
from sft.service.key_resets import OfferResetInput
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, OPERATOR, ServiceFixture
from tests.unit.service.test_keys import DESK, EVIL, PHONE, add, keys_of, leaf, log_in

POINT, SECOND = (InvitationKey.from_seed(bytes([number]) * 32).point for number in (0, 1))


def offer(services: ServiceFixture, by: Caller = ADA.caller, **changes: Any) -> Invitation:
    item = OfferResetInput(by, "max", POINT, KeyEnd.RETIRED)
    return services.act(key_resets.offer_reset, replace(item, **changes)).invitation


def come_back(services: ServiceFixture, name: str = "max", point: bytes = POINT, key: Any = DESK) -> Caller:
    joined: Caller = services.act(login.join, login.JoinInput(name, key.public.encode(), "desk", point))
    return joined


def refused(services: ServiceFixture, kind: type[RequestError], **of: Any) -> None:
    before = keys_of(services, MAX)
    with pytest.raises(kind):
        come_back(services, **of)
    assert keys_of(services, MAX) == before


@pytest.mark.parametrize("by", [ADA.caller, OPERATOR], ids=["admin", "operator"])
def test_whoever_has_the_link_comes_back_with_a_key_in_place_of_all_others(
    services: ServiceFixture, by: Caller
) -> None:
    add(services, MAX, PHONE)
    ends = leaf(services)
    made = offer(services, by)
    assert (made.name, made.role, made.resets, made.expires_at) == (
        "max",
        Role.MAINTAINER,
        True,
        NOW + RESET_LINK_SECONDS,
    )
    assert [(key.end_leaf, key.end_reason) for key in keys_of(services, MAX)] == [(ends, KeyEnd.RETIRED)] * 2
    event = services.events[-1]
    assert isinstance(event, KeyResetOffered)
    assert (event.user_id, event.invitation_id, event.by.name) == (MAX.id, made.id, by.name)
    assert event.ended_key_ids == tuple(key.id for key in keys_of(services, MAX))
    caller = come_back(services)
    assert (caller.user_id, caller.role) == (MAX.id, Role.MAINTAINER)
    new = keys_of(services, MAX)[-1]
    assert (new.public_key, new.end_leaf, new.endorsement) == (DESK.public.encode(), None, b"")
    event = services.events[-1]
    assert isinstance(event, KeyReset)
    assert (event.by.user_id, event.key_id, event.invitation_id) == (MAX.id, new.id, made.id)
    assert log_in(services, "max", DESK).key_id == new.id
    told = len(services.events)
    assert come_back(services).key_id == new.id, "its answer was lost"
    assert len(services.events) == told
    refused(services, InviteUsedError, key=EVIL)
    assert [each.state for each in services.ask(invitations.list_all, ADA)] == [InvitationState.USED]


def test_it_is_for_that_person_alone_with_a_key_that_is_free(services: ServiceFixture) -> None:
    offer(services)
    refused(services, NameReservedError, name="mia")
    refused(services, KeyTakenError, key=GUS.key)
    refused(services, KeyTakenError, key=MAX.key)
    refused(services, RequestError, point=SECOND)
    come_back(services, name="max")


def test_it_ends_after_a_day_and_with_its_maker(services: ServiceFixture) -> None:
    services.change_user(MIA, role="admin")
    offer(services, MIA.caller)
    services.act(accounts.change_role, accounts.ChangeRoleInput(ADA.caller, "mia", Role.GUEST))
    refused(services, InviteWithdrawnError)
    made = offer(services, public_key=SECOND)
    services.now = made.expires_at
    refused(services, InviteExpiredError, point=SECOND)


def test_another_offer_and_a_reset_to_a_given_key_make_it_void(services: ServiceFixture) -> None:
    made = offer(services)
    told = len(services.events)
    assert offer(services) == made, "the same again is the same link"
    assert len(services.events) == told
    offer(services, public_key=SECOND)
    refused(services, InviteWithdrawnError)
    services.act(keys.reset_key, keys.ResetKeyInput(ADA.caller, "max", PHONE.public.encode(), "phone", KeyEnd.RETIRED))
    refused(services, InviteWithdrawnError, point=SECOND)
    assert log_in(services, "max", PHONE).user_id == MAX.id


def test_a_stolen_key_is_so_from_its_cut_off_on(services: ServiceFixture) -> None:
    since = leaf(services)
    add(services, MAX, EVIL)
    with pytest.raises(CutOffError):
        offer(services, reason=KeyEnd.COMPROMISED, cut_off=leaf(services) + 1)
    offer(services, reason=KeyEnd.COMPROMISED, cut_off=since)
    first, evil = keys_of(services, MAX)
    assert (first.cut_off_leaf, evil.cut_off_leaf) == (since, evil.start_leaf)
    with pytest.raises(LoginRefusedError):
        log_in(services, "max", EVIL)
    come_back(services)


def test_who_is_not_here_is_not_let_in(services: ServiceFixture) -> None:
    offer(services)
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "max"))
    refused(services, LoginRefusedError)
    services.act(accounts.enable, accounts.EnableInput(ADA.caller, "max"))
    services.act(accounts.remove, accounts.RemoveUserInput(ADA.caller, "max"))
    refused(services, LoginRefusedError)
    with pytest.raises(NotFoundError):
        offer(services, public_key=SECOND)


def test_nobody_resets_themselves_nor_takes_the_key_of_an_invitation(services: ServiceFixture) -> None:
    with pytest.raises(LastKeyError):
        offer(services, name="ada")
    invited = invitations.MakeInvitationInput(ADA.caller, POINT, Role.GUEST, "eva")
    services.act(invitations.make, invited)
    with pytest.raises(BadRequestError):
        offer(services)
    offer(services, public_key=SECOND)
    with pytest.raises(BadRequestError):
        services.act(invitations.make, replace(invited, public_key=SECOND, role=Role.MAINTAINER, name="max"))
