"""What the program says can be typed: every text in its code and every command of its pages goes through the real parsers."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import product

import click
import pytest

from sft.cli.completion_scripts import SHELLS
from tests.architecture.modules import MODULES, ROOT, Module
from tests.typed import SAMPLES, NotTypedError, all_commands, context_of, options_of, parse, require_typed

# Modules that say something for several commands: an option that they name is one of each of these.
SPEAKS_FOR = {
    "sft/cli/meant.py": ("sft invite", "sftd invite make"),
    "sft/cli/prompts.py": ("sft join", "sft servers link"),
    "sft/cli/transfer_report.py": ("sft put", "sft get"),
    "sft/operator/bootstrap.py": ("sftd serve",),
    "sft/operator/listening.py": ("sftd serve", "sftd witness"),
    "sft/operator/server.py": ("sftd serve",),
    "sft/operator/service.py": ("sftd serve",),
    "sft/operator/witness.py": ("sftd witness",),
}
OF_ALL = {
    "sft": frozenset({"--json", "--quiet", "-q", "--profile", "--progress"}),
    "sftd": frozenset({"--home", "--json"}),
}
MAKES_COMMANDS = "tui/commands.py"  # out of pieces: what comes of them is parsed in ``tests/tui/test_commands.py``
_SCRIPTS = "".join(SHELLS.values())
PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "sft/cli/JSON.md", "sft/ledger/LEDGER.md")


def _own_options() -> dict[str, frozenset[str]]:
    """Return the options that a module may name: those of the commands in it, or for which it speaks."""
    own: dict[str, frozenset[str]] = {}
    commands = {f"{name} {words}": each for name in OF_ALL for words, each in all_commands(name).items()}
    for command in commands.values():
        runs = getattr(command, "runs", None)
        module = f"sft.operator.{runs.partition(':')[0]}" if runs else getattr(command.callback, "__module__", "")
        path = f"{module.replace('.', '/')}.py"
        own[path] = own.get(path, frozenset()) | options_of(command)
    # What options of many commands say of one another.
    own["sft/operator/commands.py"] = own["sft/operator/command_groups.py"] = frozenset().union(
        *map(options_of, all_commands("sftd").values())
    )
    own["tui/dialogs/command_log.py"] = frozenset({"--yes"})  # of the commands that it shows
    own["sft/cli/completion_scripts.py"] = frozenset(re.findall(r"--?[a-z][a-z-]*", _SCRIPTS))  # of three shells
    for path, names in SPEAKS_FOR.items():
        own[path] = frozenset.intersection(*(options_of(commands[name]) for name in names))
    return own


OWN = _own_options()
NAMES = {f"{program} {words}" for program in OF_ALL for words in all_commands(program)}


def _texts(module: Module) -> Iterator[tuple[int, str, bool]]:
    """Yield every text of a module that is no docstring, with an ``x`` for each value in it, and whether it says what to do."""
    named = _named_texts(module)
    problems = {
        id(each)
        for node in module.nodes
        if isinstance(node, ast.keyword) and node.arg == "problem"
        for each in ast.walk(node.value)
    }
    passed = {
        id(node.body[0].value)
        for node in module.nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    whole = [node for node in module.nodes if isinstance(node, ast.JoinedStr)]
    passed |= {id(each) for node in whole for each in ast.walk(node) if each is not node}
    for node in module.nodes:
        if id(node) in passed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value, id(node) not in problems
        elif isinstance(node, ast.JoinedStr):
            said = [str(each.value) if isinstance(each, ast.Constant) else _sample(each, named) for each in node.values]
            yield node.lineno, "".join(said), id(node) not in problems


def _named_texts(module: Module) -> dict[str, str]:
    """Return the texts that a module gives a name."""
    return {
        node.target.id: node.value.value
        for node in module.tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def _sample(value: ast.expr, named: dict[str, str]) -> str:
    is_named = isinstance(value, ast.FormattedValue) and isinstance(value.value, ast.Name)
    return named.get(ast.unparse(value.value), "x") if is_named else "x"


def _is_declared(text: str) -> bool:
    """Whether a text is an option as a command declares it, or as it is put at the end of a command that is made."""
    return re.fullmatch(r"--?[\w-]+(?:/--[\w-]+)?=?| --?[a-z-]+(?: \w+)?", text) is not None


def _spoken() -> list[Module]:
    # The tables of next steps are tested as the commands say them.
    passed = ("next_steps.py", MAKES_COMMANDS)
    return [m for m in MODULES if m.name.startswith(("sft/", "tui/")) and not m.name.endswith(passed)]


def _wrong(module: Module) -> Iterator[str]:
    """Yield what a module says to type that cannot be typed."""
    program = "sftd" if module.name.startswith("sft/operator/") else "sft"
    of_all = OF_ALL[program] if module.name.startswith(("sft/cli", "sft/operator")) else frozenset()
    own = OWN.get(module.name, frozenset()) | of_all
    for line, text, whole in _texts(module):
        if not _is_declared(text) and text not in NAMES:
            try:
                require_typed(text, own, whole=whole)
            except NotTypedError as error:
                yield f"{module.name}:{line}: {error}"


def test_what_modules_say_to_type_can_be_typed() -> None:
    spoken = _spoken()
    assert len(spoken) > 100
    assert [wrong for module in spoken for wrong in _wrong(module)] == []


@pytest.mark.parametrize("program", OF_ALL)
def test_what_the_help_of_a_command_says_can_be_typed(program: str) -> None:
    for command in all_commands(program).values():
        require_typed(command.help or "", options_of(command) | OF_ALL[program], whole=False)


@pytest.mark.parametrize("program", OF_ALL)
def test_help_names_each_command_in_a_whole_sentence(program: str) -> None:
    for words, command in {"": context_of(program).command, **all_commands(program)}.items():
        if isinstance(command, click.Group):
            said = command.get_help(context_of(program) if not words else click.Context(command, info_name=words))
            assert [line for line in said.splitlines() if line.endswith("...") and "Usage:" not in line] == [], words


@pytest.mark.parametrize("program", OF_ALL)
def test_usage_says_which_arguments_may_be_left_out(program: str) -> None:
    by_callback = {"role"}  # which says which roles there are
    for words, command in all_commands(program).items():
        for argument in command.params:
            if isinstance(argument, click.Argument) and not argument.required and argument.name not in by_callback:
                shown = argument.make_metavar(click.Context(command, info_name=words))
                assert not shown or "[" in shown, (words, shown)  # what is only there to be refused is not shown


def _alternatives(text: str) -> Iterator[list[str]]:
    """Spell out ``user list|show`` as a command each."""
    words = shlex.split(text.removeprefix("twistd ") if text.startswith("twistd sft ") else text)
    return (list(each) for each in product(*([word] if ":" in word else word.split("|") for word in words)))


def _named_in(page: str) -> Iterator[tuple[str, bool]]:
    """Yield the commands of a page: of indented lines, whole unless something is said of them, and those within a line."""
    text = (ROOT / page).read_text("utf-8")
    for line in re.findall(r"^    ((?:sftd?|twistd) .*)$", text, re.MULTILINE):
        command, _, said = re.sub(r"  +", "\0", line).partition("\0")
        yield command, not said and "|" not in command
    for named in re.findall(r"`((?:sftd?|twistd sft) [^`]*)`", text):
        yield " ".join(named.split()), False


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_can_be_typed(page: str) -> None:
    named = list(_named_in(page))
    assert named
    for command, whole in named:
        for words in _alternatives(command):
            if words[1:2] != ["-n"]:
                parse([SAMPLES.get(word, word) for word in words], whole=whole)
