"""`sft sync`, both ways, over a real server."""

from __future__ import annotations

import errno
import os
import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from sft.cli import prompts
from sft.cli.commands import sync
from sft.client.transfers.batch import put_all
from sft.client.transfers.plan import PutItem
from sft.limits import SEGMENT_BYTES
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


@pytest.mark.every_run
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


@pytest.mark.every_run
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


@pytest.mark.every_run
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


@pytest.mark.every_run
def test_more_than_may_be_deleted_does_nothing_at_all(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    for name in ("a.txt", "b.txt"):
        (tree / name).unlink()
    (tree / "new.txt").write_bytes(b"new")
    refused = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--max-delete", "1")
    assert refused.status == 5
    assert "2 files and folders would be deleted, and 1 may be. Nothing was done [TOO_MANY_DELETIONS]" in refused.err
    assert "--max-delete 2" in refused.err
    told = cli.sft("max", "sync", "tree", ":copy", "--delete", "--max-delete", "1", "--dry-run")
    assert (told.status, told.err) == (5, refused.err)
    assert told.lines[-1] == "Nothing was done: would store 1, would delete 2, 2 the same."
    document = cli.sft("max", "sync", "tree", ":copy", "--delete", "--max-delete", "1", "-n", "--json").document
    assert (document["refusal"]["code"], document["exit"]) == ("TOO_MANY_DELETIONS", 5)
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


@pytest.mark.parametrize("words", [("put", "tree", "--as", "copy"), ("sync", "tree", ":copy", "--delete", "--yes")])
def test_a_file_that_may_not_be_read_is_named_and_the_others_go(
    cli: LiveCli, tree: Path, monkeypatch, words: tuple[str, ...]
):
    """What another user would meet; root reads everything."""
    cli.sft("max", "put", cli.file("old.txt", b"old"), "--to", "copy")
    opened, closed = os.open, {"tree/b.txt", "tree/sub/c.txt"}

    def open_what_may_be_read(path, *arguments, **options):
        if str(path) in closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", open_what_may_be_read)
    ran = cli.sft("max", *words)
    assert ran.status == 1
    for name in closed:
        assert f"{name} may not be used by you [LOCAL_FILE]   Check its permissions: ls -l" in ran.err
    assert set(listed(cli)) == {"copy/old.txt", "copy/a.txt", "copy/sub/deep/d.txt"}
    closed.clear()
    assert cli.sft("max", *words).status == 0
    assert {"copy/b.txt", "copy/sub/c.txt"} <= set(listed(cli))
    assert ("copy/old.txt" in listed(cli)) is (words[0] == "put")


def test_a_file_that_did_not_go_keeps_everything_from_being_deleted(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").unlink()
    (tree / "a:b").write_bytes(b"no name")
    told = cli.sft("max", "sync", "tree", ":copy", "--delete", "--dry-run")
    assert told.lines == ["Nothing was done: 3 the same.  Nothing would be deleted, for not everything would go."]
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes")
    assert (ran.status, len(listed(cli))) == (1, 4)
    assert "Nothing was deleted, for not everything went." in ran.out
    assert "[NAME_NOT_ALLOWED]" in ran.err


def test_what_would_not_come_is_foreseen_to_keep_everything_from_being_deleted(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    cli.sft("gus", "sync", ":copy", "back")
    cli.sft("max", "mv", "copy/a.txt", "copy/moved.txt")
    os.mkfifo(cli.folder / "back" / "moved.txt")  # which no file replaces
    told = cli.sft("gus", "sync", ":copy", "back", "--delete", "--dry-run", "--json")
    ran = cli.sft("gus", "sync", ":copy", "back", "--delete", "--yes", "--json")
    assert changes(told) == changes(ran) == {"copy/moved.txt": "failed"}
    assert (cli.folder / "back" / "a.txt").exists()


def test_nobody_is_asked_about_deletions_that_will_not_be_made(cli: LiveCli, tree: Path, monkeypatch):
    monkeypatch.setattr(prompts, "interruptible", nullcontext)  # signals are the main thread's
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").unlink()
    (tree / "a:b").write_bytes(b"no name")
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", typed="y\n")
    assert (ran.status, len(listed(cli)), "To be deleted" in ran.err) == (1, 4, False)
    assert "Nothing was deleted, for not everything went." in ran.out


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
    for name in ("of-tmp/x.tmp", "of-part/.sft-0123456789abcdef.part", "of-excluded/build.tmp/x"):
        cli.file(f"back/{name}", b"kept")
    words = ("--delete", "--yes", "--max-delete", "3", "--exclude", "*.tmp", "--json")
    told = cli.sft("gus", "sync", ":copy", "back", *words, "--dry-run")
    assert len(changes(told)) == 3
    down = cli.sft("gus", "sync", ":copy", "back", *words)
    assert (down.status, [each["what"] for each in down.document["skipped"]]) == (1, ["link", "link"])
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
    assert ran.status == 5
    assert changes(ran) == dict.fromkeys(
        ["copy/a.txt", "copy/b.txt", "copy/sub/c.txt", "copy/sub/deep/d.txt", "copy/void"], "failed"
    )
    assert everything_below(back) == before


async def store(cli: LiveCli, who: str, item: PutItem) -> None:
    session = await cli.server.session(who)
    await put_all(session, [item], replace=True)
    await session.close()


def kinds_changed(folder: Path) -> None:
    """Make a folder of a file, and a file of a folder."""
    (folder / "a.txt").unlink()
    (folder / "a.txt" / "in").mkdir(parents=True)
    (folder / "a.txt" / "in" / "x.txt").write_bytes(b"x")
    for name in ("sub/c.txt", "sub/deep/d.txt"):
        (folder / name).unlink()
    (folder / "sub" / "deep").rmdir()
    (folder / "sub").rmdir()
    (folder / "sub").write_bytes(b"a file now")
    (folder / "void").rmdir()
    (folder / "void").write_bytes(b"no folder any more")


GONE = ["copy/a.txt", "copy/sub/c.txt", "copy/sub/deep/d.txt", "copy/sub/deep", "copy/sub", "copy/void"]
BLOCKED = {"copy/a.txt", "copy/sub", "copy/void"}


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_file_becomes_a_folder_and_a_folder_a_file_where_deleting_is_allowed(cli: LiveCli, tree: Path, way: str):
    cli.sft("max", "sync", "tree", ":copy")
    cli.sft("max", "sync", ":copy", "back")
    kinds_changed(tree)
    sides = ("tree", ":copy")
    if way == "down":
        assert cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes").status == 0
        sides = (":copy", "back")
    target = lambda: listed(cli) if way == "up" else everything_below(cli.folder / "back")
    before = target()
    refused = cli.sft("max", "sync", *sides, "--json")
    assert refused.status == 1
    items = refused.document["items"]
    assert len(items) == 3
    assert {item["error"]["code"] for item in items} == {"NAME_IN_USE" if way == "up" else "FILE_EXISTS"}
    assert all("--delete" in item["error"]["next"] for item in items)
    assert target() == before
    few = cli.sft("max", "sync", *sides, "--delete", "--yes", "--max-delete", "5")
    assert (few.status, "6 files and folders would be deleted, and 5 may be" in few.err) == (5, True)
    told = cli.sft("max", "sync", *sides, "--delete", "--dry-run")
    assert "would store 3" in told.out or "would get 3" in told.out
    assert "would delete 6" in told.out
    assert target() == before
    done = cli.sft("max", "sync", *sides, "--delete", "--yes", "--max-delete", "6", "--json")
    assert (done.status, done.document["failed"]) == (0, 0)
    assert sorted(item["path"] for item in done.document["items"] if item["result"] == "deleted") == sorted(GONE)
    if way == "up":
        assert set(listed(cli)) == {"copy/a.txt/in/x.txt", "copy/b.txt", "copy/sub", "copy/void"}
    else:
        assert everything_below(cli.folder / "back") == everything_below(tree)
    again = cli.sft("max", "sync", *sides, "--delete", "--yes")
    assert again.out.startswith("4 the same; 0 B, ")


def test_what_is_kept_at_the_target_is_not_deleted_for_what_is_in_its_place(cli: LiveCli, tree: Path):
    cli.file("tree/sub/keep.tmp", b"tmp")
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "sub" / "keep.tmp").unlink()
    kinds_changed(tree)
    before = listed(cli)
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--exclude", "*.tmp")
    assert (ran.status, listed(cli)) == (1, before)
    assert "copy/sub is a folder already [NAME_IN_USE]" in ran.err
    assert "Nothing was deleted, for not everything went." in ran.out


def test_what_differs_in_case_alone_is_foreseen_and_makes_way_where_deleting_is_allowed(cli: LiveCli, tree: Path):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").rename(tree / "A.txt")
    (tree / "sub").rename(tree / "SUB")
    for more in ((), ("--dry-run",)):
        ran = cli.sft("max", "sync", "tree", ":copy", "--json", *more)
        assert ran.status == (0 if more else 1)
        assert [item["error"]["code"] for item in ran.document["items"]] == ["NAME_CLASH"] * 3
        nexts = {item["error"]["next"] for item in ran.document["items"]}
        assert any("sft mv copy/sub NAME" in each for each in nexts)
    assert cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes").status == 0
    assert set(listed(cli)) == {"copy/A.txt", "copy/b.txt", "copy/SUB/c.txt", "copy/SUB/deep/d.txt"}


def test_two_files_here_that_one_name_there_would_have_are_foreseen(cli: LiveCli, tree: Path):
    (tree / "B.txt").write_bytes(b"another")
    (tree / "a:b").write_bytes(b"no name")
    told = cli.sft("max", "sync", "tree", ":copy", "--dry-run", "--json").document["items"]
    done = cli.sft("max", "sync", "tree", ":copy", "--json").document["items"]
    failed = lambda items: {(item["local"], item["error"]["code"]) for item in items if item["error"]}
    assert failed(told) == failed(done) == {
        ("tree/b.txt", "NAME_CLASH"), ("tree/a:b", "NAME_NOT_ALLOWED"),
    }  # fmt: skip


CLUMSY = {
    "a folder that is not there": (("sync", "trees", ":copy"), 10, "trees does not exist", "Check the name: ls ."),
    "a file for a folder": (("sync", "a.txt", ":copy"), 10, "a.txt is a file", "sft put a.txt --to FOLDER"),
    "down into a file": (("sync", ":copy", "a.txt"), 10, "a.txt is a file", "sft put a.txt --to FOLDER"),
    "down from a file": (("sync", ":copy/a.txt", "back"), 3, "copy/a.txt", "sft ls copy"),
    "up onto a file": (("sync", "tree", ":copy/a.txt"), 5, "copy/a.txt is a file already", "sft mv copy/a.txt NAME"),
    "above the root": (("sync", "tree", ":copy/../x y"), 2, "named from its root", "This one: ':x y'"),
    "no name": (("sync", "tree", ":a:b"), 10, "Windows cannot store", "Choose another name, for example a_b"),
    "no colon": (("sync", "tree", "copy"), 2, "Which folder is the server's?", "sft sync tree :copy"),
    "two colons": (("sync", ":tree", ":copy"), 2, "One of the two is a folder of this computer", "./NAME"),
    "one too few": (("sync", "tree"), 2, "TARGET", "sft sync --help"),
    "turned round": (("watch", ":copy", "tree"), 2, "The folder of this computer comes first", "sft watch tree :copy"),
    "a file to watch": (("watch", "a.txt", "copy"), 10, "a.txt is a file", "sft put a.txt --to FOLDER"),
    "nothing to watch": (("watch", "a b/c", "copy"), 10, "does not exist", "Check the name: ls"),
    "nothing unfinished": (("resume", "tree/"), 2, "Nothing unfinished is called tree/", "sft resume --list"),
    "a verb too many": (("resume", "get", "x"), 2, "Nothing unfinished is called get", "sft resume --list"),
}


@pytest.mark.parametrize("case", CLUMSY)
def test_a_slip_says_what_is_wrong_and_what_would_do(cli: LiveCli, tree: Path, case: str):
    cli.file("a.txt", b"a")
    cli.sft("max", "sync", "tree", ":copy")
    words, status, said, step = CLUMSY[case]
    before = listed(cli)
    ran = cli.sft("max", *words)
    shown = ran.out + ran.err
    assert (ran.status, said in shown, step in shown) == (status, True, True), shown
    assert listed(cli) == before
    assert not (cli.folder / "back").exists()


@pytest.mark.parametrize(
    ("source", "target"),
    [("tree/", ":copy/"), ("./tree", ":/./copy//"), ("tree/sub/..", ":copy"), ("../desk/tree", ":copy")],
)
def test_a_name_may_be_written_in_another_way(cli: LiveCli, tree: Path, source: str, target: str):
    cli.sft("max", "sync", "tree", ":copy")
    assert cli.sft("max", "sync", source, target).out.startswith("4 the same; 0 B, ")


def test_composed_and_decomposed_names_are_the_same(cli: LiveCli):
    for letter in ("\u00e9", "e\u0301"):
        cli.file(f"caf{letter} x/ 1.txt".replace("/ 1", "/1"), b"1")
        ran = cli.sft("max", "sync", f"caf{letter} x", f":caf{letter}")
        assert ran.status == 0, ran.err
    assert listed(cli) == {"caf\u00e9/1.txt": 1}


def ada_stores_once_planned(cli: LiveCli, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = sync.plan_up

    async def plan_up(*arguments):
        plan = await planned(*arguments)
        other = cli.file("other", b"changed by ada")
        cli.meanwhile(store(cli, "ada", PutItem(Path(other), "copy/a.txt", 14)))
        return plan

    monkeypatch.setattr(sync, "plan_up", plan_up)


def test_a_version_that_somebody_stored_meanwhile_is_not_replaced(cli: LiveCli, tree: Path, monkeypatch):
    cli.sft("max", "sync", "tree", ":copy")
    (tree / "a.txt").write_bytes(b"changed here")
    (tree / "b.txt").unlink()
    ada_stores_once_planned(cli, monkeypatch)
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes")
    assert ran.status == 1
    assert re.search(r"ada stored version 2, .+, while you worked on version 1 \[CHANGED_SINCE\]", ran.err)
    assert listed(cli)["copy/a.txt"] == 2
    assert "copy/b.txt" in listed(cli)


@pytest.mark.parametrize("size", [9, SEGMENT_BYTES + 1])
def test_what_was_edited_here_meanwhile_is_not_replaced(cli: LiveCli, tree: Path, monkeypatch, size: int):
    cli.sft("max", "sync", "tree", ":copy")
    cli.sft("gus", "sync", ":copy", "back")
    (tree / "a.txt").write_bytes(b"n" * size)
    cli.sft("max", "sync", "tree", ":copy")
    planned, edited = sync.plan_down, cli.folder / "back" / "a.txt"

    async def plan_down(*arguments):
        plan = await planned(*arguments)
        edited.write_bytes(b"MY EDIT")
        return plan

    with monkeypatch.context() as during:
        during.setattr(sync, "plan_down", plan_down)
        ran = cli.sft("gus", "sync", ":copy", "back")
    assert (ran.status, "a.txt changed here meanwhile, and was kept [CHANGED_HERE]" in ran.err) == (1, True)
    assert edited.read_bytes() == b"MY EDIT"
    if size > SEGMENT_BYTES:  # what was whole and could not be named is there to go on with
        edited.write_bytes(b"MY EDIT 2")
        resumed = cli.sft("gus", "resume")
        assert (resumed.status, "[CHANGED_HERE]" in resumed.err) == (5, True)
        assert edited.read_bytes() == b"MY EDIT 2"
    again = cli.sft("gus", "sync", ":copy", "back", "--json")
    assert (changes(again), edited.stat().st_size) == ({"copy/a.txt": "replaced"}, size)
    assert [each.name for each in edited.parent.iterdir() if each.name.endswith(".part")] == []


def test_a_version_that_somebody_stored_meanwhile_is_not_deleted(cli: LiveCli, tree: Path, monkeypatch):
    cli.sft("max", "sync", "tree", ":copy")
    for name in ("a.txt", "b.txt"):
        (tree / name).unlink()
    ada_stores_once_planned(cli, monkeypatch)
    ran = cli.sft("max", "sync", "tree", ":copy", "--delete", "--yes", "--json")
    assert (ran.status, changes(ran)) == (1, {"copy/a.txt": "failed", "copy/b.txt": "deleted"})
    assert "[CHANGED_SINCE]" in ran.err
    assert listed(cli)["copy/a.txt"] == 2


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
