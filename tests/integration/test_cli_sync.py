"""`sft sync`, both ways, over a real server."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from sft.cli import prompts
from sft.cli.commands import sync
from sft.client.transfers.batch import put_all
from sft.client.transfers.plan import PutItem
from tests.integration.live_cli import LiveCli
from tests.integration.test_cli_folders import everything_below


def changes(ran) -> dict[str, str]:
    return {item["path"] or item["local"]: item["result"] for item in ran.document["items"]}


def listed(cli: LiveCli, who: str = "max") -> dict[str, int]:
    return {file["path"]: file["version"] for file in cli.sft(who, "ls", "**", "--json").document}


@pytest.fixture
def tree(cli: LiveCli) -> Path:
    for name in ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"):
        cli.file(f"tree/{name}", name.encode())
    (cli.folder / "tree" / "void").mkdir()
    return cli.folder / "tree"


def test_only_what_differs_goes_up(cli: LiveCli, tree: Path):
    first = cli.sft("max", "sync", "tree", ":copy")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("stored 4, 0 the same; 33 B, ")
    assert set(listed(cli)) == {"copy/a.txt", "copy/b.txt", "copy/sub/c.txt", "copy/sub/deep/d.txt"}
    again = cli.sft("max", "sync", "tree", ":copy")
    assert again.out.startswith("4 the same; 0 B, ")
    (tree / "a.txt").write_bytes(b"A.txt")  # as long, and later
    os.utime(tree / "a.txt", (1_000_000_000, 1_000_000_000))
    os.utime(tree / "b.txt", (1_000_000_000, 1_000_000_000))  # the date alone
    (tree / "new.txt").write_bytes(b"new")
    told = cli.sft("max", "sync", "tree", ":copy", "--dry-run")
    assert told.status == 0
    assert told.lines == [
        "would store    copy/new.txt  3 B",
        "would replace  copy/a.txt    5 B",
        "Nothing was done: would store 1, would replace 1, 3 the same.",
    ]
    assert listed(cli)["copy/a.txt"] == 1
    third = cli.sft("max", "sync", "tree", ":copy", "--json")
    assert changes(third) == {"copy/new.txt": "stored", "copy/a.txt": "replaced"}
    assert (listed(cli)["copy/a.txt"], listed(cli)["copy/b.txt"]) == (2, 1)
    # What was read is known now, and decides although the dates differ.
    reading = "Reading 1 file here to compare, 5 B\n"
    assert cli.sft("max", "sync", "tree", ":copy").err in {"", reading}


def test_the_folder_with_the_secret_key_neither_goes_up_nor_is_touched(cli: LiveCli):
    home = cli.state("max").parent
    key_folder = cli.state("max").name
    (home / "beside.txt").write_bytes(b"beside")
    before = everything_below(cli.state("max") / "keys")
    others = [f"--exclude={each.name}" for each in home.iterdir() if each.name not in {key_folder, "beside.txt"}]
    for command in (("sync", str(home), ":copy"), ("put", str(home), "--as", "copy2")):
        ran = cli.sft("max", *command, *others, "--json")
        assert (ran.status, [each["what"] for each in ran.document["skipped"]]) == (1, ["key folder"])
    assert set(listed(cli)) == {"copy/beside.txt", "copy2/beside.txt"}
    cli.sft("max", "put", str(home / "beside.txt"), "--as", f"copy/{key_folder}/keys/more")
    down = cli.sft("max", "sync", ":copy", str(home), *others, "--delete", "--yes")
    assert (down.status, "FILE_EXISTS" in down.err) == (1, True)
    assert everything_below(cli.state("max") / "keys") == before
    inside = str(cli.state("max") / "keys")
    for command in (("sync", inside, ":x"), ("put", inside), ("sync", ":copy", inside, "--delete", "--yes")):
        refused = cli.sft("max", *command)
        assert (refused.status, "holds your secret key" in refused.err) == (10, True)


def test_only_what_differs_comes_down_and_the_target_becomes_like_the_source(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    first = cli.sft("gus", "sync", ":copy", "back")
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith("got 4, 0 the same; ")
    back = cli.folder / "back"
    assert everything_below(back) == everything_below(tree)
    assert cli.sft("gus", "sync", ":copy", "back").out.startswith("4 the same; 0 B, ")
    (back / "a.txt").write_bytes(b"changed here")
    os.utime(back / "a.txt", (2_000_000_000, 2_000_000_000))
    (back / "mine.txt").write_bytes(b"mine")
    (back / "b.txt").unlink()
    told = cli.sft("gus", "sync", ":copy", "back", "-n", "--json")
    assert changes(told) == {"copy/a.txt": "would replace", "copy/b.txt": "would get"}
    assert (back / "a.txt").read_bytes() == b"changed here"
    kept = cli.sft("gus", "sync", ":copy", "back", "--update", "--json")
    assert (changes(kept), kept.document["newer"]) == ({"copy/b.txt": "got"}, 1)
    assert (back / "a.txt").read_bytes() == b"changed here"
    assert changes(cli.sft("gus", "sync", ":copy", "back", "--json")) == {"copy/a.txt": "replaced"}
    assert everything_below(back) == {**everything_below(tree), "mine.txt": b"mine"}


def test_content_decides_where_it_is_asked_for(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    date = (tree / "a.txt").stat().st_mtime
    (tree / "a.txt").write_bytes(b"A.txt")
    os.utime(tree / "a.txt", (date, date))
    assert changes(cli.sft("max", "sync", "tree", ":copy", "--json")) == {}
    told = cli.sft("max", "sync", "tree", ":copy", "--checksum", "--json")
    assert changes(told) == {"copy/a.txt": "replaced"}


def test_an_update_that_the_other_side_made_later_is_left_alone_when_asked_for(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").write_bytes(b"older and longer")
    os.utime(tree / "a.txt", (1_000_000_000, 1_000_000_000))
    told = cli.sft("max", "sync", "tree", ":copy", "--update", "--json")
    assert (changes(told), told.document["newer"]) == ({}, 1)


def test_what_the_source_has_not_is_deleted_when_asked_for_and_can_come_back(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").unlink()
    (tree / "sub" / "deep" / "d.txt").unlink()
    (tree / "sub" / "deep").rmdir()
    (tree / "void").rmdir()
    assert changes(cli.sft("max", "sync", "tree", ":copy", "--json")) == {}
    unasked = cli.sft("max", "sync", "tree", ":copy", "--delete")
    assert unasked.status == 2
    told = cli.sft("max", "sync", "tree", ":copy", "--delete", "--dry-run", "--json")
    gone = ["copy/a.txt", "copy/sub/deep/d.txt", "copy/sub/deep", "copy/void"]
    assert changes(told) == dict.fromkeys(gone, "would delete")
    assert len(listed(cli)) == 4
    done = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--json")
    assert (done.status, changes(done)) == (0, dict.fromkeys(gone, "deleted"))
    assert set(listed(cli)) == {"copy/b.txt", "copy/sub/c.txt"}
    assert cli.sft("max", "restore", "copy/a.txt").status == 0


@pytest.mark.parametrize(
    ("up", "where"), [(True, "on acme, to the trash"), (False, "here, for good")], ids=["up", "down"]
)
@pytest.mark.parametrize(("typed", "left"), [("\n", True), ("y\n", False)], ids=["no", "yes"])
def test_a_person_is_asked_before_anything_is_done(
    cli: LiveCli, tree: Path, monkeypatch, up: bool, where: str, typed: str, left: bool
):
    monkeypatch.setattr(prompts, "interruptible", nullcontext)  # signals are the main thread's
    cli.sft("max", "sync", "tree", ":copy")
    words = ["tree", ":copy"] if up else [":copy", "tree"]
    if up:
        (tree / "a.txt").unlink()
        (tree / "new.txt").write_bytes(b"new")
    else:
        cli.sft("max", "rm", "copy/a.txt")
        (tree / "b.txt").unlink()
    ran = cli.sft("max", "sync", *words, "--delete", typed=typed)
    assert f"To be deleted {where}:\n  a.txt\nDelete 1? [y/N] " in ran.err
    assert ran.status == (130 if left else 0)
    assert ("copy/a.txt" in listed(cli) if up else (tree / "a.txt").exists()) == left
    assert ("copy/new.txt" not in listed(cli) if up else not (tree / "b.txt").exists()) == left


def test_more_than_may_be_deleted_does_nothing_at_all(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    for name in ("a.txt", "b.txt"):
        (tree / name).unlink()
    (tree / "new.txt").write_bytes(b"new")
    refused = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--max-delete", "1")
    assert refused.status == 5
    assert "2 files and folders would be deleted, and 1 may be. Nothing was done [TOO_MANY_DELETIONS]" in refused.err
    assert "--max-delete 2" in refused.err
    assert "copy/new.txt" not in listed(cli)


def test_an_empty_source_deletes_nothing_unless_the_number_is_said(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (cli.folder / "unmounted").mkdir()
    refused = cli.sft("max", "sync", "unmounted", ":copy", "--delete", "--yes")
    assert (refused.status, "[TOO_MANY_DELETIONS]" in refused.err) == (5, True)
    assert len(listed(cli)) == 4
    meant = cli.sft("max", "sync", "unmounted", ":copy", "--delete", "--yes", "--max-delete", "7", "--json")
    assert (meant.status, listed(cli)) == (0, {})
    assert cli.sft("max", "sync", "none", ":copy", "--delete", "--yes").status == 10


def make_unreadable(folder: Path) -> None:
    """Make folders in one another whose path is longer than the system takes: not even root lists the last."""
    name = "x" * 250
    above = os.open(folder, os.O_RDONLY)
    for _ in range(17):
        os.mkdir(name, dir_fd=above)
        below = os.open(name, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(above)


def test_a_source_that_cannot_be_read_whole_deletes_nothing(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").unlink()
    (tree / "b.txt").write_bytes(b"longer than before")
    make_unreadable(tree / "void")
    told = cli.sft("max", "sync", "tree", ":copy", "--delete", "--dry-run", "--json")
    assert set(changes(told).values()) == {"would replace", "failed"}
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes")
    assert (ran.status, len(listed(cli))) == (1, 4)
    assert listed(cli)["copy/b.txt"] == 2
    assert "[LOCAL_FILE]" in ran.err
    assert "Nothing was deleted, for not everything went." in ran.out


def test_a_target_here_that_cannot_be_read_whole_has_nothing_deleted(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (cli.folder / "back").mkdir()
    (cli.folder / "back" / "more.txt").write_bytes(b"more")
    make_unreadable(cli.folder / "back")
    told = cli.sft("gus", "sync", ":copy", "back", "--delete", "--dry-run", "--json")
    assert set(changes(told).values()) == {"would get", "failed"}
    ran = cli.sft("gus", "sync", ":copy", "back", "--delete", "--yes")
    assert ran.status == 1
    assert "Nothing was deleted, for not everything went." in ran.out
    assert (cli.folder / "back" / "more.txt").exists()


def test_a_file_that_did_not_go_keeps_everything_from_being_deleted(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").unlink()
    (tree / "a:b").write_bytes(b"no name")
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes")
    assert (ran.status, len(listed(cli))) == (1, 4)
    assert "Nothing was deleted, for not everything went." in ran.out
    assert "[NAME_NOT_ALLOWED]" in ran.err


def test_links_and_excluded_things_are_deleted_on_neither_side(cli: LiveCli, tree: Path):
    cli.file("tree/keep.tmp", b"tmp")
    cli.sft("max", "sync", "tree", ":copy")
    for name in ("a.txt", "keep.tmp", "sub/c.txt"):
        (tree / name).unlink()
    (tree / "a.txt").symlink_to("b.txt")
    words = ("sync", "tree", ":copy", "--delete", "--exclude", "*.tmp", "--json")
    assert changes(cli.sft("max", *words, "--dry-run")) == {"copy/sub/c.txt": "would delete"}
    up = cli.sft("max", *words, "--yes")
    assert (up.status, changes(up)) == (1, {"copy/sub/c.txt": "deleted"})
    assert [each["what"] for each in up.document["skipped"]] == ["link"]
    back = cli.folder / "back"
    cli.sft("gus", "sync", ":copy", "back")
    (back / "link").symlink_to("a.txt")
    (back / "more.tmp").write_bytes(b"tmp")
    (back / "a:b").write_bytes(b"no download")
    (back / "extra" / "empty").mkdir(parents=True)
    (back / "extra" / "x.txt").write_bytes(b"x")
    (back / "held").mkdir()
    (back / "held" / "link").symlink_to("a.txt")
    down = cli.sft("gus", "sync", ":copy", "back", "--delete", "--yes", "--exclude", "*.tmp", "--json")
    assert down.status == 0
    assert changes(down) == {
        "copy/extra/x.txt": "deleted", "copy/extra/empty": "deleted", "copy/extra": "deleted",
    }  # fmt: skip
    assert {"link", "more.tmp", "a:b", "held", "held/link"} <= set(everything_below(back))


def test_what_is_in_the_way_here_is_named_and_kept(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    back = cli.folder / "back"
    (back / "a.txt").mkdir(parents=True)
    (back / "b.txt").symlink_to("/etc/passwd")
    (back / "sub").symlink_to(tree)
    (back / "void").write_bytes(b"a file")
    before = everything_below(back)
    ran = cli.sft("gus", "sync", ":copy", "back", "--json")
    assert ran.status == 1
    assert changes(ran) == dict.fromkeys(
        ["copy/a.txt", "copy/b.txt", "copy/sub/c.txt", "copy/sub/deep/d.txt", "void"], "failed"
    )
    assert everything_below(back) == before


async def store(cli: LiveCli, who: str, item: PutItem) -> None:
    session = await cli.server.session(who)
    await put_all(session, [item], replace=True)
    await session.close()


def test_a_version_that_somebody_stored_meanwhile_is_not_replaced(cli: LiveCli, tree: Path, monkeypatch):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").write_bytes(b"changed here")
    (tree / "b.txt").unlink()
    planned = sync.plan_up

    async def plan_up(*arguments):
        plan = await planned(*arguments)
        other = cli.file("other", b"changed by ada")
        cli.meanwhile(store(cli, "ada", PutItem(Path(other), "copy/a.txt", 14)))
        return plan

    monkeypatch.setattr(sync, "plan_up", plan_up)
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes")
    assert ran.status == 1
    assert "ada stored version 2 while you worked on version 1 [CHANGED_SINCE]" in ran.err
    assert listed(cli)["copy/a.txt"] == 2
    assert "copy/b.txt" in listed(cli)


def test_what_came_or_changed_since_it_was_looked_at_is_not_deleted(cli: LiveCli, tree: Path, monkeypatch):
    cli.sft("max", "sync", "tree", ":copy")
    cli.sft("gus", "sync", ":copy", "back")
    back = cli.folder / "back"
    for name in ("changed", "appeared", "gone"):
        (back / name).write_bytes(b"only here")
    planned_up, planned_down = sync.plan_up, sync.plan_down

    async def plan_down(session, *arguments):
        plan = await planned_down(session, *arguments)
        (back / "changed").write_bytes(b"written meanwhile")
        cli.meanwhile(store(cli, "max", PutItem(back / "appeared", "copy/appeared", 9)))
        return plan

    monkeypatch.setattr(sync, "plan_down", plan_down)
    down = cli.sft("gus", "sync", ":copy", "back", "--delete", "--yes", "--json")
    assert (down.status, changes(down)) == (1, {"copy/changed": "failed", "copy/gone": "deleted"})
    assert (back / "changed").read_bytes() == b"written meanwhile"
    assert (back / "appeared").exists()

    async def plan_up(*arguments):
        plan = await planned_up(*arguments)
        (tree / "appeared").write_bytes(b"came now")
        return plan

    monkeypatch.setattr(sync, "plan_up", plan_up)
    up = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--json")
    assert (up.status, changes(up)) == (0, {})
    assert "copy/appeared" in listed(cli)


def test_what_belongs_to_another_is_named(cli: LiveCli, tree: Path):
    cli.sft("ada", "sync", "tree", ":copy")
    (tree / "a.txt").write_bytes(b"changed by max")
    ran = cli.sft("max", "sync", "tree", ":copy")
    assert (ran.status, "[NOT_YOURS]" in ran.err) == (1, True)
    assert listed(cli)["copy/a.txt"] == 1


def test_a_mistaken_call_is_told_before_anything_is_asked(cli: LiveCli, tree: Path):
    neither = cli.sft("max", "sync", "tree", "copy")
    assert (neither.status, "sft sync tree :copy" in neither.err) == (2, True)
    assert cli.sft("max", "sync", "tree", ":copy", "--yes").status == 2
    assert cli.sft("max", "sync", "tree", "nowhere:copy").status == 8
    assert cli.sft("max", "sync", "tree", "a:copy", "--profile", "b").status == 2
    assert cli.sft("gus", "sync", ":none", "back").status == 3
    assert not (cli.folder / "back").exists()
