"""What a witness cannot start with, and that it then leaves everything as it was; processes are in ``tests/e2e``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.errors import HomeError, ListenError, UsageError
from sft.ledger.policy import KnownLog, Policy
from sft.operator.home import Home, HomeLock
from sft.operator.next_steps import NEXT_STEPS
from sft.operator.witness import WitnessService, default_name, open_keys, policy_lines, show_key, witnessed_logs
from sft.witness.cosigned import log_name
from tests.loop import reactor, run
from tests.unit.ledger.logs import MALLORY, ORIGIN, checkpoint, log_key

NAME = "witness.example.org/w1"
LOG = log_key()
OTHER = log_key("another.example/log", MALLORY)
RENAMED = log_key("another.example/log")
ANYWHERE = "tcp:0:interface=127.0.0.1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "witness"
    made.mkdir(0o700)
    return made


@pytest.fixture
def started(folder: Path) -> Iterator[list[WitnessService]]:
    made: list[WitnessService] = []
    yield made
    for service in made:
        run(service._stop())


def start(folder: Path, started: list[WitnessService], *, listen: str = ANYWHERE, name: str = "") -> WitnessService:
    started.append(WitnessService(reactor, folder, NEXT_STEPS, listen=listen, logs=[LOG.vkey()], name=name))
    run(started[-1]._start())
    return started[-1]


def words(error: HomeError) -> str:
    return f"{error.values['problem']} | {error.values['remedy']}"


def test_a_home_has_one_witness_at_a_time(folder: Path, started: list[WitnessService]):
    start(folder, started)
    with pytest.raises(HomeError) as caught:
        start(folder, started)
    assert "another witness runs on it" in words(caught.value)
    run(started[0]._stop())
    start(folder, started)


def test_a_port_in_use_is_said_and_leaves_nothing_held(folder: Path, tmp_path: Path, started: list[WitnessService]):
    first = start(folder, started)
    beside = tmp_path / "beside"
    with pytest.raises(ListenError) as caught:
        start(beside, started, listen=f"127.0.0.1:{first.address.port}")
    assert caught.value.values["reason"] == "Address already in use"
    run(started[1]._stop())
    lock = HomeLock(Home(beside))
    assert lock.take()
    lock.drop()
    with pytest.raises(UsageError):
        start(beside, started, listen="nonsense")


def test_keys_are_made_at_the_first_start_and_have_one_name_for_ever(folder: Path):
    made = open_keys(folder, NAME)
    assert made.name == NAME
    assert [each.public for each in open_keys(folder, "").cosigners] == [each.public for each in made.cosigners]
    with pytest.raises(HomeError) as caught:
        open_keys(folder, "witness.example.org/w2")
    assert f"the witness there is {NAME}" in words(caught.value)


def test_a_witness_without_a_name_is_called_after_its_computer(folder: Path):
    assert open_keys(folder, "").name == default_name()
    assert default_name().startswith(os.uname().nodename)


@pytest.mark.parametrize("name", ["two words", "a+b", "x" * 256])
def test_what_is_no_name_is_refused_and_makes_no_keys(folder: Path, name: str):
    with pytest.raises(HomeError) as caught:
        open_keys(folder, name)
    assert "no name of a witness" in words(caught.value)
    assert os.listdir(folder) == []


def test_keys_that_are_not_whole_are_refused_and_not_made_anew(folder: Path):
    open_keys(folder, NAME)
    path = folder / "keys"
    whole = path.read_bytes()
    path.chmod(0o644)
    with pytest.raises(HomeError) as caught:
        open_keys(folder, "")
    assert f"chmod 600 {path}" in words(caught.value)
    path.chmod(0o600)
    path.write_bytes(whole[:-9])
    with pytest.raises(HomeError) as caught:
        open_keys(folder, "")
    assert "damaged" in words(caught.value)
    assert path.read_bytes() == whole[:-9]
    path.unlink()
    (folder / "logs").mkdir()
    (folder / "logs" / "a record").touch()
    with pytest.raises(HomeError) as caught:
        open_keys(folder, "")
    assert "records and no keys" in words(caught.value)
    assert not path.exists()


def test_a_record_that_it_did_not_write_is_refused(folder: Path, started: list[WitnessService]):
    open_keys(folder, NAME)
    (folder / "logs").mkdir()
    (folder / "logs" / log_name(ORIGIN)).write_text(checkpoint(5))
    with pytest.raises(HomeError) as caught:
        start(folder, started)
    assert f"logs/{log_name(ORIGIN)} is not what this witness wrote" in words(caught.value)


def test_logs_are_those_of_the_policy_and_of_the_command_each_once(folder: Path):
    assert witnessed_logs(folder, [LOG.vkey()]) == Policy(logs=(KnownLog(LOG),))
    (folder / "policy").write_text(f"log {OTHER.vkey()}\nquorum none\n")
    assert witnessed_logs(folder, []).logs == (KnownLog(OTHER),)
    assert witnessed_logs(folder, [LOG.vkey(), OTHER.vkey()]).logs == (KnownLog(OTHER), KnownLog(LOG))


@pytest.mark.parametrize(
    ("given", "policy", "said"),
    [
        ([RENAMED.vkey()], f"log {LOG.vkey()}\nquorum none\n", "in its policy under another name"),
        ([LOG.vkey(), RENAMED.vkey()], None, "the key is in a line above"),
        ([], None, "it has no log to witness"),
        ([], "quorum none\n", "it has no log to witness"),
        (["nonsense"], None, "--log is not a log's key"),
        ([f"{LOG.vkey()}\nlog {OTHER.vkey()}\nquorum"], None, "--log is not a log's key"),
        ([], f"log {LOG.vkey()}\nlog {LOG.vkey()}\nquorum none\n", "line 2 of its policy: the key is in a line above"),
    ],
)
def test_what_names_no_log_is_said(folder: Path, given: list[str], policy: str | None, said: str):
    if policy is not None:
        (folder / "policy").write_text(policy)
    with pytest.raises(HomeError) as caught:
        witnessed_logs(folder, given)
    assert said in words(caught.value)


def test_what_is_shown_is_a_part_of_a_policy_that_wants_both_keys(folder: Path):
    keys = open_keys(folder, NAME)
    for url in ("", "https://witness.example.org/"):
        policy = Policy.parse("".join(f"{line}\n" for line in (*policy_lines(keys, url), f"quorum {NAME}")).encode())
        assert [each.url for each in policy.witnesses] == [url, url]
        both = [each.public for each in keys.cosigners]
        assert policy.is_satisfied(both)
        assert not policy.is_satisfied(both[:1])
        assert not policy.is_satisfied(both[1:])


def test_what_cannot_be_shown_is_said(folder: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(HomeError) as caught:
        show_key(folder, "two words", "")
    assert "that is no name of a witness" in words(caught.value)
    assert show_key(folder, NAME, "") == 0
    assert capsys.readouterr().out.count("\n") == 3
