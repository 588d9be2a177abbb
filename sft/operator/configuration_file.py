"""The text of ``sft.toml``: written once with every option explained, then changed line by line.

Rules. What a person wrote stays as it is, comments too: only the line of one option is put in, or replaced. A text in which
that would say anything else than what is wanted is left alone, and the person is told what to write.
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sft.operator.options import BY_NAME, OPTIONS, ServerOption

NAME: Final = "sft.toml"
_WIDTH: Final = 100
_ABOUT: Final = """\
# What this server runs with. A line that begins with "#" sets nothing: it shows an option's default.
#
#     sftd config check    is it right so?
#     sftd config show     what rules now, and where each value comes from
#
# A running server reads this file again when it gets SIGHUP; options marked "restart" wait for the next start. The
# environment (SFT_SERVER_TRASH_DAYS=60) is stronger than this file, and options of sftd serve than both; those are also
# written here, unless it says otherwise.
"""
_MARK: Final = "  # by sftd serve"
_TABLE: Final = re.compile(r"\s*\[")


def template(defaults: Mapping[str, Any]) -> str:
    """Return the file in which nothing is set.

    Args:
        defaults: of every option, by name.
    """
    parts = [_ABOUT]
    for option in OPTIONS:
        about = option.about if option.reloads else f"{option.about} (restart)"
        lines = textwrap.wrap(about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join([*lines, f"# {_line(option, defaults[option.name])}"]) + "\n")
    return "\n".join(parts)


def with_values(text: str, values: Mapping[str, Any]) -> str:
    """Return a text that says these values; ValueError where none can be made by changing whole lines.

    Args:
        text: of a file that is TOML.
        values: by name of the option, as the options' kinds return them.
    """
    wanted = tomllib.loads(text)
    for name, value in values.items():
        option = BY_NAME[name]
        line = f"{_line(option, value)}{_MARK}"
        wanted[name] = tomllib.loads(line)[name]
        text = _with_line(text, name, line)
    if tomllib.loads(text) != wanted:
        raise ValueError(", ".join(values))
    return text


def line_of(text: str, name: str) -> int | None:
    """Return the number of the line that sets an option, or begins a table; None where no line is simply that."""
    begins = re.compile(rf"\s*\[*\s*[\"']?{re.escape(name)}[\"']?\s*[=.\]]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if begins.match(line)), None)


def set_by_flag(text: str, name: str) -> bool:
    """Return whether an option of ``sftd serve`` wrote the line that sets it."""
    number = line_of(text, name)
    return number is not None and text.splitlines()[number - 1].endswith(_MARK)


def _line(option: ServerOption, value: Any) -> str:
    return f"{option.name} = {option.kind.toml(value)}"


def _with_line(text: str, name: str, line: str) -> str:
    lines = text.splitlines()
    place = next(_places(lines, name), None)
    if place is None:
        # A table goes on to the end: what belongs to none stands before the first.
        place = next((number for number, each in enumerate(lines) if _TABLE.match(each)), len(lines))
        lines.insert(place, line)
    else:
        lines[place] = line
    return "\n".join(lines) + "\n"


def _places(lines: list[str], name: str) -> Iterator[int]:
    """Yield where an option is set, then where its default is shown."""
    for begins in (re.compile(rf"\s*{name}\s*="), re.compile(rf"#\s?{name}\s*=")):
        yield from (number for number, line in enumerate(lines) if begins.match(line))
