"""The guards that ``make mutants`` breaks stand where it looks for them, and so do the tests that must notice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.campaigns.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.guards)
def test_a_guard_stands_once_and_can_be_broken(mutation: Mutation) -> None:
    whole = (ROOT / mutation.file).read_text("utf-8")
    assert whole.count(mutation.old) == 1
    broken = whole.replace(mutation.old, mutation.new)
    assert broken != whole
    compile(broken, mutation.file, "exec")
    for test in mutation.tests.split():
        assert (ROOT / test).exists(), test


def test_there_are_enough_and_none_twice() -> None:
    assert len(MUTATIONS) >= 60
    assert max(Counter((each.file, each.old) for each in MUTATIONS).values()) == 1
