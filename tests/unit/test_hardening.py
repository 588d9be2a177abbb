"""A process whose memory is private is so whatever of Python is missing."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from sft.hardening import keep_memory_private

_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone says so")
@pytest.mark.parametrize("missing", [False, True])
def test_nobody_of_the_same_user_attaches_though_limits_cannot_be_set(missing: bool) -> None:
    child = os.fork()
    if not child:
        found = 9
        try:
            library = ctypes.CDLL(None)
            library.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
            if missing:
                sys.modules["resource"] = None  # type: ignore[assignment]
            keep_memory_private()
            found = library.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)
        finally:
            os._exit(found)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
