"""Lines of a log as they are asked for and shown, over a server of the test's."""

from __future__ import annotations

import io
import json

import pytest
from msgspec.structs import replace

from sft.cli.console import Console
from sft.cli.log_output import show_log
from sft.client.api.log import LogQuery
from sft.errors import LogProofError
from tests.unit.client.test_api_log import ServedLog, run
from tests.unit.ledger.written_log import WrittenLog, grown


@pytest.fixture(scope="module")
def log() -> WrittenLog:
    return grown(250)


def shown(served: ServedLog, *, programs: bool, count: int = 50, after: int | None = None) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out, err, {})
    console.json = programs
    run(show_log(console, served, None, LogQuery(), count=count, after=after, follow=False, now=0.0))
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("count", "after", "expected"),
    [(3, None, range(247, 250)), (130, None, range(120, 250)), (400, None, range(250)), (50, 9, range(10, 250)),
     (50, 400, range(0))],
)  # fmt: skip
@pytest.mark.sampled(2)
def test_for_programs_it_is_one_list_however_many_pages_it_has(log: WrittenLog, count, after, expected):
    out, _ = shown(ServedLog(log), programs=True, count=count, after=after)
    assert [each["number"] for each in json.loads(out)] == list(expected)
    assert out.endswith("]\n")


def test_people_read_a_line_each_and_up_to_where_they_were_proved(log: WrittenLog):
    out, err = shown(ServedLog(log), programs=False, after=20)
    assert [int(line.split("\t")[0]) for line in out.splitlines()] == list(range(21, 250))
    assert err.startswith("log proved to 250.")


def test_what_came_before_a_page_that_does_not_hold_is_shown_and_was_proved(log: WrittenLog):
    served = ServedLog(log)
    served.change = lambda page: (
        replace(page, proof=()) if len(page.leaves) > 1 and page.leaves[0].number > 99 else page
    )
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(LogProofError):
        run(show_log(Console(out, err, {}), served, None, LogQuery(), count=50, after=0, follow=False, now=0.0))
    assert [int(line.split("\t")[0]) for line in out.getvalue().splitlines()] == list(range(1, 101))
    assert err.getvalue().startswith("log proved to 250.")
