"""The benchmark measures what it says, and its table is written by it alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.campaigns.bench.__main__ import PARTS, Bench, options_of
from tests.campaigns.bench.cost import Cost, percentile
from tests.campaigns.bench.peers import missing_programs
from tests.campaigns.bench.report import BEGIN, END, Report, keep
from tests.campaigns.bench.together import Facts
from tests.campaigns.bench.transfers import Costs

pytestmark = pytest.mark.every_run  # but for what is marked to take long: the arithmetic and the words

README = Path(__file__).parents[2] / "README.md"


def costs_of(**walls: float) -> Costs:
    costs = Costs()
    for who, wall in walls.items():
        for least in (0.9, 1.0, 1.3):
            costs.add("put large", who, Cost(wall * least, 1.25, 0.75))
    return costs


def test_each_wall_time_stands_beside_the_processors_of_both_ends() -> None:
    report = Report(costs_of(sft=2.0, sftp=1.0), Facts(), mib=100, counts=[])
    (row,) = report.rows
    assert row.cells == {"sft": "52.4 MB/s (1.25 + 0.75 s)", "sftp": "105 MB/s (1.25 + 0.75 s)"}


@pytest.mark.parametrize(
    ("theirs", "verdict"), [(1.98, "0.99 x sftp (≥ 1.00): MISSED"), (2.0, "1.00 x sftp (≥ 1.00): ok")]
)
def test_a_ratio_is_that_of_medians_and_is_held_against_its_target(theirs: float, verdict: str) -> None:
    report = Report(costs_of(sft=2.0, sftp=theirs), Facts(), mib=100, counts=[])
    assert [str(goal) for row in report.rows for goal in row.goals] == [verdict]


def test_what_a_command_takes_anyway_is_no_part_of_a_chunks_cost() -> None:
    costs = costs_of(sft=2.0)
    costs.add("put chunk", "sft", Cost(0.5, 0.3, 0.1))
    report = Report(costs, Facts(), mib=100, counts=[])
    assert str(report.rows[0].goals[0]) == "1,000 µs of both ends per 64 KiB (≤ 450): MISSED"


def test_what_could_not_be_measured_is_said() -> None:
    report = Report(costs_of(sft=1.0), Facts(missing=["8 cores: 2 are here"]), mib=1, counts=[])
    page = report.markdown("a machine")
    assert "Not measured: 8 cores: 2 are here." in page
    assert ", a machine. Medians of 3 rounds;" in page
    assert "not measured: 8 cores: 2 are here" in report.text()


def test_the_table_takes_the_place_of_the_one_before_and_of_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    keep(page, "| new |")
    assert page.read_text() == f"before\n{BEGIN}\n| new |\n{END}\nafter\n"
    page.write_text("no place\n")
    with pytest.raises(ValueError, match=r"README\.md has no place"):
        keep(page, "| new |")


def test_the_readme_has_the_place() -> None:
    assert re.search(rf"^{BEGIN}\n(?:.*\n)*?{END}$", README.read_text("utf-8"), re.MULTILINE)


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile(range(200), part) for part in (0.5, 0.99, 1.0)] == [100, 198, 199]


def test_a_part_that_breaks_is_said_and_takes_no_other_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Bench) -> None:
        raise ConnectionError("the server refuses")

    monkeypatch.setattr(Bench, "_crowd", broken)
    bench = Bench(tmp_path, options_of(["crowd", "--small"]))
    assert "not measured: crowd, whole: ConnectionError: the server refuses" in bench.run().text()


def measured(folder: Path, *parts: str) -> tuple[Bench, Report]:
    options = options_of([*parts, "--small", "--rounds", "1"])
    options.counts = options.counts[:1]  # the second is the same with more files
    bench = Bench(folder, options)
    report = bench.run()
    assert not any("whole:" in each for each in bench.facts.missing), bench.facts.missing
    return bench, report


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc")
@pytest.mark.parametrize("part", ["large", "disk", "cores"])
def test_every_part_times_us_and_our_peers(folder: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.campaigns.bench.__main__.CORES", (1, 1_000_000))  # on two it is the same once more
    bench, report = measured(folder, part)
    if part == "disk" and bench.facts.missing:
        bench, report = measured(folder, "small")  # the same, where it is done on a disk
    assert any("cores: " in said for said in bench.facts.missing) == (part == "cores")
    missing = set(missing_programs())
    here = {who for _, who in bench.costs.rounds}
    wanted = {"sft"} | ({"sftp"} if part != "cores" and not missing & {"sshd", "sftp"} else set())
    assert here >= wanted | ({"bare"} if part == "large" else set())
    assert all(cost.wall > 0 and cost.client > 0 for rounds in bench.costs.rounds.values() for cost in rounds)
    assert report.rows
    assert (f"put one file of {options_of(['--small']).mib} MiB" in report.text()) == (part == "large")


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc")
@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("listing", ["listing during put, p99 ms", "listing during get, p99 ms"]),
        (
            "crowd",
            [
                "first page, ms", "logins a second of server CPU", "list among 20 busy, p99 ms",
                "put among 20 busy, p99 ms", "KiB an idle session", "KiB a session that does not read",
            ],
        ),
    ],
)  # fmt: skip
def test_every_part_finds_what_it_says(
    folder: Path, part: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.campaigns.bench.crowd.SETTLING_SECONDS", 0.1)  # what it finds is said, not compared
    bench, report = measured(folder, part)
    assert {name for name in names if bench.facts.found[name] > 0} == set(names)
    assert len(report.rows) >= len(names)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc")
def test_the_memory_of_both_ends_is_held_against_idle(folder: Path) -> None:
    bench, _ = measured(folder, "memory")
    names = {f"memory {way} {end}, MiB over idle" for way in ("put", "get") for end in ("client", "server")}
    assert names <= set(bench.facts.found)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc")
def test_fairness_is_measured_or_said_to_be_missing(folder: Path) -> None:
    bench, _ = measured(folder, "fairness")
    said = " ".join(bench.facts.missing)
    assert all(f"fairness {way}" in bench.facts.found or f"fairness of {way}" in said for way in ("put", "get"))


def test_each_part_has_its_test() -> None:
    assert set(PARTS) == {"large", "small", "disk", "cores", "listing", "crowd", "memory", "fairness"}
