"""What an operator's command shows while the server works."""

from __future__ import annotations

import io

import pytest

from sft.cli.console import Console
from sft.operator.control import _show_work
from sft.wire.messages import Notice


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal(), "working: 1,203 versions, 1.5 GiB"), (io.StringIO(), "")])
def test_how_far_a_long_work_is_stands_on_a_terminal_and_nowhere_else(stream, shown):
    console = Console(io.StringIO(), stream, {})
    _show_work(console, Notice("working", {"versions": 1203, "bytes": 3 << 29}))
    assert console.open_line == shown
    _show_work(console, Notice("joined", {"name": "gus"}))
    assert console.open_line == shown
