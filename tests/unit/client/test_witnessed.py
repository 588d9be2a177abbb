"""How far a log is witnessed: by the policy of this computer, and by the times that witnesses gave."""

from __future__ import annotations

import os

import pytest

from sft.client.heads import Head, Heads
from sft.client.witnessed import LogStanding, keep_cosigned, keep_policy, log_standing
from sft.crypto.keys import ServerKey
from sft.crypto.note_keys import CosignerKey, SignatureType
from sft.crypto.signed_note import cosign_note, server_note_key
from sft.errors import PolicyError, UsageError
from sft.limits import UNWITNESSED_SECONDS
from tests.unit.client.log_in_memory import LogInMemory

KEY = ServerKey.from_seed(bytes(range(32)))
SERVER_ID = KEY.public.server_id()
NOW = 1_800_000_000
W = [CosignerKey(f"w{n}.example", SignatureType(4 + 2 * (n % 2)), bytes([n]) * 32) for n in range(4)]
LINES = "".join(f"witness w{n} {key.public.vkey()}\n" for n, key in enumerate(W))
TWO_OF_THREE = LINES + "group some 2 w0 w1 w2\nquorum some\n"


class Profile:
    """What is asked of a profile."""

    name = "acme"
    server_id = SERVER_ID
    server = KEY.public


LOG = LogInMemory(KEY)
while LOG.size < 9:
    LOG.append(time=1000)
ORIGIN = LOG.checkpoint().origin.text()


@pytest.fixture
def seen(state):
    """A state that has seen the log up to its last leaf."""
    Heads(state, SERVER_ID).keep(Head(LOG.checkpoint(), LOG.note()))
    return state


def show(state, size, *by):
    """Have a login show a checkpoint, cosigned by witnesses: each as (number, time)."""
    note = LOG.note(size)
    for number, time in by:
        note = cosign_note(note, W[number], timestamp=time)
    keep_cosigned(state, SERVER_ID, Head(LOG.checkpoint(size), note))


def standing(state, now=NOW):
    return log_standing(state, SERVER_ID, now=now)


def policy(state, text):
    keep_policy(state, Profile(), text.encode())
    os.utime(state.path(f"policies/{SERVER_ID.hex()[:32]}"), (NOW, NOW))


def test_before_the_first_login_there_is_nothing_to_say(state):
    assert standing(state) is None


def test_without_a_policy_or_a_quorum_nobody_is_asked_for(seen):
    assert standing(seen) == LogStanding(9)
    show(seen, 9, (0, NOW))
    policy(seen, LINES + "quorum none\n")
    assert standing(seen) == LogStanding(9)


def test_a_quorum_makes_it_witnessed_up_to_there(seen):
    policy(seen, TWO_OF_THREE)
    show(seen, 7, (0, NOW - 50), (2, NOW - 20))
    assert standing(seen) == LogStanding(9, has_quorum=True, witnessed_size=7, witnessed_at=NOW - 50)


def test_less_than_a_quorum_is_not_yet_witnessed_and_says_who_lacks(seen):
    policy(seen, TWO_OF_THREE)
    assert standing(seen).lacking == ("w0", "w1", "w2")
    show(seen, 9, (1, NOW), (3, NOW))  # the other one is not of the quorum
    assert standing(seen) == LogStanding(9, has_quorum=True, lacking=("w0", "w2"))


def test_a_quorums_time_is_that_of_the_last_that_it_needs_and_never_later_than_now(seen):
    policy(seen, TWO_OF_THREE)
    show(seen, 9, (0, NOW - 900), (1, NOW - 300), (2, NOW - 100))
    assert standing(seen).witnessed_at == NOW - 300  # the two newest are enough
    show(seen, 9, (0, NOW + 10**6), (1, NOW + 10**6))
    assert standing(seen).witnessed_at == NOW
    assert standing(seen).overdue is False


@pytest.mark.parametrize(
    ("later", "overdue"), [(0, False), (UNWITNESSED_SECONDS, False), (UNWITNESSED_SECONDS + 1, True)]
)
def test_a_quorum_that_is_older_than_a_day_is_overdue(seen, later, overdue):
    policy(seen, TWO_OF_THREE)
    show(seen, 9, (0, NOW), (1, NOW))
    assert standing(seen, NOW + later).overdue is overdue
    assert standing(seen, NOW + later).witnessed_size == 9


@pytest.mark.parametrize(
    ("later", "overdue"), [(0, False), (UNWITNESSED_SECONDS, False), (UNWITNESSED_SECONDS + 1, True)]
)
def test_where_nothing_was_ever_witnessed_the_day_begins_with_the_policy(seen, later, overdue):
    policy(seen, TWO_OF_THREE)
    assert standing(seen, NOW + later).overdue is overdue


def test_a_line_that_does_not_hold_counts_for_nothing(seen):
    policy(seen, TWO_OF_THREE)
    note = cosign_note(cosign_note(LOG.note(9), W[0], timestamp=NOW), W[1], timestamp=NOW)
    moved = note.replace(LOG.checkpoint(9).text(), LOG.checkpoint(8).text())
    keep_cosigned(seen, SERVER_ID, Head(LOG.checkpoint(8), moved))
    assert standing(seen) == LogStanding(9, has_quorum=True, lacking=("w0", "w1", "w2"))


def test_an_older_one_that_is_shown_later_takes_nothing_back(seen):
    policy(seen, TWO_OF_THREE)
    show(seen, 8, (0, NOW), (1, NOW))
    show(seen, 5, (0, NOW), (1, NOW))
    assert standing(seen).witnessed_size == 8


def test_what_was_kept_and_is_damaged_is_none_and_goes_aside_with_the_heads(seen):
    policy(seen, TWO_OF_THREE)
    show(seen, 9, (0, NOW), (1, NOW))
    heads = Heads(seen, SERVER_ID)
    seen.write(f"heads/{SERVER_ID.hex()[:32]}/cosigned", b"\xff")
    assert heads.cosigned() is None
    assert standing(seen).witnessed_size is None
    show(seen, 9, (0, NOW), (1, NOW))
    heads.put_aside("evidence/aside")
    assert heads.cosigned() is None
    assert standing(seen) is None


def test_a_policy_that_names_logs_names_this_one_with_its_key(seen):
    ours = server_note_key(KEY.public, ORIGIN).vkey()
    theirs = server_note_key(ServerKey.from_seed(bytes(32)).public, ORIGIN).vkey()
    elsewhere = server_note_key(KEY.public, "files.example/sft/00000000/1").vkey()
    for other in (theirs, elsewhere):
        with pytest.raises(UsageError):
            policy(seen, f"log {other}\n{TWO_OF_THREE}")
    assert standing(seen).has_quorum is False
    policy(seen, f"log {ours}\nlog {theirs}\n{TWO_OF_THREE}")
    assert standing(seen).has_quorum is True


def test_what_is_no_policy_is_refused_and_the_one_before_stays(seen):
    policy(seen, TWO_OF_THREE)
    with pytest.raises(PolicyError):
        policy(seen, "quorum all\n")
    assert standing(seen).has_quorum is True
