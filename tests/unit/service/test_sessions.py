from __future__ import annotations

import pytest

from sft.errors import OperatorOnlyError, RoleForbidsError
from sft.model.access import Caller, Resource, Role
from sft.service.sessions import end_session, list_sessions
from tests.unit.service.service_fixture import ADA, GUS, MAX, OPERATOR, Person, ServiceFixture

OF_A_USER, OF_THE_OPERATOR = Resource(MAX.id), Resource(None)


@pytest.mark.parametrize("session", [OF_A_USER, None])
def test_an_admin_and_the_operator_end_a_users_session(services: ServiceFixture, session: Resource | None) -> None:
    for who in (ADA, OPERATOR):
        services.ask(end_session, who, session=session)


def test_no_admin_ends_what_the_operator_does(services: ServiceFixture) -> None:
    services.ask(end_session, OPERATOR, session=OF_THE_OPERATOR)
    with pytest.raises(OperatorOnlyError):
        services.ask(end_session, ADA, session=OF_THE_OPERATOR)


@pytest.mark.parametrize("who", [MAX, GUS])
def test_nobody_else_sees_or_ends_a_session_whatever_role_is_remembered(services: ServiceFixture, who: Person) -> None:
    for caller in (who.caller, Caller(who.id, who.id, "x", Role.ADMIN)):
        with pytest.raises(RoleForbidsError):
            services.ask(list_sessions, caller)
        with pytest.raises(RoleForbidsError):
            services.ask(end_session, caller, session=OF_A_USER)
