import msgspec
import pytest

from sft.errors import RowForgedError
from sft.limits import FRAME_BYTES
from sft.service.maintenance.report import Report, sound_rows


@pytest.mark.parametrize("bad", [set(), {3}, {0}, {9}, {2, 3, 7}, set(range(10))])
def test_the_rows_that_hold_are_found_among_those_that_do_not(bad: set[int]) -> None:
    asked = []

    def load(keys: list[int]) -> list[str]:
        asked.append(keys)
        for key in keys:
            if key in bad:
                raise RowForgedError("files", str(key))
        return [f"row {key}" for key in keys]

    rows, faults = sound_rows(load, list(range(10)))
    assert rows == [f"row {key}" for key in range(10) if key not in bad]
    assert [fault.row for fault in faults] == [str(key) for key in sorted(bad)]
    assert bad or asked == [list(range(10))]


def test_nothing_is_asked_for_no_rows() -> None:
    assert sound_rows(lambda _: [1], []) == ([], [])


def test_a_report_of_very_many_faults_keeps_few_and_counts_all() -> None:
    report = Report()
    for number in range(10_100):
        report.fault(f"row {number}", "was changed")
    assert report.faults == 10_100
    assert len(report._reported) == 10_000


def test_a_report_tells_each_fault_once_and_counts_the_rest() -> None:
    report = Report()
    for number in range(203):
        report.fault(f"file {number}", "is damaged")
        report.fault(f"file {number}", "is damaged")
    for number in range(70):
        report.note(f"{number}")
    finished = report.finish()
    assert (len(finished.faults), finished.more_faults, report.faults) == (200, 3, 203)
    assert len(finished.notes) == 4


def test_a_report_fits_into_a_frame() -> None:
    report = Report()
    for number in range(200):
        report.fault(f"{number}{'x' * 1000}", "is damaged")
        report.note("n" * 2000)
    finished = report.finish()
    assert 50 < len(finished.faults) < 70
    assert len(finished.faults) + finished.more_faults == 200
    assert len(msgspec.msgpack.encode(finished)) < FRAME_BYTES


def test_long_names_are_cut_to_what_a_record_holds() -> None:
    report = Report()
    report.fault("x" * 3000, "y" * 3000)
    (fault,) = report.finish().faults
    assert (len(fault.what), len(fault.problem)) == (1024, 1024)
