"""An evil server against the program as it is: what it tries, and that each is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sft.ledger.records import LeafRecord, RecordPart
from sft.ledger.replay import Replay, ReplayedLog
from sft.model.access import operator_caller
from sft.model.events import FileMoved
from sft.model.evidence import Evidence
from sft.store.ledger import leaves_from
from sft.store.row_types import DeviceKeyRow
from sft.store.rows import Transaction
from sft.store.statements import rows_of
from sft.wire import messages as m
from tests.integration.evil import (  # each registers its own
    file_attacks,
    history_attacks,  # noqa: F401
    key_attacks,
    proof_attacks,  # noqa: F401
    staging,
)
from tests.integration.evil.attacks import ATTACKS, Attack
from tests.integration.evil.evil_server import EVIL_KEY, MOST_LEAVES, EvilServer
from tests.integration.live_cli import LiveCli
from tests.loop import run


@pytest.fixture
def evil(cli: LiveCli, monkeypatch: pytest.MonkeyPatch) -> EvilServer:
    return EvilServer(cli, monkeypatch)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.try_.__name__)
def test_it_is_refused_with_its_words_and_status(evil: EvilServer, attack: Attack) -> None:
    who, words, stdin = attack.try_(evil)
    assert evil.controls, "nothing was got where nobody lied yet"
    if words[0] == "get":
        done, place = evil.get(who, *words[1:])
        assert not place.exists() or not list(place.iterdir()), "nothing lies under any name"
    else:
        done = evil.cli.sft(who, *words, stdin=stdin)
    assert attack.says in " ".join(done.err.split()), done.err
    assert done.status == attack.status, done.err
    evil.be_honest()
    if attack.code.startswith("LOG_"):
        (kept,) = evil.evidence_kept(who)
        assert f"\nwhat {attack.code}: " in kept
        assert "\n-- shown\n" in kept
    else:
        assert not evil.evidence_kept(who)
    if attack.fatal:
        again = evil.cli.sft(who, "ls") if words[0] != "join" else evil.cli.sft(who, *words, stdin=stdin)
        assert json.loads(evil.mark(who).read_text())["code"] == attack.code
        assert again.status == attack.status, "what contradicted itself is asked nothing more, whatever it says now"
        assert attack.says in " ".join(again.err.split())
    else:
        assert not evil.mark(who).exists()


@pytest.mark.every_run
def test_the_table_of_security_is_of_these() -> None:
    told = [
        f"| {attack.lie} | {attack.means} | {attack.noticed} | … {attack.says} … | {attack.code}, {attack.status} |"
        for attack in ATTACKS
    ]
    text = (Path(__file__).parents[3] / "SECURITY.md").read_text()
    _, _, table = text.partition("| what it would have people believe |")
    assert table.split("\n\n")[0].splitlines()[2:] == told


# -- what nobody notices who does not read the log ------------------------------------------------------------------------


def test_a_file_that_is_put_back_to_its_signed_name_is_found_by_a_check_of_the_log(evil: EvilServer) -> None:
    """It was moved away, and a newer one lay there since: who gets it has what was signed to lie there."""
    evil.put("max", "plan", staging.PLAN)
    assert evil.cli.sft("max", "mv", "plan", "plan of before").status == 0
    evil.put("max", "plan", staging.NEWER)
    evil.got("gus", "plan", "plan of before")
    old, new = staging.file_row(evil, "plan of before"), staging.file_row(evil, "plan")
    assert evil.cli.sft("gus", "log", "verify", "--server").status == 0

    def put_back(transaction: Transaction) -> None:
        for row, name in ((new, "aside"), (old, "plan")):
            transaction.rows.update([replace(row, name=name, folded=name)])
            transaction.log(FileMoved(by=operator_caller(), file_id=row.file_id, old=row.name, new=name))

    evil.edit(put_back)
    evil.got("gus", "plan")
    checked = evil.cli.sft("gus", "log", "verify", "--server")
    assert checked.status == 7, checked.out
    assert (checked.out + checked.err).count("something was moved or handed over, and nobody signed that") == 2


# -- what its own code refuses ---------------------------------------------------------------------------------------


@pytest.mark.every_run
def test_a_login_is_refused_whose_rows_are_not_what_the_log_says(evil: EvilServer) -> None:
    evil.put("max", "plan", staging.PLAN)
    added = run(run(evil.server.raw("max")).ask(m.AddKey, public_key=EVIL_KEY.public.encode(), device="phone"))
    assert isinstance(added, m.UserShown), added

    def change(transaction: Transaction) -> None:
        keys = transaction.rows.all(rows_of(DeviceKeyRow))
        transaction.rows.delete([key for key in keys if key.public_key == EVIL_KEY.public.encode()])

    evil.edit_rows(change)
    done = evil.cli.sft("max", "ls")
    assert (done.status, "record of max was changed outside the server" in done.err) == (7, True), done.err


# -- what is not noticed, or only told ------------------------------------------------------------------------------


def replayed(evil: EvilServer) -> ReplayedLog:
    """Replay the whole log, as whoever has its leaves can."""
    replay = Replay()
    with evil.server.here.readers.reading() as reading:
        for row in leaves_from(reading, 0, MOST_LEAVES):
            personal = None if row.personal is None else RecordPart(row.personal_salt or b"", row.personal)
            replay.add(row.entry, LeafRecord(RecordPart(row.facts_salt, row.facts), personal))
    return replay.end()


@pytest.mark.every_run
def test_nothing_is_found_in_a_log_of_which_nobody_lied(evil: EvilServer) -> None:
    evil.put("max", "plan", b"x")
    evil.got("gus", "plan")
    assert replayed(evil).findings == ()


def test_a_second_slot_is_found_by_a_replay_and_not_by_who_never_saw_the_first(evil: EvilServer) -> None:
    file_attacks.revive(evil)
    leaf = evil.server.here.ledger.head.size - 1
    evil.got("mia", "plan")
    (found,) = replayed(evil).findings
    assert found.leaf == leaf
    assert "it has a second slot" in found.problem, found


def test_an_older_version_by_a_leaf_is_taken_by_who_never_saw_the_newer_one(evil: EvilServer) -> None:
    file_attacks.wind_back(evil)
    evil.got("mia", "plan")


@pytest.mark.every_run
def test_yesterday_is_taken_by_who_saw_nothing_since(evil: EvilServer) -> None:
    evil.put("max", "plan", b"x")
    evil.got("mia", "plan")
    copy = evil.copy()
    evil.put("max", "plan", b"newer", "--replace")
    evil.put_back(copy)
    evil.got("mia", "plan")


def test_files_that_somebody_moved_are_got_and_who_moved_them_is_said(evil: EvilServer) -> None:
    staging.put_two(evil)
    evil.cli.sft("max", "mv", "plan", "aside")
    evil.cli.sft("max", "mv", "other", "plan")
    done, place = evil.get("gus", "plan")
    assert done.status == 0, done.err
    assert (place / "plan").read_bytes() == staging.NEWER
    assert "signed by max as other, moved here by max" in " ".join(done.out.split()), done.out


def test_a_folder_that_somebody_moved_takes_its_files_along(evil: EvilServer) -> None:
    evil.put("max", "plan", staging.PLAN)
    assert evil.cli.sft("max", "mkdir", "docs").status == 0
    assert evil.cli.sft("max", "mv", "plan", "docs/plan").status == 0
    assert evil.cli.sft("max", "mv", "docs", "kept").status == 0
    evil.got("gus", "kept/plan")


def test_a_listing_may_leave_something_out(evil: EvilServer) -> None:
    evil.put("max", "plan", b"x")
    evil.tell(
        lambda message: (
            replace(message, page=replace(message.page, files=())) if isinstance(message, m.FolderPage) else message
        )
    )
    listed = evil.cli.sft("gus", "ls")
    assert (listed.status, "plan" in listed.out) == (0, False)
    evil.got("gus", "plan")


def test_a_key_that_nobody_saw_before_is_taken_as_the_log_has_it(evil: EvilServer) -> None:
    key_attacks.store_with_a_given_key(evil)
    evil.got("mia", "order")


# -- by chance ------------------------------------------------------------------------------------------------------

SEED = 20260503
CHANGES = 60


def changed(random: Random, value: Any) -> Any:
    """Change one thing somewhere in what a proof is made of: a bit, a number, or what stands in a list, and how often."""
    if isinstance(value, bytes):
        at, bit = random.randrange(len(value)), 1 << random.randrange(8)
        return value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]
    if isinstance(value, int):
        return value + random.choice((-1, 1, 2))
    places = [at for at, each in enumerate(value) if each != []]
    if not places or random.random() < 0.2:
        return random.choice((value[1:], value[:-1], value[::-1], [*value, *value[-1:]]))
    at = random.choice(places)
    return [*value[:at], changed(random, value[at]), *value[at + 1 :]]


def test_a_proof_that_was_changed_anywhere_is_refused(evil: EvilServer) -> None:
    random = Random(SEED)
    evil.put("max", "docs/plan", b"x")
    evil.put("mia", "docs/plan2", b"x")
    evil.got("gus", "docs/plan", "docs/plan2")
    evidence = evil.last(m.FilesContent).evidence
    plain, tried = msgspec.msgpack.decode(msgspec.msgpack.encode(evidence)), 0
    while tried < CHANGES:
        said = changed(random, plain)
        try:
            lie = msgspec.convert(said, Evidence)
        except msgspec.ValidationError:
            continue  # the line takes no such message
        if lie == evidence:
            continue
        tried += 1
        evil.tell(lambda message: replace(message, evidence=lie) if isinstance(message, m.FilesContent) else message)  # noqa: B023
        done, place = evil.get("gus", "docs/plan", "docs/plan2")
        assert (done.status, place.exists() and any(place.iterdir())) == (7, False), (SEED, tried, said, done)
        assert "LOG_" in done.err, (SEED, tried, said, done.err)
        evil.mark("gus").unlink()
        evil.be_honest()
    evil.got("gus", "docs/plan", "docs/plan2")
