"""``twistd`` that dies by its own hand (SIGKILL) after so many commits, or so many written objects, of small files.

    python tests/e2e/dying_server.py commit|write COUNT …

A group of the writer holds few acts here, so that one request of many files takes several commits.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.scripts.twistd import run

from sft.service.commits import commit
from sft.service.pending import Unwritten
from sft.store import writer

COMMITS_TOGETHER = 5


def dying(step: Callable[..., Any], count: int, counts: Callable[..., bool]) -> Callable[..., Any]:
    """Make a step whose process dies behind the so-many-th that counts."""
    left = [count]

    def taken(*args: Any) -> Any:
        outcome = step(*args)
        if counts(*args):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    return taken


def main() -> None:
    """Lay the trap, and be twistd."""
    _, where, count, *words = sys.argv
    sys.argv = ["twistd", *words]
    patched: Any = writer
    patched.GROUP_ACTS = COMMITS_TOGETHER
    if where == "commit":
        holds = lambda _, group: any(task.act is commit for task in group)
        patched.Writer._commit = dying(writer.Writer._commit, int(count), holds)
    else:
        Unwritten.write = dying(Unwritten.write, int(count), lambda _: True)  # type: ignore[method-assign]
    run()


if __name__ == "__main__":
    main()
