"""Proofs of one session, whose steps on other threads end when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from sft.crypto.signed_note import SignedNote
from sft.errors import StoreError
from sft.ledger.hashing import leaf_hash
from sft.ledger.proofs import verify_consistency, verify_inclusion
from sft.ledger.tiles import TILE_WIDTH
from sft.limits import EVIDENCE_SLOTS
from sft.server.proofs import READ_AGAIN, SessionProofs, provable, show_log
from sft.service.log.evidence import EvidenceBuilder
from sft.wire.messages import LogHead
from tests.unit.ledger.logs import checkpoint
from tests.unit.service.log.test_ledger import Grower


class Threads:
    """Work that was handed to other threads: done at once, and back when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Any]] = []

    def run(self, _session_id: int, work: Callable[..., Any], *args: Any) -> Deferred[Any]:
        back: Deferred[Any] = Deferred()
        self.waiting.append((back, work(*args)))
        return back

    def come_back(self, number: int = 0) -> None:
        back, outcome = self.waiting.pop(number)
        back.callback(outcome)


class Proving:
    """A session of a ledger, and what it is sent."""

    def __init__(self) -> None:
        self.log = Grower()
        self.log.grow(5)
        self.threads = Threads()
        self.sent: list[Any] = []
        context: Any = SimpleNamespace(ledger=self.log.ledger, reading_turns=self.threads)
        self.proofs = SessionProofs(context, 7, self.log.ledger.head, self.sent.append)

    def answer(self, name: str) -> Deferred[None]:
        async def answered() -> None:
            async def read(_made: EvidenceBuilder) -> str:
                return name

            found, evidence = await self.proofs.proved(read)
            self.sent.append((found, evidence))

        return Deferred.fromCoroutine(answered())

    def require_sound(self) -> None:
        """Follow what was sent, as a client does: every head goes on the one before, every leaf is the last one."""
        size = 5
        for each in self.sent:
            if isinstance(each, LogHead):
                new = int(each.note.removeprefix("head "))
                verify_consistency(size, self.log.roots[size], new, self.log.roots[new], each.consistency)
                assert new > size
                size = new
            else:
                evidence = each[1]
                verify_inclusion(leaf_hash(evidence.leaf), size - 1, size, evidence.inclusion, self.log.roots[size])


def test_evidence_under_the_head_that_was_told_needs_no_other() -> None:
    session = Proving()
    session.answer("a")
    session.threads.come_back()
    assert [name for name, _ in session.sent] == ["a"]
    session.require_sound()


def test_the_head_comes_before_the_answer_that_rests_on_it() -> None:
    session = Proving()
    session.log.grow(4)
    session.answer("a")
    session.threads.come_back()
    assert [type(each) for each in session.sent] == [LogHead, tuple]
    session.require_sound()


def test_evidence_that_another_answer_has_overtaken_is_made_again() -> None:
    session = Proving()
    session.log.grow(2)
    session.answer("slow")
    session.log.grow(2)
    session.answer("fast")
    session.threads.come_back(1)
    session.threads.come_back()
    assert [type(each) for each in session.sent] == [LogHead, tuple]
    session.threads.come_back()
    assert [each[0] for each in session.sent[1:]] == ["fast", "slow"]
    session.require_sound()


def test_two_answers_under_one_new_head_tell_it_once() -> None:
    session = Proving()
    session.log.grow(2)
    session.answer("a")
    session.answer("b")
    session.threads.come_back()
    session.threads.come_back()
    assert [type(each) for each in session.sent] == [LogHead, tuple, tuple]
    session.require_sound()


def test_whoever_acted_hears_of_the_head_that_has_it_at_once_and_what_others_asked_follows() -> None:
    session = Proving()
    session.log.grow(1)
    session.answer("between")
    session.log.grow(1)
    session.proofs.follow()
    assert session.sent[-1].note == "head 7"
    session.threads.come_back()
    session.threads.come_back()
    assert session.sent[-1][0] == "between"
    session.require_sound()


def test_whoever_was_idle_for_long_is_told_on_another_thread_before_acting() -> None:
    session = Proving()
    session.log.grow(2 * TILE_WIDTH)
    caught_up = Deferred.fromCoroutine(session.proofs.catch_up())
    session.log.grow(TILE_WIDTH + 1)
    session.threads.come_back()
    assert not caught_up.called
    session.threads.come_back()
    assert caught_up.called
    session.log.grow(1)
    session.log.asked.clear()
    session.proofs.follow()
    assert session.log.asked == []
    session.require_sound()


def test_who_knows_the_head_already_is_told_nothing() -> None:
    session = Proving()
    session.log.grow(TILE_WIDTH)
    session.proofs.follow()
    session.sent.clear()
    session.proofs.follow()
    assert Deferred.fromCoroutine(session.proofs.catch_up()).called
    assert (session.sent, session.threads.waiting) == ([], [])


def test_what_changes_whenever_it_is_read_is_a_fault_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Proving()
    monkeypatch.setattr(EvidenceBuilder, "prove", lambda _builder, _ledger: None)
    answered = session.answer("a")
    for _ in range(READ_AGAIN):
        session.threads.come_back()
    failures: list[Any] = []
    answered.addErrback(failures.append)
    (failure,) = failures
    failure.trap(StoreError)
    assert session.sent == []


def test_a_login_is_given_what_is_witnessed_with_the_heads_consistency_from_it() -> None:
    session = Proving()
    session.log.grow(300)
    roots = session.log.roots
    for size in (1, 300, 305):
        cosigned = SignedNote.parse(checkpoint(size, root=roots[size]))
        shown = show_log(session.log.ledger, EvidenceBuilder(), (), cosigned)
        assert shown is not None
        assert shown.cosigned == cosigned.encode()
        verify_consistency(size, roots[size], 305, roots[305], shown.cosigned_consistency)
    newer = SignedNote.parse(checkpoint(306))
    longer = SignedNote(cosigned.text, cosigned.signatures * 300)
    for left_out in (None, newer, longer):
        shown = show_log(session.log.ledger, EvidenceBuilder(), (), left_out)
        assert shown is not None
        assert (shown.cosigned, shown.cosigned_consistency) == ("", ())


def test_a_login_is_proved_every_size_that_it_claims_and_nothing_of_one_that_is_not_there() -> None:
    session = Proving()
    session.log.grow(300)
    roots = session.log.roots
    shown = show_log(session.log.ledger, EvidenceBuilder(), (4, 305, 0, 400, 300))
    assert shown is not None
    assert (shown.head.size, shown.consistency[3]) == (305, ())
    for old, consistency in zip((4, 305, 0, 300), (*shown.consistency[:3], shown.consistency[4]), strict=True):
        verify_consistency(old, roots[old], 305, roots[305], consistency)


# -- how many files one answer can prove -----------------------------------------------------------------------------


def test_folders_that_files_share_count_once():
    assert provable([f"{'d/' * 500}{n}" for n in range(64)]) == 64
    assert provable(["a"] * 64) == 64


@pytest.mark.parametrize("depth", [20, 100, 300])
def test_as_many_files_are_proved_together_as_their_folders_allow(depth):
    most = (EVIDENCE_SLOTS - 1) // (depth + 4)  # the root's slot; of each its folders', its own, and three people's
    assert provable([f"{n}{'/d' * (depth - 1)}/f" for n in range(64)]) == most


def test_one_file_at_least_is_proved():
    assert provable([f"{n}{'/d' * 600}/f" for n in range(2)]) == 1
