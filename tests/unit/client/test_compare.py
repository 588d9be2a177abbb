"""What differs between two folders, and what one has too much."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.client.transfers.compare import compare, surplus
from sft.client.transfers.exclude import NOTHING_EXCLUDED, Excludes
from sft.client.transfers.local_file import LocalFile
from sft.model.records import File, FileVersion

NS = 10**9


def local(path: str, size: int = 1, date: int = 1000, nanoseconds: int = 0) -> LocalFile:
    return LocalFile(f"/top/{path}", path, size, date * NS + nanoseconds, date * NS, (1, 1))


def remote(path: str, size: int = 1, date: int = 1000, digest: bytes = bytes(64)) -> File:
    version = FileVersion(1, 7, "ada", bytes(42), size, digest, date, date, path, 1)
    return File(bytes(16), f"base/{path}", 7, "ada", version)


@dataclass
class Known:
    digests: dict[str, bytes] = field(default_factory=dict)

    def is_known_as(self, file: LocalFile, digest: bytes) -> bool | None:
        return None if file.path not in self.digests else self.digests[file.path] == digest


def paths(found) -> list[list[str]]:
    pairs = [[pair.local.path for pair in each] for each in (found.differing, found.doubtful)]
    return [[f.path for f in found.only_local], [f.path for f in found.only_remote], *pairs]


def test_size_decides_then_the_date_and_what_is_left_is_read():
    here = [local("a"), local("b", size=2), local("c", date=1001), local("d"), local("e", nanoseconds=5)]
    there = {path: remote(path) for path in ("a", "b", "c", "e", "f")}
    found = compare(here, there, Known())
    assert paths(found) == [["d"], ["base/f"], ["b"], ["c"]]
    assert found.same == 2


def test_a_digest_that_is_known_decides_before_the_date():
    known = Known({"same": bytes(64), "other": b"\1" * 64})
    there = {path: remote(path) for path in ("same", "other")}
    found = compare([local("same", date=1), local("other")], there, known)
    assert (found.same, paths(found)) == (1, [[], [], ["other"], []])


def test_all_of_one_size_are_read_where_that_is_wanted():
    found = compare(
        [local("a"), local("b", size=2)], {"a": remote("a"), "b": remote("b")}, Known({"a": bytes(64)}), read_all=True
    )
    assert (found.same, paths(found)) == (0, [[], [], ["b"], ["a"]])


def test_which_side_is_newer_goes_by_whole_seconds():
    (pair,) = compare(
        [local("a", size=2, date=1000, nanoseconds=999)], {"a": remote("a", date=1000)}, Known()
    ).differing
    assert not pair.local_is_newer
    assert not pair.remote_is_newer


def test_folders_go_when_nothing_is_kept_in_them_the_deepest_first():
    found = surplus(
        files=["a", "x/b", "x/y/c", "z/d"], folders=["x", "x/y", "z", "void"],
        source_files={"z/d"}, source_folders=set(), excludes=NOTHING_EXCLUDED,
    )  # fmt: skip
    assert found.files == ["a", "x/b", "x/y/c"]
    assert found.folders == ["x/y", "void", "x"]


def test_what_is_excluded_or_kept_is_nobodys_surplus_nor_are_the_folders_above():
    found = surplus(
        files=["x/a.tmp", "y/link/b", "w/c"], folders=["x", "y", "y/link", "w", "build"],
        source_files=(), source_folders=(), excludes=Excludes(["*.tmp", "build/"]), kept=["y/link"],
    )  # fmt: skip
    assert (found.files, found.folders) == (["w/c"], ["w"])


NAMES = st.sampled_from(["a", "b", "c.tmp"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def with_parents(files: set[str]) -> set[str]:
    return {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}


@given(st.sets(PATHS, max_size=8), st.sets(PATHS, max_size=8), st.sets(PATHS, max_size=2), st.booleans())
def test_what_is_left_after_deleting_is_the_sources_or_was_to_be_kept(target, source, kept, excluding):
    # As on a disk: no file is also a folder.
    target = {path for path in target if path not in with_parents(target)}
    source = {path for path in source if path not in with_parents(source)}
    excludes = Excludes(["*.tmp"] if excluding else [])
    folders = with_parents(target)
    found = surplus(
        files=target,
        folders=folders,
        source_files=source,
        source_folders=with_parents(source),
        excludes=excludes,
        kept=kept,
    )
    left = target - set(found.files)
    assert not set(found.files) & source
    assert not any(excludes.cover(path) for path in found.files)
    for path in left:
        above = {path, *with_parents({path})}
        assert path in source or excludes.cover(path) or above & kept
    assert not set(found.folders) & (with_parents(left) | with_parents(source))
    assert [f for f in found.folders if f in with_parents(set(found.folders[: found.folders.index(f)]))] == [
        f for f in found.folders if any(g.startswith(f"{f}/") for g in found.folders)
    ]


@given(
    st.dictionaries(PATHS, st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8),
    st.dictionaries(PATHS, st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=8),
)
@pytest.mark.long
def test_every_path_comes_to_one_end(here, there):
    found = compare(
        [local(path, *about) for path, about in here.items()],
        {path: remote(path, *about) for path, about in there.items()},
        Known(),
    )
    only_local, only_remote, differing, doubtful = paths(found)
    assert set(only_local) == here.keys() - there.keys()
    assert {path.removeprefix("base/") for path in only_remote} == there.keys() - here.keys()
    assert len(differing) + len(doubtful) + found.same == len(here.keys() & there.keys())
    assert {path for path in here.keys() & there.keys() if here[path][0] != there[path][0]} == set(differing)
