"""What ``sftd log`` does with pages, over a server of the test's."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace

from sft.cli.console import Console
from sft.client.api.log import LOG_ENTRIES
from sft.errors import LogProofError
from sft.operator.control import Command
from sft.operator.home import Home
from sft.operator.log_pages import export
from tests.unit.client.test_api_log import ServedLog, grown, run
from tests.unit.client.test_log_export import InlinePool


def test_a_log_that_ends_before_its_head_is_no_export(tmp_path):
    served = ServedLog(grown(LOG_ENTRIES + 50))
    served.pool = InlinePool()
    served.change = lambda page: page if len(page.leaves) == 1 else replace(page, leaves=(), proof=(), more=False)
    options = {"dir": str(tmp_path / "log"), "without_records": False}
    command = Command(Home(tmp_path / "home"), served, options, Console(io.StringIO(), io.StringIO(), {}), 0.0)
    with pytest.raises(LogProofError):
        run(export(command))
    assert not (tmp_path / "log" / "checkpoint").exists()
