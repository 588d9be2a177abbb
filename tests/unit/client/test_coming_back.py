"""Which errors a new connection may mend, and how long one is waited for."""

from __future__ import annotations

import itertools

import pytest

from sft.client.coming_back import PAUSES_SECONDS, Pauses, is_away, was_cut_off
from sft.errors import (
    ConnectionLostError,
    LoginRefusedError,
    NotFoundError,
    PipeLostError,
    RemoteProtocolError,
    ServerBusyError,
    ServerKeyMismatchError,
    SessionEndedError,
    TamperedError,
    TransferEndedError,
    UnreachableError,
    VersionUnknownError,
)


def test_the_pauses_grow_and_the_last_one_repeats():
    pauses = Pauses()
    assert [pauses.next() for _ in range(8)] == [*PAUSES_SECONDS, PAUSES_SECONDS[-1], PAUSES_SECONDS[-1]]
    assert all(one < other for one, other in itertools.pairwise(PAUSES_SECONDS))
    pauses.begin_anew()
    assert pauses.next() == PAUSES_SECONDS[0]


def test_so_many_tries_in_a_row_and_no_more():
    pauses = Pauses(2, (5.0,))
    assert [pauses.next() for _ in range(3)] == [5.0, 5.0, None]
    pauses.begin_anew()
    assert pauses.next() == 5.0
    assert Pauses(0).next() is None


@pytest.mark.parametrize(
    ("error", "cut", "away"),
    [
        (ConnectionLostError(), True, True),
        (TransferEndedError(problem="it stops"), True, True),
        (UnreachableError(address="x", reason="refused", profile="acme"), False, True),
        (ServerBusyError(server="acme"), False, True),
        (TamperedError(), False, True),
        (PipeLostError(), False, True),
        (RemoteProtocolError("x"), False, True),
        (ServerKeyMismatchError("x"), False, False),
        (VersionUnknownError(ours="1", theirs="2"), False, False),
        (SessionEndedError(by="ada"), False, False),
        (LoginRefusedError(server="acme"), False, False),
        (NotFoundError(what="file", name="x"), False, False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_a_new_connection_may_mend(error, cut, away):
    assert (was_cut_off(error), is_away(error)) == (cut, away)
