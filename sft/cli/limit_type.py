"""Limits as they are typed: ``50G`` or ``100000``, ``none``, or ``default`` for what everybody has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from sft.model.quotas import LIMIT_MOST, LIMIT_WORDS
from sft.model.sizes import WHAT, parse_size


class LimitType(click.ParamType[str]):
    """A limit of a quota, as ``sft.model.quotas.parse_limit`` reads it.

    Args:
        what: a number is of.
        parse: reads it; ValueError where it is none.
    """

    name = "limit"

    def __init__(self, what: str, parse: Callable[[str], int] = int) -> None:
        self._what = what
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip().lower()
        if text in LIMIT_WORDS:
            return text
        try:
            number = self._parse(text.replace(",", ""))
        except ValueError:
            number = -1
        if not 0 <= number <= LIMIT_MOST:
            self.fail(f"{value} is no limit: {self._what}, none, or default", param, ctx)
        return str(number)


BYTES: Final = LimitType(WHAT, parse_size)
FILES: Final = LimitType("a number of files")
BYTES_ABOUT: Final = "How much, all versions and the trash with it: 50G, none, or default."
FILES_ABOUT: Final = "How many files, those in the trash with them: 100000, none, or default."
