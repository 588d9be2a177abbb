"""What texts of the product say can be typed: the commands in them, read by the parsers of those very commands.

A text is prose with commands in it. A command begins with ``sft`` or ``sftd`` and a word that the program knows, and goes on as
far as words can be its own: subcommands, options, choices, placeholders (NAME, HOST:PORT, ID), quoted and numbered arguments.
What is left of the text may hold options by themselves.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from string import Formatter

import click

from sft.cli.invocation import Environment, Invocation
from sft.cli.main import cli
from sft.errors import SftError
from sft.operator.command_line import Call, OperatorGroup
from sft.operator.commands import program

PROGRAMS = {"sft": cli, "sftd": program}
# Fields of templates, and words that stand for something, with what a parser takes for them.
FIELDS = {"version": "7", "wanted": "200", "needed": "guest"}
SAMPLES = {
    "NUMBER": "7", "N": "7", "ID": "7", "HOST:PORT": "a.example:7361", "0.0.0.0:PORT": "0.0.0.0:7361", "ROLE": "guest",
    "SHELL": "bash", "NAME+HASH+KEY": "w+0+A", "RATE": "2M", "SIZE": "50G",
}  # fmt: skip
_PLACEHOLDER = re.compile(
    r"[A-Z][A-Z_]*(?:[:+][A-Z]+)*(?:\.\.\.)?/?|-?\d+[dhm]?|-|\w+:FILE|\w+:PATH|\w*:FOLDER|0\.0\.0\.0:PORT|x+/?|[\w.-]+/[\w./-]*"
)
_OTHERS = re.compile(
    r"\b(?:pip|pipx|minisign|ulimit) [^;,.()]*|twistd -n sft|(?<!sft )ls -l"
)  # programs that are not ours
_OPTION = re.compile(r"--?[a-z][\w-]*(?:=\S+)?")
_ALONE = re.compile(r"(?<![\w-])(--[a-z][a-z-]+|-[a-z]\b)(?!\w)")


class NotTypedError(AssertionError):
    """A text says to type what cannot be typed."""


def filled_with_samples(template: str) -> str:
    """Put a value in place of each field of a template."""
    said = [
        literal + ("" if name is None else FIELDS.get(name, "x")) for literal, name, _, _ in Formatter().parse(template)
    ]
    return "".join(said)


def context_of(name: str) -> click.Context:
    group = PROGRAMS[name]
    found = Invocation(Environment({})) if name == "sft" else Call()
    return click.Context(group, info_name=name, obj=found)


def parse(words: list[str], *, whole: bool = True) -> None:
    """Have a command line parsed as when it is typed; NotTypedError if it is none. Nothing is run.

    Args:
        whole: no argument may lack; else it is only named.
    """
    context = context_of(words[0])
    rest = words[1:]
    try:
        with context.scope():
            rest = context.command.parse_args(context, rest)
            while isinstance(context.command, click.Group) and context._protected_args:
                name, command, rest = context.command.resolve_command(context, [*context._protected_args, *rest])
                assert command is not None, words
                context = command.make_context(name, rest, parent=context)
                rest = context.args
    except click.exceptions.Exit:
        return
    except (click.MissingParameter, click.BadOptionUsage) as error:
        if whole:
            raise NotTypedError(f"{shlex.join(words)}: {error.format_message()}") from error
    except click.BadParameter as error:
        if "'x' is not" not in error.format_message():  # what stands for some value of the text's
            raise NotTypedError(f"{shlex.join(words)}: {error.format_message()}") from error
    except (click.ClickException, SftError) as error:
        said = error.format_message() if isinstance(error, click.ClickException) else error.values["problem"]
        raise NotTypedError(f"{shlex.join(words)}: {said}") from error


def commands_in(text: str) -> Iterator[tuple[list[str], tuple[int, int]]]:
    """Find the commands in a text: their words, with samples for placeholders, and where each stands."""
    for found in re.finditer(r"(?<![\w./])(?:twistd (?:-n )?sft|sftd|sft)(?= )", text):
        name = "sft" if found[0] == "sft" else "sftd"
        context, words, end = context_of(name), [name], found.end()
        while token := re.compile(r" +('[^']*'|\"[^\"]*\"|\S+)").match(text, end):
            word = (
                token[1]
                if token[1][0] in "'\""
                else token[1].rstrip(",;.:)!?`'\"" if "..." not in token[1] else ",;:)`'\"")
            )
            taken = _taken(context, words, word)
            if taken is None:
                break
            context = taken
            words.append(SAMPLES.get(word, shlex.split(word)[0] if word[0] in "'\"" else word))
            end = token.start(1) + len(word)
            if len(word) != len(token[1]):
                break
        if len(words) > 1 and not words[1].startswith("-x"):
            yield words, (found.start(), end)


def _taken(context: click.Context, words: list[str], word: str) -> click.Context | None:
    """Return where a command is after one more word; None if the word is none of its own."""
    command = context.command
    if not word:
        return None
    if isinstance(command, click.Group):
        below = command.get_command(context, word)
        if below is not None:
            return click.Context(below, info_name=word, parent=context)
        if isinstance(command, OperatorGroup) and word.startswith("-") and len(words) > 1:
            command = command.commands[command.first]
            context = click.Context(command, info_name=command.name, parent=context)
        if len(words) == 1 and not word.startswith("--"):
            return None
    chosen = {
        str(choice)
        for parameter in command.params
        if isinstance(parameter.type, click.Choice)
        for choice in parameter.type.choices
    }
    own = word in chosen or word[0] in "'\"" or _PLACEHOLDER.fullmatch(word) or _OPTION.fullmatch(word)
    return context if own else None


def require_typed(text: str, own_options: frozenset[str] = frozenset(), *, whole: bool = True) -> None:
    """Demand that each command in a text can be typed, and that options by themselves are among those that are known.

    Args:
        whole: no argument may lack; else commands are only named.
    """
    text = _OTHERS.sub("", text)
    unknown = _alone_in(text, whole) - own_options - {"--help"}
    if unknown:
        raise NotTypedError(f"{text!r} names {', '.join(sorted(unknown))}, which its command has not")


@cache
def _alone_in(text: str, whole: bool) -> frozenset[str]:
    """Have the commands in a text parsed, once for all who say it; gives the options that stand there by themselves."""
    left = text
    for words, (start, end) in commands_in(text):
        parse(words, whole=whole)
        left = left[:start] + " " * (end - start) + left[end:]
    return frozenset(_ALONE.findall(left))


def options_of(command: click.Command) -> frozenset[str]:
    return frozenset(each for parameter in command.params for each in (*parameter.opts, *parameter.secondary_opts))


@cache
def all_commands(name: str) -> dict[str, click.Command]:
    """Return every command of a program by its words, groups as well: ``key device add``."""
    return dict(_below(context_of(name), ""))


def _below(context: click.Context, words: str) -> Iterator[tuple[str, click.Command]]:
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield f"{words}{name}", command
            yield from _below(click.Context(command, info_name=name, parent=context), f"{words}{name} ")
