"""The guards that ``make mutants`` breaks stand where it looks for them, and so do the tests that must notice."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from tests.campaigns.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]


BY_FILE: dict[str, list[Mutation]] = defaultdict(list)
for _mutation in MUTATIONS:
    BY_FILE[_mutation.file].append(_mutation)


def _parts(text: str) -> list[str]:
    """Give the statements of a module: to compile the one with the guard in it takes a tenth of what the module takes."""
    lines = [f"{line}\n" for line in text.split("\n")]
    starts = [
        min([part.lineno, *(each.lineno for each in getattr(part, "decorator_list", ()))])
        for part in ast.parse(text).body
    ]
    return ["".join(lines[start - 1 : end - 1]) for start, end in pairwise([*starts, len(lines) + 1])]


@pytest.mark.parametrize("file", BY_FILE)
def test_each_guard_stands_once_and_can_be_broken(file: str) -> None:
    whole = (ROOT / file).read_text("utf-8")
    parts = _parts(whole)
    for mutation in BY_FILE[file]:
        assert whole.count(mutation.old) == 1, mutation.guards
        broken = whole.replace(mutation.old, mutation.new)
        assert broken != whole, mutation.guards
        within = next((part for part in parts if mutation.old in part), whole)
        compile(within.replace(mutation.old, mutation.new), file, "exec")
        for test in mutation.tests.split():
            assert (ROOT / test).exists(), test


def test_there_are_enough_and_none_twice() -> None:
    assert len(MUTATIONS) >= 60
    assert max(Counter((each.file, each.old) for each in MUTATIONS).values()) == 1
