"""The server killed in the middle of uploads, a few times; ``make torture`` does it two hundred times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.torture import torture


@pytest.mark.long
def test_nothing_acknowledged_is_lost_and_nothing_partial_is_listed(folder: Path) -> None:
    tally = torture(folder, kills=3, seed=7)
    assert tally.kills == 3
    # The kills landed among uploads: some were acknowledged before, some were cut.
    assert tally.acknowledged
    assert tally.cut
