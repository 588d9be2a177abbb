"""What a session is told of the log: heads only go forwards, each from the one before; a step that was overtaken is none."""

from __future__ import annotations

from sft.ledger.hashing import leaf_hash, node_hash, range_root
from sft.ledger.proofs import prove_consistency, verify_consistency
from sft.server.log_heads import SessionHead
from sft.service.log.evidence import heads_proved
from sft.service.log.ledger import SignedHead


class Log:
    """A log in memory; the note of a head is its root in digits."""

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def head(self) -> SignedHead:
        root = self.root(self.size)
        return SignedHead(self.size, root, root.hex())

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return tuple(prove_consistency(old_size, new_size, self._node))

    def root(self, size: int) -> bytes:
        return range_root(0, size, self._node)

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(b"%d" % index)
        return node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))


def test_a_session_hears_of_a_newer_head_once_with_its_proof() -> None:
    log = Log(5)
    head = SessionHead(log, told_size=5)
    assert head.step(log.head) is None
    log.size = 12
    told = head.take(head.step(log.head))
    assert told is not None
    assert (told.note, head.told_size) == (log.root(12).hex(), 12)
    verify_consistency(5, log.root(5), 12, log.root(12), told.consistency)
    assert head.take(head.step(log.head)) is None


def test_each_head_goes_on_the_one_told_before() -> None:
    log = Log(1)
    head = SessionHead(log, told_size=1)
    for size in (3, 4, 11):
        before, log.size = log.size, size
        told = head.take(head.step(log.head))
        assert told is not None
        verify_consistency(before, log.root(before), size, log.root(size), told.consistency)


def test_a_step_that_another_answer_has_overtaken_is_not_sent() -> None:
    log = Log(5)
    head = SessionHead(log, told_size=5)
    log.size = 7
    slow = head.step(log.head)
    log.size = 9
    assert head.take(head.step(log.head)) is not None
    assert head.take(slow) is None
    assert head.told_size == 9


def test_the_way_to_the_head_that_evidence_is_under_does_not_go_beyond_it() -> None:
    log = Log(5)
    head = SessionHead(log, told_size=5)
    log.size = 7
    under = log.head
    log.size = 9
    told = head.take(head.step(under))
    assert told is not None
    assert (told.note, head.told_size) == (log.root(7).hex(), 7)


def test_a_session_is_never_told_an_older_head() -> None:
    log = Log(7)
    older, log.size = log.head, 9
    head = SessionHead(log, told_size=9)
    assert head.step(older) is None
    assert head.told_size == 9


def test_what_authors_have_seen_is_proved_once_a_size_and_only_where_there_is_something_to_prove() -> None:
    log = Log(9)
    proved = heads_proved(log, [7, 0, 9, 3, 7, 12], 9)
    assert [each.size for each in proved] == [3, 7]
    for each in proved:
        verify_consistency(each.size, log.root(each.size), 9, log.root(9), each.consistency)
