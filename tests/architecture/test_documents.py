"""What the documents say, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sft
from sft import errors
from sft.cli.main import COMMANDS
from sft.client import versions_seen
from sft.errors import SftError
from sft.model.access import Caller, Permission, Resource, Role, allows, may

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text("utf-8")
DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")


def table_after(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, its header first."""
    lines = README.split(heading, 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows: list[list[str]] = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [row for row in rows if set("".join(row)) != {"-"}]


def yes(held: bool) -> str:
    return "yes" if held else "no"


def row_of(role: Role) -> list[str]:
    caller = Caller(1, 1, "x", role)
    own, any_file = (may(caller, Permission.FILE_DELETE, Resource(owner)) for owner in (1, 2))
    return [
        role.value,
        yes(allows(role, Permission.FILE_WRITE)),
        "every file" if allows(role, Permission.FILE_READ) else "no",
        yes(allows(role, Permission.USER_MANAGE)),
        yes(allows(role, Permission.ROLE_CHANGE)),
        "every file" if any_file else "own only" if own else "no",
    ]


def test_the_readme_has_the_role_table_of_the_code() -> None:
    header, *rows = table_after("## Roles")
    assert header == ["role", "upload", "download", "manage users", "change roles", "delete files"]
    assert rows == [row_of(role) for role in Role]


def test_the_first_screen_has_exactly_the_two_commands_of_a_new_machine() -> None:
    first_screen = README.split("\n## ", 1)[0]
    assert re.findall(r"^    (\S.*?)(?:  .*)?$", first_screen, re.MULTILINE) == ["make run", "make test"]
    assert len(first_screen.splitlines()) <= 24


def test_the_readme_explains_every_exit_status() -> None:
    cells = [cell for row in table_after("## Exit statuses") for cell in row]
    explained = {int(number) for cell in cells for number in re.findall(r"\d+", cell)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    used = {kind.exit_status for kind in kinds if issubclass(kind, SftError)}
    assert used | {0, 1, 2, 130, 143} <= explained


def test_every_command_of_the_readme_is_one_and_every_command_is_in_the_readme() -> None:
    block = README.split("## Commands", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"^    sft ([a-z-]+)", block, re.MULTILINE))
    assert named == set(COMMANDS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_speak_of_this_project_alone(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert not re.search(r"(^|[\s`(])/(work|root|tmp)\b", text)
    assert "tamper-proof" not in text
    assert "quantum-safe" not in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_between_documents_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert all((ROOT / target).exists() for target in targets)
    mentioned = re.findall(r"`((?:sft|tui|tests|migrations)/[\w/.-]+)`", text)
    assert [path for path in mentioned if not (ROOT / path).exists()] == []


def test_each_promise_names_the_tests_that_hold_it() -> None:
    promises = re.split(r"^\d+\. ", SECURITY.split("## What is promised")[1].split("\n## ")[0], flags=re.MULTILINE)[1:]
    assert len(promises) == 12
    for promise in promises:
        said, _, tests = promise.partition("   Tests: ")
        named = re.findall(r"`([^`]+)`", tests)
        assert named, said
        assert [path for path in named if not (re.search(r"/test_\w+\.py$", path) and (ROOT / path).is_file())] == []


def test_security_tells_how_many_versions_are_remembered() -> None:
    assert f"(the last {versions_seen._KEPT_RECORDS:,} at least)" in " ".join(SECURITY.split())


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## (\[Unreleased\]|\[{re.escape(sft.__version__)}\])", text, re.MULTILINE)
