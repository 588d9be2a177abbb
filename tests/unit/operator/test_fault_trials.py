"""A few of the trials of ``make faults``: a home survives the faults of the calls that matter most."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.faults import SCENARIOS, Scenario, Trials, different


@pytest.fixture(
    params=[
        pytest.param(scenario, marks=() if scenario.name == "first start" else pytest.mark.long)
        for scenario in SCENARIOS
        if scenario.name in ("first start", "rotation", "together", "resumption")
    ],
    ids=lambda scenario: scenario.name,
)
def trials(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trials]:
    scenario: Scenario = request.param
    yield Trials(scenario, tmp_path)
    shutil.rmtree(tmp_path)


def test_a_home_survives_faults(trials: Trials) -> None:
    calls = trials.one()
    last_rename = max(number for number, name in enumerate(calls) if name.startswith("rename"))
    for number, fail in enumerate([(last_rename,), (last_rename + 1, last_rename + 2)]):
        trials.one(*fail, late=bool(number), cut=True)
    assert trials.count == 3


def test_a_loop_over_many_folders_is_tried_a_few_times() -> None:
    calls = ["write", *(["open", "listdir"] * 256), "fsync"]
    chosen = different(calls)
    assert len(chosen) < 20
    assert {0, len(calls) - 1} & set(chosen) == {0, len(calls) - 1} or chosen[-1] >= 10
