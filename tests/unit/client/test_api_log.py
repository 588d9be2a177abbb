"""Pages of a log as a client takes them: what was asked for, proved, with the leaves' own records; nothing else."""

from __future__ import annotations

from functools import cache

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft.client.api import log as api
from sft.client.api.leaves import prove_leaf
from sft.client.api.log import LogNames, LogQuery, all_lines, newest, page_after, page_before, start_of_newest
from sft.client.log_follower import LogFollower
from sft.crypto.keys import ServerKey
from sft.errors import LogProofError, NotFoundError
from sft.ledger.checkpoints import Checkpoint, Origin, sign_checkpoint
from sft.ledger.hashing import leaf_hash
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.proofs import prove_consistency, prove_inclusion, prove_several
from sft.ledger.tree import LogTree
from sft.model.evidence import LoggedLeaf, LoggedPage, ProvedLeaf
from sft.wire import messages as m
from tests.unit.ledger.stored import nodes_of
from tests.unit.ledger.written_log import begun, by_ada, grown

SERVER = ServerKey.from_seed(bytes(range(32)))
SERVER_ID = SERVER.public.server_id()
ORIGIN = Origin.of_server("files.example.org", SERVER_ID, 1)


def part(each):
    return None if each is None else each.salt + each.body


@cache
def nodes_of_log(entries):
    """Give the tree's hashes of these leaves, by level and index: a served log is asked for them with each page."""
    _, tiles = LogTree().append([leaf_hash(each) for each in entries])
    kept = {(tile.level, tile.index): tile.hashes for tile in tiles}
    return nodes_of(len(entries), lambda level, index: kept[level, index])


@cache
def note_of_log(entries):
    tree, _ = LogTree().append([leaf_hash(each) for each in entries])
    return sign_checkpoint(SERVER, Checkpoint(ORIGIN, len(entries), tree.root()))


_leaf_of = cache(LogLeaf.decode)


class ServedLog:
    """A session at a server that has a written log; ``change`` makes another page of each page."""

    def __init__(self, log, *, followed=False):
        self.written = log
        self.server_name = "acme"
        self.server_key = SERVER.public
        self.server_id = SERVER_ID
        self.change = lambda page: page
        self.apart = False
        self.asked = []
        self.log = None
        if followed:
            self.log = LogFollower("acme", SERVER_ID, [], lambda error, _exhibits: error)
            self.log.begin(SERVER.public, self.note(), [])

    def node(self, size):
        return nodes_of_log(tuple(self.written.entries[:size]))

    def note(self, size=None):
        return note_of_log(tuple(self.written.entries[:size]))

    def grow(self, *, told=True):
        before = len(self.written.entries)
        self.written.add(LeafKind.FILE_COMMITTED, by_ada(file_id="09" * 16, path="late"))
        if told:
            size = len(self.written.entries)
            self.log.follow(self.note(), prove_consistency(before, size, self.node(size)))

    async def request(self, kind, reply, /, **fields):
        self.asked.append((kind, fields))
        if kind is m.ReadRecord:
            record = self.written.records[fields["number"]]
            return m.RecordShown(1, part(record.personal if fields.get("personal") else record.facts))
        if kind is m.ProveLeaf:
            number, size = fields["number"], len(self.written.entries)
            proof = tuple(prove_inclusion(number, size, self.node(size)))
            return m.LeafProved(1, self.change(ProvedLeaf(self.written.entries[number], proof, self.note())))
        if kind is m.ShowUser:
            raise NotFoundError(what="user", name=str(fields["user_id"]))
        return m.LogPage(1, self.change(self.page(m.ReadLog(1, **fields))))

    def page(self, asked):
        size = len(self.written.entries)
        end = size if asked.end is None else min(asked.end, size)
        numbers = list(range(asked.start, end))[:: -1 if asked.newest_first else 1]
        meant = [each for each in numbers if self.is_meant(each, asked)]
        shown, last = meant[: asked.limit], asked.start if asked.newest_first else end
        more = len(meant) > len(shown)
        goes_on = (shown[-1] + (not asked.newest_first)) if more else last
        return self.of(shown, goes_on, more=more)

    def of(self, numbers, goes_on, *, more=False):
        leaves = []
        for number in numbers:
            record = self.written.records[number]
            leaf = LoggedLeaf(number, self.written.entries[number], part(record.facts), part(record.personal))
            if self.apart:
                leaf = LoggedLeaf(number, self.written.entries[number], apart=True)
            leaves.append(leaf)
        size = len(self.written.entries)
        proof = tuple(prove_several(numbers, size, self.node(size))) if numbers else ()
        return LoggedPage(tuple(leaves), proof, self.note(), goes_on, more)

    def is_meant(self, number, asked):
        facts = self.written.records[number].facts.body
        return (
            (not asked.kinds or _leaf_of(self.written.entries[number]).kind in asked.kinds)
            and (asked.file_id is None or asked.file_id.hex().encode() in facts)
            and (asked.user_id is None or b'"user":%d' % asked.user_id in facts or b'_id":%d' % asked.user_id in facts)
        )


def run(coroutine):
    """Run what waits for nothing but the server of the test, which answers at once."""
    ended = []
    Deferred.fromCoroutine(coroutine).addBoth(ended.append)
    (outcome,) = ended
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome


def numbers(lines):
    return [line.number for line in lines]


@pytest.fixture(params=[False, True], ids=["operator", "person"])
def served(request):
    return ServedLog(grown(40), followed=request.param)


def test_pages_go_both_ways(served):
    assert numbers(run(page_after(served, start=3, limit=4)).lines) == [3, 4, 5, 6]
    assert numbers(run(page_before(served, before=7, limit=3)).lines) == [6, 5, 4]
    last = run(newest(served, LogQuery(), 30))
    assert (numbers(last.lines), last.next, last.more) == (list(range(10, 40)), 40, False)
    assert run(page_after(served, start=40)).lines == []


def test_all_of_it_page_by_page(served):
    async def every():
        return [number async for page in all_lines(served) for number in numbers(page.lines)]

    assert run(every()) == list(range(40))


def test_lines_say_what_happened(served):
    line = run(page_after(served, start=1, limit=1)).lines[0]
    assert (line.act, line.words, line.actor_id, line.subject_id, line.subject) == ("join", "joined", 1, 1, "ada")
    assert line.is_signed
    stored = run(page_after(served, start=2, limit=1)).lines[0]
    assert (stored.act, stored.version, stored.file_id, stored.grade) == ("store", 1, stored.file_id, None)
    assert stored.file_id.hex() == stored.facts["file_id"]


def test_it_is_filtered(served):
    kinds = (int(LeafKind.FILE_REPLACED),)
    found = run(page_after(served, LogQuery(kinds=kinds))).lines
    assert found
    assert {line.kind for line in found} == {LeafKind.FILE_REPLACED}
    file_id = run(page_after(served, start=2, limit=1)).lines[0].file_id
    assert numbers(run(page_after(served, LogQuery(file_id=file_id))).lines) == [2]
    assert len(run(page_after(served, LogQuery(user_id=1))).lines) == 39


def test_a_record_that_comes_apart_is_asked_for(served):
    served.apart = True
    line = run(page_after(served, start=1, limit=1)).lines[0]
    assert line.subject == "ada"
    assert [kind for kind, _ in served.asked] == [m.ReadLog, m.ReadRecord, m.ReadRecord]


def test_a_record_that_is_not_ours_leaves_kind_and_time(served):
    served.change = lambda page: replace(
        page, leaves=tuple(replace(each, facts=None, personal=None) for each in page.leaves)
    )
    line = run(page_after(served, start=1, limit=1)).lines[0]
    assert (line.record, line.actor_id, line.words) == (None, None, "joined")


def refused(served, **asked):
    with pytest.raises(LogProofError):
        run(api.page_after(served, **asked))
    if served.log is not None:
        assert served.log.failed is not None


def of_leaf(page, index, **change):
    leaves = list(page.leaves)
    leaves[index] = replace(leaves[index], **change)
    return replace(page, leaves=tuple(leaves))


CHANGES = {
    "another leaf": lambda page: of_leaf(page, 1, leaf=page.leaves[2].leaf),
    "another number": lambda page: of_leaf(page, 3, number=page.leaves[3].number + 1),
    "no proof": lambda page: replace(page, proof=()),
    "a longer proof": lambda page: replace(page, proof=(*page.proof, bytes(32))),
    "another order": lambda page: replace(page, leaves=page.leaves[::-1]),
    "twice": lambda page: replace(page, leaves=(*page.leaves, page.leaves[-1])),
    "other facts": lambda page: of_leaf(page, 1, facts=page.leaves[1].facts + b" "),
    "another personal part": lambda page: of_leaf(page, 1, personal=page.leaves[1].facts),
    "another head": lambda page: replace(page, head=page.head.replace("files.", "other.")),
    "a head of nobody": lambda page: replace(page, head="head"),
    "goes on nowhere": lambda page: replace(page, next=0, more=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_does_not_hold_is_refused(served, change):
    served.change = change
    refused(served, start=0, limit=4)


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ([2], {"start": 3}),
        ([2, 3], {"limit": 1}),
        ([2], {"query": LogQuery(kinds=(int(LeafKind.USER_JOINED),))}),
        ([2], {"query": LogQuery(user_id=2)}),
        ([2], {"query": LogQuery(file_id=bytes(16))}),
        ([0], {"query": LogQuery(user_id=1)}),
    ],
)
def test_what_was_not_asked_for_is_refused(served, shown, asked):
    served.change = lambda _page: served.of(shown, 4)
    refused(served, **asked)


def test_a_proof_of_nothing_is_refused(served):
    served.change = lambda page: replace(page, leaves=(), proof=(bytes(32),))
    refused(served)


def test_a_page_that_goes_back_is_refused(served):
    served.change = lambda page: replace(page, leaves=(), proof=(), next=9, more=True)
    with pytest.raises(LogProofError):
        run(page_before(served, before=9))


@pytest.mark.parametrize("following", [40, 41, 1 << 40])
def test_pages_without_leaves_end_where_the_log_does(served, following):
    served.change = lambda page: replace(page, leaves=(), proof=(), next=following, more=True)
    refused(served, start=39)


@pytest.mark.parametrize("count", [1, 7, 130])
def test_the_newest_lines_begin_at_a_leaf_that_is_found_without_keeping_them(count):
    served = ServedLog(grown(150))
    start = run(start_of_newest(served, LogQuery(), count))
    assert start == 150 - count
    assert run(page_after(served, start=start)).lines[0].number == start


def test_a_head_that_the_session_was_not_told_is_refused():
    served = ServedLog(grown(40), followed=True)
    served.grow()
    assert len(run(page_after(served, start=38)).lines) == 3
    served.grow(told=False)
    refused(served, start=38)


def test_a_page_may_be_taken_up_when_the_session_was_told_a_newer_head():
    served = ServedLog(grown(40), followed=True)
    page = served.page(m.ReadLog(1))
    served.grow()
    served.change = lambda _page: page
    assert len(run(page_after(served)).lines) == 40


def test_a_leaf_is_proved_by_itself(served):
    leaf, head = run(prove_leaf(served, 7))
    assert (leaf, head.size) == (LogLeaf.decode(served.written.entries[7]), 40)
    served.change = lambda proved: replace(proved, leaf=served.written.entries[8])
    with pytest.raises(LogProofError):
        run(prove_leaf(served, 7))


def test_a_leaf_under_a_head_that_the_session_was_not_told_is_none():
    served = ServedLog(grown(40), followed=True)
    served.grow(told=False)
    with pytest.raises(LogProofError):
        run(prove_leaf(served, 7))


def test_people_who_are_not_known_are_called_by_their_ids(served):
    people = LogNames(served)
    run(people.learn(run(page_after(served)).lines))
    assert (people.name(1), people.name(None)) == ("user 1", "operator")
    assert len([kind for kind, _ in served.asked if kind is m.ShowUser]) == 1


def test_names_are_asked_for_once_and_those_that_were_needed_last_stay(served, monkeypatch):
    monkeypatch.setattr(api, "NAMES_KNOWN", 2)
    people = LogNames(served)
    downloads = [by_file(number, bytes([number]) * 16) for number in (1, 2, 3)]

    def asked():
        count = len([kind for kind, _ in served.asked if kind is m.ReadLog])
        served.asked.clear()
        return count

    for lines, times in ((downloads[:2], 2), (downloads[:2], 0), (downloads[:1], 0), (downloads[2:], 1), (downloads[:1], 0),
                         (downloads[1:2], 1)):  # fmt: skip
        run(people.learn(lines))
        assert asked() == times


def by_file(number, file_id):
    leaf = replace(LogLeaf.decode(begun().entries[0]), kind=LeafKind.DOWNLOAD_BEGUN)
    return api.LogLine(number, leaf, None, {"versions": [[file_id.hex(), 1]]}, {})


def test_every_kind_has_words_and_an_act():
    for kind in LeafKind:
        line = api.LogLine(0, replace(LogLeaf.decode(begun().entries[0]), kind=kind), None, {}, {})
        assert line.words
        assert line.act
