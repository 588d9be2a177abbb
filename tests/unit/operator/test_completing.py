"""What a shell is offered for ``sftd``: out of the home, silently, and quoted where the shell does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from sft.operator.command_line import Call
from sft.operator.commands import program
from sft.operator.options import OPTIONS
from tests.typed import all_commands
from tests.unit.store.folder_tree import file_row
from tests.unit.store.samples import ADA, FINANCE, MAX, PLAN, ROOT, copy_database, writing

# What no terminal shows as it is.
NOT_SHOWN = ("no\nline", "not\x1b]0;yours\x07", "now\u202egnp.exe", "nor\rthat")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    database = copy_database(data)
    with writing(database) as transaction:
        transaction.rows.insert([ADA, MAX])
        transaction.rows.insert([ROOT, FINANCE])
        transaction.rows.insert([PLAN, file_row(7, 1, "it's $(mine)")])
        transaction.rows.insert([file_row(n, 1, name) for n, name in enumerate(NOT_SHOWN, 8)])
    database.close()
    (data / "sft.db").rename(data / "sft.sqlite")
    (tmp_path / "sft.toml").write_text('[[hooks]]\nname = "tell"\nevents = ["join"]\nrun = ["/bin/true"]\n')
    snapshots = tmp_path / "backup" / "snapshots"
    snapshots.mkdir(parents=True)
    return tmp_path


def offers(home: Path, *words: str) -> list[str]:
    """Return what is offered in the place of the last word."""
    asked = ShellComplete(program, {"obj": Call()}, "sftd", "_SFTD_COMPLETE")
    found = asked.get_completions(["--home", str(home), *words[:-1]], words[-1])
    return [each.value if each.type == "plain" else f"<{each.type}>" for each in found]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("user", "show", ""), ["Ada", "max"]),
        (("user", "remove", "max", "--files-to", "A"), ["Ada"]),
        (("user", "disable", "--from-file", ""), ["<file>"]),
        (("user", "role", "max", "g"), ["guest"]),
        (("user", "reset-key", "max", ""), ["<file>"]),
        (("user", "add", ""), []),
        (("log", "show", "--user", "m"), ["max"]),
        (("log", "show", "--file", "Fin"), ["Finance/"]),
        (("file", "show", "Finance/"), ["Finance/Plan.pdf"]),
        (("file", "delete", "/Finance/P"), ["/Finance/Plan.pdf"]),
        (("file", "show", "it"), ["it's $(mine)"]),
        (("file", "show", "no"), []),
        (("file", "show", "a//b"), []),
        (("why", "max", "role", "A"), ["Ada"]),
        (("why", "max", "rm", "F"), ["Finance/"]),
        (("why", "max", "rm", "it"), ["it's $(mine)"]),
        (("who-can", "invite", ""), []),
        (("invite", "withdraw", ""), []),
        (("config", "show", "trash"), ["trash_days"]),
        (("backup", ""), ["<dir>"]),
        (("serve", "--data", ""), ["<dir>"]),
        (("restore", "none", "--snapshot", ""), []),
    ],
)
def test_each_word_has_what_it_can_be(home: Path, words: tuple[str, ...], offered: list[str]) -> None:
    before = sorted(home.rglob("*"))
    assert offers(home, *words) == offered
    assert sorted(home.rglob("*")) == before


def test_hooks_and_options_are_those_of_the_configuration(home: Path) -> None:
    assert offers(home, "hook", "test", "") == ["tell"]
    assert offers(home, "config", "show", "") == [each.name for each in OPTIONS]


def test_in_bash_a_name_is_quoted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SFTD_COMPLETE", "bash_complete")
    assert offers(home, "file", "show", "it") == ["'it'\"'\"'s $(mine)'"]


@pytest.mark.parametrize("damage", ["none", "empty", "torn", "configuration"])
def test_where_a_home_cannot_be_read_nothing_is_offered_or_said(
    home: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = home / "data" / "sft.sqlite"
    if damage == "none":
        file.unlink()
    elif damage == "configuration":
        (home / "sft.toml").write_bytes(b"\xff")
    else:
        file.write_bytes(b"" if damage == "empty" else file.read_bytes()[:100] + b"x" * 5000)
    expected = ["Ada", "max"] if damage == "configuration" else []
    assert offers(home, "user", "show", "") == expected
    assert offers(home, "file", "show", "F") == (["Finance/"] if expected else [])
    assert capfd.readouterr() == ("", "")


def test_every_argument_that_names_somebody_offers_people() -> None:
    new_or_nobody = {"user add", "invite make", "log restart", "serve", "witness"}
    for words, command in all_commands("sftd").items():
        for parameter in command.params:
            names_somebody = (
                parameter.name in {"name", "user", "files_to", "to"} and str(parameter.metavar).strip("[]") == "NAME"
            )
            if names_somebody and words not in new_or_nobody:
                assert parameter._custom_shell_complete is not None, words
