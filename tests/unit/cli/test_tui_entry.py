"""Who gets the full-screen UI, and on which account."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("arguments", [(), ("tui",)])
def test_on_a_terminal_the_screens_open_on_the_default_account(cli, arguments):
    cli.join(name="other")
    ran = cli.run(*arguments, terminal=True)
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    (opened,) = cli.screens
    assert opened["account"] == "acme-files"
    assert opened["environ"]["SFT_HOME"] == str(cli.home)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (("--profile", "other"), {}),
        (("tui", "--profile", "other"), {}),
        (("--profile", "other", "tui"), {"SFT_PROFILE": "acme-files"}),
        ((), {"SFT_PROFILE": "other"}),
    ],
)
def test_the_account_is_the_one_that_is_asked_for(cli, arguments, environ):
    cli.join(name="other")
    cli.environ |= environ
    cli.run(*arguments, terminal=True)
    assert [opened["account"] for opened in cli.screens] == ["other"]


def test_an_account_that_is_none_is_told_before_the_screens_open(cli):
    ran = cli.run("--profile", "nobody", terminal=True)
    assert ran.status == cli.run("whoami", "--profile", "nobody").status
    assert "nobody" in ran.err
    assert not cli.screens


def test_whoever_has_joined_nothing_is_welcome(stranger):
    assert stranger.run(terminal=True).status == 0
    (opened,) = stranger.screens
    assert opened["account"] == ""
    assert callable(opened["begin_demo"])


def test_what_cannot_be_read_is_told_before_the_screens_open(stranger):
    stranger.home.mkdir()
    (stranger.home / "profiles.json").write_text("{")
    ran = stranger.run(terminal=True)
    assert ran.status == 10
    assert "[LOCAL_FILE]" in ran.err
    assert not stranger.screens


def test_without_a_terminal_one_sentence_says_what_is_missing_and_what_to_type(cli):
    ran = cli.run("tui")
    assert ran.status == 2
    assert ran.out == ""
    assert ran.err.startswith("sft: The full-screen UI needs a terminal, for input and for output [USAGE]\n")
    assert "sft --help" in ran.err
    assert not cli.screens


def test_a_terminal_that_places_no_text_is_none(cli):
    cli.environ["TERM"] = "dumb"
    ran = cli.run("tui", terminal=True)
    assert ran.status == 2
    assert ran.err.startswith(
        "sft: The full-screen UI needs a terminal that can move its cursor: TERM is dumb [USAGE]\n"
    )
    bare = cli.run(terminal=True)
    assert bare.status == 2
    assert bare.out.startswith("Usage: sft")
    assert not cli.screens


@pytest.mark.parametrize("arguments", [("--json",), ("tui", "--json")])
def test_screens_are_no_json(cli, arguments):
    ran = cli.run(*arguments, terminal=True)
    assert ran.status == 2
    assert json.loads(ran.out)["error"]["code"] == "USAGE"
    assert not cli.screens


def test_a_fault_of_the_screens_says_where_its_details_are(cli):
    cli.screens_end = 11
    ran = cli.run("tui", terminal=True)
    assert ran.status == 11
    assert str(cli.home / "sft.log") in ran.err


def test_screens_that_were_ended_keep_their_status(cli):
    cli.screens_end = 143
    assert cli.run(terminal=True).status == 143


def test_a_terminal_that_went_away_takes_nothing_from_the_status(cli):
    cli.screens_end = 129
    assert cli.run(terminal=True, gone=True).status == 129
    cli.screens_end = 0
    assert cli.run(terminal=True, gone=True).status == 10
