from __future__ import annotations

import os
import socket

import pytest

from sft.client.api.files import list_folder, show_file
from sft.client.api.trash import list_trash
from sft.client.api.tree import find, fixed_part, has_pattern, matches, walk
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.local_tree import Skipped
from sft.client.transfers.plan import plan_get, plan_put
from sft.client.transfers.sources import FileSource
from sft.crypto.comment import FileComment
from sft.errors import (
    LocalExistsError,
    LocalFileError,
    NameClashError,
    NameNotAllowedError,
    NotFoundError,
    RemoteProtocolError,
    SameTargetError,
    SourceChangedError,
    SourceNamelessError,
    TargetAmbiguousError,
)
from sft.model.records import Folder, Page, TrashPage
from sft.wire.messages import FileShown, FolderPage, TrashListed
from tests.unit.client.memory_server import SERVER

# -- put -----------------------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    top = tmp_path / "photos"
    (top / "2026" / "empty").mkdir(parents=True)
    (top / "a.jpg").write_bytes(b"a")
    (top / "2026" / "b.jpg").write_bytes(b"bb")
    return top


def planned(plan):
    return [(item.path, item.size) for item in plan.items]


def test_a_folder_goes_whole_under_its_own_name(photos):
    plan = plan_put([str(photos)], to="/finance/")
    assert planned(plan) == [("finance/photos/a.jpg", 1), ("finance/photos/2026/b.jpg", 2)]
    assert plan.folders == ["finance/photos/2026/empty"]
    assert (sum(item.size for item in plan.items), plan.refused) == (3, [])
    assert [item.source for item in plan.items] == [photos / "a.jpg", photos / "2026" / "b.jpg"]


def test_what_is_named_twice_goes_once_and_clashes_with_nothing(photos, monkeypatch):
    monkeypatch.chdir(photos)
    for sources in (["a.jpg", "a.jpg"], ["a.jpg", "./a.jpg"], ["a.jpg", "2026/../a.jpg", str(photos / "a.jpg")]):
        plan = plan_put(sources)
        assert (planned(plan), plan.refused) == ([("a.jpg", 1)], [])
    plan = plan_put(["2026", "2026/"])
    assert (planned(plan), plan.folders, plan.refused) == ([("2026/b.jpg", 2)], ["2026/empty"], [])


def test_of_two_sources_that_would_be_one_file_neither_is_sent(photos, monkeypatch):
    monkeypatch.chdir(photos)
    (photos / "2026" / "a.jpg").write_bytes(b"another")
    (photos / "other").mkdir()
    (photos / "other" / "a.jpg").write_bytes(b"a third")
    plan = plan_put(["a.jpg", "2026/a.jpg", "2026/b.jpg", "other/a.jpg"], to="same")
    assert planned(plan) == [("same/b.jpg", 2)]
    assert [each.name for each in plan.refused] == ["a.jpg", "2026/a.jpg", "other/a.jpg"]
    assert {type(each.error) for each in plan.refused} == {SameTargetError}
    assert plan.refused[0].error.values == {"path": "same/a.jpg", "first": "a.jpg", "second": "2026/a.jpg"}


def test_dots_are_called_as_the_folder_that_they_mean(photos, monkeypatch):
    monkeypatch.chdir(photos / "2026")
    assert planned(plan_put(["."])) == [("2026/b.jpg", 2)]
    assert planned(plan_put([".."]))[0] == ("photos/a.jpg", 1)
    assert planned(plan_put(["../2026/"])) == [("2026/b.jpg", 2)]


def test_links_in_a_folder_are_skipped_and_named_but_a_named_one_is_followed(photos):
    (photos / "link.jpg").symlink_to(photos / "a.jpg")
    (photos / "loop").symlink_to(photos)
    plan = plan_put([str(photos)])
    assert plan.skipped == [
        Skipped(str(photos / "link.jpg"), "link", "link.jpg"), Skipped(str(photos / "loop"), "link", "loop"),
    ]  # fmt: skip
    assert len(plan.items) == 2
    assert not any(item.follow for item in plan.items)
    named = plan_put([str(photos / "link.jpg")])
    assert planned(named) == [("link.jpg", 1)]
    assert named.items[0].follow


def test_what_is_neither_file_nor_folder_is_skipped_and_named(photos):
    os.mkfifo(photos / "fifo")
    with socket.socket(socket.AF_UNIX) as served:
        served.bind(str(photos / "2026" / "socket"))
        plan = plan_put([str(photos)])
    assert [(each.path, each.what) for each in plan.skipped] == [("fifo", "pipe"), ("2026/socket", "socket")]
    assert len(plan.items) == 2
    (refused,) = plan_put([str(photos / "fifo")]).refused
    assert isinstance(refused.error, LocalFileError)


def test_what_is_excluded_stays_behind_with_all_in_it(photos):
    (photos / "link").symlink_to("a.jpg")
    (photos / "b.jpg").write_bytes(b"b")
    plan = plan_put([str(photos), str(photos / "a.jpg")], excludes=Excludes(["2026/", "link", "/a.jpg"]))
    assert planned(plan) == [("photos/b.jpg", 1), ("a.jpg", 1)]
    assert (plan.excluded, plan.skipped, plan.folders) == (3, [], [])
    assert plan_put([str(photos / "a.jpg")], excludes=Excludes(["*.jpg"])).items == []


def test_a_secret_key_is_not_sent_either_when_it_is_named_itself(photos, tmp_path):
    own = tmp_path / "state"
    (own / "keys").mkdir(parents=True)
    (own / "keys" / "walnut.key").write_bytes(b"secret")
    (own / "evidence.txt").write_bytes(b"to be shown")
    (photos / "link").symlink_to(own / "keys" / "walnut.key")
    named = [str(own / "keys" / "walnut.key"), str(photos / "link"), str(own / "evidence.txt"), str(photos / "a.jpg")]
    plan = plan_put(named, own=own)
    assert [item.path for item in plan.items] == ["evidence.txt", "a.jpg"]
    assert ["is your secret key" in str(each.error.values["problem"]) for each in plan.refused] == [True, True]


def test_a_download_that_is_not_finished_is_never_sent(photos):
    (photos / ".sft-0123456789abcdef.part").write_bytes(b"half")
    (photos / "my.part").write_bytes(b"whole")
    assert planned(plan_put([str(photos)])) == [
        ("photos/a.jpg", 1), ("photos/my.part", 5), ("photos/2026/b.jpg", 2),
    ]  # fmt: skip


def test_names_that_cannot_be_stored_are_known_before_the_start(photos):
    (photos / "a:b.txt").write_bytes(b"x")
    os.close(os.open(os.fsencode(photos) + b"/\xff", os.O_CREAT))
    plan = plan_put([str(photos)])
    assert len(plan.items) == 2
    assert [type(refused.error) for refused in plan.refused] == [NameNotAllowedError] * 2
    safe = plan_put([str(photos)], safe_names=True)
    assert ("photos/a_b.txt", 1) in planned(safe)
    assert safe.refused == []


def test_two_names_that_differ_in_case_alone_clash_before_the_start(photos):
    (photos / "A.JPG").write_bytes(b"x")
    plan = plan_put([str(photos)])
    assert len(plan.items) == 2
    (refused,) = plan.refused
    assert isinstance(refused.error, NameClashError)


def test_a_source_that_is_missing_does_not_keep_the_others(photos):
    plan = plan_put([str(photos / "none"), str(photos / "a.jpg")])
    assert planned(plan) == [("a.jpg", 1)]
    (refused,) = plan.refused
    assert (refused.name, refused.error.code) == (str(photos / "none"), "LOCAL_FILE")


def test_as_names_one_target(photos):
    assert planned(plan_put([str(photos / "a.jpg")], as_path="x/y.jpg")) == [("x/y.jpg", 1)]
    assert planned(plan_put([str(photos)], as_path="x"))[0] == ("x/a.jpg", 1)
    for wrong in ({"to": "x"}, {"extra": True}):
        sources = [str(photos)] * (2 if wrong.pop("extra", False) else 1)
        with pytest.raises(TargetAmbiguousError):
            plan_put(sources, as_path="y", **wrong)


def test_standard_input_needs_a_name():
    with pytest.raises(SourceNamelessError):
        plan_put(["-"])
    (item,) = plan_put(["-"], as_path="x").items
    assert (item.source, item.path, item.size) == (None, "x", None)


def test_a_destination_that_is_no_name_is_refused(photos):
    for options in ({"to": "a//b"}, {"to": "con"}, {"as_path": "../x"}):
        with pytest.raises(NameNotAllowedError):
            plan_put([str(photos / "a.jpg")], **options)


def test_a_socket_is_not_sent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("s")
    assert len(plan_put(["s"]).refused) == 1


# -- patterns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("*.pdf", ["a.pdf", ".pdf"], ["a/b.pdf", "a.pdfx", "a.PDF"]),
        ("a?c", ["abc", "a.c"], ["ac", "a/c", "abbc"]),
        ("**", ["a", "a/b", "a/b/c"], [""]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab/c"]),
        ("**/x", ["x", "a/x", "a/b/x"], ["ax", "a/xx"]),
        ("a/**/x", ["a/x", "a/b/c/x"], ["ax", "b/x"]),
        ("a**b", ["ab", "axxb"], ["a/b"]),
        ("[ab]*", ["[ab]x"], ["ax"]),
        ("a+(b)*", ["a+(b)c"], ["aab"]),
        ("/docs/*", ["docs/a"], ["docs", "docs/a/b"]),
    ],
)
def test_patterns(pattern, fits, fits_not):
    assert has_pattern(pattern)
    assert [path for path in fits if not matches(pattern, path)] == []
    assert [path for path in fits_not if matches(pattern, path)] == []


def test_a_hostile_pattern_costs_no_time():
    assert not matches("*" * 200 + "a" + "*a" * 12 + "b", "a" * 60)


def test_the_fixed_part_of_a_pattern_is_a_folder():
    assert fixed_part("finance/2026/*.pdf") == "finance/2026"
    assert fixed_part("**") == ""
    with pytest.raises(NameNotAllowedError):
        fixed_part("../*")


# -- get -----------------------------------------------------------------------------------------------


def put(server, *paths):
    for number, path in enumerate(paths):
        comment = FileComment(
            server_id=SERVER.server_id,
            file_id=number.to_bytes(16, "big"),
            version=1,
            size=2,
            digest=bytes(64),
            mtime=0,
            name=path,
            user=7,
            prev=None,
            ts=0,
        )
        server.keep(path, b"xx", comment, b"")


@pytest.fixture
def tree(server):
    put(server, "docs/a.txt", "docs/b.pdf", "docs/sub/c.txt", "docs/sub/deep/d.txt", "top.txt")
    server.folders["docs/void"] = True
    return server


def test_every_page_of_a_folder_is_listed(tree):
    listing = tree.run(list_folder(tree.connection, "docs"))
    assert [folder.path for folder in listing.folders] == ["docs/sub", "docs/void"]
    assert [file.path for file in listing.files] == ["docs/a.txt", "docs/b.pdf"]


def test_a_walk_finds_everything_once_sorted(tree):
    found = tree.run(walk(tree.connection))
    assert [file.path for file in found.files] == sorted(tree.files)
    assert [f.path for f in found.folders] == ["docs", "docs/sub", "docs/sub/deep", "docs/void"]


def test_a_pattern_lists_no_deeper_than_it_can_match(tree):
    found = tree.run(find(tree.connection, "docs/*.txt"))
    assert [file.path for file in found.files] == ["docs/a.txt"]
    assert {m.path for m in tree.received} == {"docs"}
    found = tree.run(find(tree.connection, "docs/**/*.txt"))
    assert [f.path for f in found.files] == ["docs/a.txt", "docs/sub/c.txt", "docs/sub/deep/d.txt"]


def places(plan):
    return [(item.path, item.parts) for item in plan.items]


def test_files_folders_and_patterns_go_below_the_destination(tree):
    plan = tree.run(plan_get(tree.connection, ["/docs/a.txt", "docs/sub", "docs/*.pdf"]))
    assert places(plan) == [
        ("docs/a.txt", ("a.txt",)),
        ("docs/sub/c.txt", ("sub", "c.txt")),
        ("docs/sub/deep/d.txt", ("sub", "deep", "d.txt")),
        ("docs/b.pdf", ("b.pdf",)),
    ]
    assert (sum(item.size for item in plan.items), plan.refused) == (8, [])


def test_an_older_version_is_of_what_is_named_and_of_nothing_in_a_folder(tree):
    plan = tree.run(plan_get(tree.connection, ["docs/a.txt", "docs/sub"], version=1))
    digests = [tree.files[item.path][0].version.digest for item in plan.items]
    assert [item.version for item in plan.items] == [1, 1, 1]
    assert [item.newest for item in plan.items] == [False, True, True]
    assert [item.file_id for item in plan.items] == [tree.files[item.path][0].id for item in plan.items]
    assert [item.digest for item in plan.items] == digests
    refused = tree.run(plan_get(tree.connection, ["docs/b.pdf"], version=2)).refused
    assert [each.name for each in refused] == ["docs/b.pdf"]


def test_empty_folders_are_made_too(tree):
    assert tree.run(plan_get(tree.connection, ["docs"])).folders == [("docs", "void")]
    assert tree.run(plan_get(tree.connection, ["docs/void"])).folders == [("void",)]


def test_everything_is_the_root(tree):
    assert places(tree.run(plan_get(tree.connection, ["/"])))[-1] == ("top.txt", ("top.txt",))


def test_what_is_not_there_is_refused_and_the_rest_goes_on(tree):
    plan = tree.run(plan_get(tree.connection, ["nope", "no*pe", "a\x00b", "top.txt"]))
    assert places(plan) == [("top.txt", ("top.txt",))]
    assert [(r.name, type(r.error)) for r in plan.refused] == [
        ("nope", NotFoundError),
        ("no*pe", NotFoundError),
        ("a\x00b", NameNotAllowedError),
    ]


def test_two_files_never_have_one_target(tree):
    put(tree, "x/a.txt", "y/a.txt")
    plan = tree.run(plan_get(tree.connection, ["x/a.txt", "y/a.txt", "x/*.txt"]))
    assert places(plan) == [("x/a.txt", ("a.txt",))]
    (refused,) = plan.refused
    assert (refused.name, type(refused.error)) == ("y/a.txt", LocalExistsError)


def test_a_hostile_name_of_the_server_becomes_no_path_here(tree):
    put(tree, "evil/../../etc/passwd")
    tree.folders["evil"] = True
    plan = tree.run(plan_get(tree.connection, ["evil/**"]))
    assert plan.items == []
    assert all(isinstance(r.error, NameNotAllowedError | NotFoundError) for r in plan.refused)


def test_an_empty_name_is_not_this_folder(photos, monkeypatch):
    monkeypatch.chdir(photos)
    plan = plan_put([""])
    assert (plan.items, [type(r.error) for r in plan.refused]) == ([], [LocalFileError])


@pytest.mark.parametrize("stranger", [".bashrc", ".ssh/authorized_keys", "docs/sub/c.txt", "docs"])
def test_a_folder_lists_only_what_lies_in_it(tree, stranger):
    put(tree, stranger)
    file = tree.run(show_file(tree.connection, stranger))
    tree._list_folder = lambda m: tree.send(FolderPage(m.id, Page((), (file,))))
    with pytest.raises(RemoteProtocolError):
        tree.run(list_folder(tree.connection, "docs"))


def test_a_listing_that_begins_again_ends(tree):
    folder = Folder("docs/a", 1, 1, 0)
    for page in (Page((folder, folder), ()), Page((), (), "on"), Page((folder,), (), "on")):
        tree._list_folder = lambda m, page=page: tree.send(FolderPage(m.id, page))
        with pytest.raises(RemoteProtocolError):
            tree.run(list_folder(tree.connection, "docs"))
    tree._list_trash = lambda m: tree.send(TrashListed(m.id, TrashPage((), (), "on")))
    with pytest.raises(RemoteProtocolError):
        tree.run(list_trash(tree.connection))


def test_a_file_that_was_not_asked_for_is_not_shown_instead(tree):
    other = tree.run(show_file(tree.connection, "docs/a.txt"))
    tree._show_file = lambda m: tree.send(FileShown(m.id, other))
    with pytest.raises(RemoteProtocolError):
        tree.run(show_file(tree.connection, "top.txt"))
    with pytest.raises(RemoteProtocolError):
        tree.run(show_file(tree.connection, "docs/a.txt", other.version.number + 1))
    (refused,) = tree.run(plan_get(tree.connection, ["top.txt"])).refused
    assert isinstance(refused.error, RemoteProtocolError)


def test_a_file_and_its_signature_own_both_names(tree):
    put(tree, "docs/a.txt", "docs/a.txt.minisig", "docs/b.pdf")
    names = ["docs/a.txt", "docs/a.txt.minisig", "docs/b.pdf"]
    plan = tree.run(plan_get(tree.connection, names, with_signature=True))
    assert [item.path for item in plan.items] == ["docs/a.txt", "docs/b.pdf"]
    assert [(each.name, type(each.error)) for each in plan.refused] == [("docs/a.txt.minisig", LocalExistsError)]
    reverse = tree.run(plan_get(tree.connection, names[1::-1], with_signature=True))
    assert [each.name for each in reverse.refused] == ["docs/a.txt"]
    assert not tree.run(plan_get(tree.connection, names)).refused


def test_what_differs_in_case_alone_has_one_target(tree):
    put(tree, "docs/a.txt", "docs/A.TXT")
    plan = tree.run(plan_get(tree.connection, ["docs/A.TXT", "docs/a.txt"]))
    assert [item.path for item in plan.items] == ["docs/A.TXT"]
    assert [each.name for each in plan.refused] == ["docs/a.txt"]


def test_a_link_that_is_planted_after_the_walk_is_not_followed(photos, tmp_path):
    plan = plan_put([str(photos)])
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "b.jpg").write_bytes(b"!!")
    (photos / "2026").rename(tmp_path / "aside")
    (photos / "2026").symlink_to(tmp_path / "secret")
    (item,) = [item for item in plan.items if item.path.endswith("b.jpg")]
    with pytest.raises(SourceChangedError):
        FileSource(item.source, follow=item.follow, identity=item.identity)
    (photos / "2026").unlink()
    (tmp_path / "aside").rename(photos / "2026")
    FileSource(item.source, follow=item.follow, identity=item.identity).close()
