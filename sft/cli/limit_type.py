"""Limits as they are typed: ``50G`` or ``100000``, ``none``, or ``default`` for what everybody has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from sft.limits import FILE_BYTES
from sft.model.quotas import limit_text, typed_limit
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
        try:
            return limit_text(typed_limit(str(value), self._parse))
        except ValueError:
            self.fail(f"{value} is no limit: {self._what}, none, or default", param, ctx)


class SizeType(click.ParamType[int]):
    """How large a file is, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = parse_size(str(value))
        except ValueError:
            size = -1
        if not 0 <= size <= FILE_BYTES:
            self.fail(f"{value} is no size of a file: {WHAT}", param, ctx)
        return size


SIZE: Final = SizeType()
SIZE_ABOUT: Final = "How large what is to be stored would be, such as 3G."
BYTES: Final = LimitType(WHAT, parse_size)
FILES: Final = LimitType("a number of files")
BYTES_ABOUT: Final = "How much, all versions and the trash with it: 50G, none, or default."
FILES_ABOUT: Final = "How many files, those in the trash with them: 100000, none, or default."
