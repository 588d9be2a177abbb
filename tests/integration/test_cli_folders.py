"""Whole folders, what is left out of them, and what would be done: the command line over a real server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.live_cli import LiveCli


def everything_below(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }  # fmt: skip


def test_what_is_excluded_neither_goes_nor_comes(cli: LiveCli):
    for name in ("a.txt", "a.tmp", "build/x.o", "src/b.txt", "src/build/y.o"):
        cli.file(f"tree/{name}", name.encode())
    put = cli.sft("max", "put", "tree", "--exclude", "*.tmp", "--exclude", "/build")
    assert (put.status, put.err) == (0, "")
    assert put.out.startswith("stored 3 of 3 files, ")
    assert put.out.endswith("  2 excluded.\n")
    got = cli.sft("gus", "get", "tree", "--to", "back", "--exclude", "build/", "--jobs", "1")
    assert (got.status, got.err) == (0, "")
    assert set(everything_below(cli.folder / "back")) == {"tree", "tree/a.txt", "tree/src", "tree/src/b.txt"}
    assert cli.sft("gus", "get", "tree/*.txt", "--to", "back", "--exclude", "a*", "--json").document["excluded"] == 1
    assert cli.sft("max", "put", "tree", "--exclude", "!x").status == 2


def test_odd_but_legal_names_and_empty_files_arrive(cli: LiveCli):
    names = [
        "-rf",
        " ".join("ab"),
        "'quoted'",
        "$(reboot)",
        "#1",
        "%41",
        "[x]",
        "ü",
        "日本語",
        "👍🏽",
        ".hidden",
        "a'b`c",
    ]
    for name in names:
        cli.file(f"odd/{name}/{name}", b"")
    (cli.folder / "odd" / "empty").mkdir()
    assert cli.sft("max", "put", "odd").status == 0
    assert cli.sft("gus", "get", "odd", "--to", "odd-back").status == 0
    assert everything_below(cli.folder / "odd-back" / "odd") == everything_below(cli.folder / "odd")


def test_a_trial_of_a_put_says_what_would_be_done_and_does_nothing(cli: LiveCli):
    for name in ("new.txt", "same.txt", "other.txt", "a:b"):
        cli.file(f"trial/{name}", name.encode())
    (cli.folder / "trial" / "link").symlink_to("new.txt")
    cli.sft("max", "put", "trial/same.txt", "trial/other.txt", "--to", "trial")
    cli.file("trial/other.txt", b"OTHER.txt")
    before = cli.sft("max", "ls", "**", "--json").document
    told = cli.sft("max", "put", "trial", "--dry-run")
    assert told.status == 0
    assert told.lines == [
        "would store  trial/new.txt   7 B",
        "unchanged    trial/same.txt  8 B",
        "Nothing was done: 1 would store, 1 unchanged, 2 would not go.",
    ]
    assert "[EXISTS]" in told.err
    assert "[NAME_NOT_ALLOWED]" in told.err
    assert "link   is a link" in told.err
    replacing = cli.sft("max", "put", "trial", "--dry-run", "--replace", "--json").document
    assert {item["path"]: item["result"] for item in replacing["items"] if item["error"] is None} == {
        "trial/new.txt": "would store", "trial/other.txt": "would replace", "trial/same.txt": "unchanged",
    }  # fmt: skip
    assert (replacing["dry_run"], replacing["exit"], replacing["failed"]) == (True, 0, 1)
    late = cli.sft("max", "put", "trial/other.txt", "--as", "trial/other.txt", "--if-version", "7", "-n")
    assert "[CHANGED_SINCE]" in late.err
    assert cli.sft("max", "ls", "**", "--json").document == before


def test_a_trial_finds_what_is_there_in_a_large_folder_by_its_listing(cli: LiveCli):
    names = [f"f{n:02}" for n in range(20)]
    paths = [cli.file(f"large/{name}", name.encode()) for name in names]
    cli.sft("max", "put", *paths[:19], "--to", "large")
    told = cli.sft("max", "put", "large", "-n", "--json").document
    assert [item["result"] for item in told["items"]] == ["unchanged"] * 19 + ["would store"]


FORESEEN = {"would store": "stored", "would replace": "stored", "would get": "verified", "unchanged": "unchanged"}


def outcomes(document, *, foreseen: bool) -> dict[str, str]:
    """Say what became of each path, or would: a result, or the code of what refused it."""
    return {
        item["path"]: item["error"]["code"]
        if item["error"]
        else FORESEEN[item["result"]]
        if foreseen
        else item["result"]
        for item in document["items"]
    }


@pytest.mark.parametrize("how", [(), ("--replace",)], ids=["plain", "replace"])
@pytest.mark.every_run
def test_a_put_does_what_its_trial_has_said_of_every_file(cli: LiveCli, how: tuple[str, ...]):
    for number, name in enumerate(("same", "other", "Case", "way", "folder/x", "theirs")):
        cli.file(f"first/{name}", str(number).encode())
    cli.sft("max", "put", "first", "--as", "all")
    cli.sft("ada", "put", "first/theirs", "--as", "all/theirs", "--replace")
    cli.file("second/same", b"0")
    cli.file("second/theirs", b"5")
    for name in ("other", "case", "way/below", "folder", "FOLDER2/y", "new/z"):
        cli.file(f"second/{name}", b"changed")
    told = cli.sft("max", "put", "second", "--as", "all", *how, "--dry-run", "--json").document
    done = cli.sft("max", "put", "second", "--as", "all", *how, "--json").document
    assert outcomes(told, foreseen=True) == outcomes(done, foreseen=False)
    assert set(outcomes(done, foreseen=False).values()) >= {"stored", "unchanged", "NAME_CLASH", "NAME_IN_USE"}


def test_a_trial_of_a_get_says_what_would_be_done_and_does_nothing(cli: LiveCli):
    for name in ("new.txt", "same.txt", "other.txt"):
        cli.sft("max", "put", cli.file(f"there/{name}", name.encode()), "--to", "there")
    cli.file("here/there/same.txt", b"same.txt")
    cli.file("here/there/other.txt", b"mine")
    before = everything_below(cli.folder / "here")
    told = cli.sft("gus", "get", "there", "--to", "here", "--dry-run")
    assert told.status == 0
    assert told.lines == [
        "would get  there/new.txt   7 B",
        "unchanged  there/same.txt  8 B",
        "Nothing was done: 1 would get, 1 unchanged, 1 would not go.",
    ]
    assert "[FILE_EXISTS]" in told.err
    for option, result in (("--force", "would replace"), ("--keep-both", "would get")):
        items = cli.sft("gus", "get", "there", "--to", "here", "-n", option, "--json").document["items"]
        assert [item["result"] for item in items if item["path"] == "there/other.txt"] == [result]
    assert everything_below(cli.folder / "here") == before
    assert cli.sft("gus", "get", "there/new.txt", "--as", "-", "--dry-run").out.startswith("would get ")


def test_what_cannot_be_read_is_named_and_the_rest_goes(cli: LiveCli):
    for name in ("a.txt", "b.txt"):
        cli.file(f"closed/{name}", name.encode())
    os.mkfifo(cli.folder / "closed" / "pipe")
    put = cli.sft("max", "put", "closed")
    assert put.status == 1
    assert put.out.startswith("stored 2 of 2 files, ")
    assert put.err.splitlines() == [
        "Skipped, 1 (--exclude leaves out what is meant to stay):", "  closed/pipe   is a pipe",
    ]  # fmt: skip
    assert cli.sft("max", "put", "closed", "--json").document["skipped"] == [{"source": "closed/pipe", "what": "pipe"}]


def test_a_rate_and_a_number_at_once_change_how_files_move_and_nothing_else(cli: LiveCli):
    for size in (0, 10, 70_000, 700_000):
        cli.file(f"paced/{size}", os.urandom(size))
    how = ("--limit", "1G", "--jobs", "2")
    assert cli.sft("max", "put", "paced", *how).status == 0
    assert cli.sft("gus", "get", "paced", "--to", "paced-back", *how).status == 0
    assert cli.sft("gus", "sync", ":paced", "paced-too", *how).status == 0
    here = everything_below(cli.folder / "paced")
    assert everything_below(cli.folder / "paced-back" / "paced") == everything_below(cli.folder / "paced-too") == here
    assert cli.sft("max", "put", "paced", "--limit", "1").status == 2


@pytest.mark.every_run
def test_what_is_in_the_way_of_a_folder_stops_that_folder_alone(cli: LiveCli):
    for name in ("a.txt", "emp/gone", "sub/b.txt"):
        cli.file(f"e1/x/{name}", b"abc")
    (cli.folder / "e1/x/emp/gone").unlink()
    assert cli.sft("max", "put", "e1/x", "--to", "e1").status == 0
    cli.file("e2/x/emp", b"mine")
    got = cli.sft("gus", "get", "e1/x", "--to", "e2", "--json")
    assert (got.status, got.document["done"], got.document["failed"]) == (1, 2, 1)
    (failed,) = (item for item in got.document["items"] if item["error"])
    assert (failed["source"], failed["path"], failed["error"]["code"]) == ("e2/x/emp", None, "LOCAL_FILE")
    assert everything_below(cli.folder / "e2")["x/sub/b.txt"] == b"abc"


OBSTACLES = {
    "a file for an empty folder": ("file", "emp"),
    "a file for a folder": ("file", "full"),
    "a file above an empty folder": ("file", "deep"),
    "a folder for a file": ("folder", "a.txt"),
    "a file for all": ("file", ""),
    "another case of an empty folder": ("folder", "EMP"),
    "another case of a file": ("folder", "A.txt"),
    "a folder for an empty folder": ("folder", "emp"),
    "a file that stays": ("file", "b.txt"),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("way", ["put", "sync up", "get", "sync down"])
def test_what_is_in_the_way_is_foreseen_as_it_is_met(cli: LiveCli, way: str, obstacle: str):
    base = f"{way} {obstacle}".replace(" ", "-")
    kind, where = OBSTACLES[obstacle]
    for name in ("a.txt", "full/b.txt", "emp/gone", "deep/emp/gone"):
        cli.file(f"{base}/src/{name}", b"abc")
    for name in ("emp", "deep/emp"):
        (cli.folder / base / "src" / name / "gone").unlink()
    commands = {
        "put": ("put", f"{base}/src", "--to", base),
        "sync up": ("sync", f"{base}/src", f":{base}/src"),
        "get": ("get", f"{base}/src", "--to", f"{base}/back"),
        "sync down": ("sync", f":{base}/src", f"{base}/back/src"),
    }
    at = f"{base}/src/{where}".rstrip("/")
    if way in {"get", "sync down"}:
        assert cli.sft("max", "put", f"{base}/src", "--to", base).status == 0
        there = cli.folder / f"{base}/back/src/{where}"
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(b"mine") if kind == "file" else there.mkdir()
    elif kind == "file":
        assert cli.sft("max", "put", cli.file("mine", b"mine"), "--as", at).status == 0
    else:
        assert cli.sft("max", "mkdir", at).status == 0
    told = cli.sft("max", *commands[way], "--dry-run", "--json")
    done = cli.sft("max", *commands[way], "--json")
    assert errors_of(told) == errors_of(done)


def errors_of(ran):
    if "items" not in ran.document:
        return ran.document["error"]["code"]
    return sorted((item["error"]["code"], item["error"]["message"]) for item in ran.document["items"] if item["error"])
