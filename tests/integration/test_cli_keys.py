"""Keys that live, as people use them: a second device, a key that follows another, one that was lost or stolen."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from sft.client import rotating
from sft.client.pins import Pins, own_pin
from sft.client.profiles import Profiles
from sft.client.state import StateFolder
from tests.integration.live_cli import LiveCli, Ran

KEY = re.compile(r"RW[A-Za-z0-9+/]{54}")


def good(ran: Ran) -> Ran:
    assert ran.status == 0, (ran.out, ran.err)
    return ran


def failed(ran: Ran, status: int, code: str) -> Ran:
    assert ran.status == status, (ran.out, ran.err)
    assert f"[{code}]" in ran.err, ran.err
    return ran


def cli_state(cli: LiveCli, name: str) -> StateFolder:
    return StateFolder(cli.state(name), cli.state(name))


def begin(cli: LiveCli, name: str, computer: str) -> tuple[str, str]:
    """Try to join as somebody who is there already; return the link, and the key that waits on that computer."""
    link = good(cli.sft(name, "key", "device", "link", "--quiet")).out.strip()
    refused = failed(cli.sft(computer, "join", "--user", name, "--no-passphrase", stdin=link), 4, "KEY_UNKNOWN")
    assert "sft invite" not in refused.err
    (key,) = set(KEY.findall(refused.err))
    return link, key


def second(cli: LiveCli, name: str, computer: str) -> None:
    """Give somebody a second computer."""
    link, key = begin(cli, name, computer)
    good(cli.sft(name, "key", "device", "add", key, "--device", "desk"))
    good(cli.sft(computer, "join", "--user", name, "--no-passphrase", stdin=link))


def devices(cli: LiveCli, name: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(good(cli.sft(name, "key", "device", "list", "--json")).out)
    return listed


@pytest.mark.every_run
def test_a_second_computer_is_vouched_for_and_nobody_is_asked(cli: LiveCli):
    good(cli.sft("max", "put", cli.file("a", b"by the laptop"), "--as", "a"))
    good(cli.sft("gus", "get", "a", "--as", "first"))
    second(cli, "max", "desk")
    good(cli.sft("desk", "put", cli.file("b", b"by the desk"), "--as", "b"))
    good(cli.sft("gus", "get", "b", "--as", "second"))
    # Each computer of max's knows what the other stored as his own, and the one that vouched is told nothing new.
    assert "A key was added" not in good(cli.sft("max", "get", "b", "--as", "third")).err
    good(cli.sft("desk", "get", "a", "--as", "fourth"))
    assert [(each["device"], each["endorsed"], each["ended_at"]) for each in devices(cli, "max")] == [
        ("laptop", False, None), ("desk", True, None),
    ]  # fmt: skip
    listed = [line.split("\t") for line in good(cli.sft("desk", "key", "device", "list")).lines]
    assert [(row[0], row[2], row[4], row[5:]) for row in listed] == [
        ("laptop", "", "", ["", ""]), ("desk", "here", "vouched for by another", ["", ""]),
    ]  # fmt: skip
    assert all(row[3].endswith("Z") for row in listed), "UTC"


def test_whoever_did_not_add_a_key_of_theirs_is_told_once_and_how_to_end_it(cli: LiveCli):
    second(cli, "max", "desk")
    link, key = begin(cli, "max", "thief")
    good(cli.sft("desk", "key", "device", "add", key, "--device", "thief"))
    good(cli.sft("thief", "join", "--user", "max", "--no-passphrase", stdin=link))
    told = good(cli.sft("max", "ls")).err
    assert "A key was added for you on" in told
    way_out = shlex.split(told.partition("Not by you? sft ")[2])
    assert good(cli.sft("max", "ls")).err == ""
    good(cli.sft("max", *way_out, "--yes"))
    failed(cli.sft("thief", "ls"), 4, "KEY_REVOKED")


def test_a_key_of_somebody_elses_is_not_taken(cli: LiveCli):
    link, key = begin(cli, "max", "desk")
    good(cli.sft("max", "key", "device", "add", key))
    failed(cli.sft("gus", "key", "device", "add", key), 5, "KEY_TAKEN")
    good(cli.sft("desk", "join", "--user", "max", "--no-passphrase", stdin=link))


@pytest.mark.every_run
def test_a_lost_computer_is_revoked_and_what_it_stored_stays_good(cli: LiveCli):
    second(cli, "max", "desk")
    good(cli.sft("desk", "put", cli.file("b", b"by the desk"), "--as", "b"))
    assert cli.sft("max", "key", "device", "revoke", "desk").status == 2, "nobody to ask"
    good(cli.sft("max", "key", "device", "revoke", "desk", "--yes"))
    refused = failed(cli.sft("desk", "ls"), 4, "KEY_REVOKED")
    assert "lets the key of this computer in no more: it was ended on" in refused.err
    assert "sft key device link" in refused.err
    got = good(cli.sft("gus", "get", "b", "--as", "second"))
    assert "verified" in got.out
    assert "max has used another key since." in good(cli.sft("gus", "info", "b")).out
    failed(cli.sft("max", "key", "device", "revoke", "laptop", "--yes"), 4, "LAST_KEY")
    failed(cli.sft("max", "key", "device", "revoke", "none", "--yes"), 3, "NOT_FOUND")


def test_after_a_theft_the_log_says_what_is_good(cli: LiveCli):
    """Before the cut-off: good, and said; from it on: not used."""
    second(cli, "max", "desk")
    for name in ("before", "between"):
        good(cli.sft("desk", "put", cli.file(name, name.encode()), "--as", name))
    number = json.loads(good(cli.sft("gus", "info", "between", "--json")).out)["log"]
    good(cli.sft("max", "key", "device", "revoke", "desk", "--stolen-since", f"{number}", "--yes"))
    good(cli.sft("gus", "get", "before", "--as", "one"))
    shown = good(cli.sft("gus", "info", "before")).out
    assert "max's key was stolen later; this was stored before, as the log proves." in shown
    stopped = failed(cli.sft("gus", "get", "between", "--as", "two"), 7, "SIGNER_KEY_STOLEN")
    assert "Do not use it" in stopped.err
    assert not (cli.folder / "two").exists()
    wrong = cli.sft("max", "key", "device", "revoke", "desk", "--stolen-since", "999999", "--yes")
    failed(wrong, 3, "NOT_FOUND")  # by its name only one that still signs is found


def test_what_a_thief_vouched_for_ends_with_the_key_that_was_stolen(cli: LiveCli):
    second(cli, "max", "desk")
    good(cli.sft("desk", "put", cli.file("a", b"by max"), "--as", "a"))
    since = json.loads(good(cli.sft("gus", "info", "a", "--json")).out)["log"] + 1
    link, key = begin(cli, "max", "thief")
    good(cli.sft("desk", "key", "device", "add", key, "--device", "thief"))
    good(cli.sft("thief", "join", "--user", "max", "--no-passphrase", stdin=link))
    good(cli.sft("thief", "put", cli.file("b", b"by the thief"), "--as", "b"))
    good(cli.sft("gus", "get", "b", "--as", "taken"))
    ran = good(cli.sft("max", "key", "device", "revoke", "desk", "--stolen-since", f"{since}", "--yes"))
    assert "With it ended, for it had vouched since then: thief" in ran.err
    failed(cli.sft("thief", "ls"), 4, "KEY_REVOKED")
    failed(cli.sft("gus", "get", "b", "--as", "again"), 7, "SIGNER_KEY_STOLEN")
    good(cli.sft("gus", "get", "a", "--as", "first"))
    good(cli.sft("max", "log", "verify", "--server"))


@pytest.mark.every_run
def test_who_lost_every_key_comes_back_by_a_link_that_works_once(cli: LiveCli):
    good(cli.sft("max", "put", cli.file("a", b"before"), "--as", "a"))
    good(cli.sft("gus", "get", "a", "--as", "first"))
    assert cli.sft("ada", "reset-key", "max").status == 2, "nobody to ask"
    failed(cli.sft("mia", "reset-key", "gus", "--yes"), 4, "ROLE_FORBIDS")
    failed(cli.sft("ada", "reset-key", "ada", "--yes"), 4, "LAST_KEY")
    made = good(cli.sft("ada", "reset-key", "max", "--yes", "--quiet"))
    link = made.out.strip()
    assert link.startswith("sft://")
    failed(cli.sft("max", "ls"), 4, "KEY_REVOKED")
    other = cli.sft("new", "join", "--user", "eva", "--no-passphrase", stdin=link)
    failed(other, 5, "NAME_RESERVED")
    good(cli.sft("new", "join", "--user", "max", "--no-passphrase", stdin=link))
    good(cli.sft("new", "join", "--user", "max", "--no-passphrase", stdin=link))  # its answer may have been lost
    good(cli.sft("new", "put", cli.file("b", b"after"), "--as", "b"))
    failed(cli.sft("thief", "join", "--user", "max", "--no-passphrase", stdin=link), 5, "INVITE_USED")
    good(cli.sft("gus", "get", "a", "--as", "second"))
    failed(cli.sft("gus", "get", "b", "--as", "third"), 7, "KEY_NOT_ENDORSED")
    kinds = [each["kind"] for each in json.loads(good(cli.sft("ada", "log", "--act", "key", "--json")).out)]
    assert kinds[-2:] == ["key_ended", "key_reset"]
    good(cli.sft("ada", "log", "verify", "--server"))
    (listed,) = (each for each in json.loads(good(cli.sft("ada", "invite", "list", "--json")).out) if each["resets"])
    assert (listed["user"], listed["state"], listed["used_by"]) == ("max", "used", "max")


def test_the_operator_lets_the_last_admin_in_again_by_a_link(cli: LiveCli):
    assert cli.operator("user", "reset-key", "ada").status == 2, "nobody to ask"
    first = json.loads(good(cli.operator("user", "reset-key", "ada", "--yes", "--json")).out)["link"]
    again = good(cli.operator("user", "reset-key", "ada", "--stolen-since", "start", "--yes"))
    assert "Every key of ada has ended." in again.err
    failed(cli.sft("new", "join", "--user", "ada", "--no-passphrase", stdin=first), 5, "INVITE_WITHDRAWN")
    good(cli.sft("new", "join", "--user", "ada", "--no-passphrase", stdin=again.out.strip()))
    assert json.loads(good(cli.sft("new", "whoami", "--json")).out)["role"] == "admin"


def test_a_key_follows_another_and_nobody_has_to_do_anything(cli: LiveCli):
    good(cli.sft("max", "put", cli.file("a", b"with the old key"), "--as", "a"))
    good(cli.sft("gus", "get", "a", "--as", "first"))
    before = json.loads(good(cli.sft("max", "key", "--json")).out)
    rotated = json.loads(good(cli.sft("max", "key", "rotate", "--yes", "--json")).out)
    assert rotated["key_words"] != before["key_words"]
    assert json.loads(good(cli.sft("max", "key", "--json")).out)["key_words"] == rotated["key_words"]
    good(cli.sft("max", "put", cli.file("b", b"with the new key"), "--as", "b"))
    for name in ("a", "b"):
        good(cli.sft("gus", "get", name, "--as", f"again-{name}"))
        good(cli.sft("max", "get", name, "--as", f"mine-{name}"))
    assert [(each["endorsed"], each["end_reason"]) for each in devices(cli, "max")] == [
        (False, "retired"),
        (True, None),
    ]


class KilledError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("at", ["rotate_key", "keep_rotated"])
def test_a_rotation_that_is_killed_anywhere_leaves_nobody_outside(cli: LiveCli, monkeypatch, at: str):
    """Before the server was asked the old key goes on; after it the new one is found by itself."""
    state = cli_state(cli, "max")
    (before,) = Profiles(state).all()

    def killed(*_: Any, **__: Any) -> Any:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(rotating, at, killed)
        assert cli.sft("max", "key", "rotate", "--yes").status != 0
    (between,) = Profiles(state).all()
    assert (between.public_key, bool(between.next_key)) == (before.public_key, True)
    good(cli.sft("max", "put", cli.file("a", b"content"), "--as", "a"))
    good(cli.sft("gus", "get", "a", "--as", "first"))
    (after,) = Profiles(state).all()
    assert (after.public_key == before.public_key) == (at == "rotate_key")
    good(cli.sft("max", "key", "rotate", "--yes"))
    (rotated,) = Profiles(state).all()
    if at == "rotate_key":
        assert rotated.public_key == between.next_key, "it went on with the same"
    good(cli.sft("max", "whoami"))


def test_who_lost_every_key_gets_one_and_others_are_stopped(cli: LiveCli):
    good(cli.sft("max", "put", cli.file("a", b"before"), "--as", "a"))
    good(cli.sft("gus", "get", "a", "--as", "first"))
    link, key = begin(cli, "max", "new")
    failed(cli.sft("gus", "reset-key", "max", key, "--yes"), 4, "ROLE_FORBIDS")
    good(cli.sft("ada", "reset-key", "max", key, "--device", "new", "--yes"))
    failed(cli.sft("max", "ls"), 4, "KEY_REVOKED")
    good(cli.sft("new", "join", "--user", "max", "--no-passphrase", stdin=link))
    good(cli.sft("new", "put", cli.file("b", b"after"), "--as", "b"))
    # What was signed before stays good; the new key stops whoever knew the old one, until a person has asked.
    good(cli.sft("gus", "get", "a", "--as", "second"))
    stopped = failed(cli.sft("gus", "get", "b", "--as", "third"), 7, "KEY_NOT_ENDORSED")
    new, old = (json.loads(good(cli.sft(who, "key", "--json")).out)["key_words"] for who in ("new", "max"))
    assert new in stopped.err
    assert old in stopped.err
    assert not (cli.folder / "third").exists()
    assert cli.sft("gus", "key", "trust", "max").status == 2, "no script can agree"
    (gus,) = Profiles(cli_state(cli, "gus")).all()
    assert len(Pins(cli_state(cli, "gus"), gus.server_id, own_pin(gus)).accept("max")) == 1  # as sft key trust does
    good(cli.sft("gus", "get", "b", "--as", "third"))
    # Whoever has never seen max before is not stopped: there is nothing to compare.
    good(cli.sft("mia", "get", "b", "--as", "fourth"))
    # And the person's own computer knows the old files as its own.
    good(cli.sft("new", "get", "a", "--as", "fifth"))


def test_the_operator_resets_an_admins_key(cli: LiveCli):
    link, key = begin(cli, "ada", "new")
    assert cli.operator("user", "reset-key", "ada", key).status == 2, "nobody to ask"
    good(cli.operator("user", "reset-key", "ada", key, "--stolen-since", "start", "--yes"))
    good(cli.sft("new", "join", "--user", "ada", "--no-passphrase", stdin=link))
    first, second = devices(cli, "new")
    assert (first["end_reason"], second["end_reason"], second["endorsed"]) == ("compromised", None, False)
    assert "given by an admin or the operator" in good(cli.sft("new", "key", "device", "list")).out
