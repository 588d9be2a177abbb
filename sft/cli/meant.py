"""What people type who know other programs, and what it is here: commands by other names, options that a command lacks.

Rules. What is offered can be typed as it stands. It is offered and never run: a word may have meant something else there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import click

from sft.model.names import is_user_name
from sft.model.text import shell_line

_STORE: Final = "sft put FILE --to FOLDER"
_FETCH: Final = "sft get NAME"
_COPY: Final = f"To the server: {_STORE}; from it: {_FETCH} --to DIR"
_RENAME: Final = "sft mv OLD NEW"
_DELETE: Final = "sft rm NAME; a folder: sft rm -r NAME"
_JOIN: Final = "sft join, with an invitation from an admin"

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("upload", "push", "send", "store", "add", "share", "commit"), _STORE),
        **dict.fromkeys(("download", "pull", "fetch", "receive", "clone", "checkout"), _FETCH),
        **dict.fromkeys(("cp", "copy", "scp"), _COPY),
        **dict.fromkeys(("rename", "move", "ren"), _RENAME),
        **dict.fromkeys(("delete", "del", "unlink", "erase"), _DELETE),
        **dict.fromkeys(("chown", "give", "handover"), "sft owner USER PATH"),
        **dict.fromkeys(("list", "dir", "ll", "tree"), "sft ls; all below: sft ls '**'"),
        **dict.fromkeys(("cat", "type", "view", "open"), "sft get NAME --as -"),
        **dict.fromkeys(("stat", "versions", "show"), "sft info NAME"),
        **dict.fromkeys(("search", "locate", "grep"), "sft find WORD"),
        **dict.fromkeys(("md", "makedir"), "sft mkdir FOLDER"),
        "rmdir": "sft rm -r FOLDER",
        **dict.fromkeys(("undelete", "recover", "undo"), "sft restore NAME"),
        "trash": "sft ls --trash",
        **dict.fromkeys(("login", "connect", "register", "signup", "init"), _JOIN),
        **dict.fromkeys(("logout", "disconnect", "leave"), "sft servers forget NAME"),
        **dict.fromkeys(("me", "id"), "sft whoami"),
        **dict.fromkeys(("people", "members", "user"), "sft users"),
        **dict.fromkeys(("withdraw", "revoke"), "sft invite withdraw ID; a key of yours: sft key device revoke KEY"),
        **dict.fromkeys(("kick", "ban", "block"), "sft disable NAME"),
        **dict.fromkeys(("history", "audit"), "sft log"),
        **dict.fromkeys(("check", "sign"), "sft verify FILE"),
        **dict.fromkeys(("rsync", "mirror", "backup"), "sft sync DIR :FOLDER"),
        **dict.fromkeys(("ui", "gui"), "sft tui"),
    }
)
"""By another program's word, what to type here."""

_EVERY_SIZE: Final = dict.fromkeys(("-a", "-A", "--all", "-1", "-v"), ())
_WHOLE_FOLDERS: Final = dict.fromkeys(("-r", "-R", "--recursive", "-a", "-p", "-v"), ())

OPTIONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "ls": _EVERY_SIZE,
        "rm": {"-f": ("--yes",), "--force": ("--yes",), "-R": ("-r",), "-i": (), "-v": ()},
        "mkdir": {"-p": (), "--parents": (), "-v": ()},
        "mv": {"-f": (), "-i": (), "-v": ()},
        "put": {**_WHOLE_FOLDERS, **dict.fromkeys(("-f", "--force", "--overwrite"), ("--replace",))},
        "get": {**_WHOLE_FOLDERS, **dict.fromkeys(("-f", "--replace", "--overwrite"), ("--force",))},
        "sync": {"-a": (), "-r": (), "-v": (), "--recursive": ()},
    }
)
"""By command and another program's option, what takes its place; nothing where that is what is done anyway."""

_CRITERIA: Final = ("from", "since", "until", "larger", "smaller")
WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"find": {f"--{word}": f"{word}:" for word in _CRITERIA}, "owner": {"--to": ""}}
)
"""By command and option, what its value is written behind there: it goes first of the command's words."""

_CLUSTER: Final = re.compile(r"-[A-Za-z0-9]+")


class MeantError(click.UsageError):
    """A command line that is none, of which is known what it means.

    Args:
        remedy: what to type.
    """

    def __init__(self, problem: str, remedy: str, ctx: click.Context | None = None) -> None:
        super().__init__(problem, ctx)
        self.remedy = remedy


def unknown_command(
    name: str, known: Sequence[str], context: click.Context, other_words: Mapping[str, str] = COMMANDS
) -> click.UsageError:
    """Return the error for a word that is no command.

    Args:
        known: the words that are one.
        other_words: by another program's word, what to type.
    """
    meant = other_words.get(name)
    if meant is not None:
        return MeantError(f"There is no command {name!r}", meant, context)
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return click.UsageError(
        f"There is no command {name!r}" + (f"; did you mean {close[0]}?" if close else ""), ctx=context
    )


def name_before_user(name: str, arguments: Sequence[str], context: click.Context) -> MeantError | None:
    """Return the error for somebody's name behind ``invite``, where --user was meant; None where it is no such name.

    Args:
        arguments: all behind the command, the name among them.
    """
    if not is_user_name(name) or context.resilient_parsing:
        return None
    meant = shell_line([*context.command_path.split(), "--user", *arguments])
    return MeantError(f"The name of somebody goes after --user: {name}", meant, context)


def line_meant(error: click.ClickException, arguments: Sequence[str]) -> str | None:
    """Return the whole line that does what a command was asked for by an option that it lacks; None where none is known.

    Args:
        arguments: as they were typed, the command's name among them.
    """
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    command = error.ctx.info_name or ""
    if error.option_name in WORDS.get(command, {}):
        return _with_words(command, arguments, WORDS[command])
    places = OPTIONS.get(command, {})
    if error.option_name not in places:
        return None
    words: list[str] = []
    instead: list[str] = []
    for number, word in enumerate(arguments):
        if word == "--":
            words += arguments[number:]
            break
        kept, taken = _without(word, places)
        words += [kept] if kept else []
        instead += [each for each in taken if each not in instead]
    dashes = words.index("--") if "--" in words else len(words)
    return shell_line(["sft", *words[:dashes], *instead, *words[dashes:]])


def _with_words(command: str, arguments: Sequence[str], places: Mapping[str, str]) -> str | None:
    """Return a line with options as words; None where one has no value."""
    words: list[str] = []
    instead: list[str] = []
    left = iter(arguments)
    for word in left:
        option, given, value = word.partition("=")
        if word == "--":
            words += [word, *left]
        elif option not in places:
            words.append(word)
        elif value := value if given else next(left, ""):
            instead.append(places[option] + value)
        else:
            return None
    first = words.index(command) + 1
    return shell_line(["sft", *words[:first], *instead, *words[first:]])


def _without(word: str, places: Mapping[str, tuple[str, ...]]) -> tuple[str, list[str]]:
    """Return a word without options that are another program's, and what takes their place; letters may stand together."""
    if word in places:
        return "", [*places[word]]
    letters = [f"-{letter}" for letter in word[1:]] if _CLUSTER.fullmatch(word) else []
    foreign = [letter for letter in letters if letter in places]
    if not foreign:
        return word, []
    own = "".join(letter[1] for letter in letters if letter not in places)
    return f"-{own}" if own else "", [each for letter in foreign for each in places[letter]]
