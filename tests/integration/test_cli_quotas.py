"""Quotas, as those who have them and those who give them meet them."""

from __future__ import annotations

from sft.model.policy import ServerPolicy
from tests.integration.live_cli import LiveCli

KIB = 1024


def rule(cli: LiveCli, **limits: int) -> None:
    cli.server.here.readers.policy = ServerPolicy(**limits)


def test_what_does_not_fit_is_refused_in_words_and_an_admin_gives_more(cli: LiveCli):
    rule(cli, quota_bytes=100 * KIB)
    cli.file("film", bytes(80 * KIB))
    assert cli.sft("max", "put", "film").status == 0
    refused = cli.sft("max", "put", "film", "--as", "again")
    assert refused.status == 9
    assert "again does not fit the quota of max: 80 KiB of 100 KiB are taken [QUOTA_BYTES]" in refused.err
    assert "sft quota set NAME --bytes SIZE" in refused.err
    assert "ada" in refused.err
    forbidden = cli.sft("max", "quota", "set", "max", "--bytes", "none")
    assert (forbidden.status, "[ROLE_FORBIDS]" in forbidden.err) == (4, True)
    given = cli.sft("ada", "quota", "set", "max", "--bytes", "1M", "--files", "2")
    assert given.lines == ["max may own 1.0 MiB and 2 files; owned now: 80 KiB of 1.0 MiB (7 %), 1 file of 2 (50 %)."]
    assert cli.sft("max", "put", "film", "--as", "again").status == 0
    third = cli.sft("max", "put", "film", "--as", "third")
    assert "third does not fit the quota of max: 2 of 2 files are there [QUOTA_FILES]" in third.err
    assert cli.sft("ada", "log", "verify", "--server").status == 0
    (logged,) = cli.sft("ada", "log", "--act", "quota", "--json").document
    assert (logged["actor"], logged["user"], logged["signed"]) == ("ada", "max", True)


def test_what_is_handed_over_has_to_fit_and_a_removal_says_where_it_does_not(cli: LiveCli):
    rule(cli, quota_bytes=100 * KIB)
    cli.file("film", bytes(60 * KIB))
    for who, name in (("max", "films/a"), ("mia", "mine")):
        assert cli.sft(who, "put", "film", "--as", name).status == 0
    asked = cli.sft("ada", "why", "max", "owner", "films", "--to", "mia")
    given = cli.sft("max", "owner", "mia", "films", "--yes")
    assert (asked.status, given.status) == (9, 9)
    said = "films does not fit the quota of mia, who would get it: 20 KiB more would be needed [RECEIVER_QUOTA]"
    assert said in given.err
    assert said in asked.out
    assert "sft quota set mia --bytes SIZE" in given.err
    assert cli.sft("ada", "quota", "set", "mia", "--bytes", "120K").status == 0
    assert cli.sft("max", "owner", "mia", "films", "--yes").status == 0
    assert cli.operator("why", "max", "owner", "mine", "--to", "max").status == 4
    removed = cli.sft("ada", "remove", "mia", "--files-to", "max", "--yes")
    assert removed.status == 0
    assert (
        "max owns more than their quota now (120 KiB of 100 KiB (120 %), 2 files), and can store no more" in removed.err
    )
    assert "sft quota set max --bytes SIZE" in removed.err
    # Where nobody is named it is the first admin; the server says who that is.
    assert cli.operator("user", "quota", "ada", "--bytes", "1K").status == 0
    removed = cli.operator("user", "remove", "max", "--yes")
    assert removed.status == 0, removed.err
    assert "belong to ada." in removed.out
    assert "ada owns more than their quota now" in removed.err
    assert "user quota ada --bytes SIZE" in removed.err


def test_everybody_sees_their_own_and_whose_they_want(cli: LiveCli):
    rule(cli, quota_bytes=100 * KIB, total_quota_files=10, file_bytes=90 * KIB)
    cli.file("film", bytes(85 * KIB))
    put = cli.sft("max", "put", "film")
    assert "80 % of your quota is taken: 85 KiB of 100 KiB (85 %), 1 file." in put.err
    shown = cli.sft("max", "quota")
    assert shown.lines == [
        "user      max",
        "may own   100 KiB, in any number of files",
        "owned     85 KiB of 100 KiB (85 %), 1 file, with older versions and the trash",
        "one file  90 KiB at most",
    ]
    assert cli.sft("max", "whoami", "--json").document["owned"] == {
        "files": 1, "bytes": 85 * KIB, "quota_files": None, "quota_bytes": 100 * KIB,
    }  # fmt: skip
    of_max = cli.sft("ada", "quota", "max")
    assert "all together  85 KiB, 1 file of 10 (10 %); may own 10 files of any size" in of_max.lines
    users = {line.split("\t")[0]: line.split("\t")[3:7] for line in cli.operator("user", "list").lines}
    assert users["max"] == ["1", str(85 * KIB), "", str(100 * KIB)]
    assert cli.operator("user", "quota", "max", "--bytes", "none").status == 0
    assert cli.sft("gus", "quota", "max", "--json").document["set_bytes"] == "none"


def test_what_is_no_limit_and_what_says_nothing(cli: LiveCli):
    for words, said in (
        (("--bytes", "much"), "much is no limit"),
        (("--files", "-1"), "-1 is no limit"),
        ((), "Nothing was said of how much"),
    ):
        refused = cli.sft("ada", "quota", "set", "max", *words)
        assert (refused.status, said in refused.err) == (2, True), refused.err
    assert "There is no user nobody" in cli.sft("ada", "quota", "nobody").err
