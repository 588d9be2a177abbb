"""Which paths a pattern fits, and that they are those of gitignore and fnmatch."""

from __future__ import annotations

import fnmatch
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.client.transfers.exclude import Excludes
from sft.errors import UsageError

FITS = [
    ("*.o", "a.o", False),
    ("*.o", "deep/down/a.o", False),
    ("build", "src/build", True),
    ("build/", "src/build", True),
    ("/build", "build", True),
    ("src/*.o", "src/a.o", False),
    ("./src/a", "src/a", False),
    ("src/**/a", "src/a", False),
    ("src/**/a", "src/x/y/a", False),
    ("**/a", "a", False),
    ("**/a", "x/y/a", False),
    ("src/**", "src/x/y", False),
    ("**", "x/y", False),
    ("[ab]?.txt", "x/b1.txt", False),
    ("[[]1].txt", "[1].txt", False),
    ("?x", "!x", False),
    ("u\u0308.txt", "\u00fc.txt", False),
    ("\u00fc.txt", "u\u0308.txt", False),
]

FITS_NOT = [
    ("*.o", "a.o.txt", False),
    ("build/", "build", False),
    ("/build", "src/build", True),
    ("src/*.o", "x/src/a.o", False),
    ("src/*.o", "src/x/a.o", False),
    ("src/**", "src", True),
    ("*.O", "a.o", False),
    ("a", "a/b", False),
]


@pytest.mark.parametrize(("pattern", "path", "folder"), FITS)
def test_a_pattern_fits(pattern, path, folder):
    assert Excludes([pattern]).fits(path, folder=folder)


@pytest.mark.parametrize(("pattern", "path", "folder"), FITS_NOT)
def test_a_pattern_fits_not(pattern, path, folder):
    assert not Excludes([pattern]).fits(path, folder=folder)


def test_what_lies_in_a_folder_that_fits_stays_with_it():
    excludes = Excludes(["node_modules/", "/a/b"])
    assert excludes.cover("x/node_modules/y/z.js")
    assert excludes.cover("a/b/c/d")
    assert not excludes.cover("x/node_modules")  # a file of that name
    assert not excludes.cover("x/a/b/c")
    assert not excludes.cover("top")


def test_what_was_named_itself_goes_by_its_name_alone():
    excludes = Excludes(["*.o", "/x", "deps/"])
    assert excludes.fits_name("a.o", folder=False)
    assert excludes.fits_name("deps", folder=True)
    assert not excludes.fits_name("deps", folder=False)
    assert not excludes.fits_name("x", folder=False)


@pytest.mark.parametrize("pattern", ["", "/", ".", "a/../b", "!a"])
def test_a_pattern_that_means_something_else_is_refused(pattern):
    with pytest.raises(UsageError):
        Excludes([pattern])


def test_without_patterns_nothing_stays_behind():
    assert not Excludes()
    assert not Excludes().cover("a/b")


NAMES = st.text(st.sampled_from("ab.*?[]!-ü"), min_size=1, max_size=6).filter(
    lambda name: name not in {".", "..", "**"} and not name.startswith("!")
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


@given(NAMES, PATHS)
def test_a_pattern_without_a_slash_is_fnmatch_of_the_last_name(pattern, path):
    expected = fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)
    assert Excludes([pattern]).fits(path, folder=False) == expected


@given(NAMES, PATHS)
def test_a_pattern_after_two_stars_is_the_pattern_alone(pattern, path):
    assert Excludes([f"**/{pattern}"]).fits(path, folder=False) == Excludes([pattern]).fits(path, folder=False)


@given(st.lists(NAMES, max_size=4), PATHS)
def test_a_path_is_covered_where_it_or_a_folder_above_fits(patterns, path):
    excludes = Excludes(patterns)
    names = path.split("/")
    above = ["/".join(names[:depth]) for depth in range(1, len(names))]
    expected = excludes.fits(path, folder=False) or any(excludes.fits(one, folder=True) for one in above)
    assert excludes.cover(path) == expected


@given(PATHS, st.lists(NAMES, max_size=3))
def test_an_anchored_pattern_of_letters_fits_itself_alone(path, more):
    literal = "/" + "".join(f"[{c}]" if c in "*?[" else c for c in path)
    assert Excludes([literal]).fits(path, folder=False)
    longer = "/".join([path, *more])
    assert Excludes([literal]).fits(longer, folder=False) == (not more)


@given(st.integers(1, 30), st.integers(1, 60))
def test_many_stars_end_soon(stars, length):
    excludes = Excludes(["*a" * stars + "b", "/" + "**/a/" * stars + "b"])
    assert not excludes.fits("/".join(["a" * length] * 20), folder=False)


@given(PATHS)
def test_how_characters_are_composed_makes_no_difference(path):
    excludes = Excludes(["*ü*"])
    assert excludes.cover(unicodedata.normalize("NFD", path)) == excludes.cover(unicodedata.normalize("NFC", path))
