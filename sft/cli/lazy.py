"""A group of commands whose modules are loaded when they are called, and no earlier."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Final

import click

from sft.cli.meant import COMMANDS, unknown_command

_SENTENCE: Final = 400  # characters, which none has


class WholeSentences(click.Group):
    """A group whose help says of each command a whole sentence; click cuts it where the line ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [(name, self.commands[name]) for name in self.list_commands(ctx) if not self.commands[name].hidden]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(limit=_SENTENCE)) for name, each in shown])


class LazyGroup(click.Group):
    """A group over a table of command names and what each does in one line.

    Args:
        package: where a command is the attribute ``command`` of the module of its name.
        shared: modules of several commands, each of which is an attribute such as ``role_command``.

    What needs no module of its own is added as to any group. ``other_words``: what to type for another program's word.
    """

    other_words: ClassVar[Mapping[str, str]] = COMMANDS

    def __init__(
        self, *args: Any, package: str, table: Mapping[str, str], shared: Mapping[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._table = table
        self._shared = shared

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in self.commands or cmd_name not in self._table:
            return self.commands.get(cmd_name)
        module = import_module(f"{self._package}.{self._shared.get(cmd_name, cmd_name)}")
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command" if cmd_name in self._shared else "command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in self._table or name in self.commands or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise unknown_command(name, [*self._table], ctx, self.other_words)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._table.items()))
