from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from twisted.internet.defer import fail, succeed

from sft.errors import RemoteProtocolError, ServerFullError
from sft.limits import CREDIT_STEP_CHUNKS, SESSION_CREDIT_CHUNKS, TRANSFER_CREDIT_CHUNKS
from sft.transport.credit import CreditPool
from sft.transport.flow import ReceiveFlow, SendFlow

_spec = importlib.util.spec_from_file_location("stepping", Path(__file__).with_name("stepping.py"))
stepping = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stepping)


class Desk:
    """An intake with its steps written down."""

    def __init__(self, *, window=8, crypto_in_pool=False, ready=True, credit_pool=None, fail_store=None):
        self.pool = stepping.SteppingPool(crypto_in_pool=crypto_in_pool)
        self.credit_pool = credit_pool or CreditPool()
        self.computed, self.stored, self.granted = [], [], []
        self.fail_store = fail_store
        self.intake = ReceiveFlow(
            self.pool,
            self.credit_pool,
            compute=self.compute,
            store=self.store,
            grant=self.granted.append,
            window=window,
            ready=ready,
        )
        self.finished = []
        self.intake.finished.addBoth(self.finished.append)

    def compute(self, chunks, last):
        self.computed.append((list(chunks), last))
        return [b"sealed " + chunk for chunk in chunks]

    def store(self, sealed):
        if self.fail_store:
            raise self.fail_store
        self.stored += sealed


@pytest.mark.parametrize("crypto_in_pool", [False, True])
def test_chunks_are_computed_and_stored_in_order_and_the_last_is_marked_once(crypto_in_pool):
    desk = Desk(crypto_in_pool=crypto_in_pool)
    for number in range(5):
        desk.intake.receive(b"%d" % number, last=number == 4)
    desk.pool.finish()
    assert desk.stored == [b"sealed %d" % number for number in range(5)]
    assert [last for _, last in desk.computed].count(True) == 1
    assert desk.computed[-1][1] is True
    assert desk.finished == [None]
    assert desk.intake.complete


def test_one_batch_is_in_work_at_a_time_and_holds_at_most_eight():
    desk = Desk()
    desk.intake.open()
    for number in range(20):
        desk.intake.receive(b"%d" % number, last=False)
    assert len(desk.pool.waiting) == 1
    desk.pool.finish()
    assert max(len(chunks) for chunks, _ in desk.computed) == CREDIT_STEP_CHUNKS


def test_what_arrives_before_admission_waits():
    desk = Desk(ready=False)
    desk.intake.receive(b"a", last=True)
    assert desk.pool.waiting == []
    desk.intake.open()
    desk.pool.finish()
    assert desk.stored == [b"sealed a"]
    assert desk.finished == [None]


def test_admission_widens_the_window_to_what_a_transfer_may_hold():
    desk = Desk(window=8)
    desk.intake.open()
    assert desk.granted == [TRANSFER_CREDIT_CHUNKS - 8]


def test_data_beyond_credit_ends_the_connection():
    desk = Desk(window=2)
    desk.intake.receive(b"a", last=False)
    desk.intake.receive(b"b", last=False)
    with pytest.raises(RemoteProtocolError):
        desk.intake.receive(b"c", last=False)


def test_data_after_the_last_chunk_ends_the_connection():
    desk = Desk()
    desk.intake.receive(b"a", last=True)
    with pytest.raises(RemoteProtocolError):
        desk.intake.receive(b"b", last=False)


def test_credit_is_held_back_while_the_disk_is_slow_and_given_as_it_works():
    desk = Desk(window=8)
    desk.intake.open()
    for number in range(32):
        desk.intake.receive(b"%d" % number, last=False)
    granted = sum(desk.granted)
    assert granted == TRANSFER_CREDIT_CHUNKS - 8
    with pytest.raises(RemoteProtocolError):
        desk.intake.receive(b"x", last=False)
    desk.pool.step()
    assert sum(desk.granted) > granted


def test_all_credit_of_a_session_is_bounded_and_every_transfer_moves_on():
    credit_pool = CreditPool()
    desks = [Desk(window=8, credit_pool=credit_pool) for _ in range(4)]
    for desk in desks:
        desk.intake.open()
    assert sum(8 + sum(desk.granted) for desk in desks) <= SESSION_CREDIT_CHUNKS + 8
    # The last one has nothing beyond its window; once that is used up it still gets more, one at least.
    starved = desks[-1]
    for number in range(8 + sum(starved.granted)):
        starved.intake.receive(b"%d" % number, last=False)
    before = sum(starved.granted)
    starved.pool.finish()
    assert sum(starved.granted) > before


def test_credit_comes_back_when_a_transfer_is_interrupted():
    credit_pool = CreditPool()
    first = Desk(window=8, credit_pool=credit_pool)
    first.intake.open()
    first.intake.interrupt()
    second, third = Desk(window=8, credit_pool=credit_pool), Desk(window=8, credit_pool=credit_pool)
    second.intake.open()
    third.intake.open()
    assert sum(second.granted) == sum(third.granted) == TRANSFER_CREDIT_CHUNKS - 8


def test_an_interrupted_lane_lets_the_batch_in_work_end_and_runs_nothing_more():
    desk = Desk()
    desk.intake.receive(b"a", last=False)
    desk.intake.receive(b"b", last=False)
    stopped = []
    desk.intake.interrupt().addCallback(stopped.append)
    assert stopped == []
    desk.pool.finish()
    assert stopped == [None]
    assert desk.stored == [b"sealed a"]
    assert desk.finished == []


def test_after_an_interruption_data_is_counted_and_dropped():
    desk = Desk(window=2)
    desk.intake.interrupt()
    desk.intake.receive(b"a", last=False)
    desk.intake.receive(b"b", last=False)
    assert desk.pool.waiting == []
    with pytest.raises(RemoteProtocolError):
        desk.intake.receive(b"c", last=False)


def test_a_failing_step_fails_the_transfer_once():
    desk = Desk(fail_store=ServerFullError(size_bytes=1))
    desk.intake.receive(b"a", last=False)
    desk.intake.receive(b"b", last=True)
    desk.pool.finish()
    assert [failure.type for failure in desk.finished] == [ServerFullError]
    assert desk.stored == []


class Box:
    """An outbox that takes everything it is offered."""

    def __init__(self):
        self.sources, self.sent = [], []

    def attach(self, source):
        self.sources.append(source)

    def detach(self, source):
        if source in self.sources:
            self.sources.remove(source)

    def wake(self):
        for source in list(self.sources):
            while (chunk := source.next_chunk()) is not None:
                self.sent.append(chunk)
                source.sent(last=chunk[2])


class Deaf(Box):
    """An outbox whose peer reads nothing."""

    def wake(self):
        self.asked = True


def outflow(count, *, window=8, crypto_in_pool=False, read_ahead_credit=None, box=None):
    chunks = [b"%d" % number for number in range(count)]
    pool, box = stepping.SteppingPool(crypto_in_pool=crypto_in_pool), box or Box()

    def fetch(most):
        taken, chunks[:] = chunks[:most], chunks[most:]
        pool.read_chunks += len(taken)
        return taken, not chunks

    lane = SendFlow(
        pool,
        box,
        7,
        fetch=fetch,
        compute=lambda batch: [b"open " + each for each in batch],
        window=window,
        read_ahead_credit=read_ahead_credit or CreditPool(),
    )
    return lane, pool, box


@pytest.mark.parametrize("crypto_in_pool", [False, True])
def test_chunks_leave_in_order_and_only_the_last_says_so(crypto_in_pool):
    lane, pool, box = outflow(20, window=8, crypto_in_pool=crypto_in_pool)
    finished = []
    lane.finished.addBoth(finished.append)
    lane.start()
    pool.finish()
    assert len(box.sent) == 8
    lane.credit(12)
    pool.finish()
    assert [chunk for _, chunk, _ in box.sent] == [b"open %d" % number for number in range(20)]
    assert [last for _, _, last in box.sent] == [False] * 19 + [True]
    assert {request_id for request_id, _, _ in box.sent} == {7}
    assert finished == [None]
    assert box.sources == []


def test_nothing_is_sent_without_credit_and_little_is_read_ahead():
    lane, pool, box = outflow(100, window=1)
    lane.start()
    pool.finish()
    assert len(box.sent) == 1
    assert lane.sent_chunks == 1
    assert pool.waiting == []


def test_more_credit_than_a_transfer_may_hold_ends_the_connection():
    lane, _, _ = outflow(1, window=8)
    with pytest.raises(RemoteProtocolError):
        lane.credit(TRANSFER_CREDIT_CHUNKS)


def test_an_interrupted_outflow_sends_nothing_more():
    lane, pool, box = outflow(20)
    lane.start()
    stopped = []
    lane.interrupt().addCallback(stopped.append)
    pool.finish()
    lane.credit(8)
    assert box.sent == []
    assert stopped == [None]


def test_only_what_the_peer_allows_is_read():
    lane, pool, _ = outflow(100, window=3, box=Deaf())
    lane.start()
    pool.finish()
    assert pool.read_chunks == 3
    lane.credit(2)
    pool.finish()
    assert pool.read_chunks == 5


def test_what_a_session_reads_ahead_is_bounded_over_all_its_transfers():
    read_ahead_credit = CreditPool(16)
    lanes = [outflow(100, window=8, read_ahead_credit=read_ahead_credit, box=Deaf()) for _ in range(64)]
    for lane, _, _ in lanes:
        lane.start()
        lane.credit(24)
    for _ in range(2):
        for _, pool, _ in lanes:
            pool.finish()
    assert sum(pool.read_chunks for _, pool, _ in lanes) == 16
    for lane, _, _ in lanes:
        lane.interrupt()
    for _, pool, _ in lanes:
        pool.finish()
    assert read_ahead_credit.left == 16


def test_transfers_that_share_what_is_read_ahead_take_turns_and_all_arrive():
    read_ahead_credit = CreditPool(8)
    lanes = [outflow(40, window=32, read_ahead_credit=read_ahead_credit) for _ in range(5)]
    for lane, _, _ in lanes:
        lane.start()
        lane.credit(0)
    for _ in range(40):
        for lane, pool, box in lanes:
            pool.finish()
            if len(box.sent) == 32:
                lane.credit(8)
    assert [len(box.sent) for _, _, box in lanes] == [40] * 5
    assert read_ahead_credit.left == 8


def test_a_batch_that_failed_is_read_again_where_it_could_be_mended_and_else_fails_once():
    for mended in (True, False):
        failures = [ServerFullError(size_bytes=1)]

        def fetch(most, failures=failures):
            if failures:
                raise failures.pop()
            return [b"x"] * most, True

        def mend(failure, mended=mended):
            failure.trap(ServerFullError)
            return succeed(None) if mended else fail(failure)

        pool, box, ends = stepping.SteppingPool(), Box(), []
        credit = CreditPool(8)
        lane = SendFlow(
            pool, box, 7, fetch=fetch, compute=lambda batch: batch, window=4, read_ahead_credit=credit, mend=mend
        )  # fmt: skip
        lane.finished.addBoth(ends.append)
        lane.start()
        pool.finish()
        assert len(box.sent) == (4 if mended else 0)
        assert [type(getattr(end, "value", end)) for end in ends] == [type(None) if mended else ServerFullError]
        assert credit.left == 8


def test_a_pool_of_all_bounds_what_a_person_takes():
    everybody = CreditPool(10)
    ada, gus = CreditPool(8, everybody), CreditPool(8, everybody)
    assert ada.take(20, 1) == 8
    assert gus.take(20, 1) == 2
    assert gus.take(20, 1) == 1, "one is kept for each transfer"
    ada.give_back(8)
    assert gus.take(20, 0) == 5


def test_a_transfer_is_finished_after_its_last_chunk_was_written():
    lane, pool, box = outflow(1)
    order = []
    lane.finished.addCallback(lambda _: order.append(("finished", len(box.sent))))
    lane.start()
    pool.finish()
    assert order == [("finished", 1)]


def test_a_failing_grant_fails_the_transfer():
    desk = Desk()
    desk.granted = None
    desk.intake._grant = lambda _: 1 / 0
    for number in range(8):
        desk.intake.receive(b"%d" % number, last=False)
    desk.pool.finish()
    assert [failure.type for failure in desk.finished] == [ZeroDivisionError]
