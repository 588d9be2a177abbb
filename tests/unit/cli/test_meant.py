"""What people type who know other programs is answered with what it is here, and that can be typed."""

from __future__ import annotations

import json
import shlex

import pytest

from sft import __version__
from sft.cli.main import COMMANDS as OURS
from sft.cli.meant import COMMANDS, OPTIONS
from tests.typed import parse, require_typed


@pytest.mark.parametrize("word", COMMANDS)
def test_another_programs_command_is_answered_with_ours(cli, word):
    assert word not in OURS, "what is a command here needs no answer"
    ran = cli.run(word, "x")
    assert ran.status == 2
    said, step = ran.err.splitlines()
    assert said == f"sft: There is no command '{word}' [USAGE]"
    assert "sft " in step
    require_typed(step)
    assert not cli.sessions


@pytest.mark.parametrize(
    ("word", "ours"),
    [("upload", "put"), ("download", "get"), ("cp", "put"), ("rename", "mv"), ("delete", "rm"), ("search", "find")],
)
def test_the_answer_is_the_right_command(cli, word, ours):
    assert f"sft {ours} " in cli.run(word).err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ls -a", "ls"),
        ("ls -la 'my folder'", "ls -l 'my folder'"),
        ("ls -A -1 fin", "ls fin"),
        ("rm -rf fin", "rm -r fin --yes"),
        ("rm -Rf -- -fin", "rm -r --yes -- -fin"),
        ("rm -f a.txt", "rm a.txt --yes"),
        ("rm -f 'a\u202eb'", "rm $'a\\xe2\\x80\\xaeb' --yes"),
        ("mkdir -p a/b", "mkdir a/b"),
        ("put -rf fin --to x", "put fin --to x --replace"),
        ("get -r fin", "get fin"),
        ("get --replace a.txt", "get a.txt --force"),
        ("mv -f a b", "mv a b"),
        ("--quiet ls -a", "--quiet ls"),
        ("find --since yesterday", "find since:yesterday"),
        ("find plan --from=ada --larger 10M -q", "find from:ada larger:10M plan -q"),
        ("owner docs --to mia", "owner mia docs"),
        ("owner --yes --to mia -- -docs", "owner mia --yes -- -docs"),
    ],
)
def test_another_programs_option_is_answered_with_the_whole_line(cli, typed, meant):
    ran = cli.run(*shlex.split(typed))
    assert ran.status == 2
    assert ran.err.splitlines()[1] == f"     sft {meant}"
    assert not cli.sessions


@pytest.mark.parametrize(
    ("command", "option"), [(command, option) for command in OPTIONS for option in OPTIONS[command]]
)
def test_what_takes_an_options_place_is_the_commands_own(command, option):
    arguments = {"mv": ["a", "b"], "sync": ["a", ":b"], "ls": []}.get(command, ["a"])
    parse(["sft", command, *arguments, *OPTIONS[command][option]])


@pytest.mark.parametrize("words", [["find", "--since"], ["owner", "docs", "--to"], ["owner", "--to="]])
def test_an_option_that_is_a_word_here_and_has_no_value_leads_to_the_help(cli, words):
    assert cli.run(*words).err.endswith(f"See: sft {words[0]} --help\n")


def test_an_option_that_nobody_knows_leads_to_the_help(cli):
    assert cli.run("ls", "--colour").err.splitlines()[1] == "     See: sft ls --help"
    assert json.loads(cli.run("upload", "x", "--json").out)["error"]["next"] == COMMANDS["upload"]


def test_an_invitation_in_what_is_offered_is_not_repeated(cli):
    ran = cli.run("ls", "-a", "sft://host:1/i#SECRET")
    assert "SECRET" not in ran.err + ran.out


@pytest.mark.parametrize("words", [(), ("put",), ("key", "device", "add"), ("invite",)])
def test_help_shows_what_the_option_shows(cli, words):
    assert cli.run("help", *words).out == cli.run(*words, "--help").out


def test_help_on_what_is_no_command_says_so(cli):
    ran = cli.run("help", "upload")
    assert (ran.status, ran.err.splitlines()[1]) == (2, "     sft put FILE --to FOLDER")
    assert cli.run("help", "key", "nope").status == 2


@pytest.mark.parametrize("words", ["version", "-V", "--version"])
def test_the_version_is_said_whichever_way_it_is_asked_for(cli, words):
    ran = cli.run(words)
    assert (ran.status, ran.out) == (0, f"sft {__version__}\n")


def test_the_help_has_the_words_that_people_look_for(cli):
    help_text = cli.run("--help").out.lower()
    assert "upload" in help_text
    assert "download" in help_text
    assert "\n  help " not in help_text


def test_a_persons_name_goes_after_user(cli):
    ran = cli.run("invite", "eva", "--role", "admin")
    assert ran.status == 2
    assert ran.err == (
        "sft: The name of somebody goes after --user: eva [USAGE]\n     sft invite --user eva --role admin\n"
    )
    assert "No such command 'a/b'" in cli.run("invite", "a/b").err


def test_a_role_before_the_name_is_answered_with_the_order(cli):
    assert cli.run("role", "guest", "max").err == "sft: The name comes first [USAGE]\n     sft role max guest\n"
    assert cli.run("role", "max").err == (
        "sft: A role is missing [USAGE]\n     Give one: sft role max admin, maintainer or guest\n"
    )
    assert "'king' is not one of" in cli.run("role", "max", "king").err


def test_what_is_no_number_is_said_to_be_none(cli):
    ran = cli.run("get", "a.txt", "--version", "foo")
    assert ran.err.splitlines()[0] == "sft: Invalid value for '--version': 'foo' is no whole number [USAGE]"


def test_quiet_says_what_it_leaves(cli):
    assert "Print errors only: a list prints nothing." in " ".join(cli.run("ls", "--help").out.split())


@pytest.mark.parametrize("words", [["rm", "plan.pdf"], ["rm", "a b"]])
def test_a_right_that_is_asked_about_without_a_person_is_answered_with_the_whole_line(cli, words):
    ran = cli.run("why", *words)
    assert ran.status == 2
    said, step = ran.err.splitlines()[:2]
    assert said == "sft: Who is to do it was not said [USAGE]"
    assert shlex.split(step.partition(": ")[2]) == ["sft", "why", "max", *words]
    assert not cli.sessions
