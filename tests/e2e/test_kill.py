"""Client and server killed in the middle of transfers, a few times; ``make torture`` and ``make resume`` do it often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.resume import resume
from tests.campaigns.torture import torture


@pytest.mark.long
def test_nothing_acknowledged_is_lost_and_nothing_partial_is_listed(folder: Path) -> None:
    tally = torture(folder, kills=3, seed=7)
    assert tally.kills == 3
    # The kills landed among uploads: some were acknowledged before, some were cut.
    assert tally.acknowledged
    assert tally.cut


@pytest.mark.long
def test_what_was_cut_off_is_whole_in_the_end_and_little_moves_twice(folder: Path) -> None:
    tally = resume(folder, kills=6, seed=3)
    assert tally.all_kills >= 6
    assert all(tally.kills.values())
