"""``config``: what a server of this home runs with, and whether what was written is right.

Rules. A server that runs is asked, and its answer is shown: its environment is not that of whoever asks. What the file or this
environment says otherwise is named beside it. Where none runs, the home itself says what a start from here would take, and what
of that comes from this environment is said to. ``check`` asks nobody: it reads what the next start reads.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

from sft.cli.console import Console
from sft.client.api import people
from sft.errors import ConfigurationError, SftError, UsageError
from sft.limits import MIB
from sft.model.hooks import Hook
from sft.model.names import safe
from sft.model.status import OptionInForce
from sft.model.text import counted
from sft.operator.configuration import DEFAULTS, Configuration, Configured, Source
from sft.operator.configuration_file import template
from sft.operator.home import Home
from sft.operator.hook_option import fields_of
from sft.operator.options import BY_NAME, OPTIONS, Flag, ServerOption

if TYPE_CHECKING:
    from sft.operator.control import Command


class OptionJson(TypedDict):
    """One option, as it is."""

    option: str
    value: object
    default: object
    source: str
    reloads: bool
    variable: str
    about: str


class OptionFaultJson(TypedDict):
    """Something that is wrong."""

    place: str
    problem: str
    remedy: str


class ConfigCheckedJson(TypedDict):
    """What was found wrong."""

    file: str
    faults: list[OptionFaultJson]


_SIZES: Final = ("quota_bytes", "total_quota_bytes", "file_bytes")
_AT_RESTART: Final = "at the next start"
_AT_RELOAD: Final = "at once, when the server gets SIGHUP"


def show(home: Home, options: Any) -> int:
    """Print every option with its value and where that comes from, or all about one; return the exit status."""
    console = _console(options)
    found = home.configured()
    status = _show(console, options, found, found)
    ours = [name for name, source in found.sources.items() if source is Source.ENVIRONMENT]
    if ours and not console.json:
        console.note(
            f"No server runs. From the environment of this shell: {', '.join(ours)}; one that is started elsewhere has its own."
        )
    return status


async def show_served(command: Command) -> int:
    """Print the same as the server has it that runs; return the exit status."""
    told = await people.show_configuration(command.session)
    if not told:  # it ended meanwhile, and this command serves for itself
        return show(command.home, command.options)
    here = command.home.configured()
    found = _told(told, here)
    status = _show(command.console, command.options, found, here)
    if not command.console.json:
        for line in _otherwise(found, here, command.home.filed()):
            command.console.note(safe(line))
    return status


def _show(console: Console, options: Any, found: Configured, here: Configured) -> int:
    """Print what was found, and what is wrong in the home and in this environment."""
    if options["option"]:
        option = _named(str(options["option"]))
        console.show(_document(option, found), *_all_about(option, found))
    else:
        console.show([_document(each, found) for each in OPTIONS])
        rows = [
            (each.name, safe(each.kind.toml(_value(each, found))), found.sources.get(each.name, Source.DEFAULT))
            for each in OPTIONS
        ]
        if not console.json:
            console.table(rows, head=("option", "value", "from"))
    for fault in here.faults:
        console.warn(safe(f"{fault.place}: {fault.problem}. {fault.remedy}."))
    return ConfigurationError.exit_status if here.faults else 0


def _told(told: Sequence[OptionInForce], here: Configured) -> Configured:
    """Return what a server told; what it cannot tell, for it is too long, is as the home has it."""
    values: dict[str, Any] = {}
    sources = {}
    for each in told:
        option = BY_NAME.get(each.name)
        if option is None:
            continue
        values[each.name] = getattr(here.configuration, each.name)
        with contextlib.suppress(ValueError, SftError):
            values[each.name] = option.kind.of(tomllib.loads(f"value = {each.value}")["value"])
        with contextlib.suppress(ValueError):
            sources[each.name] = Source(each.source)
    return Configured(Configuration(**values), sources)


def _otherwise(found: Configured, here: Configured, filed: Configured) -> list[str]:
    """Say what rules not now, though it is written: in the file, or in the environment of this shell."""
    lines = []
    for option in OPTIONS:
        value, source = _value(option, found), found.sources.get(option.name, Source.DEFAULT)
        in_file = _value(option, filed)
        once = source is Source.FLAG and option.flag is Flag.ONCE
        if in_file != value and source is not Source.ENVIRONMENT and not once:
            when = _AT_RELOAD if option.reloads else _AT_RESTART
            lines.append(f"Written and not taken yet: {option.name} = {option.kind.toml(in_file)}; {when}.")
        if here.sources.get(option.name) is Source.ENVIRONMENT and _value(option, here) != value:
            lines.append(f"{option.variable} of this shell means nothing to the server that runs.")
    return lines


def check(home: Home, options: Any) -> int:
    """Print what is wrong in the file and in the environment; return the exit status."""
    console = _console(options)
    found = home.configured()
    faults = [OptionFaultJson(place=each.place, problem=each.problem, remedy=each.remedy) for each in found.faults]
    file = home.configuration_file
    right = f"{file} is right: {counted(len(found.sources), 'option')} set"
    lines = [safe(f"{each['place']}: {each['problem']}. {each['remedy']}.") for each in faults]
    lines = lines or [safe(right if file.exists() else f"There is no {file}: the defaults rule")]
    console.show(ConfigCheckedJson(file=str(file), faults=faults), *lines)
    for name in _SIZES:
        size = getattr(found.configuration, name)
        if size is not None and size < MIB and not console.json:
            console.note(
                f"{name} is {counted(size, 'byte')}: a number without a unit is of bytes; 5G is five gibibytes."
            )
    return ConfigurationError.exit_status if faults else 0


def example(_home: Home, options: Any) -> int:
    """Print a file with every option explained, none set; return the exit status."""
    text = template({each.name: getattr(DEFAULTS, each.name) for each in OPTIONS})
    _console(options).show({"text": text}, *text.splitlines())
    return 0


def _console(options: Any) -> Console:
    console = Console(sys.stdout, sys.stderr, os.environ)
    console.json = bool(options["json"])
    return console


def _named(name: str) -> ServerOption:
    option = BY_NAME.get(name.replace("-", "_").strip("_"))
    if option is None:
        raise UsageError(problem=f"There is no option {safe(name)}", remedy="sftd config show")
    return option


def _value(option: ServerOption, found: Configured) -> Any:
    return getattr(found.configuration, option.name)


def _document(option: ServerOption, found: Configured) -> OptionJson:
    return OptionJson(
        option=option.name,
        value=_plain(_value(option, found)),
        default=getattr(DEFAULTS, option.name),
        source=found.sources.get(option.name, Source.DEFAULT),
        reloads=option.reloads,
        variable=option.variable,
        about=option.about,
    )


def _plain(value: Any) -> object:
    """Return a value as JSON can have it; of hooks what their tables say."""
    if isinstance(value, tuple):
        return [fields_of(each) if isinstance(each, Hook) else each for each in value]
    return value


def _all_about(option: ServerOption, found: Configured) -> list[str]:
    toml = option.kind.toml
    return [
        safe(f"{option.name} = {toml(_value(option, found))}"),
        option.about,
        f"It is {option.kind.what}.",
        f"from     {found.sources.get(option.name, Source.DEFAULT)}",
        f"default  {toml(getattr(DEFAULTS, option.name))}",
        f"changes  {_AT_RELOAD if option.reloads else _AT_RESTART}",
        f"also     {option.variable}",
    ]
