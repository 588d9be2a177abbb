"""The session of these tests has nothing that the client library's has not."""

from __future__ import annotations

import inspect

from sft.cli.invocation import Environment
from sft.client.session import Session
from tests.unit.cli.cli_fixture import TableSession, Threads

OWN = {"answers", "asked", "closed"}


def public(kind: type) -> set[str]:
    return {name for name in (*dir(kind), *kind.__annotations__) if not name.startswith("_")} - OWN


def test_the_table_session_is_a_part_of_the_real_one():
    assert public(TableSession) <= public(Session)
    assert TableSession.user_name is not None


def test_requests_are_asked_alike():
    real, ours = (list(inspect.signature(kind.request).parameters) for kind in (Session, TableSession))
    assert real == ours


def test_threads_are_run_alike():
    from sft.transport.threads import Pool

    assert public(Threads) <= public(Pool)


def test_every_way_out_of_a_command_can_be_replaced():
    assert {"execute", "connect", "join", "threads", "ask_secret", "now"} <= set(Environment.__struct_fields__)
