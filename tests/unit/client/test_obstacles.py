"""What stands in the way at a target."""

from __future__ import annotations

import pytest

from sft.client.transfers.obstacles import Obstacle, TakenNames, fold_path


@pytest.fixture
def places() -> TakenNames:
    return TakenNames(["a", "d/x", "d/\u00c9"], ["d", "d/e"], fold_path)


@pytest.mark.parametrize(
    ("path", "is_folder", "obstacle"),
    [
        ("new", False, None),
        ("d/new", False, None),
        ("d/e/new", False, None),
        ("n/m/new", False, None),
        ("d/e", True, None),
        ("a", False, None),
        ("d", False, Obstacle("d", True, "d")),
        ("a", True, Obstacle("a", False, "a")),
        ("a/b/c", False, Obstacle("a", False, "a")),
        ("D/b", False, Obstacle("d", True, "D")),
        ("A", False, Obstacle("a", False, "A")),
        ("d/e\u0301", False, Obstacle("d/\u00c9", False, "d/e\u0301")),
    ],
)
def test_what_stands_in_the_way(places: TakenNames, path: str, is_folder: bool, obstacle: Obstacle | None):
    assert places.take(path, is_folder=is_folder) == obstacle


def test_what_has_its_place_stands_in_the_way_of_others(places: TakenNames):
    assert places.take("n/m") is None
    assert places.take("N/k") == Obstacle("n", True, "N")
    assert places.take("n/m/k") == Obstacle("n/m", False, "n/m")
    assert places.take("n/M") == Obstacle("n/m", False, "n/M")
    assert places.take("n/k") is None


def test_what_is_refused_takes_no_place(places: TakenNames):
    assert places.take("a/b") is not None
    assert places.take("A/b") is not None


def test_names_that_are_told_apart_by_case_are_others_here():
    assert TakenNames(["a"], ["d"], str).take("D/A") is None
