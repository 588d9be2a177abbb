"""A session's view of a log: heads go forwards, each proved from what was known; the first lie ends it."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from sft.client.heads import Head
from sft.client.log_follower import LogFollower
from sft.crypto.comment import NO_HEAD
from sft.crypto.keys import ServerKey
from sft.errors import LedgerError, LogForkedError, LogProofError, LogRestartedError, LogWentBackError
from sft.ledger.checkpoints import sign_checkpoint
from sft.ledger.leaves import LeafKind, LogLeaf
from sft.ledger.proofs import prove_inclusion
from sft.limits import LOG_HEADS_KEPT
from sft.model.evidence import ProvedRestart
from tests.unit.client.log_in_memory import LogInMemory

KEY = ServerKey.from_seed(bytes(range(32)))
OTHER = ServerKey.from_seed(bytes(range(1, 33)))
SERVER_ID = KEY.public.server_id()


def grown(size, *, other_from=None, **fields):
    """A log of so many leaves; another one from a leaf on."""
    log = LogInMemory(KEY, **fields)
    while log.size < size:
        log.append(time=2000 if other_from is not None and log.size >= other_from else 1000)
    return log


def head_of(log, size=None):
    return Head(log.checkpoint(size), log.note(size))


@dataclass
class Followed:
    """A follower, and what it kept as evidence."""

    kept: list
    told: list = field(default_factory=list)

    def __post_init__(self):
        self.log = LogFollower("acme", SERVER_ID, self.kept, self.keep)

    def keep(self, error, exhibits):
        self.told.append((error, exhibits))
        return error

    def begin(self, log, size=None, *, consistencies=None, note=None):
        proofs = (
            tuple(log.consistency(each, size) for each in self.log.log_sizes)
            if consistencies is None
            else consistencies
        )
        self.log.begin(KEY.public, log.note(size) if note is None else note, proofs)
        return self


def followed(*kept):
    return Followed([*kept])


def test_the_first_head_is_taken_and_named_as_comments_do():
    log = grown(5)
    assert followed().begin(log).log.told == head_of(log)
    assert followed().begin(log).log.told.checkpoint.head_text().startswith("1.5:")


@pytest.mark.parametrize("known", range(1, 9))
@pytest.mark.parametrize("size", [8, 9, 13])
def test_a_head_that_goes_on_what_was_known_is_taken(known, size):
    log = grown(size)
    view = followed(head_of(log, known)).begin(log)
    assert (view.log.told.checkpoint.size, view.log.begun_at, view.told) == (size, size, [])


def test_every_head_that_is_kept_is_proved_up_to_so_many_the_newest_among_them():
    log = grown(20)
    heads = [head_of(log, size) for size in (3, 5, 7, 9, 11, 13)]
    view = followed(*heads)
    assert view.log.log_sizes == (3, 5, 7, 13)
    assert len(view.log.log_sizes) == LOG_HEADS_KEPT
    view.begin(log)
    assert view.log.named == [heads[0], heads[1], heads[2], heads[5]]


CONSISTENCY = grown(12).consistency(9)

LIES = {
    "shorter than it was": (lambda: (grown(9), grown(5)), {}, LogWentBackError),
    "another of the same size": (lambda: (grown(9), grown(9, other_from=7)), {}, LogForkedError),
    "another that is longer": (lambda: (grown(9), grown(12, other_from=7)), {}, LogProofError),
    "no consistency": (lambda: (grown(9), grown(12)), {"consistencies": ()}, LogProofError),
    "a consistency cut short": (lambda: (grown(9), grown(12)), {"consistencies": (CONSISTENCY[:-1],)}, LogProofError),
    "one of another size": (lambda: (grown(9), grown(12)), {"consistencies": (grown(12).consistency(8),)}, LogProofError),
    "one for the same head": (lambda: (grown(9), grown(9)), {"consistencies": ((bytes(32),),)}, LogProofError),
    "no head": (lambda: (grown(9), grown(9)), {"note": ""}, LogProofError),
    "another epoch": (lambda: (grown(9), grown(12, epoch=2)), {}, LogRestartedError),
    "an earlier epoch": (lambda: (grown(9, epoch=2), grown(12)), {}, LogWentBackError),
    "another host": (lambda: (grown(9), grown(12, host="elsewhere.example")), {}, LogRestartedError),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_login_that_does_not_go_on_what_was_known_is_refused_and_both_heads_are_kept(lie):
    make, fields, error = LIES[lie]
    known, shown = make()
    view = followed(head_of(known))
    with pytest.raises(error) as caught:
        view.begin(shown, **fields)
    ((kept, exhibits),) = view.told
    assert kept is caught.value
    assert type(kept) is error
    titles = dict(exhibits)
    assert titles["shown"] == fields.get("note", shown.note())
    if "note" not in fields:
        assert titles["known"] == known.note()


def test_a_head_that_two_sessions_saw_side_by_side_is_held_to_both():
    log, fork = grown(12), grown(9, other_from=7)
    for heads in ([head_of(log, 8), head_of(fork, 9)], [head_of(fork, 8), head_of(log, 9)]):
        view = followed(*heads)
        with pytest.raises(LogProofError):
            view.begin(log)


def signed_by(key, log):
    return sign_checkpoint(key, log.checkpoint())


@pytest.mark.parametrize(
    "note",
    [
        lambda log: signed_by(OTHER, log),
        lambda log: log.note().replace("\n5\n", "\n4\n"),
        lambda log: log.note()[:-9],
        lambda _: LogInMemory(OTHER).note(),
        lambda log: signed_by(KEY, LogInMemory(OTHER)),
    ],
    ids=["by another key", "changed", "cut", "another server's", "another server's by our key"],
)
def test_a_head_is_the_servers_own(note):
    view = followed()
    with pytest.raises(LogProofError):
        view.begin(grown(5), note=note(grown(5)))
    assert view.log.head is None


# -- later heads --------------------------------------------------------------------------------------


def test_later_heads_go_on_one_another():
    log, view = grown(9), followed()
    view.begin(log, 5)
    for before, size in ((5, 6), (6, 6), (6, 9)):
        view.log.follow(log.note(size), log.consistency(before, size))
        assert view.log.told.checkpoint.size == size
    assert view.log.begun_at == 5


@pytest.mark.parametrize(
    ("shown", "size", "error"),
    [
        (grown(9), 4, LogWentBackError),
        (grown(9, other_from=3), 5, LogForkedError),
        (grown(9, other_from=3), 9, LogProofError),
        (grown(9, epoch=2), 9, LogProofError),
    ],
)
def test_a_later_head_that_does_not_ends_it_for_good(shown, size, error):
    log, view = grown(9), followed()
    view.begin(log, 5)
    with pytest.raises(error):
        view.log.follow(shown.note(size), shown.consistency(min(5, size), size))
    assert len(view.told) == 1
    for again in (
        view.log.require_sound,
        lambda: view.log.follow(log.note(9), log.consistency(5, 9)),
        lambda: view.log.hold(log.evidence()),
        lambda: view.log.under(None, "it"),
        lambda: view.log.told,
    ):
        with pytest.raises(error):
            again()
    assert len(view.told) == 1


# -- the last leaf --------------------------------------------------------------------------------------


def test_evidence_is_under_the_head_that_was_told_last_and_under_no_older_one():
    log, view = grown(9), followed()
    view.begin(log)
    held = view.log.hold(log.evidence())
    assert view.log.under(held, "it").head is view.log.head
    assert view.log.under(held, "it").leaf == LogLeaf.decode(log.leaf)
    older = log.evidence()
    log.append()
    view.log.follow(log.note(), log.consistency(9))
    assert view.log.under(held, "it").head.checkpoint.size == 9
    with pytest.raises(LogProofError):
        view.log.hold(older)


@pytest.mark.parametrize(
    "changed",
    [
        lambda proof: msgspec.structs.replace(proof, leaf=proof.leaf[:-1] + b"x"),
        lambda proof: msgspec.structs.replace(proof, leaf=b"x"),
        lambda proof: msgspec.structs.replace(proof, inclusion=proof.inclusion[1:]),
        lambda proof: msgspec.structs.replace(proof, inclusion=()),
        lambda _: grown(9, other_from=8).evidence(),
        lambda _: grown(8).evidence(),
    ],
)
def test_a_leaf_that_is_not_the_last_one_is_refused(changed):
    log, view = grown(9), followed()
    view.begin(log)
    with pytest.raises(LogProofError):
        view.log.hold(changed(log.evidence()))
    ((_, exhibits),) = view.told
    assert dict(exhibits)["shown"] == log.note()
    assert '"leaf"' in dict(exhibits)["answer"]


def test_what_proves_nothing_is_refused_and_so_is_what_was_not_held():
    log, view = grown(9), followed()
    view.begin(log)
    with pytest.raises(LogProofError, match="LOG_PROOF"):
        view.log.under(None, "what it says of x")
    assert view.told[0][0].values["what"] == "what it says of x"


# -- what others saw ------------------------------------------------------------------------------------


def seen(log, size):
    return log.checkpoint(size).head_text()


@pytest.mark.parametrize("size", range(1, 10))
def test_a_head_that_an_author_saw_is_of_this_log(size):
    log, view = grown(9), followed()
    view.begin(log)
    held = view.log.hold(log.evidence(seen=[size]))
    view.log.require_one_log(held, seen(log, size), "ada")
    view.log.require_one_log(view.log.hold(log.evidence()), seen(log, size), "ada")  # proved once


def test_no_head_says_nothing():
    log, view = grown(9), followed()
    view.begin(log)
    view.log.require_one_log(view.log.hold(log.evidence()), NO_HEAD, "ada")


@pytest.mark.parametrize("size", [1, 6, 9])
def test_a_head_of_an_epoch_before_is_in_the_same_tree(size):
    log, view = grown(9, epoch=2), followed()
    view.begin(log)
    view.log.require_one_log(view.log.hold(log.evidence(seen=[size])), seen(grown(9), size), "ada")


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (seen(grown(9, other_from=3), 6), LogForkedError),
        (seen(grown(20), 20), LogProofError),
        (seen(grown(9, epoch=3), 6), LogProofError),
    ],
    ids=["not kept", "beyond what there is", "of an epoch to come"],
)
def test_a_head_of_another_epoch_that_is_not_in_the_tree_ends_it(head, error):
    log, view = grown(9, epoch=2), followed()
    view.begin(log)
    with pytest.raises(error):
        view.log.require_one_log(view.log.hold(log.evidence(seen=[6])), head, "ada")


@pytest.mark.parametrize(
    ("shown", "continued"),
    [
        (grown(12, epoch=2), [3, 9]),
        (grown(9, epoch=2), [3, 9]),
        (grown(12, epoch=2, other_from=5), [3]),
        (grown(5, epoch=2), [3]),
        (grown(12), [3, 9]),
    ],
)
def test_whoever_looks_is_told_what_of_their_heads_a_log_goes_on(shown, continued):
    view = followed(head_of(grown(9), 3), head_of(grown(9), 9))
    view.log = LogFollower("acme", SERVER_ID, view.kept, view.keep, looking=True)
    proofs = [shown.consistency(size) if size <= shown.size else () for size in view.log.log_sizes]
    view.begin(shown, consistencies=proofs)
    assert [each.checkpoint.size for each in view.log.continued] == continued
    assert view.told == []


@pytest.mark.parametrize(
    ("head", "proved", "error"),
    [
        (seen(grown(9, other_from=3), 6), [6], LogForkedError),
        (seen(grown(9, other_from=3), 9), [], LogForkedError),
        (seen(grown(9), 6), [], LogProofError),
        (seen(grown(9), 6), [5, 7], LogProofError),
        (seen(grown(12), 12), [], LogProofError),
    ],
)
def test_a_head_of_another_log_or_one_without_proof_ends_it(head, proved, error):
    log, view = grown(9), followed()
    view.begin(log)
    held = view.log.hold(log.evidence(seen=proved))
    with pytest.raises(error) as caught:
        view.log.require_one_log(held, head, "ada")
    assert isinstance(caught.value, LedgerError)
    assert isinstance(view.log.failed, error)


def test_a_proof_of_another_head_does_not_pass_for_it():
    log, view = grown(9), followed()
    view.begin(log)
    proof = log.evidence(seen=[6])
    wrong = msgspec.structs.replace(
        proof, seen=(msgspec.structs.replace(proof.seen[0], consistency=log.consistency(5)),)
    )
    with pytest.raises(LogForkedError):
        view.log.require_one_log(view.log.hold(wrong), seen(log, 6), "ada")


# -- restarts: what a hostile server could hide by one ------------------------------------------------------


def restarted(kept, *, epoch=2, said=None, size=12, other_from=None):
    """A log that a leaf begins again at a size, and what proves that leaf."""
    log = grown(kept, other_from=other_from, epoch=epoch)
    facts = LogInMemory.facts_of({"epoch": epoch if said is None else said, "size": kept, "reason": "why"}, b"")
    number = log.append(kind=LeafKind.LOG_RESTARTED, facts=facts)
    leaf = log.leaf
    while log.size < size:
        log.append()

    def proof():
        inclusion = prove_inclusion(number, log.size, lambda at, index: log._node(log.hashes, at, index))
        return ProvedRestart(number, leaf, tuple(inclusion), facts.salt + facts.body)

    return log, proof


def held(view, log, proof, *sizes):
    return view.log.hold(msgspec.structs.replace(log.evidence(seen=sizes), restarts=(proof(),)))


def test_a_head_of_what_was_lost_is_taken_where_the_restart_is_proved():
    log, proof = restarted(5)
    view = followed().begin(log)
    view.log.require_one_log(held(view, log, proof), seen(grown(9, other_from=5), 8), "ada")
    assert view.log.failed is None


@pytest.mark.parametrize("size", [3, 5])
def test_a_restart_excuses_no_fork_in_what_was_kept(size):
    log, proof = restarted(5)
    view = followed().begin(log)
    with pytest.raises(LogForkedError):
        view.log.require_one_log(held(view, log, proof, 3, 5), seen(grown(9, other_from=2), size), "ada")


def test_a_restart_that_is_made_up_excuses_no_head_of_the_logs_own_epoch():
    """The name of the log stays, so nobody was asked: whatever leaf it has, ada was shown another log."""
    for said in (1, 2, 99):
        log, proof = restarted(5, epoch=1, said=said)
        view = followed().begin(log)
        with pytest.raises(LogProofError):
            view.log.require_one_log(held(view, log, proof), seen(grown(9, other_from=5), 8), "ada")


def test_a_restart_to_an_epoch_that_is_not_the_logs_excuses_nothing():
    log, proof = restarted(5, epoch=2, said=3)
    view = followed().begin(log)
    with pytest.raises(LogProofError):
        view.log.require_one_log(held(view, log, proof), seen(grown(9, other_from=5), 8), "ada")


def test_a_log_of_another_epoch_is_not_taken_whatever_restart_it_proves():
    log, _ = restarted(5)
    view = followed(head_of(grown(9), 3))
    with pytest.raises(LogRestartedError):
        view.begin(log)


def test_a_restart_before_what_this_computer_saw_the_log_go_on_excuses_nothing():
    """A leaf that says so was put there before the true restart: heads between them would be held to nothing."""
    log, proof = restarted(5)
    for before in ([(1, 6)], [(1, 3), (1, 9)]):
        view = followed()
        view.log = LogFollower("acme", SERVER_ID, [], view.keep, before=before)
        view.begin(log)
        with pytest.raises(LogProofError, match="saw it go on beyond that"):
            view.log.require_one_log(held(view, log, proof), seen(grown(9, other_from=5), 8), "ada")
    for before in ([(1, 5)], [(2, 9)]):
        view = followed()
        view.log = LogFollower("acme", SERVER_ID, [], view.keep, before=before)
        view.begin(log)
        view.log.require_one_log(held(view, log, proof), seen(grown(9, other_from=5), 8), "ada")


# -- what witnesses cosigned ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 5, 8, 9])
def test_a_cosigned_checkpoint_that_the_head_goes_on_is_taken(size):
    log = grown(9)
    view = followed().begin(log)
    assert view.log.cosigned is None
    view.log.take_cosigned(log.note(size), log.consistency(size))
    assert view.log.cosigned == head_of(log, size)
    assert view.log.told == head_of(log)


COSIGNED_LIES = {
    "of another log": (grown(8, other_from=3), LogProofError),
    "of another log of the same size": (grown(9, other_from=3), LogForkedError),
    "longer than what is shown": (grown(12), LogWentBackError),
}


@pytest.mark.parametrize("lie", COSIGNED_LIES)
def test_a_cosigned_checkpoint_that_the_server_signed_and_does_not_go_on_ends_it(lie):
    other, error = COSIGNED_LIES[lie]
    log = grown(9)
    view = followed().begin(log)
    with pytest.raises(error):
        view.log.take_cosigned(other.note(), log.consistency(min(other.size, 9)))
    with pytest.raises(error):
        view.log.require_sound()
    assert [name for name, _ in view.told[0][1]][:2] == ["known", "shown"]


def test_a_cosigned_checkpoint_without_a_proof_ends_it():
    log = grown(9)
    view = followed().begin(log)
    with pytest.raises(LogProofError):
        view.log.take_cosigned(log.note(5), ())


def test_a_cosigned_checkpoint_that_this_key_did_not_sign_is_passed_over():
    """Another key may have followed the server's since: a dead witness cosigns nothing under the new one."""
    log = grown(9)
    view = followed().begin(log)
    for note in ("", "nonsense\n", sign_checkpoint(OTHER, log.checkpoint(5)), grown(5, epoch=2).note()):
        view.log.take_cosigned(note, log.consistency(5))
    assert view.log.cosigned is None
    view.log.require_sound()
