"""Whom the health page answers, by what a request's Host says."""

from __future__ import annotations

import pytest

from sft.server.health_page import _is_local


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([], True),
        ([b"localhost:7363"], True),
        ([b"LocalHost"], True),
        ([b"[::1]:7363"], True),
        ([b"127.0.0.1"], True),
        ([b"evil.example"], False),
        ([b"\xff\xfe"], False),
        ([b"evil.example", b"localhost"], False),
        ([b"localhost", b"evil.example"], False),
        ([b"localhost", b"localhost"], False),
    ],
)
def test_one_host_names_this_computer_or_none_does(hosts: list[bytes], expected: bool) -> None:
    assert _is_local(hosts) is expected
