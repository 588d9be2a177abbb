"""`sft why` and `sft who-can`: what is said of a right is what the same person meets who tries."""

from __future__ import annotations

import pytest

from tests.integration.live_cli import LiveCli


@pytest.fixture
def shared(cli: LiveCli) -> LiveCli:
    """A file of max's, and a folder of his in which mia has one."""
    name = cli.file("plan", b"plan")
    for who, path in (("max", "plan"), ("max", "team/his"), ("mia", "team/hers")):
        assert cli.sft(who, "put", name, "--as", path).status == 0
    return cli


@pytest.mark.every_run
def test_why_somebody_may_or_not_and_what_can_be_done(shared: LiveCli):
    for user, words, said in (
        ("max", ("rm", "plan"), "max may delete plan: it is theirs."),
        ("ada", ("rm", "plan"), "ada may delete plan: admins may, whosever it is, and it belongs to max."),
        ("gus", ("get", "plan"), "gus may get plan: guests may, whosever it is, and it belongs to max."),
        ("mia", ("put", "new"), "mia may store new: maintainers may, and it will be theirs."),
        ("ada", ("invite",), "ada may invite people: admins may."),
        ("gus", ("ls",), "gus may list everything: guests may."),
    ):
        answer = shared.sft("ada", "why", user, *words)
        assert (answer.status, answer.lines) == (0, [said])
    for user, words, status, lines in (
        ("mia", ("rm", "plan"), 4, [
            "mia may not delete plan: plan belongs to max: only they or an admin may delete it [NOT_YOURS]",
            "     Ask max, or an admin (ada)",
        ]),
        ("max", ("mv", "team"), 4, [
            "max may not rename or move team: team/hers belongs to mia: only they or an admin may move it [NOT_YOURS]",
            "     Ask mia, or an admin (ada)",
        ]),
        ("gus", ("put", "new"), 4, [
            "gus may not store new: Guests do not store files [ROLE_FORBIDS]",
            "     An admin can: sft role gus maintainer. Admins here: ada",
        ]),
        ("ada", ("rm", "none"), 3, [
            "ada may not delete none: There is no file none [NOT_FOUND]", "     See what there is: sft ls",
        ]),
        ("ada", ("disable", "ada"), 4, [
            "ada may not disable ada: ada is the only admin; someone must be [LAST_ADMIN]",
            "     sft role NAME admin, then again",
        ]),
    ):  # fmt: skip
        answer = shared.sft("ada", "why", user, *words)
        assert (answer.status, answer.lines) == (status, lines)


def test_the_status_is_that_of_the_act_itself(shared: LiveCli):
    for who in ("ada", "max", "mia", "gus"):
        for why, act in (
            (("rm", "plan"), ("rm", "plan")),
            (("mkdir", "new"), ("mkdir", "new")),
            (("mv", "team"), ("mv", "team", "t")),
        ):
            said = shared.sft(who, "why", who, *why).status
            done = shared.sft(who, *act)
            assert said == done.status, (who, act, done.err)
            undo = {"rm": ("restore", "plan"), "mkdir": ("rm", "-r", "--yes", "new"), "mv": ("mv", "t", "team")}[act[0]]
            if done.status == 0:
                assert shared.sft("ada", *undo).status == 0


def test_who_is_locked_out_may_nothing_and_admins_alone_ask_about_others(shared: LiveCli):
    assert shared.sft("ada", "disable", "mia").status == 0
    said = shared.sft("ada", "why", "mia", "ls")
    assert said.lines == [
        "mia, who is disabled, may not list everything: acme does not let this key in [LOGIN_REFUSED]",
        "     An admin lets somebody in again who is disabled: sft enable NAME",
    ]
    for words in (("why", "ada", "rm", "plan"), ("who-can", "rm", "plan"), ("why", "nobody", "rm", "none")):
        refused = shared.sft("gus", *words)
        assert (refused.status, "[ROLE_FORBIDS]" in refused.err, refused.out) == (4, True, "")
    own = shared.sft("gus", "why", "gus", "rm", "plan", "--json")
    assert (own.status, own.document["allowed"], own.document["error"]["code"]) == (4, False, "ROLE_FORBIDS")


def test_who_can(shared: LiveCli):
    assert shared.sft("ada", "who-can", "rm", "plan").lines == [
        "ada\tadmin\tadmins may, whosever it is, and it belongs to max",
        "max\tmaintainer\tit is theirs",
    ]
    nobody = shared.sft("ada", "who-can", "rm", "none")
    assert (nobody.status, nobody.out) == (0, "")
    assert "Nobody can now." in nobody.err
    assert "[NOT_FOUND]" in nobody.err
    assert {each["user"] for each in shared.sft("ada", "who-can", "get", "plan", "--json").document} == {
        "ada", "max", "mia", "gus",
    }  # fmt: skip


def test_how_much_is_to_be_stored_counts(shared: LiveCli):
    assert shared.sft("ada", "quota", "set", "max", "--bytes", "1M").status == 0
    assert shared.sft("ada", "why", "max", "put", "film", "--size", "1000K").status == 0
    refused = shared.sft("max", "why", "max", "put", "film", "--size", "1M")
    assert (refused.status, "[QUOTA_BYTES]" in refused.out) == (9, True)


def test_the_operator_asks_as_well(shared: LiveCli):
    refused = shared.operator("why", "mia", "rm", "plan")
    assert (refused.status, refused.lines[1]) == (4, "     max can, or an admin (ada)")
    lines = shared.operator("who-can", "mkdir", "new").lines
    assert [line.split("\t")[0] for line in lines] == ["ada", "max", "mia"]
    none = shared.operator("who-can", "rm", "none")
    assert (none.status, "operator may not delete none" in none.err) == (0, True)


def test_what_cannot_be_asked_is_said(shared: LiveCli):
    for words in (("rm",), ("invite", "plan"), ("role",), ("fly", "plan")):
        assert shared.sft("ada", "why", "max", *words).status == 2
        assert shared.sft("ada", "who-can", *words).status == 2
