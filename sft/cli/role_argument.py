"""The role that a command gives to somebody, as ``sft role`` and ``sftd user role`` read it behind the name."""

from __future__ import annotations

from typing import Any

import click

from sft.cli.meant import MeantError
from sft.model.access import Role
from sft.model.text import shell_name


class RoleType(click.Choice[str]):
    """A role, after the name of whose it shall be."""

    def __init__(self) -> None:
        super().__init__([role.value for role in Role])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = "" if ctx is None else ctx.params.get("name", "")
        if ctx is not None and value not in self.choices and name in self.choices:
            raise MeantError("The name comes first", f"{ctx.command_path} {shell_name(value)} {name}", ctx)
        return super().convert(value, param, ctx)


def require_role(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse a name without a role, and say with which."""
    if value is None and not context.resilient_parsing:
        name = shell_name(context.params.get("name", "NAME"))
        raise MeantError(
            "A role is missing", f"Give one: {context.command_path} {name} admin, maintainer or guest", context
        )
    return value
