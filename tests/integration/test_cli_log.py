"""``sft log`` and ``sftd log``: what is shown, to whom; a log that is exported, added to and spoiled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sft.store.hand_overs import handed_over
from tests.integration.live_cli import LiveCli
from tests.integration.raw import until
from tests.loop import run


def log(cli: LiveCli, who: str, *words: str) -> list[dict[str, Any]]:
    done = cli.sft(who, "log", *words, "--json")
    assert done.status == 0, done.err
    lines: list[dict[str, Any]] = json.loads(done.out)
    assert all(each["proved"] for each in lines)
    return lines


@pytest.fixture
def busy(cli: LiveCli) -> LiveCli:
    for content, words in ((b"one", ()), (b"two", ("--replace",))):
        done = cli.sft("max", "put", cli.file("a.txt", content), "--to", "finance", *words)
        assert done.status == 0, done.err
    done = cli.sft("max", "mv", "finance/a.txt", "finance/b.txt")
    assert done.status == 0, done.err
    return cli


def test_a_file_is_followed_through_its_renames(busy: LiveCli):
    lines = log(busy, "gus", "--file", "finance/b.txt")
    assert [each["kind"] for each in lines] == ["file_committed", "file_replaced", "file_moved"]
    assert [each["path"] for each in lines] == ["finance/a.txt", "finance/a.txt", "finance/b.txt"]
    assert [each["version"] for each in lines] == [1, 2, None]
    assert {each["actor"] for each in lines} == {"max"}
    assert lines[2]["signed"]
    assert log(busy, "gus", "--file", lines[0]["file"]) == lines


def test_lines_for_programs_and_up_to_where_they_are_proved(busy: LiveCli):
    done = busy.sft("ada", "log", "--user", "max", "--act", "store")
    first, second = (line.split("\t") for line in done.out.splitlines())
    assert (first[2:], second[2:]) == (
        ["max", "store", "finance/a.txt", "1", ""],
        ["max", "store", "finance/a.txt", "2", ""],
    )
    assert "log proved to" in done.err
    assert busy.sft("ada", "log", "--since", "2030-01-01").out == ""
    assert busy.sft("ada", "log", "--until", "2000-01-01").out == ""


@pytest.mark.every_run
def test_records_are_by_right(busy: LiveCli):
    made = busy.sft("ada", "invite", "--user", "ivo")
    assert made.status == 0, made.err
    hers, his = log(busy, "ada"), log(busy, "gus")
    assert [each["number"] for each in hers] == [each["number"] for each in his]
    withheld = {each["kind"] for each in his if not each["yours"]}
    assert withheld & {"invitation_made", "settings_changed"} == withheld
    assert "invitation_made" in withheld
    assert all(each["yours"] for each in hers)
    assert log(busy, "gus", "--act", "invite")[0]["actor"] is None


def test_what_comes_after_a_line(busy: LiveCli):
    last = log(busy, "ada")[-1]["number"]
    assert log(busy, "ada", "--after", str(last)) == []
    assert busy.sft("max", "mkdir", "later").status == 0
    (line,) = log(busy, "ada", "--after", str(last))
    assert (line["number"], line["act"], line["path"]) == (last + 1, "mkdir", "later")


def test_it_goes_on_with_what_happens_until_it_is_interrupted(busy: LiveCli):
    shown = busy.interrupted("ada", "finance/b.txt", "log", "--follow", "-n", "2", "--json")
    assert shown.status == 0
    assert [json.loads(line)["kind"] for line in shown.out.splitlines()] == ["file_replaced", "file_moved"]


def test_a_file_that_is_not_there_and_a_moment_that_is_none(busy: LiveCli):
    assert busy.sft("gus", "log", "--file", "nothing").status == 3
    assert busy.sft("gus", "log", "--since", "soon").status == 2
    assert busy.sft("gus", "log", "verify").status == 2
    assert busy.sft("gus", "log", "verify", "x", "--server").status == 2


def test_the_operator_sees_all_of_it(busy: LiveCli):
    lines = busy.operator_json("log", "show")
    assert all(each["yours"] for each in lines)
    assert lines[-1]["path"] == "finance/b.txt"
    assert [each["kind"] for each in busy.operator_json("log", "show", "--act", "move,store", "--user", "max")] == [
        "file_committed",
        "file_replaced",
        "file_moved",
    ]
    assert busy.operator("log", "show", "--act", "fly").status == 2


def test_a_file_that_came_among_several_shows_who_has_it_and_who_has_not(cli: LiveCli):
    for name in ("a", "b"):
        assert cli.sft("max", "put", cli.file(name, name.encode() * 9), "--as", f"both/{name}").status == 0
    assert cli.sft("gus", "get", "both", "--to", "out").status == 0
    lines = log(cli, "max", "--file", "both/a", "--act", "download")
    assert [(each["kind"], each["actor"], len(each["downloaded"])) for each in lines] == [
        ("download_begun", "gus", 2), ("download_received", "gus", 2),
    ]  # fmt: skip
    assert log(cli, "ada", "--file", "both/b", "--act", "download", "--user", "gus") == lines
    assert log(cli, "ada", "--file", "both/b", "--act", "download", "--user", "max") == []
    assert [each["kind"] for each in log(cli, "max", "--file", "both/a")] == [
        "file_committed", "download_begun", "download_received",
    ]  # fmt: skip
    told = cli.sft("max", "log", "--file", "both/a", "--act", "download").err
    assert "not yet: ada, mia (2)" in told
    assert "not yet" not in cli.sft("max", "log", "--file", "both/a", "--act", "store").err
    # Another owner's file in the same leaf: whose record is then for admins, and whoever got it.
    assert cli.sft("mia", "put", cli.file("c", b"by mia"), "--as", "both/c").status == 0
    assert cli.sft("gus", "get", "both", "--to", "again").status == 0
    for who, sees in (("mia", 0), ("ada", 2), ("gus", 2)):
        assert len(log(cli, who, "--file", "both/c", "--act", "download")) == sees
    assert "not yet" not in cli.sft("gus", "log", "--file", "both/c").err


def test_a_hand_over_is_the_servers_and_named_as_one(cli: LiveCli):
    assert cli.sft("max", "put", cli.file("a", b"1"), "--as", "a").status == 0
    assert cli.sft("ada", "remove", "max", "--files-to", "mia", "--yes").status == 0
    run(until(lambda: is_handed_over(cli)))
    (line,) = log(cli, "ada", "--act", "hand-over")
    assert (line["kind"], line["act"], line["actor"], line["user"]) == ("handed_over", "hand-over", "server", "max")
    (removal,) = log(cli, "ada", "--act", "remove")
    assert (removal["kind"], removal["actor"]) == ("user_removed", "ada")
    again = cli.sft("ada", "remove", "max", "--files-to", "ada", "--yes")
    assert (again.status, again.out) == (
        0,
        "max was removed before; nothing was changed, and the files stay with whom they went to.\n",
    )
    assert "was removed before" in cli.operator("user", "remove", "max", "--yes").out
    said = json.loads(cli.sft("ada", "remove", "max", "--yes", "--json").out)
    assert (said["files"], said["files_to"], said["state"]) == (0, None, "removed")


def is_handed_over(cli: LiveCli) -> bool:
    with cli.server.here.readers.reading() as reading:
        return not handed_over(reading)


def test_refused_logins_are_counted_together_and_admins_see_how_many(cli: LiveCli):
    assert cli.operator("user", "disable", "gus").status == 0
    for _ in range(3):
        assert cli.sft("gus", "ls").status == 4

    async def said() -> None:
        await cli.server.here.login_failures.stop()

    run(said())
    (line,) = log(cli, "ada", "--act", "login")
    assert (line["kind"], line["actor"], line["yours"]) == ("login_failures", "server", True)
    facts = json.loads(line["facts"])
    assert (facts["failures"], facts["sources"], "by" in facts) == (3, 1, False)
    shown = cli.sft("ada", "log", "--act", "login").out
    assert "\tserver\tlogin\t3, from 1 place\t" in shown
    (his,) = log(cli, "max", "--act", "login")
    assert not his["yours"]


# -- the whole of it -----------------------------------------------------------------------------------------


def test_the_servers_log_is_replayed(busy: LiveCli):
    done = busy.sft("gus", "log", "verify", "--server", "--json")
    assert done.status == 0, done.out
    found = json.loads(done.out)
    assert (found["findings"], found["more_findings"]) == ([], 0)
    assert found["statements"] >= 1
    assert busy.operator("log", "verify").status == 0


@pytest.mark.every_run
def test_an_exported_log_is_checked_without_the_server_and_added_to(busy: LiveCli, tmp_path: Path):
    folder = tmp_path / "log"
    first = busy.operator_json("log", "export", str(folder))
    assert first["added"] == first["size"]
    assert busy.sft("max", "mkdir", "later").status == 0
    again = busy.operator_json("log", "export", str(folder))
    assert (again["size"], again["added"]) == (first["size"] + 1, 1)
    for words in ((), ("--key", again["vkey"])):
        done = busy.sft("gus", "log", "verify", str(folder), *words, "--json")
        assert done.status == 0, done.out
        assert json.loads(done.out)["size"] == again["size"]
    assert busy.operator("log", "verify", "--folder", str(folder)).status == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_what_is_published_has_no_record(busy: LiveCli, tmp_path: Path):
    folder = tmp_path / "log"
    assert busy.operator("log", "export", str(folder), "--without-records").status == 0
    assert {each.name for each in folder.iterdir()} == {"checkpoint", "tile"}
    names = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    assert b"finance" not in names
    assert b"max" not in names
    done = busy.sft("gus", "log", "verify", str(folder), "--json")
    assert (done.status, json.loads(done.out)["records"]) == (0, 0)


@pytest.mark.every_run
def test_a_spoiled_log_does_not_hold(busy: LiveCli, tmp_path: Path):
    folder = tmp_path / "log"
    assert busy.operator("log", "export", str(folder)).status == 0
    (bundle,) = (folder / "tile" / "entries" / "000.p").iterdir()
    whole = bundle.read_bytes()
    spoiled = bytearray(whole)
    spoiled[-1] ^= 1
    bundle.write_bytes(spoiled)
    done = busy.sft("gus", "log", "verify", str(folder))
    assert done.status == 7
    assert "does not hold" in done.out
    bundle.write_bytes(whole)
    note = folder / "checkpoint"
    note.write_text(note.read_text("utf-8").replace("— ", "— x", 1), "utf-8")
    assert busy.sft("gus", "log", "verify", str(folder)).status == 7


def test_a_folder_that_is_no_log_or_anothers_is_said_so(busy: LiveCli, tmp_path: Path):
    assert busy.sft("gus", "log", "verify", str(tmp_path)).status == 10
    folder = tmp_path / "log"
    assert busy.operator("log", "export", str(folder)).status == 0
    note = folder / "checkpoint"
    other = note.read_text("utf-8").replace("/sft/", "/sft/0123", 1)
    origin, _, rest = other.partition("\n")
    host, _, _ = origin.partition("/sft/")
    note.write_text(f"{host}/sft/01234567/1\n{rest}", "utf-8")
    assert busy.sft("gus", "log", "verify", str(folder)).status == 2
    assert busy.operator("log", "export", str(folder)).status == 10


def test_who_downloaded_is_the_owners_admins_and_their_own_to_see(busy: LiveCli):
    got = busy.sft("gus", "get", "finance/b.txt")
    assert got.status == 0, got.err
    for who in ("max", "ada", "gus"):
        lines = log(busy, who, "--act", "download", "--file", "finance/b.txt")
        assert [(each["actor"], each["path"], each["version"], each["grade"]) for each in lines][:1] == [
            ("gus", "finance/b.txt", 2, "sent")
        ]
    assert {each["grade"] for each in log(busy, "max", "--act", "download")} <= {"sent", "verified"}
    busy.join("eva", "guest")
    assert log(busy, "eva", "--act", "download", "--file", "finance/b.txt") == []
    assert {each["yours"] for each in log(busy, "eva", "--act", "download")} == {False}
    assert busy.operator("log", "verify").status == 0
    assert busy.sft("eva", "log", "verify", "--server").status == 0
