"""The operator's command line as click has it: one call, a command, commands under one word; and short ways of writing them.

Rules. A command's module is loaded when it runs, never before: twistd reads this one for every command. Which commands
there are stands in ``sft.operator.commands``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import click

from sft.cli.lazy import LazyGroup
from sft.cli.meant import name_before_user
from sft.operator.home import Home

RunCommand = Callable[[Home, Any, Any, str], int]
"""Runs a command's function over an operator's session; return the exit status. See ``sft.operator.control``."""


class Call:
    """One call of the program.

    Attributes:
        named: the home as ``--home`` names it; "" where nothing does.
        serves: what is to be served, with its options; None for a command that is over when it has been called.
    """

    def __init__(self, run_command: RunCommand | None = None) -> None:
        self.named = ""
        self.data = ""
        self.serves: tuple[str, dict[str, Any]] | None = None
        self._run_command = run_command

    @property
    def run_command(self) -> RunCommand:
        """What runs a command to its end: on a reactor of its own, unless another way was given."""
        if self._run_command is not None:
            return self._run_command
        from sft.operator.control import run_command

        return run_command

    @property
    def home(self) -> Home:
        """The home that was named, or the default one."""
        named = self.named or os.environ.get("SFT_SERVER_HOME")
        if named:
            path = Path(os.path.abspath(named))  # noqa: PTH100 - without ".." in what is said of it
        else:
            import platformdirs

            path = Path(platformdirs.user_data_dir("sft-server"))
        return Home(path, Path(self.data) if self.data else None, os.environ)


class Leaf(click.Command):
    """A command that does one thing.

    Args:
        runs: ``module:function`` below ``sft.operator``: ``async (command) -> status``.
        local: it looks into the home itself: ``(home, options) -> status``.
        before: what is done to the home first, ``(home, options)``, likewise named.
        served: what is run in its place, over a session, while a server serves the home.
    """

    def __init__(
        self,
        name: str,
        runs: str,
        about: str,
        parameters: Sequence[click.Parameter],
        *,
        local: bool = False,
        before: str = "",
        served: str = "",
    ) -> None:
        json = click.Option(["--json"], is_flag=True, help="Print the result as JSON.")
        super().__init__(name, params=[*parameters, json], callback=click.pass_obj(self._run), help=about)
        self.runs = runs
        self._local = local
        self._before = before
        self._served = served

    def _run(self, call: Call, /, **options: Any) -> int:
        if self._before:
            _named(self._before)(call.home, options)
        if self._served and call.home.is_served():
            return call.run_command(call.home, _named(self._served), options, call.named)
        work = _named(self.runs)
        if self._local:
            return int(work(call.home, options))
        return call.run_command(call.home, work, options, call.named)


def _named(text: str) -> Any:
    module, _, function = text.partition(":")
    return getattr(import_module(f"sft.operator.{module}"), function)


class OperatorGroup(LazyGroup):
    """Commands under one word.

    Attributes:
        other_words: what is offered for a word that is none of theirs.
        first: the command that is meant where no word of theirs is given.
    """

    other_words: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            **dict.fromkeys(("start", "run"), "sftd serve"),
            **dict.fromkeys(("users", "people"), "sftd user list"),
            **dict.fromkeys(("sessions", "who"), "sftd session list"),
            **dict.fromkeys(("uptime", "health", "info"), "sftd status"),
            **dict.fromkeys(("files", "ls"), "sftd file list"),
            **dict.fromkeys(("check", "fsck"), "sftd vault check"),
            "invitations": "sftd invite list",
            "logs": "sftd log show",
            "migrate": "sftd upgrade",
        }
    )

    def __init__(self, name: str, about: str, commands: Sequence[click.Command], **settings: Any) -> None:
        table = {str(each.name): each.get_short_help_str(limit=400) for each in commands}
        settings |= {"package": "", "table": table, "shared": {}}
        self.first = str(commands[0].name)
        about = f"{about}\n\nWithout a command: {self.first}."
        super().__init__(name, commands={str(each.name): each for each in commands}, help=about, **settings)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # a shell completes what was typed: nothing is meant beside it
            return super().parse_args(ctx, args)
        helps = ctx.help_option_names
        own = {each for parameter in self.params for each in parameter.opts} | set(helps)
        is_first = not args or (args[0].startswith("-") and args[0].partition("=")[0] not in own)
        rest = super().parse_args(ctx, [self.first, *args] if is_first else args)
        if not ctx._protected_args:  # noqa: SLF001 - click's own place for the word
            ctx._protected_args = [self.first]  # noqa: SLF001
        return rest


class InviteGroup(OperatorGroup):
    """Its commands; a person's name in their place is one for --user."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        meant = None if args[0] in self.commands else name_before_user(args[0], args, ctx)
        if meant is not None:
            raise meant
        return super().resolve_command(ctx, args)


# -- short ways of writing commands ----------------------------------------------------------------------


def leaf(name: str, runs: str, about: str, *parameters: click.Parameter, **settings: Any) -> Leaf:
    return Leaf(name, runs, about, parameters, **settings)


def option(name: str, about: str, **settings: Any) -> click.Option:
    return click.Option([name, *settings.pop("also", ())], help=about, **settings)


def flag(name: str, about: str, *also: str) -> click.Option:
    return click.Option([name, *also], is_flag=True, help=about)


def argument(name: str, about: str, **settings: Any) -> click.Argument:
    shown = name if settings.get("required", True) else f"[{name}]"
    return click.Argument([name.lower()], metavar=settings.pop("metavar", shown), help=about, **settings)
