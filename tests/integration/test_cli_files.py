"""The way of files through the command line, a real server and back."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from sft import durable
from tests.integration.live_cli import LiveCli

SIZES = [0, 1, 61_440, 61_441, 65_535, 65_536, 65_537, 3_000_000]


@pytest.mark.every_run
def test_files_of_every_kind_of_size_come_back_byte_for_byte(cli: LiveCli):
    contents = {f"s{size}.bin": os.urandom(size) for size in SIZES}
    paths = [cli.file(f"sizes/{name}", content) for name, content in contents.items()]
    put = cli.sft("max", "put", *paths, "--to", "sizes")
    assert (put.status, put.err) == (0, "")
    assert [line.split()[:3] for line in put.lines] == [["stored", f"sizes/{name}", "v1"] for name in contents]
    got = cli.sft("gus", "get", *(f"sizes/{name}" for name in contents), "--to", "sizes-out")
    assert (got.status, got.err) == (0, "")
    assert all(" signed by max" in line for line in got.lines)
    for name, content in contents.items():
        path = cli.folder / "sizes-out" / name
        assert path.read_bytes() == content
        assert path.stat().st_mode & 0o111 == 0


def test_a_retry_of_a_put_is_there_already(cli: LiveCli):
    for size in (10, 200_000):
        path = cli.file(f"retry-{size}", os.urandom(size))
        assert cli.sft("max", "put", path).lines[0].startswith("stored ")
        again = cli.sft("max", "put", path)
        assert (again.status, again.lines) == (0, [f"unchanged retry-{size}   v1"])


@pytest.mark.every_run
def test_another_content_is_refused_replaced_or_stored_beside(cli: LiveCli):
    path = cli.file("budget.xlsx", b"first")
    cli.sft("max", "put", path)
    cli.file("budget.xlsx", b"second")
    refused = cli.sft("max", "put", path)
    assert refused.status == 5
    assert refused.err.startswith("sft: budget.xlsx exists: version 1 by max, ")
    assert "--replace (version 1 stays), --as NAME, or first sft mv" in refused.err
    assert cli.sft("max", "put", path, "--as", "budget 2.xlsx").status == 0
    assert "v2" in cli.sft("max", "put", path, "--replace").out
    cli.file("budget.xlsx", b"third")
    late = cli.sft("max", "put", path, "--if-version", "1")
    assert late.status == 5
    assert re.search(r"max stored version 2, .+, while you worked on version 1 \[CHANGED_SINCE\]", late.err)
    assert "v3" in cli.sft("max", "put", path, "--if-version", "2").out


def test_a_version_of_before_a_move_is_got_from_where_the_file_lies_now(cli: LiveCli):
    """Its mover had seen a later one."""
    for content, size in ((b"kept", 10), (b"large", 70_000)):
        name = content.decode()
        for number in (b"1", b"2", b"3"):
            path = cli.file(name, content + number + os.urandom(size))
            assert cli.sft("max", "put", path, "--replace").status == 0
        assert cli.sft("max", "mv", name, f"{name} moved").status == 0
        assert cli.sft("max", "put", path, "--as", f"{name} moved", "--replace").status == 0
        assert cli.sft("max", "mv", f"{name} moved", f"{name} again").status == 0
        for version in ("1", "2", "3"):
            got = cli.sft("gus", "get", f"{name} again", "--version", version, "--to", f"v{version}")
            assert (got.status, got.err) == (0, "")
            assert f"as {name}, moved here by max" in got.out
            assert (cli.folder / f"v{version}" / f"{name} again").read_bytes().startswith(content + version.encode())


def test_what_came_back_to_a_path_that_another_folder_has_since_lies_where_it_was_moved(cli: LiveCli):
    """What was in the trash has gone with no folder."""

    def done(*words: str) -> None:
        ran = cli.sft("max", *words)
        assert ran.status == 0, ran.err

    path = cli.file("x", b"content")
    for name in ("itself", "with a folder", "within"):
        done("mkdir", f"{name}/a", f"{name}/d", f"{name}/q")
        done("put", path, "--as", f"{name}/a/x")
    done("mv", "itself/a/x", "itself/d/x")
    done("mv", "with a folder/a", "with a folder/d/in")
    done("mv", "within/a", "within/d/in")
    done("rm", "itself/d/x")
    done("rm", "with a folder/d/in/x")
    done("rm", "-r", "--yes", "within/d/in")
    for name in ("itself", "with a folder", "within"):
        done("mv", f"{name}/d", f"{name}/e")
        done("mv", f"{name}/q", f"{name}/d")
    for name in ("itself/d/x", "with a folder/d/in/x", "within/d/in"):
        done("restore", name)
    for name in ("itself/d/x", "with a folder/d/in/x", "within/d/in/x"):
        got = cli.sft("gus", "get", name, "--to", f"back/{name}")
        assert (got.status, got.err) == (0, "")
        assert "moved here by max" in got.out


def test_a_download_never_replaces_silently(cli: LiveCli):
    cli.sft("max", "put", cli.file("note.txt", b"theirs"))
    mine = Path(cli.file("mine/note.txt", b"mine"))
    refused = cli.sft("gus", "get", "note.txt", "--to", "mine")
    assert refused.status == 5
    assert "[FILE_EXISTS]" in refused.err
    both = cli.sft("gus", "get", "note.txt", "--to", "mine", "--keep-both")
    assert both.status == 0
    assert (cli.folder / "mine/note.txt").read_bytes() == b"mine"
    assert len(list((cli.folder / "mine").iterdir())) == 2
    assert cli.sft("gus", "get", "note.txt", "--to", "mine", "--force").status == 0
    assert mine.read_bytes() == b"theirs"


@pytest.mark.every_run
def test_a_folder_goes_and_comes_whole(cli: LiveCli):
    for name in ("a.txt", "sub/b.txt", "sub/deep/c.txt"):
        cli.file(f"photos/{name}", name.encode())
    cli.file("photos/a:b.txt", b"odd")
    (cli.folder / "photos/empty").mkdir()
    (cli.folder / "photos/link").symlink_to("a.txt")
    put = cli.sft("max", "put", "photos", "--to", "albums")
    assert put.status == 1
    assert put.out.startswith("stored 3 of 4 files, ")
    assert put.out.rstrip().endswith("Not stored, 1:")
    assert put.err.endswith("\n  photos/link   is a link\n")
    assert '"a:b.txt" has ":", which Windows cannot store [NAME_NOT_ALLOWED]' in put.err
    assert cli.sft("max", "put", "photos", "--to", "albums", "--safe-names").status == 1  # the link stays behind
    assert cli.sft("max", "put", "photos", "--to", "albums", "--safe-names", "--exclude", "link").status == 0
    got = cli.sft("gus", "get", "albums/photos", "--to", "albums-out")
    assert got.status == 0
    found = sorted(str(path.relative_to(cli.folder / "albums-out")) for path in (cli.folder / "albums-out").rglob("*"))
    assert found == [
        "photos", "photos/a.txt", "photos/a_b.txt", "photos/empty", "photos/sub",
        "photos/sub/b.txt", "photos/sub/deep", "photos/sub/deep/c.txt",
    ]  # fmt: skip


def test_standard_input_has_to_be_given_a_name(cli: LiveCli):
    assert cli.sft("max", "put", "-", stdin="x").status == 2
    content = os.urandom(300_000)
    with Path(cli.file("in.bin", content)).open() as opened:
        put = cli.sft("max", "put", "-", "--as", "streams/in.bin", stdin=opened)
    assert put.status == 0, put.err
    assert cli.sft("gus", "get", "streams/in.bin", "--to", "streams-out").status == 0
    assert (cli.folder / "streams-out/in.bin").read_bytes() == content


def test_the_date_of_a_file_travels_with_it(cli: LiveCli):
    path = cli.file("dated.txt", b"x")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    cli.sft("max", "put", path)
    assert cli.sft("gus", "ls", "dated.txt", "--json").document[0]["dated_at"] == "2001-09-09T01:46:40Z"
    cli.sft("gus", "get", "dated.txt", "--to", "dated-out")
    assert (cli.folder / "dated-out/dated.txt").stat().st_mtime == 1_000_000_000


@pytest.mark.parametrize("size", [20, 300_000], ids=["small", "large"])
def test_that_a_file_may_be_run_is_signed_and_comes_back(cli: LiveCli, size: int):
    for name, mode in (("run.sh", 0o750), ("notes.txt", 0o640)):
        Path(cli.file(f"tools/{name}", os.urandom(size))).chmod(mode)
    assert cli.sft("max", "put", "tools").status == 0
    assert cli.sft("gus", "get", "tools", "--to", "out", "--with-signature").status == 0
    signed = [(cli.folder / f"out/tools/{name}.minisig").read_text() for name in ("run.sh", "notes.txt")]
    assert ["\texec:1\t" in text for text in signed] == [True, False]
    modes = [(cli.folder / f"out/tools/{name}").stat().st_mode & 0o777 for name in ("run.sh", "notes.txt")]
    umask = durable.umask()
    assert modes == [0o777 & ~umask, 0o666 & ~umask]


@pytest.mark.every_run
def test_listing_moving_deleting_and_restoring(cli: LiveCli):
    for name in ("plan.pdf", "plan.txt"):
        cli.sft("max", "put", cli.file(name, name.encode()), "--to", "work/2026")
    assert cli.sft("gus", "ls", "work/2026").lines == ["work/2026/plan.pdf", "work/2026/plan.txt"]
    assert cli.sft("gus", "ls", "work/**/*.pdf").lines == ["work/2026/plan.pdf"]
    listed = cli.sft("gus", "ls", "work/**", "--json").document
    assert [file["path"] for file in listed] == ["work/2026/plan.pdf", "work/2026/plan.txt"]
    assert {file["signature"] for file in listed} == {"signed"}
    assert {"size", "version", "author", "owner", "created_at", "digest"} <= set(listed[0])
    long = cli.sft("gus", "ls", "-l", "work/2026").lines[0].split("\t")
    assert (long[0], long[1], long[2], long[3], long[5]) == (
        "signed", "8", "1", "max", "work/2026/plan.pdf",
    )  # fmt: skip
    assert cli.sft("max", "mv", "work/2026/plan.pdf", "work/old plan.pdf").status == 0
    info = cli.sft("gus", "info", "work/old plan.pdf")
    assert "signed as work/2026/plan.pdf, moved here by max" in info.lines
    long = cli.sft("gus", "ls", "-l", "work").lines
    assert [line.split("\t")[5:] for line in long][-1] == ["work/old plan.pdf", "work/2026/plan.pdf"]
    got = cli.sft("gus", "get", "work/old plan.pdf", "--to", "moved")  # the log has that it lies there
    assert got.status == 0
    assert "as work/2026/plan.pdf" in got.out
    assert re.search(r" log [0-9]+", got.out)
    gone = cli.sft("max", "rm", "work/old plan.pdf")
    assert gone.status == 0
    assert "in the trash until" in gone.out
    assert cli.sft("gus", "get", "work/old plan.pdf").status == 3
    assert any("old plan.pdf" in line for line in cli.sft("max", "ls", "--trash").lines)
    assert cli.sft("max", "restore", "work/old plan.pdf").status == 0
    assert cli.sft("gus", "get", "work/old plan.pdf", "--to", "restored").status == 0
    assert cli.sft("max", "rm", "-r", "work").status == 2
    assert cli.sft("max", "rm", "-r", "work", "--yes").status == 0
    assert cli.sft("gus", "ls", "work").status == 3


def test_a_folder_is_one_file_or_none_or_three(cli: LiveCli):
    cli.file("one/a.txt", b"a")
    cli.sft("max", "put", "one", "--to", "n")
    (cli.folder / "empty").mkdir()
    assert cli.sft("max", "put", "empty", "--to", "n").lines == ["made n/empty/: no files in it."]
    assert cli.sft("max", "get", "n/empty", "--to", "got").lines == ["got empty/: no files in it."]
    (cli.folder / "none/a").mkdir(parents=True)
    (cli.folder / "none/b").mkdir()
    assert cli.sft("max", "put", "none", "--to", "n").lines == ["made 2 folders: no files in them."]
    assert cli.sft("max", "rm", "-r", "n/one", "--yes").out.startswith("n/one: 1 file is in the trash")
    assert cli.sft("max", "rm", "-r", "n/empty", "--yes").out.startswith("n/empty: 0 files are in the trash")


def test_a_target_as_the_last_word_is_answered_with_its_option(cli: LiveCli):
    """As cp and scp have it: nothing is stored or got then."""
    report = cli.file("report.pdf", b"report")
    refused = cli.sft("max", "put", report, "finance/")
    assert (refused.status, refused.err.splitlines()[1].strip()) == (2, f"sft put {report} --to finance")
    assert cli.sft("max", "ls").out == ""
    cli.sft("max", "mkdir", "finance")
    for dry in ((), ("--dry-run",)):
        refused = cli.sft("max", "put", report, "finance", *dry)
        assert (refused.status, refused.err.splitlines()[1].strip()) == (2, f"sft put {report} --to finance")
    assert cli.sft("max", "ls").lines == ["finance/"]
    # A folder that is here too goes with it, as was asked for: what may have been meant is said beside that.
    (cli.folder / "finance").mkdir()
    meant = f"Meant as the folder there? sft put {report} --to finance"
    for words in ((report, "finance/", "--dry-run"), (report, "finance/")):
        assert cli.sft("max", "put", *words).err.splitlines()[-1].strip() == meant
    for words in ((report, "finance", "--replace"), ("finance", "finance/")):
        assert "Meant" not in cli.sft("max", "put", *words).err
    assert cli.sft("max", "ls").lines == ["finance/", "report.pdf"]
    (cli.folder / "here").mkdir()
    for last in ("x/", "here"):
        refused = cli.sft("gus", "get", "report.pdf", last)
        assert (refused.status, refused.err.splitlines()[1].strip()) == (2, f"sft get report.pdf --to {last}")
    told = cli.sft("gus", "get", "report.pdf", "b.pdf", "--to", "here")
    assert told.status == 1
    assert (cli.folder / "here/report.pdf").exists()
    assert told.err.splitlines()[-1].strip() == "Meant as its name here? sft get report.pdf --as b.pdf"


def test_the_root_has_its_own_ways(cli: LiveCli):
    cli.sft("max", "put", cli.file("a.txt", b"a"), "--to", "docs")
    assert cli.sft("max", "ls", ".").lines == cli.sft("max", "ls", "/").lines == ["docs/"]
    assert cli.sft("max", "ls", "./docs/").lines == ["docs/a.txt"]
    assert cli.sft("max", "ls", "..").status == 10
    assert cli.sft("max", "mkdir", "/").lines == ["/ is there already"]
    refused = cli.sft("max", "rm", "-r", "/", "--yes")
    assert (refused.status, "The whole server cannot be deleted at once" in refused.err) == (2, True)
    shown = cli.sft("max", "info", "docs")
    assert (shown.status, shown.err.splitlines()[1].strip()) == (2, "What is in it: sft ls -l docs")
    assert cli.sft("max", "info", "nope").status == 3


def test_that_very_version_is_replaced_whether_or_not_replace_is_said_too(cli: LiveCli):
    for number, content in enumerate((b"one", b"two", b"three"), 1):
        path = cli.file("a.txt", content)
        put = cli.sft("max", "put", path, *(("--replace", "--if-version", str(number - 1)) if number > 1 else ()))
        assert put.out.startswith("stored "), put.err
    cli.file("a.txt", b"four")
    assert "CHANGED_SINCE" in cli.sft("max", "put", path, "--replace", "--if-version", "2").err


def test_what_a_deletion_says_is_the_way_back_works_as_typed(cli: LiveCli):
    for name in ("notes/a.txt", "notes/deep er/b.txt", "bulk/f1.bin", "bulk/f2.bin", "one's.txt"):
        cli.sft("max", "put", cli.file("x", name.encode()), "--as", name)
    for deletion in (("-r", "notes", "--yes"), ("bulk/f?.bin", "--yes"), ("one's.txt",)):
        done = cli.sft("max", "rm", *deletion)
        assert done.status == 0, done.err
        backs = [line.partition("Back: ")[2] for line in done.lines]
        assert all(backs), done.out
        for back in backs:
            sft, *words = shlex.split(back)
            assert (sft, cli.sft("max", *words).status) == ("sft", 0), back
    assert len(cli.sft("max", "ls", "**").lines) == 5 + 3
    # All that a pattern took comes back by the pattern, and a thing out of a folder by its own name.
    cli.sft("max", "rm", "bulk/f?.bin", "--yes")
    assert len(cli.sft("max", "restore", "bulk/f?.bin").lines) == 2
    cli.sft("max", "rm", "-r", "notes", "--yes")
    assert cli.sft("max", "restore", "notes/deep er/b.txt").status == 0


def test_making_folders(cli: LiveCli):
    assert cli.sft("max", "mkdir", "made/below").lines == ["made made/below/"]
    assert cli.sft("max", "mkdir", "made/below").lines == ["made/below/ is there already"]
    assert cli.sft("gus", "ls", "made").lines == ["made/below/"]


def test_a_signature_comes_with_the_file_and_others_check_it(cli: LiveCli):
    content = os.urandom(70_000)
    cli.sft("max", "put", cli.file("signed.bin", content))
    assert cli.sft("gus", "ls", "-l", "signed.bin").out.startswith("signed\t")
    got = cli.sft("gus", "get", "signed.bin", "--to", "signed-out", "--with-signature", "--json")
    assert got.document["items"][0]["result"] == "verified"
    for reader in ("gus", "max"):  # who got it, and its author
        assert cli.sft(reader, "ls", "-l", "signed.bin").out.startswith("verified\t")
        info = cli.sft(reader, "info", "signed.bin")
        assert "✓ These bytes are max's: content, name and version are as max signed them." in info.lines
    file = cli.folder / "signed-out/signed.bin"
    offline = cli.sft("gus", "verify", str(file))
    assert offline.status == 0
    assert "  The key is the one that this computer pinned for max." in offline.lines
    exported = cli.sft("max", "key", "export")
    public = cli.file("max.pub", exported.out.encode())
    assert exported.err.strip() in cli.sft("max", "whoami").out
    stranger = cli.sft("nobody", "verify", str(file), "--key", public)
    assert stranger.status == 0
    assert "  not checked (offline): Whose key that is." in stranger.lines
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert cli.sft("gus", "verify", str(file)).status == 7


def test_several_names_of_which_one_is_missing(cli: LiveCli):
    cli.sft("max", "put", cli.file("here.txt", b"x"))
    got = cli.sft("gus", "get", "here.txt", "missing.txt", "--to", "some", "--json")
    assert got.status == 1
    document = got.document
    assert (document["done"], document["failed"], document["exit"]) == (1, 1, 1)
    assert cli.sft("gus", "get", "missing.txt").status == 3


def test_what_moves_is_told_as_asked(cli: LiveCli):
    path = cli.file("events.bin", os.urandom(2_000_000))
    put = cli.sft("max", "put", path, "--progress", "json")
    assert '"stage": "stored"' in put.err or '"stage": "storing"' in put.err
    assert "━" not in put.err
    silent = cli.sft("max", "put", path, "--quiet")
    assert (silent.status, silent.out, silent.err) == (0, "", "")


def test_getting_again_transfers_nothing_and_finishes_what_was_cut(cli: LiveCli):
    for name in ("a", "b", "c"):
        cli.sft("max", "put", cli.file(name, name.encode() * 70_000), "--as", f"again/{name}")
    assert cli.sft("gus", "get", "again", "--to", "got").status == 0
    (cli.folder / "got/again/b").unlink()
    once_more = cli.sft("gus", "get", "again", "--to", "got", "--json")
    assert once_more.status == 0
    results = {item["path"]: item["result"] for item in once_more.document["items"]}
    assert results == {"again/a": "unchanged", "again/b": "verified", "again/c": "unchanged"}
    assert once_more.document["bytes"] == 70_000
    told = cli.sft("gus", "get", "again", "--to", "got")
    assert (told.status, told.lines) == (0, ["nothing to do: all 3 files are here already."])
    again = cli.sft("max", "put", "got/again")
    assert (again.status, again.lines) == (0, ["nothing to do: all 3 files are there already."])
    (cli.folder / "got/again/b").write_bytes(b"x" * 70_000)
    other = cli.sft("gus", "get", "again", "--to", "got")
    assert (other.status, "FILE_EXISTS" in other.err) == (1, True)


def test_an_older_version_is_listed_and_got(cli: LiveCli):
    for content in (b"first", b"second", b"third"):
        cli.sft("max", "put", cli.file("dump", content), "--as", "old/dump", "--replace")
    info = cli.sft("gus", "info", "old/dump")
    before = info.lines.index("BEFORE (sft get NAME --version N, sft restore NAME --version N)")
    assert [line.split()[0] for line in info.lines[before + 1 :]] == ["v2", "v1"]
    listed = cli.sft("gus", "info", "old/dump", "--json").document["versions"]
    assert [version["version"] for version in listed] == [2, 1]
    got = cli.sft("gus", "get", "old/dump", "--version", "1", "--as", "first.txt")
    assert got.status == 0, got.err
    assert (cli.folder / "first.txt").read_bytes() == b"first"
    assert cli.sft("gus", "get", "old/dump", "--version", "9").status == 3
    assert cli.sft("gus", "get", "old", "--version", "1").status == 2


def test_a_file_is_got_under_another_name_or_to_standard_output(cli: LiveCli):
    content = os.urandom(100_000)
    cli.sft("max", "put", cli.file("report.pdf", content))
    assert cli.sft("gus", "get", "report.pdf", "--as", "there/mine.pdf").status == 0
    assert (cli.folder / "there/mine.pdf").read_bytes() == content
    piped = cli.sft("gus", "get", "report.pdf", "--as", "-")
    assert (piped.status, piped.out.encode("utf-8", "surrogateescape")) == (0, content)
    missing = cli.sft("gus", "get", "nothing.pdf", "--as", "-")
    assert (missing.status, missing.out) == (3, "")


def test_places_that_are_none_are_refused_with_what_was_meant(cli: LiveCli):
    cli.sft("max", "put", cli.file("report.pdf", b"x"))
    for arguments, says in (
        (("--to", "-"), "--as -"),
        (("--to", "foo.pdf"), "--as foo.pdf"),
        (("--as", "x", "--to", "y"), "--to DIR"),
        (("--as", "x/"), "--to DIR"),
        (("--as", "-", "--json"), "Use one of them"),
    ):
        refused = cli.sft("gus", "get", "report.pdf", *arguments)
        assert (refused.status, says in refused.err + refused.out) == (2, True), arguments
    assert cli.sft("gus", "get", "*.pdf", "--as", "x").status == 2
    assert not (cli.folder / "-").exists()
    assert not (cli.folder / "foo.pdf").exists()
    assert cli.sft("gus", "get", "report.pdf", "--to", "foo.pdf/").status == 0
