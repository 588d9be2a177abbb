"""The manual page of a program, in man(7)'s own form, from its commands: what ``--help`` says after each, in one page.

Rules. Nothing is said here that the commands do not say themselves. A text of theirs is text here: what begins a request or an
escape of roff is made plain.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import click

from sft import __version__
from sft.cli.usage import STATUSES

SECTIONS: Final = {"sft": 1, "sftd": 8}
"""Of the manual: 1 is for everybody's commands, 8 for those of who runs a system."""

_ABOUT: Final = {"sft": "secure file transfer", "sftd": "server of secure file transfer"}
_BOLD: Final = re.compile(r"(?<!\S)((?:\\-){1,2}\w(?:\w|\\-)*)")  # an option, in a text that was made plain


def page(name: str, program: click.Group, context: click.Context, variables: Mapping[str, str]) -> str:
    """Return a program's page.

    Args:
        context: of the program itself, in which nothing was typed.
        variables: of the environment, with what each is for.
    """
    section, about = SECTIONS[name], _ABOUT[name]
    lines = [f'.TH {name.upper()} {section} "" "{name} {__version__}" "{about}"']
    # Left-aligned, and no word divided: what is typed stands as it is typed.
    lines += [
        ".ad l",
        ".nh",
        ".SH NAME",
        f"{name} \\- {_plain(about)}",
        ".SH SYNOPSIS",
        f".B {name}",
        "[OPTIONS] COMMAND [ARGUMENTS]",
    ]
    lines += [".SH DESCRIPTION", *_prose(program.help or "")]
    lines += [".SH OPTIONS", *_parameters(program, context)]
    lines += [".SH COMMANDS"]
    for words, command, below in _commands(program, context, name):
        lines += [f".SS {_plain(words)}"]
        usage = " ".join(command.collect_usage_pieces(below)).strip()
        lines += [f".B {_plain(words)}", _plain(usage), ".PP", *_prose(command.help or "")]
        lines += _parameters(command, below)
    if variables:
        lines += [".SH ENVIRONMENT", *_list([(each, text) for each, text in variables.items()])]
    lines += [".SH EXIT STATUS", *_prose(STATUSES.removeprefix("Exit statuses: "))]
    lines += [".SH SEE ALSO", ", ".join(f".BR {each} ({number})" for each, number in SECTIONS.items() if each != name)]
    return "\n".join(lines) + "\n"


def _commands(
    group: click.Group, context: click.Context, words: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, info_name=name, parent=context)
        yield f"{words} {name}", command, below
        if isinstance(command, click.Group):
            yield from _commands(command, below, f"{words} {name}")


def _parameters(command: click.Command, context: click.Context) -> list[str]:
    shown = []
    for parameter in command.get_params(context):
        term, about = parameter.get_help_record(context) or ("", "")
        shown += [(term, about)] if about else []
    return _list(shown)


def _list(entries: Sequence[tuple[str, str]]) -> list[str]:
    lines = []
    for term, about in entries:
        # Between two choices a line may end, however narrow the terminal.
        shown = _BOLD.sub(r"\\fB\1\\fR", _plain(term)).replace("|", "|\\:")
        lines += [".TP", shown, _plain(about)]
    return lines


def _prose(text: str) -> list[str]:
    """Return paragraphs; one that click keeps as it stands (it begins with a backspace character) is kept here too."""
    lines = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            lines += [".PP", ".nf", *(_plain(line) for line in paragraph.splitlines()[1:]), ".fi"]
        elif paragraph:
            lines += [".PP", _plain(" ".join(paragraph.split()))]
    return lines[1:]  # a heading, or what stands before it, begins a paragraph by itself


def _plain(text: str) -> str:
    # A hyphen alone is typeset as one that no shell takes; a line that begins with a dot or a quote is a request.
    made = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("\n", " ")
    return f"\\&{made}" if made.startswith((".", "'")) else made
