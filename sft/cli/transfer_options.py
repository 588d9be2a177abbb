"""What the commands that move files have in common: --exclude, --dry-run, --jobs, --limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from sft.limits import KIB
from sft.model.sizes import parse_size

F = TypeVar("F", bound=Callable[..., Any])

JOBS_MOST: Final = 64  # as many requests as may be in flight

EXCLUDE_HELP: Final = (
    "Leave out what fits, also within folders; may be repeated. A name at any depth: '*.o', build/ (folders alone). With a / "
    "inside or before it, the path from the folder on: /build, 'docs/**/*.tmp'."
)
LIMIT_HELP: Final = "Move no more than that a second, both ways together: 2M, 500K, or a number of bytes; at least 16K."
RATE_LEAST: Final = 16 * KIB  # a chunk in four seconds: below that both ends take a line for broken
RATE_MOST: Final = 2**40


class RateType(click.ParamType[int]):
    """Bytes a second: ``2M``, ``500K``, ``1.5MiB/s``; the units are those of 1,024."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            rate = parse_size(str(value).strip().upper().removesuffix("/S"))
        except ValueError:
            self.fail(f"{value} is no rate: 2M, 500K, or a number of bytes", param, ctx)
        if not RATE_LEAST <= rate <= RATE_MOST:
            self.fail(f"{value} is not between 16K and 1024G", param, ctx)
        return rate


exclude_option: Final = click.option("--exclude", multiple=True, metavar="PATTERN", help=EXCLUDE_HELP)
dry_run_option: Final = click.option(
    "--dry-run", "-n", is_flag=True, help="Say what would be done, and do nothing; status 0."
)
jobs_option: Final = click.option(
    "--jobs", type=click.IntRange(1, JOBS_MOST), metavar="N", help="How many files at once, 1 to 64."
)
limit_option: Final = click.option("--limit", type=RateType(), metavar="RATE", help=LIMIT_HELP)


def choosing(function: F) -> F:
    """Give a command --exclude, --dry-run, --jobs and --limit."""
    for option in (limit_option, jobs_option, dry_run_option, exclude_option):
        function = option(function)
    return function
