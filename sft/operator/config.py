"""``config``: what a server of this home runs with, and whether what was written is right; read from the home itself.

Rules. No server is asked, and none has to run: a start reads the same. The environment is that of whoever asks, which may be
another than the server's: a value that comes from there is said to.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final, TypedDict

from sft.cli.console import Console
from sft.errors import ConfigurationError, UsageError
from sft.model.hooks import Hook
from sft.model.names import safe
from sft.model.text import counted
from sft.operator.configuration import DEFAULTS, Configured, Source
from sft.operator.configuration_file import template
from sft.operator.home import Home
from sft.operator.hook_option import fields_of
from sft.operator.options import BY_NAME, OPTIONS, ServerOption


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


_AT_RESTART: Final = "at the next start"
_AT_RELOAD: Final = "at once, when the server gets SIGHUP"


def show(home: Home, options: Any) -> int:
    """Print every option with its value and where that comes from, or all about one; return the exit status."""
    console = _console(options)
    found = home.configured()
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
    for fault in found.faults:
        console.warn(safe(f"{fault.place}: {fault.problem}. {fault.remedy}."))
    return ConfigurationError.exit_status if found.faults else 0


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
