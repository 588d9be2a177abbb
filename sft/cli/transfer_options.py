"""What the commands that move files have in common: --exclude, --dry-run, --jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

JOBS_MOST: Final = 64  # as many requests as may be in flight

EXCLUDE_HELP: Final = (
    "Leave out what fits, also within folders; may be repeated. A name at any depth: '*.o', build/ (folders alone). With a / "
    "inside or before it, the path from the folder on: /build, 'docs/**/*.tmp'."
)


def choosing(function: F) -> F:
    """Give a command --exclude, --dry-run and --jobs."""
    for option in (
        click.option("--jobs", type=click.IntRange(1, JOBS_MOST), metavar="N", help="How many files at once, 1 to 64."),
        click.option("--dry-run", "-n", is_flag=True, help="Say what would be done, and do nothing; status 0."),
        click.option("--exclude", multiple=True, metavar="PATTERN", help=EXCLUDE_HELP),
    ):
        function = option(function)
    return function
