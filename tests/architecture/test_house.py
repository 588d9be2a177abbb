"""The rules of the house that no linter knows. Each test lists the places that break its rule."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re

import sft
import tui
from sft.errors import SftError
from tests.architecture.modules import MODULES, ROOT

LONGEST = 500
EMPTY_NAMES = {
    *("base", "common", "core", "engine", "handler", "handlers", "helper", "helpers"),
    *("manager", "managers", "misc", "processor", "util", "utils"),
}
# Words that went: private images of what the field has a term for. The glossary of CONTRIBUTING.md has the terms.
RETIRED_NAMES = {
    *("catalogue", "chores", "master_keys", "everywhere", "exchanges", "hearing", "journal", "keeper"),
    *("keeping", "kept", "landing", "lane", "lanes", "leaving", "nowhere", "purse", "surroundings"),
    *("marks", "told", "upkeep"),
}
# Printing is what a command line does, and what a module does that is run as a program.
PRINTING = ("sft/cli/", "sft/operator/")
# Where the state lies is decided by one module of each side; nothing deeper asks the environment.
LIBRARIES = (
    *("sft/client/", "sft/ledger/", "sft/model/", "sft/server/", "sft/service/", "sft/store/", "sft/transport/"),
    *("sft/vault/", "sft/wire/", "sft/witness/"),
)
_COMMAND = r"(^|[\s`(])(sftd?|twistd) [a-z]|(^|\s)--[a-z]"
_FORMAT = r"^sft link |\bsft (did|has) "  # how a note begins; a sentence about the program
ASKING = ("sft/cli/", "sft/demo/", "sft/operator/", "sft/client/script.py", "sft/client/state.py", "tui/")


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 100


def test_no_module_is_longer_than_one_thing_takes() -> None:
    assert [m.name for m in MODULES if len(m.text.splitlines()) > LONGEST] == []


def test_every_module_says_what_it_owns() -> None:
    assert [m.name for m in MODULES if len(m.docstring.split()) < 3] == []


def test_every_public_class_says_what_it_is() -> None:
    silent = [
        f"{m.name}: {node.name}"
        for m in MODULES
        for node in m.classes()
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_names_say_something() -> None:
    files = [m.name for m in MODULES if EMPTY_NAMES & set(re.split(r"[/._]", m.name))]
    classes = [
        f"{m.name}: {node.name}"
        for m in MODULES
        for node in m.classes()
        if EMPTY_NAMES & {part.lower() for part in re.findall(r"[A-Z][a-z]+", node.name)}
    ]
    assert files + classes == []


def test_names_are_the_terms_of_the_field() -> None:
    files = [m.name for m in MODULES if RETIRED_NAMES & set(re.split(r"[/._]", m.name))]
    classes = [
        f"{m.name}: {node.name}"
        for m in MODULES
        for node in m.classes()
        if RETIRED_NAMES & {part.lower() for part in re.findall(r"[A-Z][a-z]+", node.name)}
    ]
    assert files + classes == []


def test_a_public_class_name_belongs_to_one_module() -> None:
    homes: dict[str, list[str]] = {}
    for m in MODULES:
        for node in m.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(m.name)
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_libraries_neither_print_nor_ask() -> None:
    libraries = [m for m in MODULES if not m.is_program and not m.name.startswith(PRINTING)]
    assert [m.name for m in libraries if {"print", "input", "breakpoint"} & m.calls()] == []


def test_libraries_name_no_command() -> None:
    # What can be typed or pressed next is the front end's to say, by the error's code: whoever reads a server's words may be
    # elsewhere, where its operator's commands are not there.
    docstrings = {
        id(node.body[0].value)
        for m in MODULES
        for node in m.nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    naming = [
        f"{m.name}:{node.lineno}"
        for m in MODULES
        for node in m.nodes
        if m.name.startswith(LIBRARIES) and isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in docstrings and re.search(_COMMAND, node.value)
        if not re.search(_FORMAT, node.value)
    ]
    assert naming == []


def test_nothing_is_promised_or_left_out() -> None:
    assert [m.name for m in MODULES if re.search(r"TODO|FIXME|XXX|NotImplementedError", m.text)] == []


def test_no_module_chooses_the_reactor() -> None:
    # Whoever imports it first decides its kind for the whole process: it is a parameter.
    choosing = [
        m.name
        for m in MODULES
        for node in m.tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "twisted.internet"
        if "reactor" in {alias.name for alias in node.names}
    ]
    assert choosing == []


def test_no_function_takes_a_fixture_that_is_a_coroutine() -> None:
    # It has no loop of its own to be given it on: the one of all tests is closed for it, under whatever comes next.
    mixed: list[str] = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"fixture.*\nasync def", text):
            continue  # to parse all of them takes seconds
        body = ast.parse(text).body
        fixtures = {
            node.name: "autouse=True" in ast.unparse(decorator)
            for node in body
            if isinstance(node, ast.AsyncFunctionDef)
            for decorator in node.decorator_list
            if "fixture" in ast.unparse(decorator)
        }
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                taken = {argument.arg for argument in node.args.args} | {
                    name for name, auto in fixtures.items() if auto
                }
                mixed += [f"{path.relative_to(ROOT)}: {node.name}" for _ in taken & fixtures.keys()]
    assert mixed == []


def test_the_environment_is_left_to_entry_points() -> None:
    deeper = [m for m in MODULES if not m.name.startswith(ASKING)]
    assert [m.name for m in deeper if re.search(r"os\.(environ|getenv)", m.text)] == []


def test_every_error_of_the_tree_stands_in_the_errors_package() -> None:
    for package in (sft, tui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    strays: list[type] = []
    pending: list[type[SftError]] = [SftError]
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith(("sft.", "tui.")) and not kind.__module__.startswith("sft.errors"):
            strays.append(kind)
    assert strays == []


def test_twisted_finds_a_plugin_file_and_no_package() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "twisted").rglob("*.py")}
    assert found == {"twisted/plugins/sft_plugin.py"}


def test_unit_tests_mirror_the_tree() -> None:
    packages = {path.parent.name for path in ROOT.glob("sft/*/__init__.py")}
    folders = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= packages


def test_no_file_of_the_project_names_a_path_of_one_machine() -> None:
    texts = [*ROOT.glob("*.toml"), *ROOT.glob("Makefile"), *ROOT.glob("*.lock"), *ROOT.glob(".ci/*")]
    texts += [*ROOT.glob("sft/**/*.md"), *ROOT.glob("*.md")]
    named = [p.name for p in texts if re.search(r"(^|[\s`'\"(=])/(home|opt|root|work)/", p.read_text("utf-8"))]
    named += [m.name for m in MODULES if re.search(r"['\"]/(home|opt|root|work)/", m.text)]
    assert named == []


def test_the_lock_names_versions_and_no_place() -> None:
    lines = (ROOT / "requirements-dev.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", pin)] == []
