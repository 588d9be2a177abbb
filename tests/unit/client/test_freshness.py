"""What is shown without a proof is held to the log, and no clock alone makes an alarm."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.client.api import files, people
from sft.client.freshness import STALE_SECONDS, Logged, require_in_log
from sft.errors import LogProofError, LogStaleError, NotFoundError
from sft.ledger.leaves import LogLeaf
from sft.model.access import Role
from sft.model.records import File, FileVersion, Invitation, InvitationState, Page, UserPage
from sft.wire import messages as m
from tests.unit.client.memory_server import user
from tests.unit.client.test_api_log import ServedLog, run
from tests.unit.ledger.written_log import begun

DAY = STALE_SECONDS
START = 1_800_000_000


class Shown(ServedLog):
    """A session at a server that lists files, and knows nothing of leaves beyond its log."""

    listed = ()
    invitations = ()
    users = ()

    async def request(self, kind, reply, /, **fields):
        if kind is m.ListFolder:
            return m.FolderPage(1, Page((), self.listed))
        if kind is m.ListInvitations:
            return m.InvitationList(1, self.invitations)
        if kind is m.ListUsers:
            return m.UserList(1, UserPage(self.users, 0))
        if kind is m.ProveLeaf and fields["number"] >= len(self.written.entries):
            self.asked.append((kind, fields))
            raise NotFoundError(what="leaf of the log", name=str(fields["number"]))
        return await super().request(kind, reply, **fields)

    def store(self, time, *, told=True):
        """Store a version; give what the server says of it."""
        self.written.time = time - 1
        self.grow(told=told)
        return Logged(len(self.written.entries) - 1, time)

    def seen(self):
        """Have the newest leaf proved to the session by an answer."""
        self.log.saw(LogLeaf.decode(self.written.entries[-1]))

    @property
    def questions(self):
        return [fields["number"] for _, fields in self.asked]


@pytest.fixture
def served():
    served = Shown(begun(), followed=True)
    served.store(START)
    served.seen()
    return served


def file_of(shown):
    version = FileVersion(1, 7, "ada", bytes(42), 1, bytes(64), 1, shown.stored_at, "a.txt", shown.leaf, b"")
    return File(bytes(16), "a.txt", 7, "ada", version)


def test_what_is_within_a_day_of_the_newest_leaf_is_not_asked_about(served):
    shown = [served.store(START + DAY), Logged(2, START - 400 * DAY)]
    run(require_in_log(served, shown))
    assert served.questions == []


def test_a_log_that_slept_for_weeks_is_no_alarm_and_is_asked_once(served):
    shown = [served.store(START + 30 * DAY + each) for each in range(5)]
    for _ in range(2):
        run(require_in_log(served, shown))
    assert served.questions == [shown[-1].leaf]


def test_a_clock_that_was_set_back_is_no_alarm(served):
    ahead = served.store(START + 5 * DAY)
    back = served.store(START - 5 * DAY)
    run(require_in_log(served, [ahead, back]))
    again = Shown(served.written, followed=True)  # another session, which has seen the newest leaf alone
    again.seen()
    run(require_in_log(again, [ahead, back]))
    assert (served.questions, again.questions) == ([ahead.leaf], [ahead.leaf])


def test_what_the_log_that_is_shown_has_not_is_an_alarm_and_nothing_is_asked_any_more(served):
    newer = Logged(len(served.written.entries), START + 60)
    with pytest.raises(LogStaleError) as told:
        run(require_in_log(served, [newer]))
    assert (told.value.values["stored_at"], told.value.values["ended_at"]) == (START + 60, START)
    assert served.log.failed is told.value


def test_what_names_a_leaf_from_long_before_it_was_stored_is_an_alarm(served):
    with pytest.raises(LogStaleError):
        run(require_in_log(served, [Logged(2, START + DAY + 1)]))


def test_a_leaf_that_is_not_proved_is_no_answer(served):
    late = served.store(START + 3 * DAY)
    served.change = lambda proved: type(proved)(proved.leaf[:-1] + b"x", proved.inclusion, proved.head)
    with pytest.raises(LogProofError):
        run(require_in_log(served, [late]))


def test_a_head_that_is_told_with_the_answer_is_the_one_that_counts(served):
    """A listing may show what was committed a moment ago, whose head comes with the next answer."""
    before = len(served.written.entries)
    soon = served.store(START + 1, told=False)
    asked = served.request

    async def told_first(kind, reply, /, **fields):
        served.written.entries.pop()
        served.written.records.pop()
        served.store(START + 1)
        return await asked(kind, reply, **fields)

    served.request = told_first
    run(require_in_log(served, [soon]))
    assert (served.questions, served.log.told.checkpoint.size) == ([before], before + 1)


def test_every_listing_is_held_to_it(served):
    served.listed = (file_of(Logged(99, START)),)
    with pytest.raises(LogStaleError):
        run(files.list_folder(served, ""))


def invitation(created_at, used_at=None):
    state = InvitationState.OPEN if used_at is None else InvitationState.USED
    by = None if used_at is None else "gus"
    return Invitation(1, bytes(32), Role.GUEST, None, "ada", created_at, created_at + DAY, state, by, used_at)


def test_invitations_that_are_no_later_than_the_log_are_not_asked_about(served):
    served.invitations = (invitation(START - 5 * DAY), invitation(START + DAY, START + DAY))
    assert len(run(people.list_invitations(served))) == 2
    assert served.questions == []


@pytest.mark.parametrize("used", [False, True])
def test_an_invitation_from_after_the_logs_end_is_an_alarm(served, used):
    late = START + DAY + 1
    served.invitations = (invitation(START, late) if used else invitation(late),)
    with pytest.raises(LogStaleError) as told:
        run(people.list_invitations(served))
    assert (told.value.values["stored_at"], told.value.values["ended_at"]) == (late, START)
    assert served.log.failed is told.value


def test_an_invitation_after_a_log_that_slept_is_in_what_came_since(served):
    late = START + 9 * DAY
    size = len(served.written.entries)
    served.store(late)
    served.invitations = (invitation(late),)
    assert run(people.list_invitations(served)) == [*served.invitations]
    assert served.questions == [size + 1, size]


def test_a_user_from_after_the_logs_end_is_an_alarm(served, monkeypatch):
    monkeypatch.setattr(people, "_require_proved", lambda *_: None)
    served.users = (user(7, "ada"),)
    assert run(people.list_users(served)) == [*served.users]
    served.users = (replace(user(7, "ada"), created_at=START + 2 * DAY),)
    with pytest.raises(LogStaleError):
        run(people.list_users(served))


def test_the_operator_is_told_no_heads(served):
    served.log = None
    served.invitations = (invitation(START + 99 * DAY),)
    run(require_in_log(served, [Logged(99, START + 99 * DAY)]))
    run(people.list_invitations(served))
    assert served.questions == []
